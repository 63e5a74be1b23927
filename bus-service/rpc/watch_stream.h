#pragma once

#include <deque>

#include "absl/container/flat_hash_set.h"
#include "bus-service/core/bus.h"
#include "bus-service/rpc/event_loop.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/support/async_stream.h"
#include "pvebus/bus/v1/journal_service.grpc.pb.h"

namespace pvebus::bus {

// One WatchEvents call: follows the journal with a cursor of its own, one event per message, as fast as its reader reads.
// Deletes itself when its last operation is back. The loop's thread.
class WatchStream final : public Flushable {
 public:
  // Everything watchers share: every stream that is open is woken when an event is journaled.
  struct Host {
    std::function<void(grpc::ServerContext*, grpc::ByteBuffer*, grpc::ServerAsyncWriter<grpc::ByteBuffer>*, void* tag)>
        request_call;
    Bus& bus;
    EventLoop& loop;
    absl::flat_hash_set<WatchStream*> open;

    void WakeAll();
    // The bus is leaving.
    void EndAll(const absl::Status& status);
  };

  // Waits for a call and puts a successor in its place. Requires: `host` outlives every stream.
  static void Listen(Host& host);

 private:
  friend class Operation<WatchStream>;

  explicit WatchStream(Host& host) : host_(host) {}
  ~WatchStream() override;

  void Flush() override;
  absl::Status Begin();
  void End(absl::Status status);
  // Reads on, once: what is left is for the loop's next turn.
  void Fill();

  void Arrived(bool ok);
  void Written(bool ok);
  void Finished(bool) {}
  void Gone(bool);
  void DeleteWhenDone();

  Host& host_;
  grpc::ServerContext context_;
  grpc::ByteBuffer request_;
  grpc::ServerAsyncWriter<grpc::ByteBuffer> writer_{&context_};
  Operation<WatchStream> arrive_{*this, &WatchStream::Arrived};
  Operation<WatchStream> write_{*this, &WatchStream::Written};
  Operation<WatchStream> finish_{*this, &WatchStream::Finished};
  Operation<WatchStream> gone_{*this, &WatchStream::Gone};

  Filter filter_;
  uint32_t event_types_ = 0;
  uint64_t left_ = UINT64_MAX;  // events until the stream ends
  Sequence next_sequence_ = 0;
  std::deque<EventPtr> matched_;
  bool reading_ = false;
  bool finishing_ = false;
  std::optional<absl::Status> ended_;
};

}  // namespace pvebus::bus
