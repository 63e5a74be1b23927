#pragma once

#include <unistd.h>

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "sdk/base/mutex.h"
#include "sdk/client/channel.h"
#include "sdk/client/fake_bus.h"
#include "sdk/client/listener.h"

namespace pvebus::client {

// A listener at a bus that the test plays.
class ListenerTest : public testing::Test {
 protected:
  ListenerTest() {
    options_.registration.set_listener("test-listener");
    options_.minimum_backoff = std::chrono::milliseconds(5);
    options_.maximum_backoff = std::chrono::milliseconds(50);
    options_.observer = [this](ListenerEvent event, const absl::Status& status) { told_.Put({event, status}); };
    handler_ = [this](const EventContext&) {
      ++handled_;
      return Answer::Ack();
    };
  }
  ~ListenerTest() override {
    OpenAll();
    listener_.reset();
  }

  void Start() { Start(bus_.address()); }
  void Start(const std::string& address) {
    listener_ = std::make_unique<Listener>(Connect(address), options_, handler_, &publisher_, clock_, logger_);
    listener_->Start();
  }
  std::shared_ptr<FakeStream> StartRegistered(Duration lease = std::chrono::seconds(15)) {
    Start();
    auto stream = bus_.NextRegisteredStream(lease);
    EXPECT_TRUE(stream) << "waited for a registration";
    EXPECT_TRUE(listener_->WaitRegistered(kPatience).ok()) << "waited to be registered";
    return stream;
  }

  // Handlers say that they begin and then wait until LetEnd names their event, or they are stopped.
  void HandleByGate() {
    handler_ = [this](const EventContext& context) {
      ++handled_;
      begun_.Put(context.event().event_id());
      std::stop_callback wake(context.stop(), [this] {
        MutexLock lock(mu_);
        may_end_changed_.NotifyAll();
      });
      MutexLock lock(mu_);
      const SteadyTime end = std::chrono::steady_clock::now() + 2 * kPatience;
      while (!all_may_end_ && !may_end_.contains(context.event().event_id()) && !context.stop().stop_requested()) {
        if (!may_end_changed_.WaitUntil(mu_, end)) break;
      }
      const bool stopped = context.stop().stop_requested();
      ended_.Put(stopped);
      return stopped ? Answer::Retry(absl::StatusCode::kCancelled, "STOPPED", "") : Answer::Ack();
    };
  }
  void LetEnd(const std::string& event_id) {
    MutexLock lock(mu_);
    may_end_.insert(event_id);
    may_end_changed_.NotifyAll();
  }
  void OpenAll() {
    MutexLock lock(mu_);
    all_may_end_ = true;
    may_end_changed_.NotifyAll();
  }
  // The next events whose handlers begin.
  std::set<std::string> WaitBegun(int count) {
    std::set<std::string> begun;
    for (int i = 0; i < count; ++i) {
      const auto event_id = begun_.Take();
      EXPECT_TRUE(event_id) << "waited for handler " << i + 1 << " of " << count << " to begin";
      if (event_id) begun.insert(*event_id);
    }
    return begun;
  }
  // What the observer is told with the next such event; others are passed over.
  std::optional<absl::Status> WaitFor(ListenerEvent event) {
    const SteadyTime end = std::chrono::steady_clock::now() + kPatience;
    for (;;) {
      const auto told = told_.Take(end - std::chrono::steady_clock::now());
      if (!told) return std::nullopt;
      if (told->first == event) return told->second;
    }
  }

  static bus::v1::ListenResponse Heartbeat() {
    bus::v1::ListenResponse response;
    response.mutable_heartbeat();
    return response;
  }

  RealClock clock_;
  NullLogger logger_;
  Mutex mu_;
  CondVar may_end_changed_;
  std::set<std::string> may_end_ ABSL_GUARDED_BY(mu_);
  bool all_may_end_ ABSL_GUARDED_BY(mu_) = false;
  Mailbox<std::string> begun_;
  Mailbox<bool> ended_;  // whether it was stopped
  Mailbox<std::pair<ListenerEvent, absl::Status>> told_;
  Mailbox<bus::v1::PublishRequest> published_;
  std::atomic<int> handled_ = 0;
  ListenerOptions options_;
  Handler handler_;
  FakeBus bus_;
  Publisher publisher_{Connect(bus_.address()), "listener-test", clock_};
  std::unique_ptr<Listener> listener_;
};

}  // namespace pvebus::client
