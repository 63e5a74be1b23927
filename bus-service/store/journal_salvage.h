#pragma once

#include <string>

#include "absl/status/status.h"
#include "bus-service/store/journal_files.h"
#include "sdk/base/log.h"

namespace pvebus::bus {

// True when something of the journal is damaged. Reads all of it.
bool NeedsSalvage(JournalFiles& files);

// Makes a new journal of everything in the old one that can be read, names the rest in `losses`, and puts it in the old one's
// place, which stays beside it as `journal.db.damaged`. Needs as much room as the old one has. RESOURCE_EXHAUSTED,
// PERMISSION_DENIED: everything is as it was.
absl::Status Salvage(JournalFiles files, const std::string& directory, const std::string& vfs, Logger& logger);

}  // namespace pvebus::bus
