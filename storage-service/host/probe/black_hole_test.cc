// A server that drops all packets, for real: an address behind a bridge without ports, in a network of the test's own.
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <functional>
#include <string>

#include "absl/strings/str_format.h"
#include "gtest/gtest.h"
#include "storage-service/host/probe/tcp_prober.h"
#include "storage-service/host/probe/testing_servers.h"

namespace pvebus::storage {
namespace {

constexpr char kBridge[] = "hole0";
constexpr char kSilent[] = "10.99.0.2";  // its neighbour is known, and nobody is there
constexpr char kUnrouted[] = "10.98.0.1";

std::string WhyFailed(const char* what) { return absl::StrFormat("%s: %s", what, strerror(errno)); }

// For this process. Why there is none; empty when there is.
std::string EnterOwnNetwork() {
  const uid_t uid = getuid();
  const gid_t gid = getgid();
  if (unshare(CLONE_NEWNET) == 0) return "";
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return WhyFailed("unshare");
  std::ofstream("/proc/self/setgroups") << "deny";
  std::ofstream("/proc/self/uid_map") << absl::StrFormat("0 %d 1", uid);
  std::ofstream("/proc/self/gid_map") << absl::StrFormat("0 %d 1", gid);
  return "";
}

void SetAddress(sockaddr& to, const char* address) {
  sockaddr_in v4 = Loopback(0);
  inet_pton(AF_INET, address, &v4.sin_addr);
  std::memcpy(&to, &v4, sizeof(v4));
}

// Why there is none; empty when there is.
std::string DigBlackHole() {
  const Fd control(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (ioctl(control.get(), SIOCBRADDBR, kBridge) != 0) return WhyFailed("making a bridge");
  ifreq request{};
  std::strncpy(request.ifr_name, kBridge, sizeof(request.ifr_name) - 1);
  SetAddress(request.ifr_addr, "10.99.0.1");
  if (ioctl(control.get(), SIOCSIFADDR, &request) != 0) return WhyFailed("its address");
  SetAddress(request.ifr_netmask, "255.255.255.0");
  if (ioctl(control.get(), SIOCSIFNETMASK, &request) != 0) return WhyFailed("its netmask");
  request.ifr_flags = IFF_UP;
  if (ioctl(control.get(), SIOCSIFFLAGS, &request) != 0) return WhyFailed("its start");
  arpreq neighbour{};
  SetAddress(neighbour.arp_pa, kSilent);
  neighbour.arp_ha.sa_family = ARPHRD_ETHER;
  neighbour.arp_ha.sa_data[0] = 2;
  neighbour.arp_flags = ATF_COM | ATF_PERM;
  std::strncpy(neighbour.arp_dev, kBridge, sizeof(neighbour.arp_dev) - 1);
  if (ioctl(control.get(), SIOCSARP, &neighbour) != 0) return WhyFailed("its neighbour");
  return "";
}

std::string Probed(const std::string& host, Duration limit) {
  const RealClock clock;
  const SteadyTime begun = clock.SteadyNow();
  const auto results = TcpProber({.limit = limit}, clock).Probe({{{host, 2049}}}, {});
  const bool in_time = clock.SteadyNow() - begun < limit + std::chrono::seconds(1);
  return absl::StrFormat("%s%s", results[0].message, in_time ? "" : ", too late");
}

// What `body` says in a process with a black hole of its own: user namespaces are for processes with one thread.
std::string InBlackHole(const std::function<std::string()>& body) {
  int ends[2];
  Require(pipe(ends) == 0);
  const pid_t child = fork();
  if (child == 0) {
    std::string why = EnterOwnNetwork();
    if (why.empty()) why = DigBlackHole();
    const std::string said = why.empty() ? body() : "NOT PROVEN: a black hole. No network of its own for the test: " + why;
    Require(write(ends[1], said.data(), said.size()) == static_cast<ssize_t>(said.size()));
    _exit(0);
  }
  close(ends[1]);
  std::string said(4096, '\0');
  const ssize_t got = read(ends[0], said.data(), said.size());
  close(ends[0]);
  waitpid(child, nullptr, 0);
  said.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return said;
}

void Expect(const char* host, Duration limit, const std::string& message) {
  const std::string said = InBlackHole([&] { return Probed(host, limit); });
  if (said.starts_with("NOT PROVEN")) GTEST_SKIP() << said;
  EXPECT_EQ(said, message);
}

TEST(BlackHoleTest, DroppedPacketsTimeOutAtTheLimit) { Expect(kSilent, std::chrono::milliseconds(300), "timed out after 0.3 s"); }

TEST(BlackHoleTest, AddressWithoutARouteIsUnreachable) {
  Expect(kUnrouted, std::chrono::seconds(8), "cannot be reached: Network is unreachable");
}

}  // namespace
}  // namespace pvebus::storage
