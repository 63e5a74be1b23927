#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "migration-service/core/endpoint.h"
#include "migration-service/core/phase.h"

namespace pvebus::migration {

// Who answers a call.
enum class Implementation { kPerl, kRust };
std::string_view NameOf(Implementation implementation);  // "perl", "rust"

// Whether the other implementation may be asked when the one that should answer does not.
enum class Fallback {
  kNone,       // there is no other
  kAllowed,    // a read: asking twice changes nothing
  kIfNotSent,  // a write: only when it cannot have been executed, because no connection came about
};

// What decides about calls: the first rule that fits.
struct RouteRule {
  std::string name;                  // "override 1", "rust-read-only: reads", ...
  std::vector<std::string> methods;  // upper case; empty: all
  PathPattern pattern;
  Implementation implementation = Implementation::kRust;

  bool Fits(const Endpoint& endpoint) const;
};

struct Route {
  Implementation implementation = Implementation::kPerl;
  std::string rule;
  Fallback fallback = Fallback::kNone;
  std::chrono::milliseconds timeout{};
};

// An operator's exception, in a line: "GET,PUT nodes/{node}/network/** perl"; "*" for all methods. It holds in every phase.
// INVALID_ARGUMENT OVERRIDE_INVALID that says what is wrong.
absl::StatusOr<RouteRule> ParseOverride(std::string_view line);

// Who answers what in which phase. Pure; any thread.
//
// The table of the phases, on real paths (a call is a read when its method is GET or HEAD):
//   perl-only         nothing
//   rust-read-only    reads
//   rust-basic-write  POST and DELETE of nodes/{node}/network, POST, PUT and DELETE of nodes/{node}/network/{iface}; not PUT of
//                     nodes/{node}/network, which reloads the network
//   rust-advanced     all of nodes/{node}/network*/** and cluster/network*/**
//   rust-sdn          all of nodes/{node}/sdn*/** and cluster/sdn*/**
//   rust-full         all
// Each phase has what those before it have.
//
// "network" and "sdn" count only where the API itself names a segment, never where an id stands: a node, a storage or a pool may
// be called "network" or "sdn1". In Proxmox VE 8 that is nodes/{node}/network, nodes/{node}/sdn and cluster/sdn; cluster/network
// is there for the sake of the table, and the '*' for what is named after them one day. The guest agent's
// nodes/{node}/qemu/{vmid}/agent/network-get-interfaces is no part of the node's network: it is a read like others.
class RouteTable {
 public:
  struct Timeouts {
    std::chrono::milliseconds read{30'000};
    std::chrono::milliseconds write{60'000};
  };
  // The first override that fits wins, whatever the phase.
  RouteTable(std::vector<RouteRule> overrides, Timeouts timeouts);

  // What fits no rule is Perl's ("default").
  Route Resolve(Phase phase, const Endpoint& endpoint) const;
  // All that hold in a phase, in their order.
  std::vector<RouteRule> RulesIn(Phase phase) const;

 private:
  struct RuleSince {
    Phase since;
    RouteRule rule;
  };

  const Timeouts timeouts_;
  std::vector<RuleSince> rules_;  // constant after construction
};

}  // namespace pvebus::migration
