#pragma once

#include <netlink/attr.h>
#include <netlink/msg.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "sdk/base/ip_address.h"

namespace pvebus {

// A message to the kernel that is being put together: the header of its family, then attributes. One thread.
class NetlinkMessage {
 public:
  template <typename Header>
  NetlinkMessage(int type, int flags, const Header& header) : NetlinkMessage(type, flags) {
    Header copy = header;
    Check(nlmsg_append(message_.get(), &copy, sizeof(copy), NLMSG_ALIGNTO));
  }

  void Put(int attribute, uint16_t value) { Check(nla_put_u16(message_.get(), attribute, value)); }
  void Put(int attribute, uint32_t value) { Check(nla_put_u32(message_.get(), attribute, value)); }
  void Put(int attribute, const std::string& text) { Check(nla_put_string(message_.get(), attribute, text.c_str())); }
  void Put(int attribute, const IpAddress& address);
  void PutBytes(int attribute, const void* data, int length) { Check(nla_put(message_.get(), attribute, length, data)); }
  void Nest(int attribute, const std::function<void()>& put_inner);

  nl_msg* get() { return message_.get(); }

 private:
  NetlinkMessage(int type, int flags);
  // A message has room for a page, ours are a tenth of that.
  static void Check(int result);

  struct Free {
    void operator()(nl_msg* message) const { nlmsg_free(message); }
  };
  std::unique_ptr<nl_msg, Free> message_;
};

// The attributes of a message from the kernel, or of a nested attribute, by type. What is missing or too short reads as nothing.
// Valid as long as the message.
class NetlinkAttributes {
 public:
  // Requires: `header_bytes` is the length of the family's header, and the message has it.
  NetlinkAttributes(nlmsghdr* message, int header_bytes);
  explicit NetlinkAttributes(const nlattr* nest);
  // A run of attributes that begins somewhere else.
  NetlinkAttributes(const nlattr* first, int length) : first_(first), length_(length) {}

  // Null when there is none.
  const nlattr* Find(int type) const;
  bool Has(int type) const { return Find(type) != nullptr; }
  std::optional<uint32_t> Number(int type) const;  // of 1, 2 or 4 bytes
  std::string Text(int type) const;
  std::optional<IpAddress> Address(int type) const;  // its length tells the family
  NetlinkAttributes Nested(int type) const { return NetlinkAttributes(Find(type)); }
  void ForEach(const std::function<void(const nlattr&)>& visit) const;

 private:
  const nlattr* first_;
  int length_;
};

// `length` is 4 or 16, else there is none.
std::optional<IpAddress> AddressOfBytes(const void* bytes, int length);

}  // namespace pvebus
