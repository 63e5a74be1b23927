#include "storage-service/host/network/nft_rules.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "sdk/base/error.h"

namespace pvebus::storage {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kHooks[] = {"output", "forward"};

// An identifier of nft begins with a letter and has no hyphens; "to_a_2db" is unlike any other link's, as an underscore is
// written so too.
std::string ChainOf(std::string_view link) {
  std::string chain = "to_";
  for (const char c : link) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.') {
      chain.push_back(c);
    } else {
      absl::StrAppendFormat(&chain, "_%02x", static_cast<unsigned char>(c));
    }
  }
  return chain;
}

// The object that `path` leads to; null where it ends.
const Json& At(const Json& json, std::initializer_list<const char*> path) {
  static const Json kNull;
  const Json* at = &json;
  for (const char* key : path) {
    const auto it = at->is_object() ? at->find(key) : at->end();
    if (it == at->end()) return kNull;
    at = &*it;
  }
  return *at;
}

std::string TextAt(const Json& json, std::initializer_list<const char*> path) {
  const Json& text = At(json, path);
  return text.is_string() ? text.get<std::string>() : "";
}

// Of a rule that compares the destination: "10.1.0.5" or {"prefix": {"addr": "10.1.0.0", "len": 24}}.
std::optional<IpPrefix> DestinationOf(const Json& match) {
  if (TextAt(match, {"op"}) != "==" || TextAt(match, {"left", "payload", "field"}) != "daddr") return std::nullopt;
  const Json& right = At(match, {"right"});
  const auto address = ParseIpAddress(right.is_string() ? right.get<std::string>() : TextAt(right, {"prefix", "addr"}));
  const Json& length = At(right, {"prefix", "len"});
  if (!address || (!right.is_string() && !length.is_number_integer())) return std::nullopt;
  return IpPrefix{*address, right.is_string() ? address->bits() : length.get<int>()};
}

bool AsksLinks(const Json& statement) {
  return TextAt(statement, {"vmap", "key", "meta", "key"}) == "oifname" && TextAt(statement, {"vmap", "data"}) == "@links";
}

bool Is(const Json& statement, const char* verdict) { return statement.is_object() && statement.contains(verdict); }

}  // namespace

bool IsNftLinkName(std::string_view link) {
  constexpr size_t kLongest = 15;
  return !link.empty() && link.size() <= kLongest && std::all_of(link.begin(), link.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
  });
}

std::string NftIsolate(std::string_view link, const std::vector<IpPrefix>& subnets) {
  const std::string chain = ChainOf(link);
  std::string text = absl::StrFormat("add table %s\nadd map %s links { type ifname : verdict; }\n", kNftTable, kNftTable);
  for (const std::string_view hook : kHooks) {
    absl::StrAppendFormat(&text, "add chain %s %s { type filter hook %s priority filter; policy accept; }\n", kNftTable, hook,
                          hook);
    absl::StrAppendFormat(&text, "flush chain %s %s\nadd rule %s %s oifname vmap @links\n", kNftTable, hook, kNftTable, hook);
  }
  absl::StrAppendFormat(&text, "add chain %s %s\nflush chain %s %s\n", kNftTable, chain, kNftTable, chain);
  absl::StrAppendFormat(
      &text,
      "add rule %s %s icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, "
      "mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report } accept\n",
      kNftTable, chain);
  for (const IpPrefix& subnet : subnets) {
    absl::StrAppendFormat(&text, "add rule %s %s %s daddr %s accept\n", kNftTable, chain, subnet.address.v6 ? "ip6" : "ip",
                          subnet.ToString());
  }
  absl::StrAppendFormat(&text, "add rule %s %s drop\n", kNftTable, chain);
  absl::StrAppendFormat(&text, "add element %s links { \"%s\" : jump %s }\n", kNftTable, link, chain);
  return text;
}

absl::StatusOr<NftTable> NftTable::Parse(const std::string& json) {
  const Json parsed = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  const Json& objects = At(parsed, {"nftables"});
  if (!objects.is_array()) return MakeError(absl::StatusCode::kInternal, "NFT_UNREADABLE", "nftables lists what is no JSON");
  NftTable table;
  for (const Json& object : objects) {
    if (const Json& chain = At(object, {"chain"}); !chain.is_null()) {
      table.chains_.push_back({.name = TextAt(chain, {"name"}), .hook = TextAt(chain, {"hook"})});
    }
    for (const Json& element : At(object, {"map", "elem"})) {
      if (element.is_array() && element.size() == 2 && element[0].is_string())
        table.links_.push_back(element[0].get<std::string>());
    }
  }
  for (const Json& object : objects) {
    const std::string name = TextAt(object, {"rule", "chain"});
    const auto chain = std::find_if(table.chains_.begin(), table.chains_.end(), [&](const Chain& c) { return c.name == name; });
    const Json& statements = At(object, {"rule", "expr"});
    if (chain == table.chains_.end() || !statements.is_array()) continue;
    if (statements.size() == 1 && AsksLinks(statements[0])) chain->asks_links = true;
    if (statements.size() == 1 && Is(statements[0], "drop")) chain->drops = true;
    if (statements.size() != 2 || !Is(statements[1], "accept")) continue;
    if (const auto subnet = DestinationOf(At(statements[0], {"match"}))) chain->accepted.push_back(*subnet);
  }
  return table;
}

const NftTable::Chain* NftTable::Find(std::string_view name) const {
  const auto it = std::find_if(chains_.begin(), chains_.end(), [&](const Chain& chain) { return chain.name == name; });
  return it == chains_.end() ? nullptr : &*it;
}

bool NftTable::Hooked(std::string_view hook) const {
  const Chain* chain = Find(hook);
  return chain != nullptr && chain->hook == hook && chain->asks_links;
}

bool NftTable::HasLink(std::string_view link) const { return std::find(links_.begin(), links_.end(), link) != links_.end(); }

std::optional<std::vector<IpPrefix>> NftTable::SubnetsOf(std::string_view link) const {
  const Chain* chain = Find(ChainOf(link));
  if (chain == nullptr || !chain->drops || !HasLink(link)) return std::nullopt;
  if (!std::all_of(std::begin(kHooks), std::end(kHooks), [&](std::string_view hook) { return Hooked(hook); }))
    return std::nullopt;
  std::vector<IpPrefix> subnets = chain->accepted;
  std::sort(subnets.begin(), subnets.end());
  return subnets;
}

std::string NftTable::Release(std::string_view link) const {
  const std::string chain = ChainOf(link);
  const bool has_link = HasLink(link);
  if (links_.size() == (has_link ? 1 : 0)) return absl::StrFormat("delete table %s\n", kNftTable);
  std::string text;
  if (has_link) absl::StrAppendFormat(&text, "delete element %s links { \"%s\" }\n", kNftTable, link);
  if (Find(chain) != nullptr) {
    absl::StrAppendFormat(&text, "flush chain %s %s\ndelete chain %s %s\n", kNftTable, chain, kNftTable, chain);
  }
  return text;
}

}  // namespace pvebus::storage
