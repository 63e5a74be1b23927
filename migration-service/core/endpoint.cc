#include "migration-service/core/endpoint.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "migration-service/core/errors.h"

namespace pvebus::migration {
namespace {

constexpr size_t kMostMethodBytes = 32;
constexpr size_t kMostPathBytes = 8192;
constexpr size_t kMostPatternSegments = 32;

// Nothing when a '%' is not followed by two hexadecimal digits, or for a zero byte, which no path has.
std::optional<std::string> Decode(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const bool hex = i + 2 < text.size() && absl::ascii_isxdigit(static_cast<unsigned char>(text[i + 1])) &&
                     absl::ascii_isxdigit(static_cast<unsigned char>(text[i + 2]));
    if (!hex) return std::nullopt;
    decoded += absl::HexStringToBytes(std::string(text.substr(i + 1, 2)));
    i += 2;
  }
  if (decoded.find('\0') != std::string::npos) return std::nullopt;
  return decoded;
}

// Nothing when ".." leads out of it.
std::optional<std::vector<std::string>> Segments(const std::string& path) {
  std::vector<std::string> segments;
  for (const std::string& segment : std::vector<std::string>(absl::StrSplit(path, '/', absl::SkipEmpty()))) {
    if (segment == ".") continue;
    if (segment != "..") {
      segments.push_back(segment);
    } else if (segments.empty()) {
      return std::nullopt;
    } else {
      segments.pop_back();
    }
  }
  return segments;
}

bool IsToken(std::string_view method) {
  return !method.empty() && method.size() <= kMostMethodBytes && std::all_of(method.begin(), method.end(), [](char c) {
    return absl::ascii_isalpha(static_cast<unsigned char>(c)) || c == '-' || c == '_';
  });
}

// '/' is never in a segment.
void AppendEscaped(std::string_view text, std::string& regex) {
  for (const char c : text) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '-') regex += '\\';
    regex += c;
  }
}

}  // namespace

std::string Endpoint::path() const { return absl::StrJoin(segments, "/"); }

absl::StatusOr<Endpoint> ParseEndpoint(std::string_view method, std::string_view path) {
  if (!IsToken(method)) return MethodInvalid(method);
  if (path.size() > kMostPathBytes) return PathInvalid("it has more than 8192 bytes");
  const std::optional<std::string> decoded = Decode(path.substr(0, path.find_first_of("?#")));
  if (!decoded) return PathInvalid("a '%' in it is not followed by two hexadecimal digits, or it has a zero byte");
  auto segments = Segments(*decoded);
  if (!segments) return PathInvalid("a '..' in it leads out of it");
  if (!segments->empty() && segments->front() == "api2") {
    segments->erase(segments->begin(), segments->begin() + static_cast<std::ptrdiff_t>(std::min<size_t>(2, segments->size())));
  }
  Endpoint endpoint{.method = absl::AsciiStrToUpper(std::string(method)), .segments = *std::move(segments)};
  endpoint.is_read = endpoint.method == "GET" || endpoint.method == "HEAD";
  return endpoint;
}

absl::StatusOr<PathPattern> PathPattern::Parse(std::string_view text) {
  PathPattern pattern;
  for (const std::string& part : std::vector<std::string>(absl::StrSplit(std::string(text), '/', absl::SkipEmpty()))) {
    Segment segment{.text = part};
    if (part == "**") {
      segment.kind = Segment::Kind::kAnyNumber;
    } else if (part.front() == '{' && part.back() == '}' && part.size() > 2) {
      segment.kind = Segment::Kind::kAny;
    } else if (part.back() == '*' && part.size() > 1) {
      segment = {.kind = Segment::Kind::kPrefix, .text = part.substr(0, part.size() - 1)};
    }
    const bool literal = segment.kind == Segment::Kind::kExact || segment.kind == Segment::Kind::kPrefix;
    if (literal && segment.text.find_first_of("*{}%?# ") != std::string::npos) return PatternInvalid(text);
    pattern.segments_.push_back(std::move(segment));
  }
  if (pattern.segments_.empty() || pattern.segments_.size() > kMostPatternSegments) return PatternInvalid(text);
  const auto text_of = [](const Segment& segment) {
    return segment.kind == Segment::Kind::kPrefix ? segment.text + "*" : segment.text;
  };
  pattern.text_ = absl::StrJoin(pattern.segments_, "/",
                                [&](std::string* out, const Segment& segment) { *out += text_of(segment); });
  return pattern;
}

bool PathPattern::Matches(const std::vector<std::string>& segments) const {
  // Which beginnings of the pattern match what was looked at so far.
  std::vector<bool> reached(segments_.size() + 1, false);
  const auto skip_any_number = [&] {
    for (size_t i = 0; i < segments_.size(); ++i) {
      if (reached[i] && segments_[i].kind == Segment::Kind::kAnyNumber) reached[i + 1] = true;
    }
  };
  reached[0] = true;
  skip_any_number();
  for (const std::string& segment : segments) {
    std::vector<bool> next(reached.size(), false);
    for (size_t i = 0; i < segments_.size(); ++i) {
      if (!reached[i]) continue;
      const Segment& wanted = segments_[i];
      if (wanted.kind == Segment::Kind::kAnyNumber) next[i] = true;
      const bool matches = wanted.kind == Segment::Kind::kAny || (wanted.kind == Segment::Kind::kExact && segment == wanted.text) ||
                           (wanted.kind == Segment::Kind::kPrefix && absl::StartsWith(segment, wanted.text));
      if (matches) next[i + 1] = true;
    }
    reached = std::move(next);
    skip_any_number();
  }
  return reached.back();
}

std::string PathPattern::ToRegex() const {
  // Each segment brings its slash: "(?:/nodes)(?:/[^/]+)", so that any number of them is nothing, too.
  std::string regex;
  for (const Segment& segment : segments_) {
    switch (segment.kind) {
      case Segment::Kind::kExact:
        regex += '/';
        AppendEscaped(segment.text, regex);
        break;
      case Segment::Kind::kPrefix:
        regex += '/';
        AppendEscaped(segment.text, regex);
        regex += "[^/]*";
        break;
      case Segment::Kind::kAny:
        regex += "/[^/]+";
        break;
      case Segment::Kind::kAnyNumber:
        regex += "(?:/[^/]+)*";
        break;
    }
  }
  return regex;
}

}  // namespace pvebus::migration
