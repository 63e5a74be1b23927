#pragma once

#include <memory>
#include <string>

namespace grpc {
class ServerBuilder;
}

namespace pvebus::bench {

struct FloorOptions {
  std::string server = "callback";  // callback | cq
  std::string plugins;              // any of "health,reflection,channelz": on the same server
  bool raw = false;                 // cq: methods take and give bytes, one serialisation shared by all listeners
  bool batch = false;               // whatever queued while the last write was in flight goes out as one message
};

// A server that does nothing but publish -> three Listen streams -> gather -> reply.
class FloorServer {
 public:
  virtual ~FloorServer() = default;
  virtual void AddTo(grpc::ServerBuilder& builder) = 0;
  // Serves until the process ends.
  virtual void Run() = 0;
};

std::unique_ptr<FloorServer> MakeCallbackFloor(const FloorOptions& options);
std::unique_ptr<FloorServer> MakeQueueFloor(const FloorOptions& options);
std::unique_ptr<FloorServer> MakeRawQueueFloor(const FloorOptions& options);

}  // namespace pvebus::bench
