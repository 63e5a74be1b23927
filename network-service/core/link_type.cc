#include "network-service/core/link_type.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "network-service/core/interfaces_lines.h"
#include "network-service/core/option_names.h"
#include "network-service/core/option_values.h"
#include "sdk/base/ip_address.h"

namespace pvebus::network {
namespace {

constexpr std::string_view kDefaultBondMode = "balance-rr";

bool AreDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) { return absl::ascii_isdigit(c); });
}

std::string_view DigitsBehind(std::string_view prefix, std::string_view name) {
  if (!name.starts_with(prefix) || !AreDigits(name.substr(prefix.size()))) return {};
  return name.substr(prefix.size());
}

std::string CanonicalAddress(const std::string& text) {
  const auto address = ParseIpAddress(text);
  return address ? address->ToString() : text;
}

// One thread.
class TypeTaker {
 public:
  TypeTaker(Interface& interface, const OptionPlaces& places, Diagnostics& diagnostics)
      : interface_(interface), places_(places), diagnostics_(diagnostics) {}

  InterfaceType Take() {
    if (interface_.name == "lo") return Loopback();
    if (Has("bridge-ports")) return TakeBridge();
    if (Has("ovs-type")) return TakeOvs();
    if (Has("bond-slaves") || !DigitsBehind("bond", interface_.name).empty()) return TakeBond();
    if (Has("vxlan-id")) return TakeVxlan();
    if (Has("vlan-raw-device") || VlanOfName(interface_.name)) return TakeVlan();
    return Physical();
  }

 private:
  bool Has(std::string_view name) const { return interface_.options.contains(std::string(name)); }

  Place PlaceOf(std::string_view name) const {
    const auto place = places_.find(name);
    return place == places_.end() ? Place() : place->second;
  }

  std::vector<std::string> TakeAll(const std::string& name) {
    auto node = interface_.options.extract(name);
    return node.empty() ? std::vector<std::string>() : std::move(node.mapped());
  }

  // Empty when there is none.
  std::string TakeOne(const std::string& name) {
    std::vector<std::string> values = TakeAll(name);
    return values.empty() ? "" : std::move(values.back());
  }

  std::set<std::string> TakeLinks(const std::string& name) {
    const std::string value = TakeOne(name);
    const std::vector<std::string_view> words = Words(value);
    // Patterns of ifupdown2: what they match, only the kernel knows.
    if (words.size() > 1 && (words[0] == "glob" || words[0] == "regex")) return {value};
    std::set<std::string> links;
    for (const std::string_view word : words) {
      if (word == "none" || word == "glob" || word == "regex") continue;
      if (!links.emplace(word).second) {
        diagnostics_.Warn(PlaceOf(name), absl::StrFormat("%s is there twice in %s", Quoted(word), Quoted(name)));
      }
    }
    return links;
  }

  Bridge TakeBridge() {
    Bridge bridge{.ports = TakeLinks("bridge-ports")};
    const std::string aware = TakeOne("bridge-vlan-aware");
    if (aware.empty()) return bridge;
    const auto value = ParseBool(aware);
    bridge.vlan_aware = value.value_or(false);
    if (!value) {
      diagnostics_.Warn(PlaceOf("bridge-vlan-aware"),
                        absl::StrFormat("bridge-vlan-aware is yes or no, and not %s; it is taken for no", Quoted(aware)));
    }
    return bridge;
  }

  Bond TakeBond() {
    Bond bond{.slaves = TakeLinks("bond-slaves")};
    if (const std::string mode = TakeOne("bond-mode"); !mode.empty()) bond.mode = CanonicalBondMode(mode);
    if (!IsBondMode(bond.mode)) {
      diagnostics_.Error(PlaceOf("bond-mode"),
                         absl::StrFormat("there is no bond mode %s; there are 0..6 and balance-rr, active-backup, balance-xor, "
                                         "broadcast, 802.3ad, balance-tlb, balance-alb",
                                         Quoted(bond.mode)));
    }
    for (auto it = interface_.options.lower_bound("bond-"); it != interface_.options.end() && it->first.starts_with("bond-");) {
      bond.options.insert(interface_.options.extract(it++));
    }
    return bond;
  }

  Vlan TakeVlan() {
    Vlan vlan = VlanOfName(interface_.name).value_or(Vlan());
    if (vlan.tag == 0) vlan.tag = ParseDecimal(DigitsBehind("vlan", interface_.name)).value_or(0);
    if (std::string parent = TakeOne("vlan-raw-device"); !parent.empty()) vlan.parent = std::move(parent);
    if (const std::string id = TakeOne("vlan-id"); !id.empty()) vlan.tag = TakeNumber("vlan-id", id);
    return vlan;
  }

  Vxlan TakeVxlan() {
    Vxlan vxlan{.id = TakeNumber("vxlan-id", TakeOne("vxlan-id"))};
    vxlan.local = CanonicalAddress(TakeOne("vxlan-local-tunnelip"));
    for (const std::string& value : TakeAll("vxlan-remoteip")) {
      for (const std::string_view word : Words(value)) vxlan.remotes.push_back(CanonicalAddress(std::string(word)));
    }
    if (const std::string port = TakeOne("vxlan-port"); !port.empty()) {
      const uint32_t number = TakeNumber("vxlan-port", port);
      if (number > 0 && number <= UINT16_MAX) vxlan.dstport = static_cast<uint16_t>(number);
    }
    return vxlan;
  }

  Ovs TakeOvs() {
    return {.type = TakeOne("ovs-type"),
            .bridge = TakeOne("ovs-bridge"),
            .ports = TakeLinks("ovs-ports"),
            .slaves = TakeLinks("ovs-bonds")};
  }

  uint32_t TakeNumber(std::string_view name, const std::string& value) {
    const auto number = ParseDecimal(value);
    if (!number) diagnostics_.Error(PlaceOf(name), absl::StrFormat("%s is a number, and not %s", name, Quoted(value)));
    return number.value_or(0);
  }

  Interface& interface_;
  const OptionPlaces& places_;
  Diagnostics& diagnostics_;
};

// The inverse of TypeTaker.
struct TypeOptions {
  const std::string& name;
  Options options;

  static std::string List(const std::set<std::string>& links) { return links.empty() ? "none" : absl::StrJoin(links, " "); }
  void Add(const std::string& option, std::string value) {
    if (!value.empty()) options[option].push_back(std::move(value));
  }

  void operator()(const Loopback& /*loopback*/) {}
  void operator()(const Physical& /*physical*/) {}
  void operator()(const Bridge& bridge) {
    Add("bridge-ports", List(bridge.ports));
    if (bridge.vlan_aware) Add("bridge-vlan-aware", "yes");
  }
  void operator()(const Bond& bond) {
    options = bond.options;
    Add("bond-slaves", List(bond.slaves));
    if (bond.mode != kDefaultBondMode) Add("bond-mode", bond.mode);
  }
  void operator()(const Vlan& vlan) {
    const auto of_name = VlanOfName(name);
    if (!of_name || of_name->parent != vlan.parent) Add("vlan-raw-device", vlan.parent);
    if (!of_name || of_name->tag != vlan.tag) Add("vlan-id", std::to_string(vlan.tag));
  }
  void operator()(const Vxlan& vxlan) {
    Add("vxlan-id", std::to_string(vxlan.id));
    Add("vxlan-local-tunnelip", vxlan.local);
    for (const std::string& remote : vxlan.remotes) Add("vxlan-remoteip", remote);
    if (vxlan.dstport) Add("vxlan-port", std::to_string(*vxlan.dstport));
  }
  void operator()(const Ovs& ovs) {
    Add("ovs-type", ovs.type);
    Add("ovs-bridge", ovs.bridge);
    if (!ovs.ports.empty()) Add("ovs-ports", List(ovs.ports));
    if (!ovs.slaves.empty()) Add("ovs-bonds", List(ovs.slaves));
  }
};

}  // namespace

void TakeLinkType(Interface& interface, const OptionPlaces& places, Diagnostics& diagnostics) {
  interface.type = TypeTaker(interface, places, diagnostics).Take();
}

Options OptionsOfType(const Interface& interface) {
  TypeOptions options{.name = interface.name};
  std::visit(options, interface.type);
  return std::move(options.options);
}

}  // namespace pvebus::network
