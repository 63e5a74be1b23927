#include "storage-service/rpc/notice_outbox.h"

#include <cstdint>
#include <string_view>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "sdk/base/utf8.h"

namespace pvebus::storage {
namespace {

using event::v1::SystemEvent;

constexpr size_t kMaxNameBytes = 256;  // of a subject and of an ordering key
constexpr size_t kMaxTextBytes = 4096;

const char* NameOf(Notice::Kind kind) {
  switch (kind) {
    case Notice::Kind::kVlanCreated:
      return "storage_vlan_created";
    case Notice::Kind::kVlanDeleted:
      return "storage_vlan_deleted";
    case Notice::Kind::kStatusChanged:
      return "storage_status_changed";
  }
  return "unknown";
}

void Set(event::v1::Custom& custom, const char* field, std::string_view text) {
  (*custom.mutable_data())[field].set_string_value(CleanUtf8(text, kMaxTextBytes));
}

void SetCustom(const Notice& notice, SystemEvent& event) {
  event::v1::Custom& custom = *event.mutable_custom();
  custom.set_name(NameOf(notice.kind));
  event.set_ordering_key(CleanUtf8("storage/" + notice.storage_id, kMaxNameBytes));
  Set(custom, "storage_id", notice.storage_id);
  if (notice.kind == Notice::Kind::kVlanDeleted) {
    Set(custom, "link", notice.link);
    return;
  }
  Set(custom, "before", StorageStateName(notice.before));
  Set(custom, "after", StorageStateName(notice.after));
  Set(custom, "reason", notice.reason);
}

}  // namespace

SystemEvent EventOf(const Notice& notice) {
  SystemEvent event;
  event.set_subject(CleanUtf8(notice.storage_id, kMaxNameBytes));
  if (!notice.parent_event_id.empty()) event.mutable_causation()->set_parent_event_id(notice.parent_event_id);
  if (notice.kind == Notice::Kind::kVlanCreated) {
    event.mutable_storage_vlan_created()->set_id(CleanUtf8(notice.storage_id, kMaxTextBytes));
  } else {
    SetCustom(notice, event);
  }
  return event;
}

absl::StatusOr<std::vector<client::OutboxEntry>> NoticeOutbox::Entries() {
  const absl::StatusOr<std::vector<Notice>> notices = store_.Notices();
  if (!notices.ok()) return notices.status();
  std::vector<client::OutboxEntry> entries;
  entries.reserve(notices->size());
  for (const Notice& notice : *notices) {
    entries.push_back(
        {.key = absl::StrFormat("%d", notice.number),
         .label = absl::StrFormat("notice=%s storage=%s", NameOf(notice.kind), CleanUtf8(notice.storage_id, kMaxNameBytes)),
         .request_id = notice.request_id,
         .event = EventOf(notice)});
  }
  return entries;
}

absl::Status NoticeOutbox::Remove(const std::string& key) {
  int64_t number = 0;
  if (!absl::SimpleAtoi(key, &number)) return absl::InvalidArgumentError("no notice has the number " + key);
  return store_.RemoveNotice(number);
}

}  // namespace pvebus::storage
