#include "bus-service/rpc/verify_stream.h"

#include <algorithm>

#include "bus-service/rpc/journal_codec.h"
#include "bus-service/rpc/wire.h"
#include "pvebus/bus/v1/journal_service.pb.h"

namespace pvebus::bus {

std::shared_ptr<const Verification::Run> Verification::Join() {
  if (const auto running = run_.lock(); running && !running->done) return running;
  const auto begun = std::make_shared<Run>();
  run_ = begun;
  log_.Verify(begun->stop.get_token(), [this, alive = std::weak_ptr<int>(alive_), weak = run_](
                                           uint64_t checked, std::vector<JournalProblem> found, bool done) {
    const auto run = weak.lock();
    if (alive.expired() || !run) return;
    run->checked_events = checked;
    for (JournalProblem& problem : found) {
      if (run->problems.size() < EventLog::kMaxProblems) run->problems.push_back(std::move(problem));
    }
    run->done = done;
    streams_.WakeAll();
  });
  return begun;
}

absl::Status VerifyStream::Begin(const grpc::ByteBuffer& bytes) {
  v1::VerifyJournalRequest request;
  if (auto status = ParseMessage(bytes, request); !status.ok()) return status;
  run_ = verification_.Join();
  return absl::OkStatus();
}

std::optional<grpc::ByteBuffer> VerifyStream::Next() {
  if (told_done_) End(absl::OkStatus());
  if (ended()) return std::nullopt;
  const Verification::Run& run = *run_;
  if (!run.done && run.checked_events == told_events_ && run.problems.size() == told_problems_) return std::nullopt;
  v1::VerifyJournalResponse response;
  response.set_checked_events(run.checked_events);
  response.set_total_events(std::max(verification_.total_events(), run.checked_events));
  for (; told_problems_ < run.problems.size(); ++told_problems_) {
    EncodeProblem(run.problems[told_problems_], *response.add_problems());
  }
  response.set_done(run.done);
  told_events_ = run.checked_events;
  told_done_ = run.done;
  return SerializeMessage(response);
}

}  // namespace pvebus::bus
