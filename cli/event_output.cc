#include "cli/event_output.h"

#include <map>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/duration.h"
#include "cli/proto_json.h"
#include "cli/table.h"
#include "sdk/events/event_json.h"
#include "sdk/events/names.h"
#include "sdk/events/summary.h"

namespace pvebus::cli {
namespace {

constexpr size_t kMaxPayloadShown = 2000;

std::map<std::string, std::string> Attributes(const event::v1::SystemEvent& event) {
  return {event.attributes().begin(), event.attributes().end()};
}

std::string Payload(const event::v1::SystemEvent& event) {
  if (event.payload_case() == event::v1::SystemEvent::PAYLOAD_NOT_SET) return "";
  std::string json = events::EventToJson(event);
  if (json.size() <= kMaxPayloadShown) return json;
  size_t end = kMaxPayloadShown;
  while (end > 0 && (static_cast<unsigned char>(json[end]) & 0xC0) == 0x80) --end;  // between characters
  return absl::StrFormat("%s... (%d bytes in all; --output json shows them)", json.substr(0, end), json.size());
}

}  // namespace

EventLayout LayoutFor(bool original, const Console& console) {
  if (original) return EventLayout::kOriginal;
  return console.json() ? EventLayout::kJson : EventLayout::kLine;
}

std::string FormatEvent(const event::v1::SystemEvent& event) {
  std::string line = absl::StrFormat("%s  #%-5d %-23s  %s  [%s", FormatTime(event.publish_time()), event.sequence(),
                                     events::EventTypeName(events::TypeOf(event)), events::Summarize(event), event.event_id());
  const auto add = [&line](const char* name, const std::string& value) {
    if (!value.empty()) absl::StrAppendFormat(&line, " %s=%s", name, value);
  };
  add("source", event.source());
  add("subject", event.subject());
  add("parent", event.causation().parent_event_id());
  for (const auto& [key, value] : Attributes(event)) add(key.c_str(), value);
  return Printable(line + "]");
}

void PrintEventLine(const event::v1::SystemEvent& event, EventLayout layout, std::ostream& out) {
  switch (layout) {
    case EventLayout::kLine:
      out << FormatEvent(event) << '\n';
      break;
    case EventLayout::kJson:
      out << ToJson(event, JsonLayout::kOneLine);
      break;
    case EventLayout::kOriginal:
      out << events::EventToJson(event) << '\n';
      break;
  }
  out.flush();
}

void PrintLost(const bus::v1::LostEvents& lost, Console& console) {
  if (console.json()) {
    console.err << absl::StrFormat("{\"lost\":{\"first_sequence\":\"%d\",\"last_sequence\":\"%d\"}}\n", lost.first_sequence(),
                                   lost.last_sequence());
    return;
  }
  console.err << absl::StrFormat("pvebus: events %d..%d were lost: the journal was damaged, and an operator accepted it\n",
                                 lost.first_sequence(), lost.last_sequence());
}

void AddEventFacts(const event::v1::SystemEvent& event, const Facts& facts) {
  facts.Add("event", event.event_id());
  facts.Add("stored", absl::StrFormat("sequence %d, %s", event.sequence(), FormatTime(event.publish_time())));
  facts.Add("what", absl::StrFormat("%s: %s", events::EventTypeName(events::TypeOf(event)), events::Summarize(event)));
  facts.Add("source", event.source());
  facts.Add("subject", event.subject());
  facts.Add("ordering key", event.ordering_key());
  facts.Add("attributes", absl::StrJoin(Attributes(event), ", ", absl::PairFormatter("=")));
  if (event.has_causation()) {
    facts.Add("caused by", absl::StrFormat("%s (hop %d)", event.causation().parent_event_id(), event.causation().hop_count()));
  }
  facts.Add("trace parent", event.trace_parent());
  if (event.has_expire_time()) facts.Add("expires", FormatTime(event.expire_time()));
  facts.Add("payload", Payload(event));
}

}  // namespace pvebus::cli
