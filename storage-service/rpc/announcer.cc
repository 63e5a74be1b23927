#include "storage-service/rpc/announcer.h"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "sdk/base/backoff.h"
#include "sdk/base/error.h"
#include "sdk/base/random.h"
#include "sdk/base/utf8.h"

namespace pvebus::storage {
namespace {

using event::v1::SystemEvent;

// Of one call; the Publisher repeats it meanwhile.
constexpr std::chrono::seconds kPublishLimit{5};
constexpr BackoffPolicy kBackoff{.minimum = std::chrono::milliseconds(200), .maximum = std::chrono::seconds(5), .jitter = 0.2};
constexpr size_t kMaxNameBytes = 256;  // of a subject and of an ordering key
constexpr size_t kMaxTextBytes = 4096;

const char* NameOf(Notice::Kind kind) {
  switch (kind) {
    case Notice::Kind::kVlanCreated:
      return "storage_vlan_created";
    case Notice::Kind::kVlanDeleted:
      return "storage_vlan_deleted";
    case Notice::Kind::kStatusChanged:
      return "storage_status_changed";
  }
  return "unknown";
}

void Set(event::v1::Custom& custom, const char* field, std::string_view text) {
  (*custom.mutable_data())[field].set_string_value(CleanUtf8(text, kMaxTextBytes));
}

void SetCustom(const Notice& notice, SystemEvent& event) {
  event::v1::Custom& custom = *event.mutable_custom();
  custom.set_name(NameOf(notice.kind));
  event.set_ordering_key(CleanUtf8("storage/" + notice.storage_id, kMaxNameBytes));
  Set(custom, "storage_id", notice.storage_id);
  if (notice.kind == Notice::Kind::kVlanDeleted) {
    Set(custom, "link", notice.link);
    return;
  }
  Set(custom, "before", StorageStateName(notice.before));
  Set(custom, "after", StorageStateName(notice.after));
  Set(custom, "reason", notice.reason);
}

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

SystemEvent EventOf(const Notice& notice) {
  SystemEvent event;
  event.set_subject(CleanUtf8(notice.storage_id, kMaxNameBytes));
  if (!notice.parent_event_id.empty()) event.mutable_causation()->set_parent_event_id(notice.parent_event_id);
  if (notice.kind == Notice::Kind::kVlanCreated) {
    event.mutable_storage_vlan_created()->set_id(CleanUtf8(notice.storage_id, kMaxTextBytes));
  } else {
    SetCustom(notice, event);
  }
  return event;
}

Announcer::Announcer(StorageStore& store, const client::Publisher& publisher, Logger& logger)
    : store_(store), publisher_(publisher), logger_(logger), thread_([this](const std::stop_token& stop) { Run(stop); }) {}

Announcer::~Announcer() = default;

void Announcer::Wake() {
  MutexLock lock(mu_);
  ++asked_;
  changed_.NotifyAll();
}

absl::Status Announcer::PublishNow(SteadyTime deadline, const std::stop_token& stop) {
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

void Announcer::Run(const std::stop_token& stop) {
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

bool Announcer::WaitForWork(const std::stop_token& stop, SteadyTime not_before) {
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

Announcer::Pass Announcer::PublishAll(const std::stop_token& stop) {
  const absl::StatusOr<std::vector<Notice>> notices = store_.Notices();
  if (!notices.ok()) return {.status = notices.status()};
  Pass pass{.complete = true};
  for (const Notice& notice : *notices) {
    const absl::Status published = Publish(notice, stop);
    if (!published.ok() && !IsRefusal(published)) return {.status = published};
    pass.status.Update(published);
    if (absl::Status removed = store_.RemoveNotice(notice.number); !removed.ok()) return {.status = std::move(removed)};
  }
  return pass;
}

absl::Status Announcer::Publish(const Notice& notice, const std::stop_token& stop) {
  const client::PublishOptions options{
      .request_id = notice.request_id, .wait_policy = bus::v1::WAIT_POLICY_DURABLE, .deadline = kPublishLimit, .stop = stop};
  SystemEvent event = EventOf(notice);
  auto response = publisher_.Publish(event, options);
  // The journal has forgotten it: what happened must be told nevertheless.
  if (ErrorReason(response.status()) == "PARENT_UNKNOWN") {
    event.clear_causation();
    response = publisher_.Publish(event, options);
  }
  if (response.ok()) {
    logger_.Info("notice=%s storage=%s event_id=%s duplicate=%s", NameOf(notice.kind),
                 CleanUtf8(notice.storage_id, kMaxNameBytes), response->result().event_id(),
                 response->duplicate() ? "true" : "false");
  } else if (IsRefusal(response.status())) {
    logger_.Error("notice=%s storage=%s state=dropped reason=%s message=\"%s\"", NameOf(notice.kind),
                  CleanUtf8(notice.storage_id, kMaxNameBytes), ErrorReason(response.status()), response.status().message());
  }
  return response.status();
}

void Announcer::LogState(const Pass& pass) {
  if (pass.complete != away_) return;
  away_ = !pass.complete;
  if (away_) {
    logger_.Warning("notices=waiting code=%s message=\"%s\"", absl::StatusCodeToString(pass.status.code()),
                    pass.status.message());
  } else {
    logger_.Info("notices=published");
  }
}

}  // namespace pvebus::storage
