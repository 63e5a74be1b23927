#include "network-service/rpc/network_messages.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_format.h"
#include "network-service/core/printed_interfaces.h"
#include "network-service/rpc/network_event.h"
#include "sdk/base/utf8.h"
#include "sdk/client/proto_time.h"
#include "sdk/status/status.h"

namespace pvebus::network {
namespace {

using client::ToProto;

constexpr size_t kMostTextBytes = 4096;
constexpr size_t kMostOutputBytes = size_t{64} << 10;
// Together with the changes of an apply this is less than the 4 MiB that clients take.
constexpr size_t kMostWarningsBytes = size_t{256} << 10;
constexpr size_t kMostResultBytes = size_t{512} << 10;
constexpr size_t kMostDiagnosticsBytes = size_t{1} << 20;

v1::ApplyState StateOf(const ApplyRecord& record) {
  if (record.apply_id.empty()) return v1::APPLY_STATE_DRY_RUN;
  switch (record.state) {
    case ApplyState::kApplying:
      return v1::APPLY_STATE_APPLYING;
    case ApplyState::kAwaitingConfirmation:
      return v1::APPLY_STATE_AWAITING_CONFIRMATION;
    case ApplyState::kReverting:
      return v1::APPLY_STATE_REVERTING;
    case ApplyState::kCommitted:
      return v1::APPLY_STATE_COMMITTED;
    case ApplyState::kReverted:
      return v1::APPLY_STATE_REVERTED;
    case ApplyState::kFailed:
      return v1::APPLY_STATE_FAILED;
    case ApplyState::kUndoFailed:
      return v1::APPLY_STATE_UNDO_FAILED;
  }
  return v1::APPLY_STATE_UNSPECIFIED;
}

v1::ApplySource SourceOf(ApplySource source) {
  switch (source) {
    case ApplySource::kPending:
      return v1::APPLY_SOURCE_PENDING;
    case ApplySource::kRevert:
      return v1::APPLY_SOURCE_REVERT;
    case ApplySource::kSdn:
      return v1::APPLY_SOURCE_SDN;
    case ApplySource::kFile:
      return v1::APPLY_SOURCE_FILE;
    case ApplySource::kRestart:
      return v1::APPLY_SOURCE_RESTART;
  }
  return v1::APPLY_SOURCE_UNSPECIFIED;
}

v1::ApplyStep StepOf(ApplyStep step) {
  switch (step) {
    case ApplyStep::kLocking:
      return v1::APPLY_STEP_LOCKING;
    case ApplyStep::kChecking:
      return v1::APPLY_STEP_CHECKING;
    case ApplyStep::kCheckingSyntax:
      return v1::APPLY_STEP_CHECKING_SYNTAX;
    case ApplyStep::kInstalling:
      return v1::APPLY_STEP_INSTALLING;
    case ApplyStep::kReloading:
      return v1::APPLY_STEP_RELOADING;
    case ApplyStep::kVerifying:
      return v1::APPLY_STEP_VERIFYING;
    case ApplyStep::kUndoing:
      return v1::APPLY_STEP_UNDOING;
  }
  return v1::APPLY_STEP_UNSPECIFIED;
}

void SetStep(const ApplyProgress& progress, v1::Apply& apply) {
  apply.set_step(StepOf(progress.step));
  *apply.mutable_step_time() = ToProto(progress.since);
}

void SetReport(const ProgramReport& report, Detail detail, v1::ProgramReport& proto) {
  proto.set_exit_code(report.exit_code);
  proto.set_timed_out(report.timed_out);
  if (detail == Detail::kAll) proto.set_output(CleanUtf8End(report.output, kMostOutputBytes));
  *proto.mutable_duration() = ToProto(report.duration);
}

void SetError(const ApplyFailure& failure, bus::v1::ListenerError& error) {
  error.set_code(static_cast<int>(absl::StatusCode::kFailedPrecondition));
  error.set_reason(failure.reason);
  error.set_message(CleanUtf8(failure.message, kMostTextBytes));
}

std::string LeftOut(size_t count) { return absl::StrFormat("%d more are left out", count); }

void AddWarnings(const std::vector<std::string>& warnings, v1::Apply& apply) {
  size_t bytes = 0;
  for (size_t i = 0; i < warnings.size(); ++i) {
    std::string warning = CleanUtf8(warnings[i], kMostTextBytes);
    bytes += warning.size();
    if (bytes > kMostWarningsBytes) return apply.add_warnings(LeftOut(warnings.size() - i));
    apply.add_warnings(std::move(warning));
  }
}

// What costs most goes first; how many listeners there were is counted in the result itself.
void CutResult(bus::v1::PublishResult& result) {
  if (result.ByteSizeLong() <= kMostResultBytes) return;
  for (bus::v1::ListenerResult& row : *result.mutable_listener_results()) row.clear_hook_results();
  if (result.ByteSizeLong() > kMostResultBytes) result.clear_listener_results();
}

void SetPublication(const Publication& publication, v1::Publication& proto) {
  proto.set_kind(NameOf(publication.kind));
  proto.set_request_id(publication.request_id);
  proto.set_state(publication.published ? v1::PUBLICATION_STATE_PUBLISHED : v1::PUBLICATION_STATE_OWED);
  if (publication.result.empty()) return;
  proto.mutable_result()->ParseFromString(publication.result);
  CutResult(*proto.mutable_result());
}

v1::Diagnostic ToProto(const Diagnostic& diagnostic) {
  v1::Diagnostic proto;
  proto.set_severity(diagnostic.severity == Severity::kError ? v1::SEVERITY_ERROR : v1::SEVERITY_WARNING);
  proto.set_file(CleanUtf8(diagnostic.place.file, kMostTextBytes));
  proto.set_line(static_cast<uint32_t>(diagnostic.place.line));
  proto.set_message(CleanUtf8(diagnostic.message, kMostTextBytes));
  return proto;
}

}  // namespace

v1::Apply ToProto(const ApplyRecord& record, const std::optional<ApplyProgress>& progress,
                  const std::vector<Publication>& publications, Detail detail) {
  v1::Apply apply;
  apply.set_apply_id(record.apply_id);
  apply.set_state(StateOf(record));
  apply.set_source(SourceOf(record.source));
  if (progress && progress->apply_id == record.apply_id) SetStep(*progress, apply);
  *apply.mutable_create_time() = ToProto(record.begin_time);
  if (record.end_time) *apply.mutable_end_time() = ToProto(*record.end_time);
  if (record.confirm_until) *apply.mutable_confirm_expire_time() = ToProto(*record.confirm_until);
  apply.set_reason(CleanUtf8(record.reason, kMostTextBytes));
  apply.set_requested_by(CleanUtf8(record.requested_by, kMostTextBytes));
  apply.set_request_id(CleanUtf8(record.request_id, kMostTextBytes));
  apply.set_reverts_apply_id(record.reverts_apply_id);
  const std::vector<ConfigChange> changes = ChangesOf(record);
  apply.set_change_count(static_cast<uint32_t>(changes.size()));
  if (detail == Detail::kAll) *apply.mutable_changes() = ToProto(changes);
  AddWarnings(record.warnings, apply);
  if (record.reload) SetReport(*record.reload, detail, *apply.mutable_reload());
  if (!record.failure.reason.empty()) SetError(record.failure, *apply.mutable_error());
  for (const Publication& publication : publications) SetPublication(publication, *apply.add_publications());
  return apply;
}

v1::Apply ToProto(const ApplyProgress& progress) {
  v1::Apply apply;
  apply.set_apply_id(progress.apply_id);
  apply.set_request_id(CleanUtf8(progress.request_id, kMostTextBytes));
  apply.set_state(progress.step == ApplyStep::kUndoing ? v1::APPLY_STATE_REVERTING : v1::APPLY_STATE_APPLYING);
  SetStep(progress, apply);
  return apply;
}

google::protobuf::RepeatedPtrField<v1::Diagnostic> ToProto(std::vector<Diagnostic> diagnostics) {
  const auto is_error = [](const Diagnostic& diagnostic) { return diagnostic.severity == Severity::kError; };
  if (diagnostics.size() > kMostDiagnostics) std::stable_partition(diagnostics.begin(), diagnostics.end(), is_error);
  google::protobuf::RepeatedPtrField<v1::Diagnostic> protos;
  size_t bytes = 0;
  for (auto it = diagnostics.begin(); it != diagnostics.end(); ++it) {
    v1::Diagnostic proto = ToProto(*it);
    bytes += proto.ByteSizeLong();
    if (static_cast<size_t>(protos.size()) == kMostDiagnostics || bytes > kMostDiagnosticsBytes) {
      const bool errors = std::any_of(it, diagnostics.end(), is_error);
      proto.set_severity(errors ? v1::SEVERITY_ERROR : v1::SEVERITY_WARNING);
      proto.set_line(0);
      proto.set_message(LeftOut(static_cast<size_t>(diagnostics.end() - it)));
      *protos.Add() = std::move(proto);
      break;
    }
    *protos.Add() = std::move(proto);
  }
  return protos;
}

}  // namespace pvebus::network
