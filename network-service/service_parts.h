#pragma once

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/channel.h"
#include "grpcpp/impl/service_type.h"
#include "network-service/core/network_applier.h"
#include "network-service/flags.h"
#include "network-service/host/node/node_of_machine.h"
#include "network-service/host/watch/configuration_watch.h"
#include "network-service/rpc/network_rpc.h"
#include "network-service/rpc/notice_outbox.h"
#include "network-service/rpc/publications.h"
#include "network-service/store/sqlite_apply_store.h"
#include "network-service/upkeep/apply_upkeep.h"
#include "sdk/base/clock.h"
#include "sdk/base/executor.h"
#include "sdk/base/log.h"
#include "sdk/client/outbox.h"
#include "sdk/client/publisher.h"
#include "sdk/client/random_id.h"
#include "sdk/service/options.h"

namespace pvebus::network {

// What the parts of network-service stand on.
struct ServiceSurroundings {
  const service::ServiceOptions& service;
  const service::HookServiceOptions& bus;
  const Flags& network;
  const Clock& clock;
  Logger& logger;
};

// All parts of network-service, put together: what each needs stands above it, and so outlives it. Part of main.
class ServiceParts {
 public:
  static absl::StatusOr<std::unique_ptr<ServiceParts>> Make(const ServiceSurroundings& surroundings);
  // For Make.
  ServiceParts(const ServiceSurroundings& surroundings, std::unique_ptr<SqliteApplyStore> store);
  // Waits for what the upkeep is doing. Requires: no call is under way.
  ~ServiceParts();
  ServiceParts(const ServiceParts&) = delete;
  ServiceParts& operator=(const ServiceParts&) = delete;

  grpc::Service& rpc() { return rpc_; }
  // Takes up what an earlier process left.
  void Start();

 private:
  absl::Status WatchFiles(const Flags& flags);

  client::LockedRandom random_;
  const std::unique_ptr<SqliteApplyStore> store_;
  const std::shared_ptr<grpc::Channel> channel_;
  const client::Publisher publisher_;
  NoticeOutbox notices_;
  client::Outbox outbox_;
  NodeOfMachine node_;
  NetworkApplier applier_;
  Publications publications_;
  ThreadPool changing_;
  ThreadPool confirming_;
  ThreadPool reading_;
  NetworkRpc rpc_;
  ApplyUpkeep upkeep_;
  std::unique_ptr<ConfigurationWatch> watch_;  // it and the upkeep tell each other
};

}  // namespace pvebus::network
