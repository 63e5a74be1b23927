#include "storage-service/host/probe/iscsi_sessions.h"

#include <filesystem>
#include <fstream>
#include <system_error>

#include "absl/strings/str_format.h"

namespace pvebus::storage {

absl::StatusOr<std::set<std::string>> ReadIscsiSessions(const std::string& sys) {
  const std::filesystem::path sessions = std::filesystem::path(sys) / "class/iscsi_session";
  std::set<std::string> targets;
  std::error_code error;
  for (std::filesystem::directory_iterator it(sessions, error), end; !error && it != end; it.increment(error)) {
    std::string target;
    // A session that ends meanwhile has no name any more.
    if (std::getline(std::ifstream(it->path() / "targetname"), target)) targets.insert(target);
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return absl::UnavailableError(absl::StrFormat("%s cannot be read: %s", sessions.string(), error.message()));
  }
  return targets;
}

}  // namespace pvebus::storage
