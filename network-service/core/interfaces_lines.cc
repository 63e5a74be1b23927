#include "network-service/core/interfaces_lines.h"

#include <algorithm>

namespace pvebus::network {
namespace {

constexpr std::string_view kBlanks = " \t";
constexpr std::string_view kLineEnds = " \t\r";

std::string_view WithoutTrailing(std::string_view text) {
  const size_t last = text.find_last_not_of(kLineEnds);
  return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

std::string_view WithoutLeading(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return text;
}

bool TakeBackslash(std::string_view& line) {
  if (!line.ends_with('\\')) return false;
  line.remove_suffix(1);
  return true;
}

// Gives out the lines of a text without their ends.
class RawLines {
 public:
  explicit RawLines(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  size_t number() const { return number_; }

  std::string_view Next() {
    const size_t end = rest_.find('\n');
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    ++number_;
    return WithoutTrailing(line);
  }

 private:
  std::string_view rest_;
  size_t number_ = 0;
};

}  // namespace

std::vector<InterfacesLine> ReadLines(std::string_view text) {
  std::vector<InterfacesLine> lines;
  RawLines raw(text);
  bool after_blank_line = false;
  while (!raw.at_end()) {
    std::string_view part = WithoutLeading(raw.Next());
    if (part.starts_with('#')) continue;
    InterfacesLine line{.number = raw.number(), .after_blank_line = after_blank_line};
    bool goes_on = TakeBackslash(part);
    line.text = part;
    while (goes_on && !raw.at_end()) {
      part = raw.Next();
      goes_on = TakeBackslash(part);
      line.text += part;
    }
    line.text = WithoutLeading(WithoutTrailing(line.text));
    after_blank_line = line.text.empty();
    // An empty line that is joined with a comment is a comment.
    if (!line.text.empty() && line.text.front() != '#') lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  for (text = WithoutLeading(text); !text.empty(); text = WithoutLeading(text)) {
    const size_t end = std::min(text.find_first_of(kBlanks), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return words;
}

std::string_view AfterFirstWord(std::string_view text) {
  text = WithoutLeading(text);
  text.remove_prefix(std::min(text.find_first_of(kBlanks), text.size()));
  return WithoutLeading(text);
}

std::string WithSingleBlanks(std::string_view text) {
  std::string result;
  char quote = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    const bool blank = kBlanks.find(c) != std::string_view::npos;
    if (quote == 0 && blank) {
      if (!result.ends_with(' ')) result += ' ';
      continue;
    }
    result += c;
    if (c == '\\' && quote != '\'' && at + 1 < text.size()) {
      result += text[++at];
    } else if (c == quote) {
      quote = 0;
    } else if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
    }
  }
  return result;
}

}  // namespace pvebus::network
