#pragma once

#include "bus-service/core/bus.h"
#include "bus-service/rpc/unary_call.h"
#include "pvebus/bus/v1/journal_service.pb.h"

namespace pvebus::bus {

// How the journal does, and what an operator should do about it. The bus's thread.
v1::GetJournalStatusResponse EncodeJournalStatus(Bus& bus);
// Answers GetJournalStatus, which also says how old the oldest event is.
void AnswerJournalStatus(UnaryCall& call, Bus& bus);

}  // namespace pvebus::bus
