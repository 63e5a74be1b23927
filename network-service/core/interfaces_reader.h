#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "network-service/core/diagnostic.h"
#include "network-service/core/interface.h"
#include "network-service/core/interfaces_files.h"

namespace pvebus::network {

inline constexpr size_t kMostFiles = 1000;
inline constexpr size_t kMostFileBytes = 1 << 20;

// Where a configuration is.
struct ConfigurationPlace {
  std::string main_file = "/etc/network/interfaces";
  std::string etc_network = "/etc/network";  // what stands for this folder, in `source /etc/network/...`
  size_t most_main_bytes = kMostFileBytes;   // of the main file; of a sourced one it is kMostFileBytes
};

// The effective configuration: the main file and all that it sources.
struct NetworkConfiguration {
  Interfaces interfaces;                             // as far as they could be understood
  std::map<std::string, Place, std::less<>> places;  // where each of them is defined first
  std::set<std::string, std::less<>> automatic;      // what `ifreload -a` acts on: enabled, and not only when it is plugged in
  std::set<std::string, std::less<>> folders;        // where what is sourced stands, or would
  std::vector<Diagnostic> diagnostics;               // in the order of reading
  bool has_errors = false;                           // it must not be applied
};

// Reads a network configuration as ifupdown2 does. What is in it, is never an error of the call: any bytes are read, in time and
// memory that grow with their number. Fails when the main file cannot be read, with the reason for eyes. Any thread.
//
// Errors are: unknown keywords, families and methods; an option before any stanza, or without a value; iface, auto, allow-* or
// source without a name; addresses, gateways and mtu (68..65535) that are none; names that no interface can have; two gateways of
// one family in one interface; files that source each other in a circle, cannot be read, are too large or too many. Warnings are:
// what Proxmox VE's own reader does not see (options behind a blank line), missing sources, stanzas and options that are there
// twice, words that are ignored.
absl::StatusOr<NetworkConfiguration> ReadConfiguration(const ConfigurationPlace& place, InterfacesFiles& files);

}  // namespace pvebus::network
