#include "network-service/rpc/network_messages.h"

#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "network-service/rpc/testing_records.h"
#include "sdk/client/proto_time.h"

namespace pvebus::network {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr char kBridge[] = "auto vmbr0\niface vmbr0 inet manual\n\tbridge-ports none\n";
constexpr size_t kClientsTake = size_t{4} << 20;

const SystemTime kBegin{seconds(1'700'000'000)};

v1::Apply Short(const ApplyRecord& record) { return ToProto(record, std::nullopt, {}, Detail::kShort); }
v1::Apply All(const ApplyRecord& record) { return ToProto(record, std::nullopt, {}, Detail::kAll); }

// What a listener with hooks that write much answered.
std::string LargeResult(int listeners, size_t output_bytes) {
  bus::v1::PublishResult result;
  result.set_event_id("e1");
  result.set_outcome(bus::v1::PUBLISH_OUTCOME_SUCCEEDED);
  for (int i = 0; i < listeners; ++i) {
    bus::v1::ListenerResult& row = *result.add_listener_results();
    row.set_listener(absl::StrFormat("listener-%d", i));
    row.add_hook_results()->set_output(std::string(output_bytes, 'x'));
  }
  return result.SerializeAsString();
}

TEST(NetworkMessagesTest, EveryStateHasItsName) {
  const std::pair<ApplyState, v1::ApplyState> states[] = {
      {ApplyState::kApplying, v1::APPLY_STATE_APPLYING},
      {ApplyState::kAwaitingConfirmation, v1::APPLY_STATE_AWAITING_CONFIRMATION},
      {ApplyState::kReverting, v1::APPLY_STATE_REVERTING},
      {ApplyState::kCommitted, v1::APPLY_STATE_COMMITTED},
      {ApplyState::kReverted, v1::APPLY_STATE_REVERTED},
      {ApplyState::kFailed, v1::APPLY_STATE_FAILED},
      {ApplyState::kUndoFailed, v1::APPLY_STATE_UNDO_FAILED}};
  ApplyRecord record = RecordOf("id1", "", "");
  for (const auto& [state, expected] : states) {
    record.state = state;
    EXPECT_EQ(Short(record).state(), expected) << NameOf(state);
    EXPECT_EQ("APPLY_STATE_" + NameOf(state), v1::ApplyState_Name(expected));
  }
  record.apply_id.clear();
  EXPECT_EQ(Short(record).state(), v1::APPLY_STATE_DRY_RUN);
}

TEST(NetworkMessagesTest, EverySourceHasItsName) {
  const std::pair<ApplySource, v1::ApplySource> sources[] = {{ApplySource::kPending, v1::APPLY_SOURCE_PENDING},
                                                             {ApplySource::kRevert, v1::APPLY_SOURCE_REVERT},
                                                             {ApplySource::kSdn, v1::APPLY_SOURCE_SDN},
                                                             {ApplySource::kFile, v1::APPLY_SOURCE_FILE},
                                                             {ApplySource::kRestart, v1::APPLY_SOURCE_RESTART}};
  ApplyRecord record = RecordOf("id1", "", "");
  for (const auto& [source, expected] : sources) {
    record.source = source;
    EXPECT_EQ(Short(record).source(), expected) << NameOf(source);
    EXPECT_EQ("APPLY_SOURCE_" + NameOf(source), v1::ApplySource_Name(expected));
  }
}

TEST(NetworkMessagesTest, EveryStepOfTheApplyThatIsUnderWayHasItsName) {
  const std::pair<ApplyStep, v1::ApplyStep> steps[] = {{ApplyStep::kLocking, v1::APPLY_STEP_LOCKING},
                                                       {ApplyStep::kChecking, v1::APPLY_STEP_CHECKING},
                                                       {ApplyStep::kCheckingSyntax, v1::APPLY_STEP_CHECKING_SYNTAX},
                                                       {ApplyStep::kInstalling, v1::APPLY_STEP_INSTALLING},
                                                       {ApplyStep::kReloading, v1::APPLY_STEP_RELOADING},
                                                       {ApplyStep::kVerifying, v1::APPLY_STEP_VERIFYING},
                                                       {ApplyStep::kUndoing, v1::APPLY_STEP_UNDOING}};
  for (const auto& [step, expected] : steps) {
    const ApplyProgress progress{.apply_id = "id1", .step = step, .since = kBegin};

    const v1::Apply apply = ToProto(RecordOf("id1", "", ""), progress, {}, Detail::kShort);

    EXPECT_EQ(apply.step(), expected);
    EXPECT_EQ(apply.step_time().seconds(), 1'700'000'000);
  }
}

TEST(NetworkMessagesTest, TheStepOfAnotherApplyIsNotShown) {
  const ApplyProgress progress{.apply_id = "id2", .step = ApplyStep::kReloading, .since = kBegin};

  const v1::Apply apply = ToProto(RecordOf("id1", "", ""), progress, {}, Detail::kAll);

  EXPECT_EQ(apply.step(), v1::APPLY_STEP_UNSPECIFIED);
  EXPECT_FALSE(apply.has_step_time());
}

TEST(NetworkMessagesTest, AllThereIsOfAnApplyIsShown) {
  ApplyRecord record = RecordOf("id1", "", kBridge);
  record.source = ApplySource::kRevert;
  record.state = ApplyState::kAwaitingConfirmation;
  record.request_id = "r1";
  record.reason = "why \xff";
  record.requested_by = "ipv4:127.0.0.1:5";
  record.reverts_apply_id = "id0";
  record.begin_time = kBegin;
  record.end_time = kBegin + seconds(2);
  record.confirm_until = kBegin + seconds(62);
  record.warnings = {"vmbr0: \xff"};
  record.reload = {.exit_code = 0, .output = "warning: vmbr0 \xff\n", .duration = milliseconds(1500)};

  const v1::Apply apply = All(record);

  EXPECT_EQ(apply.apply_id(), "id1");
  EXPECT_EQ(apply.request_id(), "r1");
  EXPECT_EQ(apply.reason(), "why ?");
  EXPECT_EQ(apply.requested_by(), "ipv4:127.0.0.1:5");
  EXPECT_EQ(apply.reverts_apply_id(), "id0");
  EXPECT_EQ(apply.create_time().seconds(), 1'700'000'000);
  EXPECT_EQ(apply.end_time().seconds(), 1'700'000'002);
  EXPECT_EQ(apply.confirm_expire_time().seconds(), 1'700'000'062);
  EXPECT_THAT(apply.warnings(), ElementsAre("vmbr0: ?"));
  EXPECT_EQ(apply.change_count(), 1u);
  EXPECT_EQ(apply.changes(0).target(), "vmbr0");
  EXPECT_EQ(apply.reload().output(), "warning: vmbr0 ?\n");
  EXPECT_EQ(client::FromProto(apply.reload().duration()), milliseconds(1500));
  EXPECT_FALSE(apply.has_error());
}

TEST(NetworkMessagesTest, InListsThereAreNeitherChangesNorOutput) {
  ApplyRecord record = RecordOf("id1", "", kBridge);
  record.reload = {.exit_code = 3, .timed_out = true, .output = "warning\n"};

  const v1::Apply apply = Short(record);

  EXPECT_EQ(apply.changes_size(), 0);
  EXPECT_EQ(apply.change_count(), 1u) << "but how many there are";
  EXPECT_EQ(apply.reload().exit_code(), 3);
  EXPECT_TRUE(apply.reload().timed_out());
  EXPECT_EQ(apply.reload().output(), "");
}

TEST(NetworkMessagesTest, WhatWasUndoneSaysWhy) {
  ApplyRecord record = RecordOf("id1", "", kBridge);
  record.state = ApplyState::kFailed;
  record.failure = {"RELOAD_FAILED", "ifreload -a ended with 1: \xff"};

  const v1::Apply apply = Short(record);

  EXPECT_EQ(apply.error().reason(), "RELOAD_FAILED");
  EXPECT_EQ(apply.error().message(), "ifreload -a ended with 1: ?");
  EXPECT_EQ(apply.error().code(), static_cast<int>(absl::StatusCode::kFailedPrecondition));
}

TEST(NetworkMessagesTest, PublicationsSayWhatTheBusHasAndWhatItsListenersSaid) {
  const std::vector<Publication> publications = {
      {.kind = NoticeKind::kApplied, .request_id = "network-applied/id1", .published = true, .result = LargeResult(1, 10)},
      {.kind = NoticeKind::kReverted, .request_id = "network-reverted/id1", .published = true},
      {.kind = NoticeKind::kFailed, .request_id = "network-apply-failed/id1"}};

  const v1::Apply apply = ToProto(RecordOf("id1", "", ""), std::nullopt, publications, Detail::kShort);

  ASSERT_EQ(apply.publications_size(), 3);
  EXPECT_EQ(apply.publications(0).kind(), "network_applied");
  EXPECT_EQ(apply.publications(0).request_id(), "network-applied/id1");
  EXPECT_EQ(apply.publications(0).state(), v1::PUBLICATION_STATE_PUBLISHED);
  EXPECT_EQ(apply.publications(0).result().event_id(), "e1");
  EXPECT_THAT(apply.publications(0).result().listener_results(0).hook_results(0).output(), SizeIs(10));
  EXPECT_EQ(apply.publications(1).kind(), "network_reverted");
  EXPECT_FALSE(apply.publications(1).has_result());
  EXPECT_EQ(apply.publications(2).kind(), "network_apply_failed");
  EXPECT_EQ(apply.publications(2).state(), v1::PUBLICATION_STATE_OWED);
}

TEST(NetworkMessagesTest, AHugeApplyIsStillAMessageThatClientsTake) {
  std::string after;
  for (int i = 0; i < 9'000; ++i) absl::StrAppendFormat(&after, "iface eth%d inet manual\n\talias %s\n", i, std::string(80, 'x'));
  ApplyRecord record = RecordOf("id1", "", after);
  record.warnings.assign(3'000, std::string(5'000, 'w'));
  record.reload = {.output = std::string(size_t{1} << 20, 'o') + "the end\n"};
  record.failure = {"RELOAD_FAILED", std::string(100'000, 'm')};
  const Publication publication{.published = true, .result = LargeResult(300, 10'000)};

  for (const Detail detail : {Detail::kShort, Detail::kAll}) {
    const v1::Apply apply = ToProto(record, std::nullopt, {publication, publication, publication}, detail);

    EXPECT_LT(apply.ByteSizeLong(), kClientsTake - (size_t{64} << 10));
    EXPECT_EQ(apply.change_count(), 9'000u);
    EXPECT_THAT(apply.warnings().rbegin()->c_str(), HasSubstr("more are left out"));
    EXPECT_EQ(apply.publications(0).result().listener_results_size(), 300);
    EXPECT_EQ(apply.publications(0).result().listener_results(0).listener(), "listener-0");
    EXPECT_EQ(apply.publications(0).result().listener_results(0).hook_results_size(), 0) << "are too much";
  }
  EXPECT_THAT(All(record).reload().output(), AllOf(EndsWith("the end\n"), SizeIs(size_t{64} << 10)));
}

TEST(NetworkMessagesTest, ListenersThatAreTooManyAreOnlyCounted) {
  const Publication publication{.published = true, .result = LargeResult(100'000, 0)};

  const v1::Apply apply = ToProto(RecordOf("id1", "", ""), std::nullopt, {publication}, Detail::kAll);

  EXPECT_LT(apply.ByteSizeLong(), kClientsTake / 4);
  EXPECT_EQ(apply.publications(0).result().outcome(), bus::v1::PUBLISH_OUTCOME_SUCCEEDED);
}

TEST(NetworkMessagesTest, DiagnosticsSayWhereAndWhat) {
  const auto protos = ToProto(std::vector<Diagnostic>{
      {.severity = Severity::kError, .place = {.file = "/etc/network/\xff", .line = 7}, .message = "no such method"},
      {.severity = Severity::kWarning, .place = {.file = "/etc/network/interfaces"}, .message = "twice"}});

  ASSERT_EQ(protos.size(), 2);
  EXPECT_EQ(protos[0].severity(), v1::SEVERITY_ERROR);
  EXPECT_EQ(protos[0].file(), "/etc/network/?");
  EXPECT_EQ(protos[0].line(), 7u);
  EXPECT_EQ(protos[0].message(), "no such method");
  EXPECT_EQ(protos[1].severity(), v1::SEVERITY_WARNING);
  EXPECT_EQ(protos[1].line(), 0u);
}

TEST(NetworkMessagesTest, OfTooManyDiagnosticsTheErrorsComeFirstAndTheRestIsCounted) {
  std::vector<Diagnostic> diagnostics(2'000,
                                      {.severity = Severity::kWarning, .place = {.file = "a"}, .message = "of the old one"});
  diagnostics.push_back({.severity = Severity::kError, .place = {.file = "b", .line = 1}, .message = "an error"});

  const auto protos = ToProto(diagnostics);

  ASSERT_EQ(protos.size(), 1'001);
  EXPECT_EQ(protos[0].message(), "an error");
  EXPECT_EQ(protos[1'000].message(), "1001 more are left out");
  EXPECT_EQ(protos[1'000].severity(), v1::SEVERITY_WARNING);
}

TEST(NetworkMessagesTest, DiagnosticsThatAreTooLongAreCountedToo) {
  const std::vector<Diagnostic> diagnostics(1'000,
                                            {.place = {.file = std::string(4'000, 'f')}, .message = std::string(4'000, 'm')});

  const auto protos = ToProto(diagnostics);

  EXPECT_LT(protos.size(), 200);
  EXPECT_THAT(protos[protos.size() - 1].message(), EndsWith(" more are left out"));
  EXPECT_EQ(protos[protos.size() - 1].severity(), v1::SEVERITY_ERROR);
}

}  // namespace
}  // namespace pvebus::network
