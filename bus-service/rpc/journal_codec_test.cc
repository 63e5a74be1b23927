#include "bus-service/rpc/journal_codec.h"

#include "bus-service/core/limits.h"
#include "bus-service/rpc/event_codec.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"

namespace pvebus::bus {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;

EventPtr MakeEvent(event::v1::SystemEvent proto) {
  proto.set_event_id("e1");
  auto event = DecodeEvent(proto, Limits());
  EXPECT_TRUE(event.ok()) << event.status();
  (*event)->sequence = 7;
  return *event;
}

EventPtr MakeCustom() {
  event::v1::SystemEvent proto;
  proto.set_subject("s");
  proto.mutable_custom()->set_name("x");
  (*proto.mutable_custom()->mutable_data())["k"].set_string_value("v");
  return MakeEvent(proto);
}

v1::ReplayEventsRequest GoodReplay() {
  v1::ReplayEventsRequest request;
  request.add_listeners("one");
  request.mutable_start_position()->set_sequence(5);
  return request;
}

std::string FieldOf(const absl::Status& status) { return ErrorMetadata(status)["field"]; }

TEST(JournalCodecTest, ABriefEventHasEverythingButItsPayloadsBulk) {
  const auto custom = EncodeEventBriefly(*MakeCustom());
  EXPECT_EQ(custom.custom().name(), "x");
  EXPECT_EQ(custom.custom().data_size(), 0);
  EXPECT_EQ(custom.subject(), "s");
  EXPECT_EQ(custom.sequence(), 7u);

  event::v1::SystemEvent proto;
  auto& change = *proto.mutable_network_applied()->add_changes();
  change.set_change_type(event::v1::CHANGE_TYPE_CREATE);
  change.set_target("vmbr1");
  const auto network = EncodeEventBriefly(*MakeEvent(proto));
  EXPECT_TRUE(network.has_network_applied()) << "what kind of event it is stays";
  EXPECT_EQ(network.network_applied().changes_size(), 0);

  event::v1::SystemEvent started;
  started.mutable_container_started()->set_id(101);
  EXPECT_EQ(EncodeEventBriefly(*MakeEvent(started)).container_started().id(), 101u);
}

TEST(JournalCodecTest, ADeadLetterIsWholeOrBrief) {
  v1::ListenerResult hooks;
  hooks.add_hook_results()->set_hook("mount");
  DeadLetter letter;
  letter.id = 3;
  letter.listener_name = "fussy";
  letter.time = SystemTime(seconds(1'700'000'000));
  letter.event = MakeCustom();
  letter.delivery.attempt = 2;
  letter.delivery.error = ListenerError{9, "BAD_DISK", "no", {{"disk", "sda"}}, false};
  letter.delivery.hook_results = hooks.SerializeAsString();
  letter.delivery.attempts = {{1, SystemTime(seconds(1)), "i1", {14, "DISK_BUSY", "later", {}, true}, ""},
                              {2, SystemTime(seconds(2)), "i2", {9, "BAD_DISK", "no", {}, false}, "replay-1"}};

  v1::DeadLetter whole, brief;
  EncodeDeadLetter(letter, "redrive-1", true, whole);
  EncodeDeadLetter(letter, "", false, brief);

  EXPECT_EQ(whole.dead_letter_id(), 3u);
  EXPECT_EQ(whole.listener(), "fussy");
  EXPECT_EQ(whole.event().custom().data().at("k").string_value(), "v");
  EXPECT_EQ(whole.dead_letter_time().seconds(), 1'700'000'000);
  EXPECT_EQ(whole.error().metadata().at("disk"), "sda");
  EXPECT_EQ(whole.attempt_count(), 2u);
  EXPECT_EQ(whole.redrive_id(), "redrive-1");
  ASSERT_EQ(whole.attempts_size(), 2);
  EXPECT_EQ(whole.attempts(0).listener(), "fussy");
  EXPECT_EQ(whole.attempts(1).replay_id(), "replay-1");
  EXPECT_EQ(whole.attempts(1).end_time().seconds(), 2);
  ASSERT_EQ(whole.hook_results_size(), 1);
  EXPECT_EQ(whole.hook_results(0).hook(), "mount");
  EXPECT_EQ(brief.attempts_size() + brief.hook_results_size() + brief.event().custom().data_size(), 0);
  EXPECT_EQ(brief.error().reason(), "BAD_DISK");
}

TEST(JournalCodecTest, AReplayIsDecodedWithEverythingItAsksFor) {
  auto request = GoodReplay();
  request.add_listeners("two");
  request.set_end_sequence(9);
  request.set_filter("subject = s");
  request.add_event_types(event::v1::EVENT_TYPE_CUSTOM);
  request.set_dry_run(true);
  request.set_validate_only(true);

  const auto command = DecodeReplay(request);

  ASSERT_TRUE(command.ok()) << command.status();
  EXPECT_THAT(command->listeners, ElementsAre("one", "two"));
  EXPECT_EQ(command->from.sequence, 5u);
  EXPECT_EQ(command->until, 9u);
  EXPECT_EQ(command->event_types, 1u << event::v1::EVENT_TYPE_CUSTOM);
  EXPECT_TRUE(command->filter.Matches(*MakeCustom()));
  EXPECT_TRUE(command->dry_run);
  EXPECT_TRUE(command->validate_only);
}

TEST(JournalCodecTest, ABadReplayNamesItsField) {
  const auto field = [](const auto& set) {
    auto request = GoodReplay();
    set(request);
    return FieldOf(DecodeReplay(request).status());
  };

  EXPECT_EQ(field([](auto& request) { request.clear_listeners(); }), "listeners");
  EXPECT_EQ(field([](auto& request) { request.add_listeners("one"); }), "listeners");
  EXPECT_EQ(field([](auto& request) { request.add_listeners("../etc"); }), "listeners");
  EXPECT_EQ(field([](auto& request) { request.clear_start_position(); }), "start_position");
  EXPECT_EQ(field([](auto& request) { request.mutable_start_position()->set_latest(true); }), "start_position");
  EXPECT_EQ(field([](auto& request) { request.mutable_start_position()->set_earliest(false); }), "start_position.earliest");
  EXPECT_EQ(field([](auto& request) { request.mutable_start_position()->mutable_time()->set_seconds(-1); }),
            "start_position.time");
  EXPECT_EQ(field([](auto& request) { request.set_end_sequence(4); }), "end_sequence");
  EXPECT_EQ(field([](auto& request) { request.add_event_types(event::v1::EVENT_TYPE_UNSPECIFIED); }), "event_types");
}

TEST(JournalCodecTest, ASelectionIsSortedAndWithoutRepetition) {
  v1::DeadLetterSelection proto;
  for (const uint64_t id : {5, 2, 5, 9}) proto.add_dead_letter_ids(id);

  const auto selection = DecodeSelection(true, proto);

  ASSERT_TRUE(selection.ok()) << selection.status();
  EXPECT_THAT(selection->ids, ElementsAre(2, 5, 9));
  EXPECT_TRUE(DecodeSelection(true, {}).ok()) << "an empty one means all";
  EXPECT_EQ(FieldOf(DecodeSelection(false, {}).status()), "selection");
  proto.add_dead_letter_ids(0);
  EXPECT_EQ(FieldOf(DecodeSelection(true, proto).status()), "selection.dead_letter_ids");
}

}  // namespace
}  // namespace pvebus::bus
