#include "network-service/core/interfaces_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "network-service/core/interface_builder.h"
#include "network-service/core/interfaces_lines.h"
#include "network-service/core/source_paths.h"
#include "network-service/core/stanza_collector.h"

namespace pvebus::network {
namespace {

constexpr size_t kMostBytes = 16 * kMostFileBytes;
constexpr size_t kMostFolders = 100;  // that are told

absl::StatusOr<std::string> ReadBounded(const std::string& path, InterfacesFiles& files, size_t most_bytes = kMostFileBytes) {
  auto text = files.Read(path);
  if (text.ok() && text->size() > most_bytes) {
    return absl::ResourceExhaustedError(absl::StrFormat("the file has more than %d bytes", most_bytes));
  }
  return text;
}

std::string Sentence(const absl::Status& status) { return std::string(status.message()); }

// Follows the sources of one configuration. One thread.
class SourceFollower {
 public:
  SourceFollower(const ConfigurationPlace& place, InterfacesFiles& files, StanzaCollector& stanzas, Diagnostics& diagnostics)
      : place_(place), files_(files), stanzas_(stanzas), diagnostics_(diagnostics) {}

  void Take(const std::string& file, const std::string& text) {
    open_.push_back(file);
    ++file_count_;
    byte_count_ += text.size();
    for (const InterfacesLine& line : ReadLines(text)) {
      if (const auto request = stanzas_.Take(file, line)) Follow(*request);
    }
    stanzas_.EndFile();
    open_.pop_back();
  }

  std::set<std::string, std::less<>> TakeFolders() { return std::move(folders_); }

 private:
  void Follow(const SourceRequest& request) {
    for (const std::string& written : request.paths) {
      const std::string path = SourcePath(written, request.place.file, place_.etc_network);
      if (folders_.size() < kMostFolders) folders_.insert(request.folder ? path : FolderOf(path));
      if (request.folder) {
        FollowFolder(request.place, path);
      } else if (IsGlob(path)) {
        FollowAll(request.place, files_.Glob(path));
      } else {
        FollowFile(request.place, path);
      }
    }
    stanzas_.EndFile();
  }

  void FollowFolder(const Place& place, const std::string& folder) {
    auto names = files_.List(folder);
    if (!names.ok()) return TellUnreadable(place, folder, names.status());
    // What begins with a dot is an editor's.
    std::erase_if(*names, [](const std::string& name) { return name.starts_with('.'); });
    for (std::string& name : *names) name = NormalPath(absl::StrFormat("%s/%s", folder, name));
    FollowAll(place, *std::move(names));
  }

  void FollowAll(const Place& place, std::vector<std::string> paths) {
    std::sort(paths.begin(), paths.end());
    for (const std::string& path : paths) FollowFile(place, path);
  }

  void FollowFile(const Place& place, const std::string& path) {
    if (std::find(open_.begin(), open_.end(), path) != open_.end()) {
      diagnostics_.Error(
          place, absl::StrFormat("%s is sourced while it is being read: the files source each other in a circle", Quoted(path)));
      return;
    }
    if (TooMuch(place)) return;
    const auto text = ReadBounded(path, files_);
    if (!text.ok()) return TellUnreadable(place, path, text.status());
    Take(path, *text);
  }

  bool TooMuch(const Place& place) {
    if (file_count_ < kMostFiles && byte_count_ < kMostBytes) return false;
    if (!std::exchange(told_too_much_, true)) {
      diagnostics_.Error(place, absl::StrFormat("the configuration has more than %d files or %d bytes; the rest is not read",
                                                kMostFiles, kMostBytes));
    }
    return true;
  }

  void TellUnreadable(const Place& place, const std::string& path, const absl::Status& status) {
    if (absl::IsNotFound(status)) {
      diagnostics_.Warn(place, absl::StrFormat("there is no %s", Quoted(path)));
    } else {
      diagnostics_.Error(place, absl::StrFormat("cannot read %s: %s", Quoted(path), Sentence(status)));
    }
  }

  const ConfigurationPlace& place_;
  InterfacesFiles& files_;
  StanzaCollector& stanzas_;
  Diagnostics& diagnostics_;
  std::set<std::string, std::less<>> folders_;
  std::vector<std::string> open_;
  size_t file_count_ = 0;
  size_t byte_count_ = 0;
  bool told_too_much_ = false;
};

NetworkConfiguration Build(StanzaCollector& stanzas, Diagnostics& diagnostics) {
  NetworkConfiguration configuration;
  for (const auto& [name, parts] : stanzas.TakeStanzas()) {
    Interface interface = BuildInterface(parts, diagnostics);
    interface.enabled = stanzas.enabled().contains(name);
    configuration.places.emplace(name, parts.front().place);
    configuration.interfaces.emplace(name, std::move(interface));
  }
  for (const auto& [name, place] : stanzas.enabled()) {
    if (configuration.interfaces.contains(name)) continue;
    diagnostics.Warn(place, absl::StrFormat("%s shall come up at boot, but no iface stanza defines it", Quoted(name)));
  }
  configuration.automatic = stanzas.automatic();
  configuration.has_errors = diagnostics.has_errors();
  configuration.diagnostics = diagnostics.Take();
  return configuration;
}

}  // namespace

absl::StatusOr<NetworkConfiguration> ReadConfiguration(const ConfigurationPlace& place, InterfacesFiles& files) {
  const std::string main_file = NormalPath(place.main_file);
  const auto text = ReadBounded(main_file, files, place.most_main_bytes);
  if (!text.ok()) return text.status();
  Diagnostics diagnostics;
  StanzaCollector stanzas(diagnostics);
  SourceFollower follower(place, files, stanzas, diagnostics);
  follower.Take(main_file, *text);
  NetworkConfiguration configuration = Build(stanzas, diagnostics);
  configuration.folders = follower.TakeFolders();
  return configuration;
}

}  // namespace pvebus::network
