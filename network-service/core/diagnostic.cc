#include "network-service/core/diagnostic.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "sdk/base/utf8.h"

namespace pvebus::network {
namespace {

constexpr size_t kLongestQuote = 60;

}  // namespace

void Diagnostics::Add(Severity severity, const Place& place, std::string message) {
  has_errors_ = has_errors_ || severity == Severity::kError;
  if (full()) {
    ++left_out_;
    return;
  }
  diagnostics_.push_back({severity, place, std::move(message)});
}

std::vector<Diagnostic> Diagnostics::Take() {
  if (left_out_ > 0) {
    const Place place{.file = diagnostics_.back().place.file};
    const Severity severity = has_errors_ ? Severity::kError : Severity::kWarning;
    diagnostics_.push_back(
        {severity, place,
         absl::StrFormat("%d more errors and warnings are left out; is this a network configuration?", left_out_)});
  }
  left_out_ = 0;
  has_errors_ = false;
  return std::exchange(diagnostics_, {});
}

std::string Quoted(std::string_view text) {
  const bool cut = text.size() > kLongestQuote;
  return absl::StrFormat("'%s%s'", CleanUtf8(text.substr(0, kLongestQuote), kLongestQuote), cut ? "..." : "");
}

}  // namespace pvebus::network
