#include "sdk/netlink/netlink_watch.h"

#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "sdk/netlink/network_errors.h"
#include "sdk/posix/poll_timeout.h"

namespace pvebus {
namespace {

using std::chrono::steady_clock;

}  // namespace

absl::StatusOr<std::unique_ptr<NetlinkWatch>> NetlinkWatch::Create(std::function<void()> on_change) {
  constexpr const char* kDoing = "tell of changes of the network";
  Socket socket(nl_socket_alloc());
  if (socket == nullptr) std::abort();  // no memory
  if (const int error = nl_connect(socket.get(), NETLINK_ROUTE); error < 0) return KernelRefused(kDoing, nl_geterror(error));
  const int error = nl_socket_add_memberships(socket.get(), RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
                                              RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, 0);
  if (error < 0) return KernelRefused(kDoing, nl_geterror(error));
  const int stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (stop < 0) return KernelRefused(kDoing, std::strerror(errno));
  return std::unique_ptr<NetlinkWatch>(new NetlinkWatch(std::move(socket), stop, std::move(on_change)));
}

NetlinkWatch::NetlinkWatch(Socket socket, int stop, std::function<void()> on_change)
    : socket_(std::move(socket)), stop_(stop), on_change_(std::move(on_change)), thread_([this] { Run(); }) {}

NetlinkWatch::~NetlinkWatch() {
  const uint64_t one = 1;
  if (write(stop_, &one, sizeof(one)) != sizeof(one)) std::abort();  // an eventfd takes that many times
  thread_.join();
  close(stop_);
}

void NetlinkWatch::Run() const {
  while (WaitForNotice(Time::max())) {
    const Time at_most = steady_clock::now() + kAtMost;
    while (steady_clock::now() < at_most && WaitForNotice(std::min(steady_clock::now() + kQuiet, at_most))) {
    }
    if (Stopping()) return;
    on_change_();
  }
}

bool NetlinkWatch::WaitForNotice(Time deadline) const {
  std::array<pollfd, 2> files{{{stop_, POLLIN, 0}, {nl_socket_get_fd(socket_.get()), POLLIN, 0}}};
  while (true) {
    const int timeout = PollTimeout(deadline);
    const int ready = poll(files.data(), files.size(), timeout);
    if (ready == 0 || files[0].revents != 0) return false;
    if (ready > 0) break;
  }
  Drain();
  return true;
}

bool NetlinkWatch::Stopping() const {
  pollfd stop{stop_, POLLIN, 0};
  return poll(&stop, 1, 0) > 0;
}

// Also takes the error (ENOBUFS) that says that the kernel had no room for more: something did change.
void NetlinkWatch::Drain() const {
  std::array<char, 8192> ignored{};
  const int file = nl_socket_get_fd(socket_.get());
  while (recv(file, ignored.data(), ignored.size(), MSG_DONTWAIT | MSG_TRUNC) > 0) {
  }
}

}  // namespace pvebus
