#include "network-service/core/ifupdown2_output.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "sdk/base/utf8.h"

namespace pvebus::network {
namespace {

constexpr std::string_view kWarning = "warning: ";
constexpr std::string_view kError = "error: ";
constexpr size_t kMostComplaints = 100;
constexpr size_t kMostBytes = 400;

std::vector<std::string_view> LinesOf(const ProgramReport& report) {
  std::vector<std::string_view> lines;
  for (const absl::string_view line : absl::StrSplit(report.output, '\n', absl::SkipWhitespace())) {
    lines.emplace_back(line.data(), line.size());
  }
  return lines;
}

// "warning: /etc/network/interfaces: line4: cannot find source file ...": what its parser warns of makes a reload fail.
bool HasPlace(std::string_view line) {
  constexpr std::string_view kLine = ": line";
  const size_t at = line.find(kLine);
  return at != std::string_view::npos && at + kLine.size() < line.size() && absl::ascii_isdigit(line[at + kLine.size()]);
}

// Of this machine, whatever the configuration says: "warning: /sbin/brctl: missing - bridge operation may not work ...".
bool IsAboutPrograms(std::string_view line) { return line.find(": missing - ") != std::string_view::npos; }

}  // namespace

bool RefusesConfiguration(const ProgramReport& syntax_check) {
  if (syntax_check.timed_out) return true;
  if (syntax_check.exit_code == 0) return false;
  const auto lines = LinesOf(syntax_check);
  const bool only_warns = std::all_of(lines.begin(), lines.end(),
                                      [](std::string_view line) { return line.starts_with(kWarning) && !HasPlace(line); });
  return syntax_check.exit_code != 1 || lines.empty() || !only_warns;
}

std::vector<std::string> ComplaintsIn(const ProgramReport& report) {
  std::vector<std::string> complaints;
  for (const std::string_view line : LinesOf(report)) {
    if (complaints.size() == kMostComplaints) break;
    if ((!line.starts_with(kWarning) && !line.starts_with(kError)) || IsAboutPrograms(line)) continue;
    std::string complaint = CleanUtf8(line, kMostBytes);
    if (std::find(complaints.begin(), complaints.end(), complaint) == complaints.end())
      complaints.push_back(std::move(complaint));
  }
  return complaints;
}

}  // namespace pvebus::network
