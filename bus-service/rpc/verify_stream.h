#pragma once

#include <memory>
#include <stop_token>
#include <vector>

#include "bus-service/core/bus.h"
#include "bus-service/rpc/server_stream.h"

namespace pvebus::bus {

// Checks of the whole journal, one at a time: who asks for another meanwhile is told of the one that is running. It ends when
// nobody listens any more. The loop's thread.
class Verification {
 public:
  // Kept by those who listen.
  struct Run {
    ~Run() { stop.request_stop(); }

    std::stop_source stop;
    uint64_t checked_events = 0;
    std::vector<JournalProblem> problems;
    bool done = false;
  };

  // Requires: both outlive this.
  Verification(EventLog& log, ServerStream::Host& streams) : log_(log), streams_(streams) {}

  // The one that is running; a new one when there is none. Its streams are woken when there is something new.
  std::shared_ptr<const Run> Join();
  uint64_t total_events() const { return log_.GetStats().event_count; }

 private:
  EventLog& log_;
  ServerStream::Host& streams_;
  std::weak_ptr<Run> run_;
  const std::shared_ptr<int> alive_ = std::make_shared<int>();
};

// One VerifyJournal call: says how far the check is whenever its reader has read what came before. The loop's thread. Requires:
// the verification outlives it.
class VerifyStream final : public ServerStream {
 public:
  VerifyStream(Host& host, Verification& verification) : ServerStream(host), verification_(verification) {}

 private:
  absl::Status Begin(const grpc::ByteBuffer& request) override;
  std::optional<grpc::ByteBuffer> Next() override;

  Verification& verification_;
  std::shared_ptr<const Verification::Run> run_;
  uint64_t told_events_ = 0;
  size_t told_problems_ = 0;
  bool told_done_ = false;
};

}  // namespace pvebus::bus
