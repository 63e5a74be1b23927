#include "storage-service/core/section_file.h"

#include "absl/strings/ascii.h"

namespace pvebus::storage {
namespace {

bool IsBlank(char c) { return absl::ascii_isspace(static_cast<unsigned char>(c)); }

std::string_view WithoutLeadingBlanks(std::string_view text) {
  size_t begin = 0;
  while (begin < text.size() && IsBlank(text[begin])) ++begin;
  return text.substr(begin);
}

std::string_view Trimmed(std::string_view text) {
  text = WithoutLeadingBlanks(text);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view FirstWord(std::string_view text) {
  size_t end = 0;
  while (end < text.size() && !IsBlank(text[end])) ++end;
  return text.substr(0, end);
}

// Gives out the lines that count, with their numbers.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  size_t number() const { return number_; }

  // The next line that is no comment; empty at the end of the text, too.
  std::string_view Next() {
    while (!at_end()) {
      const std::string_view line = Take();
      const std::string_view content = WithoutLeadingBlanks(line);
      if (content.empty() || content.front() != '#') return line;
    }
    return {};
  }

 private:
  std::string_view Take() {
    const size_t end = rest_.find('\n');
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    ++number_;
    return line;
  }

  std::string_view rest_;
  size_t number_ = 0;
};

// The reader of Proxmox VE is Perl, where the text "0" is as false as an empty one.
bool EndsSection(std::string_view line) { return line.empty() || line == "0"; }

// "type: id", "type:id"; of several colons in one word the last one that leaves an id counts.
std::optional<Section> ParseHeader(std::string_view line) {
  const std::string_view word = FirstWord(line);
  const std::string_view second = Trimmed(line.substr(word.size()));
  if (second.empty()) {
    const size_t colon = word.size() < 3 ? std::string_view::npos : word.rfind(':', word.size() - 2);
    if (colon == std::string_view::npos || colon == 0) return std::nullopt;
    return Section{.type = word.substr(0, colon), .id = word.substr(colon + 1)};
  }
  if (word.size() < 2 || word.back() != ':' || FirstWord(second).size() != second.size()) return std::nullopt;
  return Section{.type = word.substr(0, word.size() - 1), .id = second};
}

SectionLine ParseLine(std::string_view line, size_t number) {
  SectionLine result{.line = number, .carriage_return = !line.empty() && line.back() == '\r'};
  const std::string_view content = Trimmed(line);
  result.key = FirstWord(content);
  if (content.empty()) {
    result.kind = SectionLine::Kind::kBlanks;
  } else if (IsBlank(line.front())) {
    result.kind = SectionLine::Kind::kProperty;
    const std::string_view value = WithoutLeadingBlanks(content.substr(result.key.size()));
    if (!value.empty()) result.value = value;
  } else if (const auto header = ParseHeader(line)) {
    result.kind = SectionLine::Kind::kHeader;
    result.key = header->type;
    result.value = header->id;
  }
  return result;
}

}  // namespace

SectionFile ReadSections(std::string_view text) {
  SectionFile file;
  Lines lines(text);
  while (!lines.at_end()) {
    std::string_view line = lines.Next();
    if (EndsSection(line)) continue;
    std::optional<Section> section = ParseHeader(line);
    if (!section) {
      file.strays.push_back(ParseLine(line, lines.number()));
      continue;
    }
    section->line = lines.number();
    while (!EndsSection(line = lines.Next())) section->lines.push_back(ParseLine(line, lines.number()));
    file.sections.push_back(*std::move(section));
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

}  // namespace pvebus::storage
