#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "google/protobuf/timestamp.pb.h"
#include "pvebus/bus/v1/types.pb.h"
#include "pvebus/event/v1/event.pb.h"

namespace pvebus::cli {

// Options whose values are more than text. A bad value is a CLI::ValidationError that says what is allowed.

CLI::Option* AddDuration(CLI::App& app, const std::string& name, std::optional<std::chrono::milliseconds>& target,
                         const std::string& description);

// A number of things, at least one.
CLI::Option* AddCount(CLI::App& app, const std::string& name, uint64_t& target, const std::string& description);

// Each of `choices`; the index of the chosen one goes into `target`.
CLI::Option* AddChoice(CLI::App& app, const std::string& name, std::optional<size_t>& target, std::vector<std::string> choices,
                       const std::string& description);

// KEY=VALUE, repeatable.
CLI::Option* AddPairs(CLI::App& app, const std::string& name, std::vector<std::pair<std::string, std::string>>& target,
                      const std::string& description);

// --type: names of event types, comma separated or repeated.
CLI::Option* AddEventTypes(CLI::App& app, std::vector<event::v1::EventType>& target);

// A time, or how long ago ("-15m").
CLI::Option* AddMoment(CLI::App& app, const std::string& name, std::optional<google::protobuf::Timestamp>& target,
                       const std::string& description);

// Where in the journal: earliest, latest, a sequence number, a time, or how long ago ("-15m").
CLI::Option* AddPosition(CLI::App& app, const std::string& name, std::optional<bus::v1::StartPosition>& target,
                         const std::string& description);
// The same for a place where `latest` makes no sense: the beginning of what is done again.
CLI::Option* AddBeginning(CLI::App& app, const std::string& name, std::optional<bus::v1::StartPosition>& target,
                          const std::string& description);
// The same for one where `earliest` makes no sense.
CLI::Option* AddEnd(CLI::App& app, const std::string& name, std::optional<bus::v1::StartPosition>& target,
                    const std::string& description);

// A whole number that is not negative and nothing else.
std::optional<uint64_t> ParseNumber(const std::string& text);

}  // namespace pvebus::cli
