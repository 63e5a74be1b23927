#include "migration-service/core/errors.h"

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "sdk/base/error.h"
#include "sdk/base/utf8.h"

namespace pvebus::migration {
namespace {

using absl::StatusCode;

constexpr size_t kMostQuotedBytes = 100;

// What somebody sent, in a message.
std::string Quoted(std::string_view text) {
  return absl::StrFormat("\"%s%s\"", CleanUtf8(text, kMostQuotedBytes), text.size() > kMostQuotedBytes ? "..." : "");
}

std::map<std::string, std::string> FromTo(Phase from, Phase to) {
  return {{"from", std::string(PhaseName(from))}, {"to", std::string(PhaseName(to))}};
}

}  // namespace

absl::Status MethodInvalid(std::string_view method) {
  return MakeError(StatusCode::kInvalidArgument, "METHOD_INVALID",
                   absl::StrFormat("%s is no HTTP method such as GET", Quoted(method)), {{"field", "method"}});
}

absl::Status PathInvalid(std::string_view why) {
  return MakeError(StatusCode::kInvalidArgument, "PATH_INVALID", absl::StrFormat("the path is none: %s", why),
                   {{"field", "path"}});
}

absl::Status PatternInvalid(std::string_view pattern) {
  return MakeError(StatusCode::kInvalidArgument, "PATTERN_INVALID",
                   absl::StrFormat("%s is no pattern such as nodes/{node}/network*/**: 1 .. 32 segments of letters, digits and "
                                   "-_.~:@+,=",
                                   Quoted(pattern)),
                   {{"field", "pattern"}});
}

absl::Status OverrideInvalid(std::string_view line, std::string_view why) {
  return MakeError(StatusCode::kInvalidArgument, "OVERRIDE_INVALID", absl::StrFormat("override %s: %s", Quoted(line), why),
                   {{"field", "override"}});
}

absl::Status PhaseInvalid(int phase) {
  return MakeError(StatusCode::kInvalidArgument, "PHASE_INVALID",
                   absl::StrFormat("phase %d is not one that this service knows", phase), {{"field", "phase"}});
}

absl::Status ImplementationInvalid(int implementation) {
  return MakeError(StatusCode::kInvalidArgument, "IMPLEMENTATION_INVALID",
                   absl::StrFormat("implementation %d is not one of Implementation", implementation),
                   {{"field", "implementation"}});
}

absl::Status ResultInvalid(int result) {
  return MakeError(StatusCode::kInvalidArgument, "RESULT_INVALID", absl::StrFormat("result %d is not one of CallResult", result),
                   {{"field", "result"}});
}

absl::Status FieldTooLong(std::string_view field, size_t limit) {
  return MakeError(StatusCode::kInvalidArgument, "FIELD_TOO_LONG", absl::StrFormat("%s has more than %d bytes", field, limit),
                   {{"field", std::string(field)}, {"limit", std::to_string(limit)}});
}

absl::Status ReasonMissing(Phase from, Phase to) {
  auto metadata = FromTo(from, to);
  metadata["field"] = "reason";
  return MakeError(StatusCode::kInvalidArgument, "REASON_MISSING",
                   absl::StrFormat("to go from %s to %s with force needs a reason", PhaseName(from), PhaseName(to)), metadata);
}

absl::Status PhaseJump(Phase from, Phase to) {
  const auto next = PhaseAfter(from);
  return MakeError(StatusCode::kFailedPrecondition, "PHASE_JUMP",
                   absl::StrFormat("from %s it goes one step forward, to %s, and not to %s, unless with force and a reason",
                                   PhaseName(from), PhaseName(next.value_or(from)), PhaseName(to)),
                   FromTo(from, to));
}

absl::Status GatesClosed(Phase to, const std::vector<GateVerdict>& verdicts) {
  std::vector<std::string> gates;
  std::vector<std::string> said;
  for (const GateVerdict& verdict : verdicts) {
    if (verdict.open) continue;
    gates.push_back(verdict.gate);
    said.push_back(absl::StrFormat("%s: %s", verdict.gate, CleanUtf8(verdict.message, verdict.message.size())));
  }
  return MakeError(
      StatusCode::kFailedPrecondition, "GATES_CLOSED",
      absl::StrFormat("it is too early for %s, unless with force and a reason: %s", PhaseName(to), absl::StrJoin(said, "; ")),
      {{"to", std::string(PhaseName(to))}, {"gates", absl::StrJoin(gates, ",")}});
}

absl::Status RequestIdConflict(std::string_view request_id, Phase before) {
  return MakeError(StatusCode::kAlreadyExists, "REQUEST_ID_CONFLICT",
                   absl::StrFormat("request %s asked for %s before, not for this phase", Quoted(request_id), PhaseName(before)),
                   {{"field", "request_id"}, {"phase", std::string(PhaseName(before))}});
}

absl::Status EtagMismatch(std::string_view etag) {
  return MakeError(StatusCode::kAborted, "ETAG_MISMATCH", "the phase has changed meanwhile; look at it again",
                   {{"field", "etag"}, {"etag", std::string(etag)}});
}

absl::Status PhaseChanged(Phase expected, Phase found) {
  return MakeError(
      StatusCode::kAborted, "PHASE_CHANGED",
      absl::StrFormat("it was decided in %s, and now %s is in force; look at it again", PhaseName(expected), PhaseName(found)),
      {{"expected", std::string(PhaseName(expected))}, {"phase", std::string(PhaseName(found))}});
}

absl::Status StateNotNew() {
  return MakeError(StatusCode::kFailedPrecondition, "STATE_NOT_NEW",
                   "what an older version kept can only be taken over before anything else is kept");
}

}  // namespace pvebus::migration
