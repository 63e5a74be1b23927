#include "sdk/base/nearest.h"

#include <algorithm>
#include <utility>

namespace pvebus {
namespace {

// Longer input is nobody's slip of the keyboard, and the distance costs the product of the lengths.
constexpr size_t kMaxLength = 256;
constexpr size_t kMaxSlips = 3;
constexpr size_t kLettersPerSlip = 3;
constexpr size_t kMinPrefix = 3;

// What slips do not count: case, and '_' for '-'.
std::string Folded(std::string_view word) {
  std::string folded(word);
  for (char& c : folded) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '_') c = '-';
  }
  return folded;
}

// Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b` (optimal string alignment).
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    before_last.swap(last);
    last.swap(row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[b.size()];
}

size_t PlausibleSlips(std::string_view typed, std::string_view word) {
  const size_t letters = std::max(typed.size(), word.size());
  const size_t slips = std::clamp<size_t>(letters / kLettersPerSlip, 1, kMaxSlips);
  // At least one letter must be right.
  return std::min(slips, std::min(typed.size(), word.size()) - 1);
}

}  // namespace

std::optional<std::string> Nearest(std::string_view typed, const std::vector<std::string>& known) {
  if (typed.empty() || typed.size() > kMaxLength) return std::nullopt;
  const std::string wanted = Folded(typed);
  const std::string* nearest = nullptr;
  const std::string* begins_so = nullptr;
  size_t nearest_distance = 0;
  for (const std::string& candidate : known) {
    if (candidate.empty() || candidate.size() > kMaxLength) continue;
    const std::string word = Folded(candidate);
    const size_t distance = EditDistance(wanted, word);
    if (distance <= PlausibleSlips(wanted, word) && (!nearest || distance < nearest_distance)) {
      nearest = &candidate;
      nearest_distance = distance;
    }
    const bool begins = wanted.size() >= kMinPrefix && word.starts_with(wanted);
    if (begins && (!begins_so || candidate.size() < begins_so->size())) begins_so = &candidate;
  }
  if (!nearest) nearest = begins_so;
  return nearest ? std::optional<std::string>(*nearest) : std::nullopt;
}

std::string DidYouMean(std::string_view typed, const std::vector<std::string>& known) {
  const auto nearest = Nearest(typed, known);
  return nearest ? " (did you mean '" + *nearest + "'?)" : std::string();
}

}  // namespace pvebus
