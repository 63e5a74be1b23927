#pragma once

#include "cli/console.h"

namespace pvebus::cli {

// `pvebus journal verify`: has the bus check its journal, says how far it is, and what is damaged.
int VerifyJournal(const GlobalOptions& global, Console& console);

}  // namespace pvebus::cli
