#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/sync_stream.h"
#include "pvebus/bus/v1/listener_service.grpc.pb.h"
#include "sdk/base/clock.h"
#include "sdk/base/mutex.h"

namespace pvebus::client {

// One stream of a listener, from its registration to its end. Messages are queued by any thread and leave with the next Flush:
// whoever flushes while nobody writes becomes the writer and writes until nothing is queued, all settlements that gathered
// meanwhile as one message. Open, Read and Finish belong to one thread at a time, the rest to any.
class Session {
 public:
  // Requires: the stub and the clock outlive the session.
  Session(uint64_t number, bus::v1::ListenerService::Stub& stub, const Clock& clock);

  uint64_t number() const { return number_; }

  // Connects and sends the registration. A failure shows at Read.
  void Open(const bus::v1::Registration& registration);
  // Waits for the next message; false at the end of the stream.
  bool Read(bus::v1::ListenResponse& response) { return stream_->Read(&response); }
  // Why it ended. No other thread writes when it returns. Requires: Read was false.
  absl::Status Finish();
  // Ends it now: Read becomes false, with CANCELLED.
  void Cancel() { context_.TryCancel(); }

  void Answer(bus::v1::Settlement settlement);
  void Extend(uint64_t delivery_id, Duration ack_deadline);
  // A sign of life, unless something else is about to go out.
  void Heartbeat();
  void Drain(std::string reason);
  // The last thing that is written.
  void HalfClose();
  void Flush();

  // When something was sent or promised to be sent last.
  SteadyTime last_sent() const;

 private:
  struct Outgoing {
    std::vector<bus::v1::ListenRequest> messages;  // first
    bus::v1::ListenRequest settlements;            // then these
    bool half_close = false;                       // last

    bool empty() const { return messages.empty() && settlements.settlements().settlements().empty() && !half_close; }
    void Clear();
  };

  bool Write(const Outgoing& outgoing);
  bool WriteSettlements(const bus::v1::ListenRequest& settlements);

  const uint64_t number_;
  bus::v1::ListenerService::Stub& stub_;
  const Clock& clock_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<bus::v1::ListenRequest, bus::v1::ListenResponse>> stream_;

  mutable Mutex mu_;
  CondVar written_;
  Outgoing queued_ ABSL_GUARDED_BY(mu_);
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;  // nothing can be written any more
  SteadyTime last_sent_ ABSL_GUARDED_BY(mu_);
  Outgoing outgoing_;  // of the thread that writes
};

}  // namespace pvebus::client
