#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pvebus::migration {

// What has to be so before the phase goes forward.
struct GateLimits {
  uint64_t min_transactions = 0;             // network transactions applied in the phase in force
  double max_failure_share = 1.0;            // of the calls of the new implementation that were reported in it
  uint64_t min_reports = 0;                  // before which the share says nothing: fewer keep the gate closed
  std::vector<std::string> quiet_listeners;  // those that must have no dead letters
};

// How it is.
struct GateFacts {
  uint64_t transactions = 0;
  uint64_t reports = 0;
  uint64_t failures = 0;
  // By listener; nothing: the bus could not be asked, or knows no such listener.
  std::map<std::string, std::optional<uint64_t>> dead_letters;
};

struct GateVerdict {
  std::string gate;  // "transactions", "failure-share", "dead-letters/storage-hooks"
  bool open = false;
  std::string message;  // "3 of 10 network transactions in this phase"

  bool operator==(const GateVerdict&) const = default;
};

// What the message of a gate begins with that is closed because nobody knows.
inline constexpr char kBusDoesNotSay[] = "the bus does not say";

// One per gate that there is a limit for, in this order. Pure; any thread.
std::vector<GateVerdict> JudgeGates(const GateLimits& limits, const GateFacts& facts);
bool AllOpen(const std::vector<GateVerdict>& verdicts);

}  // namespace pvebus::migration
