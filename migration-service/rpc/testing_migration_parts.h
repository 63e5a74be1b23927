#pragma once

#include <memory>
#include <utility>

#include "gtest/gtest.h"
#include "migration-service/core/outcome_window.h"
#include "migration-service/core/testing_memory_migration_store.h"
#include "migration-service/rpc/migration_hooks.h"
#include "migration-service/rpc/phase_setter.h"
#include "migration-service/rpc/testing_fake_registry.h"
#include "migration-service/rpc/testing_phase_bus.h"
#include "sdk/client/channel.h"
#include "sdk/client/random_id.h"

namespace pvebus::migration {

// What changes the phase, all but the route table; only bus and disk are played. Owned by the test.
struct MigrationTestParts {
  explicit MigrationTestParts(GateLimits limits = {}) : gates(std::move(limits), *state, registry.channel()) {
    EXPECT_TRUE(chain.Add(PhaseTracker(*state, gates, [this] { window.Clear(); })).ok());
    EXPECT_TRUE(chain.Add(AppliedCounter(*state)).ok());
  }

  Phase phase() const { return state->status().phase; }
  // Without the bus.
  void Enter(Phase to, const std::string& event_id) {
    EXPECT_TRUE(state->Enter({.to = to, .force = true, .reason = "for the test", .event_id = event_id}, {}).ok());
  }

  RealClock clock;
  NullLogger logger;
  MemoryMigrationStore store;
  std::unique_ptr<MigrationState> state = *MigrationState::Load(store);
  FakeRegistry registry;
  GateKeeper gates;
  OutcomeWindow window{{.window = 10, .least = 4, .step_back = 0.5}};
  hooks::HookChain chain{{}, clock};
  PhaseBus bus{chain};
  client::Publisher publisher{client::Connect(bus.address()), "migration-service@pve1", clock};
  client::LockedRandom random;
  PhaseSetter setter{*state, store, gates, publisher, random};
};

}  // namespace pvebus::migration
