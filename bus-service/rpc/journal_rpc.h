#pragma once

#include "bus-service/core/bus.h"
#include "bus-service/rpc/methods.h"
#include "bus-service/rpc/watch_stream.h"
#include "pvebus/bus/v1/journal_service.grpc.pb.h"

namespace pvebus::bus {

// pvebus.bus.v1.JournalService on the core. The loop's thread. Requires: bus and loop outlive this.
class JournalRpc {
 public:
  JournalRpc(Bus& bus, EventLoop& loop);
  grpc::Service& service() { return service_; }
  void Listen();
  // The bus is leaving.
  void EndWatches();

 private:
  void GetJournalStatus(UnaryCall& call);

  Bus& bus_;
  EventLoop& loop_;
  v1::JournalService::WithRawMethod_WatchEvents<v1::JournalService::WithRawMethod_GetJournalStatus<v1::JournalService::Service>>
      service_;
  Methods methods_;
  WatchStream::Host watches_;
};

}  // namespace pvebus::bus
