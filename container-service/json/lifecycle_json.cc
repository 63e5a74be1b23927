#include "container-service/json/lifecycle_json.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "container-service/json/container_json.h"

namespace pvebus::container {
namespace {

using Json = nlohmann::ordered_json;

Json TextOrNull(const std::string& text) { return text.empty() ? Json() : Json(text); }

}  // namespace

std::string LifecycleJson(const Lifecycle& what, const std::string& event_id, const std::string& timestamp,
                          const ContainerConfig* config) {
  Json data = {{"network", config == nullptr ? Json() : ToDocument(*config)}};
  if (IsAboutInterface(what.kind)) {
    data["interface"] = what.interface;
    data["device"] = TextOrNull(what.device);
    data["before"] = TextOrNull(what.before);
    data["after"] = TextOrNull(what.after);
  }
  const Json document = {{"id", event_id},
                         {"timestamp", timestamp},
                         {"container_id", what.container_id},
                         {"event_type", std::string(LifecycleName(what.kind))},
                         {"data", std::move(data)}};
  return document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace pvebus::container
