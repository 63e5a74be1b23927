// bus-service: the event bus. This is the only place that knows every part of it.
#include <cstdio>
#include <memory>
#include <optional>
#include <thread>

#include "CLI/CLI.hpp"
#include "absl/strings/str_format.h"
#include "bus-service/core/bus.h"
#include "bus-service/core/event_id.h"
#include "bus-service/core/names.h"
#include "bus-service/rpc/bus_server.h"
#include "bus-service/store/memory_event_log.h"
#include "bus-service/store/sqlite_event_log.h"
#include "google/protobuf/stubs/logging.h"
#include "sdk/base/mutex.h"
#include "sdk/service/service_main.h"

namespace pvebus::bus {
namespace {

constexpr char kDefaultDataDirectory[] = "/var/lib/pvebus/bus";

struct Flags {
  service::ServiceOptions service;
  std::string journal = "sqlite";
  uint64_t journal_limit_mib = 128;
  uint64_t max_event_bytes = 1 << 20;
  double drain_grace_seconds = 10;
  std::vector<std::string> required_listeners;
};

void AddFlags(CLI::App& app, Flags& flags) {
  app.description(
      "The event bus: takes events from publishers, hands each to every listener that wants it, and tells the publisher what\n"
      "all of them answered.");
  app.footer(
      "Example:\n"
      "  bus-service --listen 127.0.0.1:7400 --listen unix:/run/pvebus/bus.sock --require-listeners storage-hooks\n");
  service::AddServiceFlags(app, flags.service, "127.0.0.1:7400");
  app.add_option("--journal", flags.journal,
                 "What keeps events and listeners. sqlite: a file in --data-dir, which survives a crash; memory: nothing "
                 "survives the bus")
      ->check(CLI::IsMember({"sqlite", "memory"}))
      ->capture_default_str()
      ->group("Journal");
  app.add_option("--journal-limit", flags.journal_limit_mib,
                 "MiB of events that the journal holds. Settled events make room for new ones; when all are unsettled,\n"
                 "publishers get RESOURCE_EXHAUSTED JOURNAL_FULL")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str()
      ->group("Journal");
  app.add_option("--max-event-bytes", flags.max_event_bytes,
                 "A larger event is refused. Listeners must be able to read it: at most 3 MiB")
      ->check(CLI::Range(1024, 3 << 20))
      ->capture_default_str()
      ->group("Limits");
  app.add_option("--drain-grace", flags.drain_grace_seconds, "Seconds for listeners to answer what they have after SIGTERM")
      ->check(CLI::Range(0.0, 600.0))
      ->capture_default_str()
      ->group("Limits");
  app.add_option("--require-listeners", flags.required_listeners,
                 "Be ready (grpc.health.v1, systemd) only when these listeners are connected")
      ->delimiter(',')
      ->group("Readiness")
      ->check([](const std::string& name) {
        const auto status = CheckName("listener", name);
        return status.ok() ? std::string() : std::string(status.message());
      });
}

// Says again and again what an operator must not forget, until destroyed.
class MemoryReminder {
 public:
  explicit MemoryReminder(Logger& logger) : logger_(logger), thread_([this](const std::stop_token& stop) { Run(stop); }) {}

 private:
  void Run(const std::stop_token& stop) {
    const std::stop_callback wake(stop, [this] {
      MutexLock lock(mutex_);
      wake_.NotifyAll();
    });
    MutexLock lock(mutex_);
    while (!stop.stop_requested()) {
      logger_.Warning("journal_not_durable journal=memory events and backlogs are lost when the bus ends");
      const SteadyTime next = std::chrono::steady_clock::now() + std::chrono::minutes(10);
      while (!stop.stop_requested() && wake_.WaitUntil(mutex_, next)) {
      }
    }
  }

  Logger& logger_;
  Mutex mutex_;
  CondVar wake_;
  std::jthread thread_;
};

struct Journal {
  std::unique_ptr<EventLog> log;
  StateLog* states = nullptr;  // part of the log; null when nothing is kept
  Recovery recovery;
};

absl::StatusOr<Journal> OpenJournal(const Flags& flags, JournalWriter::Post post, Logger& logger) {
  Journal journal;
  const size_t limit = flags.journal_limit_mib << 20;
  if (flags.journal == "memory") {
    journal.log = std::make_unique<MemoryEventLog>(limit);
    return journal;
  }
  const std::string directory = flags.service.data_dir.empty() ? kDefaultDataDirectory : flags.service.data_dir;
  auto opened = SqliteEventLog::Open(directory, limit, std::move(post), logger);
  if (!opened.ok()) return opened.status();
  journal.states = opened->log.get();
  journal.log = std::move(opened->log);
  journal.recovery = std::move(opened->recovery);
  return journal;
}

int Run(const Flags& flags) {
  auto logger = service::MakeLogger(flags.service);
  if (!logger.ok()) {
    absl::FPrintF(stderr, "bus-service: %s\n", logger.status().message());
    return 2;
  }
  // What a stranger sends wrong is answered to him; protobuf need not say it here too.
  google::protobuf::SetLogHandler(nullptr);

  Limits limits;
  limits.max_event_bytes = flags.max_event_bytes;
  limits.drain_grace = std::chrono::milliseconds(static_cast<int64_t>(flags.drain_grace_seconds * 1000));
  LoopClock clock;
  SeededRandom random(SeededRandom::SystemSeed());
  // The journal's thread needs the server's, and that needs the bus, which needs the journal.
  BusServer* server_if_up = nullptr;
  auto journal = OpenJournal(
      flags, [&server_if_up](std::function<void()> task) { server_if_up->Post(std::move(task)); }, **logger);
  if (!journal.ok()) {
    absl::FPrintF(stderr, "bus-service: %s\n", journal.status().message());
    return 1;
  }
  Bus bus(limits, clock, random, *journal->log, **logger, journal->states);
  bus.Restore(journal->recovery);

  service::InitServerPlugins(service::Health::kOwn);
  grpc::ServerBuilder builder;
  service::ConfigureServer(builder);
  service::ListenPorts ports;
  if (auto status = ports.AddTo(builder, flags.service); !status.ok()) {
    absl::FPrintF(stderr, "bus-service: %s\n", status.message());
    return 1;
  }
  const BusServer::Options options{
      .instance_id = MakeEventId(clock.SystemNow(), random),
      .required_listeners = flags.required_listeners,
      .on_ready =
          [&logger](bool ready) {
            (*logger)->Info("%s", ready ? "ready" : "not_ready");
            service::NotifySystemd(ready ? "READY=1\nSTATUS=serving" : "STATUS=not ready");
          },
  };
  BusServer server(options, bus, clock, **logger, builder);
  auto grpc_server = ports.BuildAndStart(builder);
  if (!grpc_server.ok()) {
    absl::FPrintF(stderr, "bus-service: %s\n", grpc_server.status().message());
    return 1;
  }
  server_if_up = &server;
  server.Start(**grpc_server);
  ports.PrintListening();
  std::optional<MemoryReminder> reminder;
  if (flags.journal == "memory") reminder.emplace(**logger);

  const std::string signal = service::WaitForStopSignal();
  (*logger)->Info("stopping signal=%s", signal);
  service::NotifySystemd("STOPPING=1");
  server.Stop();
  journal->log->Close();
  return 0;
}

}  // namespace
}  // namespace pvebus::bus

int main(int argc, char** argv) {
  pvebus::service::BlockStopSignals();
  CLI::App app;
  app.name("bus-service");
  pvebus::bus::Flags flags;
  pvebus::bus::AddFlags(app, flags);
  if (const auto code = pvebus::service::ParseCommandLine(app, argc, argv)) return *code;
  return pvebus::bus::Run(flags);
}
