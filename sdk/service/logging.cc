#include "sdk/service/logging.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "grpc/support/log.h"
#include "sdk/base/error.h"
#include "sdk/base/utf8.h"
#include "spdlog/pattern_formatter.h"
#include "spdlog/sinks/stdout_sinks.h"
#include "spdlog/spdlog.h"

namespace pvebus::service {
namespace {

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

// %* in a pattern: the line, escaped.
class EscapedLine final : public spdlog::custom_flag_formatter {
 public:
  explicit EscapedLine(bool json) : json_(json) {}
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    const std::string_view line(message.payload.data(), message.payload.size());
    const std::string escaped = json_ ? EscapeForJson(line) : EscapeForText(line);
    out.append(escaped.data(), escaped.data() + escaped.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<EscapedLine>(json_); }

 private:
  const bool json_;
};

class SpdlogLogger final : public Logger {
 public:
  explicit SpdlogLogger(std::shared_ptr<spdlog::logger> logger) : logger_(std::move(logger)) {}
  void Write(LogLevel level, std::string_view line) override {
    logger_->log(ToSpdlog(level), spdlog::string_view_t(line.data(), line.size()));
  }

 private:
  const std::shared_ptr<spdlog::logger> logger_;
};

void WriteGrpcLine(gpr_log_func_args* args) {
  // What gRPC calls an error is mostly a peer that went away.
  const spdlog::level::level_enum level = args->severity == GPR_LOG_SEVERITY_ERROR ? spdlog::level::warn : spdlog::level::debug;
  spdlog::default_logger_raw()->log(level, "grpc: {}", args->message);
}

std::string EscapeControl(char c) {
  switch (c) {
    case '\n':
      return "\\n";
    case '\t':
      return "\\t";
    case '\r':
      return "\\r";
    default:
      return absl::StrFormat("\\u%04x", static_cast<unsigned char>(c));
  }
}

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

}  // namespace

absl::StatusOr<std::unique_ptr<Logger>> MakeLogger(const ServiceOptions& options) {
  const spdlog::level::level_enum level = spdlog::level::from_str(options.log_level);
  if (level == spdlog::level::off) {
    return MakeError(absl::StatusCode::kInvalidArgument, "LOG_LEVEL_INVALID",
                     absl::StrFormat("'%s' is no log level: debug, info, warning, error", options.log_level));
  }
  if (options.log_format != "text" && options.log_format != "json") {
    return MakeError(absl::StatusCode::kInvalidArgument, "LOG_FORMAT_INVALID",
                     absl::StrFormat("'%s' is no log format: text, json", options.log_format));
  }

  const bool json = options.log_format == "json";
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<EscapedLine>('*', json);
  formatter->set_pattern(json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":"%*"})"
                              : "%Y-%m-%dT%H:%M:%S.%eZ %l %*");
  auto logger = std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_formatter(std::move(formatter));
  logger->set_level(level);
  logger->flush_on(spdlog::level::trace);

  spdlog::set_default_logger(logger);
  gpr_set_log_function(WriteGrpcLine);
  return std::make_unique<SpdlogLogger>(std::move(logger));
}

std::string EscapeForText(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    if (IsControl(c)) {
      escaped += EscapeControl(c);
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string EscapeForJson(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size() + 8);
  for (size_t at = 0; at < text.size();) {
    const size_t length = Utf8Length(text, at);
    if (length == 0) {
      escaped += "\\ufffd";
      ++at;
      continue;
    }
    const char c = text[at];
    if (IsControl(c)) {
      escaped += EscapeControl(c);
    } else if (c == '"' || c == '\\') {
      escaped += '\\';
      escaped += c;
    } else {
      escaped += text.substr(at, length);
    }
    at += length;
  }
  return escaped;
}

}  // namespace pvebus::service
