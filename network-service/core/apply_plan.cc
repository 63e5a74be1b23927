#include "network-service/core/apply_plan.h"

#include <cstdint>
#include <string_view>
#include <utility>

#include "absl/strings/str_format.h"
#include "network-service/core/interfaces_printer.h"
#include "sdk/base/utf8.h"

namespace pvebus::network {
namespace {

// FNV-1a: the same after a restart.
uint64_t Hash(uint64_t hash, std::string_view bytes) {
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 1099511628211u;
  return (hash ^ bytes.size()) * 1099511628211u;
}

std::string EtagOf(const NodeFiles& files, const NetworkConfiguration& before, const NetworkConfiguration& after) {
  uint64_t hash = 14695981039346656037u;
  hash = Hash(hash, files.applied.value_or(""));
  hash = Hash(hash, files.staged.value_or(""));
  // What is sourced.
  hash = Hash(hash, PrintInterfaces(before.interfaces));
  hash = Hash(hash, PrintInterfaces(after.interfaces));
  return absl::StrFormat("%016x", hash);
}

}  // namespace

absl::StatusOr<ApplyPlan> ReadPlan(NetworkNode& node, Candidate candidate) {
  auto files = node.ReadFiles();
  if (!files.ok()) return files.status();
  auto before = node.ReadApplied();
  if (!before.ok()) return before.status();
  auto after = node.ReadCandidate(candidate);
  if (!after.ok()) return after.status();
  ApplyPlan plan{.files = *std::move(files), .before = *std::move(before), .after = *std::move(after)};
  plan.diff = Compare(plan.before, plan.after);
  plan.etag = EtagOf(plan.files, plan.before, plan.after);
  return plan;
}

std::vector<std::string> WarningsOf(const NetworkDiff& diff) {
  std::vector<std::string> warnings;
  for (const Diagnostic& diagnostic : diff.diagnostics) {
    if (diagnostic.severity != Severity::kWarning) continue;
    const std::string file = CleanUtf8(diagnostic.place.file, diagnostic.place.file.size());
    warnings.push_back(diagnostic.place.line == 0
                           ? absl::StrFormat("%s: %s", file, diagnostic.message)
                           : absl::StrFormat("%s:%d: %s", file, diagnostic.place.line, diagnostic.message));
  }
  return warnings;
}

}  // namespace pvebus::network
