#include "bus-service/core/bus.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "bus-service/core/errors.h"
#include "bus-service/core/event_id.h"
#include "bus-service/core/names.h"
#include "bus-service/core/row_recovery.h"

namespace pvebus::bus {
namespace {

constexpr int kUnavailable = 14;
constexpr int kDeadlineExceeded = 4;

}  // namespace

Bus::Bus(const Limits& limits, const Clock& clock, Random& random, EventLog& log, Logger& logger, StateLog* states)
    : limits_(limits),
      clock_(clock),
      random_(random),
      log_(log),
      logger_(logger),
      gather_(timers_,
              [](const ListenerRow& row) {
                const auto subscription = row.subscription.lock();
                return subscription && subscription->available();
              }),
      parts_{limits_, clock_, random_, log_, logger_, timers_, ledger_, gather_, states ? *states : forgetful_, touched_},
      registry_(parts_),
      // Session numbers are part of delivery ids: begin anywhere, so that ids of an earlier run mean nothing here.
      last_session_(random.Next() & 0x3ffffff) {}

Bus::~Bus() { EndAll(); }

void Bus::Restore(const Recovery& recovery) {
  ledger_.StartAfter(recovery.events.empty() ? recovery.last_sequence : recovery.events.front()->sequence - 1);
  for (const EventPtr& event : recovery.events) {
    auto publication = std::make_unique<Publication>();
    publication->event = event;
    publication->journal_time = clock_.SteadyNow();
    ledger_.Add(std::move(publication));
  }
  registry_.Restore(recovery.listeners);
  RowRecovery rows(registry_, recovery.listeners);
  for (const EventPtr& event : recovery.events) {
    Publication& publication = *ledger_.Find(event->sequence);
    rows.Rebuild(publication, ledger_);
    ledger_.SetJournaled(publication);
    gather_.Begin(publication);
    if (event->expire_time && publication.unsettled_rows > 0) ScheduleExpiry(publication);
  }
  if (!recovery.events.empty()) last_publish_time_ = recovery.events.back()->publish_time;
  registry_.RestoreWindows(recovery.listeners);
  logger_.Info("journal_restored events=%d last_sequence=%d listeners=%d", recovery.events.size(), ledger_.last_sequence(),
               recovery.listeners.size());
}

void Bus::EndTurn() {
  for (const auto& touched : std::exchange(touched_, {})) {
    if (const auto subscription = touched.lock()) subscription->SaveProgress();
  }
}

void Bus::Publish(PublishCommand command, PublishDone done) {
  if (draining()) return done(Draining());
  Event& event = *command.event;
  Publication* earlier = nullptr;
  if (auto status = CheckDuplicate(command, earlier); !status.ok()) return done(status);
  if (earlier) {
    if (auto status = CheckWaiting(*earlier, command.wait_policy); !status.ok()) return done(status);
    return Wait(*earlier, command.wait_policy, command.wait, true, std::move(done), command.caller);
  }
  if (command.expected_last_sequence && *command.expected_last_sequence != ledger_.last_sequence()) {
    return done(SequenceMismatch(*command.expected_last_sequence, ledger_.last_sequence()));
  }
  event.publish_time = std::max(clock_.SystemNow(), last_publish_time_);
  if (event.expire_time && *event.expire_time <= event.publish_time)
    return done(FieldInvalid("event.expire_time", "is in the past"));
  if (auto status = SetHops(event); !status.ok()) return done(status);
  if (auto status = CheckRequired(command); !status.ok()) return done(status);
  if (command.wait_policy != WaitPolicy::kDurable && gather_.waiting() >= limits_.max_waiting_publishes) {
    return done(PublishBackpressure(gather_.waiting()));
  }
  if (event.event_id.empty()) event.event_id = MakeEventId(event.publish_time, random_);

  event.request_id = std::move(command.request_id);
  auto publication = std::make_unique<Publication>();
  publication->event = command.event;
  publication->required_listeners = std::move(command.required_listeners);
  if (command.validate_only) {
    Match(*publication);
    return done(PublishReply{publication.get(), false});
  }
  if (auto status = MakeRoom(event.Bytes()); !status.ok()) return done(status);
  last_publish_time_ = event.publish_time;
  event.sequence = ledger_.last_sequence() + 1;
  Publication& added = ledger_.Add(std::move(publication));
  Wait(added, command.wait_policy, command.wait, false, std::move(done), command.caller);
  log_.Append(command.event, [this, sequence = event.sequence](const absl::Status& status) { Appended(sequence, status); });
}

absl::Status Bus::CheckDuplicate(const PublishCommand& command, Publication*& publication) const {
  const Event& event = *command.event;
  Publication* by_event = event.event_id.empty() ? nullptr : ledger_.FindByEventId(event.event_id);
  Publication* by_request = command.request_id.empty() ? nullptr : ledger_.FindByRequestId(command.request_id);
  if (by_request && (by_request->event->body != event.body || (!event.event_id.empty() && by_event != by_request))) {
    return RequestIdConflict(command.request_id);
  }
  if (by_event && by_event->event->body != event.body) return EventIdConflict(event.event_id);
  publication = by_request ? by_request : by_event;
  return absl::OkStatus();
}

absl::Status Bus::CheckWaiting(const Publication& publication, WaitPolicy policy) const {
  if (Gather::Satisfied(publication, policy) || gather_.waiting() < limits_.max_waiting_publishes) return absl::OkStatus();
  return PublishBackpressure(gather_.waiting());
}

absl::Status Bus::SetHops(Event& event) const {
  event.hop_count = 0;
  if (event.parent_event_id.empty()) return absl::OkStatus();
  const Publication* parent = ledger_.FindByEventId(event.parent_event_id);
  if (!parent) return ParentUnknown(event.parent_event_id);
  event.hop_count = parent->event->hop_count + 1;
  return event.hop_count > limits_.max_hops ? HopLimitExceeded(limits_.max_hops) : absl::OkStatus();
}

absl::Status Bus::CheckRequired(const PublishCommand& command) const {
  for (const std::string& name : command.required_listeners) {
    if (auto status = CheckName("required_listeners", name); !status.ok()) return status;
    const auto it = registry_.listeners().find(name);
    if (it == registry_.listeners().end()) return RequiredListenerMissing(name, "is not registered");
    if (!it->second.subscription->Matches(*command.event)) return RequiredListenerMissing(name, "does not want this event");
  }
  return absl::OkStatus();
}

absl::Status Bus::MakeRoom(size_t bytes) {
  const auto has_room = [this, bytes] { return log_.HasRoomFor(bytes) && ledger_.row_bytes() < limits_.max_row_bytes; };
  if (has_room()) return absl::OkStatus();
  const ListenerRecord* slowest = Slowest();
  const Sequence needed = slowest ? slowest->subscription->floor() : ledger_.last_sequence() + 1;
  while (!has_room()) {
    // What somebody still has to settle, or waits for, is never dropped.
    if (ledger_.empty() || ledger_.first_sequence() >= needed || ledger_.front().unsettled_rows > 0 ||
        !ledger_.front().waiters.empty()) {
      return JournalFull(log_.GetStats().max_event_bytes, slowest ? slowest->subscription->name() : std::string());
    }
    timers_.Cancel(ledger_.front().expire_timer);
    log_.DropFirst();
    ledger_.DropFirst();
  }
  return absl::OkStatus();
}

const ListenerRecord* Bus::Slowest() const {
  const ListenerRecord* slowest = nullptr;
  for (const auto& [name, record] : registry_.listeners()) {
    if (!slowest || record.subscription->floor() < slowest->subscription->floor()) slowest = &record;
  }
  return slowest;
}

void Bus::Match(Publication& publication) const {
  const auto& required = publication.required_listeners;
  for (const auto& [name, record] : registry_.listeners()) {
    if (!record.subscription->Matches(*publication.event)) continue;
    ListenerRow& row = publication.rows.emplace_back();
    row.listener = record.subscription->shared_name();
    row.subscription = record.subscription;
    row.instance_id = record.subscription->instance_id();
    row.required = std::find(required.begin(), required.end(), name) != required.end();
    if (record.subscription->BusyWithAncestor(*publication.event) != 0) row.state = DeliveryState::kDeferred;
  }
}

void Bus::Appended(Sequence sequence, const absl::Status& status) {
  Publication& publication = *ledger_.Find(sequence);
  if (!status.ok()) {
    logger_.Error("append_failed sequence=%d error=\"%s\"", sequence, status.ToString());
    gather_.Fail(publication, status);
    ledger_.RemoveLast();
    return;
  }
  Match(publication);
  publication.required_listeners = {};  // the rows know
  ledger_.SetJournaled(publication);
  publication.journal_time = clock_.SteadyNow();
  gather_.Begin(publication);
  FanOut(publication);
  if (publication.event->expire_time) ScheduleExpiry(publication);
  if (journal_observer_) journal_observer_();
}

void Bus::FanOut(Publication& publication) {
  // Rows and listeners are both sorted by name.
  size_t row = 0;
  for (const auto& [name, record] : registry_.listeners()) {
    const bool matched = row < publication.rows.size() && publication.rows[row].listener == record.subscription->shared_name();
    record.subscription->OnJournaled(publication, matched ? static_cast<int>(row++) : -1);
  }
}

void Bus::ScheduleExpiry(Publication& publication) {
  const auto left = std::chrono::duration_cast<Duration>(*publication.event->expire_time - clock_.SystemNow());
  publication.expire_timer =
      timers_.Schedule(clock_.SteadyNow() + left, [this, sequence = publication.event->sequence] { Expire(sequence); });
}

void Bus::Expire(Sequence sequence) {
  Publication* publication = ledger_.Find(sequence);
  publication->expire_timer.number = 0;
  // System time is what the publisher meant, and it may have been set back meanwhile.
  if (*publication->event->expire_time > clock_.SystemNow()) return ScheduleExpiry(*publication);
  for (const auto& [name, record] : registry_.listeners()) record.subscription->Expire(*publication);
  publication->expired = true;
  for (const auto& [name, record] : registry_.listeners()) record.subscription->GoOnAfterExpiry();
}

void Bus::Wait(Publication& publication, WaitPolicy policy, Duration wait, bool duplicate, PublishDone done, const void* caller) {
  gather_.Wait(
      publication, policy, clock_.SteadyNow() + wait,
      [&publication, duplicate, done = std::move(done)](const absl::Status& status) {
        if (!status.ok()) return done(status);
        done(PublishReply{&publication, duplicate});
      },
      caller);
}

Publication* Bus::Find(const EventKey& key) const {
  return key.kind == EventKey::Kind::kEventId ? ledger_.FindByEventId(key.id) : ledger_.FindByRequestId(key.id);
}

void Bus::GetResult(const EventKey& key, WaitPolicy wait_policy, Duration wait, PublishDone done, const void* caller) {
  Publication* publication = Find(key);
  if (!publication) return done(EventNotFound(key.id));
  if (auto status = CheckWaiting(*publication, wait_policy); !status.ok()) return done(status);
  Wait(*publication, wait_policy, wait, false, std::move(done), caller);
}

void Bus::Leave(const EventKey& key, const void* caller) {
  if (Publication* publication = Find(key)) gather_.Leave(*publication, caller);
}

RowView Bus::View(const ListenerRow& row) {
  if (row.state != DeliveryState::kQueued && row.state != DeliveryState::kInFlight && row.state != DeliveryState::kDeferred) {
    return {row.state, row.error.get()};
  }
  const auto subscription = row.subscription.lock();
  const auto pending = [this, &row](DeliveryState state, int code, std::string reason, std::string message) -> RowView {
    if (row.error) return {state, row.error.get()};  // what the last attempt said is worth more
    view_error_ = ListenerError{code, std::move(reason), std::move(message), {}, true};
    return {state, &view_error_};
  };
  if (row.state == DeliveryState::kInFlight) {
    return pending(DeliveryState::kInFlight, kDeadlineExceeded, "NO_ANSWER_YET",
                   "the listener has the event and has not answered yet");
  }
  if (subscription && subscription->paused()) {
    return pending(DeliveryState::kPaused, kUnavailable, "LISTENER_PAUSED",
                   "the listener is paused and gets the event when it is resumed");
  }
  if (!subscription || !subscription->session()) {
    return pending(DeliveryState::kOffline, kUnavailable, "LISTENER_OFFLINE",
                   "the listener is not connected and gets the event when it is back");
  }
  if (row.state == DeliveryState::kDeferred) {
    return pending(DeliveryState::kDeferred, kUnavailable, "BUSY_WITH_ANCESTOR",
                   "the listener is handling an ancestor of this event and gets it afterwards");
  }
  return pending(DeliveryState::kQueued, kDeadlineExceeded, "NOT_SENT_YET",
                 absl::StrFormat("the event waits behind others of the listener: %d unsettled, %d of %d in flight",
                                 subscription->backlog(), subscription->window().in_flight(), subscription->max_in_flight()));
}

Session& Bus::OpenSession(SessionSink& sink, std::string peer) {
  last_session_ = (last_session_ + 1) & 0x7ffffff;
  auto session = std::make_unique<Session>(parts_, registry_, sink, last_session_, std::move(peer));
  Session& opened = *session;
  sessions_.emplace(&opened, std::move(session));
  if (draining()) opened.BusDrain(limits_.drain_grace);
  return opened;
}

void Bus::CloseSession(Session& session) {
  session.OnBroken();
  sessions_.erase(&session);
}

void Bus::StartDrain() {
  if (draining()) return;
  logger_.Info("draining sessions=%d waiting_publishes=%d", sessions_.size(), gather_.waiting());
  registry_.StartDraining();
  for (auto& [address, session] : sessions_) session->BusDrain(limits_.drain_grace);
}

bool Bus::Drained() const {
  for (const auto& [name, record] : registry_.listeners()) {
    if (record.holder && record.subscription->window().in_flight() > 0) return false;
  }
  return ledger_.journaled_sequence() == ledger_.last_sequence();
}

void Bus::EndAll() {
  for (auto& [address, session] : sessions_) session->End(Draining(), false);
  gather_.FinishAll(Draining());
}

}  // namespace pvebus::bus
