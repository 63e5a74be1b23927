#include "storage-service/core/storage_values.h"

#include <algorithm>
#include <charconv>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "sdk/base/ip_address.h"
#include "sdk/base/utf8.h"
#include "storage-service/core/section_file.h"
#include "storage-service/core/storage_addresses.h"

namespace pvebus::storage {
namespace {

using Words = std::vector<std::string>;

constexpr size_t kLongestQuote = 60;
constexpr size_t kFingerprintLength = 32 * 3 - 1;

bool IsAlphanumeric(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)); }
bool IsLetter(char c) { return absl::ascii_isalpha(static_cast<unsigned char>(c)); }

// Letters, digits and `others`.
bool ConsistsOf(std::string_view text, std::string_view others) {
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return IsAlphanumeric(c) || others.find(c) != std::string_view::npos; });
}

bool Contains(const Words& words, std::string_view word) { return std::find(words.begin(), words.end(), word) != words.end(); }

std::string OneOf(std::string_view value, const Words& allowed) {
  return Contains(allowed, value) ? "" : absl::StrFormat("%s is none of: %s", Quoted(value), absl::StrJoin(allowed, ", "));
}

// In a number, decimal and not negative unless it is -1.
std::optional<int64_t> ParseNumber(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string NumberFrom(int64_t least, std::string_view value) {
  const auto number = ParseNumber(value);
  return number && *number >= least ? "" : absl::StrFormat("%s is no whole number of at least %d", Quoted(value), least);
}

bool IsPath(std::string_view text) {
  constexpr std::string_view kShellCharacters = ";()";
  return text.size() > 1 && text[0] == '/' && kShellCharacters.find(text[1]) == std::string_view::npos;
}

bool IsVolumeGroup(std::string_view text) {
  return text.size() >= 2 && IsAlphanumeric(text.front()) && IsAlphanumeric(text.back()) && ConsistsOf(text, "-_.");
}

bool IsNodeName(std::string_view text) {
  return !text.empty() && IsAlphanumeric(text.front()) && IsAlphanumeric(text.back()) && ConsistsOf(text, "-");
}

bool IsFingerprint(std::string_view text) {
  if (text.size() != kFingerprintLength) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool separator = i % 3 == 2;
    if (separator ? text[i] != ':' : !absl::ascii_isxdigit(static_cast<unsigned char>(text[i]))) return false;
  }
  return true;
}

bool IsConfigId(std::string_view text) { return text.size() >= 2 && IsLetter(text.front()) && ConsistsOf(text, "-_"); }

// user:password@host stays here but for the host.
std::string QuotedAddress(std::string_view text) { return Quoted(text.substr(text.rfind('@') + 1)); }

std::string WhyNoServer(std::string_view value) {
  if (IsIpv4(value) || IsIpv6(value) || IsDnsName(value)) return "";
  if (value.starts_with('['))
    return absl::StrFormat("%s is no address; here an IPv6 address has no brackets", QuotedAddress(value));
  return absl::StrFormat("%s is neither an IP address nor a host name (no port, no path)", QuotedAddress(value));
}

std::string WhyNoPortal(std::string_view value) {
  if (ParseHostAndPort(value)) return "";
  return absl::StrFormat("%s is no address; right is HOST, HOST:PORT or [IPV6]:PORT", QuotedAddress(value));
}

template <typename WhyNot>
std::string WhyNoListOf(std::string_view value, WhyNot why_not) {
  for (const std::string_view item : SplitList(value)) {
    if (std::string why = why_not(item); !why.empty()) return why;
  }
  return "";
}

std::string WhyNoContent(std::string_view item) {
  static const auto& known = *new Words{"images", "rootdir", "vztmpl", "iso", "backup", "snippets", "import", "none"};
  return OneOf(item, known);
}

std::string WhyNoNode(std::string_view item) {
  return IsNodeName(item) ? "" : absl::StrFormat("%s is no node name, so the storage counts for all nodes", Quoted(item));
}

std::string Unless(bool valid, std::string_view value, const char* what_is_right) {
  return valid ? "" : absl::StrFormat("%s is not %s", Quoted(value), what_is_right);
}

}  // namespace

std::string WhyInvalid(PropertyKind kind, std::string_view value, const StorageType& type) {
  switch (kind) {
    case PropertyKind::kText:
    case PropertyKind::kSecret:
      return "";
    case PropertyKind::kBoolean:
      return Unless(value == "0" || value == "1", value, "0 or 1");
    case PropertyKind::kPath:
      return Unless(IsPath(value), value, "an absolute path, such as /mnt/pve/nas");
    case PropertyKind::kVolumeGroup:
      return Unless(IsVolumeGroup(value), value, "an LVM name: two characters at least, letters, digits and -_.");
    case PropertyKind::kServer:
      return WhyNoServer(value);
    case PropertyKind::kPortal:
      return WhyNoPortal(value);
    case PropertyKind::kPortalList:
      return WhyNoListOf(value, WhyNoPortal);
    case PropertyKind::kPort:
      return Unless(ParsePort(value).has_value(), value, "a port from 1 to 65535");
    case PropertyKind::kCount:
      return NumberFrom(0, value);
    case PropertyKind::kCountOrNoLimit:
      return NumberFrom(-1, value);
    case PropertyKind::kContent:
      return WhyNoListOf(value, WhyNoContent);
    case PropertyKind::kNodes:
      return WhyNoListOf(value, WhyNoNode);
    case PropertyKind::kFormat:
      if (type.formats.empty()) return absl::StrFormat("a storage of type %s has no formats", type.name);
      return OneOf(value, type.formats);
    case PropertyKind::kPreallocation:
      return OneOf(value, {"off", "metadata", "falloc", "full"});
    case PropertyKind::kSmbVersion:
      return OneOf(value, {"default", "2.0", "2.1", "3", "3.0", "3.11"});
    case PropertyKind::kMountOptions:
      // Not quoted: they may hold a password.
      return std::any_of(value.begin(), value.end(), [](char c) { return absl::ascii_isspace(static_cast<unsigned char>(c)); })
                 ? "mount options have commas and no blanks between them"
                 : "";
    case PropertyKind::kFingerprint:
      return Unless(IsFingerprint(value), value, "a SHA-256 fingerprint: 32 times two hexadecimal digits with colons between");
    case PropertyKind::kConfigId:
      return Unless(IsConfigId(value), value, "a name: two characters at least, a letter first, then letters, digits, - and _");
  }
  return "";
}

bool IsStorageId(std::string_view text) {
  return text.size() >= 2 && IsLetter(text.front()) && IsAlphanumeric(text.back()) && ConsistsOf(text, "-_.");
}

std::optional<uint16_t> ParsePort(std::string_view text) {
  const auto number = ParseNumber(text);
  if (!number || *number < 1 || *number > 65535) return std::nullopt;
  return static_cast<uint16_t>(*number);
}

std::string Quoted(std::string_view text) {
  const bool cut = text.size() > kLongestQuote;
  return absl::StrFormat("'%s%s'", CleanUtf8(text.substr(0, kLongestQuote), kLongestQuote), cut ? "..." : "");
}

std::string_view NameIn(std::string_view word) {
  const auto ends = [](char c) { return !IsAlphanumeric(c) && c != '-' && c != '_'; };
  return word.substr(0, std::find_if(word.begin(), word.end(), ends) - word.begin());
}

std::string QuotedName(std::string_view word) { return Quoted(NameIn(word)); }

}  // namespace pvebus::storage
