#include "cli/interfaces_folder.h"

#include <glob.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "absl/strings/str_format.h"

namespace pvebus::cli {
namespace {

namespace fs = std::filesystem;

absl::Status Failed(std::error_code error) {
  if (error == std::errc::no_such_file_or_directory) return absl::NotFoundError("there is no such file");
  return absl::UnavailableError(error.message());
}

absl::Status CannotRead(const std::string& path, const std::string& why) {
  return absl::NotFoundError(absl::StrFormat("cannot read '%s': %s", path, why));
}

bool IsFile(const std::string& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
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
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) return Failed(error ? error : std::make_error_code(std::errc::no_such_file_or_directory));
  if (fs::is_directory(status)) return Failed(std::make_error_code(std::errc::is_a_directory));
  if (!fs::is_regular_file(status) && path != main_file_) return absl::UnavailableError("it is neither a file nor a link to one");
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return Failed(std::error_code(errno, std::generic_category()));
  std::string text(network::kMostFileBytes + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad()) return Failed(std::error_code(errno, std::generic_category()));
  text.resize(static_cast<size_t>(stream.gcount()));
  return text;
}

std::vector<std::string> MachineFiles::Glob(const std::string& pattern) {
  std::vector<std::string> paths;
  glob_t matches{};
  if (glob(pattern.c_str(), GLOB_NOSORT, nullptr, &matches) == 0) {
    for (size_t i = 0; i < matches.gl_pathc; ++i) {
      if (IsFile(matches.gl_pathv[i])) paths.emplace_back(matches.gl_pathv[i]);
    }
  }
  globfree(&matches);
  return paths;
}

absl::StatusOr<std::vector<std::string>> MachineFiles::List(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> names;
  for (auto it = fs::directory_iterator(folder, error); !error && it != fs::directory_iterator(); it.increment(error)) {
    if (IsFile(it->path().string())) names.push_back(it->path().filename().string());
  }
  if (error) return Failed(error);
  return names;
}

}  // namespace pvebus::cli
