#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pvebus::network {

enum class Severity {
  kWarning,  // it can be applied, but probably does not mean what its author meant
  kError,    // it cannot be applied
};

// Where something stands.
struct Place {
  std::string file;  // in bytes of the file system
  size_t line = 0;   // 0: the whole file

  bool operator==(const Place&) const = default;
};

struct Diagnostic {
  Severity severity = Severity::kError;
  Place place;
  std::string message;  // what is wrong and what would be right; valid UTF-8

  bool operator==(const Diagnostic&) const = default;
};

// All errors and warnings but one that counts the rest.
inline constexpr size_t kMostDiagnostics = 1000;

// Gathers what there is to say about a configuration, and not more than somebody reads. One thread.
class Diagnostics {
 public:
  void Error(const Place& place, std::string message) { Add(Severity::kError, place, std::move(message)); }
  void Warn(const Place& place, std::string message) { Add(Severity::kWarning, place, std::move(message)); }
  void Add(Severity severity, const Place& place, std::string message);

  // Whether one more would be left out: who makes costly messages asks before.
  bool full() const { return diagnostics_.size() >= kMostDiagnostics; }
  // Also of those that were left out.
  bool has_errors() const { return has_errors_; }

  // In the order in which they came. Leaves this empty.
  std::vector<Diagnostic> Take();

 private:
  std::vector<Diagnostic> diagnostics_;
  size_t left_out_ = 0;
  bool has_errors_ = false;
};

// For messages: 'text', cut when it is long, valid UTF-8.
std::string Quoted(std::string_view text);

}  // namespace pvebus::network
