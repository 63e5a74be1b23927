#include "container-service/host/programs/hook_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/strings/str_format.h"
#include "sdk/base/error.h"

namespace pvebus::container {
namespace {

absl::Status HooksDirUnreadable(const std::string& directory, int error) {
  return MakeError(
      absl::StatusCode::kFailedPrecondition, "HOOKS_DIR_UNREADABLE",
      absl::StrFormat("the directory of hook programs %s cannot be read: %s", directory, std::generic_category().message(error)),
      {{"directory", directory}});
}

// What package tools leave beside a file of an administrator's.
bool IsLeftover(std::string_view name) {
  constexpr std::array<std::string_view, 3> kEndings = {".rpmsave", ".rpmorig", ".rpmnew"};
  constexpr std::array<std::string_view, 2> kParts = {".dpkg-", ".ucf-"};
  return name.ends_with('~') ||
         std::any_of(kEndings.begin(), kEndings.end(), [&](std::string_view ending) { return name.ends_with(ending); }) ||
         std::any_of(kParts.begin(), kParts.end(), [&](std::string_view part) { return name.find(part) != name.npos; });
}

// Not std::isalnum, which asks the locale.
bool IsRunPartsCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

std::string Shown(char c) {
  if (c == ' ') return "a blank";
  if (c > ' ' && c <= '~') return absl::StrFormat("a '%c'", c);
  return absl::StrFormat("a byte 0x%02x", static_cast<unsigned char>(c));
}

std::string WhyNameRefused(std::string_view name) {
  const auto wrong = std::find_if_not(name.begin(), name.end(), IsRunPartsCharacter);
  if (wrong != name.end()) {
    return absl::StrFormat("its name has %s: run-parts names have letters, digits, - and _ only", Shown(*wrong));
  }
  if (name.size() > kMostHookNameBytes) {
    return absl::StrFormat("its name has %d bytes: %d are the most", name.size(), kMostHookNameBytes);
  }
  return "";
}

// Who may change it decides what this process runs.
std::string WhyNotTrusted(const struct stat& file) {
  const uid_t self = geteuid();
  if (file.st_uid != 0 && file.st_uid != self) {
    return absl::StrFormat("it belongs to the user with id %d: it must belong to root%s (chown root)", file.st_uid,
                           self == 0 ? "" : absl::StrFormat(", or to the user with id %d that runs it", self));
  }
  if ((file.st_mode & S_IWOTH) != 0) {
    return absl::StrFormat("everybody may write it (mode %04o): only its owner may (chmod go-w)", file.st_mode & 07777);
  }
  if ((file.st_mode & S_IWGRP) != 0 && file.st_gid != 0) {
    return absl::StrFormat("the group with id %d may write it (mode %04o): only its owner may (chmod go-w)", file.st_gid,
                           file.st_mode & 07777);
  }
  return "";
}

std::string WhyNotExecutable(const std::string& path, const struct stat& file) {
  if ((file.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0) {
    return absl::StrFormat("it is not executable (mode %04o): make it so (chmod +x)", file.st_mode & 07777);
  }
  if (faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0) return "";
  return absl::StrFormat("the user with id %d may not execute it (mode %04o): chmod +x, or mount its file system without noexec",
                         geteuid(), file.st_mode & 07777);
}

std::string WhyDangling(const std::string& path, int error) {
  std::error_code ignored;
  const std::string target = std::filesystem::read_symlink(path, ignored).string();
  return absl::StrFormat("it is a symbolic link to %s, which cannot be followed (%s): link to a program, or remove it", target,
                         std::generic_category().message(error));
}

std::string WhyFileRefused(const std::string& path, const struct stat& file) {
  if (!S_ISREG(file.st_mode)) return "it is not a regular file: a hook program is one, or a symbolic link to one";
  if (std::string why = WhyNotTrusted(file); !why.empty()) return why;
  return WhyNotExecutable(path, file);
}

// Nothing for what is no program at all: a directory, or a file that is gone again.
std::optional<HookProgramFile> Describe(const std::string& directory, const std::string& name) {
  HookProgramFile program{.name = name, .path = directory + "/" + name, .refusal = WhyNameRefused(name)};
  struct stat entry;
  if (lstat(program.path.c_str(), &entry) != 0) return std::nullopt;
  struct stat file;
  const int error = stat(program.path.c_str(), &file) == 0 ? 0 : errno;
  if (error == 0 && S_ISDIR(file.st_mode)) return std::nullopt;
  if (program.refusal.empty())
    program.refusal = error == 0 ? WhyFileRefused(program.path, file) : WhyDangling(program.path, error);
  return program;
}

absl::StatusOr<std::vector<std::string>> ReadNames(const std::string& directory, DIR* open_directory) {
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(open_directory);
    if (entry == nullptr && errno != 0) return HooksDirUnreadable(directory, errno);
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (!name.starts_with('.') && !IsLeftover(name)) names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

void RefuseAll(const std::string& directory, const std::string& why, std::vector<HookProgramFile>& programs) {
  if (why.empty()) return;
  for (HookProgramFile& program : programs) program.refusal = absl::StrFormat("nothing in %s may run: %s", directory, why);
}

void RefuseTooMany(std::vector<HookProgramFile>& programs) {
  size_t running = 0;
  for (HookProgramFile& program : programs) {
    if (program.refusal.empty() && ++running > kMostHookPrograms) {
      program.refusal =
          absl::StrFormat("%d programs stand before it in its directory: they are the most that run", kMostHookPrograms);
    }
  }
}

}  // namespace

absl::StatusOr<std::vector<HookProgramFile>> ListHookPrograms(const std::string& directory) {
  const std::unique_ptr<DIR, int (*)(DIR*)> opened(opendir(directory.c_str()), closedir);
  if (!opened && errno == ENOENT) return std::vector<HookProgramFile>();
  if (!opened) return HooksDirUnreadable(directory, errno);
  struct stat itself;
  if (fstat(dirfd(opened.get()), &itself) != 0) return HooksDirUnreadable(directory, errno);
  const auto names = ReadNames(directory, opened.get());
  if (!names.ok()) return names.status();
  std::vector<HookProgramFile> programs;
  for (const std::string& name : *names) {
    if (auto program = Describe(directory, name)) programs.push_back(std::move(*program));
  }
  RefuseAll(directory, WhyNotTrusted(itself), programs);
  RefuseTooMany(programs);
  return programs;
}

}  // namespace pvebus::container
