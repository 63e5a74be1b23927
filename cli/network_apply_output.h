#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include <ostream>
#include <string>

#include "cli/console.h"
#include "pvebus/network/v1/network_service.pb.h"

namespace pvebus::cli {

using ApplyList = google::protobuf::RepeatedPtrField<network::v1::Apply>;

// One apply: how it stands, what changed, how the reload went, what every listener said.
void PrintApply(const network::v1::Apply& apply, std::ostream& out);
// What an operator asks why about: the whole output of the reload.
void PrintReloadOutput(const network::v1::Apply& apply, std::ostream& out);
// A table with a row each.
void PrintApplies(const ApplyList& applies, std::ostream& out);

void PrintChanges(const google::protobuf::RepeatedPtrField<event::v1::ConfigChange>& changes, std::ostream& out);
// One line each, FILE:LINE first, as compilers do.
void PrintDiagnostics(const google::protobuf::RepeatedPtrField<network::v1::Diagnostic>& diagnostics, std::ostream& out);

// What it is doing, for a line of progress: "ifreload -a brings the network to it".
std::string StepInWords(const network::v1::Apply& apply);

// Of one that is in force, or went well: 1 when a listener of its events failed or is pending, or when the bus does not have
// them.
ExitCode ExitCodeOf(const network::v1::Apply& apply);

}  // namespace pvebus::cli
