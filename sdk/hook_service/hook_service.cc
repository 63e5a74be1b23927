#include "sdk/hook_service/hook_service.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "sdk/base/error.h"
#include "sdk/client/channel.h"
#include "sdk/hook_service/answer.h"
#include "sdk/service/stop_signal.h"
#include "sdk/service/systemd.h"

namespace pvebus::hook_service {
namespace {

using client::ListenerEvent;

constexpr std::chrono::seconds kGrace{10};

service::HookServiceOptions WithDefaults(service::HookServiceOptions options, const Identity& identity) {
  if (options.instance_id.empty()) options.instance_id = identity.program + "@" + options.node;
  return options;
}

const char* EventName(ListenerEvent event) {
  switch (event) {
    case ListenerEvent::kRegistered:
      return "registered";
    case ListenerEvent::kCaughtUp:
      return "caught_up";
    case ListenerEvent::kDisconnected:
      return "disconnected";
    case ListenerEvent::kRefused:
      return "refused";
    case ListenerEvent::kSuperseded:
      return "superseded";
    case ListenerEvent::kDraining:
      return "draining";
    case ListenerEvent::kStopped:
      return "stopped";
  }
  return "unknown";
}

std::string ReasonAndMessage(const absl::Status& status) {
  return absl::StrFormat("code=%s reason=%s message=\"%s\"", absl::StatusCodeToString(status.code()), ErrorReason(status),
                         status.message());
}

}  // namespace

HookService::HookService(Identity identity, service::ServiceOptions service_options, service::HookServiceOptions hook_options,
                         Logger& logger, const Clock& clock, std::unique_ptr<hooks::HookJournal> journal)
    : identity_(std::move(identity)),
      service_options_(std::move(service_options)),
      hook_options_(WithDefaults(std::move(hook_options), identity_)),
      logger_(logger),
      clock_(clock),
      channel_(client::Connect(hook_options_.bus)),
      publisher_(channel_, hook_options_.instance_id, clock),
      chain_({.publisher = &publisher_}, clock, std::move(journal)),
      server_(identity_.rpc_name) {}

HookService::~HookService() { Stop(std::chrono::milliseconds(0)); }

int HookService::Run(grpc::Service& rpc) {
  if (const absl::Status status = Start(rpc); !status.ok()) {
    logger_.Error("program=%s state=failed %s", identity_.program, ReasonAndMessage(status));
    return 1;
  }
  server_.PrintListening();
  service::NotifySystemd("READY=1");
  absl::Status end;
  {
    const service::StopSignalThread signals([this](const std::string& signal) { RequestStop(signal); });
    end = WaitForEnd();
  }
  service::NotifySystemd("STOPPING=1");
  const std::vector<std::string> running = Stop(kGrace);
  logger_.Info("program=%s state=stopped", identity_.program);
  const int exit_code = end.ok() ? 0 : 1;
  if (running.empty()) return exit_code;
  // They ignore their stop token: waiting for them would only end with systemd's SIGKILL.
  logger_.Error("program=%s hooks=%s message=\"left behind: still running beyond their time limit\"", identity_.program,
                absl::StrJoin(running, ","));
  std::_Exit(exit_code);
}

absl::Status HookService::Start(grpc::Service& rpc) {
  if (absl::Status status = server_.Start(rpc, service_options_); !status.ok()) return status;
  logger_.Info("program=%s state=started addresses=%s bus=%s listener=%s instance_id=%s", identity_.program,
               absl::StrJoin(server_.Addresses(), ","), hook_options_.bus, identity_.listener, hook_options_.instance_id);

  listener_ = std::make_unique<client::Listener>(
      channel_, MakeListenerOptions(),
      [this](const client::EventContext& context) {
        std::string refusal;
        const auto results = chain_.Run(context, &refusal);
        return AnswerFor(results, refusal);
      },
      &publisher_, clock_, logger_);
  listener_->Start();
  listener_end_ = std::thread([this] {
    const absl::Status status = listener_->Wait();
    MutexLock lock(mu_);
    if (status.ok() || ending_) return;
    ending_ = true;
    end_ = status;
    ended_.NotifyAll();
  });
  return absl::OkStatus();
}

absl::Status HookService::WaitForEnd() {
  MutexLock lock(mu_);
  while (!ending_) ended_.Wait(mu_);
  return end_;
}

void HookService::RequestStop(const std::string& why) {
  logger_.Info("program=%s state=stopping why=%s", identity_.program, why);
  MutexLock lock(mu_);
  ending_ = true;
  ended_.NotifyAll();
}

std::vector<std::string> HookService::Stop(std::chrono::milliseconds grace) {
  if (!server_.started()) return {};
  const SteadyTime deadline = std::chrono::steady_clock::now() + grace;
  const auto left = [&] {
    const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    return std::max(rest, std::chrono::milliseconds(0));
  };
  server_.SayGoingAway();
  if (listener_) listener_->Stop(grace);
  if (listener_end_.joinable()) listener_end_.join();
  std::vector<std::string> running = chain_.WaitForOverruns(left());
  listener_.reset();
  server_.Stop();
  return running;
}

client::ListenerOptions HookService::MakeListenerOptions() {
  client::ListenerOptions options;
  options.registration.set_listener(identity_.listener);
  options.registration.set_instance_id(hook_options_.instance_id);
  options.registration.set_node(hook_options_.node);
  // The default instance_id is the same after a restart: the new process takes the name from the one that died.
  options.registration.set_conflict_policy(bus::v1::CONFLICT_POLICY_TAKEOVER_SAME_INSTANCE);
  (*options.registration.mutable_labels())["program"] = identity_.program;
  options.observer = [this](ListenerEvent event, const absl::Status&) { OnListenerEvent(event); };
  options.max_concurrency = identity_.max_concurrency;
  return options;
}

// The listener logs its changes of state itself.
void HookService::OnListenerEvent(ListenerEvent event) {
  if (event == ListenerEvent::kRegistered) server_.SetServing(true);
  if (event != ListenerEvent::kRegistered && event != ListenerEvent::kCaughtUp && event != ListenerEvent::kDraining)
    server_.SetServing(false);
  service::NotifySystemd(absl::StrFormat("STATUS=%s: %s (bus at %s)", identity_.listener, EventName(event), hook_options_.bus));
}

}  // namespace pvebus::hook_service
