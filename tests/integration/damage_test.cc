// A journal that is not as it was written: named, served as far as it can be read, written to by nobody, until an operator
// decides.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include "absl/strings/str_format.h"
#include "tests/integration/journal_fixture.h"

namespace pvebus::testing {
namespace {

using absl::StatusCode;
using ::testing::HasSubstr;

class DamageTest : public JournalFixture {
 protected:
  static constexpr int kEvents = 600;
  static constexpr uint64_t kFirstMarked = 302;
  static constexpr uint64_t kLastMarked = 303;
  static constexpr char kMark[] = "the-very-event-that-is-damaged";

  DamageTest() { Start(); }

  // Ends the bus in order, spoils one byte of an event in its file, and starts it again.
  void DamageAndStart() {
    PublishMany(300, CustomEvent("x"));
    auto before = CustomEvent("before");
    before.set_event_id("before");
    bus().PublishDurable(before);
    for (const char* id : {"marked", "marked-too"}) {
      auto event = ChildOf("before", CustomEvent("marked"));
      event.set_event_id(id);
      event.set_subject(kMark);
      bus().PublishDurable(event);
    }
    auto after = ChildOf("marked", CustomEvent("after"));
    after.set_event_id("after");
    bus().PublishDurable(after);
    PublishMany(kEvents - 304, CustomEvent("x"));
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
  EXPECT_TRUE(VerifyFinds(kFirstMarked)) << "the check names it";
  bus::v1::ListEventsRequest request;
  request.set_page_size(1000);
  const auto page = ListEvents(request);
  ASSERT_TRUE(page.ok()) << page.status();
  for (const auto& one : page->events()) EXPECT_LT(one.sequence(), kFirstMarked);
  request.set_page_token(page->next_page_token());
  EXPECT_EQ(ListEvents(request).status().code(), StatusCode::kDataLoss) << "and says why there is no more";
}

TEST_P(DamageTest, ABusOnADamagedJournalServesWhatItCanAndStoresNothing) {
  LeaveDurably("there");
  DamageAndStart();
  if (!Status().read_only()) VerifyFinds(kFirstMarked);  // found when somebody looks
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

// What a reader of the whole journal is told of it.
struct Seen {
  std::vector<uint64_t> sequences;
  std::vector<std::pair<uint64_t, uint64_t>> lost;

  template <typename Response>
  void AddLost(const Response& response) {
    for (const auto& one : response.lost()) lost.emplace_back(one.first_sequence(), one.last_sequence());
  }
};

class AcceptedLossTest : public DamageTest {
 protected:
  static std::vector<std::pair<uint64_t, uint64_t>> TheLoss() { return {{kFirstMarked, kLastMarked}}; }
  // Without the lost ones.
  static std::vector<uint64_t> FromTo(uint64_t first, uint64_t last) {
    std::vector<uint64_t> sequences;
    for (uint64_t sequence = first; sequence <= last; ++sequence) {
      if (sequence < kFirstMarked || sequence > kLastMarked) sequences.push_back(sequence);
    }
    return sequences;
  }
  void AcceptTheLoss() {
    DamageAndStart();
    Stop();
    Start({"--accept-data-loss"});
  }
  Seen ListAll(bus::v1::ListEventsRequest request) {
    Seen seen;
    do {
      const auto page = ListEvents(request);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) break;
      for (const auto& event : page->events()) seen.sequences.push_back(event.sequence());
      seen.AddLost(*page);
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return seen;
  }
};

INSTANTIATE_TEST_SUITE_P(Journals, AcceptedLossTest, ::testing::Values(Journal::kSqlite), NameOfJournal);

TEST_P(AcceptedLossTest, TheJournalIsWholeAndSaysWhatWasLost) {
  AcceptTheLoss();

  const auto status = Status();
  EXPECT_FALSE(status.read_only());
  EXPECT_EQ(status.problems_size(), 0) << "nothing is wrong any more";
  ASSERT_EQ(status.losses_size(), 1) << "what is lost stays named";
  EXPECT_EQ(status.losses(0).first_sequence(), kFirstMarked);
  EXPECT_EQ(status.losses(0).last_sequence(), kLastMarked);
  EXPECT_GT(status.losses(0).accept_time().seconds(), 0);
  EXPECT_EQ(status.last_sequence(), static_cast<uint64_t>(kEvents));
  EXPECT_FALSE(VerifyFinds(kFirstMarked));
  bus().ExpectAlive();
  Stop();
  Start();
  EXPECT_FALSE(Status().read_only()) << "once is enough";
  EXPECT_EQ(Status().losses_size(), 1);
  bus().ExpectAlive();
}

TEST_P(AcceptedLossTest, AListenerThatWasAwayIsToldOnceAndGetsEverythingElse) {
  LeaveDurably("there");
  AcceptTheLoss();

  for (int life = 0; life < 2; ++life) {
    const auto listener = bus().GetListener("there");
    ASSERT_TRUE(listener.ok()) << listener.status();
    EXPECT_EQ(listener->backlog(), kEvents - 2u);
    ASSERT_EQ(listener->incidents_size(), 1);
    EXPECT_EQ(listener->incidents(0).kind(), "DATA_LOSS");
    EXPECT_EQ(listener->incidents(0).first_sequence(), kFirstMarked);
    EXPECT_EQ(listener->incidents(0).last_sequence(), kLastMarked);
    EXPECT_TRUE(listener->incidents(0).has_time());
    Stop();
    Start();
  }
  auto there = Listen("there");
  std::set<uint64_t> delivered;
  for (int i = 0; i < kEvents - 2; ++i) {
    const auto delivery = there->NextDelivery();
    delivered.insert(delivery.event().sequence());
    there->Ack(delivery.delivery_id());
  }
  EXPECT_THAT(delivered, ::testing::ElementsAreArray(FromTo(1, kEvents)));
  WaitFor("the backlog to be settled", [&] { return bus().GetListener("there")->backlog() == 0; });
}

TEST_P(AcceptedLossTest, AListGoesPastTheHoleAndNamesItOnce) {
  AcceptTheLoss();

  for (const int page_size : {1, 7, 1000}) {
    SCOPED_TRACE(page_size);
    bus::v1::ListEventsRequest request;
    request.set_page_size(page_size);
    request.set_end_sequence(400);
    request.mutable_start_position()->set_sequence(295);
    const Seen seen = ListAll(request);
    EXPECT_EQ(seen.sequences, FromTo(295, 400));
    EXPECT_EQ(seen.lost, TheLoss());
  }
  bus::v1::ListEventsRequest request;
  request.mutable_start_position()->set_sequence(kLastMarked);
  request.set_end_sequence(kLastMarked + 1);
  EXPECT_EQ(ListAll(request).sequences, (std::vector<uint64_t>{kLastMarked + 1})) << "it may begin in the hole";
  request.set_end_sequence(kLastMarked);
  EXPECT_EQ(ListAll(request).lost, (std::vector<std::pair<uint64_t, uint64_t>>{{kLastMarked, kLastMarked}})) << "and end there";
  request.mutable_start_position()->set_sequence(kFirstMarked - 1);
  request.set_end_sequence(kFirstMarked);
  EXPECT_EQ(ListAll(request).lost, (std::vector<std::pair<uint64_t, uint64_t>>{{kFirstMarked, kFirstMarked}}));
  request.set_end_sequence(kFirstMarked - 1);
  EXPECT_TRUE(ListAll(request).lost.empty()) << "what was not asked for is not told";
}

TEST_P(AcceptedLossTest, AWatchGoesPastTheHoleAndNamesItOnce) {
  AcceptTheLoss();

  for (const uint64_t first : {kFirstMarked - 7, kFirstMarked}) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    bus::v1::WatchEventsRequest request;
    request.mutable_start_position()->set_sequence(first);
    request.set_max_events(10);
    const auto stream = bus().journal().WatchEvents(&context, request);
    Seen seen;
    for (bus::v1::WatchEventsResponse response; stream->Read(&response);) {
      seen.sequences.push_back(response.event().sequence());
      seen.AddLost(response);
    }
    EXPECT_TRUE(stream->Finish().ok());
    EXPECT_EQ(seen.sequences.size(), 10u);
    EXPECT_EQ(seen.sequences, FromTo(first, seen.sequences.back()));
    EXPECT_EQ(seen.lost, TheLoss());
  }
}

TEST_P(AcceptedLossTest, ALostEventIsDataLossByItsSequenceAndUnknownByItsId) {
  AcceptTheLoss();
  bus::v1::GetEventRequest get;
  get.set_sequence(kFirstMarked);

  const auto lost = Call(&JournalStub::GetEvent, bus().journal(), get).status();

  EXPECT_THAT(lost, IsError(StatusCode::kDataLoss, "EVENT_LOST"));
  EXPECT_THAT(std::string(lost.message()), HasSubstr("302..303"));
  const auto unknown = GetEvent("marked").status();
  EXPECT_THAT(unknown, IsError(StatusCode::kNotFound, "EVENT_NOT_FOUND"));
  EXPECT_THAT(std::string(unknown.message()), HasSubstr("lost"));
}

TEST_P(AcceptedLossTest, ATreeAReplayAndANewListenerGoPastTheHole) {
  AcceptTheLoss();
  bus::v1::TraceEventRequest trace;
  trace.set_event_id("after");
  const auto tree = Call(&JournalStub::TraceEvent, bus().journal(), trace);
  ASSERT_TRUE(tree.ok()) << tree.status();
  ASSERT_EQ(tree->nodes_size(), 2);
  EXPECT_EQ(tree->nodes(0).event().event_id(), "before");
  EXPECT_EQ(tree->nodes(1).event().event_id(), "after");
  ASSERT_EQ(tree->lost_sequences_size(), 1);
  EXPECT_EQ(tree->lost_sequences(0), kFirstMarked);

  auto registration = RegistrationOf("late");
  registration.mutable_start_position()->set_sequence(kFirstMarked);
  auto late = Listen(registration);
  EXPECT_EQ(late->NextDelivery().event().event_id(), "after");
  EXPECT_EQ(bus().GetListener("late")->incidents_size(), 0) << "it was not there";
  LeaveDurably("again");
  bus::v1::ReplayEventsRequest replay;
  replay.add_listeners("again");
  replay.mutable_start_position()->set_sequence(kFirstMarked - 1);
  replay.set_end_sequence(kLastMarked + 2);
  const auto replayed = Replay(replay);
  ASSERT_TRUE(replayed.ok()) << replayed.status();
  EXPECT_EQ(replayed->event_count(), 3u);
  auto again = Listen("again");
  for (const uint64_t sequence : {kFirstMarked - 1, kLastMarked + 1, kLastMarked + 2}) {
    const auto delivery = again->NextDelivery();
    EXPECT_EQ(delivery.event().sequence(), sequence);
    again->Ack(delivery.delivery_id());
  }
}

}  // namespace
}  // namespace pvebus::testing
