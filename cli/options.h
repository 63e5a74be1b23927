#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "pvebus/bus/v1/types.pb.h"
#include "pvebus/event/v1/event.pb.h"

namespace pvebus::cli {

// Options whose values are more than text. A bad value is a CLI::ValidationError that says what is allowed.

CLI::Option* AddDuration(CLI::App& app, const std::string& name, std::optional<std::chrono::milliseconds>& target,
                         const std::string& description);

// Each of `choices`; the index of the chosen one goes into `target`.
CLI::Option* AddChoice(CLI::App& app, const std::string& name, std::optional<size_t>& target, std::vector<std::string> choices,
                       const std::string& description);

// KEY=VALUE, repeatable.
CLI::Option* AddPairs(CLI::App& app, const std::string& name, std::vector<std::pair<std::string, std::string>>& target,
                      const std::string& description);

// Names of event types, comma separated or repeated.
CLI::Option* AddEventTypes(CLI::App& app, std::vector<event::v1::EventType>& target);

// earliest, latest, a sequence number, or a time.
CLI::Option* AddPosition(CLI::App& app, const std::string& name, std::optional<bus::v1::StartPosition>& target,
                         const std::string& description);

}  // namespace pvebus::cli
