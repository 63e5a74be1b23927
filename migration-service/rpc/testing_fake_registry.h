#pragma once

#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "pvebus/bus/v1/registry_service.grpc.pb.h"
#include "sdk/base/mutex.h"

namespace pvebus::migration {

// The bus's registry, as far as it counts dead letters. Any thread.
class FakeRegistry final : public bus::v1::RegistryService::Service {
 public:
  FakeRegistry() {
    grpc::ServerBuilder builder;
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~FakeRegistry() override { server_->Shutdown(); }

  std::shared_ptr<grpc::Channel> channel() { return server_->InProcessChannel({}); }
  // A listener that was never set is NOT_FOUND.
  void Set(const std::string& listener, uint64_t dead_letters) {
    MutexLock lock(mu_);
    dead_letters_[listener] = dead_letters;
  }
  // From now on it says so, whatever it is asked; OK: no longer.
  void Refuse(const grpc::Status& status) {
    MutexLock lock(mu_);
    refusal_ = status;
  }
  int asked() {
    MutexLock lock(mu_);
    return asked_;
  }

 private:
  grpc::Status GetListener(grpc::ServerContext*, const bus::v1::GetListenerRequest* request,
                           bus::v1::GetListenerResponse* response) override {
    MutexLock lock(mu_);
    ++asked_;
    if (!refusal_.ok()) return refusal_;
    const auto found = dead_letters_.find(request->name());
    if (found == dead_letters_.end()) return {grpc::StatusCode::NOT_FOUND, "no such listener"};
    response->mutable_listener()->set_name(request->name());
    response->mutable_listener()->set_dead_letters(found->second);
    return grpc::Status::OK;
  }

  Mutex mu_;
  std::map<std::string, uint64_t> dead_letters_ ABSL_GUARDED_BY(mu_);
  grpc::Status refusal_ ABSL_GUARDED_BY(mu_);
  int asked_ ABSL_GUARDED_BY(mu_) = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace pvebus::migration
