#include "cli/storage_output.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/table.h"

namespace pvebus::cli {
namespace {

using Json = nlohmann::ordered_json;

Json ToDocument(const storage::Endpoint& endpoint) {
  return {{"host", endpoint.host}, {"port", endpoint.port ? Json(*endpoint.port) : Json()}};
}

Json ToDocument(const storage::Storage& storage) {
  Json endpoints = Json::array();
  for (const storage::Endpoint& endpoint : storage.endpoints) endpoints.push_back(ToDocument(endpoint));
  return {{"storage_id", storage.storage_id},
          {"type", storage.type},
          {"network", storage.network},
          {"enabled", storage.enabled},
          {"shared", storage.shared},
          {"content", storage.contents},
          {"nodes", storage.nodes ? Json(*storage.nodes) : Json()},
          {"endpoints", std::move(endpoints)},
          {"properties", Json(storage.properties)}};
}

Json ToDocument(const storage::StorageWarning& warning) {
  return {{"line", warning.line},
          {"storage_id", warning.storage_id},
          {"message", warning.message},
          {"section_skipped", warning.section_skipped}};
}

std::string EndpointsInWords(const std::vector<storage::Endpoint>& endpoints) {
  return absl::StrJoin(endpoints, ", ",
                       [](std::string* out, const storage::Endpoint& endpoint) { out->append(FormatEndpoint(endpoint)); });
}

}  // namespace

std::string ToJson(const storage::StorageConfig& config) {
  Json document = {{"storages", Json::array()}, {"warnings", Json::array()}};
  for (const storage::Storage& storage : config.storages) document["storages"].push_back(ToDocument(storage));
  for (const storage::StorageWarning& warning : config.warnings) document["warnings"].push_back(ToDocument(warning));
  return document.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string FormatEndpoint(const storage::Endpoint& endpoint) {
  const bool ipv6 = endpoint.host.find(':') != std::string::npos;
  const std::string host = ipv6 ? "[" + endpoint.host + "]" : endpoint.host;
  return endpoint.port ? absl::StrFormat("%s:%d", host, *endpoint.port) : host;
}

void PrintStorages(const std::vector<storage::Storage>& storages, std::ostream& out) {
  if (storages.empty()) {
    out << "no storages\n";
    return;
  }
  Table table({"STORAGE", "TYPE", "NETWORK", "ENABLED", "SHARED", "CONTENT", "NODES", "ENDPOINTS"});
  const auto yes = [](bool value) { return value ? "yes" : "no"; };
  for (const storage::Storage& storage : storages) {
    table.Add({Cell(storage.storage_id), storage.type, yes(storage.network), yes(storage.enabled), yes(storage.shared),
               Cell(absl::StrJoin(storage.contents, ",")), storage.nodes ? Cell(absl::StrJoin(*storage.nodes, ",")) : "all",
               Cell(EndpointsInWords(storage.endpoints))});
  }
  table.Print(out);
}

void PrintStorageWarnings(const std::string& file, const std::vector<storage::StorageWarning>& warnings, std::ostream& out) {
  for (const storage::StorageWarning& warning : warnings) {
    const std::string place = warning.line == 0 ? file : absl::StrFormat("%s:%d", file, warning.line);
    const std::string storage = warning.storage_id.empty() ? "" : absl::StrFormat("storage '%s': ", warning.storage_id);
    out << Printable(absl::StrFormat("%s: warning: %s%s", place, storage, warning.message)) << '\n';
  }
}

}  // namespace pvebus::cli
