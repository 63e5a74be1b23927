#include "bus-service/core/registry.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "bus-service/core/errors.h"
#include "bus-service/core/names.h"
#include "bus-service/core/row_errors.h"
#include "sdk/base/error.h"
#include "sdk/base/nearest.h"

namespace pvebus::bus {
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
  const Sequence oldest = parts_.log.first_sequence();
  // Lost events are a part of the journal: readers come to them, say so and go on.
  const Sequence first = parts_.log.lost().StepBack(oldest == 0 ? next : std::min(oldest, next));
  switch (position.kind) {
    case StartPosition::Kind::kEarliest:
      return first;
    case StartPosition::Kind::kSequence:
      if (position.sequence < first) return SequenceCompacted(position.sequence, first);
      if (position.sequence > next) {
        return FieldInvalid("start_position.sequence",
                            absl::StrFormat("%d is beyond the journal: the next event is %d", position.sequence, next));
      }
      return position.sequence;
    case StartPosition::Kind::kTime:
    case StartPosition::Kind::kUnset:
    case StartPosition::Kind::kLatest:
    case StartPosition::Kind::kResume:
      break;
  }
  return next;
}

void Registry::Resolve(const StartPosition& position, std::function<void(absl::StatusOr<Sequence>)> done) const {
  if (position.kind != StartPosition::Kind::kTime) return done(Resolve(position));
  parts_.log.FindByTime(position.time, [&parts = parts_, done = std::move(done)](absl::StatusOr<Sequence> found) {
    if (found.ok()) *found = std::min(*found, parts.ledger.journaled_sequence() + 1);
    done(std::move(found));
  });
}

absl::StatusOr<Registry::Admission> Registry::Admit(Session& session, const Registration& registration) {
  if (draining_) return Draining();
  if (auto status = CheckWritable(); !status.ok()) return status;
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

absl::Status Registry::CheckWritable() const {
  if (!parts_.log.read_only()) return absl::OkStatus();
  const auto problems = parts_.log.GetStats().problems;
  return JournalDamaged(problems.empty() ? "it cannot be written" : problems.front().message);
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
  if (deleted) Bury(record);
  if (forgotten) subscription.DropAll(deleted ? DeletedError() : GoneError());
  subscription.Detach(leave);
  parts_.logger.Info("listener_left listener=%s instance=%s epoch=%d backlog=%d status=\"%s\"", subscription.name(),
                     record.instance_id, record.epoch, subscription.backlog(),
                     status.ok() ? std::string("OK") : std::string(status.message()));
  if (forgotten) {
    listeners_.erase(it);
  } else {
    Save(record);
  }
  Changed();
}

ListenerSnapshot Registry::SnapshotOf(const ListenerRecord& record) {
  const Subscription& subscription = *record.subscription;
  return {subscription.name(),
          record.instance_id,
          record.node,
          record.peer,
          record.epoch,
          record.version,
          subscription.paused(),
          record.pause_reason,
          record.create_time,
          record.connect_time,
          record.lease,
          subscription.policy(),
          subscription.max_in_flight(),
          record.labels,
          subscription.born_after(),
          subscription.incidents(),
          subscription.last_error(),
          subscription.lost_deliveries(),
          std::nullopt};
}

void Registry::Save(const ListenerRecord& record) {
  if (const ListenerId id = record.subscription->id(); id != 0) parts_.states.SaveListener(id, SnapshotOf(record));
}

void Registry::Bury(const ListenerRecord& record) {
  const Subscription& subscription = *record.subscription;
  if (subscription.id() == 0) return;
  Recovery::Listener former;
  former.id = subscription.id();
  former.snapshot = SnapshotOf(record);
  former.snapshot.deleted_after = parts_.ledger.journaled_sequence();
  former.interests = subscription.interests().Kept();
  former.progress = subscription.CurrentProgress();
  parts_.states.SaveProgress(former.id, former.progress);
  parts_.states.SaveListener(former.id, former.snapshot);
  parts_.states.DropWaiting(former.id);
  if (former_.size() >= parts_.limits.max_listeners) {
    parts_.states.DropListener(former_.front().id());
    former_.erase(former_.begin());
  }
  former_.emplace_back(former);
}

void Registry::ForgetFormer(Sequence first) {
  std::erase_if(former_, [this, first](const FormerListener& former) {
    if (former.deleted_after() >= first) return false;
    parts_.states.DropListener(former.id());
    return true;
  });
}

std::shared_ptr<const std::string> Registry::NameOf(ListenerId id) const {
  if (const Subscription* subscription = FindById(id)) return subscription->shared_name();
  for (const FormerListener& former : former_) {
    if (former.id() == id) return former.shared_name();
  }
  return nullptr;
}

void Registry::Restore(const Recovery& recovery) {
  for (const Recovery::Listener& former : recovery.former_listeners) former_.emplace_back(former);
  last_listener_id_ = recovery.last_listener_id;
  for (const Recovery::Listener& listener : recovery.listeners) {
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
    record.subscription->Restore(listener);
  }
}

const ListenerRecord* Registry::Slowest() const {
  const ListenerRecord* slowest = nullptr;
  for (const auto& [name, record] : listeners_) {
    if (!slowest || record.subscription->floor() < slowest->subscription->floor()) slowest = &record;
  }
  return slowest;
}

void Registry::GiveUpBefore(Sequence sequence) {
  for (const auto& [name, record] : listeners_) {
    if (record.subscription->floor() >= sequence) continue;
    parts_.logger.Warning("backlog_truncated listener=%s from=%d until=%d", name, record.subscription->floor(), sequence - 1);
    record.subscription->GiveUpBefore(sequence);
    Save(record);
  }
}

uint64_t Registry::lost_deliveries() const {
  uint64_t lost = 0;
  for (const auto& [name, record] : listeners_) lost += record.subscription->lost_deliveries();
  return lost;
}

void Registry::SaveChanges(const Subscription& subscription) {
  const auto it = listeners_.find(subscription.name());
  if (it != listeners_.end() && it->second.subscription.get() == &subscription) Save(it->second);
}

Subscription* Registry::FindById(ListenerId id) const {
  for (const auto& [name, record] : listeners_) {
    if (record.subscription->id() == id) return record.subscription.get();
  }
  return nullptr;
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

void Registry::Seek(std::string_view name, const StartPosition& position, bool validate_only, std::string_view etag,
                    std::function<void(absl::StatusOr<SeekOutcome>)> done) {
  if (auto record = Find(name, etag); !record.ok()) return done(record.status());
  if (position.kind == StartPosition::Kind::kUnset || position.kind == StartPosition::Kind::kResume) {
    return done(FieldInvalid("position", "must be one of sequence, time, earliest, latest"));
  }
  Resolve(position, [this, name = std::string(name), etag = std::string(etag), validate_only,
                     done = std::move(done)](absl::StatusOr<Sequence> target) {
    if (!target.ok()) return done(target.status());
    auto record = Find(name, etag);  // again: the answer may have taken its time
    if (!record.ok()) return done(record.status());
    const auto subscription = (*record)->subscription;
    const Sequence next = std::max(*target, parts_.log.first_sequence());
    // What is jumped over is counted as it is now; it is told when both the count and the move are there.
    struct Counting {
      bool moved = false;
      std::optional<absl::StatusOr<uint64_t>> skipped;
    };
    const auto counting = std::make_shared<Counting>();
    const auto tell = [this, name, next, done, counting] {
      if (!counting->moved || !counting->skipped) return;
      if (!counting->skipped->ok()) return done(counting->skipped->status());
      const auto it = listeners_.find(name);
      done(SeekOutcome{it == listeners_.end() ? nullptr : &it->second, next, **counting->skipped});
    };
    subscription->CountBefore(next, [counting, tell](absl::StatusOr<uint64_t> skipped) {
      counting->skipped = std::move(skipped);
      tell();
    });
    if (!validate_only) {
      ++(*record)->version;
      subscription->Seek(next);
      Save(**record);
      parts_.logger.Info("listener_moved listener=%s next_sequence=%d", name, next);
    }
    counting->moved = true;
    tell();
  });
}

absl::StatusOr<uint64_t> Registry::Delete(std::string_view name, bool force, std::string_view etag) {
  auto record = Find(name, etag);
  if (!record.ok()) return record.status();
  const uint64_t backlog = (*record)->subscription->kept();
  Session* holder = (*record)->holder;
  if (!force && (holder || backlog > 0)) return ListenerNotEmpty(name, backlog, holder != nullptr);
  if (holder) {
    holder->End(ListenerDeleted(), true);
  } else {
    Bury(**record);
    (*record)->subscription->DropAll(DeletedError());
    listeners_.erase(listeners_.find(name));
  }
  parts_.logger.Info("listener_deleted listener=%s dropped=%d", name, backlog);
  Changed();
  return backlog;
}

}  // namespace pvebus::bus
