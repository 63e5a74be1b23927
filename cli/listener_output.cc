#include "cli/listener_output.h"

#include <map>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/duration.h"
#include "cli/facts.h"
#include "cli/result_output.h"
#include "cli/table.h"
#include "sdk/events/names.h"

namespace pvebus::cli {
namespace {

std::string TypesInWords(const bus::v1::Listener& listener) {
  std::vector<std::string> names;
  for (const int type : listener.event_types())
    names.emplace_back(events::EventTypeName(static_cast<event::v1::EventType>(type)));
  return names.empty() ? "all" : absl::StrJoin(names, ", ");
}

std::string PolicyInWords(const bus::v1::DeliveryPolicy& policy) {
  return absl::StrFormat("answer within %s, %d attempts, backoff %s..%s x%g", FormatDuration(policy.ack_deadline()),
                         policy.max_attempts(), FormatDuration(policy.minimum_backoff()),
                         FormatDuration(policy.maximum_backoff()), policy.backoff_multiplier());
}

std::string OrDash(uint64_t number) { return number == 0 ? "-" : std::to_string(number); }

std::string ErrorWithTime(const bus::v1::Listener& listener) {
  return listener.has_last_error()
             ? absl::StrFormat("%s (%s)", FormatError(listener.last_error()), FormatTimeOfDay(listener.last_error_time()))
             : "";
}

std::string EventsOf(const bus::v1::ListenerIncident& incident) {
  if (incident.first_sequence() == 0) return "";
  if (incident.last_sequence() <= incident.first_sequence()) return absl::StrFormat("#%d", incident.first_sequence());
  return absl::StrFormat("#%d..#%d", incident.first_sequence(), incident.last_sequence());
}

void PrintIncidents(const bus::v1::Listener& listener, std::ostream& out) {
  if (listener.incidents().empty()) return;
  out << "\nincidents\n";
  Table table({"TIME", "WHAT", "EVENTS", "DETAIL"});
  for (const bus::v1::ListenerIncident& incident : listener.incidents()) {
    table.Add({FormatTime(incident.time()), incident.kind(), EventsOf(incident), incident.message()});
  }
  table.Print(out);
}

}  // namespace

void PrintListeners(const std::vector<bus::v1::Listener>& listeners, SystemTime now, std::ostream& out) {
  Table table({"LISTENER", "STATE", "INSTANCE", "SETTLED TO", "BACKLOG", "OLDEST", "IN FLIGHT", "RETRYING", "DEAD LETTERS",
               "REASON", "LAST ERROR"});
  for (const bus::v1::Listener& listener : listeners) {
    table.Add({listener.name(), ShortName(ListenerState_Name(listener.state())), listener.instance_id(),
               std::to_string(listener.ack_floor_sequence()), std::to_string(listener.backlog()),
               FormatAge(listener.oldest_unacked_time(), now),
               absl::StrFormat("%d/%d", listener.in_flight(), listener.max_in_flight()), OrDash(listener.retry_scheduled()),
               OrDash(listener.dead_letters()), listener.state_reason(), ErrorWithTime(listener)});
  }
  table.Print(out);
}

void PrintListener(const bus::v1::Listener& listener, SystemTime now, std::ostream& out) {
  const Facts facts(out);
  facts.Add("listener", listener.name() + (listener.ephemeral() ? " (ephemeral: forgotten when it leaves)" : ""));
  facts.Add("state", ShortName(ListenerState_Name(listener.state())) +
                         (listener.state_reason().empty() ? "" : ": " + listener.state_reason()));
  facts.Add("instance", listener.instance_id());
  facts.Add("node", listener.node());
  facts.Add("peer", listener.peer());
  facts.Add("holders so far", listener.session_epoch());
  facts.Add("known since", FormatTime(listener.create_time()));
  facts.Add("connected at", FormatTime(listener.connect_time()));
  if (listener.has_lease_expire_time()) {
    facts.Add("lease", absl::StrFormat("%s, ends %s unless renewed", FormatDuration(listener.lease_duration()),
                                       FormatTimeOfDay(listener.lease_expire_time())));
  }
  facts.Add("event types", TypesInWords(listener));
  facts.Add("filter", listener.filter());
  facts.Add("delivery policy", PolicyInWords(listener.delivery_policy()));
  facts.Add("settled to", listener.ack_floor_sequence());
  facts.Add("delivered to", listener.last_delivered_sequence());
  facts.Add("backlog", listener.backlog());
  if (listener.has_oldest_unacked_time()) {
    facts.Add("oldest unsettled", absl::StrFormat("%s (%s)", FormatAge(listener.oldest_unacked_time(), now),
                                                  FormatTime(listener.oldest_unacked_time())));
  }
  facts.Add("in flight", absl::StrFormat("%d of %d", listener.in_flight(), listener.max_in_flight()));
  facts.Add("retrying", listener.retry_scheduled());
  facts.Add("dead letters", listener.dead_letters() == 0
                                ? "0"
                                : absl::StrFormat("%d: pvebus dead-letters list --filter 'listener = \"%s\"'",
                                                  listener.dead_letters(), listener.name()));
  facts.Add("last error", ErrorWithTime(listener));
  const std::map<std::string, std::string> labels(listener.labels().begin(), listener.labels().end());
  facts.Add("labels", absl::StrJoin(labels, ", ", absl::PairFormatter("=")));
  facts.Add("etag", listener.etag());
  PrintIncidents(listener, out);
}

}  // namespace pvebus::cli
