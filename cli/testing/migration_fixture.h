#pragma once

#include <string>
#include <vector>

#include "cli/testing/service_fixture.h"
#include "pvebus/migration/v1/migration_service.pb.h"
#include "sdk/status/status.h"

namespace pvebus::cli {

// Commands against a migration-service that says what the test wants; the bus is nowhere.
class MigrationFixture : public ServiceFixture {
 protected:
  RunOutcome Migration(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "migration");
    arguments.insert(arguments.end(), {"--migration", service_.address().c_str(), "--bus", "127.0.0.1:1"});
    return RunInTest(arguments);
  }
  void Refuse(const std::string& method, const absl::Status& status) { service_.Answer(method, {}, ToGrpcStatus(status)); }
};

}  // namespace pvebus::cli
