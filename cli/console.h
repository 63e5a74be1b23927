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
  kListenerFailed = 1,  // or a hook, or is pending, or what was asked about is not as it should be
  kUsageError = 2,
  kRefused = 3,  // the server is unreachable, or refused
};

// Where a command writes. `out` is what was asked for, `err` is about it.
struct Console {
  std::ostream& out;
  std::ostream& err;
  bool err_is_terminal = false;
  OutputFormat format = OutputFormat::kTable;

  bool json() const { return format == OutputFormat::kJson; }
};

// The server that a command asks, in the words of its messages.
struct Server {
  std::string name = "the bus";
  std::string address = "127.0.0.1:7400";
  std::string named_by = "--bus or PVEBUS_BUS";
  std::string when_late = "see what the bus is busy with: `pvebus listeners`";
};

// The options that every command has. The server is the bus, unless a command asks another one.
struct GlobalOptions {
  Server server;
  std::optional<std::chrono::milliseconds> timeout;

  std::chrono::milliseconds TimeoutOr(std::chrono::milliseconds fallback) const { return timeout.value_or(fallback); }
};

// Runs after the whole command line has been understood; returns the exit code.
using Action = std::function<int(const GlobalOptions&, Console&)>;

}  // namespace pvebus::cli
