#include "cli/dead_letter_selection.h"

#include <set>

#include "absl/strings/str_format.h"
#include "cli/options.h"

namespace pvebus::cli {

// What the contract takes at once.
constexpr size_t kMaxIds = 1000;

uint64_t ParseDeadLetterId(const std::string& text) {
  const auto id = ParseNumber(text);
  if (id && *id > 0) return *id;
  throw CLI::ValidationError("ID", absl::StrFormat("'%s' is no dead letter's id, which is a number: `pvebus dead-letters list` "
                                                   "shows them; for those of a listener: --filter 'listener = \"NAME\"'",
                                                   text));
}

bus::v1::DeadLetterSelection DeadLetterArguments::ToSelection(const std::string& verb) const {
  bus::v1::DeadLetterSelection selection;
  // An empty filter, as of an unset variable of a script, selects nothing on purpose: to the bus it would be everything.
  if (ids.empty() && filter.empty() && !all) {
    throw CLI::RequiredError(
        absl::StrFormat("What to %s (IDs as in `pvebus dead-letters list`, --filter EXPRESSION, or --all)", verb));
  }
  if (ids.size() > kMaxIds) {
    throw CLI::ValidationError("ID",
                               absl::StrFormat("%d ids are too many at once, at most %d: use --filter", ids.size(), kMaxIds));
  }
  std::set<uint64_t> numbers;  // an id that is named twice is one dead letter
  for (const std::string& id : ids) numbers.insert(ParseDeadLetterId(id));
  selection.mutable_dead_letter_ids()->Add(numbers.begin(), numbers.end());
  selection.set_filter(filter);
  return selection;
}

void AddDeadLetterSelection(CLI::App& command, DeadLetterArguments& arguments) {
  auto* ids = command.add_option("ID", arguments.ids, "Exactly these")->type_name("");
  auto* filter = command.add_option("--filter", arguments.filter, "Those that match, for example 'listener = \"storage-hooks\"'")
                     ->excludes(ids);
  command.add_flag("--all", arguments.all, "All of them")->excludes(ids)->excludes(filter);
}

}  // namespace pvebus::cli
