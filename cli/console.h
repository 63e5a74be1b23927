#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <ostream>
#include <string>

namespace pvebus::cli {

enum class OutputFormat { kTable, kJson };

// What the program ends with.
enum ExitCode : int {
  kAllSucceeded = 0,
  kListenerFailed = 1,  // or is pending, or the journal is damaged
  kUsageError = 2,
  kRefused = 3,  // the bus is unreachable, or refused
};

// Where a command writes. `out` is what was asked for, `err` is about it.
struct Console {
  std::ostream& out;
  std::ostream& err;
  bool err_is_terminal = false;
  OutputFormat format = OutputFormat::kTable;

  bool json() const { return format == OutputFormat::kJson; }
};

// The options that every command has.
struct GlobalOptions {
  std::string bus = "127.0.0.1:7400";
  std::optional<std::chrono::milliseconds> timeout;

  std::chrono::milliseconds TimeoutOr(std::chrono::milliseconds fallback) const { return timeout.value_or(fallback); }
};

// Runs after the whole command line has been understood; returns the exit code.
using Action = std::function<int(const GlobalOptions&, Console&)>;

}  // namespace pvebus::cli
