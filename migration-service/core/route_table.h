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
//   rust-advanced     all below a segment that begins with "network"
//   rust-sdn          all below a segment that begins with "sdn"
//   rust-full         all
// Each phase has what those before it have.
class RouteTable {
 public:
  struct Timeouts {
    std::chrono::milliseconds read{30'000};
    std::chrono::milliseconds write{60'000};
  };
  RouteTable(std::vector<RouteRule> overrides, Timeouts timeouts) : overrides_(std::move(overrides)), timeouts_(timeouts) {}

  // What fits no rule is Perl's ("default").
  Route Resolve(Phase phase, const Endpoint& endpoint) const;
  // All that hold in a phase, in their order.
  std::vector<RouteRule> RulesIn(Phase phase) const;

 private:
  const std::vector<RouteRule> overrides_;
  const Timeouts timeouts_;
};

}  // namespace pvebus::migration
