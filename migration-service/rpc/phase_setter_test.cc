#include "migration-service/rpc/phase_setter.h"

#include <future>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "migration-service/rpc/phase_event.h"
#include "migration-service/rpc/testing_migration_parts.h"
#include "sdk/base/error.h"

namespace pvebus::migration {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

class PhaseSetterTest : public testing::Test {
 protected:
  absl::StatusOr<SetPhaseResult> Set(const SetPhaseOrder& order) { return parts_.setter.Set(order); }
  // The code and the reason.
  static std::string Refusal(const absl::StatusOr<SetPhaseResult>& result) {
    return absl::StrFormat("%s %s", absl::StatusCodeToString(result.status().code()), ErrorReason(result.status()));
  }
  std::vector<bus::v1::PublishRequest> Published() { return parts_.bus.published(); }

  MigrationTestParts parts_;
};

TEST_F(PhaseSetterTest, PhaseChangesWhenTheEventHasComeBack) {
  const auto result = Set({.phase = Phase::kRustReadOnly, .reason = "first step", .requested_by = "ipv4:127.0.0.1:4711"});

  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(parts_.phase(), Phase::kRustReadOnly);
  ASSERT_TRUE(result->change.has_value());
  EXPECT_EQ(result->change->from, Phase::kPerlOnly);
  EXPECT_EQ(result->change->to, Phase::kRustReadOnly);
  EXPECT_EQ(result->change->reason, "first step");
  EXPECT_EQ(result->change->requested_by, "ipv4:127.0.0.1:4711");
  EXPECT_FALSE(result->change->forced);
  EXPECT_FALSE(result->dry_run);
  ASSERT_TRUE(result->result.has_value());
  EXPECT_EQ(result->result->listener_results(0).state(), bus::v1::DELIVERY_STATE_SUCCEEDED);
}

TEST_F(PhaseSetterTest, EventSaysWhereItStartedAndTheHooksAreRequired) {
  ASSERT_TRUE(Set({.phase = Phase::kRustReadOnly}).ok());

  ASSERT_THAT(Published(), SizeIs(1));
  const bus::v1::PublishRequest request = Published()[0];
  EXPECT_EQ(request.event().attributes().at("phase_from"), "perl-only");
  EXPECT_THAT(request.event().event_id(), StartsWith("set-phase:"));
  EXPECT_EQ(request.request_id(), request.event().event_id());
  EXPECT_THAT(request.required_listeners(), ElementsAre("migration-hooks"));
}

TEST_F(PhaseSetterTest, PhaseInForcePublishesNothing) {
  const auto result = Set({.phase = Phase::kPerlOnly});

  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->change, std::nullopt);
  EXPECT_FALSE(result->dry_run);
  EXPECT_FALSE(result->result.has_value());
  EXPECT_THAT(Published(), IsEmpty());
}

TEST_F(PhaseSetterTest, OnlyCheckingPublishesNothing) {
  const auto result = Set({.phase = Phase::kRustReadOnly, .validate_only = true});

  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->dry_run);
  EXPECT_EQ(Refusal(Set({.phase = Phase::kRustSdn, .validate_only = true})), "FAILED_PRECONDITION PHASE_JUMP");
  EXPECT_THAT(Published(), IsEmpty());
  EXPECT_EQ(parts_.phase(), Phase::kPerlOnly);
}

TEST_F(PhaseSetterTest, JumpIsRefusedBeforeItIsPublished) {
  EXPECT_EQ(Refusal(Set({.phase = Phase::kRustBasicWrite})), "FAILED_PRECONDITION PHASE_JUMP");

  EXPECT_THAT(Published(), IsEmpty());
}

TEST_F(PhaseSetterTest, ForceNeedsAReasonWhereTheRulesWouldRefuse) {
  EXPECT_EQ(Refusal(Set({.phase = Phase::kRustFull, .force = true})), "INVALID_ARGUMENT REASON_MISSING");

  const auto result = Set({.phase = Phase::kRustFull, .force = true, .reason = "a new node"});

  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->change->forced);
  EXPECT_EQ(parts_.phase(), Phase::kRustFull);
}

TEST_F(PhaseSetterTest, BackwardGoesToAnyPhaseAtOnce) {
  parts_.Enter(Phase::kRustFull, "e1");

  ASSERT_TRUE(Set({.phase = Phase::kPerlOnly}).ok());

  EXPECT_EQ(parts_.phase(), Phase::kPerlOnly);
  EXPECT_FALSE(parts_.state->status().last_change->forced);
}

TEST_F(PhaseSetterTest, EtagOfAnEarlierPhaseIsRefused) {
  const std::string etag = parts_.state->status().etag();
  ASSERT_TRUE(Set({.phase = Phase::kRustReadOnly, .etag = etag}).ok());

  const auto result = Set({.phase = Phase::kRustBasicWrite, .etag = etag});

  EXPECT_EQ(Refusal(result), "ABORTED ETAG_MISMATCH");
  EXPECT_EQ(ErrorMetadata(result.status()).at("etag"), parts_.state->status().etag());
  EXPECT_EQ(parts_.phase(), Phase::kRustReadOnly);
  EXPECT_EQ(Refusal(Set({.phase = Phase::kRustReadOnly, .etag = etag})), "ABORTED ETAG_MISMATCH")
      << "also when nothing would change";
}

TEST_F(PhaseSetterTest, RequestThatIsRepeatedIsDoneOnce) {
  const auto first = Set({.phase = Phase::kRustReadOnly, .request_id = "mine"});
  ASSERT_TRUE(Set({.phase = Phase::kPerlOnly}).ok());

  const auto again = Set({.phase = Phase::kRustReadOnly, .request_id = "mine"});

  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->change, first->change);
  EXPECT_EQ(parts_.phase(), Phase::kPerlOnly);
  EXPECT_THAT(Published(), SizeIs(2));
}

TEST_F(PhaseSetterTest, RequestThatAskedForAnotherPhaseIsNoRepetition) {
  ASSERT_TRUE(Set({.phase = Phase::kRustReadOnly, .request_id = "mine"}).ok());

  EXPECT_EQ(Refusal(Set({.phase = Phase::kPerlOnly, .request_id = "mine"})), "ALREADY_EXISTS REQUEST_ID_CONFLICT");

  EXPECT_EQ(parts_.phase(), Phase::kRustReadOnly);
}

TEST_F(PhaseSetterTest, TextsThatAreTooLongAreRefused) {
  EXPECT_EQ(Refusal(Set({.phase = Phase::kRustReadOnly, .reason = std::string(1025, 'r')})), "INVALID_ARGUMENT FIELD_TOO_LONG");
  EXPECT_EQ(Refusal(Set({.phase = Phase::kRustReadOnly, .request_id = std::string(257, 'r')})),
            "INVALID_ARGUMENT FIELD_TOO_LONG");
  EXPECT_TRUE(Set({.phase = Phase::kRustReadOnly, .reason = std::string(1024, 'r'), .request_id = std::string(256, 'r')}).ok());
}

TEST_F(PhaseSetterTest, SomebodyElseWasFasterSoNothingHappens) {
  parts_.bus.BeforeHooks([this] { parts_.Enter(Phase::kRustBasicWrite, "theirs"); });

  EXPECT_EQ(Refusal(Set({.phase = Phase::kRustReadOnly})), "ABORTED PHASE_CHANGED");

  EXPECT_EQ(parts_.phase(), Phase::kRustBasicWrite);
}

TEST_F(PhaseSetterTest, SomebodyElseMadeItThatPhaseJustBefore) {
  parts_.bus.BeforeHooks([this] { parts_.Enter(Phase::kRustReadOnly, "theirs"); });

  const auto result = Set({.phase = Phase::kRustReadOnly});

  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->change, std::nullopt);
  EXPECT_TRUE(result->result.has_value());
}

TEST_F(PhaseSetterTest, TwoAtOnceAreOneAfterTheOtherAndOneOfThemWins) {
  const std::string etag = parts_.state->status().etag();
  const SetPhaseOrder order{.phase = Phase::kRustReadOnly, .etag = etag};

  auto other = std::async(std::launch::async, [&] { return Set(order); });
  const auto mine = Set(order);
  const auto theirs = other.get();

  EXPECT_NE(mine.ok(), theirs.ok());
  EXPECT_EQ(Refusal(mine.ok() ? theirs : mine), "ABORTED ETAG_MISMATCH");
  EXPECT_THAT(Published(), SizeIs(1));
}

TEST_F(PhaseSetterTest, EventThatHasNotComeBackIsPending) {
  parts_.bus.Keep(bus::v1::DELIVERY_STATE_OFFLINE);

  const auto result = Set({.phase = Phase::kRustReadOnly});

  EXPECT_EQ(Refusal(result), "UNKNOWN PHASE_PENDING");
  EXPECT_EQ(ErrorMetadata(result.status()).at("event_id"), Published().at(0).event().event_id());
  EXPECT_EQ(parts_.phase(), Phase::kPerlOnly);
}

TEST_F(PhaseSetterTest, EventThatTheDiskRefusedIsPending) {
  parts_.bus.BeforeHooks([this] { parts_.store.FailNext(absl::ResourceExhaustedError("no room")); });

  EXPECT_EQ(Refusal(Set({.phase = Phase::kRustReadOnly})), "UNKNOWN PHASE_PENDING");
}

TEST_F(PhaseSetterTest, BusThatRefusesIsSaid) {
  parts_.bus.Refuse({grpc::StatusCode::FAILED_PRECONDITION, "journal is full"});

  const auto result = Set({.phase = Phase::kRustReadOnly});

  EXPECT_EQ(result.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(parts_.phase(), Phase::kPerlOnly);
}

TEST_F(PhaseSetterTest, BusThatDoesNotSayInTimeMayHaveTheEvent) {
  parts_.bus.Refuse({grpc::StatusCode::DEADLINE_EXCEEDED, ""});

  EXPECT_EQ(Refusal(Set({.phase = Phase::kRustReadOnly})), "UNKNOWN PHASE_PENDING");
}

TEST_F(PhaseSetterTest, StoreThatCannotBeReadIsSaid) {
  parts_.store.FailNextRead(absl::DataLossError("migration.db is damaged"));

  EXPECT_EQ(Set({.phase = Phase::kRustReadOnly, .request_id = "mine"}).status().code(), absl::StatusCode::kDataLoss);
}

TEST(PhaseSetterGateTest, ClosedGatesAreRefusedAndForceGoesThrough) {
  MigrationTestParts parts({.min_transactions = 2, .quiet_listeners = {"storage-hooks"}});
  parts.registry.Set("storage-hooks", 0);

  const auto refused = parts.setter.Set({.phase = Phase::kRustReadOnly});

  EXPECT_EQ(ErrorReason(refused.status()), "GATES_CLOSED");
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("0 of 2 network transactions"));
  EXPECT_THAT(parts.bus.published(), IsEmpty());
  const auto forced = parts.setter.Set({.phase = Phase::kRustReadOnly, .force = true, .reason = "a lab"});
  ASSERT_TRUE(forced.ok()) << forced.status();
  EXPECT_THAT(forced->gates, IsEmpty());
}

TEST(PhaseSetterGateTest, GatesThatCloseWhileTheEventIsUnderWayRefuseIt) {
  MigrationTestParts parts({.quiet_listeners = {"storage-hooks"}});
  parts.registry.Set("storage-hooks", 0);
  parts.bus.BeforeHooks([&] { parts.registry.Set("storage-hooks", 1); });

  const auto result = parts.setter.Set({.phase = Phase::kRustReadOnly});

  EXPECT_EQ(result.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ErrorReason(result.status()), "GATES_CLOSED");
  EXPECT_EQ(parts.phase(), Phase::kPerlOnly);
}

TEST(PhaseSetterGateTest, OpenGatesAreShown) {
  MigrationTestParts parts({.min_transactions = 1});
  ASSERT_TRUE(parts.state->CountTransaction("t1").ok());

  const auto result = parts.setter.Set({.phase = Phase::kRustReadOnly});

  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_THAT(result->gates, SizeIs(1));
  EXPECT_TRUE(result->gates[0].open);
}

}  // namespace
}  // namespace pvebus::migration
