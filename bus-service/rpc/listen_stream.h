#pragma once

#include <memory>
#include <string>

#include "bus-service/core/bus.h"
#include "bus-service/rpc/event_loop.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/support/async_stream.h"
#include "pvebus/bus/v1/listener_service.grpc.pb.h"

namespace pvebus::bus {

// One Listen stream: moves messages between gRPC and a Session and does nothing else. At most one read and one write are under
// way; what is queued when a write ends goes out as the next one. Deletes itself when its last operation is back. The loop's
// thread.
class ListenStream final : public SessionSink, public Flushable {
 public:
  using Service = v1::ListenerService::WithRawMethod_Listen<v1::ListenerService::Service>;
  struct Host {
    Service& service;
    Bus& bus;
    EventLoop& loop;
    std::string bus_instance_id;
  };

  // Waits for a stream and puts a successor in its place. Requires: `host` outlives every stream.
  static void Listen(Host& host);

 private:
  friend class Operation<ListenStream>;

  explicit ListenStream(Host& host) : host_(host) {}
  ~ListenStream() override;

  void Wake() override { host_.loop.MarkDirty(*this); }
  void Flush() override;

  void Arrived(bool ok);
  void Read(bool ok);
  void Written(bool ok);
  void Finished(bool ok);
  void Gone(bool ok);

  void StartRead();
  void StartFinish();
  // Lets an ended stream not wait for ever for a peer that does not read.
  void LimitFarewell();
  void Handle();
  void DeleteWhenDone();

  Host& host_;
  grpc::ServerContext context_;
  grpc::ServerAsyncReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer> stream_{&context_};
  Operation<ListenStream> arrive_{*this, &ListenStream::Arrived};
  Operation<ListenStream> read_{*this, &ListenStream::Read};
  Operation<ListenStream> write_{*this, &ListenStream::Written};
  Operation<ListenStream> finish_{*this, &ListenStream::Finished};
  Operation<ListenStream> gone_{*this, &ListenStream::Gone};
  grpc::ByteBuffer incoming_;
  v1::ListenRequest request_;
  Session* session_ = nullptr;
  bool read_ended_ = false;
  bool finishing_ = false;
  TimerQueue::Id stuck_timer_;
};

}  // namespace pvebus::bus
