#pragma once

#include "sdk/sqlite/schema.h"

namespace pvebus::network {

// The tables of network.db:
//   applies       the records of applies
//   publications  what the bus must hear or has heard of them, in order; a notice is one that it has not taken yet
//   known         the configuration that is in force, as far as the bus was told: one row, or none
// Its errors are NETWORK_STATE_FOREIGN, _NEWER, _DAMAGED, _FULL and _UNUSABLE.
SqliteSchema ApplySchema();

}  // namespace pvebus::network
