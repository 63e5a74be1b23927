#include "cli/dead_letter_output.h"

#include "absl/strings/str_format.h"
#include "cli/attempt_output.h"
#include "cli/duration.h"
#include "cli/event_output.h"
#include "cli/facts.h"
#include "cli/hook_output.h"
#include "cli/result_output.h"
#include "cli/table.h"
#include "sdk/events/summary.h"

namespace pvebus::cli {
namespace {

void PrintHooks(const HookResultList& hooks, std::ostream& out) {
  if (hooks.empty()) return;
  out << "\nhooks of the last attempt\n";
  PrintHookResults(hooks, ProgramOutput::kLastLine, out);
}

}  // namespace

void PrintDeadLetters(const google::protobuf::RepeatedPtrField<bus::v1::DeadLetter>& letters, SystemTime now, std::ostream& out) {
  Table table({"ID", "LISTENER", "EVENT", "GIVEN UP", "AGE", "ATTEMPTS", "REDRIVE", "ERROR"});
  for (const bus::v1::DeadLetter& letter : letters) {
    table.Add({std::to_string(letter.dead_letter_id()), letter.listener(),
               absl::StrFormat("#%d %s", letter.event().sequence(), events::Summarize(letter.event())),
               FormatTime(letter.dead_letter_time()), FormatAge(letter.dead_letter_time(), now),
               std::to_string(letter.attempt_count()), letter.redrive_id(), FormatError(letter.error())});
  }
  table.Print(out);
}

void PrintDeadLetter(const bus::v1::DeadLetter& letter, SystemTime now, std::ostream& out) {
  const Facts facts(out);
  facts.Add("dead letter", letter.dead_letter_id());
  facts.Add("listener", letter.listener());
  facts.Add("given up", absl::StrFormat("%s (%s), after %d attempts", FormatTime(letter.dead_letter_time()),
                                        FormatAge(letter.dead_letter_time(), now), letter.attempt_count()));
  facts.Add("error", FormatError(letter.error()));
  if (!letter.redrive_id().empty()) facts.Add("redrive", letter.redrive_id() + ", under way");
  AddEventFacts(letter.event(), facts);
  PrintAttempts(letter.attempts(), out);
  PrintHooks(letter.hook_results(), out);
  if (!letter.redrive_id().empty()) return;
  out << absl::StrFormat("\nnext: pvebus dead-letters redrive %d, or discard %d --reason TEXT\n", letter.dead_letter_id(),
                         letter.dead_letter_id());
}

}  // namespace pvebus::cli
