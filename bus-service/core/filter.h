#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace pvebus::bus {

struct Event;

// A compiled filter: the subset of AIP-160 (https://google.aip.dev/160) that a field = value world needs.
//   event_type = "container_started" AND (subject = "vm*" OR attributes.rack = 7) AND NOT source = test
// Comparisons: = != < <= > >= (numbers as numbers, else as text), field:value (contains), field:* (present). `*` at either end
// of a value of = and != stands for anything. As in AIP-160, OR binds tighter than AND; blanks mean AND. Immutable, any thread.
class Filter {
 public:
  // Gives a field's value; nullopt when it is absent. Map entries are asked for as "attributes.KEY".
  using Lookup = std::function<std::optional<std::string_view>(std::string_view field)>;

  // A name that may be used; one that ends in '.' is a map. With `values`, it is never equal to anything else.
  struct Field {
    Field(const char* field_name, std::vector<std::string> field_values = {})
        : name(field_name), values(std::move(field_values)) {}
    std::string name;
    std::vector<std::string> values;
  };

  static constexpr size_t kMaxBytes = 2048;

  Filter() = default;  // matches everything
  // FILTER_INVALID with the position.
  static absl::StatusOr<Filter> Parse(std::string_view text, const std::vector<Field>& fields);
  // Parse over event_type, source, subject, ordering_key, attributes.KEY.
  static absl::StatusOr<Filter> ParseForEvents(std::string_view text);

  bool Matches(const Lookup& lookup) const;
  bool Matches(const Event& event) const;
  const std::string& text() const { return text_; }

 private:
  friend class FilterParser;
  struct Node;

  std::string text_;
  std::shared_ptr<const Node> root_;  // null: everything
};

}  // namespace pvebus::bus
