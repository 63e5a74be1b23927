#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pvebus {

// For "did you mean ...?": the known word that `typed` was plausibly meant to be, the first of equally near ones, or nothing.
// Plausible are a few slips of the keyboard (an inserted, missing, wrong or swapped letter: about one per three letters, at most
// three; case and '-' for '_' are none), and the beginning of a word (three letters at least). Any thread.
std::optional<std::string> Nearest(std::string_view typed, const std::vector<std::string>& known);

// " (did you mean 'x'?)" to be appended to a message, or nothing.
std::string DidYouMean(std::string_view typed, const std::vector<std::string>& known);

}  // namespace pvebus
