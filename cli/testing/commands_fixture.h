#pragma once

#include <string>
#include <vector>

#include "cli/testing/fake_bus.h"
#include "cli/testing/run_in_test.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::cli {

// Commands against a bus that says what the test wants: what is asked, what is printed, how it ends.
class CommandsFixture : public testing::Test {
 protected:
  RunOutcome Pvebus(std::vector<const char*> arguments) {
    arguments.insert(arguments.end(), {"--bus", bus_.address().c_str()});
    return RunInTest(arguments);
  }

  FakeBus bus_;
};

}  // namespace pvebus::cli
