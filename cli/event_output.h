#pragma once

#include <ostream>
#include <string>

#include "cli/console.h"
#include "cli/facts.h"
#include "pvebus/bus/v1/journal_service.pb.h"
#include "pvebus/event/v1/event.pb.h"

namespace pvebus::cli {

// How events are written one after the other: for eyes, in the contract's JSON, in the original project's JSON.
enum class EventLayout { kLine, kJson, kOriginal };
EventLayout LayoutFor(bool original, const Console& console);

// One event in one line for eyes: time, number, kind, what happened, and what else its envelope says.
std::string FormatEvent(const event::v1::SystemEvent& event);

// One event, one line, at once.
void PrintEventLine(const event::v1::SystemEvent& event, EventLayout layout, std::ostream& out);

// Events that were passed because they are lost: beside the events, not among them.
void PrintLost(const bus::v1::LostEvents& lost, Console& console);

// Everything that an event says, a line per fact; a long payload is cut.
void AddEventFacts(const event::v1::SystemEvent& event, const Facts& facts);

}  // namespace pvebus::cli
