#pragma once

#include <vector>

#include "cli/testing/service_fixture.h"
#include "pvebus/container/v1/container_service.pb.h"

namespace pvebus::cli {

// Commands against a container-service that says what the test wants; the bus is nowhere.
class ContainerFixture : public ServiceFixture {
 protected:
  RunOutcome Container(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "container");
    arguments.insert(arguments.end(), {"--container", service_.address().c_str(), "--bus", "127.0.0.1:1"});
    return RunInTest(arguments);
  }
};

}  // namespace pvebus::cli
