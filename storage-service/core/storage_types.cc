#include "storage-service/core/storage_types.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace pvebus::storage {
namespace {

using Kind = PropertyKind;
using Properties = std::vector<Property>;

constexpr bool kRequired = true;
constexpr size_t kLongestTypeName = 16;

// Properties of every type, then those of groups of types.
Properties Everywhere() { return {{"nodes", Kind::kNodes}, {"disable", Kind::kBoolean}, {"content", Kind::kContent}}; }
Properties Backups() { return {{"maxfiles", Kind::kCount}, {"prune-backups"}, {"max-protected-backups", Kind::kCountOrNoLimit}}; }
Properties Directory() {
  return {{"format", Kind::kFormat},
          {"mkdir", Kind::kBoolean},
          {"create-base-path", Kind::kBoolean},
          {"create-subdirs", Kind::kBoolean}};
}
Properties Mounted() { return {{"path", Kind::kPath}, {"content-dirs"}, {"options", Kind::kMountOptions}, {"bwlimit"}}; }
Properties Iscsi() { return {{"portal", Kind::kPortal, kRequired}, {"target", Kind::kText, kRequired}, {"bwlimit"}}; }

Properties Together(const std::vector<Properties>& groups) {
  Properties all = Everywhere();
  for (const Properties& group : groups) all.insert(all.end(), group.begin(), group.end());
  return all;
}

std::vector<StorageType> MakeLocalTypes() {
  return {
      {.name = "dir",
       .plain_path = true,
       .contents = {"images", "rootdir", "vztmpl", "iso", "backup", "snippets", "import", "none"},
       .default_contents = {"images", "rootdir"},
       .formats = {"raw", "qcow2", "vmdk", "subvol"},
       .properties = Together({{{"path", Kind::kPath, kRequired},
                                {"content-dirs"},
                                {"shared", Kind::kBoolean},
                                {"is_mountpoint"},
                                {"bwlimit"},
                                {"preallocation", Kind::kPreallocation}},
                               Backups(),
                               Directory()})},
      {.name = "lvm",
       .contents = {"images", "rootdir"},
       .default_contents = {"images"},
       .properties = Together({{{"vgname", Kind::kVolumeGroup, kRequired},
                                {"shared", Kind::kBoolean},
                                {"saferemove", Kind::kBoolean},
                                {"saferemove_throughput"},
                                {"base"},
                                {"tagged_only", Kind::kBoolean},
                                {"bwlimit"}}})},
      {.name = "lvmthin",
       .contents = {"images", "rootdir"},
       .default_contents = {"images", "rootdir"},
       .properties =
           Together({{{"thinpool", Kind::kVolumeGroup, kRequired}, {"vgname", Kind::kVolumeGroup, kRequired}, {"bwlimit"}}})},
      {.name = "zfspool",
       .contents = {"images", "rootdir"},
       .default_contents = {"images", "rootdir"},
       .formats = {"raw", "subvol"},
       .properties = Together({{{"pool", Kind::kText, kRequired},
                                {"blocksize"},
                                {"sparse", Kind::kBoolean},
                                {"bwlimit"},
                                {"mountpoint", Kind::kPath}}})},
      {.name = "btrfs",
       .plain_path = true,
       .contents = {"images", "rootdir", "vztmpl", "iso", "backup", "snippets", "import", "none"},
       .default_contents = {"images", "rootdir"},
       .formats = {"raw", "subvol"},
       .properties = Together({{{"path", Kind::kPath, kRequired},
                                {"shared", Kind::kBoolean},
                                {"is_mountpoint"},
                                {"nocow", Kind::kBoolean},
                                {"preallocation", Kind::kPreallocation}},
                               Backups(),
                               Directory()})},
  };
}

std::vector<StorageType> MakeFileServerTypes() {
  return {
      {.name = "nfs",
       .reach = Reach::kServerWithMountOptions,
       .default_port = 2049,
       .always_shared = true,
       .default_path = true,
       .contents = {"images", "rootdir", "vztmpl", "iso", "backup", "snippets", "import"},
       .default_contents = {"images"},
       .formats = {"raw", "qcow2", "vmdk"},
       .properties = Together(
           {{{"server", Kind::kServer, kRequired}, {"export", Kind::kPath, kRequired}, {"preallocation", Kind::kPreallocation}},
            Mounted(),
            Backups(),
            Directory()})},
      {.name = "cifs",
       .reach = Reach::kServerWithMountOptions,
       .default_port = 445,
       .always_shared = true,
       .default_path = true,
       .contents = {"images", "rootdir", "vztmpl", "iso", "backup", "snippets", "import"},
       .default_contents = {"images"},
       .formats = {"raw", "qcow2", "vmdk"},
       .properties = Together({{{"server", Kind::kServer, kRequired},
                                {"share", Kind::kText, kRequired},
                                {"subdir", Kind::kPath},
                                {"username"},
                                {"password", Kind::kSecret},
                                {"domain"},
                                {"smbversion", Kind::kSmbVersion},
                                {"preallocation", Kind::kPreallocation}},
                               Mounted(),
                               Backups(),
                               Directory()})},
      {.name = "cephfs",
       .reach = Reach::kMonitors,
       .always_shared = true,
       .default_path = true,
       .contents = {"vztmpl", "iso", "backup", "snippets", "import"},
       .default_contents = {"backup"},
       .properties = Together({{{"monhost", Kind::kPortalList},
                                {"subdir", Kind::kPath},
                                {"username"},
                                {"keyring", Kind::kSecret},
                                {"fuse", Kind::kBoolean},
                                {"fs-name", Kind::kConfigId}},
                               Mounted(),
                               Backups(),
                               Directory()})},
      {.name = "pbs",
       .reach = Reach::kServerWithPort,
       .default_port = 8007,
       .always_shared = true,
       .contents = {"backup", "none"},
       .default_contents = {"backup"},
       .properties = Together({{{"server", Kind::kServer, kRequired},
                                {"datastore", Kind::kText, kRequired},
                                {"namespace"},
                                {"port", Kind::kPort},
                                {"username"},
                                {"password", Kind::kSecret},
                                {"encryption-key", Kind::kSecret},
                                {"master-pubkey", Kind::kSecret},
                                {"fingerprint", Kind::kFingerprint}},
                               Backups()})},
      {.name = "esxi",
       .reach = Reach::kServerWithPort,
       .default_port = 443,
       .contents = {"import"},
       .default_contents = {"import"},
       .formats = {"raw", "qcow2", "vmdk"},
       .properties = Together({{{"server", Kind::kServer, kRequired},
                                {"username", Kind::kText, kRequired},
                                {"password", Kind::kSecret},
                                {"shared", Kind::kBoolean},
                                {"skip-cert-verification", Kind::kBoolean},
                                {"port", Kind::kPort}}})},
  };
}

// The two differ in who logs in: the node, or each virtual machine by itself.
StorageType IscsiTarget(std::string_view name) {
  return {.name = name,
          .reach = Reach::kPortal,
          .default_port = 3260,
          .always_shared = true,
          .contents = {"images", "none"},
          .default_contents = {"images"},
          .properties = Together({Iscsi()})};
}

std::vector<StorageType> MakeBlockServerTypes() {
  return {
      IscsiTarget("iscsi"),
      IscsiTarget("iscsidirect"),
      {.name = "zfs",
       .reach = Reach::kPortal,
       .default_port = 3260,
       .always_shared = true,
       .contents = {"images"},
       .default_contents = {"images"},
       .properties = Together({Iscsi(),
                               {{"pool", Kind::kText, kRequired},
                                {"blocksize", Kind::kText, kRequired},
                                {"iscsiprovider", Kind::kText, kRequired},
                                {"nowritecache", Kind::kBoolean},
                                {"sparse", Kind::kBoolean},
                                {"comstar_hg"},
                                {"comstar_tg"},
                                {"lio_tpg"}}})},
      {.name = "rbd",
       .reach = Reach::kMonitors,
       .always_shared = true,
       .contents = {"images", "rootdir"},
       .default_contents = {"images"},
       .properties = Together({{{"monhost", Kind::kPortalList},
                                {"pool"},
                                {"data-pool"},
                                {"namespace"},
                                {"username"},
                                {"krbd", Kind::kBoolean},
                                {"keyring", Kind::kSecret},
                                {"bwlimit"}}})},
  };
}

std::vector<StorageType> MakeTypes() {
  std::vector<StorageType> types = MakeLocalTypes();
  for (auto more : {MakeFileServerTypes(), MakeBlockServerTypes()}) types.insert(types.end(), more.begin(), more.end());
  return types;
}

}  // namespace

const Property* StorageType::Find(std::string_view property) const {
  const auto it = std::find_if(properties.begin(), properties.end(), [&](const Property& p) { return p.name == property; });
  return it == properties.end() ? nullptr : &*it;
}

std::vector<std::string> StorageType::PropertyNames() const {
  std::vector<std::string> names;
  for (const Property& property : properties) names.emplace_back(property.name);
  return names;
}

const std::vector<StorageType>& StorageTypes() {
  static const auto& types = *new std::vector<StorageType>(MakeTypes());
  return types;
}

const StorageType* FindStorageType(std::string_view name) {
  if (name.size() > kLongestTypeName) return nullptr;
  std::string lower(name);
  absl::AsciiStrToLower(&lower);
  for (const StorageType& type : StorageTypes()) {
    if (type.name == lower) return &type;
  }
  return nullptr;
}

bool IsSecretName(std::string_view name) {
  std::string lower(name);
  absl::AsciiStrToLower(&lower);
  constexpr std::string_view kSigns[] = {"pass", "pwd", "secret", "key", "token"};
  return std::any_of(std::begin(kSigns), std::end(kSigns), [&](std::string_view sign) {
    return absl::StrContains(lower, {sign.data(), sign.size()});
  });
}

}  // namespace pvebus::storage
