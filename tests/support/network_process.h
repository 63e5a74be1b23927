#pragma once

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "grpcpp/channel.h"
#include "pvebus/network/v1/network_service.grpc.pb.h"
#include "sdk/posix/fd.h"
#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/wait.h"

namespace pvebus::testing {

// A folder that stands for /etc/network, and scripts that stand for ifupdown2's programs, with its lock. What the network would
// be is a copy of the main file. One thread.
class NetworkFolder {
 public:
  // `interfaces` has these bytes, and is in force.
  explicit NetworkFolder(const std::string& interfaces);

  // Of what is beside the folder.
  std::string Beside(const std::string& name) const { return directory_.path() + "/" + name; }
  std::string path() const { return Beside("network"); }
  std::string Path(const std::string& name) const { return path() + "/" + name; }

  // In place; the folders that it needs are made.
  void Write(const std::string& name, const std::string& bytes) const;
  void Append(const std::string& name, const std::string& bytes) const;
  // As editors do, and Proxmox VE: another file gets the name.
  void Replace(const std::string& name, const std::string& bytes) const;
  // "(none)" when there is none.
  std::string Read(const std::string& name) const;
  // But for Proxmox VE's lock.
  std::set<std::string> Names() const;

  // What ifreload does before, with status 0, it brings the network to what the file says. In a shell, in the folder beside.
  void SetIfreload(const std::string& lines) const;
  void SetIfup(const std::string& lines) const;
  // What ifreload said last that the network is to be.
  std::string InForce() const;

  // With these flags network-service knows of no other.
  std::vector<std::string> Flags() const;

 private:
  void WriteProgram(const std::string& name, const std::string& lines) const;

  const TemporaryDirectory directory_;
};

// Where an ifreload waits until it may go on: what runs meanwhile is under way. One thread.
class ReloadGate {
 public:
  // Requires: `folder` outlives it. The next ifreload waits.
  explicit ReloadGate(const NetworkFolder& folder);
  ~ReloadGate() { Open(); }
  ReloadGate(const ReloadGate&) = delete;
  ReloadGate& operator=(const ReloadGate&) = delete;

  void WaitReached();
  // Lets it go on, and all that come later.
  void Open();

 private:
  const std::string path_;
  Fd entrance_;
};

// What network-service is started by, so that it is root: of a user namespace when the test is not.
std::vector<std::string> AsRoot();
// Why that does not work here; empty: it does.
std::string WhyNoRoot();

// The real network-service on a free loopback port. Any thread may call it.
class NetworkProcess {
 public:
  // `launcher` starts it. Requires: network-service is built. Aborts the test program when it does not start.
  NetworkProcess(const NetworkFolder& folder, const std::string& bus, const std::vector<std::string>& flags,
                 const std::vector<std::string>& launcher);

  Process& process() { return process_; }
  const std::string& address() const { return address_; }
  network::v1::NetworkService::Stub& stub() { return *stub_; }

 private:
  Process process_;
  std::string address_;
  std::unique_ptr<network::v1::NetworkService::Stub> stub_;
};

}  // namespace pvebus::testing
