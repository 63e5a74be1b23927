#include "network-service/rpc/network_rpc.h"

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "network-service/core/apply_plan.h"
#include "network-service/core/errors.h"
#include "network-service/rpc/network_event.h"
#include "sdk/base/utf8.h"
#include "sdk/client/proto_time.h"
#include "sdk/service/page.h"
#include "sdk/service/reply.h"

namespace pvebus::network {
namespace {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;
using service::ReplyLater;

constexpr size_t kMostDiffBytes = size_t{1} << 20;

ApplyRequest RequestOf(const v1::ApplyPendingChangesRequest& proto, const std::string& peer) {
  return {.request_id = proto.request_id(),
          .reason = proto.reason(),
          .requested_by = peer,
          .etag = proto.etag(),
          .confirm_timeout = client::FromProto(proto.confirm_timeout()),
          .validate_only = proto.validate_only()};
}

RevertRequest RequestOf(const v1::RevertApplyRequest& proto, const std::string& peer) {
  return {.apply_id = proto.apply_id(),
          .request_id = proto.request_id(),
          .reason = proto.reason(),
          .requested_by = peer,
          .validate_only = proto.validate_only()};
}

absl::Status CheckTimeout(const v1::ApplyPendingChangesRequest& request) {
  // Whoever says a time wants it undone in the end: none at all is no default.
  const bool none = request.has_confirm_timeout() && client::FromProto(request.confirm_timeout()) == Duration::zero();
  return none ? ConfirmTimeoutInvalid() : absl::OkStatus();
}

bool IsInForce(const ApplyRecord& record) {
  return record.state == ApplyState::kCommitted || record.state == ApplyState::kAwaitingConfirmation;
}

absl::StatusOr<int64_t> BeforeOf(const std::string& page_token) {
  int64_t before = 0;
  if (page_token.empty()) return before;
  if (!absl::SimpleAtoi(page_token, &before) || before <= 0) return service::PageTokenInvalid(page_token);
  return before;
}

}  // namespace

ServerUnaryReactor* NetworkRpc::GetPendingChanges(CallbackServerContext* context, const v1::GetPendingChangesRequest*,
                                                  v1::GetPendingChangesResponse* response) {
  return ReplyLater(context, parts_.reading, [this, response] { return ReadPending(*response); });
}

absl::Status NetworkRpc::ReadPending(v1::GetPendingChangesResponse& response) const {
  const auto files = parts_.node.ReadFiles();
  if (!files.ok()) return files.status();
  if (!files->staged) {
    response.set_state(v1::PENDING_STATE_NONE);
    return absl::OkStatus();
  }
  const auto plan = ReadPlan(parts_.node, Candidate::kStaged);
  if (!plan.ok()) return plan.status();
  const auto text = parts_.node.UnifiedDiff();
  if (!text.ok()) return text.status();
  response.set_state(plan->diff.accepted ? v1::PENDING_STATE_READY : v1::PENDING_STATE_REFUSED);
  *response.mutable_changes() = ToProto(plan->diff.changes);
  *response.mutable_diagnostics() = ToProto(plan->diff.diagnostics);
  response.set_unified_diff(CleanUtf8End(*text, kMostDiffBytes));
  response.set_etag(plan->etag);
  return absl::OkStatus();
}

ServerUnaryReactor* NetworkRpc::ApplyPendingChanges(CallbackServerContext* context, const v1::ApplyPendingChangesRequest* request,
                                                    v1::ApplyPendingChangesResponse* response) {
  if (absl::Status status = CheckTimeout(*request); !status.ok()) return service::Reply(context, status);
  // It goes on when the caller hangs up.
  return ReplyLater(context, parts_.changing, [this, request = RequestOf(*request, context->peer()), response] {
    const auto record = parts_.applier.Apply(request, {});
    if (absl::Status status = Finish(record, *response->mutable_apply()); !status.ok()) return status;
    return record->apply_id.empty() || IsInForce(*record) ? absl::OkStatus() : UndoneApply(*record);
  });
}

ServerUnaryReactor* NetworkRpc::ConfirmApply(CallbackServerContext* context, const v1::ConfirmApplyRequest* request,
                                             v1::ConfirmApplyResponse* response) {
  return ReplyLater(context, parts_.confirming, [this, request, response] {
    const auto record = parts_.applier.Confirm(request->apply_id(), request->validate_only());
    if (!record.ok()) return record.status();
    const auto publications = parts_.publications.Stored(*record);
    if (!publications.ok()) return publications.status();
    *response->mutable_apply() = ToProto(*record, std::nullopt, *publications, Detail::kAll);
    return absl::OkStatus();
  });
}

ServerUnaryReactor* NetworkRpc::RevertApply(CallbackServerContext* context, const v1::RevertApplyRequest* request,
                                            v1::RevertApplyResponse* response) {
  return ReplyLater(context, parts_.changing, [this, request = RequestOf(*request, context->peer()), response] {
    const auto record = parts_.applier.Revert(request, {});
    if (absl::Status status = Finish(record, *response->mutable_apply()); !status.ok()) return status;
    const bool done = record->apply_id.empty() || IsInForce(*record) || record->state == ApplyState::kReverted;
    return done ? absl::OkStatus() : UndoneApply(*record);
  });
}

absl::Status NetworkRpc::Finish(const absl::StatusOr<ApplyRecord>& record, v1::Apply& apply) const {
  if (!record.ok()) return record.status();
  std::vector<Publication> publications;
  if (!record->apply_id.empty()) {
    auto awaited = parts_.publications.Await(*record);
    if (!awaited.ok()) return awaited.status();
    publications = *std::move(awaited);
  }
  apply = ToProto(*record, std::nullopt, publications, Detail::kAll);
  return absl::OkStatus();
}

ServerUnaryReactor* NetworkRpc::ListApplies(CallbackServerContext* context, const v1::ListAppliesRequest* request,
                                            v1::ListAppliesResponse* response) {
  return ReplyLater(context, parts_.reading, [this, request, response] {
    const bool one = !request->apply_id().empty() || !request->request_id().empty();
    return one ? ReadOne(*request, *response) : ReadPage(*request, *response);
  });
}

absl::Status NetworkRpc::ReadOne(const v1::ListAppliesRequest& request, v1::ListAppliesResponse& response) const {
  const bool by_id = !request.apply_id().empty();
  const auto record = by_id ? parts_.store.Find(request.apply_id()) : parts_.store.FindRequest(request.request_id());
  if (!record.ok()) return record.status();
  const auto progress = parts_.applier.Progress();
  if (!*record) {
    // What is still being checked is not in the store.
    const bool meant =
        progress && (by_id ? progress->apply_id == request.apply_id() : progress->request_id == request.request_id());
    if (!meant) return by_id ? ApplyNotFound(request.apply_id()) : RequestNotFound(request.request_id());
    *response.add_applies() = ToProto(*progress);
    return absl::OkStatus();
  }
  const auto publications = parts_.publications.Refresh(**record);
  if (!publications.ok()) return publications.status();
  *response.add_applies() = ToProto(**record, progress, *publications, Detail::kAll);
  return absl::OkStatus();
}

absl::Status NetworkRpc::ReadPage(const v1::ListAppliesRequest& request, v1::ListAppliesResponse& response) const {
  const auto page_size = service::ParsePageSize(request.page_size());
  if (!page_size.ok()) return page_size.status();
  const auto before = BeforeOf(request.page_token());
  if (!before.ok()) return before.status();
  // One more tells whether there is another page.
  const auto records = parts_.store.List(*before, *page_size + 1);
  if (!records.ok()) return records.status();
  service::PageRoom room;
  const auto progress = parts_.applier.Progress();
  for (const ApplyRecord& record : *records) {
    const auto publications = parts_.publications.Stored(record);
    if (!publications.ok()) return publications.status();
    v1::Apply apply = ToProto(record, progress, *publications, Detail::kShort);
    const size_t count = static_cast<size_t>(response.applies_size());
    if (count == *page_size || !room.Take(apply)) {
      response.set_next_page_token(absl::StrFormat("%d", (*records)[count - 1].number));
      break;
    }
    *response.add_applies() = std::move(apply);
  }
  return absl::OkStatus();
}

}  // namespace pvebus::network
