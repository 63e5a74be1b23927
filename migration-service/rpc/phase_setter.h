#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "migration-service/core/migration_state.h"
#include "migration-service/core/migration_store.h"
#include "migration-service/rpc/gate_keeper.h"
#include "pvebus/bus/v1/bus_service.pb.h"
#include "sdk/base/mutex.h"
#include "sdk/base/random.h"
#include "sdk/client/publisher.h"

namespace pvebus::migration {

// What an operator asks for.
struct SetPhaseOrder {
  Phase phase = Phase::kPerlOnly;
  bool force = false;
  bool validate_only = false;
  std::string reason;
  std::string etag;        // empty: whatever is in force
  std::string request_id;  // empty: none
  std::string requested_by;
};

// What came of it. Neither changed nor a dry run: the phase was in force already.
struct SetPhaseResult {
  bool dry_run = false;
  std::optional<PhaseChange> change;
  std::optional<bus::v1::PublishResult> result;
  std::vector<GateVerdict> gates;
};

// Has the phase changed by an event that comes back through the bus. Owned by main. Any thread; calls wait for the bus, and for
// each other.
class PhaseSetter {
 public:
  // Requires: all of them outlive it.
  PhaseSetter(MigrationState& state, MigrationStore& store, const GateKeeper& gates, const client::Publisher& publisher,
              Random& random)
      : state_(state), store_(store), gates_(gates), publisher_(publisher), random_(random) {}

  // Errors as MigrationService.SetPhase.
  absl::StatusOr<SetPhaseResult> Set(const SetPhaseOrder& order) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  absl::StatusOr<SetPhaseResult> SetInTurn(const SetPhaseOrder& order);
  absl::StatusOr<SetPhaseResult> Publish(const PhaseOrder& order, SetPhaseResult result);

  MigrationState& state_;
  MigrationStore& store_;
  const GateKeeper& gates_;
  const client::Publisher& publisher_;
  Random& random_;

  Mutex mu_;
  CondVar freed_;
  bool taken_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace pvebus::migration
