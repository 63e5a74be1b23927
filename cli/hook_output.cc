#include "cli/hook_output.h"

#include <string_view>

#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "cli/duration.h"
#include "cli/result_output.h"

namespace pvebus::cli {
namespace {

constexpr char kBlanks[] = " \t\r";
// A progress bar writes many lines over each other.
constexpr char kLineEnds[] = "\r\n";

std::string LastLine(const std::string& output) {
  std::string last;
  for (const absl::string_view line : absl::StrSplit(output, absl::ByAnyChar(kLineEnds))) {
    const size_t begin = line.find_first_not_of(kBlanks);
    if (begin != absl::string_view::npos) last = std::string(line.substr(begin, line.find_last_not_of(kBlanks) + 1 - begin));
  }
  return Cell(last);
}

std::vector<std::string> WholeOutput(const std::string& output) {
  const size_t end = output.find_last_not_of(" \t\r\n");
  std::vector<std::string> lines;
  if (end == std::string::npos) return lines;
  for (const absl::string_view line : absl::StrSplit(absl::string_view(output).substr(0, end + 1), '\n')) {
    lines.emplace_back(line.substr(0, line.find_last_not_of('\r') + 1));
  }
  return lines;
}

// `text` is what is known already.
std::string FormatHook(const bus::v1::HookResult& hook, std::string text, ProgramOutput output) {
  const std::string space = text.empty() ? "" : " ";
  if (hook.before() != hook.after()) {
    absl::StrAppendFormat(&text, "%s%s -> %s", space, hook.before(), hook.after());
  } else if (!hook.after().empty()) {
    absl::StrAppendFormat(&text, "%s%s", space, hook.after());
  }
  if (!hook.message().empty()) absl::StrAppendFormat(&text, "%s%s", text.empty() ? "" : ": ", hook.message());
  if (hook.has_exit_code()) absl::StrAppendFormat(&text, "%sexit %d", text.empty() ? "" : ", ", hook.exit_code());
  const std::string last = output == ProgramOutput::kLastLine ? LastLine(hook.output()) : "";
  if (!last.empty()) absl::StrAppendFormat(&text, "%s%s", text.empty() ? "" : ": ", last);
  return text;
}

// Most details have none of their own; programs do.
std::string TookOf(const bus::v1::HookResult& hook, bool detail) {
  const bool measured = hook.duration().seconds() != 0 || hook.duration().nanos() != 0;
  return measured || (hook.has_duration() && !detail) ? FormatDuration(hook.duration()) : "";
}

}  // namespace

std::vector<HookLine> LinesOf(const HookResultList& hooks, ProgramOutput output) {
  std::vector<HookLine> lines;
  std::string of;
  for (const bus::v1::HookResult& hook : hooks) {
    const bool detail = hook.hook() == of;
    of = hook.hook();
    lines.push_back({.name = detail ? "  " + hook.resource() : hook.hook(),
                     .state = ShortName(HookState_Name(hook.state())),
                     .duration = TookOf(hook, detail),
                     .text = FormatHook(hook, detail ? "" : hook.resource(), output),
                     .output = output == ProgramOutput::kWhole ? WholeOutput(hook.output()) : std::vector<std::string>()});
  }
  return lines;
}

void AddOutput(const HookLine& line, Table& table) {
  for (const std::string& text : line.output) table.AddBelow("      | " + text);
}

std::string FormatHookDetail(const bus::v1::HookResult& hook) {
  return FormatHook(hook, hook.resource(), ProgramOutput::kLastLine);
}

void PrintHookResults(const HookResultList& hooks, ProgramOutput output, std::ostream& out) {
  Table table({"HOOK", "STATE", "TOOK", "DETAIL"});
  for (const HookLine& line : LinesOf(hooks, output)) {
    table.Add({line.name, line.state, line.duration, line.text});
    AddOutput(line, table);
  }
  if (table.empty()) {
    out << "no hooks\n";
    return;
  }
  table.Print(out);
}

}  // namespace pvebus::cli
