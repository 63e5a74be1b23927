#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "container-service/core/container_starts.h"
#include "container-service/core/container_watch.h"
#include "container-service/flags.h"
#include "container-service/host/node/host_node.h"
#include "container-service/host/programs/directory_programs.h"
#include "container-service/host/spool/spool_directory.h"
#include "container-service/host/spool/spool_watch.h"
#include "container-service/rpc/container_rpc.h"
#include "container-service/store/known_containers_file.h"
#include "container-service/upkeep/link_upkeep.h"
#include "grpcpp/impl/service_type.h"
#include "sdk/base/executor.h"
#include "sdk/client/outbox.h"
#include "sdk/hook_service/hook_main.h"
#include "sdk/netlink/netlink_watch.h"

namespace pvebus::container {

// All parts of container-service, put together: what each needs stands above it, and so outlives it. Part of main.
class ServiceParts {
 public:
  // Adds the hooks, takes up what an earlier process and hookscripts left, and begins to watch.
  static absl::StatusOr<std::shared_ptr<grpc::Service>> Assemble(const hook_service::HookProgramParts& program,
                                                                 const Flags& flags);
  // For Assemble.
  ServiceParts(const hook_service::HookProgramParts& program, const Flags& flags, std::unique_ptr<SpoolDirectory> spool);

 private:
  absl::Status AddHooks(const hook_service::HookProgramParts& program, const Flags& flags);
  absl::Status WatchSpool();
  absl::Status WatchLinks();
  absl::StatusOr<NodeObservation> Observe() const;
  absl::Status Tell(const std::vector<Occurrence>& occurrences);

  Logger& logger_;
  const std::string boot_id_;
  ContainerStarts starts_;
  const HostNode node_;
  DirectoryPrograms programs_;
  const KnownContainersFile known_file_;
  const std::unique_ptr<SpoolDirectory> spool_;
  client::Outbox outbox_;
  ThreadPool looking_;
  ThreadPool running_;
  ContainerRpc rpc_;
  std::unique_ptr<SpoolWatch> spool_watch_;
  std::unique_ptr<LinkUpkeep> upkeep_;
  std::unique_ptr<NetlinkWatch> network_watch_;
};

}  // namespace pvebus::container
