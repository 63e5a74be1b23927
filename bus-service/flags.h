#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "bus-service/core/limits.h"
#include "sdk/service/options.h"

namespace CLI {
class App;
}  // namespace CLI

namespace pvebus::bus {

// What the bus's command line says.
struct Flags {
  service::ServiceOptions service;
  std::string journal = "sqlite";
  uint64_t journal_limit_mib = 0;  // 0: the journal's default
  bool accept_data_loss = false;
  std::chrono::seconds retention_age{0};
  uint64_t retention_mib = 0;
  uint64_t retention_count = 0;
  uint64_t retention_backlog = 0;
  uint64_t max_event_bytes = 1 << 20;
  double drain_grace_seconds = 10;
  std::vector<std::string> required_listeners;

  bool durable() const { return journal == "sqlite"; }
  // Of events in the journal.
  uint64_t JournalBytes() const;
  std::string DataDirectory() const;
  Limits MakeLimits() const;
};

// Requires: `flags` outlives `app`.
void AddFlags(CLI::App& app, Flags& flags);

}  // namespace pvebus::bus
