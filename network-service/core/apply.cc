#include "network-service/core/apply.h"

namespace pvebus::network {

std::string RequestIdOf(NoticeKind kind, const std::string& apply_id) {
  switch (kind) {
    case NoticeKind::kApplied:
      return "network-applied/" + apply_id;
    case NoticeKind::kReverted:
      return "network-reverted/" + apply_id;
    case NoticeKind::kFailed:
      return "network-apply-failed/" + apply_id;
  }
  return {};
}

bool IsUnderWay(ApplyState state) {
  return state == ApplyState::kApplying || state == ApplyState::kAwaitingConfirmation || state == ApplyState::kReverting;
}

std::string NameOf(ApplyState state) {
  switch (state) {
    case ApplyState::kApplying:
      return "APPLYING";
    case ApplyState::kAwaitingConfirmation:
      return "AWAITING_CONFIRMATION";
    case ApplyState::kReverting:
      return "REVERTING";
    case ApplyState::kCommitted:
      return "COMMITTED";
    case ApplyState::kReverted:
      return "REVERTED";
    case ApplyState::kFailed:
      return "FAILED";
    case ApplyState::kUndoFailed:
      return "UNDO_FAILED";
  }
  return {};
}

std::string NameOf(ApplySource source) {
  switch (source) {
    case ApplySource::kPending:
      return "PENDING";
    case ApplySource::kRevert:
      return "REVERT";
    case ApplySource::kSdn:
      return "SDN";
    case ApplySource::kFile:
      return "FILE";
    case ApplySource::kRestart:
      return "RESTART";
  }
  return {};
}

}  // namespace pvebus::network
