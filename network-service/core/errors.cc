#include "network-service/core/errors.h"

#include <cerrno>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "network-service/core/program_output.h"
#include "sdk/base/error.h"
#include "sdk/base/utf8.h"

namespace pvebus::network {
namespace {

using absl::StatusCode;

// Of errors, in a message.
constexpr int kMostSaid = 5;
// Of an id that is none: clients take 8 KiB of an error.
constexpr size_t kMostShownIdBytes = 64;

std::string PlaceText(const Place& place) {
  const std::string file = CleanUtf8(place.file, place.file.size());
  return place.line == 0 ? file : absl::StrFormat("%s:%d", file, place.line);
}

absl::Status AboutApply(StatusCode code, std::string_view reason, std::string_view message, std::string_view apply_id) {
  return MakeError(code, reason, message, {{"apply_id", std::string(apply_id)}});
}

std::string TextOf(int error) { return std::generic_category().message(error); }

}  // namespace

absl::Status ApplyInProgress(std::string_view apply_id) {
  return AboutApply(StatusCode::kAborted, "APPLY_IN_PROGRESS",
                    "the network is just being changed; try again when that is over: pvebus network history", apply_id);
}

absl::Status RecoveryPending() {
  return MakeError(StatusCode::kUnavailable, "RECOVERY_PENDING",
                   "what was applied before the service started cannot be read yet, so nothing is changed; the service logs why");
}

absl::Status ConfirmationPending(std::string_view apply_id) {
  return AboutApply(StatusCode::kFailedPrecondition, "CONFIRMATION_PENDING",
                    absl::StrFormat("apply %s awaits confirmation; first confirm or revert it", apply_id), apply_id);
}

absl::Status NothingStaged(std::string_view path) {
  return MakeError(StatusCode::kFailedPrecondition, "NOTHING_STAGED",
                   absl::StrFormat("there is nothing to apply: %s does not exist; stage changes there, or with Proxmox VE", path),
                   {{"path", std::string(path)}});
}

absl::Status StagedInvalid(const NetworkDiff& diff) {
  std::vector<std::string> said;
  int errors = 0;
  for (const Diagnostic& diagnostic : diff.diagnostics) {
    if (diagnostic.severity != Severity::kError) continue;
    if (++errors <= kMostSaid) said.push_back(absl::StrFormat("%s: %s", PlaceText(diagnostic.place), diagnostic.message));
  }
  const std::string more = errors > kMostSaid ? absl::StrFormat("; and %d more", errors - kMostSaid) : "";
  return MakeError(StatusCode::kFailedPrecondition, "STAGED_INVALID",
                   absl::StrFormat("the staged configuration has errors: %s%s", absl::StrJoin(said, "; "), more),
                   {{"errors", std::to_string(errors)}});
}

absl::Status SyntaxCheckFailed(const ProgramReport& report) {
  const std::string how = report.timed_out ? "did not end in time" : absl::StrFormat("ended with %d", report.exit_code);
  return MakeError(StatusCode::kFailedPrecondition, "SYNTAX_CHECK_FAILED",
                   absl::StrFormat("ifupdown2 refuses the configuration; its check %s: %s", how, EndOfOutput(report)),
                   {{"exit_code", std::to_string(report.exit_code)}});
}

absl::Status EtagMismatch(std::string_view etag) {
  return MakeError(StatusCode::kAborted, "ETAG_MISMATCH",
                   "the configuration, or what is staged, is not what it was any more; look at it again",
                   {{"field", "etag"}, {"etag", std::string(etag)}});
}

absl::Status ConfirmTimeoutInvalid() {
  return MakeError(StatusCode::kInvalidArgument, "CONFIRM_TIMEOUT_INVALID", "confirm_timeout has to be 1 s .. 24 h",
                   {{"field", "confirm_timeout"}});
}

absl::Status FieldTooLong(std::string_view field, size_t limit) {
  return MakeError(StatusCode::kInvalidArgument, "FIELD_TOO_LONG", absl::StrFormat("%s has more than %d bytes", field, limit),
                   {{"field", std::string(field)}, {"limit", std::to_string(limit)}});
}

absl::Status RequestIdInUse(std::string_view request_id) {
  return MakeError(StatusCode::kAlreadyExists, "REQUEST_ID_IN_USE",
                   absl::StrFormat("request_id %s was used for something else", Quoted(request_id)), {{"field", "request_id"}});
}

absl::Status ApplyNotFound(std::string_view apply_id) {
  return AboutApply(StatusCode::kNotFound, "APPLY_NOT_FOUND",
                    absl::StrFormat("there is no apply %s, or it is forgotten: pvebus network history", Quoted(apply_id)),
                    CleanUtf8(apply_id, kMostShownIdBytes));
}

absl::Status RequestNotFound(std::string_view request_id) {
  return MakeError(StatusCode::kNotFound, "APPLY_NOT_FOUND",
                   absl::StrFormat("no apply has the request_id %s, or it is forgotten", Quoted(request_id)),
                   {{"field", "request_id"}});
}

absl::Status NoSuchApply(int64_t number) {
  return MakeError(StatusCode::kNotFound, "APPLY_NOT_FOUND", absl::StrFormat("there is no apply with the number %d", number),
                   {{"number", std::to_string(number)}});
}

absl::Status NothingToConfirm() {
  return MakeError(StatusCode::kFailedPrecondition, "NOTHING_TO_CONFIRM", "no apply awaits confirmation");
}

absl::Status NothingToRevert() {
  return MakeError(StatusCode::kFailedPrecondition, "NOTHING_TO_REVERT", "nothing was applied that could be taken back");
}

absl::Status ApplyNotInForce(const ApplyRecord& record) {
  return AboutApply(StatusCode::kFailedPrecondition, "APPLY_NOT_IN_FORCE",
                    absl::StrFormat("apply %s is not in force: it is %s%s%s", record.apply_id, NameOf(record.state),
                                    record.failure.message.empty() ? "" : ": ", record.failure.message),
                    record.apply_id);
}

absl::Status ApplySuperseded(const ApplyRecord& record) {
  return AboutApply(StatusCode::kFailedPrecondition, "APPLY_SUPERSEDED",
                    absl::StrFormat("the configuration is not what apply %s made of it any more, so it cannot be taken back; "
                                    "stage what it should become",
                                    record.apply_id),
                    record.apply_id);
}

absl::Status NotRevertible(const ApplyRecord& record) {
  return AboutApply(StatusCode::kFailedPrecondition, "APPLY_NOT_REVERTIBLE",
                    absl::StrFormat("change %s was not made here (%s): who made it has the file that was before", record.apply_id,
                                    NameOf(record.source)),
                    record.apply_id);
}

absl::Status ConfigurationLocked(std::string_view path) {
  return MakeError(StatusCode::kUnavailable, "CONFIGURATION_LOCKED",
                   absl::StrFormat("somebody else is changing the network configuration: %s is locked", path),
                   {{"path", std::string(path)}});
}

absl::Status ConfigurationUnreadable(std::string_view path, std::string_view why) {
  return MakeError(StatusCode::kFailedPrecondition, "CONFIGURATION_UNREADABLE", absl::StrFormat("cannot read %s: %s", path, why),
                   {{"path", std::string(path)}});
}

absl::Status ConfigurationUnwatchable(std::string_view path, int error) {
  return MakeError(
      StatusCode::kFailedPrecondition, "CONFIGURATION_UNWATCHABLE",
      absl::StrFormat("changes of %s cannot be watched: %s (sysctl fs.inotify.max_user_instances)", path, TextOf(error)),
      {{"path", std::string(path)}});
}

absl::Status ConfigurationUnwritable(std::string_view path, int error) {
  if (error == ENOSPC || error == EDQUOT) {
    return MakeError(StatusCode::kResourceExhausted, "DISK_FULL",
                     absl::StrFormat("there is no room for %s: %s", path, TextOf(error)), {{"path", std::string(path)}});
  }
  return MakeError(StatusCode::kFailedPrecondition, "CONFIGURATION_UNWRITABLE",
                   absl::StrFormat("cannot write %s: %s", path, TextOf(error)), {{"path", std::string(path)}});
}

absl::Status Ifupdown2Missing(std::string_view path) {
  return MakeError(StatusCode::kFailedPrecondition, "IFUPDOWN2_MISSING",
                   absl::StrFormat("there is no program %s: it is of ifupdown2 (apt install ifupdown2)", path),
                   {{"path", std::string(path)}});
}

absl::Status PrivilegesMissing(uint32_t user_id) {
  return MakeError(StatusCode::kFailedPrecondition, "PRIVILEGES_MISSING",
                   absl::StrFormat("applying needs root: this service runs as the user with id %d", user_id),
                   {{"user_id", std::to_string(user_id)}});
}

absl::Status ProgramNotRun(std::string_view path, std::string_view why) {
  return MakeError(StatusCode::kFailedPrecondition, "PROGRAM_NOT_RUN", absl::StrFormat("%s %s", path, why),
                   {{"path", std::string(path)}});
}

absl::Status WaitStopped(std::string_view what) {
  return MakeError(StatusCode::kCancelled, "WAIT_STOPPED", absl::StrFormat("was stopped while it waited for %s", what));
}

absl::Status UndoneApply(const ApplyRecord& record) {
  if (IsUnderWay(record.state)) {
    return UndoUnfinished(record.apply_id,
                          record.failure.message.empty() ? "it could not be undone yet" : record.failure.message);
  }
  if (record.state == ApplyState::kUndoFailed) {
    return MakeError(StatusCode::kInternal, "UNDO_FAILED", record.failure.message,
                     {{"apply_id", record.apply_id}, {"cause", record.failure.reason}});
  }
  return AboutApply(StatusCode::kFailedPrecondition, record.failure.reason,
                    absl::StrFormat("%s; the old configuration is back", record.failure.message), record.apply_id);
}

absl::Status UndoUnfinished(std::string_view apply_id, std::string_view why) {
  return AboutApply(StatusCode::kInternal, "UNDO_FAILED", absl::StrFormat("%s; it is tried again until it works", why), apply_id);
}

}  // namespace pvebus::network
