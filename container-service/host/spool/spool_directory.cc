#include "container-service/host/spool/spool_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "container-service/host/spool/spool_errors.h"
#include "container-service/host/spool/spool_file.h"
#include "google/protobuf/util/message_differencer.h"
#include "sdk/base/utf8.h"
#include "sdk/events/names.h"
#include "sdk/events/request_json.h"

namespace pvebus::container {
namespace {

constexpr size_t kMostEntries = 1000;
constexpr size_t kMostBytes = size_t{16} << 20;  // of all entries that are given out at once
constexpr size_t kMostNameBytes = 255;           // that file systems know
constexpr size_t kMostReasonBytes = 512;         // of the log line about a bad file
// Of the file that is being written: one at a time, so that what a crash left is overwritten.
constexpr const char* kNewName = ".new";

std::string LabelOf(const events::EventRequest& request) {
  const event::v1::SystemEvent& event = request.event;
  const std::string name =
      event.has_custom() ? absl::CEscape(event.custom().name()) : std::string(events::EventTypeName(events::TypeOf(event)));
  return absl::StrFormat("notice=%s request_id=%s", name, request.request_id);
}

bool IsTaken(const std::string& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0 || errno != ENOENT;
}

// Empty: there are a thousand already.
std::string BadNameFor(const std::string& path, const std::string& name) {
  const std::string stem = name.substr(0, kMostNameBytes - std::string_view(".999.bad").size());
  for (int number = 1; number < 1000; ++number) {
    std::string bad = number == 1 ? stem + ".bad" : absl::StrFormat("%s.%d.bad", stem, number);
    if (!IsTaken(absl::StrFormat("%s/%s", path, bad))) return bad;
  }
  return "";
}

}  // namespace

absl::StatusOr<std::unique_ptr<SpoolDirectory>> SpoolDirectory::Open(const std::string& name, const Clock& clock,
                                                                     Logger& logger) {
  std::string path = name;
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return SpoolUnusable("making the directory", path, errno);
  if (absl::Status status = SyncSpool(path); !status.ok()) return status;
  return std::unique_ptr<SpoolDirectory>(new SpoolDirectory(std::move(path), clock, logger));
}

SpoolDirectory::SpoolDirectory(std::string path, const Clock& clock, Logger& logger)
    : path_(std::move(path)), clock_(clock), logger_(logger) {}

absl::Status SpoolDirectory::Put(const std::string& request_id, const event::v1::SystemEvent& event) {
  const std::string text = events::RequestToJson({.request_id = request_id, .event = event});
  if (text.size() > kMostSpoolFileBytes) return SpoolEventInvalid(request_id, "it is larger than 1 MiB");
  const auto read_back = events::RequestFromJson(text);
  if (!read_back.ok()) return SpoolEventInvalid(request_id, std::string(read_back.status().message()));
  if (!google::protobuf::util::MessageDifferencer::Equals(read_back->event, event)) {
    return SpoolEventInvalid(request_id, "only its payload, source, subject and ordering key have a place in a file");
  }
  MutexLock lock(mu_);
  const auto names = Names();
  if (!names.ok()) return names.status();
  const auto of_the_request = [&](const std::string& name) { return IsNamedAfter(name, request_id); };
  if (std::any_of(names->begin(), names->end(), of_the_request)) return absl::OkStatus();
  // Also after what lies there from before the clock stepped back: a stop must not be told before its start.
  for (const std::string& name : *names) last_ = std::max(last_, SpoolFileTime(name).value_or(last_));
  last_ = std::max(clock_.SystemNow(), last_ + SystemTime::duration(1));
  return Add(SpoolFileName(last_, request_id), text);
}

absl::Status SpoolDirectory::Add(const std::string& name, std::string_view text) {
  const std::string being_written = path_ + "/" + kNewName;
  if (absl::Status status = WriteSpoolFile(being_written, text); !status.ok()) return status;
  const std::string path = path_ + "/" + name;
  if (rename(being_written.c_str(), path.c_str()) != 0) return SpoolUnusable("renaming to", path, errno);
  return SyncSpool(path_);
}

absl::StatusOr<std::vector<client::OutboxEntry>> SpoolDirectory::Entries() {
  MutexLock lock(mu_);
  const auto names = Names();
  if (!names.ok()) return names.status();
  std::erase_if(immovable_, [&](const auto& name) { return !std::binary_search(names->begin(), names->end(), name); });
  std::vector<client::OutboxEntry> entries;
  size_t bytes = 0;
  for (const std::string& name : *names) {
    if (entries.size() == kMostEntries || bytes > kMostBytes) break;
    if (immovable_.contains(name)) continue;
    auto entry = EntryOf(name, bytes);
    if (entry.ok()) {
      entries.push_back(*std::move(entry));
    } else if (absl::IsInvalidArgument(entry.status())) {
      SetAside(name, std::string(entry.status().message()));
    } else if (!absl::IsNotFound(entry.status())) {
      return entry.status();
    }
  }
  return entries;
}

absl::StatusOr<client::OutboxEntry> SpoolDirectory::EntryOf(const std::string& name, size_t& bytes) const {
  const auto text = ReadSpoolFile(path_ + "/" + name);
  if (!text.ok()) return text.status();
  bytes += text->size();
  auto request = events::RequestFromJson(*text);
  if (!request.ok()) return request.status();
  std::string label = LabelOf(*request);
  return client::OutboxEntry{
      .key = name, .label = std::move(label), .request_id = std::move(request->request_id), .event = std::move(request->event)};
}

absl::Status SpoolDirectory::Remove(const std::string& key) {
  const std::string path = path_ + "/" + key;
  if (unlink(path.c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
  return SpoolUnusable("removing", path, errno);
}

absl::StatusOr<std::vector<std::string>> SpoolDirectory::Names() const {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator it(path_, error), end; !error && it != end; it.increment(error)) {
    std::string name = it->path().filename().string();
    if (IsSpoolFileName(name)) names.push_back(std::move(name));
  }
  if (error) return SpoolUnusable("listing", path_, error.value());
  std::sort(names.begin(), names.end());
  return names;
}

void SpoolDirectory::SetAside(const std::string& name, std::string_view why) {
  const std::string bad = BadNameFor(path_, name);
  const std::string from = path_ + "/" + name;
  const std::string to = path_ + "/" + bad;
  const bool moved = !bad.empty() && rename(from.c_str(), to.c_str()) == 0;
  if (!moved) immovable_.insert(name);
  logger_.Error("spool_file=\"%s\" state=bad renamed_to=\"%s\" message=\"%s\"", absl::CEscape(from),
                absl::CEscape(moved ? bad : "nothing"), absl::CEscape(CleanUtf8(why, kMostReasonBytes)));
}

}  // namespace pvebus::container
