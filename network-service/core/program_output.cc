#include "network-service/core/program_output.h"

#include <string_view>

#include "sdk/base/utf8.h"

namespace pvebus::network {
namespace {

constexpr size_t kMostBytes = 1024;

}  // namespace

std::string EndOfOutput(const ProgramReport& report) {
  std::string_view output = report.output;
  while (!output.empty() && output.back() == '\n') output.remove_suffix(1);
  if (output.empty()) return "(it wrote nothing)";
  if (output.size() > kMostBytes) output.remove_prefix(output.size() - kMostBytes);
  return CleanUtf8(output, kMostBytes);
}

}  // namespace pvebus::network
