#pragma once

#include <string>
#include <vector>

namespace pvebus::service {

// What every service's command line has.
struct ServiceOptions {
  std::vector<std::string> listen;  // 127.0.0.1:7400, [::1]:7400, unix:/run/pvebus/bus.sock; port 0 picks a free one
  std::string data_dir;
  std::string log_level = "info";
  std::string log_format = "text";
  bool insecure = false;  // listening beyond loopback and unix sockets without TLS is meant
};

// What the services other than the bus have besides.
struct HookServiceOptions {
  std::string bus = "127.0.0.1:7400";
  std::string instance_id;  // default: <service>@<node>
  std::string node;         // default: the host name
};

}  // namespace pvebus::service
