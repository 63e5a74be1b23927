#include "container-service/core/container_config.h"

#include <charconv>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "container-service/core/guest_file.h"
#include "container-service/core/guest_values.h"
#include "sdk/base/nearest.h"

namespace pvebus::container {
namespace {

constexpr uint32_t kLowestId = 100;
constexpr uint32_t kHighestId = 999'999'999;
constexpr size_t kLongestHostname = 255;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// Builds a ContainerConfig from the lines of a file. Made for one file. One thread.
class ConfigReader {
 public:
  ConfigReader(std::optional<uint32_t> container_id, const Vnets& vnets) : vnets_(vnets) { config_.container_id = container_id; }

  ContainerConfig Read(const GuestFile& file) && {
    for (const GuestLine& line : file.current) ReadLine(line);
    for (const auto& [key, line] : values_) ReadValue(*line);
    for (const GuestSection& section : file.sections) ReadSection(section);
    ReadDescription(file.description);
    CheckInterfaces();
    config_.findings = findings_.Take();
    return std::move(config_);
  }

 private:
  void ReadLine(const GuestLine& line) {
    switch (line.kind) {
      case GuestLine::Kind::kRawLxc:
        config_.raw_lxc.push_back({std::string(line.key), std::string(line.value)});
        return;
      case GuestLine::Kind::kOther:
        return findings_.Add(line.line, "", findings_.full() ? "" : WhyNoValue(line.key));
      case GuestLine::Kind::kValue:
        break;
    }
    if (line.value.empty()) return Find(line, "it has no value and is left out");
    if (line.key == "delete") return Find(line, "it counts in [pve:pending] only and is left out");
    const GuestLine*& known = values_[line.key];
    if (known != nullptr) Find(line, absl::StrFormat("it stands in line %d, too; the last one counts", known->line));
    known = &line;
  }

  static std::string WhyNoValue(std::string_view line) {
    if (line.starts_with(kByteOrderMark)) {
      return "a byte order mark makes the line unreadable for Proxmox VE, which ignores it; write the file without one";
    }
    if (absl::ascii_isspace(static_cast<unsigned char>(line.front()))) {
      return "the line is ignored: a key begins at the start of the line";
    }
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return "the line is ignored: right is 'key: value'";
    const std::string_view word = line.substr(0, colon);
    return absl::StrFormat("the line is ignored: %s is no key%s", Quoted(word), DidYouMean(word, OptionNames()));
  }

  void ReadValue(const GuestLine& line) {
    const std::string_view key = line.key;
    if (key.starts_with("net") && IsOption(key)) return ReadInterface(line);
    if (key == "hostname") return ReadHostname(line);
    if (key == "nameserver") return ReadNameservers(line);
    if (key == "searchdomain") return ReadSearchDomains(line);
    if (std::optional<std::string>* text = FieldOf(key)) {
      text->emplace(line.value);
      return;
    }
    if (!IsOption(key)) {
      const std::string near = findings_.full() ? "" : DidYouMean(key, OptionNames());
      Find(line, absl::StrFormat("there is no such option%s; Proxmox VE does nothing with it", near));
    }
    config_.options.emplace(key, line.value);
  }

  // Where a text goes that is no option; null for others.
  std::optional<std::string>* FieldOf(std::string_view key) {
    if (key == "hookscript") return &config_.hookscript;
    if (key == "lock") return &config_.lock;
    return key == "parent" ? &config_.parent : nullptr;
  }

  void ReadInterface(const GuestLine& line) {
    const auto index = ParseNetIndex(line.key);
    if (!index) return Find(line, "the interface is left out: there are net0 to net31");
    auto interface = ParseNetworkInterface(line.value);
    if (!interface.ok()) {
      return Find(line, absl::StrFormat("the interface is left out: %s", std::string(interface.status().message())));
    }
    if (interface->bridge && vnets_.contains(*interface->bridge)) interface->vnet.swap(interface->bridge);
    if (config_.container_id) {
      config_.host_devices[*index] = HostDevicesOf(*config_.container_id, *index, interface->firewall.value_or(false));
    }
    config_.interfaces[*index] = *std::move(interface);
  }

  void ReadHostname(const GuestLine& line) {
    if (line.value.size() > kLongestHostname || !IsDnsName(line.value)) {
      return Find(line,
                  absl::StrFormat("%s is left out: it is no DNS name of at most %d bytes", Quoted(line.value), kLongestHostname));
    }
    config_.hostname.emplace(line.value);
  }

  void ReadNameservers(const GuestLine& line) {
    for (const std::string_view item : SplitList(line.value)) {
      if (auto address = ParseNameserver(item)) {
        config_.nameservers.push_back(*std::move(address));
      } else {
        Find(line, absl::StrFormat("%s is left out: it is no IP address", Quoted(item)));
      }
    }
  }

  void ReadSearchDomains(const GuestLine& line) {
    for (const std::string_view item : SplitList(line.value)) {
      if (IsDnsName(item)) {
        config_.search_domains.emplace_back(item);
      } else {
        Find(line, absl::StrFormat("%s is left out: it is no DNS name", Quoted(item)));
      }
    }
  }

  void ReadSection(const GuestSection& section) {
    switch (section.kind) {
      case GuestSection::Kind::kPending:
        return ReadPending(section.lines);
      case GuestSection::Kind::kSnapshot:
        if (snapshots_.insert(section.name).second) config_.snapshots.emplace_back(section.name);
        return;
      case GuestSection::Kind::kUnknown:
        return findings_.Add(
            section.line, "",
            absl::StrFormat("%s is neither [pve:pending] nor a snapshot (two characters at least, a letter first, "
                            "then letters, digits, - and _); what follows is left out here, but Proxmox VE reads "
                            "on as if this line were not there",
                            Quoted(section.name)));
    }
  }

  // A later section of this kind takes the place of an earlier one.
  void ReadPending(const std::vector<GuestLine>& lines) {
    std::set<std::string_view> seen;
    config_.pending.clear();
    const auto add = [&](std::string_view key) {
      if (!key.empty() && seen.insert(key).second) config_.pending.emplace_back(key);
    };
    for (const GuestLine& line : lines) {
      if (line.kind == GuestLine::Kind::kOther) continue;
      if (line.key != "delete") {
        add(line.key);
        continue;
      }
      // "!net1": even if it must be forced.
      for (const std::string_view key : SplitList(line.value)) add(key.substr(key.front() == '!' ? 1 : 0));
    }
  }

  void ReadDescription(const std::vector<std::string_view>& lines) {
    for (const std::string_view line : lines) {
      if (config_.description) config_.description->push_back('\n');
      if (!config_.description) config_.description.emplace();
      config_.description->append(DecodeText(line));
    }
  }

  void CheckInterfaces() {
    std::map<std::string_view, unsigned> inside_names;
    for (const auto& [index, interface] : config_.interfaces) {
      CheckLength(index, "its name inside", interface.inside_name);
      if (interface.bridge) CheckLength(index, "its bridge", *interface.bridge);
      if (interface.vnet) CheckLength(index, "its vnet", *interface.vnet);
      const auto [first, is_new] = inside_names.emplace(interface.inside_name, index);
      if (!is_new) {
        FindAt(index,
               absl::StrFormat("its name inside, %s, is that of net%d, too", Quoted(interface.inside_name), first->second));
      }
    }
    for (const auto& [index, devices] : config_.host_devices) {
      for (const std::string_view name : devices.TooLong()) CheckLength(index, "its device on the host", name);
    }
  }

  void CheckLength(unsigned index, const char* what, std::string_view name) {
    if (name.size() <= kLongestDeviceName) return;
    FindAt(index, absl::StrFormat("%s, %s, cannot exist: a name has at most %d bytes", what, Quoted(name), kLongestDeviceName));
  }

  void FindAt(unsigned index, std::string message) { Find(*values_.at(absl::StrFormat("net%d", index)), std::move(message)); }
  void Find(const GuestLine& line, std::string message) { findings_.Add(line.line, line.key, std::move(message)); }

  const Vnets& vnets_;
  ContainerConfig config_;
  ContainerFindings findings_;
  std::map<std::string_view, const GuestLine*> values_;  // the one that counts
  std::set<std::string_view> snapshots_;
};

}  // namespace

ContainerConfig ParseContainerConfig(std::string_view text, std::optional<uint32_t> container_id, const Vnets& vnets) {
  const GuestFile file = ReadGuestFile(text);
  return ConfigReader(container_id, vnets).Read(file);
}

std::optional<uint32_t> ContainerIdOf(std::string_view file_name) {
  file_name.remove_prefix(file_name.rfind('/') + 1);
  constexpr std::string_view kEnding = ".conf";
  if (!file_name.ends_with(kEnding) || file_name.starts_with('0')) return std::nullopt;
  file_name.remove_suffix(kEnding.size());
  uint32_t id = 0;
  const auto [end, error] = std::from_chars(file_name.data(), file_name.data() + file_name.size(), id);
  if (error != std::errc() || end != file_name.data() + file_name.size()) return std::nullopt;
  return id < kLowestId || id > kHighestId ? std::nullopt : std::optional(id);
}

}  // namespace pvebus::container
