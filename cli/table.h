#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace pvebus::cli {

// Makes text from elsewhere harmless on a terminal: control characters (escape sequences, line breaks) become visible.
std::string Printable(std::string_view text);

// Columns that are as wide as their widest cell; columns without any content are left out. One thread.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : header_(std::move(header)) {}

  // Missing cells are empty. Cells are made Printable.
  void Add(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }
  void Print(std::ostream& out) const;

 private:
  size_t WidthOf(size_t column) const;

  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace pvebus::cli
