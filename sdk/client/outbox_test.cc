#include "sdk/client/outbox.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"
#include "sdk/base/mutex.h"
#include "sdk/client/channel.h"
#include "sdk/client/fake_bus.h"
#include "sdk/status/status.h"

namespace pvebus::client {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;

SteadyTime In10Seconds() { return std::chrono::steady_clock::now() + seconds(10); }

// Gives out at most so many at once. Any thread.
class MemoryOutboxStore final : public OutboxStore {
 public:
  void Put(const std::string& subject, const std::string& parent_event_id) {
    MutexLock lock(mu_);
    OutboxEntry entry;
    entry.key = std::to_string(++last_);
    entry.label = "notice=" + subject;
    entry.request_id = "request-" + entry.key;
    entry.event.set_subject(subject);
    entry.event.mutable_storage_vlan_created()->set_id(subject);
    if (!parent_event_id.empty()) entry.event.mutable_causation()->set_parent_event_id(parent_event_id);
    entries_.push_back(std::move(entry));
  }
  // What removing returns from now on, and removes nothing unless it is OK.
  void FailWith(absl::Status failure) {
    MutexLock lock(mu_);
    failure_ = std::move(failure);
  }
  void GiveOut(size_t most) {
    MutexLock lock(mu_);
    most_ = most;
  }
  size_t size() {
    MutexLock lock(mu_);
    return entries_.size();
  }

  absl::StatusOr<std::vector<OutboxEntry>> Entries() override {
    MutexLock lock(mu_);
    return std::vector<OutboxEntry>(entries_.begin(), entries_.begin() + static_cast<long>(std::min(most_, entries_.size())));
  }
  absl::Status Remove(const std::string& key) override {
    MutexLock lock(mu_);
    if (failure_.ok()) std::erase_if(entries_, [&](const OutboxEntry& entry) { return entry.key == key; });
    return failure_;
  }

 private:
  Mutex mu_;
  std::vector<OutboxEntry> entries_ ABSL_GUARDED_BY(mu_);
  absl::Status failure_ ABSL_GUARDED_BY(mu_);
  size_t most_ ABSL_GUARDED_BY(mu_) = 1000;
  int last_ ABSL_GUARDED_BY(mu_) = 0;
};

// Keeps the lines. Any thread.
class MemoryLogger final : public Logger {
 public:
  void Write(LogLevel, std::string_view line) override {
    MutexLock lock(mu_);
    lines_.emplace_back(line);
  }
  std::vector<std::string> lines() {
    MutexLock lock(mu_);
    return lines_;
  }

 private:
  Mutex mu_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mu_);
};

absl::Status Refusal(absl::StatusCode code, const char* reason) { return MakeError(code, reason, "no"); }

class OutboxTest : public testing::Test {
 protected:
  OutboxTest() {
    bus_.OnPublish([this](auto&, const bus::v1::PublishRequest& request, auto& response) {
      const absl::Status status = answer_ ? answer_(request) : absl::OkStatus();
      if (status.ok()) published_.Put(request);
      response.mutable_result()->set_event_id("e-" + request.request_id());
      return ToGrpcStatus(status);
    });
  }

  void Add(const std::string& subject, const std::string& parent_event_id = "") { store_.Put(subject, parent_event_id); }
  void Start() { outbox_ = std::make_unique<Outbox>(store_, publisher_, logger_); }
  absl::Status PublishNow() { return outbox_->PublishNow(In10Seconds(), {}); }
  std::string NextPublished() {
    const auto request = published_.Take();
    return request ? request->event().subject() : "nothing";
  }
  size_t Left() { return store_.size(); }

  RealClock clock_;
  MemoryLogger logger_;
  MemoryOutboxStore store_;
  std::function<absl::Status(const bus::v1::PublishRequest&)> answer_;  // set before Start
  Mailbox<bus::v1::PublishRequest> published_;
  Mailbox<bool> asked_;
  Mailbox<bool> go_on_;
  FakeBus bus_;
  Publisher publisher_{Connect(bus_.address()), "outbox@pve1", clock_};
  std::unique_ptr<Outbox> outbox_;
};

TEST_F(OutboxTest, EntriesArePublishedInTheirOrderAndThenGone) {
  Add("nas", "e1");
  Add("san");
  Start();

  const absl::Status status = PublishNow();

  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(Left(), 0u);
  const auto first = published_.Take();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->event().storage_vlan_created().id(), "nas");
  EXPECT_EQ(first->event().causation().parent_event_id(), "e1");
  EXPECT_EQ(first->event().source(), "outbox@pve1");
  EXPECT_EQ(first->request_id(), "request-1");
  EXPECT_EQ(first->wait_policy(), bus::v1::WAIT_POLICY_DURABLE);
  EXPECT_EQ(NextPublished(), "san");
}

TEST_F(OutboxTest, WakingPublishesInTheBackground) {
  Start();
  Add("nas");

  outbox_->Wake();

  EXPECT_EQ(NextPublished(), "nas");
}

TEST_F(OutboxTest, WhileTheBusIsAwayEntriesWaitAndKeepTheirRequestIds) {
  std::atomic<bool> away = true;
  answer_ = [&](const auto&) { return away ? Refusal(absl::StatusCode::kResourceExhausted, "JOURNAL_FULL") : absl::OkStatus(); };
  Add("nas");
  Add("san");
  Start();

  const absl::Status refused = PublishNow();
  EXPECT_EQ(ErrorReason(refused), "JOURNAL_FULL");
  EXPECT_EQ(Left(), 2u);
  away = false;

  const auto first = published_.Take();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->request_id(), "request-1");
  EXPECT_EQ(NextPublished(), "san");
}

TEST_F(OutboxTest, WhatTheBusRefusesForGoodBlocksNothingBehindIt) {
  answer_ = [](const bus::v1::PublishRequest& request) {
    const std::string& subject = request.event().subject();
    if (subject == "deep") return Refusal(absl::StatusCode::kFailedPrecondition, "HOP_LIMIT_EXCEEDED");
    return subject == "bad" ? Refusal(absl::StatusCode::kInvalidArgument, "ID_INVALID") : absl::OkStatus();
  };
  for (const char* id : {"deep", "bad", "nas"}) Add(id);
  Start();

  const absl::Status status = PublishNow();

  EXPECT_EQ(ErrorReason(status), "HOP_LIMIT_EXCEEDED");
  EXPECT_EQ(NextPublished(), "nas");
  EXPECT_EQ(Left(), 0u);
}

TEST_F(OutboxTest, TheLogSaysWhatBecameOfEach) {
  answer_ = [](const bus::v1::PublishRequest& request) {
    return request.event().subject() == "bad" ? Refusal(absl::StatusCode::kInvalidArgument, "ID_INVALID") : absl::OkStatus();
  };
  for (const char* id : {"nas", "bad"}) Add(id);
  Start();

  PublishNow().IgnoreError();

  EXPECT_THAT(logger_.lines(), ElementsAre("notice=nas event_id=e-request-1 duplicate=false",
                                           "notice=bad state=dropped reason=ID_INVALID message=\"no\""));
}

TEST_F(OutboxTest, ABusThatIsAwayIsSaidOnceAndWhenItIsBack) {
  std::atomic<bool> away = true;
  answer_ = [&](const auto&) { return away ? Refusal(absl::StatusCode::kResourceExhausted, "JOURNAL_FULL") : absl::OkStatus(); };
  Add("nas");
  Start();

  for (int i = 0; i < 3; ++i) PublishNow().IgnoreError();
  away = false;
  EXPECT_TRUE(PublishNow().ok());

  EXPECT_THAT(logger_.lines(), ElementsAre("notices=waiting code=RESOURCE_EXHAUSTED message=\"no\"",
                                           "notice=nas event_id=e-request-1 duplicate=false", "notices=published"));
}

TEST_F(OutboxTest, WhatTheStoreGivesOutInPartsIsPublishedToTheEnd) {
  store_.GiveOut(2);
  for (const char* id : {"a", "b", "c", "d", "e"}) Add(id);
  Start();

  EXPECT_TRUE(PublishNow().ok());

  for (const char* id : {"a", "b", "c", "d", "e"}) EXPECT_EQ(NextPublished(), id);
  EXPECT_EQ(Left(), 0u);
}

TEST_F(OutboxTest, AParentThatTheJournalHasForgottenIsLeftOut) {
  answer_ = [](const bus::v1::PublishRequest& request) {
    return request.event().has_causation() ? Refusal(absl::StatusCode::kFailedPrecondition, "PARENT_UNKNOWN") : absl::OkStatus();
  };
  Add("nas", "forgotten");
  Start();

  EXPECT_TRUE(PublishNow().ok());

  EXPECT_EQ(NextPublished(), "nas");
}

TEST_F(OutboxTest, WhatCouldNotBeRemovedIsPublishedAgainUnderItsRequestId) {
  Add("nas");
  store_.FailWith(absl::UnavailableError("the disk is full"));
  Start();

  EXPECT_EQ(PublishNow().message(), "the disk is full");
  store_.FailWith(absl::OkStatus());
  EXPECT_TRUE(PublishNow().ok());

  EXPECT_EQ(Left(), 0u);
  EXPECT_EQ(published_.Take()->request_id(), "request-1");
  EXPECT_EQ(published_.Take()->request_id(), "request-1");
}

TEST_F(OutboxTest, WhoWaitsIsNotHeldUpByEarlierFailures) {
  answer_ = [](const auto&) { return Refusal(absl::StatusCode::kResourceExhausted, "JOURNAL_FULL"); };
  Add("nas");
  Start();
  const SteadyTime before = std::chrono::steady_clock::now();

  for (int i = 0; i < 5; ++i) EXPECT_EQ(ErrorReason(PublishNow()), "JOURNAL_FULL");

  EXPECT_LT(std::chrono::steady_clock::now() - before, seconds(2));  // in the background it would wait 0.2, 0.4, 0.8 and 1.6 s
}

TEST_F(OutboxTest, WaitingForTheBusEndsWithItsDeadlineOrWhenItIsStopped) {
  std::stop_source stop;
  stop.request_stop();
  answer_ = [&](const auto&) {
    go_on_.Take();
    return absl::OkStatus();
  };
  Add("nas");
  Start();

  EXPECT_EQ(outbox_->PublishNow(In10Seconds(), stop.get_token()).code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(outbox_->PublishNow(std::chrono::steady_clock::now(), {}).code(), absl::StatusCode::kDeadlineExceeded);

  go_on_.Put(true);
  EXPECT_EQ(NextPublished(), "nas");
}

TEST_F(OutboxTest, ItEndsWhileTheBusHangs) {
  answer_ = [&](const auto&) {
    asked_.Put(true);
    go_on_.Take();
    return absl::OkStatus();
  };
  Add("nas");
  Start();
  outbox_->Wake();
  ASSERT_TRUE(asked_.Take());

  const SteadyTime before = std::chrono::steady_clock::now();
  outbox_.reset();

  EXPECT_LT(std::chrono::steady_clock::now() - before, seconds(4));  // the call's own limit is 5 s
  EXPECT_EQ(Left(), 1u);
  go_on_.Put(true);
}

}  // namespace
}  // namespace pvebus::client
