#pragma once

#include <vector>

#include "cli/testing/service_fixture.h"
#include "pvebus/storage/v1/storage_service.pb.h"

namespace pvebus::cli {

// Commands against a storage-service that says what the test wants; the bus is nowhere.
class StorageFixture : public ServiceFixture {
 protected:
  RunOutcome Storage(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "storage");
    arguments.insert(arguments.end(), {"--storage", service_.address().c_str(), "--bus", "127.0.0.1:1"});
    return RunInTest(arguments);
  }
};

}  // namespace pvebus::cli
