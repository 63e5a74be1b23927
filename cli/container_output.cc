#include "cli/container_output.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/container_interface_output.h"
#include "cli/facts.h"
#include "cli/table.h"
#include "container-service/json/container_json.h"

namespace pvebus::cli {
namespace {

using container::ContainerConfig;

std::string NetName(unsigned index) { return absl::StrFormat("net%d", index); }

void PrintFacts(const ContainerConfig& config, std::ostream& out) {
  const Facts facts(out);
  const auto list = [](const std::vector<std::string>& items) { return Cell(absl::StrJoin(items, ", ")); };
  facts.Add("container", config.container_id ? std::to_string(*config.container_id) : "unknown");
  facts.Add("hostname", config.hostname.value_or(""));
  facts.Add("nameservers", list(config.nameservers));
  facts.Add("search domains", list(config.search_domains));
  facts.Add("hookscript", Cell(config.hookscript.value_or("")));
  facts.Add("lock", Cell(config.lock.value_or("")));
  facts.Add("pending", list(config.pending));
  facts.Add("snapshots", list(config.snapshots));
}

}  // namespace

std::string ToJson(const ContainerConfig& config) {
  return container::ToDocument(config).dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

void PrintContainer(const ContainerConfig& config, std::ostream& out) {
  PrintFacts(config, out);
  std::vector<InterfaceRow> rows;
  for (const auto& [index, interface] : config.interfaces) {
    const auto devices = config.host_devices.find(index);
    rows.push_back({NetName(index), devices == config.host_devices.end() ? "" : devices->second.veth, interface});
  }
  PrintInterfaces(rows, out);
}

void PrintContainerFindings(const std::string& file, const std::vector<container::ContainerFinding>& findings,
                            std::ostream& out) {
  for (const container::ContainerFinding& finding : findings) {
    const std::string place = finding.line == 0 ? file : absl::StrFormat("%s:%d", file, finding.line);
    const std::string key = finding.key.empty() ? "" : finding.key + ": ";
    out << Printable(absl::StrFormat("%s: warning: %s%s", place, key, finding.message)) << '\n';
  }
}

}  // namespace pvebus::cli
