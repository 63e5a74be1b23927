#pragma once

#include "grpcpp/server_builder.h"

namespace pvebus::service {

// Who answers grpc.health.v1.Health: gRPC's own implementation, or a service of the process. gRPC's is served by its callback
// threads, which then poll the sockets of a server that otherwise lives on a completion queue.
enum class Health { kDefault, kOwn };

// Call once, before any server is built: health, reflection and channelz for every server of the process.
void InitServerPlugins(Health health = Health::kDefault);

// What every server of the bus agrees on: a peer that is gone is noticed within 15 s (HTTP/2 pings after 10 s of silence, 5 s
// for the answer), pings of clients are welcome every 5 s, messages of up to 16 MiB are read, a port belongs to one process,
// a connection has at most 2,000 calls at a time, and the process may have as many connections as its hard limit of files allows.
void ConfigureServer(grpc::ServerBuilder& builder);

}  // namespace pvebus::service
