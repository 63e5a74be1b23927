#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "sdk/base/ip_address.h"

namespace pvebus::storage {

// How our table of nftables reads, and the commands that change it. Each command text is one transaction. Pure.
//
//   table inet pvebus_storage {
//     map links { type ifname : verdict; elements = { "vmbr0.100" : jump to_vmbr0.100 } }
//     chain output  { type filter hook output  priority filter; policy accept; oifname vmap @links }
//     chain forward { type filter hook forward priority filter; policy accept; oifname vmap @links }
//     chain to_vmbr0.100 {
//       icmpv6 type { ... } accept      neighbours, without which IPv6 reaches nothing
//       ip daddr 10.1.0.0/24 accept
//       drop
//     }
//   }
//
// What leaves by the link is judged, what comes in by it is not: an answer to a stranger leaves by it. Rules and no set, which
// would merge neighbouring subnets and so read otherwise than it was written.
inline constexpr std::string_view kNftTable = "inet pvebus_storage";

// What nft can be told between quotes without a second meaning (no wildcard, no quote). The kernel allows more.
bool IsNftLinkName(std::string_view link);

// Requires, for all: IsNftLinkName(link).
std::string NftIsolate(std::string_view link, const std::vector<IpPrefix>& subnets);

// The table as it is, from `list table` with JSON.
class NftTable {
 public:
  // INTERNAL when it does not read.
  static absl::StatusOr<NftTable> Parse(const std::string& json);

  // The subnets that may be reached through the link, sorted; nothing when it is not isolated, or only half.
  std::optional<std::vector<IpPrefix>> SubnetsOf(std::string_view link) const;
  // What takes the link away, and the table with the last one; empty when there is nothing to do.
  std::string Release(std::string_view link) const;

 private:
  struct Chain {
    std::string name;
    std::string hook;
    bool asks_links = false;  // it judges by the map of links
    bool drops = false;       // what no rule accepted
    std::vector<IpPrefix> accepted;
  };
  const Chain* Find(std::string_view name) const;
  bool Hooked(std::string_view hook) const;
  bool HasLink(std::string_view link) const;

  std::vector<Chain> chains_;
  std::vector<std::string> links_;  // of the map
};

}  // namespace pvebus::storage
