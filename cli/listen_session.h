#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "cli/console.h"
#include "pvebus/bus/v1/listener_service.pb.h"
#include "sdk/base/mutex.h"
#include "sdk/client/listener.h"

namespace pvebus::cli {

// What an ad-hoc listener does with every event.
struct ListenPlan {
  bus::v1::Registration registration;
  std::optional<bus::v1::Rejection> rejection;  // absent: acknowledge
  bool hang = false;
  std::chrono::milliseconds delay{0};
  int concurrency = 4;
  uint64_t count = 0;  // end after so many; 0 is never
  bool original = false;
};

// One run of `pvebus listen`. Run blocks; RequestStop from any thread.
class ListenSession {
 public:
  ListenSession(ListenPlan plan, Console& console) : plan_(std::move(plan)), console_(console) {}

  // OK when it ended as planned, else why the name could not be had or kept.
  absl::Status Run(std::shared_ptr<grpc::Channel> channel);
  void RequestStop();

 private:
  client::Answer Handle(const client::EventContext& context);
  void Observe(client::ListenerEvent event, const absl::Status& status);
  // False when the planned number has been taken before.
  bool TakeNumber();
  void FinishNumber();
  void Print(const client::EventContext& context);
  void Work(const std::stop_token& stop);

  const ListenPlan plan_;
  Console& console_;
  Mutex mutex_;
  CondVar changed_;
  uint64_t taken_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t finished_ ABSL_GUARDED_BY(mutex_) = 0;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  Mutex output_mutex_;  // one line at a time
};

}  // namespace pvebus::cli
