#include "storage-service/rpc/interface_changes.h"

#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/str_format.h"

namespace pvebus::storage {
namespace {

using google::protobuf::Struct;
using google::protobuf::Value;

// Null when there is none.
const Value* Find(const Struct& object, const std::string& field) {
  const auto found = object.fields().find(field);
  return found == object.fields().end() ? nullptr : &found->second;
}

// Empty when it is no text.
std::string TextOf(const Struct& object, const std::string& field) {
  const Value* value = Find(object, field);
  return value == nullptr ? std::string() : value->string_value();
}

// Nothing when it is no length of a prefix.
std::optional<int> PrefixLengthOf(const Struct& object) {
  const Value* value = Find(object, "prefix_len");
  if (value == nullptr || value->kind_case() != Value::kNumberValue) return std::nullopt;
  const double length = value->number_value();
  if (!(length >= 0 && length <= 128)) return std::nullopt;
  return static_cast<int>(length);
}

// {"addr": "10.0.0.1", "prefix_len": 24} or "10.0.0.1/24".
std::optional<IpPrefix> AddressOf(const Value& value) {
  if (value.kind_case() == Value::kStringValue) return ParseIpPrefix(value.string_value());
  const std::string address = TextOf(value.struct_value(), "addr");
  const std::optional<int> length = PrefixLengthOf(value.struct_value());
  return ParseIpPrefix(length ? absl::StrFormat("%s/%d", address, *length) : address);
}

class ChangeReader {
 public:
  explicit ChangeReader(const std::string& target) { change_.target = target; }

  void Read(const Value& config) {
    const Struct& interface = config.struct_value();
    Relate(TextOf(interface, "name"));
    if (const Value* type = Find(interface, "iface_type")) ReadType(type->struct_value());
    if (const Value* addresses = Find(interface, "addresses")) {
      for (const Value& address : addresses->list_value().values()) AddAddress(AddressOf(address));
    }
    change_.gateway |= !TextOf(interface, "gateway").empty() || !TextOf(interface, "gateway6").empty();
  }
  InterfaceChange Take() { return std::move(change_); }

 private:
  // {"Bridge": {"ports": [...]}}, {"Bond": {"slaves": [...]}}, {"Vlan": {"parent": "..."}}: whatever the type is called.
  void ReadType(const Struct& tagged) {
    for (const auto& [kind, content] : tagged.fields()) {
      const Struct& type = content.struct_value();
      for (const char* list : {"ports", "slaves"}) {
        if (const Value* names = Find(type, list)) {
          for (const Value& name : names->list_value().values()) Relate(name.string_value());
        }
      }
      Relate(TextOf(type, "parent"));
    }
  }

  void Relate(const std::string& interface) {
    const auto& related = change_.related;
    if (interface.empty() || interface == change_.target) return;
    if (std::find(related.begin(), related.end(), interface) == related.end()) change_.related.push_back(interface);
  }

  void AddAddress(const std::optional<IpPrefix>& address) {
    const auto& addresses = change_.addresses;
    if (!address) return;
    if (std::find(addresses.begin(), addresses.end(), *address) == addresses.end()) change_.addresses.push_back(*address);
  }

  InterfaceChange change_;
};

}  // namespace

std::vector<InterfaceChange> InterfaceChangesOf(const event::v1::NetworkApplied& applied) {
  std::vector<InterfaceChange> changes;
  for (const event::v1::ConfigChange& change : applied.changes()) {
    ChangeReader reader(change.target());
    reader.Read(change.old_config());
    reader.Read(change.new_config());
    changes.push_back(reader.Take());
  }
  return changes;
}

}  // namespace pvebus::storage
