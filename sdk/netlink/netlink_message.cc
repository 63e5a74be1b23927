#include "sdk/netlink/netlink_message.h"

#include <cstdlib>
#include <cstring>

namespace pvebus {

NetlinkMessage::NetlinkMessage(int type, int flags) : message_(nlmsg_alloc_simple(type, flags)) {
  if (message_ == nullptr) std::abort();  // no memory
}

void NetlinkMessage::Check(int result) {
  if (result < 0) std::abort();
}

void NetlinkMessage::Put(int attribute, const IpAddress& address) {
  PutBytes(attribute, address.bytes.data(), address.bits() / 8);
}

void NetlinkMessage::Nest(int attribute, const std::function<void()>& put_inner) {
  nlattr* nest = nla_nest_start(message_.get(), attribute);
  if (nest == nullptr) std::abort();
  put_inner();
  nla_nest_end(message_.get(), nest);
}

NetlinkAttributes::NetlinkAttributes(nlmsghdr* message, int header_bytes)
    : first_(nlmsg_attrdata(message, header_bytes)), length_(nlmsg_attrlen(message, header_bytes)) {}

NetlinkAttributes::NetlinkAttributes(const nlattr* nest)
    : first_(nest == nullptr ? nullptr : static_cast<const nlattr*>(nla_data(nest))),
      length_(nest == nullptr ? 0 : nla_len(nest)) {}

const nlattr* NetlinkAttributes::Find(int type) const { return length_ > 0 ? nla_find(first_, length_, type) : nullptr; }

std::optional<uint32_t> NetlinkAttributes::Number(int type) const {
  const nlattr* found = Find(type);
  if (found == nullptr) return std::nullopt;
  switch (nla_len(found)) {
    case 1:
      return nla_get_u8(found);
    case 2:
      return nla_get_u16(found);
    case 4:
      return nla_get_u32(found);
    default:
      return std::nullopt;
  }
}

std::string NetlinkAttributes::Text(int type) const {
  const nlattr* found = Find(type);
  if (found == nullptr) return {};
  const auto* text = static_cast<const char*>(nla_data(found));
  return {text, strnlen(text, static_cast<size_t>(nla_len(found)))};
}

std::optional<IpAddress> NetlinkAttributes::Address(int type) const {
  const nlattr* found = Find(type);
  return found == nullptr ? std::nullopt : AddressOfBytes(nla_data(found), nla_len(found));
}

void NetlinkAttributes::ForEach(const std::function<void(const nlattr&)>& visit) const {
  int left = length_;
  for (const nlattr* at = first_; left > 0 && nla_ok(at, left); at = nla_next(at, &left)) visit(*at);
}

std::optional<IpAddress> AddressOfBytes(const void* bytes, int length) {
  if (length != 4 && length != 16) return std::nullopt;
  IpAddress address;
  address.v6 = length == 16;
  std::memcpy(address.bytes.data(), bytes, static_cast<size_t>(length));
  return address;
}

}  // namespace pvebus
