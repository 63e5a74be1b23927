#include "sdk/service/listen_ports.h"

#include <iostream>

#include "absl/strings/str_format.h"
#include "grpcpp/security/server_credentials.h"
#include "sdk/base/error.h"
#include "sdk/service/socket_probe.h"

namespace pvebus::service {

absl::Status ListenPorts::AddTo(grpc::ServerBuilder& builder, const ServiceOptions& options) {
  if (absl::Status status = CheckListenAddresses(options); !status.ok()) return status;
  for (const std::string& text : options.listen) {
    absl::StatusOr<ListenAddress> address = ParseListenAddress(text);
    if (!address.ok()) return address.status();
    if (absl::Status status = ProbeListenAddress(*address); !status.ok()) return status;
    ports_.push_back({*std::move(address), std::make_unique<int>(0)});
    builder.AddListeningPort(ports_.back().address.WithPort(0), grpc::InsecureServerCredentials(), ports_.back().bound.get());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<grpc::Server>> ListenPorts::BuildAndStart(grpc::ServerBuilder& builder) {
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server != nullptr) return server;
  for (const Port& port : ports_) {
    if (*port.bound != 0) continue;
    // Somebody was faster between AddTo and now.
    return MakeError(absl::StatusCode::kAlreadyExists, "ADDRESS_IN_USE",
                     absl::StrFormat("cannot listen on %s: another process listens there", port.address.text),
                     {{"address", port.address.text}});
  }
  return MakeError(absl::StatusCode::kInternal, "SERVER_NOT_STARTED", "gRPC could not start the server; its log lines say why");
}

std::vector<std::string> ListenPorts::Addresses() const {
  std::vector<std::string> addresses;
  for (const Port& port : ports_) addresses.push_back(port.address.WithPort(*port.bound));
  return addresses;
}

void ListenPorts::PrintListening() const {
  for (const std::string& address : Addresses()) std::cout << "listening on " << address << "\n";
  std::cout << std::flush;
}

}  // namespace pvebus::service
