#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "pvebus/bus/v1/dead_letter_service.pb.h"

namespace pvebus::cli {

// Which dead letters a command is about: exactly one of ids, a filter, and all of them said aloud.
struct DeadLetterArguments {
  std::vector<std::string> ids;
  std::string filter;
  bool all = false;

  // CLI::ParseError that says what to do when nothing was selected, or an id is none. `verb` is "redrive" or "discard".
  bus::v1::DeadLetterSelection ToSelection(const std::string& verb) const;
};

// [ID...], --filter and --all.
void AddDeadLetterSelection(CLI::App& command, DeadLetterArguments& arguments);

// CLI::ValidationError that says what an id looks like.
uint64_t ParseDeadLetterId(const std::string& text);

}  // namespace pvebus::cli
