#include "migration-service/core/endpoint_pattern.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"

namespace pvebus::migration {
namespace {

// Of the API of Proxmox VE 8, in alphabetical order.
constexpr std::array<std::string_view, 50> kCollections = {
    "account",     "aliases",   "backup", "content", "controllers", "dir",     "dns",      "domains",  "flags",    "fs",
    "gotify",      "groups",    "ipams",  "ipset",   "lvm",         "lvmthin", "lxc",      "matchers", "mds",      "mgr",
    "mon",         "network",   "nodes",  "osd",     "pci",         "plugins", "pool",     "pools",    "qemu",     "realm-sync",
    "replication", "resources", "roles",  "rules",   "sendmail",    "server",  "services", "smtp",     "snapshot", "storage",
    "subnets",     "tasks",     "tfa",    "token",   "usb",         "users",   "vnets",    "webhook",  "zfs",      "zones"};
static_assert(std::is_sorted(kCollections.begin(), kCollections.end()));

bool LooksLikeId(std::string_view segment) {
  return segment.find_first_of(".:@") != std::string_view::npos ||
         std::all_of(segment.begin(), segment.end(), [](char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); });
}

}  // namespace

std::string PatternOf(const std::vector<std::string>& segments) {
  std::vector<std::string> pattern;
  bool in_collection = false;
  for (const std::string& segment : segments) {
    const bool id = in_collection || LooksLikeId(segment);
    in_collection = !id && std::binary_search(kCollections.begin(), kCollections.end(), std::string_view(segment));
    pattern.push_back(id ? "{}" : segment);
  }
  return absl::StrJoin(pattern, "/");
}

}  // namespace pvebus::migration
