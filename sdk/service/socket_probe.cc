#include "sdk/service/socket_probe.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>

#include "absl/strings/str_format.h"
#include "sdk/base/error.h"

namespace pvebus::service {
namespace {

class Socket {
 public:
  explicit Socket(int family) : fd_(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {}
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

std::string ErrorText(int error) { return std::generic_category().message(error); }

absl::Status InUse(const ListenAddress& address) {
  return MakeError(
      absl::StatusCode::kAlreadyExists, "ADDRESS_IN_USE",
      absl::StrFormat("cannot listen on %s: another process listens there; stop it or choose another --listen", address.text),
      {{"address", address.text}});
}

absl::Status Unusable(const ListenAddress& address, std::string_view why) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "ADDRESS_UNUSABLE",
                   absl::StrFormat("cannot listen on %s: %s", address.text, why), {{"address", address.text}});
}

// 0 or errno. Binds as gRPC will (SO_REUSEADDR, so that connections in TIME_WAIT do not matter) and lets go.
int TryBind(const addrinfo& info) {
  const Socket socket(info.ai_family);
  if (socket.fd() < 0) return errno;
  const int on = 1;
  if (setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) return errno;
  if (info.ai_family == AF_INET6 && setsockopt(socket.fd(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0) return errno;
  return bind(socket.fd(), info.ai_addr, info.ai_addrlen) == 0 ? 0 : errno;
}

absl::Status ProbeTcp(const ListenAddress& address) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  if (error != 0) return Unusable(address, gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);

  bool usable = false;
  int refused = 0;
  for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
    const int bind_error = TryBind(*info);
    if (bind_error == EADDRINUSE) return InUse(address);
    usable |= bind_error == 0;
    if (bind_error != 0) refused = bind_error;
  }
  // A name may stand for addresses that this machine does not have (localhost without IPv6): one is enough.
  return usable ? absl::OkStatus() : Unusable(address, ErrorText(refused));
}

absl::Status ProbeUnix(const ListenAddress& address) {
  const std::filesystem::path path = address.unix_path;
  const std::filesystem::path directory = path.has_parent_path() ? path.parent_path() : ".";
  std::error_code ignored;
  if (!std::filesystem::is_directory(directory, ignored)) {
    return Unusable(address, "there is no directory " + directory.string() + "; create it first");
  }
  if (access(directory.c_str(), W_OK | X_OK) != 0) {
    return Unusable(address, "no permission to create a socket in " + directory.string());
  }
  struct stat status;
  if (lstat(path.c_str(), &status) != 0) return errno == ENOENT ? absl::OkStatus() : Unusable(address, ErrorText(errno));
  if (!S_ISSOCK(status.st_mode))
    return Unusable(address, "a file that is no socket stands there; remove it or choose another path");

  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path, path.c_str(), path.native().size());
  const Socket socket(AF_UNIX);
  if (socket.fd() < 0) return Unusable(address, ErrorText(errno));
  if (connect(socket.fd(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0) return InUse(address);
  // Somebody listens whose queue is full: a stopped process, for example.
  if (errno == EAGAIN || errno == EINPROGRESS) return InUse(address);
  if (errno != ECONNREFUSED) return Unusable(address, ErrorText(errno));
  if (unlink(path.c_str()) != 0 && errno != ENOENT)
    return Unusable(address, "the old socket cannot be removed: " + ErrorText(errno));
  return absl::OkStatus();
}

}  // namespace

absl::Status ProbeListenAddress(const ListenAddress& address) {
  return address.is_unix() ? ProbeUnix(address) : ProbeTcp(address);
}

}  // namespace pvebus::service
