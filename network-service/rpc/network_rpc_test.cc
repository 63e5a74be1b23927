#include "network-service/rpc/network_rpc.h"

#include <atomic>
#include <memory>

#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "network-service/core/testing_fake_node.h"
#include "network-service/core/testing_memory_apply_store.h"
#include "network-service/rpc/notice_outbox.h"
#include "network-service/rpc/testing_records.h"
#include "sdk/base/error.h"
#include "sdk/client/channel.h"
#include "sdk/client/fake_bus.h"
#include "sdk/client/proto_time.h"
#include "sdk/service/rpc_server.h"
#include "sdk/status/status.h"

namespace pvebus::network {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::StartsWith;
using Stub = v1::NetworkService::Stub;

constexpr char kOld[] =
    "auto lo\niface lo inet loopback\n"
    "auto eno1\niface eno1 inet manual\n"
    "auto vmbr0\niface vmbr0 inet static\n\taddress 192.0.2.1/24\n\tbridge-ports eno1\n";
constexpr char kNew[] =
    "auto lo\niface lo inet loopback\n"
    "auto eno1\niface eno1 inet manual\n"
    "auto vmbr0\niface vmbr0 inet static\n\taddress 192.0.2.2/24\n\tbridge-ports eno1\n";
constexpr char kBroken[] = "iface eno1 inet static\n\taddress 1.2.3\n";

// The service without its main: a server, and a bus that gathers at once.
class NetworkRpcTest : public testing::Test {
 protected:
  NetworkRpcTest() {
    bus_.OnPublish([](auto&, const bus::v1::PublishRequest& request, bus::v1::PublishResponse& response) {
      response.mutable_result()->set_event_id("e-" + request.request_id());
      response.mutable_result()->set_settled(true);
      response.mutable_result()->set_outcome(bus::v1::PUBLISH_OUTCOME_NO_LISTENERS);
      return grpc::Status::OK;
    });
    node_.PutInForce(kOld);
    node_.staged = kNew;
    EXPECT_TRUE(applier_.Recover().ok());
    service::ServiceOptions options;
    options.listen = {"127.0.0.1:0"};
    const absl::Status started = server_.Start(rpc_, options);
    EXPECT_TRUE(started.ok()) << started;
    // As all programs of the project do: no message of more than 4 MiB.
    stub_ = v1::NetworkService::NewStub(client::Connect(server_.Addresses().at(0)));
  }
  ~NetworkRpcTest() override {
    go_on_.Put(true);
    server_.Stop();
  }

  template <typename Request, typename Response>
  using Rpc = grpc::Status (Stub::*)(grpc::ClientContext*, const Request&, Response*);
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(Rpc<Request, Response> rpc, const Request& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + client::kPatience);
    Response response;
    const absl::Status status = FromGrpcStatus(((*stub_).*rpc)(&context, request, &response));
    if (!status.ok()) return status;
    return response;
  }

  absl::StatusOr<v1::GetPendingChangesResponse> Pending() {
    return Call(&Stub::GetPendingChanges, v1::GetPendingChangesRequest());
  }
  absl::StatusOr<v1::Apply> Apply(const v1::ApplyPendingChangesRequest& request = {}) {
    auto response = Call(&Stub::ApplyPendingChanges, request);
    if (!response.ok()) return response.status();
    return response->apply();
  }
  absl::StatusOr<v1::Apply> ApplyWithin(Duration confirm_timeout) {
    v1::ApplyPendingChangesRequest request;
    *request.mutable_confirm_timeout() = client::ToProto(confirm_timeout);
    return Apply(request);
  }
  absl::StatusOr<v1::Apply> Confirm(const std::string& apply_id = "", bool validate_only = false) {
    v1::ConfirmApplyRequest request;
    request.set_apply_id(apply_id);
    request.set_validate_only(validate_only);
    auto response = Call(&Stub::ConfirmApply, request);
    if (!response.ok()) return response.status();
    return response->apply();
  }
  absl::StatusOr<v1::Apply> Revert(const v1::RevertApplyRequest& request = {}) {
    auto response = Call(&Stub::RevertApply, request);
    if (!response.ok()) return response.status();
    return response->apply();
  }
  absl::StatusOr<v1::ListAppliesResponse> List(int page_size = 0, const std::string& page_token = "") {
    v1::ListAppliesRequest request;
    request.set_page_size(page_size);
    request.set_page_token(page_token);
    return Call(&Stub::ListApplies, request);
  }
  absl::StatusOr<v1::Apply> Find(const std::string& apply_id, const std::string& request_id = "") {
    v1::ListAppliesRequest request;
    request.set_apply_id(apply_id);
    request.set_request_id(request_id);
    auto response = Call(&Stub::ListApplies, request);
    if (!response.ok()) return response.status();
    EXPECT_EQ(response->applies_size(), 1);
    return response->applies(0);
  }

  void Add(ApplyRecord record) { EXPECT_TRUE(store_.Add(record, {}, std::nullopt).ok()); }

  RealClock clock_;
  NullLogger logger_;
  FakeNode node_;
  MemoryApplyStore store_;
  std::atomic<int> ids_ = 0;
  NetworkApplier applier_{
      node_, store_, clock_, logger_, {.boot_id = "boot", .staged_path = "/etc/network/interfaces.new", .new_id = [this] {
                                         return absl::StrFormat("id%d", ++ids_);
                                       }}};
  client::FakeBus bus_;
  client::Publisher publisher_{client::Connect(bus_.address()), "network@pve1", clock_};
  NoticeOutbox notices_{store_};
  client::Outbox outbox_{notices_, publisher_, logger_};
  Publications publications_{store_, outbox_, publisher_};
  ThreadPool changing_{2};
  ThreadPool confirming_{1};
  ThreadPool reading_{1};
  NetworkRpc rpc_{{applier_, node_, store_, publications_, changing_, confirming_, reading_}};
  service::RpcServer server_{"pvebus.network.v1.NetworkService"};
  std::unique_ptr<Stub> stub_;
  // For what happens in the middle of an apply.
  client::Mailbox<bool> reached_;
  client::Mailbox<bool> go_on_;
};

std::vector<std::string> Ids(const absl::StatusOr<v1::ListAppliesResponse>& page) {
  if (!page.ok()) return {page.status().ToString()};
  std::vector<std::string> ids;
  for (const v1::Apply& apply : page->applies()) ids.push_back(apply.apply_id());
  return ids;
}

TEST_F(NetworkRpcTest, PendingSaysWhatWouldChange) {
  node_.unified_diff = "--- interfaces\n+++ interfaces.new\n+\taddress \xff\n";

  const auto pending = Pending();

  ASSERT_TRUE(pending.ok()) << pending.status();
  EXPECT_EQ(pending->state(), v1::PENDING_STATE_READY);
  ASSERT_EQ(pending->changes_size(), 1);
  EXPECT_EQ(pending->changes(0).description(), "vmbr0: address 192.0.2.1/24 -> 192.0.2.2/24");
  EXPECT_EQ(pending->unified_diff(), "--- interfaces\n+++ interfaces.new\n+\taddress ?\n");
  EXPECT_THAT(pending->etag(), SizeIs(16));
}

TEST_F(NetworkRpcTest, PendingIsNoneWithoutAStagedFile) {
  node_.staged.reset();

  const auto pending = Pending();

  ASSERT_TRUE(pending.ok()) << pending.status();
  EXPECT_EQ(pending->state(), v1::PENDING_STATE_NONE);
  EXPECT_EQ(pending->etag(), "");
}

TEST_F(NetworkRpcTest, PendingThatHasErrorsSaysWhere) {
  node_.staged = kBroken;

  const auto pending = Pending();

  ASSERT_TRUE(pending.ok()) << pending.status();
  EXPECT_EQ(pending->state(), v1::PENDING_STATE_REFUSED);
  EXPECT_EQ(pending->changes_size(), 0);
  ASSERT_GT(pending->diagnostics_size(), 0);
  EXPECT_EQ(pending->diagnostics(0).severity(), v1::SEVERITY_ERROR);
  EXPECT_EQ(pending->diagnostics(0).line(), 2u);
}

TEST_F(NetworkRpcTest, PendingThatCannotBeReadIsSaid) {
  for (const char* call : {"ReadFiles", "ReadApplied", "ReadCandidate"}) {
    node_.failures[call] = ConfigurationUnreadable("/etc/network/interfaces", "Permission denied");

    const absl::Status status = Pending().status();

    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << call;
    EXPECT_EQ(ErrorReason(status), "CONFIGURATION_UNREADABLE") << call;
    EXPECT_EQ(ErrorMetadata(status)["path"], "/etc/network/interfaces") << call;
  }
}

TEST_F(NetworkRpcTest, HugePendingChangesAreStillAMessageThatClientsTake) {
  std::string staged;
  for (int i = 0; i < 8'000; ++i)
    absl::StrAppendFormat(&staged, "auto e%d\niface e%d inet manual\n\talias %s\n", i, i, std::string(80, 'x'));
  node_.staged = staged;
  node_.unified_diff = std::string(size_t{3} << 20, '+');

  const auto ready = Pending();
  std::string broken;
  for (int i = 0; i < 2'000; ++i) absl::StrAppendFormat(&broken, "iface %s%d inet nothing\n", std::string(400, '!'), i);
  node_.staged = broken;
  const auto refused = Pending();

  ASSERT_TRUE(ready.ok()) << ready.status();
  EXPECT_EQ(ready->state(), v1::PENDING_STATE_READY);
  EXPECT_GT(ready->changes_size(), 7'000);
  EXPECT_THAT(ready->unified_diff(), SizeIs(size_t{1} << 20));
  ASSERT_TRUE(refused.ok()) << refused.status();
  EXPECT_LE(refused->diagnostics_size(), 1'001);
}

TEST_F(NetworkRpcTest, AnApplyIsInForceAndItsListenersHaveAnswered) {
  v1::ApplyPendingChangesRequest request;
  request.set_reason("moved");
  request.set_request_id("r1");
  request.set_etag(Pending()->etag());

  const auto apply = Apply(request);

  ASSERT_TRUE(apply.ok()) << apply.status();
  EXPECT_EQ(apply->state(), v1::APPLY_STATE_COMMITTED);
  EXPECT_EQ(apply->source(), v1::APPLY_SOURCE_PENDING);
  EXPECT_EQ(apply->reason(), "moved");
  EXPECT_EQ(apply->request_id(), "r1");
  EXPECT_THAT(apply->requested_by(), StartsWith("ipv4:127.0.0.1:"));
  EXPECT_EQ(apply->changes_size(), 1);
  EXPECT_TRUE(apply->has_reload());
  ASSERT_EQ(apply->publications_size(), 1);
  EXPECT_EQ(apply->publications(0).state(), v1::PUBLICATION_STATE_PUBLISHED);
  EXPECT_EQ(apply->publications(0).result().event_id(), "e-" + apply->publications(0).request_id());
  EXPECT_EQ(node_.applied, kNew);
}

TEST_F(NetworkRpcTest, TheSameRequestAgainIsTheSameApply) {
  v1::ApplyPendingChangesRequest request;
  request.set_request_id("r1");
  const auto first = Apply(request);

  const auto second = Apply(request);

  ASSERT_TRUE(first.ok() && second.ok()) << second.status();
  EXPECT_EQ(second->apply_id(), first->apply_id());
  EXPECT_EQ(second->publications_size(), 1);
}

TEST_F(NetworkRpcTest, ADryRunSaysWhatWouldChangeAndTouchesNothing) {
  v1::ApplyPendingChangesRequest request;
  request.set_validate_only(true);

  const auto apply = Apply(request);

  ASSERT_TRUE(apply.ok()) << apply.status();
  EXPECT_EQ(apply->state(), v1::APPLY_STATE_DRY_RUN);
  EXPECT_EQ(apply->apply_id(), "");
  EXPECT_EQ(apply->changes_size(), 1);
  EXPECT_EQ(apply->publications_size(), 0);
  EXPECT_EQ(node_.applied, kOld);
}

TEST_F(NetworkRpcTest, RefusalsSayWhyAndTouchNothing) {
  v1::ApplyPendingChangesRequest etag;
  etag.set_etag("0");
  const absl::Status mismatch = Apply(etag).status();
  EXPECT_EQ(mismatch.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(ErrorReason(mismatch), "ETAG_MISMATCH");
  EXPECT_EQ(ErrorMetadata(mismatch)["etag"], Pending()->etag());

  node_.staged = kBroken;
  const absl::Status invalid = Apply().status();
  EXPECT_EQ(invalid.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ErrorReason(invalid), "STAGED_INVALID");
  EXPECT_EQ(ErrorMetadata(invalid)["errors"], "1");

  node_.failures["Lock"] = ConfigurationLocked("/var/lock/pve-manager/.pve-interfaces.lock");
  const absl::Status locked = Apply().status();
  EXPECT_EQ(locked.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ErrorReason(locked), "CONFIGURATION_LOCKED");

  node_.staged.reset();
  const absl::Status nothing = Apply().status();
  EXPECT_EQ(nothing.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ErrorReason(nothing), "NOTHING_STAGED");
  EXPECT_EQ(ErrorMetadata(nothing)["path"], "/etc/network/interfaces.new");
  EXPECT_EQ(node_.applied, kOld);
  EXPECT_THAT(Ids(List()), IsEmpty());
}

TEST_F(NetworkRpcTest, BadFieldsAreInvalidArguments) {
  v1::ApplyPendingChangesRequest long_reason;
  long_reason.set_reason(std::string(1'025, 'x'));
  v1::RevertApplyRequest long_id;
  long_id.set_request_id(std::string(257, 'x'));

  for (const auto& [status, field] :
       {std::pair(Apply(long_reason).status(), "reason"), std::pair(Revert(long_id).status(), "request_id")}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(ErrorReason(status), "FIELD_TOO_LONG");
    EXPECT_EQ(ErrorMetadata(status)["field"], field);
  }
}

TEST_F(NetworkRpcTest, ATimeToConfirmThatCannotBeIsRefused) {
  for (const Duration timeout : {Duration::zero(), Duration(-1), Duration(milliseconds(999)), Duration(std::chrono::hours(25))}) {
    const absl::Status status = ApplyWithin(timeout).status();

    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << timeout.count();
    EXPECT_EQ(ErrorReason(status), "CONFIRM_TIMEOUT_INVALID") << timeout.count();
    EXPECT_EQ(ErrorMetadata(status)["field"], "confirm_timeout") << timeout.count();
  }
  EXPECT_EQ(node_.applied, kOld) << "nobody who asks for no time means for ever";
}

TEST_F(NetworkRpcTest, AnApplyThatWasUndoneIsAnErrorThatNamesIt) {
  node_.reloads = {{.exit_code = 1, .output = "error: vmbr0: no\n"}};

  const absl::Status status = Apply().status();

  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ErrorReason(status), "RELOAD_FAILED");
  EXPECT_THAT(std::string(status.message()), HasSubstr("error: vmbr0: no; the old configuration is back"));
  const std::string apply_id = ErrorMetadata(status)["apply_id"];
  const auto apply = Find(apply_id);
  ASSERT_TRUE(apply.ok()) << apply.status();
  EXPECT_EQ(apply->state(), v1::APPLY_STATE_FAILED);
  EXPECT_EQ(apply->error().reason(), "RELOAD_FAILED");
  EXPECT_EQ(apply->reload().output(), "error: vmbr0: no\n");
  ASSERT_EQ(apply->publications_size(), 1);
  EXPECT_EQ(apply->publications(0).kind(), "network_apply_failed");
  EXPECT_EQ(apply->publications(0).state(), v1::PUBLICATION_STATE_PUBLISHED);
}

TEST_F(NetworkRpcTest, AnApplyThatCouldNotBeUndoneIsAnInternalError) {
  node_.reloads = {{.exit_code = 1}, {.exit_code = 2}};

  const absl::Status status = Apply().status();

  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(ErrorReason(status), "UNDO_FAILED");
  EXPECT_EQ(ErrorMetadata(status)["cause"], "RELOAD_FAILED");
  EXPECT_EQ(Find(ErrorMetadata(status)["apply_id"])->state(), v1::APPLY_STATE_UNDO_FAILED);
}

TEST_F(NetworkRpcTest, WhileAnUndoIsNotFinishedTheSameRequestDoesNotSayThatItIs) {
  node_.reloads = {{.exit_code = 1}};
  node_.failures["Restore"] = absl::UnavailableError("the disk is gone");
  v1::ApplyPendingChangesRequest request;
  request.set_request_id("r1");
  const absl::Status first = Apply(request).status();

  const absl::Status again = Apply(request).status();

  EXPECT_EQ(ErrorReason(first), "UNDO_FAILED");
  EXPECT_EQ(again.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(ErrorReason(again), "UNDO_FAILED");
  EXPECT_THAT(std::string(again.message()), Not(HasSubstr("the old configuration is back")));
  EXPECT_EQ(ErrorMetadata(again)["apply_id"], ErrorMetadata(first)["apply_id"]);
}

TEST_F(NetworkRpcTest, WhatAwaitsConfirmationIsConfirmed) {
  const auto applied = ApplyWithin(std::chrono::minutes(1));
  ASSERT_TRUE(applied.ok()) << applied.status();
  EXPECT_EQ(applied->state(), v1::APPLY_STATE_AWAITING_CONFIRMATION);
  EXPECT_TRUE(applied->has_confirm_expire_time());

  const absl::Status second = Apply().status();
  const auto checked = Confirm("", true);
  const auto confirmed = Confirm();
  const auto again = Confirm(applied->apply_id());

  EXPECT_EQ(ErrorReason(second), "CONFIRMATION_PENDING");
  EXPECT_EQ(ErrorMetadata(second)["apply_id"], applied->apply_id());
  ASSERT_TRUE(checked.ok() && confirmed.ok() && again.ok());
  EXPECT_EQ(checked->state(), v1::APPLY_STATE_AWAITING_CONFIRMATION);
  EXPECT_EQ(confirmed->apply_id(), applied->apply_id());
  EXPECT_EQ(confirmed->state(), v1::APPLY_STATE_COMMITTED);
  EXPECT_EQ(confirmed->publications_size(), 1);
  EXPECT_EQ(again->state(), v1::APPLY_STATE_COMMITTED);
}

TEST_F(NetworkRpcTest, WhatCannotBeConfirmedSaysWhy) {
  const absl::Status nothing = Confirm().status();
  const absl::Status unknown = Confirm("nobody").status();
  node_.reloads = {{.exit_code = 1}};
  const std::string failed = ErrorMetadata(Apply().status())["apply_id"];
  const absl::Status undone = Confirm(failed).status();

  EXPECT_EQ(nothing.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ErrorReason(nothing), "NOTHING_TO_CONFIRM");
  EXPECT_EQ(unknown.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ErrorReason(unknown), "APPLY_NOT_FOUND");
  EXPECT_EQ(ErrorMetadata(unknown)["apply_id"], "nobody");
  EXPECT_EQ(ErrorReason(undone), "APPLY_NOT_IN_FORCE");
  EXPECT_EQ(ErrorMetadata(undone)["apply_id"], failed);
}

TEST_F(NetworkRpcTest, WhatAwaitsConfirmationIsTakenBackAtOnce) {
  const auto applied = ApplyWithin(std::chrono::minutes(1));
  v1::RevertApplyRequest request;
  request.set_reason("unreachable");

  const auto reverted = Revert(request);

  ASSERT_TRUE(reverted.ok()) << reverted.status();
  EXPECT_EQ(reverted->apply_id(), applied->apply_id());
  EXPECT_EQ(reverted->state(), v1::APPLY_STATE_REVERTED);
  EXPECT_THAT(reverted->error().message(), HasSubstr("unreachable"));
  ASSERT_EQ(reverted->publications_size(), 2);
  EXPECT_EQ(reverted->publications(1).kind(), "network_reverted");
  EXPECT_TRUE(reverted->publications(1).result().settled());
  EXPECT_EQ(node_.applied, kOld);
}

TEST_F(NetworkRpcTest, WhatWasCommittedIsTakenBackByAnApplyOfItsOwn) {
  const auto applied = Apply();
  v1::RevertApplyRequest dry_run;
  dry_run.set_validate_only(true);

  const auto checked = Revert(dry_run);
  const auto reverted = Revert();

  ASSERT_TRUE(checked.ok()) << checked.status();
  EXPECT_EQ(checked->state(), v1::APPLY_STATE_DRY_RUN);
  EXPECT_EQ(checked->changes_size(), 1);
  ASSERT_TRUE(reverted.ok()) << reverted.status();
  EXPECT_EQ(reverted->source(), v1::APPLY_SOURCE_REVERT);
  EXPECT_EQ(reverted->state(), v1::APPLY_STATE_COMMITTED);
  EXPECT_EQ(reverted->reverts_apply_id(), applied->apply_id());
  EXPECT_EQ(reverted->publications_size(), 1);
  EXPECT_EQ(node_.applied, kOld);
}

TEST_F(NetworkRpcTest, ARevertThatWasUndoneIsAnErrorThatNamesIt) {
  ASSERT_TRUE(Apply().ok());
  node_.reloads = {{.timed_out = true}};

  const absl::Status status = Revert().status();

  EXPECT_EQ(ErrorReason(status), "RELOAD_TIMED_OUT");
  EXPECT_EQ(Find(ErrorMetadata(status)["apply_id"])->source(), v1::APPLY_SOURCE_REVERT);
  EXPECT_EQ(node_.applied, kNew);
}

TEST_F(NetworkRpcTest, WhatCannotBeTakenBackSaysWhy) {
  const absl::Status nothing = Revert().status();
  v1::RevertApplyRequest request;
  request.set_apply_id("nobody");
  const absl::Status unknown = Revert(request).status();
  ASSERT_TRUE(Apply().ok());
  node_.PutInForce(kOld);
  node_.applied->append("# edited\n");
  const absl::Status superseded = Revert().status();

  EXPECT_EQ(ErrorReason(nothing), "NOTHING_TO_REVERT");
  EXPECT_EQ(ErrorReason(unknown), "APPLY_NOT_FOUND");
  EXPECT_EQ(unknown.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(ErrorReason(superseded), testing::AnyOf("APPLY_SUPERSEDED", "APPLY_NOT_REVERTIBLE"));
}

TEST_F(NetworkRpcTest, WhatAnApplyIsDoingCanBeSeenMeanwhile) {
  node_.during_reload = [this] {
    reached_.Put(true);
    go_on_.Take();
  };
  v1::ApplyPendingChangesRequest request;
  request.set_request_id("r1");
  grpc::ClientContext context;
  v1::ApplyPendingChangesResponse response;
  client::Mailbox<grpc::Status> ends;
  stub_->async()->ApplyPendingChanges(&context, &request, &response, [&](grpc::Status status) { ends.Put(status); });
  ASSERT_TRUE(reached_.Take()) << "waited for the reload";

  const auto seen = Find("", "r1");
  const absl::Status second = Apply().status();
  const absl::Status confirmed = Confirm().status();
  go_on_.Put(true);

  const auto end = ends.Take();
  ASSERT_TRUE(end && end->ok()) << "waited for the end of the apply";
  ASSERT_TRUE(seen.ok()) << seen.status();
  EXPECT_EQ(seen->state(), v1::APPLY_STATE_APPLYING);
  EXPECT_EQ(seen->step(), v1::APPLY_STEP_RELOADING);
  EXPECT_TRUE(seen->has_step_time());
  EXPECT_FALSE(seen->has_end_time());
  for (const absl::Status& status : {second, confirmed}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
    EXPECT_EQ(ErrorReason(status), "APPLY_IN_PROGRESS");
    EXPECT_EQ(ErrorMetadata(status)["apply_id"], seen->apply_id());
  }
}

TEST_F(NetworkRpcTest, AnApplyThatIsStillCheckedCanBeSeen) {
  node_.before_call = [this](const std::string& call) {
    if (call != "CheckSyntax") return;
    reached_.Put(true);
    go_on_.Take();
  };
  v1::ApplyPendingChangesRequest request;
  request.set_request_id("r1");
  request.set_reason("moved");
  grpc::ClientContext context;
  v1::ApplyPendingChangesResponse response;
  client::Mailbox<grpc::Status> ends;
  stub_->async()->ApplyPendingChanges(&context, &request, &response, [&](grpc::Status status) { ends.Put(status); });
  ASSERT_TRUE(reached_.Take()) << "waited for the check";

  const auto by_request = Find("", "r1");
  const auto by_id = by_request.ok() ? Find(by_request->apply_id()) : by_request.status();
  const absl::Status other = Find("", "r2").status();
  go_on_.Put(true);

  const auto end = ends.Take();
  ASSERT_TRUE(end && end->ok()) << "waited for the end of the apply";
  for (const auto& seen : {by_request, by_id}) {
    ASSERT_TRUE(seen.ok()) << seen.status();
    EXPECT_EQ(seen->apply_id(), response.apply().apply_id());
    EXPECT_EQ(seen->request_id(), "r1");
    EXPECT_EQ(seen->state(), v1::APPLY_STATE_APPLYING);
    EXPECT_EQ(seen->step(), v1::APPLY_STEP_CHECKING_SYNTAX);
  }
  EXPECT_EQ(ErrorReason(other), "APPLY_NOT_FOUND");
}

TEST_F(NetworkRpcTest, AnApplyGoesOnWhenItsCallerHangsUp) {
  node_.during_reload = [this] {
    reached_.Put(true);
    go_on_.Take();
  };
  const v1::ApplyPendingChangesRequest request;
  grpc::ClientContext context;
  v1::ApplyPendingChangesResponse response;
  client::Mailbox<grpc::Status> ends;
  stub_->async()->ApplyPendingChanges(&context, &request, &response, [&](grpc::Status status) { ends.Put(status); });
  ASSERT_TRUE(reached_.Take()) << "waited for the reload";

  context.TryCancel();
  ASSERT_TRUE(ends.Take()) << "waited for the end of the call";
  const std::string apply_id = applier_.Progress()->apply_id;
  go_on_.Put(true);

  const SteadyTime deadline = std::chrono::steady_clock::now() + client::kPatience;
  while (applier_.Progress() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_EQ(Find(apply_id)->state(), v1::APPLY_STATE_COMMITTED);
}

TEST_F(NetworkRpcTest, AppliesAreListedNewestFirstInPages) {
  for (int i = 1; i <= 5; ++i) Add(RecordOf(absl::StrFormat("old%d", i), kOld, kNew));

  const auto first = List(2);
  ASSERT_TRUE(first.ok()) << first.status();
  const auto second = List(2, first->next_page_token());
  ASSERT_TRUE(second.ok()) << second.status();
  const auto third = List(2, second->next_page_token());

  EXPECT_THAT(Ids(first), ElementsAre("old5", "old4"));
  EXPECT_THAT(Ids(second), ElementsAre("old3", "old2"));
  EXPECT_THAT(Ids(third), ElementsAre("old1"));
  EXPECT_EQ(third->next_page_token(), "");
  EXPECT_EQ(first->applies(0).changes_size(), 0);
  EXPECT_EQ(first->applies(0).change_count(), 1u);
  EXPECT_EQ(List(5)->next_page_token(), "") << "there is nothing behind the last one";
  EXPECT_EQ(List()->applies_size(), 5);
}

TEST_F(NetworkRpcTest, PagesThatCannotBeAreRefused) {
  for (const int page_size : {-1, 1001}) {
    const absl::Status status = List(page_size).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(ErrorReason(status), "PAGE_SIZE_INVALID");
  }
  const std::string tokens[] = {
      "nobody", "0", "-1", "1x", "99999999999999999999", std::string(63, 'x') + "\xc3\xa4", std::string(50'000, 'y')};
  for (const std::string& token : tokens) {
    const absl::Status status = List(0, token).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << token;
    EXPECT_EQ(ErrorReason(status), "PAGE_TOKEN_INVALID") << token;
    EXPECT_EQ(ErrorMetadata(status)["field"], "page_token") << token;
  }
}

TEST_F(NetworkRpcTest, APageEndsBeforeItIsMoreThanClientsTake) {
  for (int i = 0; i < 60; ++i) {
    ApplyRecord record = RecordOf(absl::StrFormat("id%02d", i), "", "");
    record.warnings.assign(100, std::string(2'000, 'w'));
    Add(record);
  }

  std::vector<std::string> ids;
  int pages = 0;
  for (std::string token = "";;) {
    const auto page = List(50, token);
    ASSERT_TRUE(page.ok()) << page.status();
    ++pages;
    for (const std::string& id : Ids(page)) ids.push_back(id);
    token = page->next_page_token();
    if (token.empty()) break;
  }

  EXPECT_EQ(ids.size(), 60u);
  EXPECT_EQ(ids.front(), "id59");
  EXPECT_EQ(ids.back(), "id00");
  EXPECT_GT(pages, 2);
  EXPECT_LT(pages, 8);
}

TEST_F(NetworkRpcTest, AHugeApplyIsFoundWithAllThatFitsIntoAMessage) {
  std::string after;
  for (int i = 0; i < 9'000; ++i) absl::StrAppendFormat(&after, "iface e%d inet manual\n\talias %s\n", i, std::string(80, 'x'));
  ApplyRecord record = RecordOf("huge", "", after);
  record.warnings.assign(3'000, std::string(4'000, 'w'));
  record.reload = {.output = std::string(size_t{1} << 20, 'o')};
  Add(record);

  const auto apply = Find("huge");

  ASSERT_TRUE(apply.ok()) << apply.status();
  EXPECT_EQ(apply->change_count(), 9'000u);
  EXPECT_GT(apply->changes_size(), 6'000);
  EXPECT_THAT(Ids(List()), ElementsAre("huge"));
}

TEST_F(NetworkRpcTest, AppliesThatThereAreNotAreNamed) {
  const absl::Status by_id = Find("nobody").status();
  const absl::Status by_request = Find("", "r9").status();
  const absl::Status endless = Find(std::string(100'000, 'x')).status();

  for (const absl::Status& status : {by_id, by_request, endless}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << status;
    EXPECT_EQ(ErrorReason(status), "APPLY_NOT_FOUND");
  }
  EXPECT_THAT(ErrorMetadata(by_id), ElementsAre(Pair("apply_id", "nobody")));
  EXPECT_THAT(std::string(by_request.message()), HasSubstr("r9"));
}

TEST_F(NetworkRpcTest, AStoreThatCannotBeReadIsSaid) {
  Add(RecordOf("id1", kOld, kNew));
  for (int after = 0; after < 2; ++after) {
    store_.FailNextRead(absl::UnavailableError("the disk is gone"), after);
    EXPECT_EQ(List().status().message(), "the disk is gone");
    store_.FailNextRead(absl::UnavailableError("the disk is gone"), after);
    EXPECT_EQ(Find("id1").status().message(), "the disk is gone");
  }
}

}  // namespace
}  // namespace pvebus::network
