// The bus as a record: what happened, to whom and why.
#include <atomic>
#include <thread>

#include "tests/integration/journal_fixture.h"

namespace pvebus::testing {
namespace {

using absl::StatusCode;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class JournalTest : public JournalFixture {
 protected:
  JournalTest() { Start(); }

  std::vector<uint64_t> Sequences(const bus::v1::ListEventsResponse& page) {
    std::vector<uint64_t> sequences;
    for (const auto& event : page.events()) sequences.push_back(event.sequence());
    return sequences;
  }
  // Rejects the next delivery and waits until the bus knows it.
  static void RejectNext(RawListener& listener, const std::string& reason, const std::string& message) {
    listener.Reject(listener.NextDelivery().delivery_id(), RejectionOf(bus::v1::REJECT_MODE_RETRY, 14, reason, message), true);
    listener.NextConfirmation();
  }
};

INSTANTIATE_TEST_SUITE_P(Journals, JournalTest, ::testing::Values(Journal::kMemory, Journal::kSqlite), NameOfJournal);

TEST_P(JournalTest, AnEventIsShownWithItsResultItsRequestAndEveryFailedAttempt) {
  auto registration = QuickRetries(RegistrationOf("fussy"), 5);
  registration.set_instance_id("fussy@node1");
  auto fussy = Listen(registration);
  auto calm = Listen("calm");
  auto request = RequestOf(CustomEvent("x"), bus::v1::WAIT_POLICY_DURABLE);
  request.mutable_event()->set_event_id("e1");
  request.set_request_id("r1");
  ASSERT_TRUE(bus().Publish(request).ok());
  calm->Ack(calm->NextDelivery().delivery_id());
  RejectNext(*fussy, "DISK_BUSY", "first");
  RejectNext(*fussy, "DISK_FULL", "second");
  fussy->Ack(fussy->NextDelivery().delivery_id());
  bus().Result("e1", bus::v1::WAIT_POLICY_SETTLED);

  const auto check = [&] {
    for (const bool by_id : {true, false}) {
      bus::v1::GetEventRequest key;
      by_id ? key.set_event_id("e1") : key.set_sequence(1);
      const auto shown = Call(&JournalStub::GetEvent, bus().journal(), key);
      ASSERT_TRUE(shown.ok()) << shown.status();
      EXPECT_EQ(shown->event().custom().name(), "x");
      EXPECT_EQ(shown->event().sequence(), 1u);
      EXPECT_EQ(shown->request_id(), "r1");
      EXPECT_EQ(shown->result().outcome(), bus::v1::PUBLISH_OUTCOME_SUCCEEDED);
      EXPECT_EQ(RowOf(shown->result(), "fussy").attempt(), 3u);
      ASSERT_THAT(shown->attempts(), SizeIs(2));
      EXPECT_EQ(shown->attempts(0).listener(), "fussy");
      EXPECT_EQ(shown->attempts(0).attempt(), 1u);
      EXPECT_EQ(shown->attempts(0).instance_id(), "fussy@node1");
      EXPECT_EQ(shown->attempts(0).error().reason(), "DISK_BUSY");
      EXPECT_EQ(shown->attempts(1).attempt(), 2u);
      EXPECT_EQ(shown->attempts(1).error().message(), "second");
      EXPECT_GE(FromProto(shown->attempts(1).end_time()), FromProto(shown->attempts(0).end_time()));
    }
  };
  check();
  if (!durable()) return;
  fussy.reset();
  calm.reset();
  Restart();
  check();
}

TEST_P(JournalTest, AnEventThatIsNotThereIsSaidToBeSo) {
  bus().PublishDurable(CustomEvent("x"));
  const auto get = [&](const auto& set) {
    bus::v1::GetEventRequest request;
    set(request);
    return Call(&JournalStub::GetEvent, bus().journal(), request).status();
  };

  EXPECT_THAT(get([](auto&) {}), IsFieldError("key"));
  EXPECT_THAT(get([](auto& request) { request.set_sequence(0); }), IsFieldError("sequence"));
  EXPECT_THAT(get([](auto& request) { request.set_event_id("no id\n"); }), IsError(StatusCode::kInvalidArgument, "ID_INVALID"));
  EXPECT_THAT(get([](auto& request) { request.set_event_id("e9"); }), IsError(StatusCode::kNotFound, "EVENT_NOT_FOUND"));
  EXPECT_THAT(get([](auto& request) { request.set_sequence(2); }), IsError(StatusCode::kNotFound, "EVENT_NOT_FOUND"));
  EXPECT_THAT(get([](auto& request) { request.set_sequence(UINT64_MAX); }), IsError(StatusCode::kNotFound, "EVENT_NOT_FOUND"));
}

TEST_P(JournalTest, AListGoesPageByPageToTheEndAndSaysWhereAWatchGoesOn) {
  PublishMany(25, CustomEvent("x"));
  bus::v1::ListEventsRequest request;
  request.set_page_size(10);

  std::vector<uint64_t> sequences;
  std::vector<size_t> sizes;
  uint64_t next_sequence = 0;
  do {
    const auto page = ListEvents(request);
    ASSERT_TRUE(page.ok()) << page.status();
    sizes.push_back(static_cast<size_t>(page->events_size()));
    for (const uint64_t sequence : Sequences(*page)) sequences.push_back(sequence);
    next_sequence = page->next_sequence();
    request.set_page_token(page->next_page_token());
    request.set_page_size(7);  // may change from page to page
  } while (!request.page_token().empty());

  EXPECT_THAT(sizes, ElementsAre(10, 7, 7, 1));
  ASSERT_THAT(sequences, SizeIs(25));
  for (size_t i = 0; i < sequences.size(); ++i) EXPECT_EQ(sequences[i], i + 1);
  EXPECT_EQ(next_sequence, 26u);
}

TEST_P(JournalTest, AListShowsWhatIsAskedFor) {
  auto first = CustomEvent("x");
  first.set_subject("a");
  bus().PublishDurable(first);
  bus().PublishDurable(ContainerStartedEvent(101));
  LetPass(milliseconds(20));  // publish times differ
  const auto between = std::chrono::system_clock::now();
  LetPass(milliseconds(20));
  bus().PublishDurable(CustomEvent("y"));
  const auto list = [&](const auto& set) {
    bus::v1::ListEventsRequest request;
    set(request);
    const auto page = ListEvents(request);
    EXPECT_TRUE(page.ok()) << page.status();
    return page.ok() ? Sequences(*page) : std::vector<uint64_t>();
  };

  EXPECT_THAT(list([](auto& request) { request.set_filter("subject = a"); }), ElementsAre(1));
  EXPECT_THAT(list([](auto& request) { request.add_event_types(event::v1::EVENT_TYPE_CUSTOM); }), ElementsAre(1, 3));
  EXPECT_THAT(list([](auto& request) { request.set_end_sequence(2); }), ElementsAre(1, 2));
  EXPECT_THAT(list([](auto& request) { request.set_end_sequence(99); }), ElementsAre(1, 2, 3));
  EXPECT_THAT(list([](auto& request) { request.mutable_start_position()->set_sequence(3); }), ElementsAre(3));
  EXPECT_THAT(list([&](auto& request) { *request.mutable_start_position()->mutable_time() = ProtoTime(between); }),
              ElementsAre(3));
  EXPECT_THAT(list([](auto& request) { request.mutable_start_position()->set_latest(true); }), IsEmpty());
}

TEST_P(JournalTest, ABadListIsRefusedWithTheFieldAndItsRule) {
  PublishMany(3, CustomEvent("x"));
  bus::v1::ListEventsRequest one;
  one.set_page_size(1);
  const std::string token = ListEvents(one)->next_page_token();
  ASSERT_FALSE(token.empty());
  const auto refused = [&](const auto& set) {
    bus::v1::ListEventsRequest request;
    set(request);
    return ListEvents(request).status();
  };

  EXPECT_THAT(refused([](auto& request) { request.set_page_size(-1); }), IsFieldError("page_size"));
  EXPECT_THAT(refused([](auto& request) { request.set_page_size(1001); }), IsFieldError("page_size"));
  EXPECT_THAT(refused([](auto& request) { request.mutable_start_position()->set_resume(true); }),
              IsFieldError("start_position.resume"));
  EXPECT_THAT(refused([](auto& request) { request.mutable_start_position()->set_sequence(9); }),
              IsFieldError("start_position.sequence"));
  EXPECT_THAT(refused([](auto& request) { request.mutable_start_position()->set_sequence(0); }),
              IsError(StatusCode::kOutOfRange, "SEQUENCE_COMPACTED"));
  EXPECT_THAT(refused([](auto& request) {
                request.mutable_start_position()->set_sequence(3);
                request.set_end_sequence(2);
              }),
              IsFieldError("end_sequence"));
  EXPECT_THAT(refused([](auto& request) { request.add_event_types(event::v1::EVENT_TYPE_UNSPECIFIED); }),
              IsFieldError("event_types"));
  EXPECT_THAT(refused([](auto& request) { request.set_filter("color = red"); }),
              IsError(StatusCode::kInvalidArgument, "FILTER_INVALID"));
  const auto bad_token = IsError(StatusCode::kInvalidArgument, "PAGE_TOKEN_INVALID");
  for (const char* garbage : {"x", "2", "-", "2-", "zz-00000000", "2-00000000", "ffffffffffffffffffff-00000000"}) {
    EXPECT_THAT(refused([&](auto& request) { request.set_page_token(garbage); }), bad_token) << garbage;
  }
  EXPECT_THAT(refused([&](auto& request) {
                request.set_page_token(token);
                request.set_filter("subject = a");
              }),
              bad_token)
      << "a token of another list";
}

TEST_P(JournalTest, APageOfLargeEventsEndsBeforeAClientCannotReadIt) {
  auto large = CustomEvent("large");
  (*large.mutable_custom()->mutable_data())["k"].set_string_value(std::string(900'000, 'x'));
  for (int i = 0; i < 5; ++i) bus().PublishDurable(large);

  bus::v1::ListEventsRequest request;
  std::vector<size_t> sizes;
  do {
    const auto page = ListEvents(request);
    ASSERT_TRUE(page.ok()) << page.status();
    sizes.push_back(static_cast<size_t>(page->events_size()));
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());

  EXPECT_THAT(sizes, ElementsAre(2, 2, 1));
}

// A list that finds nothing must not hold the bus, however long the journal is.
TEST_P(JournalTest, AListThatFindsNothingGivesEmptyPagesThatGoOn) {
  constexpr int kEvents = 45'000;
  PublishMany(kEvents, CustomEvent("x"));
  bus::v1::ListEventsRequest request;
  request.set_filter("subject = nothing");

  int pages = 0;
  do {
    const auto page = ListEvents(request);
    ASSERT_TRUE(page.ok()) << page.status();
    EXPECT_THAT(page->events(), IsEmpty());
    request.set_page_token(page->next_page_token());
    ++pages;
  } while (!request.page_token().empty());

  EXPECT_EQ(pages, 3);
}

TEST_P(JournalTest, BetweenAListAndTheWatchThatGoesOnThereIsNoGap) {
  std::atomic<bool> stop = false;
  std::thread publisher([&] {
    while (!stop) PublishMany(20, CustomEvent("x"));
  });
  WaitFor("some events", [&] { return Status().last_sequence() > 200; });

  std::vector<uint64_t> seen;
  bus::v1::ListEventsRequest request;
  request.set_page_size(50);
  uint64_t next = 0;
  for (int pages = 0; pages < 5; ++pages) {
    const auto page = ListEvents(request);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const uint64_t sequence : Sequences(*page)) seen.push_back(sequence);
    next = page->next_sequence();
    request.set_page_token(page->next_page_token());
    if (request.page_token().empty()) break;
  }
  bus::v1::WatchEventsRequest watch;
  watch.mutable_start_position()->set_sequence(next);
  watch.set_max_events(500);
  const auto [events, status] = Watch(watch);
  stop = true;
  publisher.join();

  EXPECT_TRUE(status.ok()) << status;
  for (const auto& event : events) seen.push_back(event.sequence());
  ASSERT_GE(seen.size(), 600u);
  for (size_t i = 0; i < seen.size(); ++i) ASSERT_EQ(seen[i], i + 1) << "BrokeNoGap";
}

TEST_P(JournalTest, AWatchBeginsAtATimeAndRefusesWhatMakesNoSense) {
  bus().PublishDurable(CustomEvent("old"));
  LetPass(milliseconds(20));
  const auto between = std::chrono::system_clock::now();
  LetPass(milliseconds(20));
  bus().PublishDurable(CustomEvent("new"));
  bus::v1::WatchEventsRequest request;
  *request.mutable_start_position()->mutable_time() = ProtoTime(between);
  request.set_max_events(1);

  const auto [events, status] = Watch(request);

  EXPECT_TRUE(status.ok()) << status;
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].custom().name(), "new");
  request.mutable_start_position()->set_resume(true);
  EXPECT_THAT(Watch(request).second, IsFieldError("start_position.resume"));
  request.mutable_start_position()->set_sequence(77);
  EXPECT_THAT(Watch(request).second, IsFieldError("start_position.sequence"));
  request.set_filter("(");
  EXPECT_THAT(Watch(request).second, IsError(StatusCode::kInvalidArgument, "FILTER_INVALID"));
}

TEST_P(JournalTest, ItsServicesAreHealthyByName) {
  for (const std::string name : {"pvebus.bus.v1.JournalService", "pvebus.bus.v1.DeadLetterService"}) {
    const std::string request = std::string("\x0a") + static_cast<char>(name.size()) + name;
    const auto health = CallBytes(*bus().channel(), "/grpc.health.v1.Health/Check", request);
    ASSERT_TRUE(health.ok()) << name << ": " << health.status();
    EXPECT_EQ(*health, std::string("\x08\x01")) << "SERVING";
  }
}

TEST_P(JournalTest, TheStatusTellsWhatTheJournalIs) {
  bus().PublishDurable(CustomEvent("x"));
  bus().PublishDurable(CustomEvent("y"));

  const auto status = Status();

  EXPECT_EQ(status.kind(), durable() ? bus::v1::JOURNAL_KIND_SQLITE : bus::v1::JOURNAL_KIND_MEMORY);
  EXPECT_EQ(status.durable(), durable());
  EXPECT_EQ(status.event_count(), 2u);
  EXPECT_GT(status.event_bytes(), 0u);
  EXPECT_EQ(status.max_event_bytes(), durable() ? 16ull << 30 : 128ull << 20);
  EXPECT_EQ(status.first_sequence(), 1u);
  EXPECT_EQ(status.last_sequence(), 2u);
  EXPECT_EQ(status.durable_sequence(), 2u);
  EXPECT_EQ(status.lost_deliveries(), 0u);
  EXPECT_TRUE(status.has_first_event_time());
  EXPECT_FALSE(status.read_only());
  EXPECT_THAT(status.problems(), IsEmpty());
  EXPECT_THAT(status.warnings(), SizeIs(durable() ? 0 : 1));
}

TEST_P(JournalTest, AVerificationReadsEverythingAndManyMayAskAtOnce) {
  PublishMany(2000, CustomEvent("x"));
  std::vector<std::thread> askers;
  for (int i = 0; i < 4; ++i) {
    askers.emplace_back([this] {
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
      const auto stream = bus().journal().VerifyJournal(&context, bus::v1::VerifyJournalRequest());
      bus::v1::VerifyJournalResponse last;
      while (stream->Read(&last)) EXPECT_THAT(last.problems(), IsEmpty());
      EXPECT_TRUE(stream->Finish().ok());
      EXPECT_TRUE(last.done());
      EXPECT_EQ(last.checked_events(), 2000u);
      EXPECT_EQ(last.total_events(), 2000u);
    });
  }
  for (auto& asker : askers) asker.join();
}

// Every answer that comes later finds its caller gone, at some point of its way.
TEST_P(JournalTest, CallersThatLeaveDisturbNobody) {
  LeaveDurably("away");
  const std::string root = bus().PublishDurable(CustomEvent("root"));
  PublishMany(2000, ChildOf(root, CustomEvent("x")));
  for (int round = 0; round < 60; ++round) {
    const auto deadline = std::chrono::microseconds(200 + round * 100);
    const auto leave = [&](const auto& call) {
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + deadline);
      call(&context);
    };
    leave([&](auto* context) {
      bus::v1::GetEventRequest request;
      request.set_event_id(root);
      bus::v1::GetEventResponse response;
      bus().journal().GetEvent(context, request, &response);
    });
    leave([&](auto* context) {
      bus::v1::ListEventsRequest request;
      request.set_filter("subject = nothing");
      bus::v1::ListEventsResponse response;
      bus().journal().ListEvents(context, request, &response);
    });
    leave([&](auto* context) {
      bus::v1::TraceEventRequest request;
      request.set_event_id(root);
      bus::v1::TraceEventResponse response;
      bus().journal().TraceEvent(context, request, &response);
    });
    leave([&](auto* context) {
      bus::v1::ReplayEventsRequest request;
      request.add_listeners("away");
      request.mutable_start_position()->set_earliest(true);
      request.set_validate_only(true);
      bus::v1::ReplayEventsResponse response;
      bus().journal().ReplayEvents(context, request, &response);
    });
    leave([&](auto* context) {
      bus::v1::SeekListenerRequest request;
      request.set_name("away");
      *request.mutable_position()->mutable_time() = ProtoTime(std::chrono::system_clock::now());
      request.set_validate_only(true);
      bus::v1::SeekListenerResponse response;
      bus().registry().SeekListener(context, request, &response);
    });
    leave([&](auto* context) {
      const auto stream = bus().journal().VerifyJournal(context, bus::v1::VerifyJournalRequest());
      bus::v1::VerifyJournalResponse response;
      stream->Read(&response);
      if (round % 2 == 0) context->TryCancel();
      while (stream->Read(&response)) {
      }
      stream->Finish();
    });
    leave([&](auto* context) {
      bus::v1::ListDeadLettersResponse response;
      dead_letters().ListDeadLetters(context, bus::v1::ListDeadLettersRequest(), &response);
    });
  }
  bus().ExpectAlive();
}

TEST_P(JournalTest, StreamsEndWhenTheBusLeaves) {
  PublishMany(100, CustomEvent("x"));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  bus::v1::WatchEventsRequest request;
  request.mutable_start_position()->set_earliest(true);
  const auto stream = bus().journal().WatchEvents(&context, request);
  bus::v1::WatchEventsResponse response;
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(stream->Read(&response));

  bus().process().Signal(SIGTERM);

  EXPECT_FALSE(stream->Read(&response));
  EXPECT_THAT(FromGrpcStatus(stream->Finish()), IsError(StatusCode::kUnavailable, "DRAINING"));
  EXPECT_EQ(bus().process().WaitExit(std::chrono::seconds(20)), 0);
}

}  // namespace
}  // namespace pvebus::testing
