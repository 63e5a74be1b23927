#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace pvebus {

// Bytes of the UTF-8 character at `at`; 0 when there is no valid one. Any thread. Requires: at < text.size().
inline size_t Utf8Length(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at);
  const size_t length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (length == 0 || at + length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(at + i) >> 6) != 0x2) return 0;
  }
  if (length < 3) return length;
  const unsigned char second = byte(at + 1);
  const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
  const bool surrogate = lead == 0xed && second >= 0xa0;
  const bool beyond_unicode = lead == 0xf4 && second >= 0x90;
  return overlong || surrogate || beyond_unicode ? 0 : length;
}

// `text` with each invalid byte replaced by '?', cut at a character so that it has at most `max_bytes`: what may stand in a
// protobuf string, which else cannot be sent.
inline std::string CleanUtf8(std::string_view text, size_t max_bytes) {
  std::string clean;
  for (size_t at = 0; at < text.size();) {
    const size_t length = Utf8Length(text, at);
    const std::string_view character = length == 0 ? std::string_view("?") : text.substr(at, length);
    if (clean.size() + character.size() > max_bytes) break;
    clean += character;
    at += length == 0 ? 1 : length;
  }
  return clean;
}

// As CleanUtf8, but it is the end of `text` that stays.
inline std::string CleanUtf8End(std::string_view text, size_t max_bytes) {
  std::string clean = CleanUtf8(text, text.size());
  size_t begin = clean.size() - std::min(clean.size(), max_bytes);
  while (begin < clean.size() && (static_cast<unsigned char>(clean[begin]) >> 6) == 0x2) ++begin;  // not inside a character
  return clean.erase(0, begin);
}

}  // namespace pvebus
