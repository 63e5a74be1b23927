#pragma once

#include <string>

#include "network-service/core/apply.h"
#include "sdk/sqlite/database.h"
#include "sdk/sqlite/row.h"

namespace pvebus::network {

// A row of the table applies, with all of its columns.
ApplyRecord ReadApply(SqliteRow& row);
// The same as parameters from 1; number 0 is NULL. `warnings` are those of `record` as EncodeWarnings makes them. Requires: both
// live until the statement has run.
void BindApply(SqliteStatement& row, const ApplyRecord& record, const std::string& warnings);

// The column `state` of all applies that are under way, or over, as a list: "3, 4".
enum class Stage { kUnderWay, kOver };
std::string StatesOnDisk(Stage stage);

}  // namespace pvebus::network
