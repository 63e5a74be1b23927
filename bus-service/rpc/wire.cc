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

// 16 MiB may hold 8 million empty messages, which would cost 100 times as much in memory.
constexpr int kLongBytes = 64 * 1024;
constexpr size_t kMostFields = 500'000;

// False when a message and those in it have more fields than `left`. What is malformed is left to the parser.
bool HasFewFields(const Descriptor& type, google::protobuf::io::CodedInputStream& stream, int depth, size_t& left) {
  while (const uint32_t tag = stream.ReadTag()) {
    if (left-- == 0) return false;
    uint64_t value = 0;
    switch (tag & 7) {
      case 0:
        if (!stream.ReadVarint64(&value)) return true;
        break;
      case 1:
      case 5:
        if (!stream.Skip((tag & 7) == 1 ? 8 : 4)) return true;
        break;
      case 2: {
        int length = 0;
        if (!stream.ReadVarintSizeAsInt(&length)) return true;
        const FieldDescriptor* field = type.FindFieldByNumber(static_cast<int>(tag >> 3));
        if (!field || !field->message_type() || depth == kMostNested) {
          if (!stream.Skip(length)) return true;
          break;
        }
        const auto limit = stream.PushLimit(length);
        if (!HasFewFields(*field->message_type(), stream, depth + 1, left)) return false;
        if (stream.BytesUntilLimit() > 0 && !stream.Skip(stream.BytesUntilLimit())) return true;
        stream.PopLimit(limit);
        break;
      }
      default:  // a group's fields are counted as they come
        break;
    }
  }
  return true;
}

bool HasFewFields(const Descriptor& type, const grpc::Slice& slice) {
  google::protobuf::io::CodedInputStream stream(slice.begin(), static_cast<int>(slice.size()));
  size_t left = kMostFields;
  return HasFewFields(type, stream, 0, left);
}

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
  if (slice.size() > kLongBytes && !HasFewFields(*message.GetDescriptor(), slice)) {
    return RequestMalformed(absl::StrFormat("it has more than %d fields", kMostFields));
  }
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
