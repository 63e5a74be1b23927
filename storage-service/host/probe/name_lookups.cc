#include "storage-service/host/probe/name_lookups.h"

#include <ares.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

namespace pvebus::storage {
namespace {

constexpr int kFirstTryMs = 1000;
constexpr int kTries = 3;

// Once in the process; later calls only count.
int InitLibrary() {
  static const int status = ares_library_init(ARES_LIB_INIT_ALL);
  return status;
}

std::vector<IpAddress> AddressesIn(const ares_addrinfo& answer) {
  std::vector<IpAddress> addresses;
  for (const ares_addrinfo_node* node = answer.nodes; node != nullptr; node = node->ai_next) {
    IpAddress address;
    address.v6 = node->ai_family == AF_INET6;
    if (address.v6) {
      sockaddr_in6 v6{};
      std::memcpy(&v6, node->ai_addr, sizeof(v6));
      std::copy(std::begin(v6.sin6_addr.s6_addr), std::end(v6.sin6_addr.s6_addr), address.bytes.begin());
    } else {
      sockaddr_in v4{};
      std::memcpy(&v4, node->ai_addr, sizeof(v4));
      std::memcpy(address.bytes.data(), &v4.sin_addr, sizeof(v4.sin_addr));
    }
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) addresses.push_back(address);
  }
  return addresses;
}

}  // namespace

NameLookups::NameLookups(const std::string& servers) {
  ares_options options{};
  options.timeout = kFirstTryMs;
  options.tries = kTries;
  options.sock_state_cb = OnSocket;
  options.sock_state_cb_data = this;
  int status = InitLibrary();
  if (status == ARES_SUCCESS) {
    status = ares_init_options(&channel_, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
  }
  if (status == ARES_SUCCESS && !servers.empty()) status = ares_set_servers_ports_csv(channel_, servers.c_str());
  if (status != ARES_SUCCESS) error_ = ares_strerror(status);
}

NameLookups::~NameLookups() {
  ending_ = true;
  if (channel_) ares_destroy(channel_);
}

void NameLookups::Start(const std::string& name, const OnAddresses& on_addresses) {
  for (const int family : {AF_INET, AF_INET6}) {
    ares_addrinfo_hints hints{};
    hints.ai_family = family;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = ARES_AI_NOSORT;
    // Taken back in OnAnswer, which is called exactly once.
    auto* pending = new Pending{this, on_addresses};
    ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, OnAnswer, pending);
  }
}

void NameLookups::OnSocket(void* self, int fd, int readable, int writable) {
  std::map<int, short>& sockets = static_cast<NameLookups*>(self)->sockets_;
  const auto events = static_cast<short>((readable ? POLLIN : 0) | (writable ? POLLOUT : 0));
  if (events == 0) {
    sockets.erase(fd);
  } else {
    sockets[fd] = events;
  }
}

void NameLookups::OnAnswer(void* given, int status, int, ares_addrinfo* answer) {
  const std::unique_ptr<Pending> pending(static_cast<Pending*>(given));
  const std::unique_ptr<ares_addrinfo, void (*)(ares_addrinfo*)> owned(answer, ares_freeaddrinfo);
  if (pending->lookups->ending_) return;
  std::vector<IpAddress> addresses;
  if (status == ARES_SUCCESS && answer) addresses = AddressesIn(*answer);
  const bool none = status == ARES_ENODATA || (status == ARES_SUCCESS && addresses.empty());
  std::string why = none ? "it has no address" : status == ARES_SUCCESS ? "" : ares_strerror(status);
  pending->on_addresses(std::move(addresses), std::move(why));
}

void NameLookups::AppendTo(std::vector<pollfd>& polled) const {
  for (const auto& [fd, events] : sockets_) polled.push_back({fd, events, 0});
}

void NameLookups::OnPolled(const pollfd* polled, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const bool failed = (polled[i].revents & (POLLERR | POLLHUP)) != 0;
    const int readable = failed || (polled[i].revents & POLLIN) ? polled[i].fd : ARES_SOCKET_BAD;
    const int writable = polled[i].revents & POLLOUT ? polled[i].fd : ARES_SOCKET_BAD;
    if (readable != ARES_SOCKET_BAD || writable != ARES_SOCKET_BAD) ares_process_fd(channel_, readable, writable);
  }
  // Its timers.
  ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

Duration NameLookups::UntilNextTimer(Duration until_deadline) const {
  timeval next{};
  if (!ares_timeout(channel_, nullptr, &next)) return until_deadline;
  return std::min<Duration>(until_deadline, std::chrono::seconds(next.tv_sec) + std::chrono::microseconds(next.tv_usec));
}

}  // namespace pvebus::storage
