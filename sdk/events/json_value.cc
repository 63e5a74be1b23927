#include "sdk/events/json_value.h"

#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "sdk/base/error.h"

namespace pvebus::events {
namespace {

using nlohmann::json;

// Protobuf refuses to read messages nested deeper than 100; a level of JSON takes three, and the event itself sits up to seven
// deep in the bus's messages. An event over that could be published and would then kill the stream of every listener.
constexpr int kMaxDepth = 24;

// Integers up to here, and larger ones that happen to be representable, pass through a double unchanged.
constexpr double kTwoTo63 = 9223372036854775808.0;
constexpr double kTwoTo64 = 18446744073709551616.0;

bool SurvivesAsDouble(const json& number) {
  if (number.is_number_float()) return std::isfinite(number.get<double>());
  const double value = number.get<double>();
  if (number.is_number_unsigned()) return value < kTwoTo64 && static_cast<uint64_t>(value) == number.get<uint64_t>();
  return value >= -kTwoTo63 && value < kTwoTo63 && static_cast<int64_t>(value) == number.get<int64_t>();
}

json JsonFromNumber(double number) {
  const bool integral = std::trunc(number) == number && !(number == 0 && std::signbit(number));
  if (integral && number >= -kTwoTo63 && number < kTwoTo63) return static_cast<int64_t>(number);
  if (integral && number >= kTwoTo63 && number < kTwoTo64) return static_cast<uint64_t>(number);
  return number;
}

// Builds the tree from the library's events, and notices on the way what the library itself would drop: repeated keys, and
// integers that it turns into doubles because they have no room in 64 bits.
class TreeBuilder {
 public:
  json& tree() { return tree_; }
  const std::string& error() const { return error_; }

  // The library's interface.
  bool null() { return Put(nullptr); }
  bool boolean(bool value) { return Put(value); }
  bool number_integer(json::number_integer_t value) { return Put(value); }
  bool number_unsigned(json::number_unsigned_t value) { return Put(value); }
  bool number_float(json::number_float_t value, const std::string& text) {
    if (text.find_first_of(".eE") != std::string::npos) return Put(value);
    return Fail(absl::StrFormat("%s%s %s", key_, key_.empty() ? "" : ":", NotExact(text)));
  }
  bool string(std::string& value) { return Put(std::move(value)); }
  bool binary(json::binary_t&) { return Fail("not JSON"); }
  bool start_object(size_t) { return Open(json::object()); }
  bool start_array(size_t) { return Open(json::array()); }
  bool end_object() { return Close(); }
  bool end_array() { return Close(); }
  bool key(std::string& key) {
    key_ = key;
    return open_.back()->contains(key) ? Fail(absl::StrFormat("the key '%s' is there twice", key)) : true;
  }
  bool parse_error(size_t, const std::string&, const json::exception& error) {
    const std::string_view what = error.what();
    const size_t prefix = what.find("] ");
    return Fail(absl::StrFormat("not JSON: %s", prefix == std::string_view::npos ? what : what.substr(prefix + 2)));
  }

  static std::string NotExact(std::string_view number) {
    return absl::StrFormat("%s cannot be carried exactly (numbers are IEEE doubles); send it as a string", number);
  }

 private:
  json& Place(json value) {
    if (open_.empty()) return tree_ = std::move(value);
    json& parent = *open_.back();
    if (parent.is_object()) return parent[key_] = std::move(value);
    parent.push_back(std::move(value));
    return parent.back();
  }
  bool Put(json value) {
    Place(std::move(value));
    return true;
  }
  bool Open(json value) {
    open_.push_back(&Place(std::move(value)));
    return true;
  }
  bool Close() {
    open_.pop_back();
    return true;
  }
  bool Fail(std::string error) {
    error_ = std::move(error);
    return false;
  }

  json tree_;
  std::vector<json*> open_;  // a parent does not move while a child of it is open
  std::string key_;
  std::string error_;
};

absl::Status Convert(const json& from, std::string_view path, int depth, google::protobuf::Value& to);

absl::Status ConvertObject(const json& from, std::string_view path, int depth, google::protobuf::Struct& to) {
  for (const auto& [key, value] : from.items()) {
    absl::Status status = Convert(value, absl::StrFormat("%s.%s", path, key), depth, (*to.mutable_fields())[key]);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ConvertList(const json& from, std::string_view path, int depth, google::protobuf::ListValue& to) {
  for (size_t i = 0; i < from.size(); ++i) {
    absl::Status status = Convert(from[i], absl::StrFormat("%s[%d]", path, i), depth, *to.add_values());
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Convert(const json& from, std::string_view path, int depth, google::protobuf::Value& to) {
  if (depth > kMaxDepth) return JsonError(absl::StrFormat("%s: nested deeper than %d levels", path, kMaxDepth));
  switch (from.type()) {
    case json::value_t::boolean:
      to.set_bool_value(from.get<bool>());
      return absl::OkStatus();
    case json::value_t::string:
      to.set_string_value(from.get<std::string>());
      return absl::OkStatus();
    case json::value_t::number_integer:
    case json::value_t::number_unsigned:
    case json::value_t::number_float:
      if (!SurvivesAsDouble(from)) {
        return JsonError(absl::StrFormat("%s: %s cannot be carried exactly (numbers are IEEE doubles); send it as a string", path,
                                         from.dump()));
      }
      to.set_number_value(from.get<double>());
      return absl::OkStatus();
    case json::value_t::object:
      return ConvertObject(from, path, depth + 1, *to.mutable_struct_value());
    case json::value_t::array:
      return ConvertList(from, path, depth + 1, *to.mutable_list_value());
    default:
      to.set_null_value(google::protobuf::NULL_VALUE);
      return absl::OkStatus();
  }
}

}  // namespace

absl::Status JsonError(std::string_view message) {
  return MakeError(absl::StatusCode::kInvalidArgument, "EVENT_JSON_INVALID", message);
}

absl::StatusOr<json> ParseJson(std::string_view text) {
  TreeBuilder builder;
  if (!json::sax_parse(text.begin(), text.end(), &builder)) return JsonError(builder.error());
  return std::move(builder.tree());
}

absl::StatusOr<google::protobuf::Value> ValueFromJson(const json& from, std::string_view path) {
  google::protobuf::Value value;
  absl::Status status = Convert(from, path, 0, value);
  if (!status.ok()) return status;
  return value;
}

absl::StatusOr<google::protobuf::Struct> StructFromJson(const json& from, std::string_view path) {
  if (!from.is_object()) return JsonError(absl::StrFormat("%s: found %s, expected an object", path, Found(from)));
  google::protobuf::Struct result;
  absl::Status status = ConvertObject(from, path, 1, result);
  if (!status.ok()) return status;
  return result;
}

json JsonFromValue(const google::protobuf::Value& value) {
  switch (value.kind_case()) {
    case google::protobuf::Value::kBoolValue:
      return value.bool_value();
    case google::protobuf::Value::kStringValue:
      return value.string_value();
    case google::protobuf::Value::kNumberValue:
      return JsonFromNumber(value.number_value());
    case google::protobuf::Value::kStructValue: {
      json object = json::object();
      for (const auto& [key, field] : value.struct_value().fields()) object[key] = JsonFromValue(field);
      return object;
    }
    case google::protobuf::Value::kListValue: {
      json list = json::array();
      for (const auto& item : value.list_value().values()) list.push_back(JsonFromValue(item));
      return list;
    }
    default:
      return nullptr;
  }
}

std::string Found(const json& from) {
  constexpr size_t kMaxShown = 40;
  if (from.is_null()) return "null";
  if (from.is_object()) return "an object";
  if (from.is_array()) return "a list";
  const std::string text = from.dump(-1, ' ', false, json::error_handler_t::replace);
  return absl::StrFormat("the %s %s", from.type_name(), text.size() > kMaxShown ? text.substr(0, kMaxShown) + "..." : text);
}

}  // namespace pvebus::events
