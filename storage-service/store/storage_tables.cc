#include "storage-service/store/storage_tables.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace pvebus::storage {
namespace {

// Their numbers on disk are their places: only added to.
constexpr std::array kPhases = {StorageVlanRecord::Phase::kDefined, StorageVlanRecord::Phase::kCreating,
                                StorageVlanRecord::Phase::kDeleting, StorageVlanRecord::Phase::kRecreating};
constexpr std::array kKinds = {Notice::Kind::kVlanCreated, Notice::Kind::kVlanDeleted, Notice::Kind::kStatusChanged};
constexpr std::array kStates = {StorageState::kUnknown, StorageState::kActive, StorageState::kInactive, StorageState::kError,
                                StorageState::kDisabled};

template <typename Values, typename Value>
int64_t NumberOf(const Values& values, Value value) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] == value) return static_cast<int64_t>(i);
  }
  return -1;
}

// Reads a row and knows whether all of it meant something.
class Row {
 public:
  explicit Row(const SqliteStatement& statement) : statement_(statement) {}
  bool ok() const { return ok_; }

  std::string Text(int column) const { return std::string(statement_.Bytes(column)); }
  bool Flag(int column) const { return statement_.Number(column) != 0; }
  template <typename Number>
  Number From(int column, int64_t least, int64_t most) {
    const int64_t number = statement_.Number(column);
    ok_ = ok_ && number >= least && number <= most;
    return static_cast<Number>(number);
  }
  template <typename Values>
  auto OneOf(int column, const Values& values) {
    const auto place = From<size_t>(column, 0, static_cast<int64_t>(values.size()) - 1);
    return place < values.size() ? values[place] : values[0];
  }
  IpPrefix Prefix(int column) { return Meaning(ParseIpPrefix(statement_.Bytes(column))); }
  std::optional<IpAddress> Address(int column) {
    if (statement_.Bytes(column).empty()) return std::nullopt;
    return Meaning(ParseIpAddress(statement_.Bytes(column)));
  }
  std::vector<IpPrefix> Prefixes(int column) {
    std::vector<IpPrefix> prefixes;
    std::string_view text = statement_.Bytes(column);
    while (!text.empty()) {
      const size_t comma = std::min(text.find(','), text.size());
      prefixes.push_back(Meaning(ParseIpPrefix(text.substr(0, comma))));
      text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return prefixes;
  }
  SystemTime Time(int column) const {
    return SystemTime(std::chrono::duration_cast<SystemTime::duration>(std::chrono::nanoseconds(statement_.Number(column))));
  }

 private:
  template <typename T>
  T Meaning(std::optional<T> value) {
    ok_ = ok_ && value.has_value();
    return value.value_or(T{});
  }

  const SqliteStatement& statement_;
  bool ok_ = true;
};

std::string Joined(const std::vector<IpPrefix>& prefixes) {
  return absl::StrJoin(prefixes, ",", [](std::string* out, const IpPrefix& prefix) { out->append(prefix.ToString()); });
}

int64_t Nanoseconds(SystemTime time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

StorageVlanRecord ReadVlan(Row& row) {
  StorageVlanRecord record;
  record.vlan = {.storage_id = row.Text(0),
                 .base = row.Text(1),
                 .tag = row.From<uint16_t>(2, 1, 4094),
                 .address = row.Prefix(3),
                 .mtu = row.From<uint32_t>(4, 0, kMostMtu),
                 .gateway = row.Address(5),
                 .routed_subnets = row.Prefixes(6),
                 .isolated = row.Flag(7)};
  record.phase = row.OneOf(8, kPhases);
  record.made = {
      .link = row.Flag(9), .bridge_vid = row.Flag(10), .address = row.Flag(11), .up = row.Flag(12), .routes = row.Prefixes(13)};
  record.create_time = row.Time(14);
  return record;
}

Notice ReadNotice(Row& row) {
  return {.number = row.From<int64_t>(0, 1, INT64_MAX),
          .request_id = row.Text(1),
          .kind = row.OneOf(2, kKinds),
          .storage_id = row.Text(3),
          .parent_event_id = row.Text(4),
          .time = row.Time(5),
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
  std::vector<StorageVlanRecord> records;
  for (;;) {
    auto found = (*query)->Step();
    if (!found.ok()) return found.status();
    if (!*found) return records;
    Row row(**query);
    records.push_back(ReadVlan(row));
    if (!row.ok()) return Meaningless("vlans", records.back().vlan.storage_id);
  }
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
  row.Bind(9, NumberOf(kPhases, record.phase));
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
  std::vector<std::pair<std::string, StorageState>> states;
  for (;;) {
    auto found = (*query)->Step();
    if (!found.ok()) return found.status();
    if (!*found) return states;
    Row row(**query);
    states.emplace_back(row.Text(0), row.OneOf(1, kStates));
    if (!row.ok()) return Meaningless("told_states", states.back().first);
  }
}

absl::Status StorageTables::PutToldState(const std::string& storage_id, StorageState state) {
  auto insert = SqliteStatement::Prepare(database_, "INSERT OR REPLACE INTO told_states VALUES (?1, ?2)");
  if (!insert.ok()) return insert.status();
  (*insert)->BindText(1, storage_id);
  (*insert)->Bind(2, NumberOf(kStates, state));
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
  std::vector<Notice> notices;
  for (;;) {
    auto found = (*query)->Step();
    if (!found.ok()) return found.status();
    if (!*found) return notices;
    Row row(**query);
    notices.push_back(ReadNotice(row));
    if (!row.ok()) return Meaningless("notices", absl::StrFormat("%d", notices.back().number));
  }
}

absl::Status StorageTables::AddNotice(const Notice& notice) {
  auto insert = SqliteStatement::Prepare(database_,
                                         "INSERT INTO notices (request_id, kind, storage_id, parent_event_id, time_ns, link, "
                                         "state_before, state_after, reason) VALUES "
                                         "(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
  if (!insert.ok()) return insert.status();
  SqliteStatement& row = **insert;
  row.BindText(1, notice.request_id);
  row.Bind(2, NumberOf(kKinds, notice.kind));
  row.BindText(3, notice.storage_id);
  row.BindText(4, notice.parent_event_id);
  row.Bind(5, Nanoseconds(notice.time));
  row.BindText(6, notice.link);
  row.Bind(7, NumberOf(kStates, notice.before));
  row.Bind(8, NumberOf(kStates, notice.after));
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

absl::Status StorageTables::Meaningless(std::string_view table, std::string_view row) const {
  return absl::DataLossError(absl::StrFormat("reading %s: the row %s of %s means nothing", database_.path(), row, table));
}

}  // namespace pvebus::storage
