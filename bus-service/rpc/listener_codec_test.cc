#include "bus-service/rpc/listener_codec.h"

#include <functional>

#include "gtest/gtest.h"
#include "pvebus/bus/v1/bus_service.pb.h"
#include "sdk/base/error.h"

namespace pvebus::bus {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

v1::Registration Good() {
  v1::Registration registration;
  registration.set_listener("a");
  return registration;
}

// "" or "REASON field".
std::string Refused(const std::function<void(v1::Registration&)>& change) {
  v1::Registration registration = Good();
  change(registration);
  const auto decoded = DecodeRegistration(registration);
  if (decoded.ok()) return "";
  EXPECT_EQ(decoded.status().code(), absl::StatusCode::kInvalidArgument);
  return ErrorReason(decoded.status()) + " " + ErrorMetadata(decoded.status())["field"];
}

void Set(google::protobuf::Duration* duration, Duration value) {
  duration->set_seconds(value.count() / 1'000'000'000);
  duration->set_nanos(static_cast<int32_t>(value.count() % 1'000'000'000));
}

absl::StatusOr<std::vector<Settlement>> DecodeOne(const std::function<void(v1::Settlement&)>& change) {
  v1::Settlements settlements;
  change(*settlements.add_settlements());
  return DecodeSettlements(settlements);
}

std::string RefusedSettlement(const std::function<void(v1::Settlement&)>& change) {
  const auto decoded = DecodeOne(change);
  return decoded.ok() ? "" : ErrorReason(decoded.status()) + " " + ErrorMetadata(decoded.status())["field"];
}

std::string RefusedHook(const std::function<void(v1::HookResult&)>& change) {
  return RefusedSettlement([&](v1::Settlement& s) {
    v1::HookResult& hook = *s.mutable_acknowledgement()->add_hook_results();
    hook.set_hook("hook");
    hook.set_state(v1::HOOK_STATE_CHANGED);
    change(hook);
  });
}

v1::HookResult KeptHook(const std::function<void(v1::HookResult&)>& change) {
  const auto decoded = DecodeOne([&](v1::Settlement& s) {
    v1::HookResult& hook = *s.mutable_acknowledgement()->add_hook_results();
    hook.set_hook("hook");
    hook.set_state(v1::HOOK_STATE_CHANGED);
    change(hook);
  });
  v1::ListenerResult row;
  EXPECT_TRUE(decoded.ok() && row.ParseFromString(decoded->at(0).hook_results));
  return row.hook_results(0);
}

// Registration.

TEST(ListenerCodecTest, EveryDefaultOfARegistrationIsFilledIn) {
  const auto decoded = DecodeRegistration(Good());

  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->listener, "a");
  EXPECT_EQ(decoded->event_types, 0u);
  EXPECT_EQ(decoded->max_in_flight, 64u);
  EXPECT_EQ(decoded->lease, seconds(15));
  EXPECT_EQ(decoded->conflict_policy, ConflictPolicy::kUnspecified);
  EXPECT_EQ(decoded->start_position.kind, StartPosition::Kind::kUnset);
  EXPECT_FALSE(decoded->ephemeral);
  EXPECT_EQ(decoded->delivery_policy.ack_deadline, seconds(30));
  EXPECT_EQ(decoded->delivery_policy.max_ack_extension, minutes(10));
  EXPECT_EQ(decoded->delivery_policy.max_attempts, 10u);
  EXPECT_EQ(decoded->delivery_policy.minimum_backoff, seconds(1));
  EXPECT_EQ(decoded->delivery_policy.maximum_backoff, seconds(60));
  EXPECT_EQ(decoded->delivery_policy.backoff_multiplier, 2.0);
}

TEST(ListenerCodecTest, AZeroInThePolicyIsItsDefault) {
  v1::Registration registration = Good();
  auto& policy = *registration.mutable_delivery_policy();
  for (auto* duration : {policy.mutable_ack_deadline(), policy.mutable_max_ack_extension(), policy.mutable_minimum_backoff(),
                         policy.mutable_maximum_backoff(), registration.mutable_lease_duration()}) {
    Set(duration, Duration(0));
  }
  const auto decoded = DecodeRegistration(registration);

  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->delivery_policy.ack_deadline, seconds(30));
  EXPECT_EQ(decoded->delivery_policy.maximum_backoff, seconds(60));
  EXPECT_EQ(decoded->lease, seconds(15));
}

TEST(ListenerCodecTest, AMinimumBackoffAboveTheDefaultMaximumRaisesIt) {
  for (const bool zero_maximum : {false, true}) {
    v1::Registration registration = Good();
    Set(registration.mutable_delivery_policy()->mutable_minimum_backoff(), minutes(5));
    if (zero_maximum) registration.mutable_delivery_policy()->mutable_maximum_backoff();
    const auto decoded = DecodeRegistration(registration);
    ASSERT_TRUE(decoded.ok()) << "zero is absent: " << zero_maximum << decoded.status();
    EXPECT_EQ(decoded->delivery_policy.maximum_backoff, minutes(5));
  }
}

TEST(ListenerCodecTest, EveryLimitOfARegistrationIsCheckedAtItsEdge) {
  const auto string = [](size_t size) { return std::string(size, 'x'); };
  EXPECT_EQ(Refused([](auto& r) { r.set_listener("A"); }), "NAME_INVALID registration.listener");
  EXPECT_EQ(Refused([](auto& r) { r.clear_listener(); }), "NAME_INVALID registration.listener");
  EXPECT_EQ(Refused([&](auto& r) { r.set_listener(string(63)); }), "");
  EXPECT_EQ(Refused([&](auto& r) { r.set_listener(string(64)); }), "NAME_INVALID registration.listener");
  EXPECT_EQ(Refused([&](auto& r) { r.set_instance_id(string(128)); }), "");
  EXPECT_EQ(Refused([&](auto& r) { r.set_instance_id(string(129)); }), "FIELD_INVALID registration.instance_id");
  EXPECT_EQ(Refused([&](auto& r) { r.set_node(string(128)); }), "");
  EXPECT_EQ(Refused([&](auto& r) { r.set_node(string(129)); }), "FIELD_INVALID registration.node");
  EXPECT_EQ(Refused([](auto& r) { r.set_conflict_policy(static_cast<v1::ConflictPolicy>(9)); }),
            "FIELD_INVALID registration.conflict_policy");
  EXPECT_EQ(Refused([](auto& r) { r.add_event_types(event::v1::EVENT_TYPE_UNSPECIFIED); }), "FIELD_INVALID event_types");
  EXPECT_EQ(Refused([](auto& r) { r.add_event_types(static_cast<event::v1::EventType>(6)); }), "FIELD_INVALID event_types");
  EXPECT_EQ(Refused([](auto& r) { r.add_event_types(static_cast<event::v1::EventType>(-1)); }), "FIELD_INVALID event_types");
  EXPECT_EQ(Refused([](auto& r) { r.add_event_types(event::v1::EVENT_TYPE_CUSTOM); }), "");
  EXPECT_EQ(Refused([](auto& r) { r.set_filter("colour = red"); }), "FILTER_INVALID filter");
  EXPECT_EQ(Refused([&](auto& r) { r.set_filter("source = " + string(2048)); }), "FILTER_INVALID filter");
  EXPECT_EQ(Refused([](auto& r) { r.set_max_in_flight(10'000); }), "");
  EXPECT_EQ(Refused([](auto& r) { r.set_max_in_flight(10'001); }), "FIELD_INVALID registration.max_in_flight");
  EXPECT_EQ(Refused([](auto& r) { Set(r.mutable_lease_duration(), milliseconds(200)); }), "");
  EXPECT_EQ(Refused([](auto& r) { Set(r.mutable_lease_duration(), milliseconds(199)); }),
            "FIELD_INVALID registration.lease_duration");
  EXPECT_EQ(Refused([](auto& r) { Set(r.mutable_lease_duration(), hours(1)); }), "");
  EXPECT_EQ(Refused([](auto& r) { Set(r.mutable_lease_duration(), hours(1) + milliseconds(1)); }),
            "FIELD_INVALID registration.lease_duration");
  EXPECT_EQ(Refused([](auto& r) { r.mutable_lease_duration()->set_seconds(-1); }), "FIELD_INVALID registration.lease_duration");
}

TEST(ListenerCodecTest, EveryLimitOfTheLabelsIsCheckedAtItsEdge) {
  const auto labels = [](int count, size_t value) {
    return Refused([&](auto& r) {
      for (int i = 0; i < count; ++i) (*r.mutable_labels())[std::string(1, static_cast<char>('A' + i))] = std::string(value, 'v');
    });
  };
  EXPECT_EQ(labels(32, 10), "");
  EXPECT_EQ(labels(33, 10), "FIELD_INVALID registration.labels");
  EXPECT_EQ(labels(1, 4095), "");
  EXPECT_EQ(labels(1, 4096), "FIELD_INVALID registration.labels");
  EXPECT_EQ(labels(32, 127), "");
  EXPECT_EQ(labels(32, 128), "FIELD_INVALID registration.labels");
}

TEST(ListenerCodecTest, EveryLimitOfThePolicyIsCheckedAndNamed) {
  const auto policy = [](const std::function<void(v1::DeliveryPolicy&)>& change) {
    return Refused([&](auto& r) { change(*r.mutable_delivery_policy()); });
  };
  EXPECT_EQ(policy([](auto& p) { Set(p.mutable_ack_deadline(), milliseconds(9)); }),
            "FIELD_INVALID delivery_policy.ack_deadline");
  EXPECT_EQ(policy([](auto& p) { Set(p.mutable_max_ack_extension(), hours(25)); }),
            "FIELD_INVALID delivery_policy.max_ack_extension");
  EXPECT_EQ(policy([](auto& p) { p.set_max_attempts(1001); }), "FIELD_INVALID delivery_policy.max_attempts");
  EXPECT_EQ(policy([](auto& p) { Set(p.mutable_minimum_backoff(), hours(2)); }), "FIELD_INVALID delivery_policy.minimum_backoff");
  EXPECT_EQ(policy([](auto& p) { Set(p.mutable_maximum_backoff(), milliseconds(5)); }),
            "FIELD_INVALID delivery_policy.maximum_backoff");
  EXPECT_EQ(policy([](auto& p) { p.set_backoff_multiplier(0.5); }), "FIELD_INVALID delivery_policy.backoff_multiplier");
  EXPECT_EQ(policy([](auto& p) { p.set_backoff_multiplier(std::numeric_limits<double>::quiet_NaN()); }),
            "FIELD_INVALID delivery_policy.backoff_multiplier");
  EXPECT_EQ(policy([](auto& p) { p.mutable_ack_deadline()->set_nanos(-1); }), "FIELD_INVALID delivery_policy.ack_deadline");
}

TEST(ListenerCodecTest, StartPositionsAreTakenAndAFalseOneIsRefused) {
  using Kind = StartPosition::Kind;
  const auto kind = [](const std::function<void(v1::StartPosition&)>& change) {
    v1::StartPosition position;
    change(position);
    const auto decoded = DecodeStartPosition("f", position);
    return decoded.ok() ? static_cast<int>(decoded->kind) : -1;
  };
  EXPECT_EQ(kind([](auto&) {}), static_cast<int>(Kind::kUnset));
  EXPECT_EQ(kind([](auto& p) { p.set_sequence(7); }), static_cast<int>(Kind::kSequence));
  EXPECT_EQ(kind([](auto& p) { p.mutable_time()->set_seconds(7); }), static_cast<int>(Kind::kTime));
  EXPECT_EQ(kind([](auto& p) { p.set_earliest(true); }), static_cast<int>(Kind::kEarliest));
  EXPECT_EQ(kind([](auto& p) { p.set_latest(true); }), static_cast<int>(Kind::kLatest));
  EXPECT_EQ(kind([](auto& p) { p.set_resume(true); }), static_cast<int>(Kind::kResume));
  EXPECT_EQ(kind([](auto& p) { p.set_earliest(false); }), -1);
  EXPECT_EQ(kind([](auto& p) { p.set_latest(false); }), -1);
  EXPECT_EQ(kind([](auto& p) { p.set_resume(false); }), -1);
  EXPECT_EQ(kind([](auto& p) { p.mutable_time()->set_seconds(-7); }), -1);
}

// Settlements.

TEST(ListenerCodecTest, EveryOutcomeOfASettlementIsTaken) {
  using Outcome = Settlement::Outcome;
  const auto outcome_of = [](v1::RejectMode mode) {
    const auto decoded = DecodeOne([&](auto& s) { s.mutable_rejection()->set_mode(mode); });
    return decoded.ok() ? decoded->at(0).outcome : Outcome::kAcknowledge;
  };
  EXPECT_EQ(DecodeOne([](auto& s) { s.mutable_acknowledgement(); })->at(0).outcome, Outcome::kAcknowledge);
  EXPECT_EQ(outcome_of(v1::REJECT_MODE_UNSPECIFIED), Outcome::kRetry);
  EXPECT_EQ(outcome_of(v1::REJECT_MODE_RETRY), Outcome::kRetry);
  EXPECT_EQ(outcome_of(v1::REJECT_MODE_RELEASE), Outcome::kRelease);
  EXPECT_EQ(outcome_of(v1::REJECT_MODE_DEAD_LETTER), Outcome::kDeadLetter);
  EXPECT_EQ(outcome_of(v1::REJECT_MODE_SKIP), Outcome::kSkip);
  EXPECT_EQ(RefusedSettlement([](auto& s) { s.mutable_rejection()->set_mode(static_cast<v1::RejectMode>(9)); }),
            "FIELD_INVALID rejection.mode");
  EXPECT_EQ(RefusedSettlement([](auto&) {}), "FIELD_INVALID settlements.outcome");
}

TEST(ListenerCodecTest, AMessageHasBetweenOneAndTenThousandSettlements) {
  v1::Settlements settlements;
  EXPECT_EQ(ErrorMetadata(DecodeSettlements(settlements).status())["field"], "settlements");
  for (int i = 0; i < 10'000; ++i) settlements.add_settlements()->mutable_acknowledgement();
  EXPECT_TRUE(DecodeSettlements(settlements).ok());
  settlements.add_settlements()->mutable_acknowledgement();
  EXPECT_EQ(ErrorReason(DecodeSettlements(settlements).status()), "FIELD_INVALID");
}

TEST(ListenerCodecTest, WhatIsMerelyHandedBackIsNoRejection) {
  const Settlement settlement = DecodeOne([](auto& s) { s.mutable_rejection()->set_mode(v1::REJECT_MODE_RELEASE); })->at(0);
  EXPECT_EQ(settlement.error.code, 14);
  EXPECT_EQ(settlement.error.reason, "RELEASED");
  EXPECT_EQ(settlement.error.message, "the listener handed the event back");
}

TEST(ListenerCodecTest, ARejectionWithoutAnErrorIsUnknownRejected) {
  const Settlement settlement = DecodeOne([](auto& s) { s.mutable_rejection(); })->at(0);
  EXPECT_EQ(settlement.error.code, 2);
  EXPECT_EQ(settlement.error.reason, "REJECTED");
  EXPECT_TRUE(settlement.error.retryable);
  EXPECT_FALSE(settlement.retry_delay);
}

TEST(ListenerCodecTest, AnErrorKeepsACodeOfGoogleRpc) {
  const auto code = [](int given) {
    return DecodeOne([&](auto& s) { s.mutable_rejection()->mutable_error()->set_code(given); })->at(0).error.code;
  };
  EXPECT_EQ(code(1), 1);
  EXPECT_EQ(code(16), 16);
  EXPECT_EQ(code(0), 2);
  EXPECT_EQ(code(17), 2) << "no program knows what 17 is";
  EXPECT_EQ(code(-5), 2);
}

TEST(ListenerCodecTest, WhatIsTooLongInAnErrorIsCutAtACharacter) {
  const Settlement settlement = DecodeOne([](auto& s) {
                                  auto& error = *s.mutable_rejection()->mutable_error();
                                  error.set_reason(std::string(64, 'R'));
                                  error.set_message(std::string(4095, 'm') + "ä");
                                  for (int i = 0; i < 40; ++i) (*error.mutable_metadata())["k" + std::to_string(i)] = "v";
                                })->at(0);
  EXPECT_EQ(settlement.error.reason.size(), 63u);
  EXPECT_EQ(settlement.error.message, std::string(4095, 'm'));
  EXPECT_EQ(settlement.error.metadata.size(), 32u);
  const Settlement large = DecodeOne([](auto& s) {
                             for (int i = 0; i < 8; ++i) {
                               (*s.mutable_rejection()->mutable_error()->mutable_metadata())["k" + std::to_string(i)] =
                                   std::string(1000, 'v');
                             }
                           })->at(0);
  EXPECT_EQ(large.error.metadata.size(), 4u);
}

TEST(ListenerCodecTest, ARetryDelayLiesBetweenNothingAndADay) {
  const auto delay = [](Duration value) {
    return [value](v1::Settlement& s) { Set(s.mutable_rejection()->mutable_retry_delay(), value); };
  };
  EXPECT_EQ(DecodeOne(delay(hours(24)))->at(0).retry_delay, Duration(hours(24)));
  EXPECT_EQ(DecodeOne(delay(Duration(0)))->at(0).retry_delay, Duration(0));
  EXPECT_EQ(RefusedSettlement(delay(hours(24) + Duration(1))), "FIELD_INVALID rejection.retry_delay");
  EXPECT_EQ(RefusedSettlement([](auto& s) { s.mutable_rejection()->mutable_retry_delay()->set_seconds(-1); }),
            "FIELD_INVALID rejection.retry_delay");
}

TEST(ListenerCodecTest, HookResultsTravelOpaquelyAndWithoutWhatIsTooLong) {
  const v1::HookResult kept = KeptHook([](auto& h) {
    h.set_resource(std::string(257, 'r'));
    h.set_before(std::string(4097, 'b'));
    h.set_after(std::string(4097, 'a'));
    h.set_message(std::string(4095, 'm') + "ä");
    h.set_exit_code(0);
    h.set_output("ä" + std::string(4095, 'o'));
    h.mutable_duration()->set_nanos(5);
    h.GetReflection()->MutableUnknownFields(&h)->AddVarint(99, 1);
  });
  EXPECT_EQ(kept.hook(), "hook");
  EXPECT_EQ(kept.state(), v1::HOOK_STATE_CHANGED);
  EXPECT_EQ(kept.resource().size(), 256u);
  EXPECT_EQ(kept.before().size(), 4096u);
  EXPECT_EQ(kept.after().size(), 4096u);
  EXPECT_EQ(kept.message().size(), 4095u);
  EXPECT_TRUE(kept.has_exit_code());
  EXPECT_EQ(kept.output(), std::string(4095, 'o')) << "the last of it stays";
  EXPECT_EQ(kept.duration().nanos(), 5);
  EXPECT_EQ(kept.GetReflection()->GetUnknownFields(kept).field_count(), 0);
}

TEST(ListenerCodecTest, ExitCodeOfAHookResultIsThereOrNot) {
  EXPECT_FALSE(KeptHook([](auto&) {}).has_exit_code());
  EXPECT_EQ(KeptHook([](auto& h) { h.set_exit_code(137); }).exit_code(), 137);
}

TEST(ListenerCodecTest, AHookResultThatNobodyCouldReadIsRefused) {
  EXPECT_EQ(RefusedHook([](auto&) {}), "");
  EXPECT_EQ(RefusedHook([](auto& h) { h.clear_hook(); }), "NAME_INVALID hook_results.hook");
  EXPECT_EQ(RefusedHook([](auto& h) { h.set_hook(std::string(64, 'h')); }), "NAME_INVALID hook_results.hook");
  EXPECT_EQ(RefusedHook([](auto& h) { h.clear_state(); }), "FIELD_INVALID hook_results.state");
  EXPECT_EQ(RefusedHook([](auto& h) { h.set_state(static_cast<v1::HookState>(99)); }), "FIELD_INVALID hook_results.state");
  EXPECT_EQ(RefusedHook([](auto& h) { h.mutable_duration()->set_seconds(-1); }), "FIELD_INVALID hook_results.duration")
      << "else the publisher's JSON cannot be written";
  EXPECT_EQ(RefusedHook([](auto& h) { h.mutable_duration()->set_nanos(2'000'000'000); }), "FIELD_INVALID hook_results.duration");
}

TEST(ListenerCodecTest, ASettlementHasAtMost256HookResults) {
  const auto hooks = [](int count) {
    return RefusedSettlement([&](auto& s) {
      for (int i = 0; i < count; ++i) {
        auto& hook = *s.mutable_rejection()->add_hook_results();
        hook.set_hook("hook");
        hook.set_state(v1::HOOK_STATE_FAILED);
      }
    });
  };
  EXPECT_EQ(hooks(256), "");
  EXPECT_EQ(hooks(257), "FIELD_INVALID hook_results");
}

TEST(ListenerCodecTest, AnExtensionWithoutATimeLeavesItToThePolicy) {
  v1::Extension extension;
  extension.set_delivery_id(7);
  extension.set_progress(std::string(1025, 'p'));
  EXPECT_EQ(DecodeExtension(extension)->delivery_id, 7u);
  EXPECT_FALSE(DecodeExtension(extension)->ack_deadline);
  EXPECT_EQ(DecodeExtension(extension)->progress.size(), 1024u);
  extension.mutable_ack_deadline();
  EXPECT_FALSE(DecodeExtension(extension)->ack_deadline);
  extension.mutable_ack_deadline()->set_seconds(3);
  EXPECT_EQ(DecodeExtension(extension)->ack_deadline, Duration(seconds(3)));
  extension.mutable_ack_deadline()->set_seconds(-3);
  EXPECT_EQ(ErrorMetadata(DecodeExtension(extension).status())["field"], "extension.ack_deadline");
}

}  // namespace
}  // namespace pvebus::bus
