#pragma once

#include <memory>
#include <vector>

#include "grpcpp/channel.h"
#include "migration-service/core/gates.h"
#include "migration-service/core/migration_state.h"
#include "migration-service/core/phase_change.h"

namespace pvebus::migration {

// Looks how the gates stand: asks the state, and the bus for dead letters. Owned by main. Any thread; calls wait for the bus, at
// most for two seconds.
class GateKeeper {
 public:
  // Requires: `state` outlives it.
  GateKeeper(GateLimits limits, const MigrationState& state, std::shared_ptr<grpc::Channel> bus);

  std::vector<GateVerdict> Judge() const;
  // Those that decide about this order: none of a step back, or when it is forced.
  std::vector<GateVerdict> JudgeFor(const PhaseOrder& order) const;

 private:
  const GateLimits limits_;
  const MigrationState& state_;
  const std::shared_ptr<grpc::Channel> bus_;
};

}  // namespace pvebus::migration
