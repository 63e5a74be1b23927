#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/error_output.h"
#include "cli/journal_output.h"
#include "cli/journal_verify.h"
#include "cli/proto_json.h"
#include "pvebus/bus/v1/journal_service.grpc.pb.h"

namespace pvebus::cli {
namespace {

using bus::v1::JournalService;

int ShowStatus(const GlobalOptions& global, Console& console) {
  const bus::v1::GetJournalStatusRequest request;
  const auto response = Ask<JournalService>(&JournalService::Stub::GetJournalStatus, request, global, console);
  if (!response.ok()) return PrintRefusal(response.status(), global, console);
  Show(*response, console, [&](std::ostream& out) { PrintJournalStatus(*response, out); });
  return response->read_only() || !response->problems().empty() ? kListenerFailed : kAllSucceeded;
}

}  // namespace

void AddJournalCommand(CLI::App& root, Action& action) {
  CLI::App* command = root.add_subcommand("journal", "Ask about the record of all events");
  command->require_subcommand(1);
  CLI::App* status =
      command->add_subcommand("status", "How full the journal is, whether it survives a crash, what is wrong with it");
  status->footer(
      R"(Exit status: 0 all is well, 1 it is damaged or read-only, 2 wrong usage, 3 the bus is unreachable or refused.)");
  status->callback([&action] { action = ShowStatus; });
  CLI::App* verify =
      command->add_subcommand("verify", "Compare every record with its checksum; takes long when the journal is long");
  verify->footer(R"(Examples:
  pvebus journal verify
  pvebus journal verify --output json | jq '.problems'

It may run while the bus works. --timeout bounds it (default: no bound), Ctrl-C ends it.
Exit status: 0 everything is as it was written, 1 something is damaged or the check was interrupted, 2 wrong usage, 3 the bus is
unreachable or refused.)");
  verify->callback([&action] { action = VerifyJournal; });
  command->footer(R"(Examples:
  pvebus journal status
  pvebus journal verify)");
}

}  // namespace pvebus::cli
