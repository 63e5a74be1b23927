#pragma once

#include <ostream>
#include <string>

#include "absl/strings/str_format.h"
#include "cli/table.h"

namespace pvebus::cli {

// Facts about one thing, a line each, the names in a column of their own. What is empty is left out. One thread.
class Facts {
 public:
  explicit Facts(std::ostream& out) : out_(out) {}

  // The value is made Printable.
  void Add(const char* name, const std::string& value) const {
    if (!value.empty()) out_ << absl::StrFormat("%-16s %s\n", name, Printable(value));
  }
  void Add(const char* name, uint64_t value) const { Add(name, std::to_string(value)); }

 private:
  std::ostream& out_;
};

}  // namespace pvebus::cli
