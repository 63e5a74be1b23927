#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace pvebus::container {

// The grammar of /etc/pve/lxc/<vmid>.conf, without any meaning: "key: value" from the first column, '#' lines are the
// key `description`, a line in brackets opens a section that holds no current values. Pure; any thread. Everything refers to the
// text that was read, which must outlive it.

struct GuestLine {
  enum class Kind {
    kValue,   // key: value; an empty value is none
    kRawLxc,  // lxc.something: value, or with '='
    kOther,
  };
  Kind kind = Kind::kOther;
  size_t line = 0;
  std::string_view key;    // of kOther the whole line
  std::string_view value;  // without the blanks around
};

struct GuestSection {
  enum class Kind {
    kPending,   // [pve:pending]
    kSnapshot,  // [name]
    kUnknown,   // begins with a bracket and is neither
  };
  Kind kind = Kind::kUnknown;
  size_t line = 0;
  std::string_view name;         // of kUnknown the whole line
  std::vector<GuestLine> lines;  // of kPending only
};

struct GuestFile {
  std::vector<GuestLine> current;
  std::vector<std::string_view> description;  // of the current values, by lines, as encoded in the file
  std::vector<GuestSection> sections;
};

GuestFile ReadGuestFile(std::string_view text);

// What Proxmox VE calls a list: split at commas, semicolons and blanks, empty items left out.
std::vector<std::string_view> SplitList(std::string_view text);

}  // namespace pvebus::container
