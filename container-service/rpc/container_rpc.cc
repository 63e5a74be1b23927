#include "container-service/rpc/container_rpc.h"

#include <chrono>
#include <optional>
#include <stop_token>
#include <utility>

#include "absl/strings/str_format.h"
#include "container-service/core/container_devices.h"
#include "container-service/core/errors.h"
#include "container-service/core/guest_values.h"
#include "container-service/core/lifecycle.h"
#include "container-service/core/link_check.h"
#include "container-service/core/vnet_validation.h"
#include "container-service/rpc/container_messages.h"
#include "container-service/rpc/lifecycle_event.h"
#include "container-service/rpc/presence.h"
#include "google/protobuf/util/time_util.h"
#include "pvebus/bus/v1/listener_service.pb.h"
#include "sdk/base/error.h"
#include "sdk/client/event_context.h"
#include "sdk/client/random_id.h"

namespace pvebus::container {
namespace {

using google::protobuf::util::TimeUtil;

constexpr int kMostRuns = 16;
constexpr std::chrono::seconds kRunAgainAfter{1};

absl::Status TimeInvalid(std::string_view field, std::string_view what) {
  return MakeError(absl::StatusCode::kInvalidArgument, "TIME_INVALID", absl::StrFormat("%s %s", field, what),
                   {{"field", std::string(field)}});
}

// A time beyond what the machine can count is the last, or the first, that it can.
absl::StatusOr<SystemTime> ParseTime(std::string_view field, const google::protobuf::Timestamp& time) {
  if (time.seconds() < TimeUtil::kTimestampMinSeconds || time.seconds() > TimeUtil::kTimestampMaxSeconds || time.nanos() < 0 ||
      time.nanos() > 999'999'999) {
    return TimeInvalid(field, "must be a time between the years 1 and 9999");
  }
  const std::chrono::seconds seconds(time.seconds());
  if (seconds <= std::chrono::floor<std::chrono::seconds>(SystemTime::min().time_since_epoch())) return SystemTime::min();
  if (seconds >= std::chrono::floor<std::chrono::seconds>(SystemTime::max().time_since_epoch())) return SystemTime::max();
  return SystemTime(seconds) + std::chrono::nanoseconds(time.nanos());
}

absl::Status RunBackpressure() {
  absl::Status status =
      MakeError(absl::StatusCode::kResourceExhausted, "RUN_BACKPRESSURE",
                absl::StrFormat("%d runs are under way or waiting, which is the limit; try again later", kMostRuns),
                {{"limit", std::to_string(kMostRuns)}});
  SetRetryDelay(status, kRunAgainAfter);
  return status;
}

absl::Status Describe(const ContainerNode& node, const v1::GetContainerNetworkRequest& request,
                      v1::GetContainerNetworkResponse& response) {
  const uint32_t id = request.container_id();
  const auto config = node.ReadConfig(id);
  if (!config.ok()) return config.status();
  const auto network = node.ReadNetwork();
  if (!network.ok()) return network.status();
  const auto vnets = node.ReadVnets();  // of an unreadable one the configuration has a finding
  NetworkFindings findings = ValidateNetwork(*config, vnets.ok() ? *vnets : Vnets(), *network);
  const auto containers = DevicesByContainer(*network);
  const auto devices = containers.find(id);
  const bool running = IsPresent(node, *network, id);
  if (running) {
    for (CheckedLink& link : CheckLinks(*config, *network)) {
      findings.insert(findings.end(), link.findings.begin(), link.findings.end());
    }
  }
  *response.mutable_network() =
      MessageOf(*config, devices == containers.end() ? ContainerDevices() : devices->second, running, findings);
  return absl::OkStatus();
}

// The values of the contract are those of LifecycleKind, from 1.
absl::StatusOr<LifecycleKind> KindOf(v1::LifecycleEventType type) {
  if (type == v1::LIFECYCLE_EVENT_TYPE_UNSPECIFIED) return LifecycleKind::kStarted;
  if (!v1::LifecycleEventType_IsValid(type)) return EventTypeInvalid(type);
  return static_cast<LifecycleKind>(type - 1);
}

absl::StatusOr<Lifecycle> LifecycleAskedFor(const v1::RunLifecycleHooksRequest& request) {
  if (absl::Status status = CheckContainerId(request.container_id()); !status.ok()) return status;
  const auto kind = KindOf(request.event_type());
  if (!kind.ok()) return kind.status();
  Lifecycle what{.kind = *kind, .container_id = request.container_id(), .interface = request.interface()};
  if (!IsAboutInterface(*kind)) {
    if (what.interface.empty()) return what;
    return InterfaceInvalid(what.interface, "this event is about the whole container: leave it out");
  }
  const auto index = ParseNetIndex(what.interface);
  if (!index) return InterfaceInvalid(what.interface, "this event is about one interface: name it, net0..net31");
  what.device = HostDevicesOf(what.container_id, *index, /*firewall=*/false).veth;
  return what;
}

void RunHooks(hooks::HookChain& chain, const Lifecycle& what, bool dry_run, const std::stop_token& stop,
              v1::RunLifecycleHooksResponse& response) {
  client::LockedRandom random;
  bus::v1::Delivery delivery;
  *delivery.mutable_event() = EventOf(what);
  delivery.mutable_event()->set_event_id("run-" + client::RandomId(random));
  *delivery.mutable_event()->mutable_publish_time() = google::protobuf::util::TimeUtil::GetCurrentTime();
  delivery.set_attempt(1);
  delivery.set_max_attempts(1);
  delivery.set_dry_run(dry_run);
  for (bus::v1::HookResult& result : chain.Run(client::EventContext(delivery, nullptr, stop))) {
    *response.add_hook_results() = std::move(result);
  }
  response.set_event_id(delivery.event().event_id());
}

}  // namespace

grpc::ServerUnaryReactor* ContainerRpc::GetContainerNetwork(grpc::CallbackServerContext* context,
                                                            const v1::GetContainerNetworkRequest* request,
                                                            v1::GetContainerNetworkResponse* response) {
  return service::ReplyLater(context, parts_.looking,
                             [this, request, response] { return Describe(parts_.node, *request, *response); });
}

grpc::ServerUnaryReactor* ContainerRpc::RunLifecycleHooks(grpc::CallbackServerContext* context,
                                                          const v1::RunLifecycleHooksRequest* request,
                                                          v1::RunLifecycleHooksResponse* response) {
  auto what = LifecycleAskedFor(*request);
  if (!what.ok()) return service::Reply(context, what.status());
  if (runs_.fetch_add(1) >= kMostRuns) {
    runs_.fetch_sub(1);
    return service::Reply(context, RunBackpressure());
  }
  auto* call = new service::StoppableCall;  // OnDone deletes it
  parts_.running.Post([this, call, what = *std::move(what), request, response] {
    RunHooks(chain_, what, request->dry_run(), call->stop(), *response);
    runs_.fetch_sub(1);
    call->Finish(grpc::Status::OK);
  });
  return call;
}

absl::StatusOr<std::string> ContainerRpc::ResourceAskedFor(const v1::ListHookExecutionsRequest& request) const {
  const uint32_t id = request.container_id();
  if (id == 0) return std::string();
  if (absl::Status status = CheckContainerId(id); !status.ok()) return status;
  return "container/" + std::to_string(id);
}

absl::Status ContainerRpc::SetStartBounds(const v1::ListHookExecutionsRequest& request, hooks::ExecutionQuery& query) const {
  if (request.has_start_time()) {
    const absl::StatusOr<SystemTime> from = ParseTime("start_time", request.start_time());
    if (!from.ok()) return from.status();
    query.from = *from;
  }
  if (request.has_end_time()) {
    const absl::StatusOr<SystemTime> until = ParseTime("end_time", request.end_time());
    if (!until.ok()) return until.status();
    query.until = *until;
  }
  if (request.has_start_time() && request.has_end_time() && request.end_time() < request.start_time()) {
    return TimeInvalid("end_time", "must not be before start_time");
  }
  return absl::OkStatus();
}

}  // namespace pvebus::container
