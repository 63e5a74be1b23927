#pragma once

#include "bus-service/core/bus.h"
#include "bus-service/rpc/methods.h"
#include "bus-service/rpc/verify_stream.h"
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
  void EndStreams();

 private:
  template <typename Base>
  using Raw = v1::JournalService::WithRawMethod_GetEvent<
      v1::JournalService::WithRawMethod_ListEvents<v1::JournalService::WithRawMethod_WatchEvents<
          v1::JournalService::WithRawMethod_TraceEvent<v1::JournalService::WithRawMethod_ReplayEvents<
              v1::JournalService::WithRawMethod_GetJournalStatus<v1::JournalService::WithRawMethod_VerifyJournal<Base>>>>>>>;

  void GetEvent(UnaryCall& call, const v1::GetEventRequest& request);
  void TraceEvent(UnaryCall& call, const v1::TraceEventRequest& request);
  void ReplayEvents(UnaryCall& call, const v1::ReplayEventsRequest& request);

  Bus& bus_;
  EventLoop& loop_;
  Raw<v1::JournalService::Service> service_;
  Methods methods_;
  ServerStream::Host watches_;
  ServerStream::Host verifies_;
  Verification verification_;
};

}  // namespace pvebus::bus
