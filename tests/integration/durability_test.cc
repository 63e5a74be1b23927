// What was acknowledged survives kill -9 of the bus: events, listeners, attempts, pauses, dead letters, de-duplication.
#include <atomic>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "sdk/base/error.h"
#include "tests/support/bus_process.h"
#include "tests/support/messages.h"
#include "tests/support/raw_listener.h"

namespace pvebus::testing {
namespace {

using bus::v1::DeliveryState;
using std::chrono::milliseconds;

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string path = (std::filesystem::temp_directory_path() / "pvebus-XXXXXX").string();
    path_ = mkdtemp(path.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class DurabilityTest : public ::testing::Test {
 protected:
  DurabilityTest() { Start(); }

  void Start() { bus_ = std::make_unique<BusProcess>(std::vector<std::string>{"--data-dir", directory_.path() + "/bus"}); }
  void Kill() {
    bus_->process().Signal(SIGKILL);
    bus_->process().WaitExit(std::chrono::seconds(20));
    bus_.reset();
  }
  void KillAndStart() {
    Kill();
    Start();
  }

  TemporaryDirectory directory_;
  std::unique_ptr<BusProcess> bus_;
};

bus::v1::PublishRequest Request(const std::string& event_id, const std::string& key, bus::v1::WaitPolicy wait) {
  bus::v1::PublishRequest request;
  *request.mutable_event() = CustomEvent("durable");
  request.mutable_event()->set_event_id(event_id);
  request.mutable_event()->set_ordering_key(key);
  request.set_wait_policy(wait);
  return request;
}

DeliveryState StateOf(const bus::v1::PublishResult& result, const std::string& listener) {
  return RowOf(result, listener).state();
}

bus::v1::JournalKind JournalOf(BusProcess& bus) {
  return Call(&bus::v1::JournalService::Stub::GetJournalStatus, bus.journal(), bus::v1::GetJournalStatusRequest()).value().kind();
}

TEST_F(DurabilityTest, TheStatusSaysThatTheJournalIsDurable) { EXPECT_EQ(JournalOf(*bus_), bus::v1::JOURNAL_KIND_SQLITE); }

// Every event answered OK is there with its sequence, sequences have no gap, and the durable listener ends with every
// acknowledged event, never less.
TEST_F(DurabilityTest, NothingAcknowledgedIsLostInAPublishStormThatIsKilledAgainAndAgain) {
  constexpr int kRounds = 50;
  std::mt19937 random(7);
  std::map<std::string, uint64_t> acknowledged;
  std::set<std::string> received;
  auto registration = RegistrationOf("keeper");
  registration.mutable_start_position()->set_earliest(true);
  for (int round = 0; round < kRounds; ++round) {
    Mutex mutex;
    RawListener listener(bus_->address(), registration);
    listener.WaitRegistered();
    std::atomic<bool> stop = false;
    std::vector<std::thread> publishers;
    for (int publisher = 0; publisher < 3; ++publisher) {
      publishers.emplace_back([&, publisher] {
        for (int i = 0; !stop; ++i) {
          const std::string id = absl::StrFormat("r%d-p%d-%d", round, publisher, i);
          const auto response = bus_->Publish(Request(id, id, bus::v1::WAIT_POLICY_DURABLE), std::chrono::seconds(5));
          if (!response.ok()) return;
          MutexLock lock(mutex);
          acknowledged[id] = response->result().sequence();
        }
      });
    }
    std::thread acknowledger([&] {
      while (!stop) {
        const auto delivery = listener.NextDeliveryIfAny(milliseconds(20));
        if (!delivery) continue;
        received.insert(delivery->event().event_id());
        listener.Ack(delivery->delivery_id());
      }
    });
    WaitFor("some events of the storm", [&] {
      MutexLock lock(mutex);
      return acknowledged.size() > static_cast<size_t>(round + 1) * 20;
    });
    LetPass(milliseconds(random() % 50));  // the moment of the kill, anywhere in a commit
    bus_->process().Signal(SIGKILL);
    stop = true;
    for (auto& thread : publishers) thread.join();
    acknowledger.join();
    Kill();
    Start();

    for (const auto& [id, sequence] : acknowledged) {
      ASSERT_EQ(bus_->Result(id).sequence(), sequence) << "round " << round << ": BrokeDurability of " << id;
    }
    const auto status =
        Call(&bus::v1::JournalService::Stub::GetJournalStatus, bus_->journal(), bus::v1::GetJournalStatusRequest()).value();
    ASSERT_EQ(status.event_count(), status.last_sequence()) << "round " << round << ": BrokeSequences";
  }
  RawListener listener(bus_->address(), registration);
  listener.WaitRegistered();
  WaitFor("the keeper to have every acknowledged event", [&] {
    while (const auto delivery = listener.NextDeliveryIfAny(milliseconds(100))) {
      received.insert(delivery->event().event_id());
      listener.Ack(delivery->delivery_id());
    }
    return bus_->GetListener("keeper")->backlog() == 0;
  });
  for (const auto& [id, sequence] : acknowledged) EXPECT_TRUE(received.contains(id)) << "BrokeAtLeastOnce: " << id;
}

TEST_F(DurabilityTest, TheSameRequestAfterACrashIsADuplicate) {
  auto request = Request("", "k", bus::v1::WAIT_POLICY_DURABLE);
  request.set_request_id("r1");
  const auto first = bus_->Publish(request).value();

  KillAndStart();

  const auto again = bus_->Publish(request).value();
  EXPECT_TRUE(again.duplicate());
  EXPECT_EQ(again.result().event_id(), first.result().event_id());
  request.mutable_event()->set_subject("another");
  EXPECT_EQ(ErrorReason(bus_->Publish(request).status()), "REQUEST_ID_CONFLICT");
}

TEST_F(DurabilityTest, AttemptsAreCountedAcrossACrashAndMaxAttemptsIsExact) {
  auto registration = RegistrationOf("fussy");
  registration.mutable_delivery_policy()->set_max_attempts(3);
  *registration.mutable_delivery_policy()->mutable_minimum_backoff() = ProtoDuration(milliseconds(50));
  std::vector<uint32_t> attempts;
  {
    RawListener listener(bus_->address(), registration);
    listener.WaitRegistered();
    bus_->PublishDurable(Request("e1", "k", bus::v1::WAIT_POLICY_DURABLE).event());
    const auto delivery = listener.NextDelivery();
    attempts.push_back(delivery.attempt());
    listener.Reject(delivery.delivery_id(), {}, true);
    listener.NextConfirmation();
  }
  KillAndStart();
  RawListener listener(bus_->address(), registration);
  listener.WaitRegistered();
  for (int i = 0; i < 2; ++i) {
    const auto delivery = listener.NextDelivery();
    attempts.push_back(delivery.attempt());
    listener.Reject(delivery.delivery_id(), {}, true);
    listener.NextConfirmation();
  }

  EXPECT_EQ(attempts, (std::vector<uint32_t>{1, 2, 3}));
  WaitFor("the dead letter", [&] { return bus_->GetListener("fussy")->dead_letters() == 1; });
  EXPECT_EQ(StateOf(bus_->Result("e1"), "fussy"), bus::v1::DELIVERY_STATE_DEAD_LETTERED);
  KillAndStart();
  EXPECT_EQ(StateOf(bus_->Result("e1"), "fussy"), bus::v1::DELIVERY_STATE_DEAD_LETTERED);
  EXPECT_EQ(bus_->GetListener("fussy")->dead_letters(), 1u);
}

TEST_F(DurabilityTest, AConfirmedAcknowledgementIsNeverDeliveredAgain) {
  RawListener listener(bus_->address(), RegistrationOf("sure"));
  listener.WaitRegistered();
  bus_->PublishDurable(Request("e1", "k", bus::v1::WAIT_POLICY_DURABLE).event());
  listener.Ack(listener.NextDelivery().delivery_id(), true);
  ASSERT_EQ(listener.NextConfirmation().status(), bus::v1::CONFIRMATION_STATUS_ACCEPTED);

  KillAndStart();

  EXPECT_EQ(StateOf(bus_->Result("e1"), "sure"), bus::v1::DELIVERY_STATE_SUCCEEDED);
  EXPECT_EQ(bus_->GetListener("sure")->backlog(), 0u);
}

TEST_F(DurabilityTest, PauseAndEpochAreKept) {
  { RawListener(bus_->address(), RegistrationOf("tired")).WaitRegistered(); }
  bus::v1::PauseListenerRequest pause;
  pause.set_name("tired");
  pause.set_reason("maintenance");
  ASSERT_TRUE(Call(&bus::v1::RegistryService::Stub::PauseListener, bus_->registry(), pause).ok());
  bus_->PublishDurable(CustomEvent("x"));

  KillAndStart();

  const auto listener = bus_->GetListener("tired").value();
  EXPECT_EQ(listener.state(), bus::v1::LISTENER_STATE_PAUSED);
  EXPECT_EQ(listener.state_reason(), "maintenance");
  EXPECT_EQ(listener.session_epoch(), 1u);
  EXPECT_EQ(listener.backlog(), 1u);
  RawListener again(bus_->address(), RegistrationOf("tired"));
  EXPECT_EQ(again.WaitRegistered().session_epoch(), 2u);
}

TEST_F(DurabilityTest, AnOrderlyEndKeepsEverythingToo) {
  {
    RawListener listener(bus_->address(), RegistrationOf("orderly"));
    listener.WaitRegistered();
    bus_->PublishDurable(Request("e1", "k", bus::v1::WAIT_POLICY_DURABLE).event());
    listener.Ack(listener.NextDelivery().delivery_id());
    WaitFor("the acknowledgement", [&] { return bus_->GetListener("orderly")->backlog() == 0; });
  }
  bus_->process().Signal(SIGTERM);
  ASSERT_EQ(bus_->process().WaitExit(std::chrono::seconds(20)), 0);

  Start();

  EXPECT_EQ(StateOf(bus_->Result("e1"), "orderly"), bus::v1::DELIVERY_STATE_SUCCEEDED);
  EXPECT_EQ(bus_->GetListener("orderly")->backlog(), 0u);
}

TEST_F(DurabilityTest, ASecondBusOnTheSameDirectorySaysSoAndEnds) {
  Process second({ProgramPath("bus-service"), "--listen", "127.0.0.1:0", "--data-dir", directory_.path() + "/bus"});

  EXPECT_EQ(second.WaitExit(std::chrono::seconds(20)), 1);
  EXPECT_THAT(second.StandardError(), ::testing::HasSubstr("another bus is using the data directory"));
  bus_->ExpectAlive();
}

}  // namespace
}  // namespace pvebus::testing
