#include "migration-service/rpc/hooks_takeover.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "migration-service/core/phase.h"

namespace pvebus::migration {
namespace {

constexpr char kPhase[] = "phase";                // "rust-sdn 1700000000000000000 EVENT_ID"
constexpr char kTransactions[] = "transactions";  // the count; its text is the last event

std::optional<PhaseChange> ChangeOf(const hooks::KeptValue& value) {
  const std::vector<std::string> parts = absl::StrSplit(value.text, absl::MaxSplits(' ', 2));
  int64_t nanoseconds = 0;
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[1], &nanoseconds)) return std::nullopt;
  const std::optional<Phase> phase = PhaseOfName(parts[0]);
  if (!phase) return std::nullopt;
  const auto since_epoch = std::chrono::duration_cast<SystemTime::duration>(std::chrono::nanoseconds(nanoseconds));
  return PhaseChange{
      .number = 1, .to = *phase, .reason = "taken over from hooks.db", .event_id = parts[2], .time = SystemTime(since_epoch)};
}

MigrationRecord KeptBefore(const hooks::HookChain& chain) {
  MigrationRecord record;
  for (const auto& [name, value] : chain.Kept()) {
    if (name == kPhase) record.last_change = ChangeOf(value);
    if (name != kTransactions) continue;
    record.transactions = static_cast<uint64_t>(value.number);
    record.last_transaction_event_id = value.text;
  }
  return record;
}

}  // namespace

absl::Status TakeOverFromHooks(const hooks::HookChain& chain, MigrationStore& store) {
  const auto found = store.Load();
  if (!found.ok()) return found.status();
  const MigrationRecord before = KeptBefore(chain);
  if (*found != MigrationRecord{} || before == MigrationRecord{}) return absl::OkStatus();
  return store.TakeOver(before);
}

}  // namespace pvebus::migration
