#include "tests/system/shell.h"

#include <array>
#include <cstdio>

#include "gtest/gtest.h"

namespace pvebus::testing {
namespace {

struct Ended {
  int status;
  std::string output;
};
Ended RunShell(const std::string& command) {
  FILE* const pipe = popen(("( " + command + " ) 2>&1").c_str(), "r");
  Ended ended{-1, {}};
  if (pipe == nullptr) return ended;
  std::array<char, 4096> buffer{};
  for (size_t read = 0; (read = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) ended.output.append(buffer.data(), read);
  ended.status = pclose(pipe);
  return ended;
}

}  // namespace

void Sh(const std::string& command) {
  const Ended ended = RunShell(command);
  ASSERT_EQ(ended.status, 0) << command << ": " << ended.output;
}
bool ShSucceeds(const std::string& command) { return RunShell(command).status == 0; }
std::string ShOutput(const std::string& command) { return RunShell(command).output; }

}  // namespace pvebus::testing
