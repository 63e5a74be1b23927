#include "cli/journal_verify.h"

#include "absl/strings/str_format.h"
#include "cli/connection.h"
#include "cli/error_output.h"
#include "cli/journal_output.h"
#include "cli/progress.h"
#include "cli/proto_json.h"
#include "pvebus/bus/v1/journal_service.grpc.pb.h"
#include "sdk/service/stop_signal.h"

namespace pvebus::cli {
namespace {

std::string HowFar(const bus::v1::VerifyJournalResponse& report) {
  const uint64_t total = std::max(report.total_events(), report.checked_events());
  if (total == 0) return "checking the journal";
  return absl::StrFormat("checking the journal: %d of %d events (%d%%)", report.checked_events(), total,
                         report.checked_events() * 100 / total);
}

// All messages in one. OK with `done` unset: the stream ended early.
absl::Status Collect(const std::shared_ptr<grpc::Channel>& channel, grpc::ClientContext& context, Console& console,
                     bus::v1::VerifyJournalResponse& report) {
  const auto stub = bus::v1::JournalService::NewStub(channel);
  const auto stream = stub->VerifyJournal(&context, bus::v1::VerifyJournalRequest());
  const RealClock clock;
  Progress progress(HowFar(report), clock, console);
  bus::v1::VerifyJournalResponse response;
  while (stream->Read(&response)) {
    report.MergeFrom(response);
    progress.Say(HowFar(report));
  }
  return FromGrpcStatus(stream->Finish());
}

void Print(const bus::v1::VerifyJournalResponse& report, std::ostream& out) {
  if (!report.done()) {
    out << absl::StrFormat("interrupted after %d of %d events\n", report.checked_events(), report.total_events());
  } else if (report.problems().empty()) {
    const bool one = report.checked_events() == 1;
    out << absl::StrFormat("%d %s written\n", report.checked_events(), one ? "event is as it was" : "events are as they were");
  } else {
    out << absl::StrFormat("%d of %d events checked\n", report.checked_events(), report.total_events());
  }
  PrintProblems(report.problems(), out);
}

}  // namespace

int VerifyJournal(const GlobalOptions& global, Console& console) {
  service::BlockStopSignals();
  const auto channel = client::Connect(global.server.address);
  if (const absl::Status status = CheckReachable(channel, global.TimeoutOr(kDefaultTimeout)); !status.ok()) {
    return PrintRefusal(status, global, console);
  }
  grpc::ClientContext context;
  if (global.timeout) context.set_deadline(std::chrono::system_clock::now() + *global.timeout);
  bus::v1::VerifyJournalResponse report;
  absl::Status status;
  {
    const service::StopSignalThread stop([&context](const std::string&) { context.TryCancel(); });
    status = Collect(channel, context, console, report);
  }
  if (status.ok() && !report.done()) status = absl::InternalError("the bus ended the check without its outcome");
  // Cancelled is what Ctrl-C does.
  const bool refused = !status.ok() && status.code() != absl::StatusCode::kCancelled;
  // What was found is told, however it ended.
  const bool begun = report.total_events() > 0 || !report.problems().empty();
  if (!refused || begun) Show(report, console, [&report](std::ostream& out) { Print(report, out); });
  if (refused) return PrintRefusal(status, global, console);
  return report.done() && report.problems().empty() ? kAllSucceeded : kListenerFailed;
}

}  // namespace pvebus::cli
