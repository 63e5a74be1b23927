#pragma once

#include <poll.h>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sdk/base/clock.h"
#include "sdk/base/ip_address.h"

struct ares_channeldata;
struct ares_addrinfo;

namespace pvebus::storage {

// Looks names up, /etc/hosts and DNS as the node is configured, without blocking: the owner polls. IPv4 and IPv6 are asked for
// apart, so that who has the one need not wait for the other. One thread.
class NameLookups {
 public:
  // `servers`: "10.0.0.1:53,..." instead of the node's; empty: the node's.
  explicit NameLookups(const std::string& servers);
  ~NameLookups();
  NameLookups(const NameLookups&) = delete;
  NameLookups& operator=(const NameLookups&) = delete;

  // Why there can be none; empty when there can.
  const std::string& error() const { return error_; }

  // Called twice per name, once for each kind of address, also before Start returns. `why` is empty when there are addresses.
  using OnAddresses = std::function<void(std::vector<IpAddress> addresses, std::string why)>;
  void Start(const std::string& name, const OnAddresses& on_addresses);

  // For poll(), appended to `polled`; what poll() said about them, in the same order.
  void AppendTo(std::vector<pollfd>& polled) const;
  void OnPolled(const pollfd* polled, size_t count);
  // At most `until_deadline`.
  Duration UntilNextTimer(Duration until_deadline) const;

 private:
  struct Pending {
    NameLookups* lookups;
    OnAddresses on_addresses;
  };
  static void OnSocket(void* self, int fd, int readable, int writable);
  static void OnAnswer(void* pending, int status, int timeouts, ares_addrinfo* answer);

  std::string error_;
  ares_channeldata* channel_ = nullptr;
  std::map<int, short> sockets_;  // and the events that are waited for
  bool ending_ = false;
};

}  // namespace pvebus::storage
