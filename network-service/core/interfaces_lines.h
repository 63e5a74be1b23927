#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pvebus::network {

// The grammar of interfaces(5) below its keywords: lines and words. Pure; any thread.

struct InterfacesLine {
  size_t number = 0;  // of its first line, when several are joined
  std::string text;   // without blanks at its ends
  bool after_blank_line = false;
};

// The lines that say something: joined where they end with a backslash, without comments (a line whose first character is '#';
// there are none at the end of a line), carriage returns and blanks around.
std::vector<InterfacesLine> ReadLines(std::string_view text);

// Split at blanks and tabs.
std::vector<std::string_view> Words(std::string_view text);
// What follows the first word.
std::string_view AfterFirstWord(std::string_view text);

// Every run of blanks and tabs is one blank; what stands in quotes, or behind one that does not end, stays.
std::string WithSingleBlanks(std::string_view text);

}  // namespace pvebus::network
