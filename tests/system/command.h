#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "tests/support/process.h"

namespace pvebus::testing {

// Runs a command of words between blanks to its end ("/sbin/ip link add a type veth peer name b"), in the network namespace of
// the thread; a failure of it is one of the test. What it prints.
inline std::string Command(const std::string& command) {
  Process process(absl::StrSplit(command, ' ', absl::SkipEmpty()));
  const auto code = process.WaitExit(std::chrono::seconds(20));
  EXPECT_EQ(code.value_or(-1), 0) << command << "\n" << process.StandardOutput() << process.StandardError();
  return process.StandardOutput();
}

inline std::string Ip(const std::string& command) { return Command(absl::StrCat("/sbin/ip ", command)); }
inline std::string Nft(const std::string& command) { return Command(absl::StrCat("/usr/sbin/nft ", command)); }

}  // namespace pvebus::testing
