#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bus-service/core/former_listener.h"
#include "bus-service/core/session.h"
#include "bus-service/core/subscription.h"

namespace pvebus::bus {

// Values as in pvebus.bus.v1.ListenerState.
enum class ListenerState : uint8_t {
  kConnected = 1,
  kDisconnected = 2,
  kLeaseExpired = 3,
  kPaused = 4,
  kDraining = 5,
  kBlocked = 6
};

// A name the bus knows: the subscription, and who holds or held it.
struct ListenerRecord {
  std::shared_ptr<Subscription> subscription;
  Session* holder = nullptr;
  uint64_t epoch = 0;
  uint64_t version = 1;
  bool ephemeral = false;
  bool lease_expired = false;
  std::string pause_reason;
  SystemTime create_time;
  SystemTime connect_time;
  // Of the holder, or the last one.
  std::string instance_id;
  std::string node;
  std::string peer;
  Duration lease{0};
  std::map<std::string, std::string> labels;

  ListenerState State() const;
  std::string StateReason() const;
  std::string Etag() const;
};

// The listeners by name: who may hold one, who loses it when, and what operators do to them. One thread.
class Registry {
 public:
  struct Admission {
    std::shared_ptr<Subscription> subscription;
    std::shared_ptr<const std::string> instance_id;
    uint64_t epoch = 0;
    bool resumed = false;
    std::string superseded_instance_id;
  };

  explicit Registry(Parts& parts) : parts_(parts) {}

  // Gives the name to the session, or says why not. Takes it from another one where the registration may.
  absl::StatusOr<Admission> Admit(Session& session, const Registration& registration);
  // The session has ended and no longer holds the name.
  void Left(Session& session, Subscription& subscription, const absl::Status& status, Subscription::Leave leave);

  const std::map<std::string, ListenerRecord, std::less<>>& listeners() const { return listeners_; }
  // Those that were deleted, as far as results need them.
  const std::vector<FormerListener>& former_listeners() const { return former_; }
  // Of one that is there, or was; null when it is forgotten.
  std::shared_ptr<const std::string> NameOf(ListenerId id) const;
  // The journal has forgotten the events before this one.
  void ForgetFormer(Sequence first);
  // NOT_FOUND naming the nearest; ABORTED when `etag` is given and is another.
  absl::StatusOr<ListenerRecord*> Find(std::string_view name, std::string_view etag = {});

  absl::StatusOr<ListenerRecord*> Pause(std::string_view name, std::string_view reason, std::string_view etag);
  absl::StatusOr<ListenerRecord*> Resume(std::string_view name, std::string_view etag);
  struct Eviction {
    ListenerRecord* listener;
    std::string instance_id;
  };
  absl::StatusOr<Eviction> Evict(std::string_view name, std::string_view reason, std::string_view etag);
  struct SeekOutcome {
    ListenerRecord* listener;  // null: it was deleted meanwhile
    Sequence next_sequence;
    uint64_t skipped;
  };
  // `done` is called during the call or later.
  void Seek(std::string_view name, const StartPosition& position, bool validate_only, std::string_view etag,
            std::function<void(absl::StatusOr<SeekOutcome>)> done);
  // How many unsettled events and dead letters it had.
  absl::StatusOr<uint64_t> Delete(std::string_view name, bool force, std::string_view etag);

  // The sequence of the first event at a position. SEQUENCE_COMPACTED when it is no longer there. Requires: it is no time.
  absl::StatusOr<Sequence> Resolve(const StartPosition& position) const;
  // The same with times; `done` is called during the call or later.
  void Resolve(const StartPosition& position, std::function<void(absl::StatusOr<Sequence>)> done) const;

  // The listener that is furthest behind; null when there is none.
  const ListenerRecord* Slowest() const;
  // The journal is about to forget the events before this one: whoever has not settled them loses them.
  void GiveUpBefore(Sequence sequence);
  // How many deliveries the listeners have lost so.
  uint64_t lost_deliveries() const;
  // What is kept of the listener has changed by itself.
  void SaveChanges(const Subscription& subscription);
  // The one with this id; null when there is none.
  Subscription* FindById(ListenerId id) const;

  // What an earlier run of the bus knew. Requires: no listener is there.
  void Restore(const Recovery& recovery);

  // DATA_LOSS JOURNAL_DAMAGED when nothing is stored any more: nobody is admitted then either.
  absl::Status CheckWritable() const;

  // From here on nobody is admitted.
  void StartDraining() { draining_ = true; }
  bool draining() const { return draining_; }
  // Told when a listener connects or leaves.
  void SetObserver(std::function<void()> observer) { observer_ = std::move(observer); }

 private:
  using Listeners = std::map<std::string, ListenerRecord, std::less<>>;

  static ListenerSnapshot SnapshotOf(const ListenerRecord& record);
  void Save(const ListenerRecord& record);
  // Its results stay, and nothing else. Requires: it is about to be deleted.
  void Bury(const ListenerRecord& record);
  absl::Status CheckHolder(const ListenerRecord& record, const Registration& registration) const;
  void Changed() {
    if (observer_) observer_();
  }

  Parts& parts_;
  std::map<std::string, ListenerRecord, std::less<>> listeners_;
  std::vector<FormerListener> former_;  // in the order of their deletion, at most max_listeners
  std::function<void()> observer_;
  ListenerId last_listener_id_ = 0;
  bool draining_ = false;
};

}  // namespace pvebus::bus
