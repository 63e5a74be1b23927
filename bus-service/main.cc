// bus-service: the event bus. This is the only place that knows every part of it.
#include <cstdio>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/base/thread_annotations.h"
#include "absl/strings/str_format.h"
#include "bus-service/core/bus.h"
#include "bus-service/core/event_id.h"
#include "bus-service/flags.h"
#include "bus-service/rpc/bus_server.h"
#include "bus-service/store/memory_journal.h"
#include "bus-service/store/sqlite_event_log.h"
#include "google/protobuf/stubs/logging.h"
#include "sdk/base/mutex.h"
#include "sdk/service/service_main.h"

namespace pvebus::bus {
namespace {

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

// Brings what the journal has to say to the bus's thread; what comes before the server is up waits for it. Any thread.
class Mailbox {
 public:
  void Post(std::function<void()> task) ABSL_LOCKS_EXCLUDED(mutex_) {
    BusServer* server = nullptr;
    {
      MutexLock lock(mutex_);
      if (!server_) {
        waiting_.push_back(std::move(task));
        return;
      }
      server = server_;
    }
    server->Post(std::move(task));
  }
  void Connect(BusServer& server) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    for (auto& task : std::exchange(waiting_, {})) server.Post(std::move(task));
    server_ = &server;
  }

 private:
  Mutex mutex_;
  BusServer* server_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::vector<std::function<void()>> waiting_ ABSL_GUARDED_BY(mutex_);
};

// One object is both logs.
struct Journal {
  std::unique_ptr<EventLog> log;
  StateLog* states = nullptr;
  Recovery recovery;
};

absl::StatusOr<Journal> OpenJournal(const Flags& flags, JournalWriter::Post post, Logger& logger) {
  Journal journal;
  if (!flags.durable()) {
    auto memory = std::make_unique<MemoryJournal>(flags.JournalBytes());
    journal.states = memory.get();
    journal.log = std::move(memory);
    return journal;
  }
  auto opened =
      SqliteEventLog::Open(flags.DataDirectory(), flags.JournalBytes(), std::move(post), logger, flags.accept_data_loss);
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

  const Limits limits = flags.MakeLimits();
  LoopClock clock;
  SeededRandom random(SeededRandom::SystemSeed());
  // The journal's threads need the server's, and that needs the bus, which needs the journal.
  Mailbox mailbox;
  auto journal = OpenJournal(
      flags, [&mailbox](std::function<void()> task) { mailbox.Post(std::move(task)); }, **logger);
  if (!journal.ok()) {
    absl::FPrintF(stderr, "bus-service: %s\n", journal.status().message());
    return 1;
  }
  Bus bus(limits, clock, random, *journal->log, *journal->states, **logger);
  bus.Restore(std::exchange(journal->recovery, {}));

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
  mailbox.Connect(server);
  server.Start(**grpc_server);
  ports.PrintListening();
  std::optional<MemoryReminder> reminder;
  if (!flags.durable()) reminder.emplace(**logger);

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
