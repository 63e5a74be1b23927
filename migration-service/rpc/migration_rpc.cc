#include "migration-service/rpc/migration_rpc.h"

#include "google/protobuf/util/time_util.h"
#include "migration-service/rpc/phases.h"

namespace pvebus::migration {

grpc::ServerUnaryReactor* MigrationRpc::GetMigrationStatus(grpc::CallbackServerContext* context,
                                                           const v1::GetMigrationStatusRequest*,
                                                           v1::GetMigrationStatusResponse* response) {
  const MigrationState::Status status = state_.status();
  response->set_phase(ToProto(status.phase));
  if (status.last_change) {
    const auto since_epoch = std::chrono::duration_cast<std::chrono::nanoseconds>(status.last_change->time.time_since_epoch());
    *response->mutable_phase_time() = google::protobuf::util::TimeUtil::NanosecondsToTimestamp(since_epoch.count());
    response->set_phase_event_id(status.last_change->event_id);
  }
  response->set_applied_transaction_count(status.transactions);
  response->set_last_applied_event_id(status.last_transaction_event_id);
  return service::Reply(context, absl::OkStatus());
}

}  // namespace pvebus::migration
