#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "grpcpp/channel.h"
#include "tests/support/process.h"

namespace CLI {
class App;
}

namespace pvebus::bench {

// The real bus-service on a free loopback port, and listener processes that use the SDK and acknowledge everything. One thread.
class BenchBus {
 public:
  struct Options {
    std::string directory;
    std::string journal = "sqlite";
    std::vector<std::string> flags;  // more of the bus's own
  };
  struct ListenerOptions {
    std::string name;
    int max_in_flight = 1000;
    bool earliest = false;  // from the oldest event; else what comes
    size_t expected = 0;    // it says when it has handled so many
  };

  static absl::StatusOr<std::unique_ptr<BenchBus>> Start(const Options& options);

  // A listener that holds its name.
  absl::Status AddListener(const ListenerOptions& options);
  // Until every listener has handled what it expects and the bus has nothing more for it.
  absl::Status WaitSettled(std::chrono::seconds timeout);
  // That the journal holds so many events: then nothing is lost on the way to the listeners.
  absl::Status CheckHolds(size_t events) const;
  // SIGTERM, and the end of the process.
  absl::Status Stop();

  const std::string& address() const { return address_; }
  std::shared_ptr<grpc::Channel> channel() const { return channel_; }
  std::string StandardError() const { return bus_.StandardError(); }
  // The most memory the bus had since it started, or since ForgetPeak.
  double PeakMebibytes() const;
  absl::Status ForgetPeak() const;
  // Processor time of the bus so far: what it costs, whatever else runs on the machine.
  double CpuMicroseconds() const;
  double ListenersCpuMicroseconds() const;

 private:
  struct Listener {
    ListenerOptions options;
    std::unique_ptr<testing::Process> process;
  };

  explicit BenchBus(const Options& options);

  testing::Process bus_;
  std::string address_;
  std::shared_ptr<grpc::Channel> channel_;
  std::vector<Listener> listeners_;
};

// --bus-flag, for sizes that the bus does not allow by itself.
void AddBusOptions(CLI::App& app, BenchBus::Options& options);

}  // namespace pvebus::bench
