#include "cli/interfaces_folder.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/str_format.h"

namespace pvebus::cli {
namespace {

namespace fs = std::filesystem;

absl::Status CannotRead(const std::string& path, const std::string& why) {
  return absl::NotFoundError(absl::StrFormat("cannot read '%s': %s", path, why));
}

}  // namespace

absl::StatusOr<network::ConfigurationPlace> PlaceOfConfiguration(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) return CannotRead(path, "there is no such file or folder");
  if (!fs::exists(status)) return CannotRead(path, error.message());
  if (!fs::is_directory(status)) return network::ConfigurationPlace{.main_file = path};
  const std::string main_file = (fs::path(path) / "interfaces").string();
  if (!fs::exists(main_file, error)) {
    return CannotRead(path, "the folder has no file 'interfaces'; it has to be what /etc/network is on a node");
  }
  return network::ConfigurationPlace{.main_file = main_file, .etc_network = path};
}

absl::StatusOr<std::string> MachineFiles::Read(const std::string& path) {
  return ReadFile(path, network::kMostFileBytes + 1, path == main_file_ ? FileKind::kAny : FileKind::kRegular);
}

}  // namespace pvebus::cli
