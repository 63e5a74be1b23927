#include "container-service/core/testing/container_soundness.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "container-service/core/guest_values.h"
#include "sdk/base/ip_address.h"
#include "sdk/base/utf8.h"

namespace pvebus::container {
namespace {

constexpr size_t kLongestMessage = 600;

bool IsUtf8(const std::string& text) { return CleanUtf8(text, text.size()) == text; }

bool IsDeviceName(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.';
  });
}

bool IsPrefixOrWord(const std::optional<std::string>& text, bool v6) {
  if (!text || text == "dhcp" || text == "manual" || (v6 && text == "auto")) return true;
  const std::string address = text->substr(0, text->find('/'));
  return address != *text && (v6 ? CanonicalIpv6(address) : CanonicalIpv4(address)) == address;
}

std::string WhyUnsound(const NetworkInterface& interface) {
  const auto is_tag = [](uint16_t tag) { return tag >= 1 && tag <= 4094; };
  if (!IsDeviceName(interface.inside_name)) return "inside_name";
  if (interface.type != "veth") return "type";
  if (interface.bridge && interface.vnet) return "bridge and vnet";
  if (!IsDeviceName(interface.bridge.value_or("x")) || !IsDeviceName(interface.vnet.value_or("x"))) return "bridge or vnet";
  if (interface.hwaddr && interface.hwaddr->size() != 17) return "hwaddr";
  if (!IsPrefixOrWord(interface.ip, false) || !IsPrefixOrWord(interface.ip6, true)) return "ip or ip6";
  if (interface.gw && CanonicalIpv4(*interface.gw) != interface.gw) return "gw";
  if (interface.gw6 && CanonicalIpv6(*interface.gw6) != interface.gw6) return "gw6";
  if (!is_tag(interface.tag.value_or(1))) return "tag";
  if (interface.trunks &&
      (interface.trunks->empty() || !std::all_of(interface.trunks->begin(), interface.trunks->end(), is_tag))) {
    return "trunks";
  }
  if (interface.mtu.value_or(64) < 64 || interface.mtu.value_or(64) > 65535) return "mtu";
  return interface.rate.value_or(0) >= 0 ? "" : "rate";
}

std::string WhyUnsoundFindings(const ContainerConfig& config) {
  if (config.findings.size() > kMostFindings + 1) return "too many findings";
  for (const ContainerFinding& finding : config.findings) {
    if (finding.message.empty() || finding.message.size() > kLongestMessage) return "length of a finding: " + finding.message;
    if (!IsUtf8(finding.message) || !IsUtf8(finding.key)) return "a finding is no UTF-8";
  }
  return "";
}

size_t BytesOf(const ContainerConfig& config) {
  size_t bytes = config.description.value_or("").size();
  for (const auto& [key, value] : config.options) bytes += key.size() + value.size();
  for (const RawLxcLine& line : config.raw_lxc) bytes += line.key.size() + line.value.size();
  for (const auto* list : {&config.pending, &config.snapshots, &config.search_domains}) {
    for (const std::string& item : *list) bytes += item.size();
  }
  return bytes;
}

}  // namespace

std::string WhyUnsound(const ContainerConfig& config, std::string_view text) {
  for (const auto& [index, interface] : config.interfaces) {
    if (index > 31) return "index";
    if (const std::string why = WhyUnsound(interface); !why.empty()) return absl::StrFormat("net%d: %s", index, why);
  }
  if (config.container_id && config.host_devices.size() != config.interfaces.size()) return "host_devices";
  if (config.hostname && !IsDnsName(*config.hostname)) return "hostname";
  for (const std::string& server : config.nameservers) {
    if (ParseNameserver(server) != server) return "nameserver";
  }
  for (const std::string& domain : config.search_domains) {
    if (!IsDnsName(domain)) return "search domain";
  }
  if (BytesOf(config) > text.size()) return "more text than the file has";
  return WhyUnsoundFindings(config);
}

}  // namespace pvebus::container
