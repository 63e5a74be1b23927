#include "cli/event_output.h"

#include <map>

#include "absl/strings/str_format.h"
#include "cli/duration.h"
#include "cli/table.h"
#include "sdk/events/names.h"
#include "sdk/events/summary.h"

namespace pvebus::cli {

std::string FormatEvent(const event::v1::SystemEvent& event) {
  std::string line = absl::StrFormat("%s  #%-5d %-23s  %s  [%s", FormatTimeOfDay(event.publish_time()), event.sequence(),
                                     events::EventTypeName(events::TypeOf(event)), events::Summarize(event), event.event_id());
  const auto add = [&line](const char* name, const std::string& value) {
    if (!value.empty()) absl::StrAppendFormat(&line, " %s=%s", name, value);
  };
  add("source", event.source());
  add("subject", event.subject());
  add("parent", event.causation().parent_event_id());
  const std::map<std::string, std::string> attributes(event.attributes().begin(), event.attributes().end());
  for (const auto& [key, value] : attributes) add(key.c_str(), value);
  return Printable(line + "]");
}

}  // namespace pvebus::cli
