#include "tests/layering/include_rules.h"

#include <algorithm>
#include <array>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace pvebus::layering {
namespace {

namespace fs = std::filesystem;

constexpr std::array kThreadsAndFiles = {"thread",  "mutex",     "shared_mutex", "condition_variable", "future",   "latch",
                                         "barrier", "semaphore", "fstream",      "filesystem",         "iostream", "cstdio"};
constexpr std::array kOutsideFolders = {"build", ".git", ".cache", "node_modules"};

// Where a file stands: bus-service/core/x.h is {bus-service, core}, bus-service/main.cc is {bus-service, main}.
struct Place {
  std::string top;
  std::string layer;

  bool in_service() const { return absl::EndsWith(top, "-service"); }
  bool operator==(const Place&) const = default;
};

Place PlaceOf(const fs::path& path) {
  auto it = path.begin();
  Place place;
  if (it != path.end()) place.top = it->string();
  if (it != path.end() && ++it != path.end()) place.layer = it->string();
  if (fs::path(place.layer).has_extension()) place.layer = "main";
  return place;
}

bool IsTest(const fs::path& file) {
  return *file.begin() == "tests" || absl::EndsWith(file.stem().string(), "_test") || absl::StrContains(file.string(), "testing");
}

bool IsOurs(const Place& place) { return place.in_service() || place.top == "sdk" || place.top == "cli" || place.top == "tests"; }

// Header names of the standard library have neither a folder nor an ending.
bool IsStandard(std::string_view header) { return header.find_first_of("./") == std::string_view::npos; }
bool StartsWith(std::string_view text, std::string_view prefix) { return text.substr(0, prefix.size()) == prefix; }
bool IsAbseil(std::string_view header) { return StartsWith(header, "absl/"); }
bool IsGoogleTest(std::string_view header) { return StartsWith(header, "gtest/") || StartsWith(header, "gmock/"); }

std::string WhyOursForbidden(const fs::path& file, const Place& from, const Place& to) {
  if (to.top == "tests") return IsTest(file) ? "" : "only tests include tests";
  if (from.top == "tests") return "";
  if (to.in_service() && from.in_service() && to.top != from.top) return "no service includes another";
  if (from.top == "sdk" && to.top != "sdk") return "sdk includes nothing above it";
  if (from == Place{"sdk", "base"} && to != from) return "sdk/base includes only itself, the standard library and Abseil";
  // The bus is asked over its contract; how a file of the node reads is pure, and the same for its service and the operator.
  const bool reading_beside_the_bus = to.in_service() && (to.layer == "core" || to.layer == "json") && to.top != "bus-service";
  if (from.top == "cli" && to.top != "cli" && to.top != "sdk" && !reading_beside_the_bus) {
    return "cli includes only itself, sdk, and the core and json of services other than the bus";
  }
  if (!from.in_service()) return to.top == "cli" && from.top != "cli" ? "only cli includes cli" : "";
  if (to.top == "cli") return "only cli includes cli";
  if (from.layer == "main" || from == to) return "";
  // The core's tests run on the memory journal.
  if (from.layer == "core" && IsTest(file) && to.top == from.top && to.layer == "store") return "";
  if (from.layer == "core") return to == Place{"sdk", "base"} ? "" : "core includes only its own core and sdk/base";
  if (to.in_service() && to.layer != "core" && to.layer != "json") {
    return to.layer == "main" ? "only main includes main" : "store, host and rpc do not include each other";
  }
  return "";
}

std::string WhyForeignForbidden(const fs::path& file, const Place& from, std::string_view header) {
  const bool pure = (from.in_service() && from.layer == "core") || from == Place{"sdk", "base"};
  if (!pure || IsAbseil(header) || (IsTest(file) && IsGoogleTest(header))) return "";
  if (!IsStandard(header)) return absl::StrCat(from.layer, " knows only the standard library and Abseil");
  const bool named = std::find(kThreadsAndFiles.begin(), kThreadsAndFiles.end(), header) != kThreadsAndFiles.end();
  if (from.layer == "core" && named && !IsTest(file)) return "core has no threads and no files of its own";
  return "";
}

// The header of an include line and whether it was in <>; empty when the line is none.
std::string_view IncludedBy(std::string_view line, bool& angled) {
  constexpr std::string_view kBlank = " \t";
  const auto skip_blanks = [&] { line.remove_prefix(std::min(line.find_first_not_of(kBlank), line.size())); };
  skip_blanks();
  if (!StartsWith(line, "#")) return {};
  line.remove_prefix(1);
  skip_blanks();
  if (!StartsWith(line, "include")) return {};
  line.remove_prefix(7);
  skip_blanks();
  if (line.empty() || (line[0] != '"' && line[0] != '<')) return {};
  angled = line[0] == '<';
  line.remove_prefix(1);
  return line.substr(0, line.find(angled ? '>' : '"'));
}

void CheckFile(const fs::path& root, const fs::path& file, std::vector<std::string>& violations) {
  std::ifstream stream(root / file);
  size_t number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    bool angled = false;
    const std::string header(IncludedBy(line, angled));
    if (header.empty()) continue;
    std::string why = WhyForbidden(file, header, angled);
    const bool beside = fs::exists(root / file.parent_path() / header) && !fs::exists(root / header);
    if (why.empty() && !angled && beside) why = "includes are written from the repository root";
    if (!why.empty()) violations.push_back(absl::StrFormat("%s:%d: %s: %s", file.string(), number, header, why));
  }
}

}  // namespace

std::string WhyForbidden(const fs::path& file, std::string_view header, bool angled) {
  if (header.find("..") != std::string_view::npos) return "includes are written from the repository root";
  const Place from = PlaceOf(file);
  const Place to = PlaceOf(fs::path(header));
  if (!angled && IsOurs(to)) return WhyOursForbidden(file, from, to);
  return WhyForeignForbidden(file, from, header);
}

std::vector<std::string> Violations(const fs::path& root) {
  std::vector<std::string> violations;
  for (auto it = fs::recursive_directory_iterator(root); it != fs::recursive_directory_iterator(); ++it) {
    const std::string name = it->path().filename().string();
    if (it->is_directory() && std::find(kOutsideFolders.begin(), kOutsideFolders.end(), name) != kOutsideFolders.end()) {
      it.disable_recursion_pending();
      continue;
    }
    const auto extension = it->path().extension();
    if (extension == ".h" || extension == ".cc") CheckFile(root, fs::relative(it->path(), root), violations);
  }
  std::sort(violations.begin(), violations.end());
  return violations;
}

}  // namespace pvebus::layering
