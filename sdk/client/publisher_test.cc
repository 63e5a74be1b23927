#include "sdk/client/publisher.h"

#include <set>
#include <thread>

#include "gtest/gtest.h"
#include "sdk/base/error.h"
#include "sdk/client/channel.h"
#include "sdk/client/fake_bus.h"
#include "sdk/status/status.h"

namespace pvebus::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

event::v1::SystemEvent CustomEvent() {
  event::v1::SystemEvent event;
  event.mutable_custom()->set_name("test");
  return event;
}

class PublisherTest : public testing::Test {
 protected:
  // Answers each try with the next status; the last one stays.
  void Script(std::vector<absl::Status> statuses) {
    bus_.OnPublish([this, statuses = std::move(statuses)](auto&, const auto& request, auto& response) {
      MutexLock lock(mu_);
      const size_t index = std::min(requests_.size(), statuses.size() - 1);
      requests_.push_back(request);
      times_.push_back(clock_.SteadyNow());
      response.mutable_result()->set_event_id("e1");
      return ToGrpcStatus(statuses[index]);
    });
  }
  std::vector<bus::v1::PublishRequest> requests() {
    MutexLock lock(mu_);
    return requests_;
  }

  RealClock clock_;
  Mutex mu_;
  std::vector<bus::v1::PublishRequest> requests_ ABSL_GUARDED_BY(mu_);
  std::vector<SteadyTime> times_ ABSL_GUARDED_BY(mu_);
  FakeBus bus_;
  Publisher publisher_{Connect(bus_.address()), "publisher-test", clock_};
};

TEST_F(PublisherTest, SaysWhatItWasToldAndFillsInSourceAndRequestId) {
  Script({absl::OkStatus()});
  PublishOptions options;
  options.wait_policy = bus::v1::WAIT_POLICY_SETTLED;
  options.wait_timeout = milliseconds(1500);
  options.required_listeners = {"storage-hooks"};
  options.expected_last_sequence = 7;
  options.validate_only = true;

  const auto response = publisher_.Publish(CustomEvent(), options);

  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->result().event_id(), "e1");
  const auto request = requests().at(0);
  EXPECT_EQ(request.event().source(), "publisher-test");
  EXPECT_EQ(request.request_id().size(), 32u);
  EXPECT_EQ(request.wait_policy(), bus::v1::WAIT_POLICY_SETTLED);
  EXPECT_EQ(request.wait_timeout().seconds(), 1);
  EXPECT_EQ(request.wait_timeout().nanos(), 500'000'000);
  EXPECT_EQ(request.required_listeners(0), "storage-hooks");
  EXPECT_EQ(request.expected_last_sequence(), 7u);
  EXPECT_TRUE(request.validate_only());
}

TEST_F(PublisherTest, TwoPublishesAreNeverTheSameRequest) {
  Script({absl::OkStatus()});

  ASSERT_TRUE(publisher_.Publish(CustomEvent()).ok());
  ASSERT_TRUE(publisher_.Publish(CustomEvent()).ok());

  EXPECT_NE(requests().at(0).request_id(), requests().at(1).request_id());
}

TEST_F(PublisherTest, UnavailableIsRepeatedUnderTheSameRequestId) {
  Script({absl::UnavailableError("restarting"), absl::UnavailableError("restarting"), absl::OkStatus()});

  ASSERT_TRUE(publisher_.Publish(CustomEvent()).ok());

  ASSERT_EQ(requests().size(), 3u);
  EXPECT_FALSE(requests()[0].request_id().empty());
  EXPECT_EQ(requests()[0].request_id(), requests()[1].request_id());
  EXPECT_EQ(requests()[0].request_id(), requests()[2].request_id());
}

TEST_F(PublisherTest, TheCallersRequestIdIsKept) {
  Script({absl::UnavailableError("restarting"), absl::OkStatus()});
  PublishOptions options;
  options.request_id = "mine";

  ASSERT_TRUE(publisher_.Publish(CustomEvent(), options).ok());

  EXPECT_EQ(requests().at(1).request_id(), "mine");
}

TEST_F(PublisherTest, WhatIsNotSafeOrUselessToRepeatIsReturnedAtOnce) {
  using absl::StatusCode;
  for (const StatusCode code :
       {StatusCode::kInvalidArgument, StatusCode::kAlreadyExists, StatusCode::kFailedPrecondition, StatusCode::kAborted,
        StatusCode::kInternal, StatusCode::kUnknown, StatusCode::kResourceExhausted, StatusCode::kDeadlineExceeded}) {
    const size_t before = requests().size();
    Script({MakeError(code, "SOME_REASON", "no")});

    const auto response = publisher_.Publish(CustomEvent());

    EXPECT_EQ(response.status().code(), code);
    EXPECT_EQ(ErrorReason(response.status()), "SOME_REASON");
    EXPECT_EQ(requests().size(), before + 1) << "repeated after " << absl::StatusCodeToString(code);
  }
}

TEST_F(PublisherTest, ARetryDelayIsObeyed) {
  absl::Status busy = MakeError(absl::StatusCode::kResourceExhausted, "PUBLISH_BACKPRESSURE", "too many");
  SetRetryDelay(busy, milliseconds(300));
  Script({busy, absl::OkStatus()});

  ASSERT_TRUE(publisher_.Publish(CustomEvent()).ok());

  MutexLock lock(mu_);
  ASSERT_EQ(times_.size(), 2u);
  EXPECT_GE(times_[1] - times_[0], milliseconds(295));
}

TEST_F(PublisherTest, ARetryDelayBeyondTheDeadlineIsNotWaitedFor) {
  absl::Status busy = MakeError(absl::StatusCode::kResourceExhausted, "PUBLISH_BACKPRESSURE", "too many");
  SetRetryDelay(busy, seconds(30));
  Script({busy});
  PublishOptions options;
  options.deadline = seconds(5);

  const SteadyTime begin = clock_.SteadyNow();
  const auto response = publisher_.Publish(CustomEvent(), options);

  EXPECT_EQ(ErrorReason(response.status()), "PUBLISH_BACKPRESSURE");
  EXPECT_LT(clock_.SteadyNow() - begin, seconds(4));
}

TEST_F(PublisherTest, TheDeadlineBoundsAllTriesTogether) {
  Script({absl::UnavailableError("away")});
  PublishOptions options;
  options.deadline = milliseconds(500);

  const SteadyTime begin = clock_.SteadyNow();
  const auto response = publisher_.Publish(CustomEvent(), options);

  EXPECT_EQ(response.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_LE(clock_.SteadyNow() - begin, seconds(3));
  EXPECT_GE(requests().size(), 2u);
}

TEST_F(PublisherTest, EachTryHasOnlyWhatIsLeftOfTheDeadline) {
  Mailbox<Duration> left;
  std::atomic<int> tries = 0;
  bus_.OnPublish([&](grpc::ServerContext& context, const auto&, auto&) {
    left.Put(context.deadline() - std::chrono::system_clock::now());
    if (++tries == 1) {
      absl::Status busy = absl::UnavailableError("later");
      SetRetryDelay(busy, milliseconds(400));
      return ToGrpcStatus(busy);
    }
    return grpc::Status::OK;
  });
  PublishOptions options;
  options.deadline = seconds(10);

  ASSERT_TRUE(publisher_.Publish(CustomEvent(), options).ok());

  const auto first = left.Take();
  const auto second = left.Take();
  ASSERT_TRUE(first && second);
  EXPECT_LE(*first, seconds(10) + milliseconds(300));  // gRPC rounds up
  EXPECT_GE(*first, seconds(8));
  EXPECT_LE(*second, *first - milliseconds(350));
}

TEST_F(PublisherTest, ABusThatDoesNotAnswerEndsInDeadlineExceeded) {
  bus_.OnPublish([](grpc::ServerContext& context, const auto&, auto&) {
    Mailbox<bool> never;
    while (!context.IsCancelled() && !never.Take(milliseconds(5))) {
    }
    return grpc::Status::CANCELLED;
  });
  PublishOptions options;
  options.deadline = milliseconds(200);

  const auto response = publisher_.Publish(CustomEvent(), options);

  EXPECT_EQ(response.status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(PublisherTest, AStopTokenEndsACallAndTheWaitBetweenTwo) {
  absl::Status busy = absl::UnavailableError("later");
  SetRetryDelay(busy, seconds(20));
  Mailbox<bool> called;
  bus_.OnPublish([&](auto&, const auto&, auto&) {
    called.Put(true);
    return ToGrpcStatus(busy);
  });
  std::stop_source stop;
  PublishOptions options;
  options.stop = stop.get_token();

  std::jthread stopper([&] {
    EXPECT_TRUE(called.Take()) << "waited for the first try";
    called.Take(milliseconds(100));  // by now it most likely waits for the second one; either way it must end
    stop.request_stop();
  });
  const SteadyTime begin = clock_.SteadyNow();
  const auto response = publisher_.Publish(CustomEvent(), options);

  EXPECT_FALSE(response.ok());
  EXPECT_LT(clock_.SteadyNow() - begin, seconds(15));
}

TEST_F(PublisherTest, EveryRequestOfABatchIsRepeatable) {
  bus::v1::BatchPublishRequest got;
  bus_.OnBatchPublish([&](const auto& request, auto& response) {
    got = request;
    response.add_responses();
    return grpc::Status::OK;
  });
  bus::v1::BatchPublishRequest request;
  *request.add_requests()->mutable_event() = CustomEvent();
  request.add_requests()->set_request_id("mine");

  ASSERT_TRUE(publisher_.BatchPublish(request).ok());

  EXPECT_EQ(got.requests(0).request_id().size(), 32u);
  EXPECT_EQ(got.requests(0).event().source(), "publisher-test");
  EXPECT_EQ(got.requests(1).request_id(), "mine");
  EXPECT_FALSE(got.requests(1).has_event());
}

TEST_F(PublisherTest, GetResultReturnsTheResult) {
  bus::v1::GetPublishResultRequest request;
  request.set_event_id("e7");

  const auto result = publisher_.GetResult(request);

  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->event_id(), "e7");
}

TEST_F(PublisherTest, NobodyThereIsUnavailableWithinTheDeadline) {
  Publisher lonely(Connect("unix:/nonexistent/pvebus-test.sock"), "", clock_);
  PublishOptions options;
  options.deadline = milliseconds(300);

  const auto response = lonely.Publish(CustomEvent(), options);

  EXPECT_EQ(response.status().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace pvebus::client
