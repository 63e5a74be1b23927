#include "container-service/core/container_findings.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "sdk/base/utf8.h"

namespace pvebus::container {
namespace {

constexpr size_t kLongestKey = 100;
constexpr size_t kLongestQuote = 60;

}  // namespace

void ContainerFindings::Add(size_t line, std::string_view key, std::string message) {
  if (full()) {
    ++left_out_;
    return;
  }
  findings_.push_back({line, CleanUtf8(key.substr(0, kLongestKey), kLongestKey), std::move(message)});
}

std::vector<ContainerFinding> ContainerFindings::Take() {
  std::stable_sort(findings_.begin(), findings_.end(),
                   [](const ContainerFinding& a, const ContainerFinding& b) { return a.line < b.line; });
  if (left_out_ > 0) {
    findings_.push_back({.message = absl::StrFormat("%d more findings are left out; is this a container file?", left_out_)});
  }
  left_out_ = 0;
  return std::exchange(findings_, {});
}

std::string Quoted(std::string_view text) {
  const bool cut = text.size() > kLongestQuote;
  return absl::StrFormat("'%s%s'", CleanUtf8(text.substr(0, kLongestQuote), kLongestQuote), cut ? "..." : "");
}

}  // namespace pvebus::container
