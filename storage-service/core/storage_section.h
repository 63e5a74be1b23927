#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage-service/core/section_file.h"
#include "storage-service/core/storage_config.h"
#include "storage-service/core/storage_types.h"
#include "storage-service/core/storage_warnings.h"

namespace pvebus::storage {

// Understands one section whose type is known: takes its properties, fills in the defaults, and says what is wrong. Made for
// one section. One thread.
class StorageSection {
 public:
  // All three must outlive it.
  StorageSection(const Section& section, const StorageType& type, StorageWarnings& warnings)
      : section_(section), type_(type), warnings_(warnings) {}

  // Nothing when Proxmox VE skips the section.
  std::optional<Storage> Read();

 private:
  struct Value {
    std::string text;
    size_t line = 0;
  };

  void ReadLine(const SectionLine& line);
  void ReadSwallowedHeader(const SectionLine& line);
  void ReadProperty(const SectionLine& line);
  void KeepSecretsOut(const Property& property, Value& value);
  bool HasAllRequired();
  bool HasUsablePath();
  // Proxmox VE drops what the type cannot hold; nothing when no storage is left of it.
  std::optional<std::vector<std::string>> ReadContents();
  std::optional<Storage> Build(std::vector<std::string> contents);

  bool IsSet(std::string_view boolean) const;
  std::string_view TextOf(std::string_view property) const;
  void Warn(size_t line, std::string message) { warnings_.Add(line, section_.id, std::move(message)); }
  void WarnSkipped(std::string message) { warnings_.Add(section_.line, section_.id, std::move(message), true); }

  const Section& section_;
  const StorageType& type_;
  StorageWarnings& warnings_;
  std::map<std::string, Value, std::less<>> values_;
};

}  // namespace pvebus::storage
