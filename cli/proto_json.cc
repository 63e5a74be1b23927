#include "cli/proto_json.h"

#include "google/protobuf/util/json_util.h"

namespace pvebus::cli {

std::string ToJson(const google::protobuf::Message& message, JsonLayout layout) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = layout == JsonLayout::kPretty;
  options.add_whitespace = layout == JsonLayout::kPretty;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  // Only a number that JSON has no word for (NaN, infinity) gets here.
  if (!status.ok()) json = "{\"error\":\"" + std::string(message.GetTypeName()) + " cannot be written as JSON\"}";
  if (json.empty() || json.back() != '\n') json += '\n';
  return json;
}

}  // namespace pvebus::cli
