#include "network-service/host/files/unified_diff.h"

#include "absl/strings/str_cat.h"
#include "network-service/host/testing/temporary_network.h"

namespace pvebus::network {
namespace {

using absl::StatusCode;
using ::testing::EndsWith;
using ::testing::Le;
using ::testing::StartsWith;

class UnifiedDiffTest : public ::testing::Test {
 protected:
  TemporaryNetwork network_;
  ProgramRunner programs_{{}};
};

TEST_F(UnifiedDiffTest, EqualFilesHaveNone) {
  EXPECT_EQ(*DiffFiles(network_.Write("a", "text\n"), network_.Write("b", "text\n"), programs_), "");
}

TEST_F(UnifiedDiffTest, SaysWhatChangesUnderTheNamesOfTheMainFiles) {
  EXPECT_EQ(*DiffFiles(network_.Write("a", "one\ntwo\n"), network_.Write("b", "one\n\xffthree\n"), programs_),
            "--- interfaces\n+++ interfaces.new\n@@ -1,2 +1,2 @@\n one\n-two\n+\xffthree\n");
  EXPECT_EQ(*DiffFiles("/dev/null", network_.Path("a"), programs_),
            "--- interfaces\n+++ interfaces.new\n@@ -0,0 +1,2 @@\n+one\n+two\n");
  // Bytes that are no text, too.
  EXPECT_EQ(*DiffFiles("/dev/null", network_.Write("b", std::string("\0\n", 2)), programs_),
            absl::StrCat("--- interfaces\n+++ interfaces.new\n@@ -0,0 +1 @@\n+", std::string("\0\n", 2)));
}

TEST_F(UnifiedDiffTest, OfALongOneTheEndIsTold) {
  std::string lines;
  for (int i = 0; i < 300'000; ++i) absl::StrAppend(&lines, i, "\n");

  const auto diff = DiffFiles("/dev/null", network_.Write("b", lines), programs_);

  ASSERT_TRUE(diff.ok()) << diff.status();
  EXPECT_THAT(*diff, StartsWith("[left out: "));
  EXPECT_THAT(diff->substr(diff->find('\n') + 1), StartsWith("+"));
  EXPECT_THAT(*diff, EndsWith("+299999\n"));
  EXPECT_THAT(diff->size(), Le((size_t{1} << 20) + 100));
}

TEST_F(UnifiedDiffTest, WhatCannotBeReadIsAnError) {
  EXPECT_THAT(DiffFiles(network_.Path("gone"), "/dev/null", programs_).status(),
              IsError(StatusCode::kFailedPrecondition, "CONFIGURATION_UNREADABLE"));
}

}  // namespace
}  // namespace pvebus::network
