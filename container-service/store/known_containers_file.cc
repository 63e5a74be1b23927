#include "container-service/store/known_containers_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "absl/strings/str_format.h"
#include "sdk/base/error.h"

namespace pvebus::container {
namespace {

using Json = nlohmann::ordered_json;

absl::Status Damaged(const std::string& path, std::string_view why) {
  return MakeError(
      absl::StatusCode::kDataLoss, "CONTAINERS_FILE_DAMAGED",
      absl::StrFormat("%s is damaged (%s); move it away: what runs is then taken as known, and what happened meanwhile "
                      "is not told",
                      path, why),
      {{"path", path}});
}

absl::Status Unwritable(const std::string& path, int error) {
  const auto code = error == ENOSPC || error == EDQUOT ? absl::StatusCode::kResourceExhausted : absl::StatusCode::kInternal;
  return MakeError(code, "CONTAINERS_FILE_UNWRITABLE", absl::StrFormat("cannot write %s: %s", path, std::strerror(error)),
                   {{"path", path}});
}

Json ToJson(const KnownContainer& container) {
  Json interfaces = Json::object();
  for (const auto& [index, interface] : container.interfaces) {
    interfaces[std::to_string(index)] = {
        {"device", interface.device}, {"link_index", interface.link_index}, {"bridge", interface.bridge}};
  }
  return {{"start", container.start},
          {"cgroup", container.cgroup},
          {"changes", container.changes},
          {"interfaces", std::move(interfaces)}};
}

KnownContainer ContainerOf(const Json& json) {
  KnownContainer container{.start = json.at("start"), .cgroup = json.at("cgroup"), .changes = json.at("changes")};
  for (const auto& [index, interface] : json.at("interfaces").items()) {
    container.interfaces[static_cast<unsigned>(std::stoul(index))] = {interface.at("device"), interface.at("link_index"),
                                                                      interface.at("bridge")};
  }
  return container;
}

// Closes it, too.
bool WriteAll(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) break;
    text.remove_prefix(static_cast<size_t>(written));
  }
  const bool synced = text.empty() && fsync(file) == 0;
  const int error = errno;
  close(file);
  errno = error;
  return synced;
}

bool SyncDirectoryOf(const std::string& path) {
  const int directory = open(std::filesystem::path(path).parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return false;
  const bool synced = fsync(directory) == 0;
  close(directory);
  return synced;
}

}  // namespace

absl::StatusOr<std::optional<KnownContainersFile::Content>> KnownContainersFile::Load() const {
  std::ifstream file(path_, std::ios::binary);
  if (!file && errno == ENOENT) return std::nullopt;
  if (!file) {
    return MakeError(absl::StatusCode::kFailedPrecondition, "CONTAINERS_FILE_UNREADABLE",
                     absl::StrFormat("cannot read %s: %s", path_, std::strerror(errno)), {{"path", path_}});
  }
  std::stringstream text;
  text << file.rdbuf();
  try {
    const Json json = Json::parse(text.str());
    Content content{.boot_id = json.at("boot_id"), .containers = {}};
    for (const auto& [id, container] : json.at("containers").items()) {
      content.containers[static_cast<uint32_t>(std::stoul(id))] = ContainerOf(container);
    }
    return content;
  } catch (const std::exception& error) {  // of nlohmann-json or std::stoul
    return Damaged(path_, error.what());
  }
}

absl::Status KnownContainersFile::SetAside() const {
  return std::rename(path_.c_str(), (path_ + ".damaged").c_str()) == 0 ? absl::OkStatus() : Unwritable(path_, errno);
}

absl::Status KnownContainersFile::Save(const Content& content) const {
  Json containers = Json::object();
  for (const auto& [id, container] : content.containers) containers[std::to_string(id)] = ToJson(container);
  const Json json = {{"boot_id", content.boot_id}, {"containers", std::move(containers)}};
  const std::string text = json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
  const std::string next = path_ + ".new";
  const int file = open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return Unwritable(path_, errno);
  if (!WriteAll(file, text) || std::rename(next.c_str(), path_.c_str()) != 0 || !SyncDirectoryOf(path_)) {
    return Unwritable(path_, errno);
  }
  return absl::OkStatus();
}

}  // namespace pvebus::container
