#include "bus-service/store/statements.h"

namespace pvebus::bus {

absl::Status Statements::Prepare(std::initializer_list<const char*> all) {
  for (const char* sql : all) {
    auto statement = SqliteStatement::Prepare(database_, sql);
    if (!statement.ok()) return statement.status();
    statements_.push_back(*std::move(statement));
  }
  return absl::OkStatus();
}

}  // namespace pvebus::bus
