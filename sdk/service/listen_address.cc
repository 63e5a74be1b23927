#include "sdk/service/listen_address.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include <charconv>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "sdk/base/error.h"

namespace pvebus::service {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";

absl::Status InvalidAddress(std::string_view text, std::string_view why) {
  return MakeError(
      absl::StatusCode::kInvalidArgument, "LISTEN_ADDRESS_INVALID",
      absl::StrFormat("'%s' is no address to listen on: %s; write 127.0.0.1:7400, [::1]:7400 or unix:/run/pvebus/x.sock", text,
                      why),
      {{"address", std::string(text)}});
}

bool IsIpv6(const std::string& host) {
  in6_addr address;
  return inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

absl::StatusOr<ListenAddress> ParseUnix(std::string_view text) {
  std::string_view path = text.substr(kUnixPrefix.size());
  while (path.starts_with("//")) path.remove_prefix(1);
  if (path.empty() || path == "/") return InvalidAddress(text, "the path is missing");
  constexpr size_t kLongest = sizeof(sockaddr_un::sun_path) - 1;
  if (path.size() > kLongest) {
    return InvalidAddress(text, absl::StrFormat("a socket's path has at most %d bytes, this one %d", kLongest, path.size()));
  }
  return ListenAddress{.text = "unix:" + std::string(path), .unix_path = std::string(path)};
}

}  // namespace

bool ListenAddress::IsLocal() const {
  if (is_unix()) return true;
  in_addr v4;
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6;
  if (inet_pton(AF_INET6, host.c_str(), &v6) == 1) return IN6_IS_ADDR_LOOPBACK(&v6);
  return absl::AsciiStrToLower(host) == "localhost";
}

std::string ListenAddress::WithPort(int bound_port) const {
  if (is_unix()) return text;
  const char* format = host.find(':') == std::string::npos ? "" : "[";
  return std::string(format) + host + (*format ? "]:" : ":") + std::to_string(port == 0 ? bound_port : port);
}

absl::StatusOr<ListenAddress> ParseListenAddress(std::string_view text) {
  if (text.starts_with(kUnixPrefix)) return ParseUnix(text);
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return InvalidAddress(text, "the port is missing");

  ListenAddress address{.text = std::string(text), .host = std::string(text.substr(0, colon))};
  const std::string_view port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size())
    return InvalidAddress(text, "the port is not a number from 0 to 65535");

  const bool bracketed = address.host.size() > 2 && address.host.front() == '[' && address.host.back() == ']';
  if (bracketed) address.host = address.host.substr(1, address.host.size() - 2);
  if (address.host.empty()) return InvalidAddress(text, "the host is missing");
  if (bracketed && !IsIpv6(address.host)) return InvalidAddress(text, "only an IPv6 address stands in brackets");
  if (!bracketed && address.host.find_first_of(":/ []") != std::string::npos) {
    return InvalidAddress(text, "an IPv6 address stands in brackets, and a socket's path behind unix:");
  }
  return address;
}

absl::Status CheckListenAddresses(const ServiceOptions& options) {
  if (options.listen.empty()) return InvalidAddress("", "none is given");
  std::set<std::string> seen;
  for (const std::string& text : options.listen) {
    const absl::StatusOr<ListenAddress> address = ParseListenAddress(text);
    if (!address.ok()) return address.status();
    if ((address->is_unix() || address->port != 0) && !seen.insert(address->WithPort(0)).second) {
      return MakeError(absl::StatusCode::kInvalidArgument, "LISTEN_ADDRESS_INVALID", absl::StrFormat("'%s' is given twice", text),
                       {{"address", text}});
    }
    if (address->IsLocal() || options.insecure) continue;
    return MakeError(absl::StatusCode::kFailedPrecondition, "LISTEN_ADDRESS_INSECURE",
                     absl::StrFormat("'%s' can be reached from other machines, without TLS and by anybody; listen on 127.0.0.1, "
                                     "[::1] or unix:PATH, or add --insecure if this is meant",
                                     text),
                     {{"address", text}});
  }
  return absl::OkStatus();
}

}  // namespace pvebus::service
