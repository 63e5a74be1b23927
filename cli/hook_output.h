#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "cli/table.h"
#include "pvebus/bus/v1/hook.pb.h"
#include "pvebus/bus/v1/types.pb.h"

namespace pvebus::cli {

using HookResultList = google::protobuf::RepeatedPtrField<bus::v1::HookResult>;

// How much is shown of what a program wrote that a hook ran: its last line beside the rest, or all of it below the row.
enum class ProgramOutput { kLastLine, kWhole };

// One row of a table for each thing that hooks did. A hook's details, which follow it, are indented below it by what they are
// about.
struct HookLine {
  std::string name;                 // "mount", "  storage/nas"
  std::string state;                // "CHANGED"
  std::string duration;             // empty: not measured
  std::string text;                 // "storage/nas a -> b: message, exit 3: the last line that the program wrote"
  std::vector<std::string> output;  // lines; empty unless the whole was asked for
};
std::vector<HookLine> LinesOf(const HookResultList& hooks, ProgramOutput output);
// Below the row of the line.
void AddOutput(const HookLine& line, Table& table);

// What one hook did, beside how it ended: "storage/nas a -> b: message, exit 3: the last line that the program wrote".
std::string FormatHookDetail(const bus::v1::HookResult& hook);

// A table of what hooks did for one event.
void PrintHookResults(const HookResultList& hooks, ProgramOutput output, std::ostream& out);

}  // namespace pvebus::cli
