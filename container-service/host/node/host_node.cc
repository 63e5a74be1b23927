#include "container-service/host/node/host_node.h"

#include <sys/stat.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/str_format.h"
#include "container-service/core/errors.h"
#include "sdk/base/utf8.h"
#include "sdk/netlink/network_dump.h"
#include "sdk/pve/running_sdn.h"

namespace pvebus::container {
namespace {

namespace fs = std::filesystem;

// pmxcfs holds no larger files.
constexpr size_t kMostBytes = 1 << 20;
constexpr size_t kLongestMessage = 300;

absl::StatusOr<std::string> ReadText(const std::string& path, uint32_t container_id) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) return ContainerNotFound(container_id, path);
  // To open a pipe would wait.
  if (status.type() != fs::file_type::regular) return ContainerUnreadable(path, error ? error.message() : "it is no file");
  std::ifstream file(path, std::ios::binary);
  if (!file) return errno == ENOENT ? ContainerNotFound(container_id, path) : ContainerUnreadable(path, std::strerror(errno));
  std::string text(kMostBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return ContainerUnreadable(path, std::strerror(errno));
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kMostBytes) return ContainerUnreadable(path, absl::StrFormat("it has more than %d bytes", kMostBytes));
  return text;
}

std::optional<uint32_t> IdOf(const std::string& name) {
  uint32_t id = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
  if (error != std::errc() || end != name.data() + name.size() || !CheckContainerId(id).ok()) return std::nullopt;
  return id;
}

}  // namespace

absl::StatusOr<ContainerConfig> HostNode::ReadConfig(uint32_t container_id) const {
  if (absl::Status status = CheckContainerId(container_id); !status.ok()) return status;
  const auto text = ReadText(absl::StrFormat("%s/%d.conf", paths_.lxc_directory, container_id), container_id);
  if (!text.ok()) return text.status();
  const auto vnets = ReadVnets();
  ContainerConfig config = ParseContainerConfig(*text, container_id, vnets.ok() ? *vnets : Vnets());
  if (!vnets.ok()) {
    const std::string message = absl::StrFormat("every bridge= is taken for a bridge: %s", std::string(vnets.status().message()));
    config.findings.insert(config.findings.begin(), {.message = CleanUtf8(message, kLongestMessage)});
  }
  return config;
}

absl::StatusOr<Vnets> HostNode::ReadVnets() const { return pve::ReadRunningSdn(paths_.sdn_directory); }

absl::StatusOr<NetworkSnapshot> HostNode::ReadNetwork() const { return pvebus::ReadNetwork(); }

// As Proxmox VE does it: LXC listens there while the container runs, and while it reboots from inside.
bool HostNode::IsRunning(uint32_t container_id) const {
  const std::string socket = absl::StrFormat("@/var/lib/lxc/%d/command", container_id);
  std::ifstream sockets(paths_.unix_sockets);
  for (std::string line; std::getline(sockets, line);) {
    if (line.ends_with(socket)) return true;
  }
  return false;
}

std::map<uint32_t, std::string> HostNode::Cgroups() const {
  std::map<uint32_t, std::string> cgroups;
  std::error_code error;
  for (fs::directory_iterator entry(paths_.cgroup_directory, error), end; !error && entry != end; entry.increment(error)) {
    const auto id = IdOf(entry->path().filename().string());
    struct stat status {};
    // The kernel gives no number twice in one boot.
    if (id && stat(entry->path().c_str(), &status) == 0) cgroups[*id] = absl::StrFormat("c%d", status.st_ino);
  }
  return cgroups;
}

}  // namespace pvebus::container
