#pragma once

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "sdk/service/listen_address.h"
#include "sdk/service/options.h"

namespace pvebus::service {

// The addresses of one server. Owned by main, one thread. AddTo, then BuildAndStart, then PrintListening.
class ListenPorts {
 public:
  // Adds every address. An address that is in use, or cannot be used, is an error that says why; a unix socket left over by a
  // dead process is removed first.
  absl::Status AddTo(grpc::ServerBuilder& builder, const ServiceOptions& options);
  // builder.BuildAndStart() with a reason when it fails.
  absl::StatusOr<std::unique_ptr<grpc::Server>> BuildAndStart(grpc::ServerBuilder& builder);

  // After the start: the addresses as clients write them, with the ports that were picked.
  std::vector<std::string> Addresses() const;
  // Prints `listening on ADDRESS` for each on standard output.
  void PrintListening() const;

 private:
  struct Port {
    ListenAddress address;
    std::unique_ptr<int> bound;  // gRPC keeps a pointer to it
  };
  std::vector<Port> ports_;
};

}  // namespace pvebus::service
