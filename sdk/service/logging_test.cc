#include "sdk/service/logging.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::service {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

std::string Log(const std::string& format, const std::string& level, LogLevel line_level, std::string_view line) {
  ServiceOptions options;
  options.log_format = format;
  options.log_level = level;
  testing::internal::CaptureStderr();
  auto logger = MakeLogger(options);
  EXPECT_TRUE(logger.ok()) << logger.status();
  if (logger.ok()) (*logger)->Write(line_level, line);
  return testing::internal::GetCapturedStderr();
}

TEST(LoggingTest, TextLineHasTimeLevelAndLine) {
  EXPECT_THAT(Log("text", "info", LogLevel::kWarning, "a=1 {}"), MatchesRegex("....-..-..T..:..:......Z warning a=1 .}\n"));
}

TEST(LoggingTest, TextStaysOnOneLine) {
  EXPECT_THAT(Log("text", "info", LogLevel::kInfo, "a\nb\x1b[0m"), HasSubstr("a\\nb\\u001b[0m\n"));
}

TEST(LoggingTest, JsonLineIsEscaped) {
  EXPECT_THAT(Log("json", "info", LogLevel::kError, "say \"hi\"\n\\ \xc3\xa4 \xff"),
              HasSubstr(R"("level":"error","message":"say \"hi\"\n\\ )"
                        "\xc3\xa4 \\ufffd\"}\n"));
}

TEST(LoggingTest, LinesBelowTheLevelAreNotWritten) {
  EXPECT_EQ(Log("text", "warning", LogLevel::kInfo, "quiet"), "");
  EXPECT_THAT(Log("text", "debug", LogLevel::kDebug, "loud"), HasSubstr("debug loud"));
}

TEST(LoggingTest, UnknownLevelOrFormatIsRefused) {
  ServiceOptions options;
  options.log_level = "loud";
  EXPECT_EQ(MakeLogger(options).status().code(), absl::StatusCode::kInvalidArgument);
  options.log_level = "info";
  options.log_format = "xml";
  EXPECT_EQ(MakeLogger(options).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(LoggingTest, InvalidUtf8BecomesReplacementCharacters) {
  EXPECT_EQ(EscapeForJson("\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80\xe2\x82"),
            "\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd"
            "\\ufffd\\ufffd");
  EXPECT_EQ(EscapeForJson("\xe2\x82\xac\xf0\x9f\x98\x80"), "\xe2\x82\xac\xf0\x9f\x98\x80");
}

}  // namespace
}  // namespace pvebus::service
