#include "bus-service/rpc/wire.h"

#include "absl/strings/str_format.h"
#include "bus-service/core/errors.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/coded_stream.h"
#include "sdk/base/utf8.h"

namespace pvebus::bus {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::io::CodedInputStream;

// Readers of protobuf refuse what nests more than 100 deep, and an event is nested deeper in a Delivery than in a PublishRequest:
// what is taken from a publisher must not be what no listener can read.
constexpr int kMostNested = 64;
constexpr int kMostNestedAtAll = 1000;

// 16 MiB may hold 8 million empty messages, which would cost 100 times as much in memory.
constexpr size_t kMostFields = 500'000;
constexpr size_t kFewBytes = 2 * kMostFields;  // cannot hold more fields than that

// False when a message and those in it have more fields than `left`. What is malformed is left to the parser.
bool HasFewFields(const Descriptor& type, CodedInputStream& stream, int depth, size_t& left) {
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
  CodedInputStream stream(slice.begin(), static_cast<int>(slice.size()));
  size_t left = kMostFields;
  return HasFewFields(type, stream, 0, left);
}

bool Parse(const grpc::Slice& slice, int most_nested, google::protobuf::Message& message) {
  CodedInputStream stream(slice.begin(), static_cast<int>(slice.size()));
  stream.SetRecursionLimit(most_nested);
  return message.ParseFromCodedStream(&stream) && stream.ConsumedEntireMessage();
}

bool IsUtf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const size_t length = Utf8Length(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

// Looks into nothing that nests too deep, and copies one string at a time: a stranger decides what is in the bytes.
std::string FindInvalidUtf8(const Descriptor& type, CodedInputStream& stream, int depth) {
  while (const uint32_t tag = stream.ReadTag()) {
    const FieldDescriptor* field = type.FindFieldByNumber(static_cast<int>(tag >> 3));
    uint64_t value = 0;
    int length = 0;
    switch (tag & 7) {
      case 0:
        if (!stream.ReadVarint64(&value)) return {};
        break;
      case 1:
      case 5:
        if (!stream.Skip((tag & 7) == 1 ? 8 : 4)) return {};
        break;
      case 2:
        if (!stream.ReadVarintSizeAsInt(&length)) return {};
        if (field && field->type() == FieldDescriptor::TYPE_STRING) {
          std::string text;
          if (!stream.ReadString(&text, length)) return {};
          if (!IsUtf8(text)) return field->name();
        } else if (field && field->message_type() && depth < kMostNested) {
          const auto limit = stream.PushLimit(length);
          if (std::string found = FindInvalidUtf8(*field->message_type(), stream, depth + 1); !found.empty()) {
            return field->name() + "." + found;
          }
          if (stream.BytesUntilLimit() > 0 && !stream.Skip(stream.BytesUntilLimit())) return {};
          stream.PopLimit(limit);
        } else if (!stream.Skip(length)) {
          return {};
        }
        break;
      default:  // a group: nothing of ours
        return {};
    }
  }
  return {};
}

}  // namespace

std::string FindInvalidUtf8(const Descriptor& type, std::string_view bytes) {
  CodedInputStream stream(reinterpret_cast<const uint8_t*>(bytes.data()), static_cast<int>(bytes.size()));
  return FindInvalidUtf8(type, stream, 0);
}

absl::Status ParseMessage(const grpc::ByteBuffer& bytes, google::protobuf::Message& message) {
  message.Clear();
  if (bytes.Length() == 0) return absl::OkStatus();
  grpc::Slice slice;
  if (!bytes.TrySingleSlice(&slice).ok() && !bytes.DumpToSingleSlice(&slice).ok()) return RequestMalformed("it cannot be read");
  if (slice.size() > kFewBytes && !HasFewFields(*message.GetDescriptor(), slice)) {
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
