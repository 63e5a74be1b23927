#include "migration-service/core/endpoint.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
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

// What a pattern may say: nothing that a regular expression or a file of nginx would read as more than itself, once AppendEscaped
// has seen it.
bool IsPlain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || std::string_view("-_.~:@+,=").find(c) != std::string_view::npos;
  });
}

// Requires: IsPlain.
void AppendEscaped(std::string_view text, std::string& regex) {
  for (const char c : text) {
    if (c == '.' || c == '+') regex += '\\';
    regex += c;
  }
}

// Leaves what follows /api2/<format>.
template <typename Segments>
void DropFormat(Segments& segments) {
  segments.erase(segments.begin(), segments.begin() + static_cast<std::ptrdiff_t>(std::min<size_t>(2, segments.size())));
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
  if (!segments->empty() && segments->front() == "api2") DropFormat(*segments);
  Endpoint endpoint{.method = absl::AsciiStrToUpper(std::string(method)), .segments = *std::move(segments)};
  endpoint.is_read = endpoint.method == "GET" || endpoint.method == "HEAD";
  return endpoint;
}

absl::StatusOr<PathPattern> PathPattern::Parse(std::string_view text) {
  PathPattern pattern;
  for (const std::string& part : std::vector<std::string>(absl::StrSplit(std::string(text), '/', absl::SkipEmpty()))) {
    auto segment = ParseSegment(part);
    if (!segment) return PatternInvalid(text);
    pattern.segments_.push_back(*std::move(segment));
  }
  const auto is_format = [&] { return pattern.segments_.front().text == "api2"; };
  if (!pattern.segments_.empty() && is_format()) DropFormat(pattern.segments_);
  if (pattern.segments_.empty() || pattern.segments_.size() > kMostPatternSegments) return PatternInvalid(text);
  const auto append_text = [](std::string* out, const Segment& segment) {
    *out += segment.kind == Segment::Kind::kPrefix ? segment.text + "*" : segment.text;
  };
  pattern.text_ = absl::StrJoin(pattern.segments_, "/", append_text);
  return pattern;
}

std::optional<PathPattern::Segment> PathPattern::ParseSegment(std::string_view part) {
  if (part == "**") return Segment{Segment::Kind::kAnyNumber, std::string(part)};
  if (part == "." || part == "..") return std::nullopt;
  Segment segment{.text = std::string(part)};
  std::string_view plain = part;
  if (part.size() > 1 && part.front() == '{' && part.back() == '}') {
    segment.kind = Segment::Kind::kAny;
    plain = part.substr(1, part.size() - 2);
  } else if (part.size() > 1 && part.back() == '*') {
    segment.kind = Segment::Kind::kPrefix;
    plain.remove_suffix(1);
    segment.text = std::string(plain);
  }
  return IsPlain(plain) ? std::optional(std::move(segment)) : std::nullopt;
}

bool PathPattern::Segment::Matches(std::string_view segment) const {
  switch (kind) {
    case Kind::kExact:
      return segment == text;
    case Kind::kPrefix:
      return segment.starts_with(text);
    case Kind::kAny:
    case Kind::kAnyNumber:
      return true;
  }
  return false;
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
      if (!reached[i] || !segments_[i].Matches(segment)) continue;
      next[segments_[i].kind == Segment::Kind::kAnyNumber ? i : i + 1] = true;
    }
    reached = std::move(next);
    skip_any_number();
  }
  return reached.back();
}

std::string PathPattern::ToRegex() const {
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
