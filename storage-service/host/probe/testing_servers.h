#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "sdk/posix/fd.h"

// Servers on loopback for tests. They abort when the machine has not even that.
namespace pvebus::storage {

inline void Require(bool fulfilled) {
  if (!fulfilled) std::abort();
}

inline sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// A TCP port that refuses until it listens.
class TcpPort {
 public:
  TcpPort() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = Loopback(0);
    socklen_t length = sizeof(address);
    Require(bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
    Require(getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
    port_ = ntohs(address.sin_port);
  }

  uint16_t port() const { return port_; }
  int fd() const { return fd_.get(); }
  // The kernel accepts for it.
  void Listen() { Require(listen(fd_.get(), 512) == 0); }
  // Listens, and its queue is full: what comes is dropped without a word.
  void Hang() {
    Require(listen(fd_.get(), 0) == 0);
    while (Connects()) {
    }
  }

 private:
  bool Connects() {
    Fd client(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const sockaddr_in address = Loopback(port_);
    (void)connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    pollfd polled{client.get(), POLLOUT, 0};
    const bool connected = poll(&polled, 1, 100) == 1;
    clients_.push_back(std::move(client));
    return connected;
  }

  Fd fd_;
  uint16_t port_ = 0;
  std::vector<Fd> clients_;
};

// Answers each connection once with the same bytes (none: closes it), when something was said.
class AnsweringServer {
 public:
  explicit AnsweringServer(std::string answer) : answer_(std::move(answer)) {
    port_.Listen();
    thread_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) Serve();
    });
  }
  uint16_t port() const { return port_.port(); }

 private:
  void Serve() {
    pollfd polled{port_.fd(), POLLIN, 0};
    if (poll(&polled, 1, 20) != 1) return;
    const Fd client(accept4(port_.fd(), nullptr, nullptr, SOCK_CLOEXEC));
    std::array<char, 100> said;
    if (recv(client.get(), said.data(), said.size(), 0) > 0) send(client.get(), answer_.data(), answer_.size(), MSG_NOSIGNAL);
  }

  const std::string answer_;
  TcpPort port_;
  std::jthread thread_;
};

// DNS on UDP: names that begin with "nas" are 127.0.0.1 and have no IPv6 address; "late" ones, too, when asked again; those that
// begin with "half" get an answer only for IPv4, "silent" ones get none; all others do not exist.
class DnsServer {
 public:
  DnsServer() : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = Loopback(0);
    socklen_t length = sizeof(address);
    Require(bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
    Require(getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
    servers_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) Serve();
    });
  }
  const std::string& servers() const { return servers_; }

 private:
  void Serve() {
    pollfd polled{fd_.get(), POLLIN, 0};
    if (poll(&polled, 1, 20) != 1) return;
    std::array<char, 512> buffer;
    sockaddr_in from{};
    socklen_t length = sizeof(from);
    const ssize_t got = recvfrom(fd_.get(), buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
    if (got < kHeader + 5) return;
    const std::string answer = AnswerTo(std::string(buffer.data(), static_cast<size_t>(got)));
    if (!answer.empty()) sendto(fd_.get(), answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&from), length);
  }

  std::string AnswerTo(const std::string& query) {
    const size_t name_end = query.find('\0', kHeader);
    if (name_end == std::string::npos || name_end + 5 > query.size()) return "";
    const std::string first_label = query.substr(kHeader + 1, static_cast<size_t>(query[kHeader]));
    const bool v4 = query[name_end + 2] == 1;
    const bool half = absl::StartsWith(first_label, "half");
    const bool late = absl::StartsWith(first_label, "late");
    if (absl::StartsWith(first_label, "silent") || (half && !v4)) return "";
    if (late && asked_.insert(query.substr(kHeader)).second) return "";
    const bool exists = half || late || absl::StartsWith(first_label, "nas");
    const bool answers = exists && v4;
    std::string answer = query.substr(0, 2);
    answer += '\x81';
    answer += exists ? '\x80' : '\x83';
    answer += std::string("\0\1\0", 3) + (answers ? '\1' : '\0') + std::string(4, '\0');
    answer += query.substr(kHeader, name_end + 5 - kHeader);
    if (answers) answer += std::string("\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1", 16);
    return answer;
  }

  static constexpr ssize_t kHeader = 12;
  Fd fd_;
  std::string servers_;
  std::set<std::string> asked_;  // of the thread
  std::jthread thread_;
};

}  // namespace pvebus::storage
