#include "storage-service/store/storage_tables.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/strings/str_join.h"
#include "sdk/sqlite/row.h"

namespace pvebus::storage {
namespace {

// Their numbers on disk are their places: only added to.
constexpr std::array kPhases = {StorageVlanRecord::Phase::kDefined, StorageVlanRecord::Phase::kCreating,
                                StorageVlanRecord::Phase::kDeleting, StorageVlanRecord::Phase::kRecreating};
constexpr std::array kKinds = {Notice::Kind::kVlanCreated, Notice::Kind::kVlanDeleted, Notice::Kind::kStatusChanged};
constexpr std::array kStates = {StorageState::kUnknown, StorageState::kActive, StorageState::kInactive, StorageState::kError,
                                StorageState::kDisabled};

IpPrefix PrefixOf(SqliteRow& row, int column) { return row.Meaning(ParseIpPrefix(row.Text(column))); }

std::optional<IpAddress> AddressOf(SqliteRow& row, int column) {
  const std::string text = row.Text(column);
  if (text.empty()) return std::nullopt;
  return row.Meaning(ParseIpAddress(text));
}

std::vector<IpPrefix> PrefixesOf(SqliteRow& row, int column) {
  std::vector<IpPrefix> prefixes;
  const std::string all = row.Text(column);
  std::string_view text = all;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    prefixes.push_back(row.Meaning(ParseIpPrefix(text.substr(0, comma))));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return prefixes;
}

std::string Joined(const std::vector<IpPrefix>& prefixes) {
  return absl::StrJoin(prefixes, ",", [](std::string* out, const IpPrefix& prefix) { out->append(prefix.ToString()); });
}

StorageVlanRecord ReadVlan(SqliteRow& row) {
  StorageVlanRecord record;
  record.vlan = {.storage_id = row.Text(0),
                 .base = row.Text(1),
                 .tag = row.From<uint16_t>(2, 1, 4094),
                 .address = PrefixOf(row, 3),
                 .mtu = row.From<uint32_t>(4, 0, kMostMtu),
                 .gateway = AddressOf(row, 5),
                 .routed_subnets = PrefixesOf(row, 6),
                 .isolated = row.Flag(7)};
  record.phase = row.OneOf(8, kPhases);
  record.made = {.link = row.Flag(9),
                 .bridge_vid = row.Flag(10),
                 .address = row.Flag(11),
                 .up = row.Flag(12),
                 .routes = PrefixesOf(row, 13)};
  record.create_time = row.PointInTime(14);
  return record;
}

Notice ReadNotice(SqliteRow& row) {
  return {.number = row.From<int64_t>(0, 1, INT64_MAX),
          .request_id = row.Text(1),
          .kind = row.OneOf(2, kKinds),
          .storage_id = row.Text(3),
          .parent_event_id = row.Text(4),
          .time = row.PointInTime(5),
          .link = row.Text(6),
          .before = row.OneOf(7, kStates),
          .after = row.OneOf(8, kStates),
          .reason = row.Text(9)};
}

}  // namespace

absl::StatusOr<std::vector<StorageVlanRecord>> StorageTables::Vlans() {
  auto query = SqliteStatement::Prepare(database_,
                                        "SELECT storage_id, base, tag, address, mtu, gateway, routed_subnets, isolated, phase, "
                                        "made_link, made_bridge_vid, made_address, "
                                        "made_up, made_routes, create_time_ns FROM vlans ORDER BY storage_id");
  if (!query.ok()) return query.status();
  return ReadRows(database_, **query, "vlans", ReadVlan);
}

absl::Status StorageTables::PutVlan(const StorageVlanRecord& record) {
  auto insert = SqliteStatement::Prepare(
      database_, "INSERT OR REPLACE INTO vlans VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)");
  if (!insert.ok()) return insert.status();
  const StorageVlan& vlan = record.vlan;
  const std::string address = vlan.address.ToString();
  const std::string gateway = vlan.gateway ? vlan.gateway->ToString() : "";
  const std::string routed_subnets = Joined(vlan.routed_subnets);
  const std::string made_routes = Joined(record.made.routes);
  SqliteStatement& row = **insert;
  row.BindText(1, vlan.storage_id);
  row.BindText(2, vlan.base);
  row.Bind(3, vlan.tag);
  row.BindText(4, address);
  row.Bind(5, vlan.mtu);
  row.BindText(6, gateway);
  row.BindText(7, routed_subnets);
  row.Bind(8, vlan.isolated ? 1 : 0);
  row.Bind(9, PlaceOf(kPhases, record.phase));
  row.Bind(10, record.made.link ? 1 : 0);
  row.Bind(11, record.made.bridge_vid ? 1 : 0);
  row.Bind(12, record.made.address ? 1 : 0);
  row.Bind(13, record.made.up ? 1 : 0);
  row.BindText(14, made_routes);
  row.Bind(15, Nanoseconds(record.create_time));
  return row.Run();
}

absl::Status StorageTables::RemoveVlan(const std::string& storage_id) {
  return RunWith("DELETE FROM vlans WHERE storage_id = ?1", storage_id);
}

absl::StatusOr<std::vector<std::pair<std::string, StorageState>>> StorageTables::ToldStates() {
  auto query = SqliteStatement::Prepare(database_, "SELECT storage_id, state FROM told_states ORDER BY storage_id");
  if (!query.ok()) return query.status();
  return ReadRows(database_, **query, "told_states",
                  [](SqliteRow& row) { return std::pair(row.Text(0), row.OneOf(1, kStates)); });
}

absl::Status StorageTables::PutToldState(const std::string& storage_id, StorageState state) {
  auto insert = SqliteStatement::Prepare(database_, "INSERT OR REPLACE INTO told_states VALUES (?1, ?2)");
  if (!insert.ok()) return insert.status();
  (*insert)->BindText(1, storage_id);
  (*insert)->Bind(2, PlaceOf(kStates, state));
  return (*insert)->Run();
}

absl::Status StorageTables::ForgetToldState(const std::string& storage_id) {
  return RunWith("DELETE FROM told_states WHERE storage_id = ?1", storage_id);
}

absl::StatusOr<std::vector<Notice>> StorageTables::Notices() {
  auto query =
      SqliteStatement::Prepare(database_,
                               "SELECT number, request_id, kind, storage_id, parent_event_id, time_ns, link, state_before, "
                               "state_after, reason FROM notices ORDER BY number");
  if (!query.ok()) return query.status();
  return ReadRows(database_, **query, "notices", ReadNotice);
}

absl::Status StorageTables::AddNotice(const Notice& notice) {
  auto insert = SqliteStatement::Prepare(database_,
                                         "INSERT INTO notices (request_id, kind, storage_id, parent_event_id, time_ns, link, "
                                         "state_before, state_after, reason) VALUES "
                                         "(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
  if (!insert.ok()) return insert.status();
  SqliteStatement& row = **insert;
  row.BindText(1, notice.request_id);
  row.Bind(2, PlaceOf(kKinds, notice.kind));
  row.BindText(3, notice.storage_id);
  row.BindText(4, notice.parent_event_id);
  row.Bind(5, Nanoseconds(notice.time));
  row.BindText(6, notice.link);
  row.Bind(7, PlaceOf(kStates, notice.before));
  row.Bind(8, PlaceOf(kStates, notice.after));
  row.BindText(9, notice.reason);
  return row.Run();
}

absl::Status StorageTables::RemoveNotice(int64_t number) {
  auto remove = SqliteStatement::Prepare(database_, "DELETE FROM notices WHERE number = ?1");
  if (!remove.ok()) return remove.status();
  (*remove)->Bind(1, number);
  return (*remove)->Run();
}

absl::Status StorageTables::RunWith(const char* sql, const std::string& storage_id) {
  auto statement = SqliteStatement::Prepare(database_, sql);
  if (!statement.ok()) return statement.status();
  (*statement)->BindText(1, storage_id);
  return (*statement)->Run();
}

}  // namespace pvebus::storage
