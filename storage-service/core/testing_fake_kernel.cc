#include "storage-service/core/testing_fake_kernel.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "sdk/base/error.h"

namespace pvebus::storage {
namespace {

absl::Status Refused(std::string_view why) { return MakeError(absl::StatusCode::kFailedPrecondition, "KERNEL_REFUSED", why); }

absl::Status Missing(const std::string& name) {
  return MakeError(absl::StatusCode::kNotFound, "LINK_MISSING", absl::StrFormat("there is no %s", name));
}

template <typename T>
void AddOnce(std::vector<T>& items, const T& item) {
  if (std::find(items.begin(), items.end(), item) == items.end()) items.push_back(item);
  std::sort(items.begin(), items.end());
}

}  // namespace

Link& FakeKernel::Add(Link link) {
  link.index = ++last_index_;
  if (link.mtu == 0) link.mtu = 1500;
  network_.links.push_back(std::move(link));
  return network_.links.back();
}

Link* FakeKernel::Find(const std::string& name) { return const_cast<Link*>(network_.Find(name)); }

void FakeKernel::Delete(const std::string& name) {
  const Link* link = network_.Find(name);
  if (link == nullptr) return;
  const int index = link->index;
  std::vector<std::string> on_it;
  for (const Link& other : network_.links) {
    if (other.lower_index == index) on_it.push_back(other.name);
  }
  for (const std::string& other : on_it) Delete(other);
  std::erase_if(network_.routes, [&](const LinkRoute& route) { return route.link_index == index; });
  std::erase_if(network_.links, [&](const Link& other) { return other.index == index; });
}

void FakeKernel::BringUp(const std::string& name, bool up) { (void)SetLinkUp(*Find(name), up); }

std::string FakeKernel::Text() const {
  std::vector<std::string> lines;
  const auto name_of = [&](int index) {
    const Link* link = network_.Find(index);
    return link == nullptr ? "-" : link->name;
  };
  for (const Link& link : network_.links) {
    std::string line = absl::StrFormat("%s %s on %s tag %d mtu %d %s", link.name, link.kind, name_of(link.lower_index), link.tag,
                                       link.mtu, link.up ? "up" : "down");
    for (const uint16_t vid : link.bridge_vids) absl::StrAppendFormat(&line, " vid %d", vid);
    for (const IpPrefix& address : link.addresses) absl::StrAppendFormat(&line, " %s", address.ToString());
    lines.push_back(line);
  }
  for (const LinkRoute& route : network_.routes) {
    lines.push_back(absl::StrFormat("route %s via %s on %s", route.subnet.ToString(),
                                    route.gateway ? route.gateway->ToString() : "-", name_of(route.link_index)));
  }
  for (const auto& [link, subnets] : isolated_) {
    lines.push_back(absl::StrFormat("isolated %s", link));
    for (const IpPrefix& subnet : subnets) lines.back() += " " + subnet.ToString();
  }
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

absl::StatusOr<NetworkSnapshot> FakeKernel::Read() {
  MutexLock lock(mu_);
  ++reads_;
  if (absl::Status status = faults_->Read(); !status.ok()) return status;
  return network_;
}

absl::Status FakeKernel::CreateVlan(const std::string& base, const std::string& name, uint16_t tag) {
  return With(base, [&](Link& on) {
    const bool taken = std::any_of(network_.links.begin(), network_.links.end(), [&](const Link& link) {
      return link.name == name || (link.kind == "vlan" && link.lower_index == on.index && link.tag == tag && link.dot1q);
    });
    if (taken) return absl::AlreadyExistsError(name);
    Add({.name = name, .kind = "vlan", .lower_index = on.index, .tag = tag, .dot1q = true, .mtu = on.mtu});
    return absl::OkStatus();
  });
}

absl::Status FakeKernel::DeleteLink(const std::string& name) {
  return With(name, [&](Link&) {
    Delete(name);
    return absl::OkStatus();
  });
}

absl::Status FakeKernel::SetMtu(const std::string& name, uint32_t mtu_bytes) {
  return With(name, [&](Link& link) {
    const Link* base = network_.Find(link.lower_index);
    if (base != nullptr && mtu_bytes > base->mtu) return Refused("the MTU exceeds the base's");
    link.mtu = mtu_bytes;
    return absl::OkStatus();
  });
}

absl::Status FakeKernel::SetUp(const std::string& name, bool up) {
  return With(name, [&](Link& link) { return SetLinkUp(link, up); });
}

absl::Status FakeKernel::AddAddress(const std::string& name, const IpPrefix& address) {
  return With(name, [&](Link& link) {
    AddOnce(link.addresses, address);
    return absl::OkStatus();
  });
}

absl::Status FakeKernel::RemoveAddress(const std::string& name, const IpPrefix& address) {
  return With(name, [&](Link& link) {
    std::erase(link.addresses, address);
    return absl::OkStatus();
  });
}

absl::Status FakeKernel::AddRoute(const std::string& name, const IpPrefix& subnet, const IpAddress& gateway) {
  return With(name, [&](Link& link) {
    if (!link.up) return Refused("the network is down");
    network_.routes.push_back({link.index, subnet, gateway});
    return absl::OkStatus();
  });
}

absl::Status FakeKernel::RemoveRoute(const std::string& name, const IpPrefix& subnet, const IpAddress& gateway) {
  return With(name, [&](Link& link) {
    std::erase_if(network_.routes, [&](const LinkRoute& route) {
      return route.link_index == link.index && route.subnet == subnet && route.gateway == gateway;
    });
    return absl::OkStatus();
  });
}

absl::Status FakeKernel::AddBridgeVid(const std::string& bridge, uint16_t tag) {
  return With(bridge, [&](Link& link) {
    if (!link.vlan_aware) return Refused("not VLAN-aware");
    AddOnce(link.bridge_vids, tag);
    return absl::OkStatus();
  });
}

absl::Status FakeKernel::RemoveBridgeVid(const std::string& bridge, uint16_t tag) {
  return With(bridge, [&](Link& link) {
    std::erase(link.bridge_vids, tag);
    return absl::OkStatus();
  });
}

absl::StatusOr<std::optional<std::vector<IpPrefix>>> FakeKernel::Read(const std::string& link) {
  MutexLock lock(mu_);
  if (absl::Status status = faults_->Read(); !status.ok()) return status;
  const auto it = isolated_.find(link);
  return it == isolated_.end() ? std::nullopt : std::optional(it->second);
}

absl::Status FakeKernel::Isolate(const std::string& link, const std::vector<IpPrefix>& subnets) {
  MutexLock lock(mu_);
  return faults_->Do([&] {
    isolated_[link] = subnets;
    return absl::OkStatus();
  });
}

absl::Status FakeKernel::Release(const std::string& link) {
  MutexLock lock(mu_);
  return faults_->Do([&] {
    isolated_.erase(link);
    return absl::OkStatus();
  });
}

template <typename Change>
absl::Status FakeKernel::With(const std::string& name, Change change) {
  MutexLock lock(mu_);
  return faults_->Do([&]() -> absl::Status {
    Link* link = Find(name);
    return link == nullptr ? Missing(name) : change(*link);
  });
}

absl::Status FakeKernel::SetLinkUp(Link& link, bool up) {
  const Link* base = network_.Find(link.lower_index);
  if (up && base != nullptr && !base->up) return Refused("the network is down");
  link.up = up;
  if (!up) std::erase_if(network_.routes, [&](const LinkRoute& route) { return route.link_index == link.index; });
  for (Link& other : network_.links) {
    if (other.lower_index == link.index) (void)SetLinkUp(other, up);
  }
  return absl::OkStatus();
}

}  // namespace pvebus::storage
