#pragma once

#include <ostream>
#include <string>

#include "cli/console.h"
#include "cli/hook_output.h"
#include "pvebus/bus/v1/bus_service.pb.h"

namespace pvebus::cli {

// One word of a contract's enum: "DELIVERY_STATE_SUCCEEDED" -> "SUCCEEDED".
std::string ShortName(const std::string& enum_value_name);

// The header lines and one row per listener, its hooks indented below.
void PrintResult(const bus::v1::PublishResult& result, std::ostream& out);
// The header lines and who gets it: for one who did not ask to wait for anybody.
void PrintReceivers(const bus::v1::PublishResult& result, std::ostream& out);

// The parts of the above: the outcome as in "PARTIAL: 3 of 4 listeners succeeded, 1 failed", and the table with a row per
// listener, which begins with an empty line and is left out when there is none.
std::string FormatOutcome(const bus::v1::PublishResult& result);
void PrintListenerResults(const bus::v1::PublishResult& result, ProgramOutput output, std::ostream& out);

// 0 when everybody succeeded or nobody wanted the event, 1 when some listener failed or is pending.
ExitCode ExitCodeOf(const bus::v1::PublishResult& result);
// The same, for one who asked only for the journal: a pending row is what was expected.
ExitCode ExitCodeOfDurable(const bus::v1::PublishResult& result);

// An error in one line: "UNAVAILABLE NFS_DOWN: mount does not answer". Empty for none.
std::string FormatError(const bus::v1::ListenerError& error);

}  // namespace pvebus::cli
