#include "storage-service/rpc/storage_rpc.h"

#include <algorithm>
#include <set>
#include <stop_token>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "sdk/base/error.h"
#include "sdk/base/utf8.h"
#include "sdk/service/page.h"
#include "storage-service/rpc/storage_messages.h"

namespace pvebus::storage {
namespace {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;
using service::Reply;
using service::ReplyLater;

constexpr int kMaxStorageIds = 1000;
constexpr int kMaxRefreshes = 16;
constexpr size_t kMaxErrorBytes = 4096;
constexpr std::chrono::seconds kRefreshAgainAfter{1};

absl::Status StorageIdMissing() {
  return MakeError(absl::StatusCode::kInvalidArgument, "STORAGE_ID_MISSING", "storage_id is required", {{"field", "storage_id"}});
}

absl::Status VlanMissing() {
  return MakeError(absl::StatusCode::kInvalidArgument, "VLAN_MISSING", "vlan is required", {{"field", "vlan"}});
}

absl::Status TooManyStorageIds(int count) {
  return MakeError(absl::StatusCode::kInvalidArgument, "TOO_MANY_STORAGE_IDS",
                   absl::StrFormat("storage_ids has %d entries; it has at most %d", count, kMaxStorageIds),
                   {{"field", "storage_ids"}, {"limit", std::to_string(kMaxStorageIds)}});
}

absl::Status RefreshBackpressure() {
  absl::Status status =
      MakeError(absl::StatusCode::kResourceExhausted, "REFRESH_BACKPRESSURE",
                absl::StrFormat("%d checks are under way or waiting, which is the limit; try again later", kMaxRefreshes),
                {{"limit", std::to_string(kMaxRefreshes)}});
  SetRetryDelay(status, kRefreshAgainAfter);
  return status;
}

// Where the page after `token` begins: the id of the last storage of the page before.
absl::StatusOr<size_t> BeginOf(const std::vector<StorageStatus>& storages, const std::string& token) {
  if (token.empty()) return 0;
  for (size_t i = 0; i < storages.size(); ++i) {
    if (storages[i].storage.storage_id == token) return i + 1;
  }
  return service::PageTokenInvalid(token);
}

// VLANs are in the order of their storages: the page begins after one that is gone, too.
size_t BeginOf(const std::vector<VlanStatus>& vlans, const std::string& token) {
  const auto begin =
      std::find_if(vlans.begin(), vlans.end(), [&](const VlanStatus& status) { return status.record.vlan.storage_id > token; });
  return static_cast<size_t>(begin - vlans.begin());
}

absl::Status ReadVlans(StorageVlanManager& vlans, const v1::ListStorageVlansRequest& request,
                       v1::ListStorageVlansResponse& response) {
  const absl::StatusOr<size_t> page_size = service::ParsePageSize(request.page_size());
  if (!page_size.ok()) return page_size.status();
  const absl::StatusOr<std::vector<VlanStatus>> all = vlans.List();
  if (!all.ok()) return all.status();
  const size_t begin = BeginOf(*all, request.page_token());
  const size_t end = std::min(begin + *page_size, all->size());
  for (size_t i = begin; i < end; ++i) *response.add_vlans() = ToProto((*all)[i]);
  if (end < all->size()) response.set_next_page_token((*all)[end - 1].record.vlan.storage_id);
  return absl::OkStatus();
}

absl::Status CreateVlan(StorageVlanManager& vlans, const v1::CreateStorageVlanRequest& request,
                        v1::CreateStorageVlanResponse& response) {
  if (!request.has_vlan()) return VlanMissing();
  const absl::StatusOr<StorageVlan> vlan = ParseStorageVlan(request.vlan());
  if (!vlan.ok()) return vlan.status();
  const absl::StatusOr<VlanReport> report = vlans.Create(*vlan, request.validate_only());
  if (!report.ok()) return report.status();
  *response.mutable_report() = ToProto(*report);
  return absl::OkStatus();
}

absl::Status DeleteVlan(StorageVlanManager& vlans, const v1::DeleteStorageVlanRequest& request,
                        v1::DeleteStorageVlanResponse& response) {
  if (request.storage_id().empty()) return StorageIdMissing();
  const absl::StatusOr<VlanReport> report = vlans.Delete(request.storage_id(), request.validate_only());
  if (!report.ok()) return report.status();
  *response.mutable_report() = ToProto(*report);
  return absl::OkStatus();
}

absl::Status ReconcileVlans(StorageVlanManager& vlans, const v1::ReconcileStorageVlansRequest& request,
                            v1::ReconcileStorageVlansResponse& response) {
  const absl::StatusOr<std::vector<VlanReport>> reports = vlans.Reconcile(request.storage_id(), request.validate_only());
  if (!reports.ok()) return reports.status();
  for (const VlanReport& report : *reports) *response.add_reports() = ToProto(report);
  return absl::OkStatus();
}

// What was found counts, even when the store could not keep it: the next check tells it again.
absl::Status Refresh(StorageBoard& board, const v1::RefreshStorageStatusRequest& request,
                     v1::RefreshStorageStatusResponse& response, std::stop_token stop) {
  const std::vector<std::string> storage_ids(request.storage_ids().begin(), request.storage_ids().end());
  const StorageBoard::Outcome outcome = board.Refresh(storage_ids, {}, std::move(stop));
  for (const Refreshed& refreshed : outcome.refreshed) {
    v1::RefreshedStorage& row = *response.add_refreshed();
    *row.mutable_storage() = ToProto(refreshed.now);
    row.set_state_before(ToProto(refreshed.before));
  }
  return outcome.refreshed.empty() ? outcome.stored : absl::OkStatus();
}

}  // namespace

ServerUnaryReactor* StorageRpc::ListStorages(CallbackServerContext* context, const v1::ListStoragesRequest* request,
                                             v1::ListStoragesResponse* response) {
  const absl::StatusOr<size_t> page_size = service::ParsePageSize(request->page_size());
  if (!page_size.ok()) return Reply(context, page_size.status());
  const StorageBoard::Listing listing = parts_.board.List();
  const absl::StatusOr<size_t> begin = BeginOf(listing.storages, request->page_token());
  if (!begin.ok()) return Reply(context, begin.status());
  const size_t end = std::min(*begin + *page_size, listing.storages.size());
  for (size_t i = *begin; i < end; ++i) *response->add_storages() = ToProto(listing.storages[i]);
  if (end < listing.storages.size()) response->set_next_page_token(listing.storages[end - 1].storage.storage_id);
  if (request->page_token().empty()) {
    for (const StorageWarning& warning : listing.warnings) *response->add_warnings() = ToProto(warning);
  }
  response->set_config_error(CleanUtf8(listing.config_error, kMaxErrorBytes));
  return Reply(context, absl::OkStatus());
}

ServerUnaryReactor* StorageRpc::GetStorageStatus(CallbackServerContext* context, const v1::GetStorageStatusRequest* request,
                                                 v1::GetStorageStatusResponse* response) {
  if (request->storage_id().empty()) return Reply(context, StorageIdMissing());
  const absl::StatusOr<StorageStatus> status = parts_.board.Get(request->storage_id());
  if (!status.ok()) return Reply(context, status.status());
  *response->mutable_storage() = ToProto(*status);
  return Reply(context, absl::OkStatus());
}

ServerUnaryReactor* StorageRpc::RefreshStorageStatus(CallbackServerContext* context,
                                                     const v1::RefreshStorageStatusRequest* request,
                                                     v1::RefreshStorageStatusResponse* response) {
  if (const absl::Status status = CheckRefresh(*request); !status.ok()) return Reply(context, status);
  if (refreshes_.fetch_add(1) >= kMaxRefreshes) {
    refreshes_.fetch_sub(1);
    return Reply(context, RefreshBackpressure());
  }
  auto* call = new service::StoppableCall;  // OnDone deletes it
  parts_.checking.Post([this, call, request, response] {
    const absl::Status status = Refresh(parts_.board, *request, *response, call->stop());
    refreshes_.fetch_sub(1);
    call->Finish(ToGrpcStatus(status));
  });
  return call;
}

ServerUnaryReactor* StorageRpc::CreateStorageVlan(CallbackServerContext* context, const v1::CreateStorageVlanRequest* request,
                                                  v1::CreateStorageVlanResponse* response) {
  return ReplyLater(context, parts_.changing,
                    [this, request, response] { return CreateVlan(parts_.vlans, *request, *response); });
}

ServerUnaryReactor* StorageRpc::DeleteStorageVlan(CallbackServerContext* context, const v1::DeleteStorageVlanRequest* request,
                                                  v1::DeleteStorageVlanResponse* response) {
  return ReplyLater(context, parts_.changing,
                    [this, request, response] { return DeleteVlan(parts_.vlans, *request, *response); });
}

ServerUnaryReactor* StorageRpc::ListStorageVlans(CallbackServerContext* context, const v1::ListStorageVlansRequest* request,
                                                 v1::ListStorageVlansResponse* response) {
  return ReplyLater(context, parts_.changing, [this, request, response] { return ReadVlans(parts_.vlans, *request, *response); });
}

ServerUnaryReactor* StorageRpc::ReconcileStorageVlans(CallbackServerContext* context,
                                                      const v1::ReconcileStorageVlansRequest* request,
                                                      v1::ReconcileStorageVlansResponse* response) {
  return ReplyLater(context, parts_.changing,
                    [this, request, response] { return ReconcileVlans(parts_.vlans, *request, *response); });
}

absl::StatusOr<std::string> StorageRpc::ResourceAskedFor(const v1::ListHookExecutionsRequest& request) const {
  return request.storage_id().empty() ? std::string() : "storage/" + request.storage_id();
}

absl::Status StorageRpc::CheckRefresh(const v1::RefreshStorageStatusRequest& request) const {
  if (request.storage_ids_size() > kMaxStorageIds) return TooManyStorageIds(request.storage_ids_size());
  if (request.storage_ids().empty()) return absl::OkStatus();
  std::set<std::string> known;
  for (const StorageStatus& status : parts_.board.List().storages) known.insert(status.storage.storage_id);
  for (const std::string& storage_id : request.storage_ids()) {
    if (!known.contains(storage_id)) return parts_.board.Get(storage_id).status();
  }
  return absl::OkStatus();
}

}  // namespace pvebus::storage
