#include "container-service/core/guest_file.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"

namespace pvebus::container {
namespace {

constexpr std::string_view kPending = "[pve:pending]";
constexpr std::string_view kDescription = "description";

bool IsBlank(char c) { return absl::ascii_isspace(static_cast<unsigned char>(c)); }
bool IsLower(char c) { return absl::ascii_islower(static_cast<unsigned char>(c)); }
bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }
bool IsLetter(char c) { return absl::ascii_isalpha(static_cast<unsigned char>(c)); }

std::string_view WithoutTrailingBlanks(std::string_view text) {
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  return WithoutTrailingBlanks(text);
}

// How far `text` consists of what `belongs`.
template <typename Belongs>
size_t SpanOf(std::string_view text, Belongs belongs) {
  return static_cast<size_t>(std::find_if_not(text.begin(), text.end(), belongs) - text.begin());
}

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return absl::ascii_tolower(static_cast<unsigned char>(c)); };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

// Requires: `line` begins with a bracket and has no blanks at its end.
GuestSection ParseSection(std::string_view line, size_t number) {
  if (EqualsIgnoringCase(line, kPending)) return {GuestSection::Kind::kPending, number, line, {}};
  const auto in_name = [](char c) { return IsLetter(c) || IsDigit(c) || c == '_' || c == '-'; };
  const std::string_view name = line.substr(1, SpanOf(line.substr(1), in_name));
  const bool snapshot = name.size() >= 2 && IsLetter(name.front()) && line.substr(1 + name.size()) == "]";
  if (!snapshot) return {GuestSection::Kind::kUnknown, number, line, {}};
  return {GuestSection::Kind::kSnapshot, number, name, {}};
}

std::optional<GuestLine> ParseRawLxc(std::string_view line) {
  if (!line.starts_with("lxc.")) return std::nullopt;
  const auto in_key = [](char c) { return IsLower(c) || IsDigit(c) || c == '_' || c == '-' || c == '.'; };
  const std::string_view key = line.substr(0, SpanOf(line, in_key));
  const std::string_view rest = line.substr(key.size());
  const std::string_view after_blanks = rest.substr(SpanOf(rest, IsBlank));
  // Blanks may stand before '=', but not before ':'.
  if (key.size() == 4 || !(rest.starts_with(':') || after_blanks.starts_with('='))) return std::nullopt;
  return GuestLine{GuestLine::Kind::kRawLxc, 0, key, Trimmed(after_blanks.substr(1))};
}

// Letters and underscores, then digits.
std::optional<GuestLine> ParseValue(std::string_view line) {
  const size_t letters = SpanOf(line, [](char c) { return IsLower(c) || c == '_'; });
  const size_t end = letters + SpanOf(line.substr(letters), IsDigit);
  if (letters == 0 || line[0] == '_' || end == line.size() || line[end] != ':') return std::nullopt;
  return GuestLine{GuestLine::Kind::kValue, 0, line.substr(0, end), Trimmed(line.substr(end + 1))};
}

GuestLine ParseLine(std::string_view line, size_t number) {
  if (line.front() == '#') return {GuestLine::Kind::kValue, number, kDescription, line.substr(1)};
  auto parsed = ParseRawLxc(line);
  if (!parsed) parsed = ParseValue(line);
  if (!parsed) parsed = GuestLine{.key = line};
  parsed->line = number;
  return *parsed;
}

}  // namespace

GuestFile ReadGuestFile(std::string_view text) {
  GuestFile file;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    const std::string_view line = WithoutTrailingBlanks(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty()) continue;
    if (line.front() == '[') {
      file.sections.push_back(ParseSection(line, number));
    } else if (file.sections.empty()) {
      const GuestLine parsed = ParseLine(line, number);
      if (parsed.kind == GuestLine::Kind::kValue && parsed.key == kDescription) {
        file.description.push_back(parsed.value);
      } else {
        file.current.push_back(parsed);
      }
    } else if (file.sections.back().kind == GuestSection::Kind::kPending) {
      file.sections.back().lines.push_back(ParseLine(line, number));
    }
  }
  return file;
}

std::vector<std::string_view> SplitList(std::string_view text) {
  const auto separates = [](char c) { return c == ',' || c == ';' || c == '\0' || IsBlank(c); };
  std::vector<std::string_view> items;
  for (size_t at = 0; at < text.size();) {
    size_t end = at;
    while (end < text.size() && !separates(text[end])) ++end;
    if (end > at) items.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return items;
}

}  // namespace pvebus::container
