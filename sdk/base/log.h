#pragma once

#include <string>
#include <string_view>

#include "absl/strings/str_format.h"

namespace pvebus {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// Where log lines go: one line per change of state, `key=value`, with the id of what changed. Any thread.
class Logger {
 public:
  virtual ~Logger() = default;
  virtual void Write(LogLevel level, std::string_view line) = 0;

  template <typename... Args>
  void Info(const absl::FormatSpec<Args...>& format, const Args&... args) {
    Write(LogLevel::kInfo, absl::StrFormat(format, args...));
  }
  template <typename... Args>
  void Warning(const absl::FormatSpec<Args...>& format, const Args&... args) {
    Write(LogLevel::kWarning, absl::StrFormat(format, args...));
  }
  template <typename... Args>
  void Error(const absl::FormatSpec<Args...>& format, const Args&... args) {
    Write(LogLevel::kError, absl::StrFormat(format, args...));
  }
};

// Says nothing.
class NullLogger final : public Logger {
 public:
  void Write(LogLevel, std::string_view) override {}
};

}  // namespace pvebus
