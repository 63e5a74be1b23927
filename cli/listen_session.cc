#include "cli/listen_session.h"

#include <condition_variable>
#include <thread>

#include "absl/strings/str_format.h"
#include "cli/duration.h"
#include "cli/event_output.h"
#include "cli/proto_json.h"
#include "cli/table.h"
#include "sdk/events/event_json.h"

namespace pvebus::cli {
namespace {

constexpr std::chrono::milliseconds kGrace = std::chrono::seconds(5);

// Empty for what the end of the program tells.
std::string InWords(client::ListenerEvent event) {
  switch (event) {
    case client::ListenerEvent::kRegistered:
      return "listening";
    case client::ListenerEvent::kCaughtUp:
      return "caught up";
    case client::ListenerEvent::kDisconnected:
      return "disconnected, trying again";
    case client::ListenerEvent::kDraining:
      return "leaving";
    case client::ListenerEvent::kRefused:
    case client::ListenerEvent::kSuperseded:
    case client::ListenerEvent::kStopped:
      return "";
  }
  return "";
}

// A bus::v1::Delivery without the parts that only the protocol needs.
bus::v1::Delivery DeliveryOf(const client::EventContext& context) {
  bus::v1::Delivery delivery;
  *delivery.mutable_event() = context.event();
  delivery.set_attempt(context.attempt());
  delivery.set_max_attempts(context.max_attempts());
  delivery.set_replay_id(context.replay_id());
  delivery.set_dry_run(context.dry_run());
  return delivery;
}

}  // namespace

absl::Status ListenSession::Run(std::shared_ptr<grpc::Channel> channel) {
  client::ListenerOptions options;
  options.registration = plan_.registration;
  options.max_concurrency = plan_.concurrency;
  options.observer = [this](client::ListenerEvent event, const absl::Status& status) { Observe(event, status); };
  const RealClock clock;
  NullLogger logger;
  client::Listener listener(
      std::move(channel), std::move(options), [this](const client::EventContext& context) { return Handle(context); }, nullptr,
      clock, logger);
  listener.Start();
  std::thread giving_up([&] {
    listener.Wait().IgnoreError();  // status() below tells
    RequestStop();
  });
  {
    MutexLock lock(mutex_);
    while (!ending_) changed_.Wait(mutex_);
  }
  absl::Status status = listener.status();
  listener.Stop(kGrace);
  giving_up.join();
  return status;
}

void ListenSession::RequestStop() {
  MutexLock lock(mutex_);
  ending_ = true;
  changed_.NotifyAll();
}

client::Answer ListenSession::Handle(const client::EventContext& context) {
  if (!TakeNumber()) {
    bus::v1::Rejection released;
    released.set_mode(bus::v1::REJECT_MODE_RELEASE);
    return client::Answer::Reject(released);
  }
  Print(context);
  Work(context.stop());
  FinishNumber();
  if (plan_.hang) return client::Answer::None();
  return plan_.rejection ? client::Answer::Reject(*plan_.rejection) : client::Answer::Ack();
}

bool ListenSession::TakeNumber() {
  MutexLock lock(mutex_);
  if (plan_.count > 0 && taken_ == plan_.count) return false;
  ++taken_;
  return true;
}

void ListenSession::FinishNumber() {
  MutexLock lock(mutex_);
  if (++finished_ != plan_.count) return;
  ending_ = true;
  changed_.NotifyAll();
}

void ListenSession::Print(const client::EventContext& context) {
  std::string line;
  if (plan_.original) {
    line = events::EventToJson(context.event()) + "\n";
  } else if (console_.json()) {
    line = ToJson(DeliveryOf(context), JsonLayout::kOneLine);
  } else {
    line = FormatEvent(context.event());
    if (context.attempt() > 1) absl::StrAppendFormat(&line, "  attempt %d of %d", context.attempt(), context.max_attempts());
    if (!context.replay_id().empty()) absl::StrAppendFormat(&line, "  replay %s", Printable(context.replay_id()));
    if (context.dry_run()) line += "  dry run";
    line += "\n";
  }
  MutexLock lock(output_mutex_);
  console_.out << line << std::flush;
}

void ListenSession::Work(const std::stop_token& stop) {
  if (plan_.delay == std::chrono::milliseconds(0)) return;
  std::mutex mutex;
  std::condition_variable_any condition;
  std::unique_lock<std::mutex> lock(mutex);
  condition.wait_for(lock, stop, plan_.delay, [] { return false; });
}

void ListenSession::Observe(client::ListenerEvent event, const absl::Status& status) {
  const std::string words = InWords(event);
  if (words.empty()) return;
  std::string line = absl::StrFormat("%s: %s", plan_.registration.listener(), words);
  if (event == client::ListenerEvent::kDisconnected && !status.ok()) {
    absl::StrAppendFormat(&line, " (%s)", Printable(std::string(status.message())));
  }
  MutexLock lock(output_mutex_);
  console_.err << line << std::endl;
}

}  // namespace pvebus::cli
