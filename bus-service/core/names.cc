#include "bus-service/core/names.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_format.h"
#include "bus-service/core/errors.h"
#include "sdk/base/error.h"
#include "sdk/base/utf8.h"

namespace pvebus::bus {
namespace {

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsLetter(char c) { return IsLower(c) || (c >= 'A' && c <= 'Z'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsMadeOf(std::string_view text, size_t most, std::string_view others) {
  return !text.empty() && text.size() <= most && std::all_of(text.begin(), text.end(), [others](char c) {
    return IsLetter(c) || IsDigit(c) || others.find(c) != std::string_view::npos;
  });
}

}  // namespace

absl::Status CheckName(std::string_view field, std::string_view name) {
  const bool valid = !name.empty() && name.size() <= 63 && IsLower(name[0]) &&
                     std::all_of(name.begin(), name.end(), [](char c) { return IsLower(c) || IsDigit(c) || c == '-'; });
  return valid ? absl::OkStatus() : NameInvalid(field, name);
}

absl::Status CheckEventId(std::string_view field, std::string_view id) {
  return IsMadeOf(id, 128, "._:-") ? absl::OkStatus() : IdInvalid(field, id, "1..128 characters of [A-Za-z0-9._:-]");
}

absl::Status CheckRequestId(std::string_view field, std::string_view id) {
  return IsMadeOf(id, 128, "._:/-") ? absl::OkStatus() : IdInvalid(field, id, "1..128 characters of [A-Za-z0-9._:/-]");
}

absl::Status CheckCustomName(std::string_view field, std::string_view name) {
  if (IsMadeOf(name, 128, "._-")) return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kInvalidArgument, "NAME_INVALID",
      absl::StrFormat("%s \"%s\" is invalid: must be 1..128 characters of [A-Za-z0-9._-]", field, CleanUtf8(name, 80)),
      {{"field", std::string(field)}});
}

absl::Status CheckContainerId(std::string_view field, uint32_t id) {
  return id >= 100 && id <= 999'999'999 ? absl::OkStatus() : IdInvalid(field, std::to_string(id), "a vmid, 100..999999999");
}

absl::Status CheckStorageId(std::string_view field, std::string_view id) {
  const bool valid =
      id.size() >= 2 && IsMadeOf(id, 100, "-_.") && IsLetter(id.front()) && (IsLetter(id.back()) || IsDigit(id.back()));
  return valid ? absl::OkStatus()
               : IdInvalid(field, id,
                           "2..100 characters, a letter first, then letters, digits, '-', '_', '.', a letter or digit last");
}

absl::Status CheckLength(std::string_view field, std::string_view text, size_t most) {
  return text.size() <= most ? absl::OkStatus()
                             : FieldInvalid(field, absl::StrFormat("has %d bytes, the limit is %d", text.size(), most));
}

}  // namespace pvebus::bus
