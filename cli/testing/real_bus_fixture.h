#pragma once

#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/bus_process.h"

namespace pvebus::cli {

inline constexpr std::chrono::seconds kSoon{20};

// The real program against the real bus.
class RealBusTest : public ::testing::Test {
 protected:
  std::unique_ptr<pvebus::testing::Process> Start(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), pvebus::testing::ProgramPath("pvebus"));
    arguments.insert(arguments.end(), {"--bus", bus_.address()});
    return std::make_unique<pvebus::testing::Process>(std::move(arguments));
  }

  struct Ended {
    std::optional<int> exit_code;
    std::string out, err;
  };
  static Ended End(pvebus::testing::Process& process) {
    // A line that never comes: waits until all output has been collected, which may be after the exit.
    process.WaitForLine("\x01", kSoon).IgnoreError();
    Ended ended;
    ended.exit_code = process.WaitExit(kSoon);
    ended.out = process.StandardOutput();
    ended.err = process.StandardError();
    return ended;
  }
  Ended Run(std::vector<std::string> arguments) { return End(*Start(std::move(arguments))); }

  // `pvebus listen NAME ...`, when it holds the name.
  std::unique_ptr<pvebus::testing::Process> Listen(const std::string& name, std::vector<std::string> flags = {}) {
    flags.insert(flags.begin(), {"listen", name});
    auto process = Start(std::move(flags));
    const auto listening = process->WaitForLine(name + ": listening", kSoon);
    EXPECT_TRUE(listening.ok()) << listening.status();
    return process;
  }

  // A durable listener that came and left.
  void LeaveDurably(const std::string& name) {
    const auto listener = Listen(name, {"--durable"});
    listener->Signal(SIGTERM);
    EXPECT_EQ(End(*listener).exit_code, 0);
  }

  pvebus::testing::BusProcess bus_;
};

}  // namespace pvebus::cli
