#include "bus-service/rpc/dead_letter_rpc.h"

#include <algorithm>

#include "bus-service/core/errors.h"
#include "bus-service/core/names.h"
#include "bus-service/rpc/dead_letter_page.h"
#include "bus-service/rpc/journal_codec.h"
#include "bus-service/rpc/later_answer.h"

namespace pvebus::bus {
namespace {

constexpr size_t kMaxReasonBytes = 1024;

}  // namespace

DeadLetterRpc::DeadLetterRpc(Bus& bus, EventLoop& loop) : bus_(bus), loop_(loop) {
  auto* queue = loop.queue();
  methods_.Add<v1::ListDeadLettersRequest>(
      [this, queue](auto* context, auto* request, auto* responder, void* tag) {
        service_.RequestListDeadLetters(context, request, responder, queue, queue, tag);
      },
      [this](UnaryCall& call, v1::ListDeadLettersRequest& request) { DeadLetterPage::Start(call, std::move(request), bus_); });
  methods_.Add<v1::GetDeadLetterRequest>(
      [this, queue](auto* context, auto* request, auto* responder, void* tag) {
        service_.RequestGetDeadLetter(context, request, responder, queue, queue, tag);
      },
      [this](UnaryCall& call, const v1::GetDeadLetterRequest& request) { GetDeadLetter(call, request); });
  methods_.Add<v1::RedriveDeadLettersRequest>(
      [this, queue](auto* context, auto* request, auto* responder, void* tag) {
        service_.RequestRedriveDeadLetters(context, request, responder, queue, queue, tag);
      },
      [this](UnaryCall& call, const v1::RedriveDeadLettersRequest& request) { RedriveDeadLetters(call, request); });
  methods_.Add<v1::DiscardDeadLettersRequest>(
      [this, queue](auto* context, auto* request, auto* responder, void* tag) {
        service_.RequestDiscardDeadLetters(context, request, responder, queue, queue, tag);
      },
      [this](UnaryCall& call, const v1::DiscardDeadLettersRequest& request) { DiscardDeadLetters(call, request); });
}

void DeadLetterRpc::GetDeadLetter(UnaryCall& call, const v1::GetDeadLetterRequest& request) {
  if (request.dead_letter_id() == 0) return call.Fail(FieldInvalid("dead_letter_id", "must be at least 1"));
  const LaterAnswer answer(call);
  bus_.dead_letters().Get(request.dead_letter_id(), [this, answer](const absl::StatusOr<DeadLetter>& letter) {
    if (answer.over()) return;
    if (!letter.ok()) return answer.Fail(letter.status());
    v1::GetDeadLetterResponse response;
    EncodeDeadLetter(*letter, bus_.dead_letters().RedriveOf(*letter), true, *response.mutable_dead_letter());
    answer.Reply(response);
  });
}

void DeadLetterRpc::RedriveDeadLetters(UnaryCall& call, const v1::RedriveDeadLettersRequest& request) {
  auto selection = DecodeSelection(request.has_selection(), request.selection());
  if (!selection.ok()) return call.Fail(selection.status());
  if (auto status = bus_.CheckWritable(); !status.ok() && !request.validate_only()) return call.Fail(status);
  const LaterAnswer answer(call);
  bus_.dead_letters().Redrive(*std::move(selection), request.validate_only(),
                              [answer](const absl::StatusOr<DeadLetters::Redriven>& redriven) {
                                if (!redriven.ok()) return answer.Fail(redriven.status());
                                v1::RedriveDeadLettersResponse response;
                                response.set_redrive_id(redriven->redrive_id);
                                response.set_redriven_count(redriven->count);
                                answer.Reply(response);
                              });
}

void DeadLetterRpc::DiscardDeadLetters(UnaryCall& call, const v1::DiscardDeadLettersRequest& request) {
  auto selection = DecodeSelection(request.has_selection(), request.selection());
  if (!selection.ok()) return call.Fail(selection.status());
  if (request.reason().empty()) return call.Fail(FieldInvalid("reason", "must be given: it is all that is left, in the log"));
  if (auto status = CheckLength("reason", request.reason(), kMaxReasonBytes); !status.ok()) return call.Fail(status);
  if (auto status = bus_.CheckWritable(); !status.ok() && !request.validate_only()) return call.Fail(status);
  const LaterAnswer answer(call);
  bus_.dead_letters().Discard(*std::move(selection), request.reason(), request.validate_only(),
                              [answer](const absl::StatusOr<uint64_t>& discarded) {
                                if (!discarded.ok()) return answer.Fail(discarded.status());
                                v1::DiscardDeadLettersResponse response;
                                response.set_discarded_count(*discarded);
                                answer.Reply(response);
                              });
}

}  // namespace pvebus::bus
