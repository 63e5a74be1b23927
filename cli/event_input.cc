#include "cli/event_input.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "absl/strings/str_format.h"
#include "sdk/base/error.h"
#include "sdk/events/event_json.h"
#include "sdk/events/names.h"

namespace pvebus::cli {
namespace {

// istream::read turns what fails underneath (a folder, a bad disk) into badbit, which iterators over the buffer would throw.
std::string ReadAll(std::istream& in) {
  std::string content;
  char buffer[65536];
  while (in.read(buffer, sizeof(buffer)) || in.gcount() > 0) content.append(buffer, in.gcount());
  return content;
}

}  // namespace

absl::StatusOr<std::string> ReadSource(const std::string& text, std::istream& standard_input) {
  if (text == "-") return ReadAll(standard_input);
  if (!text.starts_with('@')) return text;
  const std::string path = text.substr(1);
  std::ifstream file(path);
  const bool opened = file.is_open();
  std::string content = opened ? ReadAll(file) : std::string();
  if (!opened || file.bad()) {
    return MakeError(absl::StatusCode::kNotFound, "FILE_UNREADABLE",
                     absl::StrFormat("cannot read '%s': %s", path, std::strerror(errno)));
  }
  return content;
}

absl::StatusOr<event::v1::ConfigChange> ParseChange(const std::string& text) {
  const size_t colon = text.find(':');
  if (colon == std::string::npos || colon + 1 == text.size() || text[colon + 1] == ':') {
    return MakeError(absl::StatusCode::kInvalidArgument, "CHANGE_INVALID",
                     absl::StrFormat("'%s' is not TYPE:TARGET[:DESCRIPTION], for example create:vmbr1", text));
  }
  const auto type = events::ParseChangeType(text.substr(0, colon));
  if (!type.ok()) return type.status();
  const size_t end_of_target = text.find(':', colon + 1);
  event::v1::ConfigChange change;
  change.set_change_type(*type);
  change.set_target(text.substr(colon + 1, end_of_target == std::string::npos ? end_of_target : end_of_target - colon - 1));
  if (end_of_target != std::string::npos) change.set_description(text.substr(end_of_target + 1));
  return change;
}

absl::StatusOr<event::v1::SystemEvent> EventFromChangesJson(const std::string& json) {
  return events::EventFromJson(R"({"event":"network_applied","changes":)" + json + "}");
}

absl::StatusOr<event::v1::SystemEvent> NetworkAppliedEvent(const std::vector<std::string>& changes) {
  event::v1::SystemEvent event;
  for (const std::string& text : changes) {
    const auto change = ParseChange(text);
    if (!change.ok()) return change.status();
    *event.mutable_network_applied()->add_changes() = *change;
  }
  return event;
}

absl::StatusOr<event::v1::SystemEvent> MigrationPhaseChangedEvent(const std::string& phase) {
  const auto value = events::ParseMigrationPhase(phase);
  if (!value.ok()) return value.status();
  event::v1::SystemEvent event;
  event.mutable_migration_phase_changed()->set_phase(*value);
  return event;
}

absl::StatusOr<event::v1::SystemEvent> CustomEvent(const std::string& name, const std::string& data) {
  event::v1::SystemEvent event;
  event.mutable_custom()->set_name(name);
  if (data.empty()) return event;
  auto content = events::ObjectFromJson(data, "data");
  if (!content.ok()) return content.status();
  event.mutable_custom()->mutable_data()->swap(*content->mutable_fields());
  return event;
}

}  // namespace pvebus::cli
