#include "network-service/rpc/notice_outbox.h"

#include <cstdint>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "network-service/rpc/network_event.h"

namespace pvebus::network {
namespace {

// An event may be large, and the first ones are published first.
constexpr size_t kMostAtOnce = 10;

}  // namespace

absl::StatusOr<std::vector<client::OutboxEntry>> NoticeOutbox::Entries() {
  const auto notices = store_.Notices();
  if (!notices.ok()) return notices.status();
  std::vector<client::OutboxEntry> entries;
  for (const Notice& notice : *notices) {
    const auto record = store_.Find(notice.apply_id);
    if (!record.ok()) return record.status();
    if (!*record) return absl::DataLossError("a notice is about no apply that there is: " + notice.apply_id);
    entries.push_back({.key = absl::StrFormat("%d", notice.number),
                       .label = absl::StrFormat("notice=%s apply=%s", NameOf(notice.kind), notice.apply_id),
                       .request_id = RequestIdOf(notice.kind, notice.apply_id),
                       .event = EventOf(notice.kind, **record)});
    if (entries.size() == kMostAtOnce) break;
  }
  return entries;
}

absl::Status NoticeOutbox::Remove(const std::string& key) {
  int64_t number = 0;
  if (!absl::SimpleAtoi(key, &number)) return absl::InvalidArgumentError("no notice has the number " + key);
  return store_.RemoveNotice(number);
}

}  // namespace pvebus::network
