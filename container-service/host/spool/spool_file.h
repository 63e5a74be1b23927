#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sdk/base/clock.h"

namespace pvebus::container {

// Names and bytes of the files in a spool. Any thread.

inline constexpr size_t kMostSpoolFileBytes = size_t{1} << 20;

// Whether a file of that name is an event: all others are somebody's work in progress, or out of use.
bool IsSpoolFileName(std::string_view name);
// "01753900000000000000-container-started+101+...+v7.json": in the order of time, and the same ending for the same request.
std::string SpoolFileName(SystemTime now, std::string_view request_id);
// The time in such a name, or nothing.
std::optional<SystemTime> SpoolFileTime(std::string_view name);
// Whether the name is one that SpoolFileName makes for the request.
bool IsNamedAfter(std::string_view name, std::string_view request_id);

// The text. Waits for nobody: a pipe or a device is never opened; follows no link. NOT_FOUND: it is gone. INVALID_ARGUMENT: it
// will never be one that can be read. UNAVAILABLE: this process lacks something at the moment.
absl::StatusOr<std::string> ReadSpoolFile(const std::string& path);
// A new file (0600), on disk when it returns. Of one that could not be written nothing is left.
absl::Status WriteSpoolFile(const std::string& path, std::string_view text);
// So that what happened to the names of a directory is still so after a power failure.
absl::Status SyncSpool(const std::string& path);

}  // namespace pvebus::container
