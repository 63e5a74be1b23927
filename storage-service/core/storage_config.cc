#include "storage-service/core/storage_config.h"

#include <map>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "sdk/base/nearest.h"
#include "storage-service/core/section_file.h"
#include "storage-service/core/storage_section.h"
#include "storage-service/core/storage_types.h"
#include "storage-service/core/storage_values.h"
#include "storage-service/core/storage_warnings.h"

namespace pvebus::storage {
namespace {

constexpr std::string_view kLocalPath = "/var/lib/vz";
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

std::vector<std::string> TypeNames() {
  std::vector<std::string> names;
  for (const StorageType& type : StorageTypes()) names.emplace_back(type.name);
  return names;
}

// Builds a StorageConfig section by section: of several sections with one id the last one counts. One thread.
class ConfigReader {
 public:
  void Read(const SectionFile& file) {
    for (const SectionLine& stray : file.strays) {
      warnings_.Add(stray.line, "",
                    "the line is in no section and ignored; a section begins with 'TYPE: ID' at the start of a line and ends at "
                    "the first empty line");
    }
    for (const Section& section : file.sections) ReadSection(section);
  }

  StorageConfig Take() {
    StorageConfig config;
    for (Slot& slot : slots_) {
      if (!slot.storage) continue;
      if (slot.storage->storage_id == "local") FollowRulesOfLocal(slot);
      config.storages.push_back(*std::move(slot.storage));
    }
    config.warnings = warnings_.Take();
    return config;
  }

 private:
  struct Slot {
    size_t line = 0;
    std::optional<Storage> storage;  // none: skipped, or defined again later
  };

  void ReadSection(const Section& section) {
    if (!IsStorageId(section.id)) {
      // "password: x" reads like a header: then x stays here.
      const bool secret = IsSecretName(section.type.substr(0, 100));
      return WarnSkipped(section, secret ? "" : section.id,
                         "the id is none: it needs two characters at least, letters, digits and -_. only, a letter first and a "
                         "letter or digit last; the section is skipped");
    }
    const StorageType* type = FindStorageType(section.type);
    if (type == nullptr) return WarnUnknownType(section);
    const auto [known, is_new] = by_id_.try_emplace(std::string(section.id), slots_.size());
    if (!is_new) {
      Forget(slots_[known->second], section);
      known->second = slots_.size();
    }
    slots_.push_back({section.line, StorageSection(section, *type, warnings_).Read()});
  }

  void WarnUnknownType(const Section& section) {
    if (section.type.starts_with(kByteOrderMark)) {
      return WarnSkipped(section, section.id,
                         "a byte order mark stands before the type and makes it unknown; write the file without one; the section "
                         "is skipped");
    }
    const bool secret = IsSecretName(section.type.substr(0, 100));
    if (warnings_.full()) return WarnSkipped(section, "", "");
    static const auto& names = *new std::vector<std::string>(TypeNames());
    WarnSkipped(section, secret ? "" : section.id,
                absl::StrFormat("there is no type %s%s; there are: %s; the section is skipped", QuotedName(section.type),
                                DidYouMean(section.type, names), absl::StrJoin(names, ", ")));
  }

  // Even by a section that is skipped itself.
  void Forget(Slot& slot, const Section& successor) {
    if (!slot.storage) return;
    warnings_.Add(slot.line, successor.id,
                  absl::StrFormat("the storage is defined again in line %d, and only the last definition counts", successor.line),
                  true);
    slot.storage.reset();
  }

  // Proxmox VE wants `local` to be the same on every node.
  void FollowRulesOfLocal(Slot& slot) {
    Storage& local = *slot.storage;
    const auto path = local.properties.find("path");
    if (local.type != "dir" || path == local.properties.end() || path->second != kLocalPath) {
      warnings_.Add(slot.line, local.storage_id,
                    absl::StrFormat("'local' is always the directory %s; Proxmox VE takes its own definition instead of this "
                                    "one; use another id",
                                    kLocalPath));
      local = {.storage_id = "local",
               .type = "dir",
               .contents = {"backup", "images", "iso", "rootdir", "snippets", "vztmpl"},
               .properties = {{"path", std::string(kLocalPath)}, {"prune-backups", "keep-all=1"}}};
    }
    if (std::exchange(local.nodes, std::nullopt)) {
      warnings_.Add(slot.line, local.storage_id, "'local' exists on every node; its 'nodes' is left out");
    }
  }

  void WarnSkipped(const Section& section, std::string_view id, std::string message) {
    warnings_.Add(section.line, id, std::move(message), true);
  }

  StorageWarnings warnings_;
  std::vector<Slot> slots_;
  std::map<std::string, size_t, std::less<>> by_id_;
};

}  // namespace

StorageConfig ParseStorageConfig(std::string_view text) {
  ConfigReader reader;
  reader.Read(ReadSections(text));
  return reader.Take();
}

}  // namespace pvebus::storage
