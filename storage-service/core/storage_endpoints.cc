#include "storage-service/core/storage_endpoints.h"

#include "absl/strings/str_split.h"
#include "storage-service/core/section_file.h"
#include "storage-service/core/storage_addresses.h"
#include "storage-service/core/storage_values.h"

namespace pvebus::storage {
namespace {

std::string_view ValueOf(const PropertyValues& properties, std::string_view name) {
  const auto it = properties.find(name);
  return it == properties.end() ? std::string_view() : std::string_view(it->second);
}

// port= of mount options, the last one as mount takes it; 0 is "ask the server", so there is none.
std::string PortOption(std::string_view options) {
  constexpr std::string_view kKey = "port=";
  std::string port;
  for (const std::string& option : std::vector<std::string>(absl::StrSplit(std::string(options), ','))) {
    if (option.starts_with(kKey)) port = option.substr(kKey.size());
  }
  return port == "0" ? "" : port;
}

void Add(std::string_view host, std::string_view port, uint16_t default_port, std::vector<Endpoint>& endpoints) {
  if (host.empty()) return;
  Endpoint endpoint{std::string(host), std::nullopt};
  if (!port.empty()) {
    endpoint.port = ParsePort(port);
    if (!endpoint.port) return;
  } else if (default_port != 0) {
    endpoint.port = default_port;
  }
  endpoints.push_back(std::move(endpoint));
}

}  // namespace

std::vector<Endpoint> EndpointsOf(const StorageType& type, const PropertyValues& properties) {
  std::vector<Endpoint> endpoints;
  const auto add_all = [&](std::string_view addresses) {
    for (const std::string_view address : SplitList(addresses)) {
      if (const auto parsed = ParseHostAndPort(address)) Add(parsed->host, parsed->port, type.default_port, endpoints);
    }
  };
  const std::string_view server = ValueOf(properties, "server");
  switch (type.reach) {
    case Reach::kLocal:
      break;
    case Reach::kServerWithMountOptions:
      Add(server, PortOption(ValueOf(properties, "options")), type.default_port, endpoints);
      break;
    case Reach::kServerWithPort:
      Add(server, ValueOf(properties, "port"), type.default_port, endpoints);
      break;
    case Reach::kPortal:
      add_all(ValueOf(properties, "portal"));
      break;
    case Reach::kMonitors:
      add_all(ValueOf(properties, "monhost"));
      break;
  }
  return endpoints;
}

}  // namespace pvebus::storage
