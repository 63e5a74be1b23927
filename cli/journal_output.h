#pragma once

#include <ostream>
#include <string>

#include "pvebus/bus/v1/journal_service.pb.h"

namespace pvebus::cli {

// The state of the journal for eyes: what is wrong first, and what to do about it.
void PrintJournalStatus(const bus::v1::GetJournalStatusResponse& status, std::ostream& out);

// What is damaged, a row each, and what to do; nothing when nothing is.
void PrintProblems(const google::protobuf::RepeatedPtrField<bus::v1::JournalProblem>& problems, std::ostream& out);

}  // namespace pvebus::cli
