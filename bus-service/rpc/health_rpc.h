#pragma once

#include <string>

#include "absl/container/flat_hash_map.h"
#include "bus-service/rpc/methods.h"
#include "bus-service/rpc/server_stream.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace pvebus::bus {

// grpc.health.v1.Health on the bus's own queue. The loop's thread. Requires: the loop outlives this.
class HealthRpc {
 public:
  explicit HealthRpc(EventLoop& loop);
  grpc::Service& service() { return service_; }
  void Listen();

  // "" is the whole server. Watchers are told.
  void Set(const std::string& service, bool serving);
  // Ends every watch.
  void EndWatches() { watches_.EndAll(); }

 private:
  class Watch;

  grpc::health::v1::HealthCheckResponse StatusOf(const std::string& service) const;

  EventLoop& loop_;
  grpc::health::v1::Health::WithRawMethod_Check<grpc::health::v1::Health::WithRawMethod_Watch<grpc::health::v1::Health::Service>>
      service_;
  Methods methods_;
  absl::flat_hash_map<std::string, bool> serving_;
  ServerStream::Host watches_;
};

}  // namespace pvebus::bus
