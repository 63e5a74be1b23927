#include "bus-service/rpc/bus_server.h"

#include <future>

#include "bus-service/rpc/bus_rpc.h"
#include "bus-service/rpc/dead_letter_rpc.h"
#include "bus-service/rpc/health_rpc.h"
#include "bus-service/rpc/journal_rpc.h"
#include "bus-service/rpc/listen_stream.h"
#include "bus-service/rpc/registry_rpc.h"

namespace pvebus::bus {
namespace {

constexpr std::chrono::milliseconds kDrainCheck{20};
// Everything has been answered by then; what is left is connections whose peers do not say goodbye.
constexpr std::chrono::seconds kShutdownLimit{1};

}  // namespace

struct BusServer::Services {
  Services(Bus& bus, EventLoop& loop, const std::string& instance_id)
      : publishing(bus, loop),
        registry(bus, loop),
        journal(bus, loop),
        dead_letters(bus, loop),
        health(loop),
        listening{listen_service, bus, loop, instance_id} {}

  BusRpc publishing;
  RegistryRpc registry;
  JournalRpc journal;
  DeadLetterRpc dead_letters;
  HealthRpc health;
  ListenStream::Service listen_service;
  ListenStream::Host listening;
};

BusServer::BusServer(Options options, Bus& bus, LoopClock& clock, Logger& logger, grpc::ServerBuilder& builder)
    : options_(std::move(options)), bus_(bus), clock_(clock), logger_(logger) {
  loop_ = std::make_unique<EventLoop>(builder.AddCompletionQueue(), clock_);
  services_ = std::make_unique<Services>(bus_, *loop_, options_.instance_id);
  builder.RegisterService(&services_->publishing.service());
  builder.RegisterService(&services_->registry.service());
  builder.RegisterService(&services_->journal.service());
  builder.RegisterService(&services_->dead_letters.service());
  builder.RegisterService(&services_->health.service());
  builder.RegisterService(&services_->listen_service);
  // Reflection and channelz are synchronous; nothing else is.
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MIN_POLLERS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 2);
}

BusServer::~BusServer() = default;

void BusServer::Start(grpc::Server& server) {
  server_ = &server;
  for (const char* name : {"pvebus.bus.v1.ListenerService", "pvebus.bus.v1.RegistryService", "pvebus.bus.v1.JournalService",
                           "pvebus.bus.v1.DeadLetterService"}) {
    services_->health.Set(name, true);
  }
  for (const char* name : {"", "pvebus.bus.v1.BusService"}) services_->health.Set(name, false);
  bus_.registry().SetObserver([this] { UpdateReadiness(); });
  NoticeDamage();
  services_->publishing.Listen();
  services_->registry.Listen();
  services_->journal.Listen();
  services_->dead_letters.Listen();
  services_->health.Listen();
  for (int i = 0; i < 4; ++i) ListenStream::Listen(services_->listening);
  thread_ = std::thread([this] {
    loop_->Run({[this] {
                  bus_.RunTimers();
                  bus_.EndTurn();
                  if (bus_.log().read_only() != damaged_) NoticeDamage();
                },
                [this] { return bus_.NextTimer(); }});
  });
}

void BusServer::Post(std::function<void()> task) { loop_->Post(std::move(task)); }

void BusServer::NoticeDamage() {
  damaged_ = bus_.log().read_only();
  if (damaged_) {
    logger_.Error(
        "journal_damaged publishes and registrations are refused, what can be read is; `pvebus journal status` says what is "
        "damaged. Restore the data directory from a copy, or start once with --accept-data-loss error=\"%s\"",
        bus_.CheckWritable().message());
  }
  UpdateReadiness();
}

void BusServer::UpdateReadiness() {
  bool ready = !bus_.draining();
  std::string missing;
  for (const std::string& name : options_.required_listeners) {
    const auto it = bus_.registry().listeners().find(name);
    if (it == bus_.registry().listeners().end() || !it->second.holder) missing += (missing.empty() ? "" : ",") + name;
  }
  // Once ready, a listener that comes and goes changes nothing: its events wait for it.
  ready = ready && (ready_ || missing.empty()) && !bus_.log().read_only();
  if (ready == ready_) return;
  ready_ = ready;
  for (const char* name : {"", "pvebus.bus.v1.BusService"}) services_->health.Set(name, ready);
  if (options_.on_ready) options_.on_ready(ready);
}

void BusServer::Stop() {
  std::promise<void> drained;
  loop_->Post([this, &drained] {
    drained_ = [&drained] { drained.set_value(); };
    bus_.StartDrain();
    UpdateReadiness();
    services_->journal.EndStreams();
    drain_end_ = clock_.SteadyNow() + bus_.limits().drain_grace;
    CheckDrained();
  });
  drained.get_future().wait();
  server_->Shutdown(std::chrono::system_clock::now() + kShutdownLimit);
  loop_->Stop();
  thread_.join();
}

void BusServer::CheckDrained() {
  const bool in_time = clock_.SteadyNow() < drain_end_;
  if (in_time && !bus_.Drained()) {
    loop_->timers().Schedule(clock_.SteadyNow() + kDrainCheck, [this] { CheckDrained(); });
    return;
  }
  if (!in_time) logger_.Warning("drain_grace_over unanswered deliveries go to the next session without counting an attempt");
  bus_.EndAll();
  bus_.EndTurn();
  services_->health.EndWatches();
  drained_();
}

}  // namespace pvebus::bus
