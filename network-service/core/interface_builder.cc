#include "network-service/core/interface_builder.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "network-service/core/link_type.h"
#include "network-service/core/option_names.h"
#include "network-service/core/option_values.h"

namespace pvebus::network {
namespace {

using Option = Stanza::Option;

// One thread.
class InterfaceBuilder {
 public:
  InterfaceBuilder(const std::string& name, Diagnostics& diagnostics) : diagnostics_(diagnostics) { interface_.name = name; }

  void Add(const Stanza& stanza) {
    file_ = &stanza.place.file;
    TakeMethod(stanza);
    TakeAddresses(stanza);
    for (const Option& option : stanza.options) TakeOption(option);
  }

  Interface Build() {
    std::stable_partition(interface_.addresses.begin(), interface_.addresses.end(),
                          [](const IpPrefix& prefix) { return !prefix.address.v6; });
    TakeLinkType(interface_, places_, diagnostics_);
    return std::move(interface_);
  }

 private:
  Place At(const Option& option) const { return {*file_, option.line}; }

  void TakeMethod(const Stanza& stanza) {
    if (stanza.family == Stanza::Family::kNone) return;
    Method& method = stanza.family == Stanza::Family::kInet ? interface_.method : interface_.method6;
    if (method != Method::kNone && method != stanza.method) {
      diagnostics_.Warn(stanza.place, absl::StrFormat("%s had the method %s before; %s counts", Quoted(stanza.name),
                                                      MethodName(method), MethodName(stanza.method)));
    }
    method = stanza.method;
  }

  // A netmask belongs to an address of the same stanza: the first to the first one that has no length of its own, and so on.
  void TakeAddresses(const Stanza& stanza) {
    std::vector<const Option*> netmasks;
    for (const Option& option : stanza.options) {
      if (option.name == "netmask") netmasks.push_back(&option);
    }
    size_t without_length = 0;
    bool any = false;
    for (const Option& option : stanza.options) {
      if (option.name != "address") continue;
      any = true;
      const bool needs_netmask = option.value.find('/') == std::string::npos;
      const Option* netmask = nullptr;
      if (needs_netmask && !netmasks.empty()) netmask = netmasks[std::min(without_length, netmasks.size() - 1)];
      without_length += needs_netmask ? 1 : 0;
      TakeAddress(option, netmask);
    }
    if (any && without_length > 0) return;
    for (const Option* netmask : netmasks) {
      diagnostics_.Warn(At(*netmask), absl::StrFormat("'netmask' is ignored: %s",
                                                      any ? "the address has a length" : "the stanza has no address"));
    }
  }

  void TakeAddress(const Option& option, const Option* netmask) {
    if (option.value.find('/') != std::string::npos) {
      const auto prefix = ParseIpPrefix(option.value);
      if (!prefix) return RefuseAddress(option);
      interface_.addresses.push_back(*prefix);
      return;
    }
    const auto address = ParseIpAddress(option.value);
    if (!address) return RefuseAddress(option);
    if (netmask == nullptr) {
      diagnostics_.Warn(At(option), absl::StrFormat("the address has neither a length nor a netmask: it is alone in its subnet "
                                                    "(/%d); write %s/24, or whatever the subnet is",
                                                    address->bits(), address->ToString()));
    }
    const auto length = netmask == nullptr ? address->bits() : ParseNetmask(netmask->value, address->v6);
    if (!length) {
      diagnostics_.Error(At(*netmask), absl::StrFormat("%s is no netmask of %s; write 255.255.255.0, or a length as 24",
                                                       Quoted(netmask->value), address->ToString()));
      return;
    }
    interface_.addresses.push_back({*address, *length});
  }

  void RefuseAddress(const Option& option) {
    diagnostics_.Error(At(option),
                       absl::StrFormat("%s is no address; write 192.0.2.5/24 or 2001:db8::5/64", Quoted(option.value)));
  }

  void TakeOption(const Option& option) {
    if (option.name == "address" || option.name == "netmask") return;
    if (option.name == "gateway") return TakeGateway(option);
    if (option.name == "mtu") return TakeMtu(option);
    std::vector<std::string>& values = interface_.options[option.name];
    if (!values.empty() && !IsRepeatable(option.name)) {
      if (values.back() != option.value) WarnRepeated(option, values.back());
      values.clear();
    }
    values.push_back(option.value);
    places_[option.name] = At(option);
  }

  void TakeGateway(const Option& option) {
    const auto address = ParseIpAddress(option.value);
    if (!address) {
      diagnostics_.Error(At(option),
                         absl::StrFormat("%s is no gateway; it is one address, without a length", Quoted(option.value)));
      return;
    }
    std::optional<IpAddress>& gateway = address->v6 ? interface_.gateway6 : interface_.gateway;
    if (gateway && *gateway != *address) {
      diagnostics_.Error(At(option), absl::StrFormat("%s is a second default gateway of %s, which has %s", address->ToString(),
                                                     Quoted(interface_.name), gateway->ToString()));
    }
    gateway = address;
  }

  void TakeMtu(const Option& option) {
    const auto mtu = ParseMtu(option.value);
    if (!mtu) {
      diagnostics_.Error(At(option), absl::StrFormat("%s is no mtu; it is a number from 68 to 65535", Quoted(option.value)));
      return;
    }
    if (interface_.mtu && *interface_.mtu != *mtu) WarnRepeated(option, std::to_string(*interface_.mtu));
    interface_.mtu = mtu;
  }

  void WarnRepeated(const Option& option, const std::string& before) {
    diagnostics_.Warn(At(option), absl::StrFormat("%s has %s twice; %s counts, not %s", Quoted(interface_.name),
                                                  Quoted(option.name), Quoted(option.value), Quoted(before)));
  }

  Diagnostics& diagnostics_;
  Interface interface_;
  OptionPlaces places_;
  const std::string* file_ = nullptr;
};

}  // namespace

Interface BuildInterface(const std::vector<Stanza>& stanzas, Diagnostics& diagnostics) {
  InterfaceBuilder builder(stanzas.front().name, diagnostics);
  for (const Stanza& stanza : stanzas) builder.Add(stanza);
  return builder.Build();
}

}  // namespace pvebus::network
