#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace pvebus::cli {

// Makes text from elsewhere harmless on a terminal: control characters (escape sequences, line breaks) become visible.
std::string Printable(std::string_view text);

// At most 80 bytes of it: one endless cell would widen its column for every row.
std::string Cell(const std::string& text);

// Columns that are as wide as their widest cell; columns without any content are left out. One thread.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : header_(std::move(header)) {}

  // Missing cells are empty. Cells are made Printable.
  void Add(std::vector<std::string> cells);
  // A line of its own below the row that was added last, for what is too long for a cell. It is made Printable. Requires: a row.
  void AddBelow(const std::string& line);
  bool empty() const { return rows_.empty(); }
  void Print(std::ostream& out) const;

 private:
  struct Row {
    std::vector<std::string> cells;
    std::vector<std::string> below;
  };

  size_t WidthOf(size_t column) const;

  std::vector<std::string> header_;
  std::vector<Row> rows_;
};

}  // namespace pvebus::cli
