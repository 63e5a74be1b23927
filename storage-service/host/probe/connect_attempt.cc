#include "storage-service/host/probe/connect_attempt.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "absl/strings/str_format.h"

namespace pvebus::storage {
namespace {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

SocketAddress SocketAddressOf(const IpAddress& address, uint16_t port) {
  SocketAddress made;
  if (address.v6) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::copy(address.bytes.begin(), address.bytes.end(), std::begin(v6.sin6_addr.s6_addr));
    std::memcpy(&made.storage, &v6, made.length = sizeof(v6));
  } else {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, address.bytes.data(), sizeof(v4.sin_addr));
    std::memcpy(&made.storage, &v4, made.length = sizeof(v4));
  }
  return made;
}

std::string ErrorText(int error) { return std::generic_category().message(error); }

// What says nothing about the server: it is this process that cannot.
bool IsOurs(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM || error == EAFNOSUPPORT || error == EAGAIN;
}

}  // namespace

ConnectAttempt::ConnectAttempt(const IpAddress& address, uint16_t port, const Greeting& greeting)
    : address_(address), port_(port), greeting_(greeting) {}

void ConnectAttempt::Start() {
  fd_ = Fd(socket(address_.v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (!fd_) return Fail(errno);
  const SocketAddress to = SocketAddressOf(address_, port_);
  if (connect(fd_.get(), reinterpret_cast<const sockaddr*>(&to.storage), to.length) == 0) return OnConnected();
  if (errno != EINPROGRESS) Fail(errno);
}

short ConnectAttempt::events() const { return phase_ == Phase::kListening ? POLLIN : POLLOUT; }

void ConnectAttempt::OnReady() {
  if (done_) return;
  if (phase_ == Phase::kGreeting) return Greet();
  if (phase_ == Phase::kListening) return Listen();
  int error = 0;
  socklen_t length = sizeof(error);
  if (getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
  if (error != 0) return Fail(error);
  OnConnected();
}

void ConnectAttempt::OnConnected() {
  if (greeting_.bytes.empty()) return End(Reachability::kReachable, "");
  phase_ = Phase::kGreeting;
  Greet();
}

void ConnectAttempt::Greet() {
  const std::string_view rest = std::string_view(greeting_.bytes).substr(said_);
  const ssize_t sent = send(fd_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (sent < 0) return Fail(errno);
  said_ += static_cast<size_t>(sent);
  if (said_ == greeting_.bytes.size()) phase_ = Phase::kListening;
}

void ConnectAttempt::Listen() {
  const size_t wanted = greeting_.answer_at + greeting_.answer.size();
  std::array<char, 512> buffer;
  const ssize_t got = recv(fd_.get(), buffer.data(), std::min(buffer.size(), wanted - heard_.size()), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got < 0) return Fail(errno);
  if (got == 0) return End(Reachability::kRefused, "closes the connection without an answer");
  heard_.append(buffer.data(), static_cast<size_t>(got));
  if (heard_.size() < wanted) return;
  const bool right = heard_.substr(greeting_.answer_at) == greeting_.answer;
  End(right ? Reachability::kReachable : Reachability::kRefused, right ? "" : "answers as a server of another kind");
}

void ConnectAttempt::TimeOut(const std::string& limit) {
  if (done_) return;
  End(Reachability::kTimedOut, phase_ == Phase::kConnecting
                                   ? absl::StrFormat("timed out after %s", limit)
                                   : absl::StrFormat("accepts connections but does not answer within %s", limit));
}

void ConnectAttempt::Abandon(std::string why) {
  if (!done_) End(Reachability::kUnknown, std::move(why));
}

void ConnectAttempt::Fail(int error) {
  if (IsOurs(error)) return End(Reachability::kUnknown, "could not be tried: " + ErrorText(error));
  if (error == ECONNREFUSED) return End(Reachability::kRefused, "refused the connection");
  if (error == ECONNRESET || error == EPIPE) return End(Reachability::kRefused, "reset the connection");
  if (error == ETIMEDOUT) return End(Reachability::kTimedOut, "timed out");
  End(Reachability::kUnreachable, "cannot be reached: " + ErrorText(error));
}

void ConnectAttempt::End(Reachability reachability, std::string message) {
  done_ = true;
  reachability_ = reachability;
  message_ = std::move(message);
  fd_.Close();
}

}  // namespace pvebus::storage
