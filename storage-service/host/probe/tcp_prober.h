#pragma once

#include <chrono>
#include <cstddef>
#include <stop_token>
#include <string>
#include <vector>

#include "sdk/base/clock.h"
#include "storage-service/host/probe/probe_target.h"

namespace pvebus::storage {

// Reaches servers over TCP, all at once on the calling thread. Any thread.
class TcpProber {
 public:
  struct Options {
    Duration limit = std::chrono::seconds(3);  // of one Probe, however many targets
    size_t most_sockets = 512;                 // at once; what finds none free waits for one
    std::string dns_servers;                   // "127.0.0.1:5353,..."; empty: the node's
  };
  // Requires: `clock` goes on and outlives it.
  TcpProber(Options options, const Clock& clock) : options_(std::move(options)), clock_(clock) {}

  // One result per target, in order. All addresses of a name are tried, and both ports of a Ceph monitor whose port is not given.
  // Ends early when all is known or `stop` is requested.
  std::vector<ProbeResult> Probe(const std::vector<ProbeTarget>& targets, const std::stop_token& stop) const;

 private:
  const Options options_;
  const Clock& clock_;
};

}  // namespace pvebus::storage
