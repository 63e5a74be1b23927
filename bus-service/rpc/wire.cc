#include "bus-service/rpc/wire.h"

#include "absl/strings/str_format.h"
#include "bus-service/core/errors.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/unknown_field_set.h"

namespace pvebus::bus {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

// Readers of protobuf refuse what nests more than 100 deep, and an event is nested deeper in a Delivery than in a PublishRequest:
// what is taken from a publisher must not be what no listener can read.
constexpr int kMostNested = 64;
constexpr int kMostNestedAtAll = 1000;

bool Parse(const grpc::Slice& slice, int most_nested, google::protobuf::Message& message) {
  google::protobuf::io::CodedInputStream stream(slice.begin(), static_cast<int>(slice.size()));
  stream.SetRecursionLimit(most_nested);
  return message.ParseFromCodedStream(&stream) && stream.ConsumedEntireMessage();
}

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
bool IsUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto byte = [&text](size_t at) { return static_cast<unsigned char>(text[at]); };
    const unsigned char lead = byte(i);
    const size_t length = lead < 0x80 ? 1 : lead >> 5 == 0x6 ? 2 : lead >> 4 == 0xe ? 3 : lead >> 3 == 0x1e ? 4 : 0;
    if (length == 0 || i + length > text.size()) return false;
    for (size_t k = 1; k < length; ++k) {
      if (byte(i + k) >> 6 != 0x2) return false;
    }
    if (length == 2 && lead < 0xc2) return false;
    if (length == 3 && ((lead == 0xe0 && byte(i + 1) < 0xa0) || (lead == 0xed && byte(i + 1) > 0x9f))) return false;
    if (length == 4 && ((lead == 0xf0 && byte(i + 1) < 0x90) || lead > 0xf4 || (lead == 0xf4 && byte(i + 1) > 0x8f)))
      return false;
    i += length;
  }
  return true;
}

std::string FindInvalidUtf8(const Descriptor& type, const UnknownFieldSet& fields) {
  for (int i = 0; i < fields.field_count(); ++i) {
    const UnknownField& field = fields.field(i);
    const FieldDescriptor* known = type.FindFieldByNumber(field.number());
    if (!known || field.type() != UnknownField::TYPE_LENGTH_DELIMITED) continue;
    if (known->type() == FieldDescriptor::TYPE_STRING && !IsUtf8(field.length_delimited())) return std::string(known->name());
    if (known->type() == FieldDescriptor::TYPE_MESSAGE) {
      UnknownFieldSet inner;
      if (!inner.ParseFromString(field.length_delimited())) continue;
      if (std::string found = FindInvalidUtf8(*known->message_type(), inner); !found.empty()) return known->name() + "." + found;
    }
  }
  return {};
}

}  // namespace

std::string FindInvalidUtf8(const Descriptor& type, std::string_view bytes) {
  UnknownFieldSet fields;
  if (!fields.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return {};
  return FindInvalidUtf8(type, fields);
}

absl::Status ParseMessage(const grpc::ByteBuffer& bytes, google::protobuf::Message& message) {
  message.Clear();
  if (bytes.Length() == 0) return absl::OkStatus();
  grpc::Slice slice;
  if (!bytes.TrySingleSlice(&slice).ok() && !bytes.DumpToSingleSlice(&slice).ok()) return RequestMalformed("it cannot be read");
  if (Parse(slice, kMostNested, message)) return absl::OkStatus();
  const std::string field =
      FindInvalidUtf8(*message.GetDescriptor(), {reinterpret_cast<const char*>(slice.begin()), slice.size()});
  if (!field.empty()) return RequestMalformed(absl::StrFormat("%s is not valid UTF-8", field));
  if (Parse(slice, kMostNestedAtAll, message))
    return RequestMalformed(absl::StrFormat("its messages nest more than %d deep", kMostNested));
  return RequestMalformed(absl::StrFormat("%d bytes that are no %s", slice.size(), message.GetDescriptor()->full_name()));
}

grpc::ByteBuffer SerializeMessage(const google::protobuf::MessageLite& message) {
  const size_t size = message.ByteSizeLong();
  grpc::Slice slice(size);
  message.SerializeWithCachedSizesToArray(const_cast<uint8_t*>(slice.begin()));
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace pvebus::bus
