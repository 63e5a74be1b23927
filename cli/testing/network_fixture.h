#pragma once

#include <string>
#include <vector>

#include "cli/testing/service_fixture.h"
#include "pvebus/network/v1/network_service.pb.h"
#include "sdk/status/status.h"

namespace pvebus::cli {

// Commands against a network-service that says what the test wants; the bus is nowhere.
class NetworkFixture : public ServiceFixture {
 protected:
  RunOutcome Network(std::vector<const char*> arguments) {
    const std::vector<const char*> all = OfNetwork(std::move(arguments));
    return RunInTest(all);
  }
  std::vector<const char*> OfNetwork(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "network");
    arguments.insert(arguments.end(), {"--network", service_.address().c_str(), "--bus", "127.0.0.1:1"});
    return arguments;
  }
  void Refuse(const std::string& method, const absl::Status& status) { service_.Answer(method, {}, ToGrpcStatus(status)); }
};

}  // namespace pvebus::cli
