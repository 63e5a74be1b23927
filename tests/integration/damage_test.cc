// A journal that is not as it was written: named, served as far as it can be read, written to by nobody, until an operator
// decides.
#include <algorithm>
#include <fstream>
#include <iterator>

#include "absl/strings/str_format.h"
#include "tests/integration/journal_fixture.h"

namespace pvebus::testing {
namespace {

using absl::StatusCode;
using ::testing::HasSubstr;

class DamageTest : public JournalFixture {
 protected:
  static constexpr int kEvents = 600;
  static constexpr char kMark[] = "the-very-event-that-is-damaged";

  DamageTest() { Start(); }

  // Ends the bus in order, spoils one byte of an event in its file, and starts it again.
  void DamageAndStart() {
    PublishMany(300, CustomEvent("x"));
    auto event = CustomEvent("marked");
    event.set_event_id("marked");
    event.set_subject(kMark);
    bus().PublishDurable(event);
    PublishMany(kEvents - 301, CustomEvent("x"));
    Stop();
    Spoil();
    Start();
  }
  void Stop() {
    bus().process().Signal(SIGTERM);
    ASSERT_EQ(bus().process().WaitExit(std::chrono::seconds(20)), 0);
  }
  void Spoil() {
    const std::string path = directory_.path() + "/bus/journal.db";
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    int spoilt = 0;
    for (size_t at = bytes.find(kMark); at != std::string::npos; at = bytes.find(kMark, at + 1)) {
      file.clear();
      file.seekp(static_cast<std::streamoff>(at));
      file.put('T');
      ++spoilt;
    }
    ASSERT_GT(spoilt, 0) << "the event is in the file as it was published";
  }
  static bool Says(const bus::v1::VerifyJournalResponse& response, uint64_t sequence) {
    return std::any_of(response.problems().begin(), response.problems().end(),
                       [sequence](const auto& problem) { return problem.sequence() == sequence; });
  }
  // The problems that a whole check finds.
  bool VerifyFinds(uint64_t sequence) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    const auto stream = bus().journal().VerifyJournal(&context, bus::v1::VerifyJournalRequest());
    bool found = false;
    for (bus::v1::VerifyJournalResponse response; stream->Read(&response);) found |= Says(response, sequence);
    EXPECT_TRUE(stream->Finish().ok());
    return found;
  }
};

INSTANTIATE_TEST_SUITE_P(Journals, DamageTest, ::testing::Values(Journal::kSqlite), NameOfJournal);

TEST_P(DamageTest, ADamagedEventIsNeverGivenAsIfItWereWhole) {
  DamageAndStart();

  const auto event = GetEvent("marked");

  EXPECT_EQ(event.status().code(), StatusCode::kDataLoss) << event.status();
  EXPECT_TRUE(VerifyFinds(301)) << "the check names it";
  bus::v1::ListEventsRequest request;
  request.set_page_size(1000);
  const auto page = ListEvents(request);
  ASSERT_TRUE(page.ok()) << page.status();
  for (const auto& one : page->events()) EXPECT_LT(one.sequence(), 301u);
  request.set_page_token(page->next_page_token());
  EXPECT_EQ(ListEvents(request).status().code(), StatusCode::kDataLoss) << "and says why there is no more";
}

TEST_P(DamageTest, ABusOnADamagedJournalServesWhatItCanAndStoresNothing) {
  LeaveDurably("there");
  DamageAndStart();
  if (!Status().read_only()) VerifyFinds(301);  // found when somebody looks
  WaitFor("the bus to know of the damage", [&] { return Status().read_only(); });

  const auto status = Status();
  ASSERT_GT(status.problems_size(), 0);
  EXPECT_FALSE(status.problems(0).part().empty());
  EXPECT_FALSE(status.problems(0).message().empty());
  ASSERT_GT(status.warnings_size(), 0);
  EXPECT_THAT(status.warnings(0), HasSubstr("--accept-data-loss"));
  EXPECT_THAT(bus().Publish(CustomEvent("x")).status(), IsError(StatusCode::kDataLoss, "JOURNAL_DAMAGED"));
  RawListener listener(bus().address(), RegistrationOf("new"));
  EXPECT_THAT(listener.WaitEnd(), IsError(StatusCode::kDataLoss, "JOURNAL_DAMAGED"));
  bus::v1::PauseListenerRequest pause;
  pause.set_name("there");
  EXPECT_THAT(Call(&bus::v1::RegistryService::Stub::PauseListener, bus().registry(), pause).status(),
              IsError(StatusCode::kDataLoss, "JOURNAL_DAMAGED"));
  bus::v1::ReplayEventsRequest replay;
  replay.add_listeners("there");
  replay.mutable_start_position()->set_earliest(true);
  EXPECT_THAT(Replay(replay).status(), IsError(StatusCode::kDataLoss, "JOURNAL_DAMAGED"));
  bus::v1::RedriveDeadLettersRequest redrive;
  redrive.mutable_selection();
  EXPECT_THAT(Call(&DeadLetterStub::RedriveDeadLetters, dead_letters(), redrive).status(),
              IsError(StatusCode::kDataLoss, "JOURNAL_DAMAGED"));
  // Reading goes on.
  bus::v1::GetEventRequest get;
  get.set_sequence(1);
  EXPECT_TRUE(Call(&JournalStub::GetEvent, bus().journal(), get).ok());
  EXPECT_TRUE(bus().GetListener("there").ok());
  // And whoever decides by health sends nobody here.
  const auto health = CallBytes(*bus().channel(), "/grpc.health.v1.Health/Check", "");
  ASSERT_TRUE(health.ok()) << health.status();
  EXPECT_EQ(*health, std::string("\x08\x02")) << "NOT_SERVING";
  WaitFor("the log to say so", [&] { return bus().process().StandardError().find("journal_damaged") != std::string::npos; });
  Stop();
}

TEST_P(DamageTest, AfterTheOperatorHasAcceptedTheLossTheRestGoesOn) {
  LeaveDurably("there");
  DamageAndStart();
  Stop();

  Start({"--accept-data-loss"});

  const auto status = Status();
  EXPECT_FALSE(status.read_only());
  EXPECT_GT(status.problems_size(), 0) << "what is lost stays named";
  EXPECT_EQ(status.last_sequence(), static_cast<uint64_t>(kEvents));
  bus().ExpectAlive();
  EXPECT_FALSE(GetEvent("marked").ok());
  Stop();
  Start();
  EXPECT_FALSE(Status().read_only()) << "once is enough";
  bus().ExpectAlive();
  auto there = Listen("there");
  EXPECT_EQ(there->NextDelivery().event().sequence(), 1u);
}

}  // namespace
}  // namespace pvebus::testing
