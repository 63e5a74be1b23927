#include "cli/attempt_output.h"

#include "cli/duration.h"
#include "cli/result_output.h"
#include "cli/table.h"

namespace pvebus::cli {

void PrintAttempts(const google::protobuf::RepeatedPtrField<bus::v1::DeliveryAttempt>& attempts, std::ostream& out) {
  if (attempts.empty()) return;
  out << "\nattempts without success\n";
  Table table({"LISTENER", "ATTEMPT", "ENDED", "INSTANCE", "REPLAY", "ERROR"});
  for (const bus::v1::DeliveryAttempt& attempt : attempts) {
    table.Add({attempt.listener(), std::to_string(attempt.attempt()), FormatTime(attempt.end_time()), attempt.instance_id(),
               attempt.replay_id(), FormatError(attempt.error())});
  }
  table.Print(out);
}

}  // namespace pvebus::cli
