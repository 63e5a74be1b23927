#include "cli/storage_status_output.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/duration.h"
#include "cli/facts.h"
#include "cli/result_output.h"
#include "cli/storage_output.h"
#include "cli/table.h"
#include "sdk/client/proto_time.h"

namespace pvebus::cli {
namespace {

using storage::v1::EndpointStatus;
using storage::v1::RefreshedStorage;
using storage::v1::Storage;
using storage::v1::StorageState;

std::string StateInWords(StorageState state) { return ShortName(StorageState_Name(state)); }

// "ERROR (was ACTIVE)".
std::string StateInWords(const RefreshedStorage& refreshed) {
  const std::string state = StateInWords(refreshed.storage().state());
  if (refreshed.state_before() == refreshed.storage().state()) return state;
  return absl::StrFormat("%s (was %s)", state, StateInWords(refreshed.state_before()));
}

// "vmbr0.100 (vlan 100, down)".
std::string Way(const EndpointStatus& endpoint) {
  if (endpoint.interface().empty()) return "";
  std::vector<std::string> notes;
  if (endpoint.vlan_tag() != 0) notes.push_back(absl::StrFormat("vlan %d", endpoint.vlan_tag()));
  if (!endpoint.link_up()) notes.emplace_back("down");
  return endpoint.interface() + (notes.empty() ? "" : " (" + absl::StrJoin(notes, ", ") + ")");
}

std::string Ways(const Storage& storage) {
  std::vector<std::string> ways;
  for (const EndpointStatus& endpoint : storage.endpoints()) {
    std::string way = Way(endpoint);
    if (!way.empty() && std::find(ways.begin(), ways.end(), way) == ways.end()) ways.push_back(std::move(way));
  }
  return absl::StrJoin(ways, ", ");
}

std::string SlowestAnswer(const Storage& storage) {
  std::optional<std::chrono::nanoseconds> slowest;
  for (const EndpointStatus& endpoint : storage.endpoints()) {
    if (!endpoint.has_latency()) continue;
    slowest = std::max(slowest.value_or(std::chrono::nanoseconds(0)), client::FromProto(endpoint.latency()));
  }
  return slowest ? FormatDuration(*slowest) : "-";
}

std::string CheckedAgo(const Storage& storage, SystemTime now) {
  const std::string age = FormatAge(storage.check_time(), now);
  return age == "-" || age == "now" ? age : age + " ago";
}

Table StorageTable() { return Table({"STORAGE", "TYPE", "STATE", "VIA", "CHECKED", "LATENCY", "REASON"}); }

void AddRow(const Storage& storage, const std::string& state, SystemTime now, Table& table) {
  table.Add({storage.storage_id(), storage.type(), state, Ways(storage), CheckedAgo(storage, now), SlowestAnswer(storage),
             storage.reason()});
}

void PrintOrSayNone(const Table& table, std::ostream& out) {
  if (table.empty()) {
    out << "no storages\n";
  } else {
    table.Print(out);
  }
}

std::string LastCheck(const Storage& storage, SystemTime now) {
  if (!storage.has_check_time()) return "not yet: pvebus storage status " + storage.storage_id() + " --refresh";
  return absl::StrFormat("%s (%s), took %s", CheckedAgo(storage, now), FormatTime(storage.check_time()),
                         FormatDuration(storage.check_duration()));
}

std::string Mount(const Storage& storage) {
  if (!storage.has_mounted()) return "";
  if (storage.mounted()) return "at " + storage.mount_point();
  return storage.mount_point().empty() ? "no" : absl::StrFormat("no; it would be at %s", storage.mount_point());
}

std::string LogIn(const Storage& storage) {
  if (!storage.has_logged_in()) return "";
  return storage.logged_in() ? "yes" : "no";
}

std::string Kind(const Storage& storage) {
  return storage.type() + (storage.network() ? ", network" : ", local") + (storage.shared() ? ", shared" : "");
}

std::string Address(const EndpointStatus& endpoint) {
  const auto port = static_cast<uint16_t>(endpoint.port());
  return FormatEndpoint({endpoint.host(), port == 0 ? std::nullopt : std::optional(port)});
}

void PrintEndpoints(const Storage& storage, std::ostream& out) {
  if (storage.endpoints().empty()) return;
  out << "\nendpoints\n";
  Table table({"ENDPOINT", "STATE", "LATENCY", "ADDRESS", "VIA", "GATEWAY", "STANDS ON", "DETAIL"});
  for (const EndpointStatus& endpoint : storage.endpoints()) {
    table.Add({Address(endpoint), ShortName(Reachability_Name(endpoint.reachability())),
               endpoint.has_latency() ? FormatDuration(endpoint.latency()) : "-",
               endpoint.address() == endpoint.host() ? "" : endpoint.address(), Way(endpoint), endpoint.gateway(),
               absl::StrJoin(endpoint.chain().begin() + std::min(1, endpoint.chain_size()), endpoint.chain().end(), ", "),
               endpoint.message()});
  }
  table.Print(out);
}

void PrintStorage(const Storage& storage, const std::string& state, SystemTime now, std::ostream& out) {
  const Facts facts(out);
  facts.Add("storage", storage.storage_id());
  facts.Add("type", Kind(storage));
  facts.Add("state", state + (storage.reason().empty() ? "" : ": " + storage.reason()));
  facts.Add("enabled", storage.enabled() ? "yes" : "no, disabled in storage.cfg");
  facts.Add("nodes", storage.nodes().empty() ? "all" : absl::StrJoin(storage.nodes(), ", "));
  facts.Add("holds", absl::StrJoin(storage.contents(), ", "));
  facts.Add("mounted", Mount(storage));
  facts.Add("logged in", LogIn(storage));
  facts.Add("checked", LastCheck(storage, now));
  PrintEndpoints(storage, out);
}

}  // namespace

void PrintStorageStatuses(const StorageList& storages, SystemTime now, std::ostream& out) {
  Table table = StorageTable();
  for (const Storage& storage : storages) AddRow(storage, StateInWords(storage.state()), now, table);
  PrintOrSayNone(table, out);
}

void PrintRefreshedStorages(const RefreshedList& refreshed, SystemTime now, std::ostream& out) {
  Table table = StorageTable();
  for (const RefreshedStorage& one : refreshed) AddRow(one.storage(), StateInWords(one), now, table);
  PrintOrSayNone(table, out);
}

void PrintStorageStatus(const Storage& storage, SystemTime now, std::ostream& out) {
  PrintStorage(storage, StateInWords(storage.state()), now, out);
}

void PrintRefreshedStorage(const RefreshedStorage& refreshed, SystemTime now, std::ostream& out) {
  PrintStorage(refreshed.storage(), StateInWords(refreshed), now, out);
}

void PrintStorageConfigProblems(const storage::v1::ListStoragesResponse& response, std::ostream& out) {
  std::vector<storage::StorageWarning> warnings;
  for (const storage::v1::StorageConfigWarning& warning : response.warnings()) {
    warnings.push_back({warning.line(), warning.storage_id(), warning.message(), warning.section_skipped()});
  }
  PrintStorageWarnings("storage.cfg", warnings, out);
  if (response.config_error().empty()) return;
  out << absl::StrFormat("pvebus: storage.cfg cannot be read, what it said last is in force: %s\n",
                         Printable(response.config_error()));
}

}  // namespace pvebus::cli
