#include "sdk/events/request_json.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "sdk/events/event_json.h"
#include "sdk/events/event_tree.h"
#include "sdk/events/json_fields.h"
#include "sdk/events/json_value.h"

namespace pvebus::events {
namespace {

using event::v1::SystemEvent;

constexpr const char* kRequestIdRule = "an id, 1..128 characters of [A-Za-z0-9._:/-]";

bool IsRequestId(std::string_view id) {
  const auto allowed = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || std::string_view("._:/-").find(c) != std::string_view::npos;
  };
  return !id.empty() && id.size() <= 128 && std::all_of(id.begin(), id.end(), allowed);
}

void Write(const char* key, const std::string& value, std::string& object) {
  if (value.empty()) return;
  const auto replace = nlohmann::json::error_handler_t::replace;
  object += absl::StrFormat("\"%s\":%s,", key, nlohmann::json(value).dump(-1, ' ', false, replace));
}

absl::Status ReadEnvelope(const Fields& fields, SystemEvent& event) {
  using Setter = void (*)(SystemEvent&, std::string);
  static constexpr std::array<std::pair<const char*, Setter>, 3> kTexts = {
      {{"source", [](SystemEvent& to, std::string text) { to.set_source(std::move(text)); }},
       {"subject", [](SystemEvent& to, std::string text) { to.set_subject(std::move(text)); }},
       {"ordering_key", [](SystemEvent& to, std::string text) { to.set_ordering_key(std::move(text)); }}}};
  for (const auto& [key, set] : kTexts) {
    if (fields.Find(key) == nullptr) continue;
    absl::StatusOr<std::string> text = fields.String(key, "a string");
    if (!text.ok()) return text.status();
    set(event, *std::move(text));
  }
  return absl::OkStatus();
}

}  // namespace

std::string RequestToJson(const EventRequest& request) {
  std::string object = "{";
  Write("request_id", request.request_id, object);
  Write("source", request.event.source(), object);
  Write("subject", request.event.subject(), object);
  Write("ordering_key", request.event.ordering_key(), object);
  return object + absl::StrFormat("\"event\":%s}", EventToJson(request.event));
}

absl::StatusOr<EventRequest> RequestFromJson(std::string_view text) {
  const absl::StatusOr<nlohmann::json> tree = ParseJson(text);
  if (!tree.ok()) return tree.status();
  if (!tree->is_object())
    return JsonError(absl::StrFormat("found %s, expected an object with request_id and event", Found(*tree)));
  const Fields fields(*tree, "");
  absl::Status status = fields.OnlyThese({"request_id", "source", "subject", "ordering_key", "event"});
  if (!status.ok()) return status;
  absl::StatusOr<std::string> request_id = fields.String("request_id", kRequestIdRule);
  if (!request_id.ok()) return request_id.status();
  if (!IsRequestId(*request_id)) return fields.Wrong("request_id", *fields.Find("request_id"), kRequestIdRule);
  const nlohmann::json* payload = fields.Find("event");
  if (payload == nullptr) return fields.Missing("event", "an event");
  absl::StatusOr<SystemEvent> event = EventFromTree(*payload);
  if (!event.ok()) return fields.About("event", event.status());
  if (status = ReadEnvelope(fields, *event); !status.ok()) return status;
  return EventRequest{.request_id = *std::move(request_id), .event = *std::move(event)};
}

}  // namespace pvebus::events
