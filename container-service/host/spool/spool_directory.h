#pragma once

#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pvebus/event/v1/event.pb.h"
#include "sdk/base/clock.h"
#include "sdk/base/log.h"
#include "sdk/base/mutex.h"
#include "sdk/client/outbox.h"

namespace pvebus::container {

// A directory of events that the bus must still hear of, one per file (sdk/events/request_json.h): how the service leaves them,
// and programs that do not wait for a bus, such as hookscripts. A file comes into being under a name that begins with '.' and is
// then renamed; names that end with .json are events, in the order of their names. Owned by main. Any thread.
class SpoolDirectory final : public client::OutboxStore {
 public:
  // Makes it (0700) where it is missing; its parent must be there. Requires: `clock` and `logger` outlive it. Errors:
  // spool_errors.h.
  static absl::StatusOr<std::unique_ptr<SpoolDirectory>> Open(const std::string& path, const Clock& clock, Logger& logger);

  const std::string& path() const { return path_; }

  // On disk when it returns OK. A file of that request that is still there is left as it is. SPOOL_EVENT_INVALID when the file
  // could not say all of the event (only payload, source, subject and ordering key), or would be over 1 MiB.
  absl::Status Put(const std::string& request_id, const event::v1::SystemEvent& event) ABSL_LOCKS_EXCLUDED(mu_);

  // The first 1,000. What is no event is named in the log once, renamed to end in .bad, and stops nothing behind it.
  absl::StatusOr<std::vector<client::OutboxEntry>> Entries() override ABSL_LOCKS_EXCLUDED(mu_);
  // May be forgotten by a power failure: publishing it again is a duplicate.
  absl::Status Remove(const std::string& key) override;

 private:
  SpoolDirectory(std::string path, const Clock& clock, Logger& logger);

  // Of all events, sorted.
  absl::StatusOr<std::vector<std::string>> Names() const;
  absl::Status Add(const std::string& name, std::string_view text);
  // As ReadSpoolFile, and INVALID_ARGUMENT when its text is no event. Adds its length to `bytes`.
  absl::StatusOr<client::OutboxEntry> EntryOf(const std::string& name, size_t& bytes) const;
  void SetAside(const std::string& name, std::string_view why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::string path_;
  const Clock& clock_;
  Logger& logger_;

  Mutex mu_;  // held over files: a name is looked for and taken, or set aside, by one call at a time
  SystemTime last_ ABSL_GUARDED_BY(mu_){};                // of the newest file: they sort also when the clock steps back
  std::set<std::string> immovable_ ABSL_GUARDED_BY(mu_);  // bad, logged, and still under their names
};

}  // namespace pvebus::container
