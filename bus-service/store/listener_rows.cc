#include "bus-service/store/listener_rows.h"

#include "absl/strings/str_format.h"
#include "bus-service/store/damage.h"
#include "bus-service/store/state_codec.h"

namespace pvebus::bus {
namespace {

int64_t Signed(uint64_t value) { return static_cast<int64_t>(value); }

int64_t InterestChecksum(int64_t listener, int64_t after, int64_t types, std::string_view filter) {
  return RowChecksum().Add(listener).Add(after).Add(types).Add(filter).value();
}

}  // namespace

absl::Status ListenerRows::Prepare() {
  return sql_.Prepare({
      "INSERT OR REPLACE INTO listeners VALUES (?1,?2,?3,?4)",
      "INSERT OR REPLACE INTO interests VALUES (?1,?2,?3,?4,?5)",
      "INSERT OR REPLACE INTO progress VALUES (?1,?2,?3,?4,?5,?6,?7,?8)",
      "DELETE FROM listeners WHERE listener_id = ?1",
      "DELETE FROM interests WHERE listener_id = ?1",
      "DELETE FROM progress WHERE listener_id = ?1",
      "SELECT * FROM listeners ORDER BY listener_id",
      "SELECT after_sequence, event_types, filter, checksum FROM interests WHERE listener_id = ?1 ORDER BY after_sequence",
      "SELECT * FROM progress WHERE listener_id = ?1",
      R"sql(SELECT listener_id FROM interests UNION SELECT listener_id FROM progress
            EXCEPT SELECT listener_id FROM listeners)sql",
  });
}

absl::Status ListenerRows::PutListener(ListenerId listener, const ListenerSnapshot& snapshot) {
  const std::string state = EncodeSnapshot(snapshot);
  SqliteStatement& put = sql_[kPutListener];
  put.Bind(1, Signed(listener));
  put.BindText(2, snapshot.name);
  put.BindBlob(3, state);
  put.Bind(4, RowChecksum().Add(listener).Add(snapshot.name).Add(state).value());
  return put.Run();
}

absl::Status ListenerRows::PutInterest(ListenerId listener, const Interest& interest) {
  SqliteStatement& put = sql_[kPutInterest];
  put.Bind(1, Signed(listener));
  put.Bind(2, Signed(interest.after));
  put.Bind(3, interest.event_types);
  put.BindText(4, interest.filter);
  put.Bind(5, InterestChecksum(Signed(listener), Signed(interest.after), interest.event_types, interest.filter));
  return put.Run();
}

absl::Status ListenerRows::PutProgress(ListenerId listener, const Progress& progress) {
  const std::string unsettled = EncodeSequences(progress.unsettled);
  const std::string gaps = EncodeGaps(progress.gaps);
  SqliteStatement& put = sql_[kPutProgress];
  RowChecksum checksum;
  int parameter = 0;
  for (const uint64_t value :
       {listener, progress.next_sequence, progress.wanted_again_until, progress.ahead, progress.counted_until}) {
    put.Bind(++parameter, Signed(value));
    checksum.Add(value);
  }
  put.BindBlob(6, unsettled);
  put.BindBlob(7, gaps);
  put.Bind(8, checksum.Add(unsettled).Add(gaps).value());
  return put.Run();
}

absl::Status ListenerRows::Drop(ListenerId listener) {
  for (const auto sql : {kDropListener, kDropInterests, kDropProgress}) {
    sql_[sql].Bind(1, Signed(listener));
    if (auto status = sql_[sql].Run(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ListenerRows::LoadInterests(Recovery::Listener& listener) {
  sql_[kReadInterests].Bind(1, Signed(listener.id));
  return ForEachRow(sql_[kReadInterests], [&](const SqliteStatement& row) {
    if (row.Number(3) != InterestChecksum(Signed(listener.id), row.Number(0), row.Number(1), row.Bytes(2))) {
      return Damaged("interests", 0, absl::StrFormat("an interest of listener %d does not match its checksum", listener.id));
    }
    listener.interests.push_back(
        {static_cast<Sequence>(row.Number(0)), static_cast<uint32_t>(row.Number(1)), std::string(row.Bytes(2))});
    return absl::OkStatus();
  });
}

absl::Status ListenerRows::LoadProgress(Recovery::Listener& listener, bool& found) {
  sql_[kReadProgress].Bind(1, Signed(listener.id));
  return ForEachRow(sql_[kReadProgress], [&](const SqliteStatement& row) {
    RowChecksum checksum;
    for (int column = 0; column < 5; ++column) checksum.Add(row.Number(column));
    Progress& progress = listener.progress;
    if (row.Number(7) != checksum.Add(row.Bytes(5)).Add(row.Bytes(6)).value() ||
        !DecodeSequences(row.Bytes(5), progress.unsettled) || !DecodeGaps(row.Bytes(6), progress.gaps)) {
      return Damaged("progress", 0, absl::StrFormat("the progress of listener %d does not match its checksum", listener.id));
    }
    progress.next_sequence = static_cast<Sequence>(row.Number(1));
    progress.wanted_again_until = static_cast<Sequence>(row.Number(2));
    progress.ahead = static_cast<uint64_t>(row.Number(3));
    progress.counted_until = static_cast<Sequence>(row.Number(4));
    found = true;
    return absl::OkStatus();
  });
}

std::vector<Recovery::Listener> ListenerRows::Load(const Problem& problem) {
  std::vector<Recovery::Listener> listeners;
  const auto read = ForEachRow(sql_[kReadListeners], [&](const SqliteStatement& row) {
    Recovery::Listener listener;
    listener.id = static_cast<ListenerId>(row.Number(0));
    const int64_t checksum = RowChecksum().Add(row.Number(0)).Add(row.Bytes(1)).Add(row.Bytes(2)).value();
    absl::Status status;
    bool found_progress = false;
    if (row.Number(3) != checksum || !DecodeSnapshot(row.Bytes(2), listener.snapshot)) {
      status = Damaged("listeners", 0, absl::StrFormat("listener %d does not match its checksum", listener.id));
    }
    if (status.ok()) status = LoadInterests(listener);
    if (status.ok()) status = LoadProgress(listener, found_progress);
    if (status.ok() && !found_progress) {
      status = Damaged("progress", 0, absl::StrFormat("the progress of listener \"%s\" is missing", listener.snapshot.name));
    }
    if (status.ok()) {
      listeners.push_back(std::move(listener));
    } else {
      problem(status);
    }
    return absl::OkStatus();
  });
  if (!read.ok()) problem(read);
  // Rows of no listener: a damaged listener_id leaves some.
  const auto orphans = ForEachRow(sql_[kReadOrphans], [&](const SqliteStatement& row) {
    Recovery::Listener nobody;
    nobody.id = static_cast<ListenerId>(row.Number(0));
    bool found_progress = false;
    for (const absl::Status& status : {LoadInterests(nobody), LoadProgress(nobody, found_progress)}) {
      if (!status.ok()) problem(status);
    }
    return absl::OkStatus();
  });
  if (!orphans.ok()) problem(orphans);
  return listeners;
}

}  // namespace pvebus::bus
