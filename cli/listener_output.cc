#include "cli/listener_output.h"

#include <map>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/duration.h"
#include "cli/result_output.h"
#include "cli/table.h"
#include "sdk/client/proto_time.h"
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
  return absl::StrFormat("answer within %s, %d attempts, backoff %s..%s x%g",
                         FormatDuration(client::FromProto(policy.ack_deadline())), policy.max_attempts(),
                         FormatDuration(client::FromProto(policy.minimum_backoff())),
                         FormatDuration(client::FromProto(policy.maximum_backoff())), policy.backoff_multiplier());
}

std::string OrDash(uint64_t number) { return number == 0 ? "-" : std::to_string(number); }

std::string ErrorWithTime(const bus::v1::Listener& listener) {
  return listener.has_last_error()
             ? absl::StrFormat("%s (%s)", FormatError(listener.last_error()), FormatTimeOfDay(listener.last_error_time()))
             : "";
}

}  // namespace

void PrintListeners(const std::vector<bus::v1::Listener>& listeners, std::ostream& out) {
  Table table(
      {"LISTENER", "STATE", "INSTANCE", "SETTLED TO", "BACKLOG", "IN FLIGHT", "RETRYING", "DEAD", "REASON", "LAST ERROR"});
  for (const bus::v1::Listener& listener : listeners) {
    table.Add({listener.name(), ShortName(ListenerState_Name(listener.state())), listener.instance_id(),
               std::to_string(listener.ack_floor_sequence()), std::to_string(listener.backlog()),
               absl::StrFormat("%d/%d", listener.in_flight(), listener.max_in_flight()), OrDash(listener.retry_scheduled()),
               OrDash(listener.dead_letters()), listener.state_reason(), ErrorWithTime(listener)});
  }
  table.Print(out);
}

void PrintListener(const bus::v1::Listener& listener, std::ostream& out) {
  const auto line = [&out](const char* name, const std::string& value) {
    if (!value.empty()) out << absl::StrFormat("%-16s %s\n", name, Printable(value));
  };
  line("listener", listener.name() + (listener.ephemeral() ? " (ephemeral: forgotten when it leaves)" : ""));
  line("state",
       ShortName(ListenerState_Name(listener.state())) + (listener.state_reason().empty() ? "" : ": " + listener.state_reason()));
  line("instance", listener.instance_id());
  line("node", listener.node());
  line("peer", listener.peer());
  line("holders so far", std::to_string(listener.session_epoch()));
  line("known since", FormatTime(listener.create_time()));
  line("connected at", FormatTime(listener.connect_time()));
  if (listener.has_lease_expire_time()) {
    line("lease", absl::StrFormat("%s, ends %s unless renewed", FormatDuration(client::FromProto(listener.lease_duration())),
                                  FormatTimeOfDay(listener.lease_expire_time())));
  }
  line("event types", TypesInWords(listener));
  line("filter", listener.filter());
  line("delivery policy", PolicyInWords(listener.delivery_policy()));
  line("settled to", std::to_string(listener.ack_floor_sequence()));
  line("delivered to", std::to_string(listener.last_delivered_sequence()));
  line("backlog",
       std::to_string(listener.backlog()) +
           (listener.has_oldest_unacked_time() ? " (oldest of " + FormatTime(listener.oldest_unacked_time()) + ")" : ""));
  line("in flight", absl::StrFormat("%d of %d", listener.in_flight(), listener.max_in_flight()));
  line("retrying", std::to_string(listener.retry_scheduled()));
  line("dead letters", std::to_string(listener.dead_letters()));
  line("last error", ErrorWithTime(listener));
  const std::map<std::string, std::string> labels(listener.labels().begin(), listener.labels().end());
  line("labels", absl::StrJoin(labels, ", ", absl::PairFormatter("=")));
  line("etag", listener.etag());
}

}  // namespace pvebus::cli
