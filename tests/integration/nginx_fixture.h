#pragma once

#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "gtest/gtest.h"
#include "sdk/posix/fd.h"
#include "tests/support/process.h"
#include "tests/support/wait.h"

namespace pvebus::testing {

// HTTP/1.1 over unix sockets: a message a connection, as much of it as these tests need.
namespace http {

inline sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  EXPECT_LT(path.size(), sizeof(address.sun_path));
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  return address;
}

// Nothing waits longer than that.
inline void SetPatience(const Fd& socket) {
  const timeval patience{.tv_sec = 20, .tv_usec = 0};
  setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

inline bool SendAll(const Fd& socket, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

// Whether there is a whole message: its head, and the body that its Content-Length tells.
inline bool IsWhole(const std::string& message) {
  const size_t head = message.find("\r\n\r\n");
  if (head == std::string::npos) return false;
  const std::string name = "\r\nContent-Length: ";
  const size_t length = message.find(name);
  size_t bytes = 0;
  if (length < head) {
    const size_t begin = length + name.size();
    EXPECT_TRUE(absl::SimpleAtoi(message.substr(begin, message.find('\r', begin) - begin), &bytes)) << message;
  }
  return message.size() >= head + 4 + bytes;
}

inline std::string ReadMessage(const Fd& socket) {
  std::string message;
  char buffer[4096];
  while (!IsWhole(message)) {
    const ssize_t got = recv(socket.get(), buffer, sizeof(buffer), 0);
    if (got <= 0) break;
    message.append(buffer, static_cast<size_t>(got));
  }
  return message;
}

// "200 perl": the status and the body; what went wrong, when there is no whole answer.
inline std::string Ask(const std::string& path, const std::string& method, const std::string& target) {
  const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  SetPatience(socket);
  const sockaddr_un address = AddressOf(path);
  if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return std::string("no connection: ") + std::strerror(errno);  // NOLINT(concurrency-mt-unsafe): of glibc it is safe
  }
  const std::string body = method == "GET" || method == "HEAD" ? "" : "comments=x";
  const std::string length = body.empty() ? "" : absl::StrFormat("Content-Length: %d\r\n", body.size());
  const bool sent = SendAll(
      socket, absl::StrFormat("%s %s HTTP/1.1\r\nHost: node1\r\nConnection: close\r\n%s\r\n%s", method, target, length, body));
  const std::string answer = ReadMessage(socket);
  const size_t head = answer.find("\r\n\r\n");
  if (!sent || head == std::string::npos || !answer.starts_with("HTTP/1.1 ")) return "no answer: \"" + answer + "\"";
  return answer.substr(9, 3) + " " + answer.substr(head + 4);
}

}  // namespace http

// An implementation of the API that answers every call with its name. On a thread of its own until it goes.
class Upstream {
 public:
  Upstream(const std::string& name, const std::string& path)
      : name_(name), listening_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_un address = http::AddressOf(path);
    EXPECT_EQ(bind(listening_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0) << path;
    EXPECT_EQ(listen(listening_.get(), 512), 0);
    thread_ = std::thread([this] { Run(); });
  }
  ~Upstream() {
    shutdown(listening_.get(), SHUT_RDWR);
    thread_.join();
  }
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;

 private:
  void Run() {
    for (;;) {
      const Fd connection(accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!connection && errno != EINTR && errno != ECONNABORTED) return;
      if (!connection) continue;
      http::SetPatience(connection);
      if (!http::IsWhole(http::ReadMessage(connection))) continue;
      http::SendAll(connection,
                    absl::StrFormat("HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", name_.size(), name_));
    }
  }

  const std::string name_;
  const Fd listening_;
  std::thread thread_;
};

// The nginx of the machine, or the one that deploy/packages.sh --tests has unpacked; empty when there is none.
inline std::string NginxProgram() {
  const auto text = [](const char* variable) -> std::string {
    const char* value = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): nobody sets it meanwhile
    return value == nullptr ? "" : value;
  };
  const std::string cache = text("XDG_CACHE_HOME");
  const std::string unpacked = (cache.empty() ? text("HOME") + "/.cache" : cache) + "/pvebus/nginx/usr/sbin/nginx";
  for (const std::string& program : {unpacked, std::string("/usr/sbin/nginx")}) {
    if (std::filesystem::exists(program)) return program;
  }
  return "";
}

// A real nginx with a configuration of its own in a folder, in front of two implementations: it includes the route map that
// stands beside it, and without that it does not start. One thread; any thread may ask it.
class Nginx {
 public:
  explicit Nginx(const std::string& folder)
      : folder_(folder), perl_("perl", folder + "/perl.sock"), rust_("rust", folder + "/rust.sock") {
    std::ofstream(config()) << "daemon off;\nworker_processes 2;\n"
                            << (geteuid() == 0 ? "user root;\n" : "")
                            << absl::StrFormat(R"(pid %1$s/nginx.pid;
lock_file %1$s/nginx.lock;
error_log %1$s/error.log;
events {}
http {
    access_log off;
    client_body_temp_path %1$s/body;
    proxy_temp_path %1$s/proxy;
    fastcgi_temp_path %1$s/fastcgi;
    uwsgi_temp_path %1$s/uwsgi;
    scgi_temp_path %1$s/scgi;
    include %1$s/pvebus.map;
    upstream pvebus_perl { server unix:%1$s/perl.sock; }
    upstream pvebus_rust { server unix:%1$s/rust.sock; }
    server {
        listen unix:%1$s/nginx.sock;
        location / { proxy_pass http://$pvebus_upstream; }
    }
}
)",
                                               folder);
  }

  // Killed, it would leave its workers.
  ~Nginx() {
    if (!process_) return;
    process_->Signal(SIGTERM);
    EXPECT_TRUE(process_->WaitExit(std::chrono::seconds(30)).has_value()) << "waited for nginx to end";
  }
  Nginx(const Nginx&) = delete;
  Nginx& operator=(const Nginx&) = delete;

  std::string map() const { return folder_ + "/pvebus.map"; }
  std::string config() const { return folder_ + "/nginx.conf"; }
  // How migration-service is to work with it.
  std::vector<std::string> Flags() const {
    return {"--route-map", map(), "--route-map-reload", "--nginx", NginxProgram(), "--nginx-config", config()};
  }
  // Requires: the map is there.
  void Start() {
    process_ = std::make_unique<Process>(std::vector<std::string>{NginxProgram(), "-c", config()});
    WaitFor("nginx to serve", [&] { return Ask("GET", "/").starts_with("200 "); });
  }
  // "200 perl"
  std::string Ask(const std::string& method, const std::string& target) const {
    return http::Ask(folder_ + "/nginx.sock", method, target);
  }
  std::string ErrorLog() const {
    std::ifstream stream(folder_ + "/error.log");
    return {std::istreambuf_iterator<char>(stream), {}};
  }

 private:
  const std::string folder_;
  Upstream perl_;
  Upstream rust_;
  std::unique_ptr<Process> process_;
};

}  // namespace pvebus::testing
