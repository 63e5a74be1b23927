#include "cli/table.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "sdk/base/utf8.h"

namespace pvebus::cli {
namespace {

constexpr size_t kWidestCell = 80;

// Code points, which is what a terminal shows for the scripts that operators use.
size_t DisplayWidth(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](unsigned char c) { return (c & 0xC0) != 0x80; });
}

std::string TrimmedRight(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace

std::string Printable(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    // U+0080..U+009F, which terminals take for escape sequences too.
    if (byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0) {
      absl::StrAppendFormat(&result, "\\x%02x", static_cast<unsigned char>(text[++i]));
    } else if (c == '\n') {
      result += "\\n";
    } else if (c == '\t') {
      result += ' ';
    } else if (byte < 0x20 || byte == 0x7F) {
      absl::StrAppendFormat(&result, "\\x%02x", byte);
    } else {
      result += c;
    }
  }
  return result;
}

std::string Cell(const std::string& text) {
  if (text.size() <= kWidestCell) return text;
  return CleanUtf8(text, kWidestCell - 3) + "...";
}

void Table::Add(std::vector<std::string> cells) {
  cells.resize(header_.size());
  for (std::string& cell : cells) cell = Printable(cell);
  rows_.push_back({std::move(cells), {}});
}

void Table::AddBelow(const std::string& line) { rows_.back().below.push_back(TrimmedRight(Printable(line))); }

size_t Table::WidthOf(size_t column) const {
  size_t width = 0;
  for (const Row& row : rows_) width = std::max(width, DisplayWidth(row.cells[column]));
  return width == 0 ? 0 : std::max(width, DisplayWidth(header_[column]));
}

void Table::Print(std::ostream& out) const {
  std::vector<size_t> widths;
  for (size_t column = 0; column < header_.size(); ++column) widths.push_back(WidthOf(column));
  const auto print_row = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (size_t column = 0; column < cells.size(); ++column) {
      if (widths[column] == 0) continue;
      line += cells[column] + std::string(widths[column] - DisplayWidth(cells[column]) + 2, ' ');
    }
    out << TrimmedRight(std::move(line)) << '\n';
  };
  print_row(header_);
  for (const Row& row : rows_) {
    print_row(row.cells);
    for (const std::string& line : row.below) out << line << '\n';
  }
}

}  // namespace pvebus::cli
