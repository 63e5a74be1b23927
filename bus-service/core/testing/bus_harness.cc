#include "bus-service/core/testing/bus_harness.h"

#include <stdexcept>

namespace pvebus::bus {
namespace {

PublishDone CopyInto(const std::shared_ptr<PublishOutcome>& outcome, Bus& bus) {
  return [outcome, &bus](const absl::StatusOr<PublishReply>& reply) {
    ++outcome->calls;
    outcome->time = bus.clock().SteadyNow();
    outcome->status = reply.status();
    if (!reply.ok()) return;
    outcome->duplicate = reply->duplicate;
    outcome->event_id = reply->publication->event->event_id;
    outcome->sequence = reply->publication->event->sequence;
    for (const ListenerRow& row : reply->publication->rows) {
      const RowView view = bus.View(row);
      outcome->rows.push_back({*row.listener, view.state, view.error ? view.error->reason : "",
                               view.error ? view.error->message : "", row.attempt, row.required,
                               row.instance_id ? *row.instance_id : ""});
    }
  };
}

}  // namespace

const PublishOutcome::Row& PublishOutcome::At(std::string_view listener) const {
  for (const Row& row : rows) {
    if (row.listener == listener) return row;
  }
  throw std::logic_error("no row of " + std::string(listener));
}

PublishOutcomePtr BusHarness::Publish(Post post) {
  PublishCommand command;
  command.event = std::make_shared<Event>();
  Event& event = *command.event;
  ++posts_;
  if (!post.let_bus_name_it) event.event_id = post.id.empty() ? "e" + std::to_string(posts_) : post.id;
  event.type = post.type;
  event.source = post.source;
  event.subject = post.subject;
  event.ordering_key = post.key;
  event.attributes = post.attributes;
  event.parent_event_id = post.parent;
  if (post.expires_in) event.expire_time = clock.SystemNow() + std::chrono::duration_cast<SystemTime::duration>(*post.expires_in);
  event.body = post.body.empty() ? post.key + "/" + post.subject : post.body;
  if (event.body.size() < post.body_bytes) event.body.resize(post.body_bytes, 'x');
  command.request_id = post.request_id;
  command.wait_policy = post.wait_policy;
  command.wait = post.wait;
  command.validate_only = post.validate_only;
  command.required_listeners = post.required;
  command.expected_last_sequence = post.expected_last;
  auto outcome = std::make_shared<PublishOutcome>();
  bus.Publish(std::move(command), CopyInto(outcome, bus));
  Flush();
  return outcome;
}

PublishOutcomePtr BusHarness::GetResult(std::string_view event_id, WaitPolicy policy, Duration wait) {
  auto outcome = std::make_shared<PublishOutcome>();
  bus.GetResult({EventKey::Kind::kEventId, std::string(event_id)}, policy, wait, CopyInto(outcome, bus));
  Flush();
  return outcome;
}

PublishOutcome::Row BusHarness::Row(std::string_view event_id, std::string_view listener) {
  return GetResult(event_id)->At(listener);
}

absl::StatusOr<Registry::SeekOutcome> BusHarness::Seek(std::string_view name, const StartPosition& position, bool validate_only,
                                                       std::string_view etag) {
  absl::StatusOr<Registry::SeekOutcome> outcome = absl::DeadlineExceededError("the journal has not answered");
  const auto done = std::make_shared<bool>(false);
  bus.registry().Seek(name, position, validate_only, etag, [&outcome, weak = std::weak_ptr<bool>(done)](auto answer) {
    if (!weak.expired()) outcome = std::move(answer);
  });
  return outcome;
}

ScriptedListener& BusHarness::Add(std::string name) {
  return *listeners_.emplace_back(std::make_unique<ScriptedListener>(*this, std::move(name)));
}

ScriptedListener& BusHarness::Connect(std::string name, uint32_t max_in_flight) {
  ScriptedListener& listener = Add(std::move(name));
  listener.registration.max_in_flight = max_in_flight;
  listener.Connect();
  return listener;
}

void BusHarness::Advance(Duration by) {
  const SteadyTime target = clock.SteadyNow() + by;
  while (bus.NextTimer() <= target) {
    if (bus.NextTimer() > clock.SteadyNow()) clock.Advance(bus.NextTimer() - clock.SteadyNow());
    bus.RunTimers();
    Flush();
  }
  clock.Advance(target - clock.SteadyNow());
  Flush();
}

void BusHarness::Flush() {
  for (bool any = true; any;) {
    any = false;
    for (size_t i = 0; i < listeners_.size(); ++i) any |= listeners_[i]->TakeFrames();
  }
  bus.EndTurn();
}

}  // namespace pvebus::bus
