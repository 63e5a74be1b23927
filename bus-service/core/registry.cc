#include "bus-service/core/registry.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "bus-service/core/errors.h"
#include "bus-service/core/names.h"
#include "sdk/base/error.h"
#include "sdk/base/nearest.h"

namespace pvebus::bus {
namespace {

ListenerError GoneError() {
  return {14, "LISTENER_GONE", "the ephemeral listener left before it had handled the event", {}, false};
}
ListenerError DeletedError() { return {10, "LISTENER_DELETED", "an operator deleted the listener", {}, false}; }

}  // namespace

ListenerState ListenerRecord::State() const {
  if (subscription->paused()) return ListenerState::kPaused;
  if (!holder) return lease_expired ? ListenerState::kLeaseExpired : ListenerState::kDisconnected;
  if (holder->draining()) return ListenerState::kDraining;
  return subscription->BlockedReason().empty() ? ListenerState::kConnected : ListenerState::kBlocked;
}

std::string ListenerRecord::StateReason() const {
  if (subscription->paused()) return pause_reason;
  return holder ? subscription->BlockedReason() : std::string();
}

std::string ListenerRecord::Etag() const { return absl::StrFormat("%d-%d", epoch, version); }

absl::Status Registry::CheckHolder(const ListenerRecord& record, const Registration& registration) const {
  if (!record.holder || registration.conflict_policy == ConflictPolicy::kTakeoverForce) return absl::OkStatus();
  const Session& holder = *record.holder;
  if (registration.conflict_policy != ConflictPolicy::kRefuse && !registration.instance_id.empty() &&
      registration.instance_id == holder.instance_id()) {
    return absl::OkStatus();
  }
  return ListenerNameInUse(registration.listener, holder.instance_id(), holder.node(), holder.peer(), holder.lease_end());
}

absl::StatusOr<Sequence> Registry::Resolve(const StartPosition& position) const {
  const Sequence next = parts_.ledger.journaled_sequence() + 1;
  const Sequence first = parts_.ledger.empty() ? next : parts_.ledger.first_sequence();
  switch (position.kind) {
    case StartPosition::Kind::kEarliest:
      return first;
    case StartPosition::Kind::kTime:
      return parts_.ledger.empty() ? next : std::min(next, parts_.ledger.FirstAtOrAfter(position.time));
    case StartPosition::Kind::kSequence:
      if (position.sequence < first) return SequenceCompacted(position.sequence, first);
      if (position.sequence > next) {
        return FieldInvalid("start_position.sequence",
                            absl::StrFormat("%d is beyond the journal: the next event is %d", position.sequence, next));
      }
      return position.sequence;
    case StartPosition::Kind::kUnset:
    case StartPosition::Kind::kLatest:
    case StartPosition::Kind::kResume:
      break;
  }
  return next;
}

absl::StatusOr<Registry::Admission> Registry::Admit(Session& session, const Registration& registration) {
  if (draining_) return Draining();
  if (auto status = CheckName("registration.listener", registration.listener); !status.ok()) return status;
  auto it = listeners_.find(registration.listener);
  Admission admission;
  if (it != listeners_.end()) {
    if (auto status = CheckHolder(it->second, registration); !status.ok()) return status;
    if (registration.ephemeral && !it->second.ephemeral) {
      return MakeError(
          absl::StatusCode::kFailedPrecondition, "LISTENER_IS_DURABLE",
          absl::StrFormat("listener \"%s\" is durable and has a backlog to keep: register without ephemeral, or delete it first",
                          registration.listener));
    }
    if (Session* holder = it->second.holder) {
      admission.superseded_instance_id = holder->instance_id();
      // The old one is out before the new one is in; an ephemeral listener is gone with it.
      holder->End(SessionSuperseded(registration.instance_id, session.peer()), true);
      it = listeners_.find(registration.listener);
    }
  }
  admission.resumed = it != listeners_.end();
  if (!admission.resumed) {
    if (listeners_.size() >= parts_.limits.max_listeners) return TooManyListeners(parts_.limits.max_listeners);
    auto start = Resolve(registration.start_position);
    if (!start.ok()) return start.status();
    ListenerRecord record;
    const ListenerId id = registration.ephemeral ? 0 : ++last_listener_id_;
    record.subscription = std::make_shared<Subscription>(parts_, registration.listener, id, *start);
    record.create_time = parts_.clock.SystemNow();
    it = listeners_.emplace(registration.listener, std::move(record)).first;
  }
  ListenerRecord& record = it->second;
  record.subscription->Configure(registration);
  record.holder = &session;
  record.ephemeral = registration.ephemeral;
  record.lease_expired = false;
  record.instance_id =
      registration.instance_id.empty() ? absl::StrFormat("instance-%016x", parts_.random.Next()) : registration.instance_id;
  record.node = registration.node;
  record.peer = session.peer();
  record.lease = registration.lease;
  record.labels = registration.labels;
  record.connect_time = parts_.clock.SystemNow();
  ++record.epoch;
  admission.subscription = record.subscription;
  admission.instance_id = std::make_shared<const std::string>(record.instance_id);
  admission.epoch = record.epoch;
  Save(record);
  parts_.logger.Info("listener_connected listener=%s instance=%s node=%s peer=%s epoch=%d next_sequence=%d backlog=%d",
                     registration.listener, record.instance_id, record.node, record.peer, record.epoch,
                     record.subscription->next_sequence(), record.subscription->backlog());
  Changed();
  return admission;
}

void Registry::Left(Session& session, Subscription& subscription, const absl::Status& status, Subscription::Leave leave) {
  const auto it = listeners_.find(subscription.name());
  if (it == listeners_.end() || it->second.holder != &session) return;
  ListenerRecord& record = it->second;
  record.holder = nullptr;
  const std::string reason = ErrorReason(status);
  record.lease_expired = reason == "LEASE_EXPIRED";
  const bool deleted = reason == "LISTENER_DELETED";
  const bool forgotten = deleted || record.ephemeral;
  // First of all: those who wait must not be told that it is merely offline.
  if (forgotten) subscription.DropAll(deleted ? DeletedError() : GoneError());
  subscription.Detach(leave);
  parts_.logger.Info("listener_left listener=%s instance=%s epoch=%d backlog=%d status=\"%s\"", subscription.name(),
                     record.instance_id, record.epoch, subscription.backlog(),
                     status.ok() ? std::string("OK") : std::string(status.message()));
  if (forgotten) {
    Drop(it);
  } else {
    Save(record);
  }
  Changed();
}

void Registry::Save(const ListenerRecord& record) {
  const Subscription& subscription = *record.subscription;
  if (subscription.id() == 0) return;
  parts_.states.SaveListener(subscription.id(),
                             {subscription.name(), record.instance_id, record.node, record.peer, record.epoch, record.version,
                              subscription.paused(), record.pause_reason, record.create_time, record.connect_time, record.lease,
                              subscription.policy(), subscription.max_in_flight(), record.labels, subscription.born_after()});
}

void Registry::Drop(Listeners::iterator listener) {
  if (const ListenerId id = listener->second.subscription->id(); id != 0) parts_.states.DropListener(id);
  listeners_.erase(listener);
}

void Registry::Restore(const std::vector<Recovery::Listener>& kept) {
  for (const Recovery::Listener& listener : kept) {
    const ListenerSnapshot& snapshot = listener.snapshot;
    last_listener_id_ = std::max(last_listener_id_, listener.id);
    ListenerRecord& record = listeners_[snapshot.name];
    record.subscription = std::make_shared<Subscription>(parts_, listener);
    record.epoch = snapshot.epoch;
    record.version = snapshot.version;
    record.pause_reason = snapshot.pause_reason;
    record.create_time = snapshot.create_time;
    record.connect_time = snapshot.connect_time;
    record.instance_id = snapshot.instance_id;
    record.node = snapshot.node;
    record.peer = snapshot.peer;
    record.lease = snapshot.lease;
    record.labels = snapshot.labels;
  }
}

void Registry::RestoreWindows(const std::vector<Recovery::Listener>& kept) {
  for (const Recovery::Listener& listener : kept)
    listeners_.find(listener.snapshot.name)->second.subscription->RestoreWindow(listener);
}

absl::StatusOr<ListenerRecord*> Registry::Find(std::string_view name, std::string_view etag) {
  if (auto status = CheckName("name", name); !status.ok()) return status;
  const auto it = listeners_.find(name);
  if (it == listeners_.end()) {
    std::vector<std::string> known;
    for (const auto& [other, record] : listeners_) known.push_back(other);
    return ListenerNotFound(name, Nearest(name, known).value_or(""));
  }
  if (!etag.empty() && etag != it->second.Etag()) return EtagMismatch(it->second.Etag());
  return &it->second;
}

absl::StatusOr<ListenerRecord*> Registry::Pause(std::string_view name, std::string_view reason, std::string_view etag) {
  auto record = Find(name, etag);
  if (!record.ok()) return record;
  ListenerRecord& listener = **record;
  listener.pause_reason = reason.empty() ? "paused by an operator" : std::string(reason);
  ++listener.version;
  listener.subscription->SetPaused(true);
  Save(listener);
  parts_.logger.Info("listener_paused listener=%s reason=\"%s\"", name, listener.pause_reason);
  return record;
}

absl::StatusOr<ListenerRecord*> Registry::Resume(std::string_view name, std::string_view etag) {
  auto record = Find(name, etag);
  if (!record.ok()) return record;
  (*record)->pause_reason.clear();
  ++(*record)->version;
  (*record)->subscription->SetPaused(false);
  Save(**record);
  parts_.logger.Info("listener_resumed listener=%s", name);
  return record;
}

absl::StatusOr<Registry::Eviction> Registry::Evict(std::string_view name, std::string_view reason, std::string_view etag) {
  auto record = Find(name, etag);
  if (!record.ok()) return record.status();
  Eviction eviction{*record, {}};
  if (Session* holder = (*record)->holder) {
    if ((*record)->ephemeral) {
      return MakeError(
          absl::StatusCode::kFailedPrecondition, "LISTENER_IS_EPHEMERAL",
          absl::StrFormat("listener \"%s\" is ephemeral and would be gone with its holder: delete it with force instead", name));
    }
    eviction.instance_id = holder->instance_id();
    ++(*record)->version;
    holder->End(ListenerEvicted(reason), true);
  }
  return eviction;
}

absl::StatusOr<Registry::SeekOutcome> Registry::Seek(std::string_view name, const StartPosition& position, bool validate_only,
                                                     std::string_view etag) {
  auto record = Find(name, etag);
  if (!record.ok()) return record.status();
  if (position.kind == StartPosition::Kind::kUnset || position.kind == StartPosition::Kind::kResume) {
    return FieldInvalid("position", "must be one of sequence, time, earliest, latest");
  }
  auto target = Resolve(position);
  if (!target.ok()) return target.status();
  Subscription& subscription = *(*record)->subscription;
  if (validate_only) return SeekOutcome{*record, *target, subscription.CountBefore(*target)};
  ++(*record)->version;
  const uint64_t skipped = subscription.Seek(*target);
  Save(**record);
  parts_.logger.Info("listener_moved listener=%s next_sequence=%d skipped=%d", name, *target, skipped);
  return SeekOutcome{*record, *target, skipped};
}

absl::StatusOr<uint64_t> Registry::Delete(std::string_view name, bool force, std::string_view etag) {
  auto record = Find(name, etag);
  if (!record.ok()) return record.status();
  const uint64_t backlog = (*record)->subscription->backlog();
  Session* holder = (*record)->holder;
  if (!force && (holder || backlog > 0)) return ListenerNotEmpty(name, backlog, holder != nullptr);
  if (holder) {
    holder->End(ListenerDeleted(), true);
  } else {
    (*record)->subscription->DropAll(DeletedError());
    Drop(listeners_.find(name));
  }
  parts_.logger.Info("listener_deleted listener=%s dropped=%d", name, backlog);
  Changed();
  return backlog;
}

}  // namespace pvebus::bus
