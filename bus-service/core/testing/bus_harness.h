#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bus-service/core/bus.h"
#include "bus-service/core/testing/fake_event_log.h"
#include "bus-service/core/testing/scripted_listener.h"
#include "sdk/base/clock.h"
#include "sdk/base/log.h"
#include "sdk/base/random.h"

namespace pvebus::bus {

// What to publish. Without an id the harness counts: e1, e2, ...
struct Post {
  std::string id = {};
  std::string key = "key";
  std::string parent = {};
  EventType type = EventType::kCustom;
  std::string source = {};
  std::string subject = {};
  std::map<std::string, std::string> attributes = {};
  std::optional<Duration> expires_in = {};
  std::string body = {};  // empty: something that follows from the rest
  size_t body_bytes = 0;  // at least so long
  WaitPolicy wait_policy = WaitPolicy::kFirstAttempt;
  Duration wait = std::chrono::seconds(10);
  std::string request_id = {};
  std::vector<std::string> required = {};
  bool validate_only = false;
  std::optional<Sequence> expected_last = {};
  bool let_bus_name_it = false;
};

// What a publisher was told, as it was when it was told.
struct PublishOutcome {
  struct Row {
    std::string listener;
    DeliveryState state;
    std::string reason;
    std::string message;
    uint32_t attempt;
    bool required;
    std::string instance_id;
  };

  int calls = 0;
  SteadyTime time;
  absl::Status status;
  bool duplicate = false;
  std::string event_id;
  Sequence sequence = 0;
  std::vector<Row> rows;

  bool done() const { return calls > 0; }
  // Requires: there is one.
  const Row& At(std::string_view listener) const;
};
using PublishOutcomePtr = std::shared_ptr<const PublishOutcome>;

// A whole bus without wires, files or time of its own: the test publishes, lets listeners act, and says how much time passes.
// After each step every listener that reads has taken its frames.
class BusHarness {
 public:
  explicit BusHarness(std::unique_ptr<Random> randomness = std::make_unique<SeededRandom>(1))
      : random(std::move(randomness)), bus(limits, clock, *random, log, log, logger) {}
  // On a journal of the test's own. Requires: both outlive the harness.
  BusHarness(EventLog& events, StateLog& states, std::unique_ptr<Random> randomness)
      : random(std::move(randomness)), bus(limits, clock, *random, events, states, logger) {}

  PublishOutcomePtr Publish(Post post = {});
  PublishOutcomePtr GetResult(std::string_view event_id, WaitPolicy policy = WaitPolicy::kNone,
                              Duration wait = std::chrono::seconds(10));
  // How the event stands at the listener now.
  PublishOutcome::Row Row(std::string_view event_id, std::string_view listener);
  DeliveryState State(std::string_view event_id, std::string_view listener) { return Row(event_id, listener).state; }

  absl::StatusOr<Registry::SeekOutcome> Seek(std::string_view name, const StartPosition& position, bool validate_only = false,
                                             std::string_view etag = {});

  ScriptedListener& Add(std::string name);  // not connected
  ScriptedListener& Connect(std::string name, uint32_t max_in_flight = 64);

  // Lets time pass from one timer to the next.
  void Advance(Duration by);
  // Lets every listener take its frames.
  void Flush();

  Limits limits;
  FakeClock clock;
  const std::unique_ptr<Random> random;
  FakeEventLog log;
  NullLogger logger;

 private:
  std::vector<std::unique_ptr<ScriptedListener>> listeners_;  // outlive the bus
  int posts_ = 0;

 public:
  Bus bus;
};

}  // namespace pvebus::bus
