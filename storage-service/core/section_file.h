#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pvebus::storage {

// The grammar of Proxmox VE's configuration files (PVE::SectionConfig), without any meaning: "type: id" at column 0 opens a
// section, which ends at the first EMPTY line; indented lines are its properties; '#' lines are dropped. Pure; any thread.
// Everything refers to the text that was read, which must outlive it.

struct SectionLine {
  enum class Kind {
    kProperty,  // indented: a key, perhaps a value
    kBlanks,    // nothing but blanks: for Proxmox VE not an empty line, so the section goes on
    kHeader,    // looks like the next section, but no empty line stands before it
    kOther,     // neither indented nor a header
  };
  Kind kind = Kind::kOther;
  size_t line = 0;
  std::string_view key;                   // the first word; of a header the type
  std::optional<std::string_view> value;  // of a property what follows, without the blanks around; of a header the id
  bool carriage_return = false;           // the line ends with one
};

struct Section {
  size_t line = 0;
  std::string_view type;  // as written: case does not count
  std::string_view id;
  std::vector<SectionLine> lines;
};

struct SectionFile {
  std::vector<Section> sections;
  std::vector<SectionLine> strays;  // what stands outside any section
};

SectionFile ReadSections(std::string_view text);

// What Proxmox VE calls a list: split at commas, semicolons and blanks, empty items left out.
std::vector<std::string_view> SplitList(std::string_view text);

}  // namespace pvebus::storage
