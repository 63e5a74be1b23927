#include "bus-service/core/bus.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bus-service/core/errors.h"
#include "bus-service/core/event_id.h"
#include "bus-service/core/names.h"
#include "sdk/base/error.h"

namespace pvebus::bus {
namespace {

constexpr int kFailedPrecondition = 9;
constexpr int kUnavailable = 14;
constexpr int kDeadlineExceeded = 4;
constexpr Duration kRetentionInterval = std::chrono::seconds(1);
constexpr Sequence kEventsPerRetention = 64;
// A progress is as long as the listener's window: under load not every turn's is saved.
constexpr Duration kSaveInterval = std::chrono::milliseconds(5);

}  // namespace

Bus::Bus(const Limits& limits, const Clock& clock, Random& random, EventLog& log, StateLog& states, Logger& logger)
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
      parts_{limits_, clock_, random_, log_, logger_, timers_, ledger_, gather_, states, touched_, counters_, recalling_},
      registry_(parts_),
      recall_(parts_, registry_,
              [this](Publication& publication) {
                if (publication.event->expire_time && publication.unsettled_rows > 0) ScheduleExpiry(publication);
              }),
      intake_(parts_, [this](PublishCommand command, const Intake::Known& known,
                             PublishDone done) { Accept(std::move(command), known, std::move(done)); }),
      retention_(parts_, registry_),
      dead_letters_(parts_, registry_),
      replayer_(parts_, registry_),
      tracer_(parts_),
      // Session numbers are part of delivery ids: begin anywhere, so that ids of an earlier run mean nothing here.
      last_session_(random.Next() & 0x3ffffff) {
  if (limits_.retention_age.count() != 0 || limits_.retention_count != 0 || limits_.retention_bytes != 0) Retain();
}

Bus::~Bus() { EndAll(); }

void Bus::Restore(const Recovery& recovery) {
  ledger_.StartAfter(recovery.last_sequence);
  counters_.last_dead_letter_id = recovery.last_dead_letter_id;
  counters_.last_replay_number = recovery.last_replay_number;
  last_publish_time_ = recovery.last_publish_time;
  registry_.Restore(recovery);
  logger_.Info("journal_restored last_sequence=%d listeners=%d", ledger_.last_sequence(), recovery.listeners.size());
}

void Bus::EndTurn() {
  if (!touched_.empty()) SaveProgress();
  ledger_.Trim(limits_.max_ledger_bytes, [this](Publication& publication) { timers_.Cancel(publication.expire_timer); });
}

void Bus::SaveProgress() {
  const SteadyTime now = clock_.SteadyNow();
  const bool soon = now < next_save_ && next_save_ - now <= kSaveInterval;  // a standstill turns the clock back
  if (soon && !draining()) {
    if (!save_timer_) save_timer_ = timers_.Schedule(next_save_, [this] { save_timer_.number = 0; });  // the turn's end does it
    return;
  }
  next_save_ = now + kSaveInterval;
  timers_.Cancel(save_timer_);
  for (const auto& touched : std::exchange(touched_, {})) {
    const auto subscription = touched.lock();
    if (!subscription) continue;
    subscription->SaveProgress();
    if (subscription->TakeChanged()) registry_.SaveChanges(*subscription);
  }
}

void Bus::Retain() {
  retention_.Run();
  timers_.Schedule(clock_.SteadyNow() + kRetentionInterval, [this] { Retain(); });
}

std::shared_ptr<Bus::Asking> Bus::Ask(const void* caller, PublishDone done) {
  std::erase_if(asking_, [](const auto& asking) { return !asking->done; });
  return asking_.emplace_back(std::make_shared<Asking>(Asking{caller, std::move(done)}));
}

void Bus::Publish(PublishCommand command, PublishDone done) {
  if (draining()) return done(Draining());
  if (auto status = CheckWritable(); !status.ok()) return done(status);
  command.until = clock_.SteadyNow() + command.wait;
  intake_.Take(std::move(command), std::move(done));
}

void Bus::Accept(PublishCommand command, const Intake::Known& known, PublishDone done) {
  if (draining()) return done(Draining());
  Event& event = *command.event;
  EventPtr earlier;
  if (auto status = CheckDuplicate(command, known, earlier); !status.ok()) return done(status);
  if (earlier) return AnswerDuplicate(command, std::move(earlier), std::move(done));
  if (command.expected_last_sequence && *command.expected_last_sequence != ledger_.last_sequence()) {
    return done(SequenceMismatch(*command.expected_last_sequence, ledger_.last_sequence()));
  }
  event.publish_time = std::max(clock_.SystemNow(), last_publish_time_);
  if (event.expire_time && *event.expire_time <= event.publish_time)
    return done(FieldInvalid("event.expire_time", "is in the past"));
  if (auto status = SetAncestors(event, known.parent); !status.ok()) return done(status);
  if (auto status = CheckRequired(command); !status.ok()) return done(status);
  if (command.wait_policy != WaitPolicy::kDurable && gather_.waiting() >= limits_.max_waiting_publishes) {
    return done(PublishBackpressure(gather_.waiting()));
  }
  if (event.event_id.empty()) event.event_id = MakeEventId(event.publish_time, random_);

  event.request_id = std::move(command.request_id);
  event.required_listeners = std::move(command.required_listeners);
  auto publication = std::make_unique<Publication>();
  publication->event = command.event;
  if (command.validate_only) {
    Match(*publication);
    return done(PublishReply{publication.get(), false});
  }
  if (auto status = retention_.MakeRoom(event.Bytes()); !status.ok()) return done(status);
  last_publish_time_ = event.publish_time;
  event.sequence = ledger_.last_sequence() + 1;
  Publication& added = ledger_.Add(std::move(publication));
  Wait(added, command.wait_policy, command.until, false, std::move(done), command.caller);
  log_.Append(command.event, [this, sequence = event.sequence](const absl::Status& status) { Appended(sequence, status); });
}

absl::Status Bus::CheckDuplicate(const PublishCommand& command, const Intake::Known& known, EventPtr& earlier) {
  const Event& event = *command.event;
  const EventPtr& by_event = known.by_event_id;
  const EventPtr& by_request = known.by_request_id;
  const bool another = by_request && !event.event_id.empty() && (!by_event || by_event->sequence != by_request->sequence);
  if (by_request && (by_request->body != event.body || another)) return RequestIdConflict(command.request_id);
  if (by_event && by_event->body != event.body) return EventIdConflict(event.event_id);
  earlier = by_request ? by_request : by_event;
  return absl::OkStatus();
}

void Bus::AnswerDuplicate(const PublishCommand& command, EventPtr earlier, PublishDone done) {
  const auto asking = Ask(command.caller, std::move(done));
  recall_.Get(std::move(earlier),
              [this, asking, policy = command.wait_policy, until = command.until](absl::StatusOr<Publication*> publication) {
                if (!asking->done) return;
                const PublishDone answer = std::exchange(asking->done, nullptr);
                if (!publication.ok()) return answer(publication.status());
                if (auto status = CheckWaiting(**publication, policy); !status.ok()) return answer(status);
                Wait(**publication, policy, until, true, answer, asking->caller);
              });
}

absl::Status Bus::CheckWaiting(const Publication& publication, WaitPolicy policy) const {
  if (Gather::Satisfied(publication, policy) || gather_.waiting() < limits_.max_waiting_publishes) return absl::OkStatus();
  return PublishBackpressure(gather_.waiting());
}

absl::Status Bus::SetAncestors(Event& event, const EventPtr& parent) const {
  event.hop_count = 0;
  event.ancestors.clear();
  if (event.parent_event_id.empty()) return absl::OkStatus();
  if (!parent) return ParentUnknown(event.parent_event_id);
  event.hop_count = parent->hop_count + 1;
  event.ancestors = parent->ancestors;
  event.ancestors.push_back(parent->sequence);
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

void Bus::Match(Publication& publication) const {
  const Event& event = *publication.event;
  const auto& required = event.required_listeners;
  publication.rows.reserve(std::min(registry_.listeners().size(), Publication::kFewRows));
  for (const auto& [name, record] : registry_.listeners()) {
    if (!record.subscription->Matches(event)) continue;
    ListenerRow& row = publication.rows.emplace_back();
    row.listener = record.subscription->shared_name();
    row.subscription = record.subscription;
    row.instance_id = record.subscription->instance_id();
    row.required = std::find(required.begin(), required.end(), name) != required.end();
    if (record.subscription->BusyWithAncestor(event) != 0) row.state = DeliveryState::kDeferred;
  }
  // Deleted, or with other wishes, since the publish was checked: what the publisher cannot do without has failed.
  for (const std::string& name : required) {
    const auto place = std::lower_bound(publication.rows.begin(), publication.rows.end(), name,
                                        [](const ListenerRow& row, const std::string& other) { return *row.listener < other; });
    if (place != publication.rows.end() && *place->listener == name) continue;
    ListenerRow missing;
    missing.listener = std::make_shared<const std::string>(name);
    missing.state = DeliveryState::kExpired;
    missing.required = true;
    missing.error = std::make_unique<ListenerError>(ListenerError{
        kFailedPrecondition, "REQUIRED_LISTENER_MISSING", "the listener went away while the event was being stored", {}, false});
    publication.rows.insert(place, std::move(missing));
  }
}

void Bus::Appended(Sequence sequence, const absl::Status& status) {
  Publication& publication = *ledger_.Find(sequence);
  if (!status.ok()) {
    // A disk that is full must not be filled with lines about it.
    if (clock_.SteadyNow() >= next_append_line_) {
      logger_.Error("append_failed sequence=%d error=\"%s\" the next line about it in 10 s at the earliest", sequence,
                    status.ToString());
      next_append_line_ = clock_.SteadyNow() + std::chrono::seconds(10);
    }
    const bool full = status.code() == absl::StatusCode::kResourceExhausted && ErrorReason(status).empty();
    gather_.Fail(publication, full ? DiskFull(std::string(status.message())) : status);
    ledger_.RemoveLast();
    return;
  }
  Match(publication);
  ledger_.SetJournaled(publication);
  publication.journal_time = clock_.SteadyNow();
  gather_.Begin(publication);
  FanOut(publication);
  if (publication.event->expire_time) ScheduleExpiry(publication);
  if (sequence % kEventsPerRetention == 0) retention_.Run();
  if (journal_observer_) journal_observer_();
}

void Bus::FanOut(const Publication& publication) {
  // Rows and listeners are both sorted by name.
  auto row = publication.rows.begin();
  for (const auto& [name, record] : registry_.listeners()) {
    while (row != publication.rows.end() && *row->listener < name) ++row;
    const bool matched = row != publication.rows.end() && row->listener == record.subscription->shared_name();
    record.subscription->OnJournaled(publication, matched);
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
  for (const auto& [name, record] : registry_.listeners()) record.subscription->GoOnAfterExpiry();
}

void Bus::Wait(Publication& publication, WaitPolicy policy, SteadyTime until, bool duplicate, PublishDone done,
               const void* caller) {
  gather_.Wait(
      publication, policy, until,
      [&publication, duplicate, done = std::move(done)](const absl::Status& status) {
        if (!status.ok()) return done(status);
        done(PublishReply{&publication, duplicate});
      },
      caller);
}

void Bus::GetResult(const EventKey& key, WaitPolicy wait_policy, Duration wait, PublishDone done, const void* caller) {
  const auto asking = Ask(caller, std::move(done));
  recall_.Find(key, [this, asking, wait_policy, until = clock_.SteadyNow() + wait](absl::StatusOr<Publication*> publication) {
    if (!asking->done) return;
    const PublishDone answer = std::exchange(asking->done, nullptr);
    if (!publication.ok()) return answer(publication.status());
    if (auto status = CheckWaiting(**publication, wait_policy); !status.ok()) return answer(status);
    Wait(**publication, wait_policy, until, false, answer, asking->caller);
  });
}

void Bus::Leave(const EventKey& key, const void* caller) {
  Publication* publication =
      key.kind == EventKey::Kind::kEventId ? ledger_.FindByEventId(key.id) : ledger_.FindByRequestId(key.id);
  if (publication) gather_.Leave(*publication, caller);
  intake_.Leave(caller);
  for (const auto& asking : std::vector(asking_)) {
    if (asking->caller == caller && asking->done)
      std::exchange(asking->done, nullptr)(absl::CancelledError("the caller has left"));
  }
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
  return pending(
      DeliveryState::kQueued, kDeadlineExceeded, "NOT_SENT_YET",
      absl::StrCat("the event waits for its turn at the listener, which has ", subscription->backlog(), " unsettled events, ",
                   subscription->window().in_flight(), " of at most ", subscription->max_in_flight(), " in flight"));
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
  return intake_.empty() && ledger_.journaled_sequence() == ledger_.last_sequence();
}

void Bus::EndAll() {
  for (auto& [address, session] : sessions_) session->End(Draining(), false);
  gather_.FinishAll(Draining());
  intake_.FailAll(Draining());
  for (const auto& asking : std::exchange(asking_, {})) {
    if (asking->done) std::exchange(asking->done, nullptr)(Draining());
  }
}

}  // namespace pvebus::bus
