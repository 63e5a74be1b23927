#include "storage-service/rpc/storage_rpc.h"

#include <memory>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"
#include "sdk/base/mutex.h"
#include "sdk/client/fake_bus.h"
#include "sdk/status/status.h"
#include "storage-service/core/testing_fake_kernel.h"
#include "storage-service/core/testing_memory_store.h"

namespace pvebus::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// All endpoints are reachable. While it is shut, it hangs until it is opened or stopped.
class GatedProbe final : public StorageProbe {
 public:
  void Shut() { SetShut(true); }
  void Open() { SetShut(false); }
  // How the last measurement that hung ended: true when it was stopped.
  std::optional<bool> WaitStopped() { return stopped_.Take(); }
  bool WaitHangs() { return hangs_.Take().has_value(); }

  std::vector<Measurement> Measure(const std::vector<Storage>& storages, std::stop_token stop) override {
    Pass(stop);
    std::vector<Measurement> measured;
    for (const Storage& storage : storages) {
      Measurement& measurement = measured.emplace_back(Measurement{.mounted = true});
      for (const Endpoint& endpoint : storage.endpoints) {
        measurement.endpoints.push_back({.endpoint = endpoint, .reachability = Reachability::kReachable, .address = "10.0.0.9"});
      }
    }
    return measured;
  }

 private:
  void SetShut(bool shut) {
    MutexLock lock(mu_);
    shut_ = shut;
    changed_.NotifyAll();
  }
  void Pass(const std::stop_token& stop) {
    const std::stop_callback wake(stop, [this] {
      MutexLock lock(mu_);
      changed_.NotifyAll();
    });
    const SteadyTime deadline = std::chrono::steady_clock::now() + client::kPatience;
    MutexLock lock(mu_);
    if (!shut_) return;
    hangs_.Put(true);
    while (shut_ && !stop.stop_requested() && changed_.WaitUntil(mu_, deadline)) {
    }
    stopped_.Put(stop.stop_requested());
  }

  Mutex mu_;
  CondVar changed_;
  bool shut_ ABSL_GUARDED_BY(mu_) = false;
  client::Mailbox<bool> hangs_;
  client::Mailbox<bool> stopped_;
};

class StorageRpcTest : public testing::Test {
 protected:
  StorageRpcTest() {
    kernel_.Add({.name = "eno1", .mtu = 1500, .up = true, .running = true});
    board_.SetConfig(
        ParseStorageConfig("nfs: nas\n\texport /a\n\tserver 10.0.0.9\n\n"
                           "nfs: far\n\texport /b\n\tserver 10.0.0.10\n\n"
                           "dir: local\n\tpath /var/lib/vz\n\n"
                           "nosuch: thing\n\tpath /x\n"));
    grpc::ServerBuilder builder;
    builder.RegisterService(&rpc_);
    server_ = builder.BuildAndStart();
    stub_ = v1::StorageService::NewStub(server_->InProcessChannel({}));
  }
  ~StorageRpcTest() override {
    probe_.Open();
    server_->Shutdown();
  }

  template <typename Request, typename Response>
  using Rpc = grpc::Status (v1::StorageService::Stub::*)(grpc::ClientContext*, const Request&, Response*);
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(Rpc<Request, Response> rpc, const Request& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + client::kPatience);
    Response response;
    const absl::Status status = FromGrpcStatus(((*stub_).*rpc)(&context, request, &response));
    if (!status.ok()) return status;
    return response;
  }

  absl::StatusOr<v1::ListStoragesResponse> List(int page_size = 0, const std::string& page_token = "") {
    v1::ListStoragesRequest request;
    request.set_page_size(page_size);
    request.set_page_token(page_token);
    return Call(&v1::StorageService::Stub::ListStorages, request);
  }
  absl::StatusOr<v1::RefreshStorageStatusResponse> Refresh(const std::vector<std::string>& ids = {}) {
    v1::RefreshStorageStatusRequest request;
    request.mutable_storage_ids()->Assign(ids.begin(), ids.end());
    return Call(&v1::StorageService::Stub::RefreshStorageStatus, request);
  }
  absl::StatusOr<v1::CreateStorageVlanResponse> Create(const std::string& storage_id, uint32_t tag, bool validate_only = false) {
    v1::CreateStorageVlanRequest request;
    request.mutable_vlan()->set_storage_id(storage_id);
    request.mutable_vlan()->set_base("eno1");
    request.mutable_vlan()->set_tag(tag);
    request.mutable_vlan()->set_address(absl::StrFormat("10.%d.0.5/24", tag % 256));
    request.set_validate_only(validate_only);
    return Call(&v1::StorageService::Stub::CreateStorageVlan, request);
  }
  absl::StatusOr<v1::DeleteStorageVlanResponse> Delete(const std::string& storage_id) {
    v1::DeleteStorageVlanRequest request;
    request.set_storage_id(storage_id);
    return Call(&v1::StorageService::Stub::DeleteStorageVlan, request);
  }
  absl::StatusOr<v1::ListStorageVlansResponse> Vlans(int page_size = 0, const std::string& page_token = "") {
    v1::ListStorageVlansRequest request;
    request.set_page_size(page_size);
    request.set_page_token(page_token);
    return Call(&v1::StorageService::Stub::ListStorageVlans, request);
  }
  absl::StatusOr<v1::ReconcileStorageVlansResponse> Reconcile(const std::string& storage_id = "") {
    v1::ReconcileStorageVlansRequest request;
    request.set_storage_id(storage_id);
    return Call(&v1::StorageService::Stub::ReconcileStorageVlans, request);
  }

  RealClock clock_;
  MemoryStorageStore store_;
  FakeKernel kernel_;
  GatedProbe probe_;
  StorageBoard board_{"pve1", probe_, store_, clock_, [] {}};
  StorageVlanManager vlans_{kernel_, kernel_, store_, clock_, [] {}};
  hooks::HookChain chain_{{}, clock_};
  StorageRpc rpc_{chain_, {board_, vlans_, checking_, changing_}};
  ThreadPool checking_{1};
  ThreadPool changing_{1};
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::StorageService::Stub> stub_;
};

std::vector<std::string> Ids(const absl::StatusOr<v1::ListStoragesResponse>& page) {
  std::vector<std::string> ids;
  if (!page.ok()) return {page.status().ToString()};
  for (const v1::Storage& storage : page->storages()) ids.push_back(storage.storage_id());
  return ids;
}

std::vector<std::string> Ids(const absl::StatusOr<v1::ListStorageVlansResponse>& page) {
  std::vector<std::string> ids;
  if (!page.ok()) return {page.status().ToString()};
  for (const v1::StorageVlanStatus& status : page->vlans()) ids.push_back(status.vlan().storage_id());
  return ids;
}

TEST_F(StorageRpcTest, StoragesAreListedInTheOrderOfStorageCfgInPages) {
  board_.SetConfigError("storage.cfg: permission denied");

  const auto first = List(2);
  ASSERT_TRUE(first.ok()) << first.status();
  const auto second = List(2, first->next_page_token());

  EXPECT_THAT(Ids(first), ElementsAre("nas", "far"));
  EXPECT_THAT(Ids(second), ElementsAre("local"));
  EXPECT_THAT(second->next_page_token(), IsEmpty());
  EXPECT_EQ(first->config_error(), "storage.cfg: permission denied");
  ASSERT_EQ(first->warnings_size(), 1);
  EXPECT_TRUE(first->warnings(0).section_skipped());
  EXPECT_EQ(second->warnings_size(), 0);
}

TEST_F(StorageRpcTest, PagesThatCannotBeAreRefused) {
  EXPECT_EQ(ErrorReason(List(-1).status()), "PAGE_SIZE_INVALID");
  EXPECT_EQ(ErrorReason(List(1001).status()), "PAGE_SIZE_INVALID");
  EXPECT_EQ(ErrorReason(List(2, "nobody").status()), "PAGE_TOKEN_INVALID");
  EXPECT_EQ(ErrorReason(Vlans(-1).status()), "PAGE_SIZE_INVALID");
}

TEST_F(StorageRpcTest, OneStorageIsGivenAsItWasCheckedLast) {
  v1::GetStorageStatusRequest request;
  request.set_storage_id("nas");
  ASSERT_TRUE(Refresh().ok());

  const auto response = Call(&v1::StorageService::Stub::GetStorageStatus, request);

  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->storage().state(), v1::STORAGE_STATE_ACTIVE);
  EXPECT_EQ(response->storage().endpoints(0).host(), "10.0.0.9");
}

TEST_F(StorageRpcTest, UnknownStoragesAreNamedWithTheNearest) {
  v1::GetStorageStatusRequest request;
  request.set_storage_id("nass");

  const absl::Status got = Call(&v1::StorageService::Stub::GetStorageStatus, request).status();
  const absl::Status refreshed = Refresh({"nas", "nass"}).status();

  for (const absl::Status& status : {got, refreshed}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
    EXPECT_EQ(ErrorReason(status), "STORAGE_NOT_FOUND");
    EXPECT_THAT(std::string(status.message()), HasSubstr("did you mean 'nas'?"));
  }
  EXPECT_EQ(ErrorReason(Call(&v1::StorageService::Stub::GetStorageStatus, v1::GetStorageStatusRequest()).status()),
            "STORAGE_ID_MISSING");
}

TEST_F(StorageRpcTest, CheckTellsBeforeAndAfter) {
  const auto some = Refresh({"far"});
  const auto all = Refresh();

  ASSERT_TRUE(some.ok()) << some.status();
  ASSERT_EQ(some->refreshed_size(), 1);
  EXPECT_EQ(some->refreshed(0).storage().storage_id(), "far");
  EXPECT_EQ(some->refreshed(0).state_before(), v1::STORAGE_STATE_UNKNOWN);
  EXPECT_EQ(some->refreshed(0).storage().state(), v1::STORAGE_STATE_ACTIVE);
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(all->refreshed_size(), 3);
}

TEST_F(StorageRpcTest, WhatWasFoundCountsEvenWhenItCannotBeKept) {
  store_.FailWith(absl::UnavailableError("the disk is full"));

  EXPECT_TRUE(Refresh().ok());
}

TEST_F(StorageRpcTest, TooManyStoragesAreRefusedWithTheLimit) {
  const absl::Status status = Refresh(std::vector<std::string>(1001, "nas")).status();

  EXPECT_EQ(ErrorReason(status), "TOO_MANY_STORAGE_IDS");
  EXPECT_EQ(ErrorMetadata(status)["limit"], "1000");
}

TEST_F(StorageRpcTest, ChecksThatHangDelayNoVlanAndNoMoreThanSixteenWait) {
  constexpr int kCalls = 17;
  probe_.Shut();
  client::Mailbox<grpc::Status> ends;
  const v1::RefreshStorageStatusRequest request;
  grpc::ClientContext contexts[kCalls];
  v1::RefreshStorageStatusResponse responses[kCalls];

  for (int i = 0; i < kCalls; ++i) {
    contexts[i].set_deadline(std::chrono::system_clock::now() + 2 * client::kPatience);
    stub_->async()->RefreshStorageStatus(&contexts[i], &request, &responses[i], [&](grpc::Status status) { ends.Put(status); });
  }
  const auto refused = ends.Take();
  const absl::Status vlans = Vlans().status();
  probe_.Open();

  const absl::Status refusal = FromGrpcStatus(refused.value_or(grpc::Status::OK));
  EXPECT_EQ(ErrorReason(refusal), "REFRESH_BACKPRESSURE");
  EXPECT_TRUE(RetryDelay(refusal));
  EXPECT_TRUE(vlans.ok()) << vlans;
  for (int i = 1; i < kCalls; ++i) {
    const auto end = ends.Take();
    EXPECT_TRUE(end && end->ok());
  }
  EXPECT_TRUE(Refresh().ok());
}

TEST_F(StorageRpcTest, CheckEndsWhenItsClientHangsUp) {
  probe_.Shut();
  client::Mailbox<grpc::Status> ends;
  const v1::RefreshStorageStatusRequest request;
  grpc::ClientContext context;
  v1::RefreshStorageStatusResponse response;
  stub_->async()->RefreshStorageStatus(&context, &request, &response, [&](grpc::Status status) { ends.Put(status); });
  ASSERT_TRUE(probe_.WaitHangs());

  context.TryCancel();

  EXPECT_EQ(probe_.WaitStopped(), true);
  EXPECT_TRUE(ends.Take());
}

TEST_F(StorageRpcTest, VlanIsMadeListedPutRightAndTakenAway) {
  const auto created = Create("nas", 20);
  ASSERT_TRUE(created.ok()) << created.status();
  const auto listed = Vlans();
  kernel_.Delete("eno1.20");
  const auto missing = Vlans();
  const auto reconciled = Reconcile();
  const auto deleted = Delete("nas");

  EXPECT_EQ(created->report().state(), bus::v1::HOOK_STATE_CHANGED);
  EXPECT_EQ(created->report().link(), "eno1.20");
  EXPECT_TRUE(created->report().link_created());
  ASSERT_THAT(Ids(listed), ElementsAre("nas"));
  EXPECT_TRUE(listed->vlans(0).in_order()) << listed->vlans(0).findings();
  EXPECT_FALSE(missing->vlans(0).in_order());
  ASSERT_TRUE(reconciled.ok()) << reconciled.status();
  ASSERT_EQ(reconciled->reports_size(), 1);
  EXPECT_EQ(reconciled->reports(0).state(), bus::v1::HOOK_STATE_CHANGED);
  ASSERT_TRUE(deleted.ok()) << deleted.status();
  EXPECT_THAT(Ids(Vlans()), IsEmpty());
}

TEST_F(StorageRpcTest, VlanThatIsOnlyCheckedIsNotMade) {
  const auto checked = Create("nas", 20, true);

  ASSERT_TRUE(checked.ok()) << checked.status();
  EXPECT_EQ(checked->report().state(), bus::v1::HOOK_STATE_DRY_RUN);
  EXPECT_THAT(Ids(Vlans()), IsEmpty());
  EXPECT_EQ(kernel_.Find("eno1.20"), nullptr);
}

TEST_F(StorageRpcTest, VlansThatCannotBeSayWhy) {
  EXPECT_EQ(ErrorReason(Create("nas", 4095).status()), "TAG_INVALID");
  EXPECT_EQ(ErrorReason(Call(&v1::StorageService::Stub::CreateStorageVlan, v1::CreateStorageVlanRequest()).status()),
            "VLAN_MISSING");
  EXPECT_EQ(ErrorReason(Delete("").status()), "STORAGE_ID_MISSING");
  EXPECT_EQ(ErrorReason(Delete("nas").status()), "VLAN_NOT_FOUND");
  EXPECT_EQ(ErrorReason(Reconcile("nas").status()), "VLAN_NOT_FOUND");
}

TEST_F(StorageRpcTest, PagesOfVlansGoOnWhenTheLastOneIsGone) {
  for (const char* id : {"aa", "bb", "cc"}) ASSERT_TRUE(Create(id, 10 + id[0]).ok());

  const auto first = Vlans(2);
  ASSERT_THAT(Ids(first), ElementsAre("aa", "bb"));
  ASSERT_TRUE(Delete("bb").ok());
  const auto second = Vlans(2, first->next_page_token());

  EXPECT_THAT(Ids(second), ElementsAre("cc"));
  EXPECT_THAT(second->next_page_token(), IsEmpty());
}

}  // namespace
}  // namespace pvebus::storage
