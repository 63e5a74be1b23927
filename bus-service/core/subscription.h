#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bus-service/core/backlog.h"
#include "bus-service/core/cursor.h"
#include "bus-service/core/delivery_window.h"
#include "bus-service/core/messages.h"
#include "bus-service/core/parts.h"
#include "bus-service/core/replay_feed.h"

namespace pvebus::bus {

class Session;

// What a listener has to settle and how far it is: the cursor in the journal, the window of unsettled events, attempts, retries,
// dead letters. Lives as long as the bus knows the name, with or without a session. One thread.
class Subscription : public std::enable_shared_from_this<Subscription> {
 public:
  enum class Leave {
    kLost,      // the connection broke, the lease ended or somebody took over: what was in flight counts as a lost session
    kGraceful,  // it drained, or the bus is leaving: nothing counts
  };

  // A new listener that begins at `next_sequence`. With an id it is durable: what becomes of it is saved. Requires: `parts`
  // outlives this.
  Subscription(Parts& parts, std::string name, ListenerId id, Sequence next_sequence);
  // One that an earlier run of the bus knew.
  Subscription(Parts& parts, const Recovery::Listener& kept);
  // Requires: it is shared, and nothing has happened yet.
  void Restore(const Recovery::Listener& kept);

  // A registration's wishes for everything that comes from now on.
  void Configure(const Registration& registration);
  void Attach(Session& session, std::shared_ptr<const std::string> instance_id, Sequence caught_up_target);
  void Detach(Leave leave);
  void SetMaxInFlight(uint32_t max_in_flight);
  void SetPaused(bool paused);
  // Sends nothing more in this session; what is in flight may be answered.
  void StopSending();

  bool Matches(const Event& event) const { return cursor_.interests().Matches(event); }
  // True while the listener handles one of the event's ancestors; the nearest one in flight, or 0.
  Sequence BusyWithAncestor(const Event& event) const;
  // An event is in the journal.
  void OnJournaled(const Publication& publication, bool matched);
  // How an event of the journal stands here, with what was kept of its delivery (null: nothing). False when it was not for this
  // listener.
  bool Describe(const Event& event, const DeliveryRecord* kept, ListenerRow& row) const;

  // Deliveries to be sent now, which are in flight from here on.
  void TakeDeliveries(size_t max_bytes, std::vector<OutgoingDelivery>& out);
  // The sequence, once, when everything that was there at registration has been sent.
  std::optional<Sequence> TakeCaughtUp();
  // To be followed by GoOn.
  ConfirmationStatus Settle(const Settlement& settlement);
  // Sends what may be sent now.
  void GoOn();
  // False when the delivery is not in flight.
  bool Extend(const Extension& extension);
  // The event's expire_time has come.
  void Expire(Publication& publication);
  // Every listener knows of the expiry.
  void GoOnAfterExpiry();

  // Moves the cursor; what is jumped over ends as SKIPPED.
  void Seek(Sequence next_sequence);
  // How many unsettled events a Seek there would jump over now.
  void CountBefore(Sequence sequence, std::function<void(absl::StatusOr<uint64_t>)> done) const;
  // The journal is about to forget the events before this one: those that are unsettled here are lost.
  void GiveUpBefore(Sequence sequence);
  // How many it has lost so, since the name is known; more may be being counted.
  uint64_t lost_deliveries() const { return lost_deliveries_; }
  // Ends everything unsettled as EXPIRED with this error; the listener is being forgotten.
  void DropAll(const ListenerError& error);

  // Replays of this listener have been saved.
  void AddReplays(uint64_t count);
  // One of a dead letter.
  void AddRedrive(const std::string& redrive_id);
  // A redrive of its dead letters is under way.
  bool redriving() const { return replays_.redriving(); }
  const std::string& redrive_id() const { return replays_.redrive_id(); }
  // What is lost with the listener: unsettled events, and dead letters, once each.
  uint64_t kept() const { return backlog() + (id_ == 0 ? 0 : dead_letters_ - std::min(dead_letters_, replays_.redrives())); }
  void DeadLetterRemoved();

  // Saves how far the listener is, when that has changed.
  void SaveProgress();
  // How far it is.
  Progress CurrentProgress() const;
  const Interests& interests() const { return cursor_.interests(); }
  // True, once, when what its ListenerSnapshot holds has changed by itself.
  bool TakeChanged() { return std::exchange(changed_, false); }

  // Every event below is settled or not for this listener.
  Sequence floor() const;
  Sequence next_sequence() const { return cursor_.next(); }
  uint64_t backlog() const;
  // When the oldest unsettled event that is in memory was published; nullopt when there is none.
  std::optional<SystemTime> OldestUnackedTime() const;
  // Why nothing can be sent although events wait; empty when that is not so.
  std::string BlockedReason() const;

  ListenerId id() const { return id_; }
  Sequence born_after() const { return cursor_.born_after(); }
  const std::string& name() const { return *name_; }
  const std::shared_ptr<const std::string>& shared_name() const { return name_; }
  Session* session() const { return session_; }
  bool paused() const { return paused_; }
  // Events can move now.
  bool available() const { return session_ != nullptr && sending_ && !paused_; }
  const DeliveryWindow& window() const { return window_; }
  const DeliveryPolicy& policy() const { return policy_; }
  const Filter& filter() const { return cursor_.interests().filter(); }
  uint32_t event_types() const { return cursor_.interests().event_types(); }
  uint32_t max_in_flight() const { return max_in_flight_; }
  uint64_t dead_letters() const { return dead_letters_; }
  Sequence last_delivered_sequence() const { return last_delivered_; }
  const std::optional<LastError>& last_error() const { return last_error_; }
  // Oldest first, at most the newest kMaxIncidents.
  const std::vector<Incident>& incidents() const { return incidents_; }
  const std::shared_ptr<const std::string>& instance_id() const { return instance_id_; }

 private:
  size_t WindowCapacity() const;
  bool HasRoom() const;
  // Enough room, or enough need, for a read to be worth it.
  bool WantsMore() const;
  // True when something was loaded.
  bool Fill();
  bool FillFromReplays();
  // The cursor comes to an event. False when there is no room for it.
  bool Pass(const EventPtr& event);
  void ReadAgain(Duration after);
  WindowEntry& Load(const EventPtr& event, bool counts);
  // Until it expires.
  Duration LeftOf(const Event& event) const;
  void LoadReplay(Replay replay, EventPtr event);
  void Defer(WindowEntry& entry);
  ListenerRow* RowOf(const WindowEntry& entry, Publication*& publication) const;
  void SetRowState(const WindowEntry& entry, DeliveryState state);

  void Send(WindowEntry& entry, SystemTime now, SteadyTime steady_now, std::vector<OutgoingDelivery>& out);
  void Failed(WindowEntry& entry, ListenerError error, std::optional<Duration> delay, std::string hook_results);
  void Released(WindowEntry& entry, ListenerError error, std::optional<Duration> delay);
  // `state`: kRetryScheduled, or kQueued when it was released.
  void BackOff(WindowEntry& entry, Duration wait, DeliveryState state, ListenerError error, std::string hook_results);
  void Finish(WindowEntry& entry, DeliveryState state, std::optional<ListenerError> error, std::string hook_results);
  void FinishReplay(const WindowEntry& entry, const DeliveryRecord& outcome);
  // A dead letter, by its redrive.
  void GiveUpAgain(const Replay& replay, const DeliveryRecord& outcome);
  void LeftFlight(Slot slot);
  void Answered(const WindowEntry& entry, DeliveryRecord outcome);
  // The event's publication, if it is in memory, says so.
  void Show(DeliveryRecord outcome);
  void AnsweredPlainly(const WindowEntry& entry);
  Duration LatencyOf(const WindowEntry& entry, const Publication* publication) const;
  static DeliveryState StateOf(const WindowEntry& entry);
  DeliveryRecord Outcome(const WindowEntry& entry, DeliveryState state, std::optional<ListenerError> error,
                         std::string hook_results, SystemTime next_attempt_time = {}) const;
  void RememberFailure(WindowEntry& entry, const ListenerError& error);
  void AddDeadLetter(const WindowEntry& entry, const DeliveryRecord& outcome);
  // False when it is more of the last one.
  bool Remember(Incident incident);
  void Lose(uint64_t deliveries);
  void Changed();

  // The progress is another one than what was saved.
  void Touch();
  // An event that was never sent has ended.
  void EndUnsent(const Event& event, DeliveryState state, const ListenerError& error);
  void Save(DeliveryRecord delivery);
  void SaveOutcome(DeliveryRecord outcome);
  void SaveRedriven(DeliveryRecord delivery);

  void CheckAt(SteadyTime due);
  void RunDue();
  void WakeSession();

  Parts& parts_;
  const std::shared_ptr<const std::string> name_;
  const ListenerId id_;  // 0: not durable
  bool touched_ = false;
  bool ended_ = false;    // DropAll
  bool changed_ = false;  // what the registry saves of it
  bool configured_ = false;
  Sequence saved_at_ = 0;    // how far the journal was when the progress was saved
  Sequence saved_next_ = 0;  // and how far the cursor

  DeliveryPolicy policy_;
  uint32_t max_in_flight_ = 64;
  bool paused_ = false;

  Session* session_ = nullptr;
  bool sending_ = false;
  std::shared_ptr<const std::string> instance_id_;
  Sequence caught_up_target_ = 0;
  bool caught_up_due_ = false;

  DeliveryWindow window_;
  std::map<Slot, std::vector<Slot>> deferred_by_;  // event in flight -> its descendants that wait in the window for it
  Cursor cursor_;
  Backlog backlog_;
  ReplayFeed replays_;
  std::vector<Gap> gaps_;  // ascending
  std::vector<Incident> incidents_;
  uint64_t dead_letters_ = 0;
  uint64_t lost_deliveries_ = 0;
  bool lost_unknown_ = false;  // the last incident's losses cannot all be counted
  Sequence last_delivered_ = 0;
  std::optional<LastError> last_error_;
  TimerQueue::Id check_;
  TimerQueue::Id read_again_;
};

}  // namespace pvebus::bus
