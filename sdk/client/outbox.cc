#include "sdk/client/outbox.h"

#include <chrono>
#include <utility>

#include "sdk/base/backoff.h"
#include "sdk/base/error.h"
#include "sdk/base/random.h"

namespace pvebus::client {
namespace {

using event::v1::SystemEvent;

// Of one call; the Publisher repeats it meanwhile.
constexpr std::chrono::seconds kPublishLimit{5};
constexpr BackoffPolicy kBackoff{.minimum = std::chrono::milliseconds(200), .maximum = std::chrono::seconds(5), .jitter = 0.2};

// The bus will say the same next time.
bool IsRefusal(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kAlreadyExists:  // the request was published, with another content
      return true;
    default:
      return false;
  }
}

}  // namespace

Outbox::Outbox(OutboxStore& store, const Publisher& publisher, Logger& logger)
    : store_(store), publisher_(publisher), logger_(logger), thread_([this](const std::stop_token& stop) { Run(stop); }) {}

Outbox::~Outbox() = default;

void Outbox::Wake() {
  MutexLock lock(mu_);
  ++asked_;
  changed_.NotifyAll();
}

absl::Status Outbox::PublishNow(SteadyTime deadline, const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] {
    MutexLock lock(mu_);
    changed_.NotifyAll();
  });
  MutexLock lock(mu_);
  const uint64_t mine = ++asked_;
  hurry_ = true;
  changed_.NotifyAll();
  bool in_time = true;
  while (passed_ < mine && in_time && !stop.stop_requested()) in_time = changed_.WaitUntil(mu_, deadline);
  if (passed_ >= mine) return last_.status;
  return in_time ? absl::CancelledError("stopped") : absl::DeadlineExceededError("the bus did not answer in time");
}

void Outbox::Run(const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] {
    MutexLock lock(mu_);
    changed_.NotifyAll();
  });
  SeededRandom random(SeededRandom::SystemSeed());
  Backoff backoff(kBackoff, random);
  SteadyTime not_before{};
  for (;;) {
    uint64_t asked = 0;
    {
      MutexLock lock(mu_);
      if (!WaitForWork(stop, not_before)) return;
      hurry_ = false;
      asked = asked_;
    }
    Pass pass = PublishAll(stop);
    LogState(pass);
    if (pass.complete) {
      backoff.Reset();
    } else {
      not_before = std::chrono::steady_clock::now() + backoff.Next();
    }
    MutexLock lock(mu_);
    passed_ = asked;
    last_ = std::move(pass);
    changed_.NotifyAll();
  }
}

bool Outbox::WaitForWork(const std::stop_token& stop, SteadyTime not_before) {
  while (!stop.stop_requested()) {
    if (last_.complete && asked_ == passed_) {
      changed_.Wait(mu_);
    } else if (last_.complete || hurry_ || std::chrono::steady_clock::now() >= not_before) {
      return true;
    } else {
      changed_.WaitUntil(mu_, not_before);
    }
  }
  return false;
}

Outbox::Pass Outbox::PublishAll(const std::stop_token& stop) {
  Pass pass;
  for (;;) {
    const absl::StatusOr<std::vector<OutboxEntry>> entries = store_.Entries();
    if (!entries.ok()) return {.status = entries.status()};
    if (entries->empty()) break;
    if (absl::Status failed = PublishEach(*entries, stop, pass.status); !failed.ok()) return {.status = std::move(failed)};
  }
  pass.complete = true;
  return pass;
}

absl::Status Outbox::PublishEach(const std::vector<OutboxEntry>& entries, const std::stop_token& stop, absl::Status& refused) {
  for (const OutboxEntry& entry : entries) {
    absl::Status published = Publish(entry, stop);
    if (!published.ok() && !IsRefusal(published)) return published;
    refused.Update(published);
    if (absl::Status removed = store_.Remove(entry.key); !removed.ok()) return removed;
  }
  return absl::OkStatus();
}

absl::Status Outbox::Publish(const OutboxEntry& entry, const std::stop_token& stop) {
  const PublishOptions options{
      .request_id = entry.request_id, .wait_policy = bus::v1::WAIT_POLICY_DURABLE, .deadline = kPublishLimit, .stop = stop};
  auto response = publisher_.Publish(entry.event, options);
  // The journal has forgotten it: what happened must be told nevertheless.
  if (ErrorReason(response.status()) == "PARENT_UNKNOWN") {
    SystemEvent orphan = entry.event;
    orphan.clear_causation();
    response = publisher_.Publish(std::move(orphan), options);
  }
  if (response.ok()) {
    logger_.Info("%s event_id=%s duplicate=%s", entry.label, response->result().event_id(),
                 response->duplicate() ? "true" : "false");
  } else if (IsRefusal(response.status())) {
    logger_.Error("%s state=dropped reason=%s message=\"%s\"", entry.label, ErrorReason(response.status()),
                  response.status().message());
  }
  return response.status();
}

void Outbox::LogState(const Pass& pass) {
  if (pass.complete != away_) return;
  away_ = !pass.complete;
  if (away_) {
    logger_.Warning("notices=waiting code=%s message=\"%s\"", absl::StatusCodeToString(pass.status.code()),
                    pass.status.message());
  } else {
    logger_.Info("notices=published");
  }
}

}  // namespace pvebus::client
