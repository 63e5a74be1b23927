#include "cli/options.h"

#include <algorithm>
#include <charconv>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/duration.h"
#include "sdk/base/nearest.h"
#include "sdk/client/proto_time.h"
#include "sdk/events/names.h"

namespace pvebus::cli {
namespace {

constexpr uint64_t kMostCounted = 1'000'000'000;

void Refuse(const std::string& option, const std::string& why) { throw CLI::ValidationError(option, why); }

std::string Text(const absl::Status& status) { return std::string(status.message()); }

// "-15m": so long ago. What is no duration is no time either, and refused as such.
std::optional<google::protobuf::Timestamp> ParseAgo(const std::string& text) {
  if (!text.starts_with('-')) return std::nullopt;
  const auto age = ParseDuration(std::string_view(text).substr(1));
  if (!age.ok()) return std::nullopt;
  return client::ToProto(std::chrono::system_clock::now() - *age);
}

// A time, or how long ago. Empty: neither.
std::optional<google::protobuf::Timestamp> ParseMoment(const std::string& text) {
  if (auto ago = ParseAgo(text)) return ago;
  auto time = ParseTime(text);
  return time.ok() ? std::optional(*std::move(time)) : std::nullopt;
}

// `words`: which of earliest and latest are allowed.
bus::v1::StartPosition ParsePosition(const std::string& option, const std::string& text, const std::vector<std::string>& words) {
  bus::v1::StartPosition position;
  const bool word = std::find(words.begin(), words.end(), text) != words.end();
  if (word && text == "earliest") {
    position.set_earliest(true);
  } else if (word) {
    position.set_latest(true);
  } else if (const auto sequence = ParseNumber(text)) {
    position.set_sequence(*sequence);
  } else if (const auto time = ParseMoment(text)) {
    *position.mutable_time() = *time;
  } else {
    Refuse(option, absl::StrFormat("'%s' is no position%s; allowed: %s, a sequence number, a time such as "
                                   "2026-11-23T12:00:00Z or '2026-11-23 13:00', or how long ago, such as -15m",
                                   text, DidYouMean(text, words), absl::StrJoin(words, ", ")));
  }
  return position;
}

CLI::Option* AddPositionOf(CLI::App& app, const std::string& name, std::optional<bus::v1::StartPosition>& target,
                           const std::string& description, std::vector<std::string> words) {
  const std::string type_name = absl::StrJoin(words, "|") + "|SEQUENCE|TIME|-AGE";
  const auto set = [&target, name, words = std::move(words)](const std::string& text) {
    target = ParsePosition(name, text, words);
  };
  return app.add_option_function<std::string>(name, set, description)->type_name(type_name);
}

}  // namespace

CLI::Option* AddDuration(CLI::App& app, const std::string& name, std::optional<std::chrono::milliseconds>& target,
                         const std::string& description) {
  const auto set = [&target, name](const std::string& text) {
    const auto duration = ParseDuration(text);
    if (!duration.ok()) Refuse(name, Text(duration.status()));
    target = *duration;
  };
  return app.add_option_function<std::string>(name, set, description)->type_name("DURATION");
}

CLI::Option* AddCount(CLI::App& app, const std::string& name, uint64_t& target, const std::string& description) {
  return app.add_option(name, target, description)->check(CLI::Range(uint64_t{1}, kMostCounted))->type_name("N");
}

CLI::Option* AddChoice(CLI::App& app, const std::string& name, std::optional<size_t>& target, std::vector<std::string> choices,
                       const std::string& description) {
  const std::string type_name = absl::StrJoin(choices, "|");
  const auto set = [&target, name, choices = std::move(choices)](const std::string& text) {
    const auto it = std::find(choices.begin(), choices.end(), text);
    if (it == choices.end()) {
      Refuse(name, absl::StrFormat("'%s' is not allowed%s; allowed: %s", text, DidYouMean(text, choices),
                                   absl::StrJoin(choices, ", ")));
    }
    target = it - choices.begin();
  };
  return app.add_option_function<std::string>(name, set, description)->type_name(type_name);
}

CLI::Option* AddPairs(CLI::App& app, const std::string& name, std::vector<std::pair<std::string, std::string>>& target,
                      const std::string& description) {
  const auto set = [&target, name](const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      const size_t equals = text.find('=');
      if (equals == std::string::npos || equals == 0) Refuse(name, absl::StrFormat("'%s' is not KEY=VALUE", text));
      target.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
  };
  return app.add_option_function<std::vector<std::string>>(name, set, description)
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

CLI::Option* AddEventTypes(CLI::App& app, std::vector<event::v1::EventType>& target) {
  const auto set = [&target](const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      const auto type = events::ParseEventType(name);
      if (!type.ok()) Refuse("--type", Text(type.status()));
      target.push_back(*type);
    }
  };
  return app
      .add_option_function<std::vector<std::string>>("--type,--types", set,
                                                     "Only these kinds of events, comma separated (default: all)")
      ->type_name("KIND,...")
      ->delimiter(',')
      ->allow_extra_args(false);
}

CLI::Option* AddMoment(CLI::App& app, const std::string& name, std::optional<google::protobuf::Timestamp>& target,
                       const std::string& description) {
  const auto set = [&target, name](const std::string& text) {
    target = ParseMoment(text);
    if (target) return;
    Refuse(name, absl::StrFormat("'%s' is no time, such as 2026-11-23T12:00:00Z or '2026-11-23 13:00', and not how long ago, "
                                 "such as -15m",
                                 text));
  };
  return app.add_option_function<std::string>(name, set, description)->type_name("TIME|-AGE");
}

CLI::Option* AddPosition(CLI::App& app, const std::string& name, std::optional<bus::v1::StartPosition>& target,
                         const std::string& description) {
  return AddPositionOf(app, name, target, description, {"earliest", "latest"});
}

CLI::Option* AddBeginning(CLI::App& app, const std::string& name, std::optional<bus::v1::StartPosition>& target,
                          const std::string& description) {
  return AddPositionOf(app, name, target, description, {"earliest"});
}

CLI::Option* AddEnd(CLI::App& app, const std::string& name, std::optional<bus::v1::StartPosition>& target,
                    const std::string& description) {
  return AddPositionOf(app, name, target, description, {"latest"});
}

std::optional<uint64_t> ParseNumber(const std::string& text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace pvebus::cli
