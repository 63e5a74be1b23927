#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "bus-service/rpc/event_loop.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/support/async_stream.h"

namespace pvebus::bus {

// One server-streaming RPC from its arrival to its end: sends what there is to say, one message at a time, as fast as its reader
// reads. Deletes itself when its last operation is back. The loop's thread.
class ServerStream : public Flushable {
 public:
  // What the streams of one method share.
  struct Host {
    // Asks the generated service for the next call.
    std::function<void(grpc::ServerContext*, grpc::ByteBuffer*, grpc::ServerAsyncWriter<grpc::ByteBuffer>*, void* tag)>
        request_call;
    std::function<std::unique_ptr<ServerStream>(Host&)> make;
    EventLoop& loop;
    absl::flat_hash_set<ServerStream*> open;
    bool ending = false;

    // Every stream that is open looks again what there is to say.
    void WakeAll();
    // The bus is leaving: every stream ends, and no other begins.
    void EndAll();
  };

  // Waits for a call and puts a successor in its place. Requires: `host` outlives every stream.
  static void Listen(Host& host);
  ~ServerStream() override;

 protected:
  explicit ServerStream(Host& host) : host_(host) {}

  // The request has arrived; an error ends the stream.
  virtual absl::Status Begin(const grpc::ByteBuffer& request) = 0;
  // The next message; nothing when there is none now. May call End.
  virtual std::optional<grpc::ByteBuffer> Next() = 0;

  // Nothing more is sent. Only the first call counts.
  void End(absl::Status status);
  void Wake() { host_.loop.MarkDirty(*this); }
  bool ended() const { return ended_.has_value(); }
  // Expires with the stream.
  std::weak_ptr<int> alive() const { return alive_; }

 private:
  friend class Operation<ServerStream>;

  void Flush() override;
  void Arrived(bool ok);
  void Written(bool ok);
  void Finished(bool) {}
  void Gone(bool);
  void DeleteWhenDone();

  Host& host_;
  grpc::ServerContext context_;
  grpc::ByteBuffer request_;
  grpc::ServerAsyncWriter<grpc::ByteBuffer> writer_{&context_};
  Operation<ServerStream> arrive_{*this, &ServerStream::Arrived};
  Operation<ServerStream> write_{*this, &ServerStream::Written};
  Operation<ServerStream> finish_{*this, &ServerStream::Finished};
  Operation<ServerStream> gone_{*this, &ServerStream::Gone};
  bool finishing_ = false;
  std::optional<absl::Status> ended_;
  const std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace pvebus::bus
