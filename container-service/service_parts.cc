#include "container-service/service_parts.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "absl/strings/escaping.h"
#include "container-service/core/container_devices.h"
#include "container-service/rpc/hook_programs.h"
#include "container-service/rpc/lifecycle_event.h"
#include "container-service/rpc/network_checks.h"
#include "container-service/rpc/network_event_logger.h"

namespace pvebus::container {
namespace {

constexpr int kLookingThreads = 2;
// Runs of hooks that operators asked for, at once.
constexpr int kRunningThreads = 4;

std::string SpoolPath(const hook_service::HookProgramParts& program, const Flags& flags) {
  return flags.spool.empty() ? program.service.data_dir + "/spool" : flags.spool;
}

// One text per boot of the node.
std::string BootId() {
  std::string id;
  std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), id);
  return id;
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Service>> ServiceParts::Assemble(const hook_service::HookProgramParts& program,
                                                                      const Flags& flags) {
  // With --history memory nobody has made it.
  std::error_code ignored;  // what cannot be made cannot be used either
  std::filesystem::create_directories(program.service.data_dir, ignored);
  auto spool = SpoolDirectory::Open(SpoolPath(program, flags), program.clock, program.logger);
  if (!spool.ok()) return spool.status();
  const auto parts = std::make_shared<ServiceParts>(program, flags, *std::move(spool));
  if (absl::Status status = parts->AddHooks(program, flags); !status.ok()) return status;
  if (absl::Status status = parts->WatchSpool(); !status.ok()) return status;
  if (flags.watch_links) {
    if (absl::Status status = parts->WatchLinks(); !status.ok()) return status;
  }
  return std::shared_ptr<grpc::Service>(parts, &parts->rpc_);
}

ServiceParts::ServiceParts(const hook_service::HookProgramParts& program, const Flags& flags,
                           std::unique_ptr<SpoolDirectory> spool)
    : logger_(program.logger),
      boot_id_(BootId()),
      node_(flags.paths),
      programs_({.parallel = flags.parallel_programs}),
      known_file_(program.service.data_dir + "/containers.json"),
      spool_(std::move(spool)),
      outbox_(*spool_, program.publisher, program.logger),
      looking_(kLookingThreads),
      running_(kRunningThreads),
      rpc_(program.chain, {node_, looking_, running_}) {}

absl::Status ServiceParts::AddHooks(const hook_service::HookProgramParts& program, const Flags& flags) {
  RestoreStarts(program.chain, starts_);
  const HookProgramsOptions options{.directory = flags.hooks_directory,
                                    .time_limit = flags.program_limit,
                                    .bus = program.hooks.bus,
                                    .node = program.hooks.node};
  for (hooks::Hook& hook : std::array{NetworkEventLogger(program.logger, starts_, program.chain), VnetValidation(node_),
                                      LinkCheck(node_), HookProgramsHook(programs_, node_, options)}) {
    if (absl::Status status = program.chain.Add(std::move(hook)); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ServiceParts::WatchSpool() {
  auto watch = SpoolWatch::Create(spool_->path(), [this] { outbox_.Wake(); });
  if (!watch.ok()) return watch.status();
  spool_watch_ = *std::move(watch);
  outbox_.Wake();
  return absl::OkStatus();
}

absl::Status ServiceParts::WatchLinks() {
  auto known = known_file_.Load();
  if (absl::IsDataLoss(known.status())) {
    // It can only be begun anew, and a service that does not start helps nobody.
    logger_.Error("watch=damaged message=\"%s\"", absl::CEscape(std::string(known.status().message())));
    if (absl::Status status = known_file_.SetAside(); !status.ok()) return status;
    known = std::optional<KnownContainersFile::Content>();
  }
  if (!known.ok()) return known.status();
  const bool first = !known->has_value();
  KnownContainersFile::Content content = first ? KnownContainersFile::Content{} : **std::move(known);
  const bool same_boot = content.boot_id == boot_id_;
  upkeep_ = std::make_unique<LinkUpkeep>(
      LinkDuties{.observe = [this] { return Observe(); },
                 .tell = [this](const std::vector<Occurrence>& occurrences) { return Tell(occurrences); },
                 .keep =
                     [this](const KnownContainers& containers) {
                       return known_file_.Save({boot_id_, containers});
                     }},
      ContainerWatch({}, boot_id_, std::move(content.containers), same_boot), first, logger_);
  auto watch = NetlinkWatch::Create([this] { upkeep_->OnLinksChanged(); });
  if (!watch.ok()) return watch.status();
  network_watch_ = *std::move(watch);
  // What changed before the watch began.
  upkeep_->OnLinksChanged();
  return absl::OkStatus();
}

absl::StatusOr<NodeObservation> ServiceParts::Observe() const {
  auto network = node_.ReadNetwork();
  if (!network.ok()) return network.status();
  auto vnets = node_.ReadVnets();  // without them it is bridges that change
  return NodeObservation{
      .devices = DevicesByContainer(*network), .cgroups = node_.Cgroups(), .vnets = vnets.ok() ? *std::move(vnets) : Vnets()};
}

absl::Status ServiceParts::Tell(const std::vector<Occurrence>& occurrences) {
  for (const Occurrence& occurrence : occurrences) {
    if (absl::Status status = spool_->Put(occurrence.request_id, EventOf(occurrence.what)); !status.ok()) return status;
  }
  outbox_.Wake();
  return absl::OkStatus();
}

}  // namespace pvebus::container
