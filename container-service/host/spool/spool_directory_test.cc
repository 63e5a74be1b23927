#include "container-service/host/spool/spool_directory.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"
#include "tests/support/temporary_directory.h"

namespace pvebus::container {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

event::v1::SystemEvent Started(uint32_t id) {
  event::v1::SystemEvent event;
  event.mutable_container_started()->set_id(id);
  return event;
}

std::string FileOf(const std::string& request_id, uint32_t id = 101) {
  return R"({"request_id":")" + request_id + R"(","event":{"event":"container_started","id":)" + std::to_string(id) + "}}";
}

// Keeps the lines. One thread.
class MemoryLogger final : public Logger {
 public:
  void Write(LogLevel, std::string_view line) override { lines.emplace_back(line); }
  std::vector<std::string> lines;
};

class SpoolDirectoryTest : public ::testing::Test {
 protected:
  SpoolDirectoryTest() { Open(); }

  void Open() {
    auto opened = SpoolDirectory::Open(path_ + "/", clock_, logger_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    spool_ = *std::move(opened);
  }
  void Write(const std::string& name, const std::string& text) { std::ofstream(path_ + "/" + name) << text; }
  std::vector<std::string> Files() const {
    std::vector<std::string> names;
    for (const auto& file : std::filesystem::directory_iterator(path_)) names.push_back(file.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }
  std::vector<std::string> RequestIds() {
    const auto entries = spool_->Entries();
    EXPECT_TRUE(entries.ok()) << entries.status();
    std::vector<std::string> ids;
    for (const auto& entry : entries.value_or(std::vector<client::OutboxEntry>())) ids.push_back(entry.request_id);
    return ids;
  }

  pvebus::testing::TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/spool";
  FakeClock clock_;
  MemoryLogger logger_;
  std::unique_ptr<SpoolDirectory> spool_;
};

TEST_F(SpoolDirectoryTest, IsMadeAndIsPrivateAndMayBeThereAlready) {
  struct stat status {};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700u);
  EXPECT_EQ(spool_->path(), path_);

  Open();

  EXPECT_THAT(RequestIds(), IsEmpty());
}

TEST_F(SpoolDirectoryTest, WhatIsNoDirectoryIsSaidWhenItIsOpened) {
  std::ofstream(directory_.path() + "/file") << "x";

  for (const std::string& path : {directory_.path() + "/file", directory_.path() + "/none/spool"}) {
    const auto opened = SpoolDirectory::Open(path, clock_, logger_);
    EXPECT_EQ(ErrorReason(opened.status()), "SPOOL_UNUSABLE") << opened.status();
    EXPECT_THAT(std::string(opened.status().message()), HasSubstr(path));
  }
}

TEST_F(SpoolDirectoryTest, WhatWasPutIsThereAsItWasAlsoForALaterProcessUntilItIsRemoved) {
  event::v1::SystemEvent event = Started(101);
  event.set_source("container-service");
  event.set_subject("101");
  event.set_ordering_key("container/101");
  ASSERT_TRUE(spool_->Put("container-started/101/b-1/v7", event).ok());
  Open();

  const auto entries = spool_->Entries();

  ASSERT_TRUE(entries.ok()) << entries.status();
  ASSERT_EQ(entries->size(), 1u);
  const client::OutboxEntry& entry = entries->front();
  EXPECT_EQ(entry.key, "01700000000000000000-container-started+101+b-1+v7.json");
  EXPECT_EQ(entry.label, "notice=container_started request_id=container-started/101/b-1/v7");
  EXPECT_EQ(entry.request_id, "container-started/101/b-1/v7");
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(entry.event, event)) << entry.event.DebugString();
  EXPECT_TRUE(spool_->Remove(entry.key).ok());
  EXPECT_TRUE(spool_->Remove(entry.key).ok()) << "a repeat is harmless";
  EXPECT_THAT(Files(), IsEmpty());
}

TEST_F(SpoolDirectoryTest, TheSameRequestIsNoSecondFileWhileTheFirstIsThere) {
  for (const char* id : {"a/b", "a+b", "a/b", "b", "a/b"}) {
    spool_->Put(id, Started(101)).IgnoreError();
    clock_.Advance(std::chrono::seconds(1));
  }
  EXPECT_THAT(RequestIds(), ElementsAre("a/b", "b"));

  EXPECT_TRUE(spool_->Remove(Files().front()).ok());
  EXPECT_TRUE(spool_->Put("a/b", Started(101)).ok());

  EXPECT_THAT(RequestIds(), ElementsAre("b", "a/b"));
}

TEST_F(SpoolDirectoryTest, WhatIsPutComesAfterWhatLiesThereAlsoWhenTheClockSteppedBackMeanwhile) {
  Write("01800000000000000000-hookscript.json", FileOf("hookscript"));
  Write("99999999999999999999-no-time.json", FileOf("no-time"));
  Write("09223372036854775807-no-time.json", FileOf("last-time"));
  Open();

  ASSERT_TRUE(spool_->Put("later", Started(102)).ok());

  EXPECT_THAT(RequestIds(), ElementsAre("hookscript", "later", "last-time", "no-time"));
}

TEST_F(SpoolDirectoryTest, TheOrderIsThatOfPuttingAlsoWhenTheClockStandsStillOrStepsBack) {
  for (const char* id : {"z", "y", "x"}) EXPECT_TRUE(spool_->Put(id, Started(101)).ok());
  clock_.Advance(std::chrono::seconds(-5));
  EXPECT_TRUE(spool_->Put("a", Started(101)).ok());

  EXPECT_THAT(RequestIds(), ElementsAre("z", "y", "x", "a"));
}

TEST_F(SpoolDirectoryTest, AnEventThatAFileCannotSayIsRefused) {
  event::v1::SystemEvent labelled = Started(101);
  (*labelled.mutable_attributes())["site"] = "east";
  event::v1::SystemEvent large;
  large.mutable_custom()->set_name("x");
  (*large.mutable_custom()->mutable_data())["text"].set_string_value(std::string(1 << 20, 'x'));

  EXPECT_EQ(ErrorReason(spool_->Put("r", labelled)), "SPOOL_EVENT_INVALID");
  EXPECT_EQ(ErrorReason(spool_->Put("r", large)), "SPOOL_EVENT_INVALID");
  EXPECT_EQ(ErrorReason(spool_->Put("r", {})), "SPOOL_EVENT_INVALID");
  EXPECT_EQ(ErrorReason(spool_->Put("../r r", Started(101))), "SPOOL_EVENT_INVALID");
  EXPECT_EQ(ErrorReason(spool_->Put("r", Started(1))), "SPOOL_EVENT_INVALID");

  EXPECT_THAT(Files(), IsEmpty());
}

TEST_F(SpoolDirectoryTest, WhatOthersWriteIsSortedByNameAndWhatIsNotMeantIsLeftAlone) {
  Write("00000000000000000002-b.json", FileOf("second"));
  Write("00000000000000000001-c.json", FileOf("first") + "\n");
  Write(".00000000000000000001-d.json", "half");
  Write("notes.txt", "x");
  Write("old.json.bad", "x");

  EXPECT_THAT(RequestIds(), ElementsAre("first", "second"));

  EXPECT_EQ(Files().size(), 5u);
  EXPECT_THAT(logger_.lines, IsEmpty());
}

TEST_F(SpoolDirectoryTest, WhatCannotBeUnderstoodIsNamedOnceAndSetAsideAndStopsNothing) {
  Write("1.json", "{");
  Write("2.json", R"({"event":{"event":"container_started","id":101}})");
  Write("3.json", R"({"request_id":"r","event":{"event":"container_stopped","id":101}})");
  Write("4.json", FileOf("r") + std::string(1 << 20, ' '));
  std::filesystem::create_directory(path_ + "/5.json");
  ASSERT_EQ(symlink("/etc/passwd", (path_ + "/6.json").c_str()), 0);
  ASSERT_EQ(mkfifo((path_ + "/7.json").c_str(), 0600), 0);
  Write("8.json", "");
  Write(std::string(250, '9') + ".json", "x");
  Write("good.json", FileOf("good"));

  for (int i = 0; i < 3; ++i) EXPECT_THAT(RequestIds(), ElementsAre("good"));

  EXPECT_EQ(logger_.lines.size(), 9u);
  EXPECT_THAT(logger_.lines[2], AllOf(HasSubstr(path_ + "/3.json"), HasSubstr("3.json.bad"), HasSubstr("container_stopped")));
  EXPECT_THAT(logger_.lines[4], HasSubstr("not a regular file"));
  EXPECT_THAT(Files(), UnorderedElementsAre("1.json.bad", "2.json.bad", "3.json.bad", "4.json.bad", "5.json.bad", "6.json.bad",
                                            "7.json.bad", "8.json.bad", std::string(247, '9') + ".bad", "good.json"));
}

TEST_F(SpoolDirectoryTest, WhatWasSetAsideBeforeIsNeverReplaced) {
  for (const char* text : {"first", "second", "third"}) {
    Write("1.json", text);
    EXPECT_THAT(RequestIds(), IsEmpty());
  }

  EXPECT_THAT(Files(), ElementsAre("1.json.2.bad", "1.json.3.bad", "1.json.bad"));
  std::string text;
  std::ifstream(path_ + "/1.json.bad") >> text;
  EXPECT_EQ(text, "first");
}

TEST_F(SpoolDirectoryTest, ThereAreAtMostAThousandEntriesAtOnce) {
  for (int i = 0; i < 1003; ++i) Write(std::to_string(10000 + i) + ".json", FileOf("r" + std::to_string(i)));

  const auto first = spool_->Entries();
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_EQ(first->size(), 1000u);
  for (const auto& entry : *first) EXPECT_TRUE(spool_->Remove(entry.key).ok());

  EXPECT_THAT(RequestIds(), ElementsAre("r1000", "r1001", "r1002"));
}

TEST_F(SpoolDirectoryTest, WhatACrashLeftHalfWrittenIsNoEventAndInNobodysWay) {
  Write(".new",
        "{\"request_id\":\"half and a long way longer than what comes, to be sure: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");

  EXPECT_THAT(RequestIds(), IsEmpty());
  EXPECT_TRUE(spool_->Put("r", Started(101)).ok());

  EXPECT_THAT(RequestIds(), ElementsAre("r"));
  EXPECT_EQ(Files().size(), 1u);
}

TEST_F(SpoolDirectoryTest, ADirectoryThatIsGoneIsSaid) {
  std::filesystem::remove_all(path_);

  EXPECT_EQ(ErrorReason(spool_->Entries().status()), "SPOOL_UNUSABLE");
  EXPECT_EQ(ErrorReason(spool_->Put("r", Started(101))), "SPOOL_UNUSABLE");
  EXPECT_TRUE(spool_->Remove("r").ok());
}

}  // namespace
}  // namespace pvebus::container
