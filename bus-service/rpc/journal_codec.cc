#include "bus-service/rpc/journal_codec.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_format.h"
#include "bus-service/core/errors.h"
#include "bus-service/core/names.h"
#include "bus-service/rpc/event_codec.h"
#include "bus-service/rpc/listener_codec.h"
#include "bus-service/rpc/result_codec.h"
#include "bus-service/rpc/time_codec.h"

namespace pvebus::bus {
namespace {

constexpr int kMostListeners = 100;
constexpr int kMostLetters = 1000;

}  // namespace

event::v1::SystemEvent EncodeEventBriefly(const Event& event) {
  event::v1::SystemEvent brief = EncodeEvent(event);
  if (brief.has_network_applied()) brief.mutable_network_applied()->clear_changes();
  if (brief.has_custom()) brief.mutable_custom()->clear_data();
  return brief;
}

void EncodeProblem(const JournalProblem& problem, v1::JournalProblem& out) {
  out.set_part(problem.part);
  out.set_sequence(problem.sequence);
  out.set_message(problem.message);
}

void EncodeLoss(const Loss& loss, v1::JournalLoss& out) {
  *out.mutable_accept_time() = ToProto(loss.time);
  out.set_part(loss.part);
  out.set_first_sequence(loss.first);
  out.set_last_sequence(loss.last);
  out.set_message(loss.message);
}

void EncodeAttempt(const std::string& listener, const AttemptRecord& attempt, v1::DeliveryAttempt& out) {
  out.set_listener(listener);
  out.set_attempt(attempt.attempt);
  *out.mutable_end_time() = ToProto(attempt.end_time);
  out.set_instance_id(attempt.instance_id);
  EncodeError(attempt.error, *out.mutable_error());
  out.set_replay_id(attempt.replay_id);
}

void EncodeDeadLetter(const DeadLetter& letter, const std::string& redrive_id, bool whole, v1::DeadLetter& out) {
  out.set_dead_letter_id(letter.id);
  out.set_listener(letter.listener_name);
  *out.mutable_event() = whole ? EncodeEvent(*letter.event) : EncodeEventBriefly(*letter.event);
  *out.mutable_dead_letter_time() = ToProto(letter.time);
  if (letter.delivery.error) EncodeError(*letter.delivery.error, *out.mutable_error());
  out.set_attempt_count(letter.delivery.attempt);
  out.set_redrive_id(redrive_id);
  if (!whole) return;
  for (const AttemptRecord& attempt : letter.delivery.attempts) {
    EncodeAttempt(letter.listener_name, attempt, *out.add_attempts());
  }
  v1::ListenerResult hooks;  // as the listener's codec has stored them
  if (hooks.ParseFromString(letter.delivery.hook_results)) out.mutable_hook_results()->Swap(hooks.mutable_hook_results());
}

absl::Status CheckEnd(const StartPosition& start, Sequence end_sequence) {
  if (end_sequence == 0 || start.kind != StartPosition::Kind::kSequence || end_sequence >= start.sequence)
    return absl::OkStatus();
  return FieldInvalid("end_sequence", absl::StrFormat("%d is before start_position.sequence %d", end_sequence, start.sequence));
}

absl::StatusOr<Replayer::Command> DecodeReplay(const v1::ReplayEventsRequest& request) {
  using Kind = StartPosition::Kind;
  Replayer::Command command;
  if (request.listeners().empty() || request.listeners_size() > kMostListeners)
    return FieldInvalid("listeners", "must have 1 .. 100 names");
  std::set<std::string> seen;
  for (const std::string& name : request.listeners()) {
    if (auto status = CheckName("listeners", name); !status.ok()) return status;
    if (!seen.insert(name).second) return FieldInvalid("listeners", absl::StrFormat("has the name \"%s\" twice", name));
    command.listeners.push_back(name);
  }
  auto position = DecodeStartPosition("start_position", request.start_position());
  if (!position.ok()) return position.status();
  if (position->kind != Kind::kSequence && position->kind != Kind::kTime && position->kind != Kind::kEarliest)
    return FieldInvalid("start_position", "must be one of sequence, time, earliest");
  if (auto status = CheckEnd(*position, request.end_sequence()); !status.ok()) return status;
  command.from = *position;
  command.until = request.end_sequence();
  auto filter = Filter::ParseForEvents(request.filter());
  if (!filter.ok()) return filter.status();
  command.filter = *std::move(filter);
  auto types = DecodeEventTypes(request.event_types());
  if (!types.ok()) return types.status();
  command.event_types = *types;
  command.validate_only = request.validate_only();
  command.dry_run = request.dry_run();
  return command;
}

absl::StatusOr<DeadLetters::Selection> DecodeSelection(bool present, const v1::DeadLetterSelection& proto) {
  if (!present) return FieldInvalid("selection", "must be set; an empty one means all dead letters");
  if (proto.dead_letter_ids_size() > kMostLetters)
    return FieldInvalid("selection.dead_letter_ids", "must have at most 1000 entries");
  DeadLetters::Selection selection;
  selection.ids.assign(proto.dead_letter_ids().begin(), proto.dead_letter_ids().end());
  std::sort(selection.ids.begin(), selection.ids.end());
  selection.ids.erase(std::unique(selection.ids.begin(), selection.ids.end()), selection.ids.end());
  if (!selection.ids.empty() && selection.ids.front() == 0)
    return FieldInvalid("selection.dead_letter_ids", "has the value 0, which is no dead letter");
  auto filter = DeadLetters::ParseFilter(proto.filter());
  if (!filter.ok()) return filter.status();
  selection.filter = *std::move(filter);
  return selection;
}

}  // namespace pvebus::bus
