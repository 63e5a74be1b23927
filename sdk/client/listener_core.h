#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "sdk/base/backoff.h"
#include "sdk/base/crew.h"
#include "sdk/base/mutex.h"
#include "sdk/client/ack_deadlines.h"
#include "sdk/client/delivery_queue.h"
#include "sdk/client/listener.h"
#include "sdk/client/random_id.h"
#include "sdk/client/recent_events.h"
#include "sdk/client/session.h"
#include "sdk/client/verdict.h"

namespace pvebus::client {

// What a Listener is. Its crew's leader owns the stream: connects, reads, ends (listener_lead.cc); whoever reads a delivery also
// handles and answers it (listener_work.cc); one more thread keeps the time and never blocks: heartbeats, extensions, the
// watchdog (listener_timer.cc). Locks are taken in the order crew, mu_, session; nothing is called or written under them.
class Listener::Core final : public Crew::Duty {
 public:
  Core(std::shared_ptr<grpc::Channel> channel, ListenerOptions options, Handler handler, const Publisher* publisher,
       const Clock& clock, Logger& logger);
  ~Core() override;

  void Start();
  absl::Status WaitRegistered(std::chrono::milliseconds timeout);
  void Stop(std::chrono::milliseconds grace);
  absl::Status status() const;
  absl::Status Wait();

 private:
  // Crew::Duty
  bool Lead() override;
  bool Ready() override;
  void Work() override;
  bool Quick() override;

  // Leading.
  bool Connect();
  bool EndSession();
  bus::v1::Registration NextRegistration() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnMessage(bus::v1::ListenResponse& message);
  void OnRegistered(const bus::v1::Registered& registered);
  void OnDeliveries(bus::v1::Deliveries& deliveries);
  void OnDrain(const bus::v1::Drain& drain);
  void OnConfirmations(const bus::v1::Confirmations& confirmations);
  // Whether the end of a stream is final, and if not when to connect again.
  Verdict Conclude(const absl::Status& ended) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Working.
  struct Task {
    std::unique_ptr<client::Work> work;
    std::optional<bus::v1::Acknowledgement> known;  // the event was handled before
  };
  Task Take() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Answer Handle(const Task& task);
  void Settle(const Task& task, Answer answer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ReleaseWaiting() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool takes_work() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return !stopping_ && !bus_drains_; }

  // Keeping the time.
  void KeepTime();
  struct Due {
    SteadyTime next;                  // when to look again
    bool queued = false;              // something has to be flushed
    std::shared_ptr<Session> silent;  // has to be cancelled
  };
  // Queues what is due now.
  Due Tick(SteadyTime now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  void Tell(ListenerEvent event, const absl::Status& status) const;
  const std::string& name() const { return options_.registration.listener(); }

  // Constant after construction.
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<bus::v1::ListenerService::Stub> stub_;
  LockedRandom random_;
  const ListenerOptions options_;
  const Handler handler_;
  const Publisher* const publisher_;
  const Clock& clock_;
  Logger& logger_;
  std::stop_source stop_source_;

  // Of the thread that leads.
  std::shared_ptr<Session> leading_session_;
  uint64_t sessions_ = 0;
  bus::v1::ListenResponse message_;
  std::string last_failure_;  // told already

  // Hints, not decisions.
  std::atomic<bool> leading_ = false;
  std::atomic<int64_t> average_work_ns_;

  mutable Mutex mu_;
  CondVar changed_;       // state that Stop, Wait and the leader wait for
  CondVar time_changed_;  // there may be something earlier for the timer
  // The stream, from before it connects until it has ended.
  std::shared_ptr<Session> session_ ABSL_GUARDED_BY(mu_);
  bool registered_ ABSL_GUARDED_BY(mu_) = false;
  bool bus_drains_ ABSL_GUARDED_BY(mu_) = false;
  bool silent_ ABSL_GUARDED_BY(mu_) = false;  // cancelled by the watchdog
  Duration lease_ ABSL_GUARDED_BY(mu_);
  Duration patience_ ABSL_GUARDED_BY(mu_);  // silence after which the bus is given up
  SteadyTime last_heard_ ABSL_GUARDED_BY(mu_);
  SteadyTime registered_at_ ABSL_GUARDED_BY(mu_);
  // Between streams.
  Backoff backoff_ ABSL_GUARDED_BY(mu_);
  SteadyTime connect_at_ ABSL_GUARDED_BY(mu_);
  bool ever_registered_ ABSL_GUARDED_BY(mu_) = false;
  SteadyTime lost_at_ ABSL_GUARDED_BY(mu_);
  // Events.
  DeliveryQueue queue_ ABSL_GUARDED_BY(mu_);
  AckDeadlines deadlines_ ABSL_GUARDED_BY(mu_);
  RecentEvents recent_ ABSL_GUARDED_BY(mu_);
  int running_ ABSL_GUARDED_BY(mu_) = 0;
  bool write_wanted_ ABSL_GUARDED_BY(mu_) = false;  // something is queued and nobody is about to flush it
  SteadyTime timer_wakes_at_ ABSL_GUARDED_BY(mu_);
  // Life.
  bool started_ ABSL_GUARDED_BY(mu_) = false;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  bool timer_ends_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status final_status_ ABSL_GUARDED_BY(mu_);  // not OK: given up

  std::thread timer_;
  Crew crew_;
};

}  // namespace pvebus::client
