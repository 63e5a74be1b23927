#include "bus-service/rpc/event_codec.h"

#include <functional>

#include "gtest/gtest.h"
#include "sdk/base/error.h"

namespace pvebus::bus {
namespace {

using event::v1::SystemEvent;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

SystemEvent CustomEvent() {
  SystemEvent event;
  event.mutable_custom()->set_name("x");
  return event;
}

// "" or "REASON field".
std::string Refused(const std::function<void(SystemEvent&)>& change, SystemEvent event = CustomEvent()) {
  change(event);
  const auto decoded = DecodeEvent(event, Limits());
  if (decoded.ok()) return "";
  EXPECT_EQ(decoded.status().code(), absl::StatusCode::kInvalidArgument);
  return ErrorReason(decoded.status()) + " " + ErrorMetadata(decoded.status())["field"];
}

std::string RefusedRequest(const std::function<void(v1::PublishRequest&)>& change) {
  v1::PublishRequest request;
  *request.mutable_event() = CustomEvent();
  change(request);
  const auto decoded = DecodePublish(request, Limits(), hours(1));
  return decoded.ok() ? "" : ErrorReason(decoded.status()) + " " + ErrorMetadata(decoded.status())["field"];
}

std::shared_ptr<Event> Decode(SystemEvent event) {
  auto decoded = DecodeEvent(event, Limits());
  EXPECT_TRUE(decoded.ok()) << decoded.status();
  return decoded.ok() ? *decoded : nullptr;
}

TEST(EventCodecTest, AnEventSurvivesWithEverythingThePublisherSaid) {
  SystemEvent event;
  event.set_event_id("id-1");
  event.set_source("src");
  event.set_subject("sub");
  event.set_ordering_key("key");
  (*event.mutable_attributes())["rack"] = "7";
  event.set_trace_parent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  event.mutable_causation()->set_parent_event_id("parent");
  event.mutable_expire_time()->set_seconds(2'000'000'000);
  (*event.mutable_custom()->mutable_data())["n"].set_number_value(1.5);
  event.mutable_custom()->set_name("x");

  auto decoded = Decode(event);
  ASSERT_TRUE(decoded);
  decoded->sequence = 42;
  decoded->hop_count = 3;
  decoded->publish_time = SystemTime(seconds(1'700'000'000)) + std::chrono::nanoseconds(5);
  const SystemEvent encoded = EncodeEvent(*decoded);

  SystemEvent expected = event;
  expected.set_sequence(42);
  expected.mutable_causation()->set_hop_count(3);
  expected.mutable_publish_time()->set_seconds(1'700'000'000);
  expected.mutable_publish_time()->set_nanos(5);
  EXPECT_EQ(encoded.DebugString(), expected.DebugString());
  EXPECT_EQ(decoded->event_id, "id-1");
  EXPECT_EQ(decoded->attributes.at("rack"), "7");
  EXPECT_EQ(decoded->parent_event_id, "parent");
  EXPECT_EQ(decoded->expire_time, SystemTime(seconds(2'000'000'000)));
}

TEST(EventCodecTest, WhatTheBusFillsInIsNotTakenFromThePublisher) {
  SystemEvent event = CustomEvent();
  event.set_sequence(99);
  event.mutable_publish_time()->set_seconds(5);
  event.mutable_causation()->set_hop_count(7);

  const auto decoded = Decode(event);
  const SystemEvent encoded = EncodeEvent(*decoded);

  EXPECT_EQ(encoded.sequence(), 0u);
  EXPECT_FALSE(encoded.has_causation());
  EXPECT_EQ(decoded->body, Decode(CustomEvent())->body) << "so it is no other event either";
}

TEST(EventCodecTest, FieldsThatThisBusDoesNotKnowReachTheListener) {
  SystemEvent event = CustomEvent();
  event.GetReflection()->MutableUnknownFields(&event)->AddLengthDelimited(1000, "from the future");
  auto* inner = event.mutable_custom();
  inner->GetReflection()->MutableUnknownFields(inner)->AddVarint(77, 5);

  const SystemEvent encoded = EncodeEvent(*Decode(event));

  const auto& unknown = encoded.GetReflection()->GetUnknownFields(encoded);
  ASSERT_EQ(unknown.field_count(), 1);
  EXPECT_EQ(unknown.field(0).length_delimited(), "from the future");
  const auto& inner_unknown = encoded.custom().GetReflection()->GetUnknownFields(encoded.custom());
  ASSERT_EQ(inner_unknown.field_count(), 1);
  EXPECT_EQ(inner_unknown.field(0).varint(), 5u);
}

TEST(EventCodecTest, TheSameEventHasTheSameBodyHoweverItsMapsAreOrdered) {
  SystemEvent forward = CustomEvent(), backward = CustomEvent();
  for (int i = 0; i < 30; ++i) {
    (*forward.mutable_attributes())["k" + std::to_string(i)] = "v";
    (*backward.mutable_attributes())["k" + std::to_string(29 - i)] = "v";
    (*forward.mutable_custom()->mutable_data())["k" + std::to_string(i)].set_bool_value(true);
    (*backward.mutable_custom()->mutable_data())["k" + std::to_string(29 - i)].set_bool_value(true);
  }
  EXPECT_EQ(Decode(forward)->body, Decode(backward)->body);
  backward.set_subject("other");
  EXPECT_NE(Decode(forward)->body, Decode(backward)->body);
}

TEST(EventCodecTest, TheEventIdIsNoPartOfTheBody) {
  SystemEvent named = CustomEvent();
  named.set_event_id("a");
  EXPECT_EQ(Decode(named)->body, Decode(CustomEvent())->body);
}

TEST(EventCodecTest, HopCountsAreWrittenWhateverTheyAre) {
  auto decoded = Decode(CustomEvent());
  for (const uint32_t hops : {1u, 8u, 127u, 128u, 300u}) {
    decoded->hop_count = hops;
    EXPECT_EQ(EncodeEvent(*decoded).causation().hop_count(), hops);
  }
}

TEST(EventCodecTest, TheOrderingKeyFollowsFromThePayload) {
  SystemEvent event;
  auto* change = event.mutable_network_applied()->add_changes();
  change->set_change_type(event::v1::CHANGE_TYPE_CREATE);
  change->set_target("vmbr0");
  EXPECT_EQ(Decode(event)->ordering_key, "network");
  EXPECT_EQ(Decode(event)->type, EventType::kNetworkApplied);
  event.mutable_container_started()->set_id(101);
  EXPECT_EQ(Decode(event)->ordering_key, "container/101");
  event.mutable_storage_vlan_created()->set_id("nas");
  EXPECT_EQ(Decode(event)->ordering_key, "storage/nas");
  event.mutable_migration_phase_changed()->set_phase(event::v1::MIGRATION_PHASE_RUST_SDN);
  EXPECT_EQ(Decode(event)->ordering_key, "migration");
  event.mutable_custom()->set_name("backup");
  EXPECT_EQ(Decode(event)->ordering_key, "custom/backup");
  EXPECT_EQ(EncodeEvent(*Decode(event)).ordering_key(), "custom/backup") << "listeners see it";
  event.set_ordering_key("mine");
  EXPECT_EQ(Decode(event)->ordering_key, "mine");
}

TEST(EventCodecTest, AnEventWithoutAPayloadIsRefused) {
  EXPECT_EQ(Refused([](auto& e) { e.clear_payload(); }), "PAYLOAD_MISSING event.payload");
  EXPECT_EQ(RefusedRequest([](auto& r) { r.clear_event(); }), "PAYLOAD_MISSING event.payload");
}

TEST(EventCodecTest, EveryLimitOfAnEventIsCheckedAtItsEdge) {
  const auto string = [](size_t size) { return std::string(size, 'x'); };
  EXPECT_EQ(Refused([&](auto& e) { e.set_event_id(string(128)); }), "");
  EXPECT_EQ(Refused([&](auto& e) { e.set_event_id(string(129)); }), "ID_INVALID event.event_id");
  EXPECT_EQ(Refused([&](auto& e) { e.set_event_id("Az09._:-"); }), "");
  EXPECT_EQ(Refused([&](auto& e) { e.set_event_id("a/b"); }), "ID_INVALID event.event_id");
  EXPECT_EQ(Refused([&](auto& e) { e.set_event_id("a b"); }), "ID_INVALID event.event_id");
  EXPECT_EQ(Refused([&](auto& e) { e.set_source(string(256)); }), "");
  EXPECT_EQ(Refused([&](auto& e) { e.set_source(string(257)); }), "FIELD_INVALID event.source");
  EXPECT_EQ(Refused([&](auto& e) { e.set_subject(string(256)); }), "");
  EXPECT_EQ(Refused([&](auto& e) { e.set_subject(string(257)); }), "FIELD_INVALID event.subject");
  EXPECT_EQ(Refused([&](auto& e) { e.set_ordering_key(string(256)); }), "");
  EXPECT_EQ(Refused([&](auto& e) { e.set_ordering_key(string(257)); }), "FIELD_INVALID event.ordering_key");
  EXPECT_EQ(Refused([&](auto& e) { e.set_trace_parent(string(128)); }), "");
  EXPECT_EQ(Refused([&](auto& e) { e.set_trace_parent(string(129)); }), "FIELD_INVALID event.trace_parent");
  EXPECT_EQ(Refused([&](auto& e) { e.mutable_causation()->set_parent_event_id("a b"); }),
            "ID_INVALID event.causation.parent_event_id");
  EXPECT_EQ(Refused([&](auto& e) { e.mutable_expire_time()->set_seconds(-1); }), "FIELD_INVALID event.expire_time");
}

TEST(EventCodecTest, EveryLimitOfTheAttributesIsCheckedAtItsEdge) {
  const auto attribute = [](size_t key, size_t value) {
    return [=](SystemEvent& e) { (*e.mutable_attributes())[std::string(key, 'k')] = std::string(value, 'v'); };
  };
  EXPECT_EQ(Refused(attribute(1, 0)), "");
  EXPECT_EQ(Refused(attribute(128, 1024)), "");
  EXPECT_EQ(Refused(attribute(0, 1)), "FIELD_INVALID event.attributes");
  EXPECT_EQ(Refused(attribute(129, 1)), "FIELD_INVALID event.attributes");
  EXPECT_EQ(Refused(attribute(1, 1025)), "FIELD_INVALID event.attributes[\"k\"]");
  const auto pairs = [](int count) {
    return [=](SystemEvent& e) {
      for (int i = 0; i < count; ++i) (*e.mutable_attributes())["k" + std::to_string(i)] = "v";
    };
  };
  EXPECT_EQ(Refused(pairs(64)), "");
  EXPECT_EQ(Refused(pairs(65)), "FIELD_INVALID event.attributes");
}

TEST(EventCodecTest, EveryLimitOfNetworkAppliedIsChecked) {
  const auto with = [](const std::function<void(event::v1::ConfigChange&)>& change) {
    return Refused([&](SystemEvent& e) {
      auto& good = *e.mutable_network_applied()->add_changes();
      good.set_change_type(event::v1::CHANGE_TYPE_MODIFY);
      good.set_target("vmbr0");
      auto& second = *e.mutable_network_applied()->add_changes();
      second = good;
      change(second);
    });
  };
  EXPECT_EQ(with([](auto&) {}), "");
  EXPECT_EQ(with([](auto& c) { c.clear_change_type(); }), "FIELD_INVALID event.network_applied.changes[1].change_type");
  EXPECT_EQ(with([](auto& c) { c.set_change_type(static_cast<event::v1::ChangeType>(99)); }),
            "FIELD_INVALID event.network_applied.changes[1].change_type");
  EXPECT_EQ(with([](auto& c) { c.clear_target(); }), "FIELD_INVALID event.network_applied.changes[1].target");
  EXPECT_EQ(with([](auto& c) { c.set_target(std::string(64, 'x')); }), "");
  EXPECT_EQ(with([](auto& c) { c.set_target(std::string(65, 'x')); }), "FIELD_INVALID event.network_applied.changes[1].target");
  EXPECT_EQ(with([](auto& c) { c.set_description(std::string(1024, 'x')); }), "");
  EXPECT_EQ(with([](auto& c) { c.set_description(std::string(1025, 'x')); }),
            "FIELD_INVALID event.network_applied.changes[1].description");
  EXPECT_EQ(Refused([](auto& e) { e.mutable_network_applied(); }), "FIELD_INVALID event.network_applied.changes");
  const auto changes = [](int count) {
    return [=](SystemEvent& e) {
      for (int i = 0; i < count; ++i) {
        auto& change = *e.mutable_network_applied()->add_changes();
        change.set_change_type(event::v1::CHANGE_TYPE_CREATE);
        change.set_target("x");
      }
    };
  };
  EXPECT_EQ(Refused(changes(10'000)), "");
  EXPECT_EQ(Refused(changes(10'001)), "FIELD_INVALID event.network_applied.changes");
}

TEST(EventCodecTest, EveryLimitOfTheOtherPayloadsIsChecked) {
  const auto container = [](uint32_t id) { return Refused([id](SystemEvent& e) { e.mutable_container_started()->set_id(id); }); };
  EXPECT_EQ(container(99), "ID_INVALID event.container_started.id");
  EXPECT_EQ(container(100), "");
  EXPECT_EQ(container(999'999'999), "");
  EXPECT_EQ(container(1'000'000'000), "ID_INVALID event.container_started.id");

  const auto storage = [](const std::string& id) {
    return Refused([&](SystemEvent& e) { e.mutable_storage_vlan_created()->set_id(id); });
  };
  for (const std::string& good : {std::string("ab"), std::string("nas-1"), std::string("a_.-z"), "a" + std::string(99, 'b')}) {
    EXPECT_EQ(storage(good), "") << good;
  }
  for (const std::string& bad : {std::string(), std::string("a"), std::string("1a"), std::string("a-"), std::string("a b"),
                                 std::string("ä-a"), "a" + std::string(100, 'b')}) {
    EXPECT_EQ(storage(bad), "ID_INVALID event.storage_vlan_created.id") << bad;
  }

  const auto phase = [](int value) {
    return Refused(
        [&](SystemEvent& e) { e.mutable_migration_phase_changed()->set_phase(static_cast<event::v1::MigrationPhase>(value)); });
  };
  EXPECT_EQ(phase(0), "FIELD_INVALID event.migration_phase_changed.phase");
  EXPECT_EQ(phase(1), "");
  EXPECT_EQ(phase(6), "");
  EXPECT_EQ(phase(7), "FIELD_INVALID event.migration_phase_changed.phase");

  const auto custom = [](const std::string& name) {
    return Refused([&](SystemEvent& e) { e.mutable_custom()->set_name(name); });
  };
  EXPECT_EQ(custom("Az09._-"), "");
  EXPECT_EQ(custom(std::string(128, 'x')), "");
  EXPECT_EQ(custom(std::string(129, 'x')), "NAME_INVALID event.custom.name");
  EXPECT_EQ(custom(""), "NAME_INVALID event.custom.name");
  EXPECT_EQ(custom("a b"), "NAME_INVALID event.custom.name");
  const auto entries = [](int count) {
    return Refused([&](SystemEvent& e) {
      for (int i = 0; i < count; ++i) (*e.mutable_custom()->mutable_data())["k" + std::to_string(i)].set_bool_value(true);
    });
  };
  EXPECT_EQ(entries(1000), "");
  EXPECT_EQ(entries(1001), "FIELD_INVALID event.custom.data");
}

TEST(EventCodecTest, AnEventMayHaveOneMebibyteAndNotAByteMore) {
  SystemEvent event = CustomEvent();
  auto& value = (*event.mutable_custom()->mutable_data())["k"];
  value.set_string_value(std::string(1 << 20, 'x'));
  const size_t over = event.ByteSizeLong() - (1 << 20);
  value.set_string_value(std::string((1 << 20) - over, 'x'));
  ASSERT_EQ(event.ByteSizeLong(), size_t{1} << 20);
  SystemEvent larger = event;
  larger.set_subject("x");

  EXPECT_EQ(Refused([](auto&) {}, event), "");
  const auto refused = DecodeEvent(larger, Limits());
  EXPECT_EQ(ErrorReason(refused.status()), "EVENT_TOO_LARGE");
  EXPECT_EQ(ErrorMetadata(refused.status()).at("limit"), "1048576");
}

TEST(EventCodecTest, EveryLimitOfAPublishRequestIsChecked) {
  EXPECT_EQ(RefusedRequest([](auto& r) { r.set_request_id(std::string(128, 'x')); }), "");
  EXPECT_EQ(RefusedRequest([](auto& r) { r.set_request_id(std::string(129, 'x')); }), "ID_INVALID request_id");
  EXPECT_EQ(RefusedRequest([](auto& r) { r.set_request_id("Az09._:/-"); }), "");
  EXPECT_EQ(RefusedRequest([](auto& r) { r.set_request_id("a b"); }), "ID_INVALID request_id");
  EXPECT_EQ(RefusedRequest([](auto& r) { r.set_wait_policy(static_cast<v1::WaitPolicy>(9)); }), "FIELD_INVALID wait_policy");
  EXPECT_EQ(RefusedRequest([](auto& r) { r.mutable_wait_timeout()->set_seconds(-1); }), "FIELD_INVALID wait_timeout");
  const auto required = [](int count) {
    return RefusedRequest([&](auto& r) {
      for (int i = 0; i < count; ++i) r.add_required_listeners("a");
    });
  };
  EXPECT_EQ(required(100), "");
  EXPECT_EQ(required(101), "FIELD_INVALID required_listeners");
}

TEST(EventCodecTest, AnUnsetWaitPolicyIsFirstAttemptAndAnUnsetExpectationIsNone) {
  v1::PublishRequest request;
  *request.mutable_event() = CustomEvent();
  auto plain = DecodePublish(request, Limits(), hours(1));
  *request.mutable_event() = CustomEvent();
  request.set_expected_last_sequence(0);
  request.set_wait_policy(v1::WAIT_POLICY_SETTLED);
  auto expecting = DecodePublish(request, Limits(), hours(1));

  EXPECT_EQ(plain->wait_policy, WaitPolicy::kFirstAttempt);
  EXPECT_FALSE(plain->expected_last_sequence);
  EXPECT_EQ(expecting->wait_policy, WaitPolicy::kSettled);
  EXPECT_EQ(expecting->expected_last_sequence, Sequence{0});
}

TEST(EventCodecTest, TheWaitIsTheLeastOfWhatIsAskedThirtySecondsAndWhatTheCallerHasLeft) {
  const auto wait = [](std::optional<int64_t> asked_seconds, Duration left) {
    google::protobuf::Duration asked;
    asked.set_seconds(asked_seconds.value_or(0));
    return *DecodeWait(asked_seconds ? &asked : nullptr, left);
  };
  EXPECT_EQ(wait(std::nullopt, hours(1)), seconds(10));
  EXPECT_EQ(wait(3, hours(1)), seconds(3));
  EXPECT_EQ(wait(0, hours(1)), seconds(0));
  EXPECT_EQ(wait(31, hours(1)), seconds(30));
  EXPECT_EQ(wait(std::nullopt, seconds(5)), seconds(5) - milliseconds(200));
  EXPECT_EQ(wait(2, milliseconds(100)), seconds(0));
  EXPECT_EQ(wait(2, seconds(-5)), seconds(0));
}

}  // namespace
}  // namespace pvebus::bus
