#include "storage-service/core/storage_section.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "sdk/base/nearest.h"
#include "storage-service/core/storage_values.h"

namespace pvebus::storage {
namespace {

constexpr std::string_view kNamesOfFields[] = {"content", "nodes", "disable", "shared"};

// What Proxmox VE itself writes instead of a key: that there is one, or its fingerprint.
bool IsMarkOfKey(const Property& property, std::string_view value) {
  if (property.name != "encryption-key" && property.name != "master-pubkey") return false;
  const auto of_fingerprint = [](char c) { return c == ':' || absl::ascii_isxdigit(static_cast<unsigned char>(c)); };
  return value == "1" || (value.find(':') == 2 && std::all_of(value.begin(), value.end(), of_fingerprint));
}

std::vector<std::string> WithoutRepetitions(const std::vector<std::string_view>& items) {
  std::vector<std::string> result;
  std::set<std::string_view> seen;
  for (const std::string_view item : items) {
    if (seen.insert(item).second) result.emplace_back(item);
  }
  return result;
}

// Mount options may carry a password, though Proxmox VE has a place for it.
std::string WithoutSecrets(const std::string& mount_options, bool& found) {
  std::vector<std::string> options = absl::StrSplit(mount_options, ',');
  for (std::string& option : options) {
    const size_t equals = option.find('=');
    if (equals == std::string::npos || !IsSecretName(option.substr(0, equals))) continue;
    option.replace(equals + 1, std::string::npos, "***");
    found = true;
  }
  return absl::StrJoin(options, ",");
}

}  // namespace

std::optional<Storage> StorageSection::Read() {
  for (const SectionLine& line : section_.lines) ReadLine(line);
  if (type_.default_path && !values_.contains("path")) {
    values_["path"] = {absl::StrCat("/mnt/pve/", std::string(section_.id)), section_.line};
  }
  if (!HasAllRequired() || !HasUsablePath()) return std::nullopt;
  auto contents = ReadContents();
  return contents ? Build(*std::move(contents)) : std::nullopt;
}

void StorageSection::ReadLine(const SectionLine& line) {
  switch (line.kind) {
    case SectionLine::Kind::kProperty:
      return ReadProperty(line);
    case SectionLine::Kind::kBlanks:
      return Warn(line.line, line.carriage_return
                                 ? "the line has a carriage return, so it is not empty and does not end the section; write the "
                                   "file with Unix line ends"
                                 : "the line has blanks, so it is not empty and does not end the section; remove the blanks");
    case SectionLine::Kind::kHeader:
      return ReadSwallowedHeader(line);
    case SectionLine::Kind::kOther:
      return Warn(line.line, "the line is ignored; properties are indented, and a section ends at an empty line");
  }
}

void StorageSection::ReadSwallowedHeader(const SectionLine& line) {
  if (FindStorageType(line.key) == nullptr || !IsStorageId(*line.value)) return ReadLine({.line = line.line});
  warnings_.Add(line.line, *line.value,
                absl::StrFormat("this section is not read, for no empty line stands before it, and what follows counts for the "
                                "storage of line %d; put an empty line before it",
                                section_.line),
                true);
}

void StorageSection::ReadProperty(const SectionLine& line) {
  const Property* property = type_.Find(line.key);
  if (property == nullptr) {
    if (warnings_.full()) return Warn(line.line, "");
    return Warn(line.line, absl::StrFormat("a storage of type %s has no property %s%s; it is left out", type_.name,
                                           QuotedName(line.key), DidYouMean(NameIn(line.key), type_.PropertyNames())));
  }
  if (const auto known = values_.find(line.key); known != values_.end()) {
    return Warn(line.line,
                absl::StrFormat("'%s' stands here again; the first one counts, in line %d", property->name, known->second.line));
  }
  if (!line.value && property->kind != PropertyKind::kBoolean) {
    return Warn(line.line, absl::StrFormat("'%s' has no value; it is left out", property->name));
  }
  const std::string_view value = line.value.value_or("1");
  std::string why = WhyInvalid(property->kind, value, type_);
  if (value.find('\r') != std::string_view::npos) why = "a value has no carriage return in it";
  if (!why.empty()) return Warn(line.line, absl::StrFormat("'%s' is left out: %s", property->name, why));
  Value& taken = values_[std::string(property->name)] = {std::string(value), line.line};
  KeepSecretsOut(*property, taken);
}

void StorageSection::KeepSecretsOut(const Property& property, Value& value) {
  bool found = false;
  if (property.kind == PropertyKind::kMountOptions) {
    std::string harmless = WithoutSecrets(value.text, found);
    if (found) value.text = std::move(harmless);
  } else if (property.kind == PropertyKind::kSecret) {
    found = !IsMarkOfKey(property, value.text);
    value.text.clear();
  }
  if (!found) return;
  Warn(value.line, absl::StrFormat("'%s' holds a secret, which is not shown; Proxmox VE keeps secrets in /etc/pve/priv, and this "
                                   "file can be read by more than root",
                                   property.name));
}

bool StorageSection::HasAllRequired() {
  std::vector<std::string> missing;
  for (const Property& property : type_.properties) {
    if (property.required && !values_.contains(property.name)) missing.emplace_back(property.name);
  }
  if (missing.empty()) return true;
  WarnSkipped(absl::StrFormat("a storage of type %s needs %s, which %s missing; the section is skipped", type_.name,
                              absl::StrJoin(missing, " and "), missing.size() == 1 ? "is" : "are"));
  return false;
}

bool StorageSection::HasUsablePath() {
  if (!type_.plain_path) return true;
  const std::string_view path = TextOf("path");
  const auto allowed = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || std::string_view("-/_.@").find(c) != std::string_view::npos;
  };
  if (std::all_of(path.begin(), path.end(), allowed)) return true;
  WarnSkipped(
      absl::StrFormat("the path %s of a storage of type %s may have letters, digits and -/_.@ only; the section is skipped",
                      Quoted(path), type_.name));
  return false;
}

std::optional<std::vector<std::string>> StorageSection::ReadContents() {
  const auto written = values_.find("content");
  if (written == values_.end()) return type_.default_contents;
  const auto can_hold = [&](std::string_view content) {
    return std::find(type_.contents.begin(), type_.contents.end(), content) != type_.contents.end();
  };
  std::vector<std::string> contents;
  for (std::string& content : WithoutRepetitions(SplitList(written->second.text))) {
    if (can_hold(content)) {
      contents.push_back(std::move(content));
    } else {
      Warn(written->second.line, absl::StrFormat("a storage of type %s cannot hold %s, only %s; it is left out", type_.name,
                                                 Quoted(content), absl::StrJoin(type_.contents, ", ")));
    }
  }
  if (contents.size() > 1 && std::find(contents.begin(), contents.end(), "none") != contents.end()) {
    WarnSkipped("'content' has 'none' beside others: it stands alone or not at all; the section is skipped");
    return std::nullopt;
  }
  if (contents.empty() && !can_hold("none")) {
    WarnSkipped(
        absl::StrFormat("'content' names nothing that a storage of type %s can hold (%s), and it cannot hold nothing; the "
                        "section is skipped",
                        type_.name, absl::StrJoin(type_.contents, ", ")));
    return std::nullopt;
  }
  return contents;
}

std::optional<Storage> StorageSection::Build(std::vector<std::string> contents) {
  Storage storage{.storage_id = std::string(section_.id),
                  .type = std::string(type_.name),
                  .network = type_.network(),
                  .enabled = !IsSet("disable"),
                  .shared = type_.always_shared || IsSet("shared"),
                  .contents = std::move(contents)};
  if (const auto nodes = values_.find("nodes"); nodes != values_.end()) {
    storage.nodes = WithoutRepetitions(SplitList(nodes->second.text));
    if (storage.nodes->empty()) Warn(nodes->second.line, "'nodes' names no node, so the storage exists nowhere");
  }
  for (auto& [name, value] : values_) {
    const bool field = std::find(std::begin(kNamesOfFields), std::end(kNamesOfFields), name) != std::end(kNamesOfFields);
    if (!field && type_.Find(name)->kind != PropertyKind::kSecret) storage.properties[name] = std::move(value.text);
  }
  storage.endpoints = EndpointsOf(type_, storage.properties);
  if (storage.endpoints.empty() && type_.default_port != 0) {
    Warn(section_.line, "the storage has no endpoint: the port of its server is not from 1 to 65535");
  }
  return storage;
}

bool StorageSection::IsSet(std::string_view boolean) const { return TextOf(boolean) == "1"; }

std::string_view StorageSection::TextOf(std::string_view property) const {
  const auto value = values_.find(property);
  return value == values_.end() ? std::string_view() : std::string_view(value->second.text);
}

}  // namespace pvebus::storage
