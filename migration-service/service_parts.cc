#include "migration-service/service_parts.h"

#include <array>
#include <string>
#include <utility>

#include "migration-service/rpc/hooks_takeover.h"
#include "migration-service/rpc/migration_hooks.h"
#include "migration-service/store/sqlite_migration_store.h"
#include "sdk/client/channel.h"

namespace pvebus::migration {
namespace {

constexpr int kChangingThreads = 2;
constexpr int kReadingThreads = 2;

std::unique_ptr<NginxRouteMap> MakeRouteMap(const NginxRouteMap::Options& options, const RouteTable& routes) {
  return options.path.empty() ? nullptr : std::make_unique<NginxRouteMap>(options, routes);
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Service>> ServiceParts::Assemble(const hook_service::HookProgramParts& program,
                                                                      const Flags& flags) {
  std::vector<RouteRule> overrides;
  for (const std::string& line : flags.overrides) {
    auto rule = ParseOverride(line);
    if (!rule.ok()) return rule.status();
    overrides.push_back(*std::move(rule));
  }
  auto store = SqliteMigrationStore::Open(program.service.data_dir);
  if (!store.ok()) return store.status();
  if (absl::Status status = TakeOverFromHooks(program.chain, **store); !status.ok()) return status;
  auto state = MigrationState::Load(**store);
  if (!state.ok()) return state.status();
  const auto parts = std::make_shared<ServiceParts>(program, flags, std::move(overrides), *std::move(store), *std::move(state));
  if (absl::Status status = parts->AddHooks(program); !status.ok()) return status;
  parts->BringRouteMap(program.logger);
  // An order of an earlier process.
  parts->outbox_.Wake();
  return std::shared_ptr<grpc::Service>(parts, &parts->rpc_);
}

ServiceParts::ServiceParts(const hook_service::HookProgramParts& program, const Flags& flags, std::vector<RouteRule> overrides,
                           std::unique_ptr<MigrationStore> store, std::unique_ptr<MigrationState> state)
    : store_(std::move(store)),
      state_(std::move(state)),
      bus_(client::Connect(program.hooks.bus)),
      routes_(std::move(overrides), flags.timeouts),
      map_(MakeRouteMap(flags.route_map, routes_)),
      outcomes_(flags.outcomes),
      gates_(flags.gates, *state_, bus_),
      setter_(*state_, *store_, gates_, program.publisher, random_),
      step_backs_(*store_),
      outbox_(step_backs_, program.publisher, program.logger),
      reports_(*state_, *store_, outcomes_, program.logger, [this] { outbox_.Wake(); }),
      changing_(kChangingThreads),
      reading_(kReadingThreads),
      rpc_(program.chain, {.state = *state_,
                           .store = *store_,
                           .routes = routes_,
                           .outcomes = outcomes_,
                           .reports = reports_,
                           .gates = gates_,
                           .setter = setter_,
                           .map = map_.get(),
                           .changing = changing_,
                           .reading = reading_}),
      report_upkeep_(*state_, program.logger) {}

absl::Status ServiceParts::AddHooks(const hook_service::HookProgramParts& program) {
  for (hooks::Hook& hook :
       std::array{MigrationEventLogger(program.logger), PhaseTracker(*state_, gates_, [this] { outcomes_.Clear(); }),
                  AppliedCounter(*state_), RouteMapWriter(*state_, map_.get())}) {
    if (absl::Status status = program.chain.Add(std::move(hook)); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// A process that died may have made the phase another one and not the table.
void ServiceParts::BringRouteMap(Logger& logger) {
  if (map_ == nullptr) return;
  const RouteMapUpdate update = map_->Bring(state_->status().phase, {});
  if (update.state == RouteMapUpdate::State::kFailed) {
    logger.Error("route_map=%s message=\"%s\"", map_->status().path, update.message);
  }
  map_upkeep_ = std::make_unique<RouteMapUpkeep>(
      RouteMapUpkeep::Parts{.state = *state_, .map = *map_, .logger = logger, .random = random_});
}

}  // namespace pvebus::migration
