#include "absl/strings/str_format.h"
#include "cli/bus_connection.h"
#include "cli/commands.h"
#include "cli/duration.h"
#include "cli/error_output.h"
#include "cli/proto_json.h"
#include "cli/result_output.h"
#include "cli/table.h"
#include "pvebus/bus/v1/journal_service.grpc.pb.h"
#include "sdk/client/channel.h"

namespace pvebus::cli {
namespace {

using bus::v1::JournalService;

std::string InMiB(uint64_t bytes) { return absl::StrFormat("%.1f MiB", static_cast<double>(bytes) / (1 << 20)); }

void PrintStatus(const bus::v1::GetJournalStatusResponse& status, Console& console) {
  const auto limit = static_cast<double>(status.max_event_bytes());
  const double share = limit > 0 ? 100.0 * static_cast<double>(status.event_bytes()) / limit : 0;
  console.out << absl::StrFormat("journal   %s, %s\n", ShortName(JournalKind_Name(status.kind())),
                                 status.durable() ? "durable" : "NOT DURABLE");
  console.out << absl::StrFormat("events    %d, %s of %s (%.0f%%)\n", status.event_count(), InMiB(status.event_bytes()),
                                 InMiB(status.max_event_bytes()), share);
  if (status.first_sequence() > 0) {
    console.out << absl::StrFormat("oldest    sequence %d of %s\n", status.first_sequence(),
                                   FormatTime(status.first_event_time()));
  }
  console.out << absl::StrFormat(
      "newest    %s\n", status.last_sequence() > 0 ? absl::StrFormat("sequence %d", status.last_sequence()) : "none yet");
  if (!status.durable() && status.warnings().empty()) {
    console.out << "warning   events are kept in memory only: all of them are lost when the bus ends\n";
  }
  for (const std::string& warning : status.warnings()) console.out << absl::StrFormat("warning   %s\n", Printable(warning));
}

int ShowStatus(const GlobalOptions& global, Console& console) {
  const auto stub = JournalService::NewStub(client::Connect(global.bus));
  const auto response =
      Call(*stub, &JournalService::Stub::GetJournalStatus, bus::v1::GetJournalStatusRequest(), global.TimeoutOr(kDefaultTimeout));
  if (!response.ok()) return PrintRefusal(response.status(), global, console);
  if (console.json()) {
    console.out << ToJson(*response, JsonLayout::kPretty);
  } else {
    PrintStatus(*response, console);
  }
  return kAllSucceeded;
}

}  // namespace

void AddJournalCommand(CLI::App& root, Action& action) {
  CLI::App* command = root.add_subcommand("journal", "Ask about the record of all events");
  command->require_subcommand(1);
  CLI::App* status = command->add_subcommand("status", "How full the journal is, and whether it survives a crash");
  status->callback([&action] { action = ShowStatus; });
}

}  // namespace pvebus::cli
