#pragma once

#include <csignal>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "pvebus/bus/v1/dead_letter_service.grpc.pb.h"
#include "tests/support/bus_process.h"
#include "tests/support/messages.h"
#include "tests/support/raw_listener.h"

namespace pvebus::testing {

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

enum class Journal { kMemory, kSqlite };

// A bus with a journal of either kind, and short ways to ask it.
class JournalFixture : public ::testing::TestWithParam<Journal> {
 protected:
  using JournalStub = bus::v1::JournalService::Stub;
  using DeadLetterStub = bus::v1::DeadLetterService::Stub;

  bool durable() const { return GetParam() == Journal::kSqlite; }
  void Start(std::vector<std::string> flags = {}) {
    if (durable()) flags.insert(flags.end(), {"--data-dir", directory_.path() + "/bus"});
    bus_ = std::make_unique<BusProcess>(flags);
    dead_letters_ = bus::v1::DeadLetterService::NewStub(bus_->channel());
  }
  // Ends the bus and starts it on the same journal; of one in memory nothing would be left. Requires: no listener is connected
  // that would be waited for.
  void Restart(int signal = SIGTERM, std::vector<std::string> flags = {}) {
    bus_->process().Signal(signal);
    EXPECT_TRUE(bus_->process().WaitExit(std::chrono::seconds(20)).has_value()) << "waited 20 s for the bus to end";
    Start(std::move(flags));
  }

  BusProcess& bus() { return *bus_; }
  DeadLetterStub& dead_letters() { return *dead_letters_; }

  std::unique_ptr<RawListener> Listen(const bus::v1::Registration& registration) {
    auto listener = std::make_unique<RawListener>(bus_->address(), registration);
    listener->WaitRegistered();
    return listener;
  }
  std::unique_ptr<RawListener> Listen(const std::string& name) { return Listen(RegistrationOf(name)); }
  // A durable listener that came and left.
  void LeaveDurably(const bus::v1::Registration& registration) {
    Listen(registration)->Drain();
    WaitFor("the listener to have left", [&] {
      const auto listener = bus_->GetListener(registration.listener());
      return listener.ok() && listener->state() == bus::v1::LISTENER_STATE_DISCONNECTED;
    });
  }
  void LeaveDurably(const std::string& name) { LeaveDurably(RegistrationOf(name)); }

  // So many events at once, one after the other in the journal; the sequence of the last.
  uint64_t PublishMany(int count, const event::v1::SystemEvent& event) {
    uint64_t last = 0;
    while (count > 0) {
      bus::v1::BatchPublishRequest batch;
      const int size = std::min(count, 500);
      for (int i = 0; i < size; ++i) *batch.add_requests() = RequestOf(event, bus::v1::WAIT_POLICY_DURABLE);
      const auto response = Call(&bus::v1::BusService::Stub::BatchPublish, bus_->bus(), batch, std::chrono::seconds(30));
      EXPECT_TRUE(response.ok()) << response.status();
      if (!response.ok()) return last;
      for (const auto& one : response->responses()) {
        EXPECT_FALSE(one.has_error()) << one.error().ShortDebugString();
        last = std::max(last, one.result().sequence());
      }
      count -= size;
    }
    return last;
  }

  bus::v1::GetJournalStatusResponse Status() {
    const auto status = Call(&JournalStub::GetJournalStatus, bus_->journal(), bus::v1::GetJournalStatusRequest());
    EXPECT_TRUE(status.ok()) << status.status();
    return status.ok() ? *status : bus::v1::GetJournalStatusResponse();
  }
  absl::StatusOr<bus::v1::GetEventResponse> GetEvent(const std::string& event_id) {
    bus::v1::GetEventRequest request;
    request.set_event_id(event_id);
    return Call(&JournalStub::GetEvent, bus_->journal(), request);
  }
  absl::StatusOr<bus::v1::ListEventsResponse> ListEvents(const bus::v1::ListEventsRequest& request) {
    return Call(&JournalStub::ListEvents, bus_->journal(), request, std::chrono::seconds(30));
  }
  absl::StatusOr<bus::v1::ReplayEventsResponse> Replay(const bus::v1::ReplayEventsRequest& request) {
    return Call(&JournalStub::ReplayEvents, bus_->journal(), request);
  }
  // What a WatchEvents call says until it ends.
  std::pair<std::vector<event::v1::SystemEvent>, absl::Status> Watch(const bus::v1::WatchEventsRequest& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    const auto stream = bus_->journal().WatchEvents(&context, request);
    std::vector<event::v1::SystemEvent> events;
    for (bus::v1::WatchEventsResponse response; stream->Read(&response);) events.push_back(response.event());
    return {std::move(events), FromGrpcStatus(stream->Finish())};
  }

  TemporaryDirectory directory_;
  std::unique_ptr<BusProcess> bus_;
  std::unique_ptr<DeadLetterStub> dead_letters_;
};

inline std::string NameOfJournal(const ::testing::TestParamInfo<Journal>& info) {
  return info.param == Journal::kMemory ? "Memory" : "Sqlite";
}

// An error about one field: its rule and its name.
MATCHER_P(IsFieldError, field, "") {
  *result_listener << "which is " << arg.ToString();
  return arg.code() == absl::StatusCode::kInvalidArgument && ErrorReason(arg) == "FIELD_INVALID" &&
         ErrorMetadata(arg)["field"] == field;
}

}  // namespace pvebus::testing
