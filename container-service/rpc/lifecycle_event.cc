#include "container-service/rpc/lifecycle_event.h"

#include <cmath>

#include "absl/strings/str_format.h"
#include "container-service/core/errors.h"
#include "sdk/base/utf8.h"

namespace pvebus::container {
namespace {

using event::v1::Custom;
using event::v1::SystemEvent;

// A hookscript that tells of the same start gives the same: events with one request id must be equal.
constexpr char kSource[] = "container-service";
constexpr char kNetworkChanged[] = "container_network_changed";
constexpr size_t kMostTextBytes = 256;

void Set(const char* field, const std::string& text, Custom& custom) {
  (*custom.mutable_data())[field].set_string_value(CleanUtf8(text, kMostTextBytes));
}

std::string TextIn(const Custom& custom, const char* field) {
  const auto found = custom.data().find(field);
  return found == custom.data().end() ? "" : found->second.string_value();
}

std::optional<uint32_t> ContainerIn(const Custom& custom) {
  const auto found = custom.data().find("container_id");
  if (found == custom.data().end() || !found->second.has_number_value()) return std::nullopt;
  const double number = found->second.number_value();
  const bool valid = number >= kLowestContainerId && number <= kHighestContainerId && std::trunc(number) == number;
  return valid ? std::optional(static_cast<uint32_t>(number)) : std::nullopt;
}

std::optional<LifecycleKind> KindOf(const Custom& custom) {
  const std::string word = custom.name() == kNetworkChanged ? TextIn(custom, "change") : custom.name();
  const auto kind = LifecycleOfWord(word);
  const bool fits = kind && *kind != LifecycleKind::kStarted && IsAboutInterface(*kind) == (custom.name() == kNetworkChanged);
  return fits ? kind : std::nullopt;
}

}  // namespace

SystemEvent EventOf(const Lifecycle& what) {
  SystemEvent event;
  event.set_source(kSource);
  event.set_subject(std::to_string(what.container_id));
  if (what.kind == LifecycleKind::kStarted) {
    event.mutable_container_started()->set_id(what.container_id);
    return event;
  }
  event.set_ordering_key(ResourceOf(what));
  Custom& custom = *event.mutable_custom();
  custom.set_name(IsAboutInterface(what.kind) ? kNetworkChanged : std::string(LifecycleWord(what.kind)));
  (*custom.mutable_data())["container_id"].set_number_value(what.container_id);
  if (!IsAboutInterface(what.kind)) return event;
  Set("change", std::string(LifecycleWord(what.kind)), custom);
  Set("interface", what.interface, custom);
  Set("device", what.device, custom);
  Set("before", what.before, custom);
  Set("after", what.after, custom);
  return event;
}

std::optional<Lifecycle> LifecycleOf(const SystemEvent& event) {
  if (event.has_container_started()) {
    return Lifecycle{.kind = LifecycleKind::kStarted, .container_id = event.container_started().id()};
  }
  if (!event.has_custom()) return std::nullopt;
  const auto kind = KindOf(event.custom());
  const auto container_id = ContainerIn(event.custom());
  if (!kind || !container_id) return std::nullopt;
  return Lifecycle{.kind = *kind,
                   .container_id = *container_id,
                   .interface = TextIn(event.custom(), "interface"),
                   .device = TextIn(event.custom(), "device"),
                   .before = TextIn(event.custom(), "before"),
                   .after = TextIn(event.custom(), "after")};
}

bool IsOnTheBus(const SystemEvent& event) { return event.sequence() != 0; }

std::string ResourceOf(const Lifecycle& what) { return absl::StrFormat("container/%d", what.container_id); }

}  // namespace pvebus::container
