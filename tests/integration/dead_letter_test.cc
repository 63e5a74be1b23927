// What was given up, and what becomes of it.
#include "absl/strings/str_format.h"
#include "tests/integration/journal_fixture.h"

namespace pvebus::testing {
namespace {

using absl::StatusCode;
using bus::v1::DeadLetter;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

class DeadLetterTest : public JournalFixture {
 protected:
  DeadLetterTest() { Start(); }

  // Rejects the next delivery for good and waits until the bus knows it.
  static void GiveUpNext(RawListener& listener, const std::string& reason = "BAD_DISK") {
    const auto delivery = listener.NextDelivery();
    listener.Reject(delivery.delivery_id(), RejectionOf(bus::v1::REJECT_MODE_DEAD_LETTER, 9, reason, "it will never work"), true);
    listener.NextConfirmation();
  }
  // So many events with subjects s1, s2, ... that the listener gives up.
  void GiveUp(RawListener& listener, int count, const std::string& reason = "BAD_DISK") {
    for (int i = 1; i <= count; ++i) {
      auto event = CustomEvent("x");
      event.set_subject(absl::StrFormat("s%d", i));
      (*event.mutable_custom()->mutable_data())["k"].set_string_value("v");
      bus().PublishDurable(event);
      GiveUpNext(listener, reason);
    }
  }

  absl::StatusOr<bus::v1::ListDeadLettersResponse> List(const std::string& filter = "", int page_size = 0,
                                                        const std::string& token = "") {
    bus::v1::ListDeadLettersRequest request;
    request.set_filter(filter);
    request.set_page_size(page_size);
    request.set_page_token(token);
    return Call(&DeadLetterStub::ListDeadLetters, dead_letters(), request);
  }
  std::vector<std::string> Subjects(const std::string& filter = "") {
    const auto page = List(filter);
    EXPECT_TRUE(page.ok()) << page.status();
    std::vector<std::string> subjects;
    if (page.ok()) {
      for (const DeadLetter& letter : page->dead_letters()) subjects.push_back(letter.event().subject());
    }
    return subjects;
  }
  absl::StatusOr<DeadLetter> Get(uint64_t id) {
    bus::v1::GetDeadLetterRequest request;
    request.set_dead_letter_id(id);
    const auto response = Call(&DeadLetterStub::GetDeadLetter, dead_letters(), request);
    if (!response.ok()) return response.status();
    return response->dead_letter();
  }
  static bus::v1::DeadLetterSelection Selected(const std::vector<uint64_t>& ids, const std::string& filter = "") {
    bus::v1::DeadLetterSelection selection;
    selection.mutable_dead_letter_ids()->Add(ids.begin(), ids.end());
    selection.set_filter(filter);
    return selection;
  }
  absl::StatusOr<bus::v1::RedriveDeadLettersResponse> Redrive(const bus::v1::DeadLetterSelection& selection,
                                                              bool validate_only = false) {
    bus::v1::RedriveDeadLettersRequest request;
    *request.mutable_selection() = selection;
    request.set_validate_only(validate_only);
    return Call(&DeadLetterStub::RedriveDeadLetters, dead_letters(), request);
  }
  absl::StatusOr<bus::v1::DiscardDeadLettersResponse> Discard(const bus::v1::DeadLetterSelection& selection,
                                                              const std::string& reason = "tidying up",
                                                              bool validate_only = false) {
    bus::v1::DiscardDeadLettersRequest request;
    *request.mutable_selection() = selection;
    request.set_reason(reason);
    request.set_validate_only(validate_only);
    return Call(&DeadLetterStub::DiscardDeadLetters, dead_letters(), request);
  }
  void WaitForLetters(const std::string& listener, uint64_t count) {
    WaitFor(absl::StrFormat("%d dead letters of %s", count, listener),
            [&] { return bus().GetListener(listener)->dead_letters() == count; });
  }
};

INSTANTIATE_TEST_SUITE_P(Journals, DeadLetterTest, ::testing::Values(Journal::kMemory, Journal::kSqlite), NameOfJournal);

TEST_P(DeadLetterTest, ADeadLetterIsWhole) {
  auto registration = QuickRetries(RegistrationOf("fussy"), 3);
  registration.set_instance_id("fussy@node1");
  auto listener = Listen(registration);
  auto event = CustomEvent("x");
  event.set_event_id("e1");
  (*event.mutable_custom()->mutable_data())["k"].set_string_value("v");
  bus().PublishDurable(event);
  for (int attempt = 1; attempt <= 3; ++attempt) {
    auto rejection = RejectionOf(bus::v1::REJECT_MODE_RETRY, 14, "DISK_BUSY", absl::StrFormat("attempt %d", attempt));
    auto& hook = *rejection.add_hook_results();
    hook.set_hook("mount");
    hook.set_state(bus::v1::HOOK_STATE_FAILED);
    listener->Reject(listener->NextDelivery().delivery_id(), rejection, true);
    listener->NextConfirmation();
  }
  WaitForLetters("fussy", 1);

  const auto check = [&] {
    const auto list = List();
    ASSERT_TRUE(list.ok()) << list.status();
    ASSERT_THAT(list->dead_letters(), SizeIs(1));
    EXPECT_THAT(list->next_page_token(), IsEmpty());
    const DeadLetter& brief = list->dead_letters(0);
    EXPECT_EQ(brief.event().event_id(), "e1");
    EXPECT_THAT(brief.event().custom().data(), IsEmpty()) << "without the bulk of its payload";
    EXPECT_THAT(brief.attempts(), IsEmpty());
    EXPECT_EQ(brief.attempt_count(), 3u);
    EXPECT_EQ(brief.error().reason(), "DISK_BUSY");
    const auto whole = Get(brief.dead_letter_id());
    ASSERT_TRUE(whole.ok()) << whole.status();
    EXPECT_EQ(whole->listener(), "fussy");
    EXPECT_EQ(whole->event().custom().data().at("k").string_value(), "v");
    EXPECT_EQ(whole->event().sequence(), 1u);
    EXPECT_TRUE(whole->has_dead_letter_time());
    EXPECT_EQ(whole->error().message(), "attempt 3");
    ASSERT_THAT(whole->attempts(), SizeIs(3));
    EXPECT_EQ(whole->attempts(0).error().message(), "attempt 1");
    EXPECT_EQ(whole->attempts(2).attempt(), 3u);
    EXPECT_EQ(whole->attempts(2).instance_id(), "fussy@node1");
    ASSERT_THAT(whole->hook_results(), SizeIs(1));
    EXPECT_EQ(whole->hook_results(0).hook(), "mount");
    EXPECT_THAT(whole->redrive_id(), IsEmpty());
  };
  check();
  if (!durable()) return;
  listener.reset();
  Restart(SIGKILL);
  check();
  EXPECT_EQ(bus().GetListener("fussy")->dead_letters(), 1u);
}

TEST_P(DeadLetterTest, AListGoesPageByPageAndFilters) {
  auto fussy = Listen("fussy");
  GiveUp(*fussy, 5);
  fussy->Drain();
  fussy.reset();
  auto other = Listen("other");
  bus::v1::PauseListenerRequest pause;
  pause.set_name("fussy");
  ASSERT_TRUE(Call(&bus::v1::RegistryService::Stub::PauseListener, bus().registry(), pause).ok());
  GiveUp(*other, 2, "NO_NAS");

  std::vector<size_t> sizes;
  std::vector<uint64_t> ids;
  std::string token;
  do {
    const auto page = List("", 3, token);
    ASSERT_TRUE(page.ok()) << page.status();
    sizes.push_back(static_cast<size_t>(page->dead_letters_size()));
    for (const DeadLetter& letter : page->dead_letters()) ids.push_back(letter.dead_letter_id());
    token = page->next_page_token();
  } while (!token.empty());

  EXPECT_THAT(sizes, ElementsAre(3, 3, 1));
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
  EXPECT_THAT(Subjects("listener = other"), ElementsAre("s1", "s2"));
  EXPECT_THAT(Subjects("reason = BAD_DISK AND subject = s4"), ElementsAre("s4"));
  EXPECT_THAT(Subjects("event_type = container_started"), IsEmpty());
  EXPECT_THAT(List("", -1).status(), IsFieldError("page_size"));
  EXPECT_THAT(List("", 1001).status(), IsFieldError("page_size"));
  EXPECT_THAT(List("color = red").status(), IsError(StatusCode::kInvalidArgument, "FILTER_INVALID"));
  EXPECT_THAT(List("", 0, "x").status(), IsError(StatusCode::kInvalidArgument, "PAGE_TOKEN_INVALID"));
  EXPECT_THAT(List("subject = s1", 1, List("", 1)->next_page_token()).status(),
              IsError(StatusCode::kInvalidArgument, "PAGE_TOKEN_INVALID"));
}

TEST_P(DeadLetterTest, OneIsRedrivenWithAttemptsCountedAnewAndIsNoDeadLetterAnyMore) {
  auto listener = Listen("fussy");
  GiveUp(*listener, 3);
  const uint64_t id = List("subject = s2")->dead_letters(0).dead_letter_id();

  const auto redriven = Redrive(Selected({id}));

  ASSERT_TRUE(redriven.ok()) << redriven.status();
  EXPECT_EQ(redriven->redriven_count(), 1u);
  EXPECT_THAT(redriven->redrive_id(), StartsWith("redrive-"));
  const auto delivery = listener->NextDelivery();
  EXPECT_EQ(delivery.event().subject(), "s2");
  EXPECT_EQ(delivery.attempt(), 1u);
  EXPECT_EQ(delivery.replay_id(), redriven->redrive_id());
  EXPECT_EQ(Get(id)->redrive_id(), redriven->redrive_id());
  listener->Ack(delivery.delivery_id(), true);
  listener->NextConfirmation();
  WaitForLetters("fussy", 2);
  EXPECT_THAT(Subjects(), ElementsAre("s1", "s3"));
  EXPECT_THAT(Get(id).status(), IsError(StatusCode::kNotFound, "DEAD_LETTER_NOT_FOUND"));
  EXPECT_EQ(RowOf(bus().Result(delivery.event().event_id()), "fussy").state(), bus::v1::DELIVERY_STATE_SUCCEEDED);
}

TEST_P(DeadLetterTest, ARedriveByFilterTakesThoseThatMatchAndAValidationTakesNone) {
  auto listener = Listen("fussy");
  GiveUp(*listener, 2, "BAD_DISK");
  GiveUp(*listener, 3, "NO_NAS");

  const auto counted = Redrive(Selected({}, "reason = NO_NAS"), true);
  ASSERT_TRUE(counted.ok()) << counted.status();
  EXPECT_EQ(counted->redriven_count(), 3u);
  EXPECT_THAT(counted->redrive_id(), IsEmpty());
  EXPECT_TRUE(listener->NoDeliveryWithin(milliseconds(200)));

  const auto redriven = Redrive(Selected({}, "reason = NO_NAS"));
  ASSERT_TRUE(redriven.ok()) << redriven.status();
  EXPECT_EQ(redriven->redriven_count(), 3u);
  for (int i = 0; i < 3; ++i) {
    const auto delivery = listener->NextDelivery();
    EXPECT_EQ(delivery.replay_id(), redriven->redrive_id());
    listener->Ack(delivery.delivery_id());
  }
  WaitForLetters("fussy", 2);
  EXPECT_TRUE(listener->NoDeliveryWithin(milliseconds(200))) << "the others stay where they are";
  const auto nothing = Redrive(Selected({}, "reason = NO_NAS"));
  ASSERT_TRUE(nothing.ok()) << nothing.status();
  EXPECT_EQ(nothing->redriven_count(), 0u);
  EXPECT_THAT(nothing->redrive_id(), IsEmpty());
}

TEST_P(DeadLetterTest, ARedriveWhileOneRunsIsRefusedUntilItHasEnded) {
  auto listener = Listen("fussy");
  GiveUp(*listener, 2);
  const uint64_t first = List()->dead_letters(0).dead_letter_id();
  const uint64_t second = List()->dead_letters(1).dead_letter_id();
  ASSERT_TRUE(Redrive(Selected({first})).ok());
  const auto held = listener->NextDelivery();

  EXPECT_THAT(Redrive(Selected({second})).status(), IsError(StatusCode::kFailedPrecondition, "REDRIVE_RUNNING"));
  EXPECT_THAT(Redrive(Selected({})).status(), IsError(StatusCode::kFailedPrecondition, "REDRIVE_RUNNING"));

  listener->Ack(held.delivery_id(), true);
  listener->NextConfirmation();
  const auto again = Redrive(Selected({}));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->redriven_count(), 1u);
  listener->Ack(listener->NextDelivery().delivery_id());
  WaitForLetters("fussy", 0);
}

TEST_P(DeadLetterTest, OneThatIsGivenUpAgainStaysWithItsOldAttemptsAndTheNew) {
  auto listener = Listen("fussy");
  GiveUp(*listener, 1, "BAD_DISK");
  const uint64_t id = List()->dead_letters(0).dead_letter_id();
  const auto redriven = Redrive(Selected({id}));
  ASSERT_TRUE(redriven.ok()) << redriven.status();

  GiveUpNext(*listener, "STILL_BAD");

  WaitFor("the redrive to have ended", [&] { return Get(id)->redrive_id().empty() && Get(id)->attempts_size() == 2; });
  const auto letter = Get(id);
  EXPECT_EQ(letter->attempt_count(), 2u);
  EXPECT_EQ(letter->error().reason(), "STILL_BAD");
  EXPECT_EQ(letter->attempts(0).error().reason(), "BAD_DISK");
  EXPECT_THAT(letter->attempts(0).replay_id(), IsEmpty());
  EXPECT_EQ(letter->attempts(1).replay_id(), redriven->redrive_id());
  EXPECT_EQ(bus().GetListener("fussy")->dead_letters(), 1u);
  EXPECT_TRUE(Redrive(Selected({id})).ok()) << "and may be tried again";
}

TEST_P(DeadLetterTest, DiscardingNeedsAReasonAndLeavesThoseThatAreBeingRedriven) {
  auto listener = Listen("fussy");
  GiveUp(*listener, 3);
  ASSERT_TRUE(Redrive(Selected({}, "subject = s2")).ok());
  const auto held = listener->NextDelivery();

  EXPECT_THAT(Discard(Selected({}), "").status(), IsFieldError("reason"));
  EXPECT_THAT(Discard(Selected({}), std::string(1025, 'x')).status(), IsFieldError("reason"));
  EXPECT_EQ(Discard(Selected({}), "tidying up", true)->discarded_count(), 2u);
  EXPECT_THAT(Subjects(), ElementsAre("s1", "s2", "s3"));
  EXPECT_EQ(Discard(Selected({}, "subject = s1"))->discarded_count(), 1u);
  EXPECT_THAT(Subjects(), ElementsAre("s2", "s3"));
  EXPECT_EQ(Discard(Selected({}))->discarded_count(), 1u);
  EXPECT_THAT(Subjects(), ElementsAre("s2"));

  listener->Ack(held.delivery_id());
  WaitForLetters("fussy", 0);
  EXPECT_THAT(Subjects(), IsEmpty());
}

TEST_P(DeadLetterTest, ABadSelectionIsRefusedWithTheFieldAndItsRule) {
  auto listener = Listen("fussy");
  GiveUp(*listener, 1);
  const uint64_t id = List()->dead_letters(0).dead_letter_id();
  const auto refused = [&](const bus::v1::DeadLetterSelection& selection) { return Redrive(selection).status(); };

  EXPECT_THAT(Call(&DeadLetterStub::RedriveDeadLetters, dead_letters(), {}).status(), IsFieldError("selection"));
  EXPECT_THAT(Call(&DeadLetterStub::DiscardDeadLetters, dead_letters(), {}).status(), IsFieldError("selection"));
  EXPECT_THAT(refused(Selected({0})), IsFieldError("selection.dead_letter_ids"));
  EXPECT_THAT(refused(Selected(std::vector<uint64_t>(1001, id))), IsFieldError("selection.dead_letter_ids"));
  EXPECT_THAT(refused(Selected({id, id + 1})), IsError(StatusCode::kNotFound, "DEAD_LETTER_NOT_FOUND"));
  EXPECT_THAT(refused(Selected({UINT64_MAX})), IsError(StatusCode::kNotFound, "DEAD_LETTER_NOT_FOUND"));
  EXPECT_THAT(refused(Selected({}, "(")), IsError(StatusCode::kInvalidArgument, "FILTER_INVALID"));
  EXPECT_THAT(Get(0).status(), IsFieldError("dead_letter_id"));
  EXPECT_THAT(Get(99).status(), IsError(StatusCode::kNotFound, "DEAD_LETTER_NOT_FOUND"));
  EXPECT_TRUE(listener->NoDeliveryWithin(milliseconds(200))) << "nothing of a bad redrive happens";
  EXPECT_THAT(Subjects(), ElementsAre("s1"));
}

TEST_P(DeadLetterTest, AListenerWithDeadLettersIsNotDeletedByMistake) {
  auto listener = Listen("fussy");
  GiveUp(*listener, 2);
  listener->Drain();
  listener.reset();
  WaitFor("the listener to have left", [&] { return bus().HasState("fussy", bus::v1::LISTENER_STATE_DISCONNECTED); });
  bus::v1::DeleteListenerRequest request;
  request.set_name("fussy");
  const auto remove = [&] { return Call(&bus::v1::RegistryService::Stub::DeleteListener, bus().registry(), request); };

  EXPECT_THAT(remove().status(), IsError(StatusCode::kFailedPrecondition, "LISTENER_NOT_EMPTY"));
  request.set_force(true);
  const auto removed = remove();
  ASSERT_TRUE(removed.ok()) << removed.status();
  EXPECT_EQ(removed->dropped_count(), 2u);
  EXPECT_THAT(Subjects(), IsEmpty());
}

TEST_P(DeadLetterTest, ARedriveSurvivesTheBus) {
  if (!durable()) GTEST_SKIP() << "a journal in memory does not survive";
  std::string redrive_id;
  {
    auto listener = Listen("fussy");
    GiveUp(*listener, 3);
    bus::v1::PauseListenerRequest pause;
    pause.set_name("fussy");
    ASSERT_TRUE(Call(&bus::v1::RegistryService::Stub::PauseListener, bus().registry(), pause).ok());
    const auto redriven = Redrive(Selected({}));
    ASSERT_TRUE(redriven.ok()) << redriven.status();
    redrive_id = redriven->redrive_id();
  }

  Restart(SIGKILL);

  EXPECT_THAT(Subjects(), ElementsAre("s1", "s2", "s3"));
  EXPECT_THAT(Redrive(Selected({})).status(), IsError(StatusCode::kFailedPrecondition, "REDRIVE_RUNNING"));
  bus::v1::ResumeListenerRequest resume;
  resume.set_name("fussy");
  ASSERT_TRUE(Call(&bus::v1::RegistryService::Stub::ResumeListener, bus().registry(), resume).ok());
  auto listener = Listen("fussy");
  for (int i = 0; i < 3; ++i) {
    const auto delivery = listener->NextDelivery();
    EXPECT_EQ(delivery.replay_id(), redrive_id);
    listener->Ack(delivery.delivery_id(), true);
    listener->NextConfirmation();
  }
  WaitForLetters("fussy", 0);
  Restart(SIGKILL);
  EXPECT_THAT(Subjects(), IsEmpty());
}

TEST_P(DeadLetterTest, ADeadLetterOutlivesTheJournalsCopyOfTheEvent) {
  bus().process().Signal(SIGTERM);
  bus().process().WaitExit(std::chrono::seconds(20));
  Start({"--retention-count", "10"});
  auto listener = Listen("fussy");
  GiveUp(*listener, 1);
  listener->Drain();
  listener.reset();
  bus::v1::SeekListenerRequest seek;
  seek.set_name("fussy");
  seek.mutable_position()->set_latest(true);
  WaitFor("the event to be forgotten", [&] {
    PublishMany(500, CustomEvent("x"));
    Call(&bus::v1::RegistryService::Stub::SeekListener, bus().registry(), seek).IgnoreError();
    return Status().first_sequence() > 1;
  });

  const auto letter = Get(List()->dead_letters(0).dead_letter_id());

  ASSERT_TRUE(letter.ok()) << letter.status();
  EXPECT_EQ(letter->event().custom().data().at("k").string_value(), "v");
  ASSERT_TRUE(Redrive(Selected({})).ok());
  auto again = Listen("fussy");
  const auto delivery = again->NextDelivery();
  EXPECT_EQ(delivery.event().subject(), "s1");
  EXPECT_THAT(delivery.replay_id(), StartsWith("redrive-"));
}

}  // namespace
}  // namespace pvebus::testing
