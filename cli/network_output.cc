#include "cli/network_output.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"
#include "cli/table.h"
#include "network-service/json/network_json.h"
#include "sdk/base/utf8.h"

namespace pvebus::cli {
namespace {

const char* NameOf(network::ChangeType type) {
  switch (type) {
    case network::ChangeType::kDelete:
      return "delete";
    case network::ChangeType::kUpdate:
      return "update";
    case network::ChangeType::kCreate:
      return "create";
  }
  return "";
}

// The name has a column of its own.
std::string WithoutName(const ChangeLine& change) {
  const std::string name = change.target + ": ";
  return change.description.starts_with(name) ? change.description.substr(name.size()) : change.description;
}

}  // namespace

std::string ToJson(const network::NetworkDiff& diff) {
  return network::ToDocument(diff).dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

void PrintChanges(const std::vector<network::ConfigChange>& changes, std::ostream& out) {
  std::vector<ChangeLine> lines;
  for (const network::ConfigChange& change : changes) lines.push_back({NameOf(change.type), change.target, change.description});
  PrintChangeLines(lines, out);
}

void PrintChangeLines(const std::vector<ChangeLine>& changes, std::ostream& out) {
  if (changes.empty()) {
    out << "no changes\n";
    return;
  }
  Table table({"CHANGE", "INTERFACE", "DESCRIPTION"});
  for (const ChangeLine& change : changes) table.Add({change.type, change.target, WithoutName(change)});
  table.Print(out);
}

void PrintDiagnostics(const std::vector<network::Diagnostic>& diagnostics, std::ostream& out) {
  for (const network::Diagnostic& diagnostic : diagnostics) {
    PrintDiagnosticLine(CleanUtf8(diagnostic.place.file, diagnostic.place.file.size()), diagnostic.place.line,
                        diagnostic.severity == network::Severity::kError, diagnostic.message, out);
  }
}

void PrintDiagnosticLine(const std::string& file, size_t line, bool error, const std::string& message, std::ostream& out) {
  const std::string place = line == 0 ? file : absl::StrFormat("%s:%d", file, line);
  out << Printable(absl::StrFormat("%s: %s: %s", place, error ? "error" : "warning", message)) << '\n';
}

}  // namespace pvebus::cli
