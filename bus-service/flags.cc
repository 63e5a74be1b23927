#include "bus-service/flags.h"

#include <charconv>
#include <optional>
#include <string_view>

#include "CLI/CLI.hpp"
#include "bus-service/core/names.h"
#include "sdk/service/flags.h"

namespace pvebus::bus {
namespace {

constexpr char kDefaultDataDirectory[] = "/var/lib/pvebus/bus";
constexpr uint64_t kDefaultMemoryMib = 128;
constexpr uint64_t kDefaultSqliteMib = 16 * 1024;
constexpr uint64_t kMostMib = 1 << 24;  // 16 TiB
constexpr uint64_t kMostDays = 36'500;
constexpr uint64_t kMostEvents = 1'000'000'000'000;

// "90s", "15m", "12h", "30d", "2w", and "0".
std::optional<std::chrono::seconds> ParseAge(std::string_view text) {
  uint64_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<size_t>(rest - text.data()));
  if (unit.empty() && number == 0) return std::chrono::seconds(0);
  const uint64_t seconds = unit == "s"   ? 1
                           : unit == "m" ? 60
                           : unit == "h" ? 3600
                           : unit == "d" ? 86'400
                           : unit == "w" ? 7 * 86'400
                                         : 0;
  if (seconds == 0 || number > kMostDays * 86'400 / seconds) return std::nullopt;
  return std::chrono::seconds(number * seconds);
}

void AddJournalFlags(CLI::App& app, Flags& flags) {
  constexpr char kGroup[] = "Journal";
  app.add_option("--journal", flags.journal,
                 "What keeps events and listeners. sqlite: a file in --data-dir, which survives a crash; memory: nothing "
                 "survives the bus")
      ->check(CLI::IsMember({"sqlite", "memory"}))
      ->capture_default_str()
      ->group(kGroup);
  app.add_option("--journal-limit", flags.journal_limit_mib,
                 "MiB of events that the journal holds: by default 16 GiB of disk with sqlite, 128 MiB of memory with memory.\n"
                 "Settled events make room for new ones; when all are unsettled, publishers get RESOURCE_EXHAUSTED JOURNAL_FULL")
      ->check(CLI::Range(uint64_t{1}, kMostMib))
      ->default_str("16384|128")
      ->group(kGroup);
  app.add_flag(
         "--accept-data-loss", flags.accept_data_loss,
         "For one start with a damaged journal, which otherwise can only be read: `pvebus journal status` says what is\n"
         "damaged. First stop the bus and keep a copy of --data-dir. Then everything is read, what cannot be is deleted for\n"
         "good, and the rest goes on. Events that are lost so are named, never skipped in silence")
      ->configurable(false)  // a decision about one damage, not about all that come
      ->group(kGroup);
}

void AddRetentionFlags(CLI::App& app, Flags& flags) {
  constexpr char kGroup[] = "Retention (what the journal forgets before it is full; 0: nothing)";
  app.add_option_function<std::string>(
         "--retention-age",
         [&flags](const std::string& text) {
           const auto age = ParseAge(text);
           if (!age) throw CLI::ValidationError("--retention-age", "'" + text + "' is no age; write 90s, 15m, 12h, 30d, 2w or 0");
           flags.retention_age = *age;
         },
         "Events that are older and settled: 90s, 15m, 12h, 30d, 2w")
      ->type_name("AGE")
      ->default_str("0")
      ->group(kGroup);
  app.add_option("--retention-size", flags.retention_mib, "The oldest settled events, so that about so many MiB are left")
      ->check(CLI::Range(uint64_t{0}, kMostMib))
      ->capture_default_str()
      ->group(kGroup);
  app.add_option("--retention-count", flags.retention_count, "The oldest settled events, so that about so many are left")
      ->check(CLI::Range(uint64_t{0}, kMostEvents))
      ->capture_default_str()
      ->group(kGroup);
  app.add_option(
         "--retention-backlog", flags.retention_backlog,
         "What a durable listener has not settled is kept beyond these limits, until it is so many events behind: then it\n"
         "loses the oldest, which `pvebus listeners NAME` shows as BACKLOG_TRUNCATED. 0: it never does, and may fill the journal")
      ->check(CLI::Range(uint64_t{0}, kMostEvents))
      ->capture_default_str()
      ->group(kGroup);
}

}  // namespace

uint64_t Flags::JournalBytes() const {
  const uint64_t usual = durable() ? kDefaultSqliteMib : kDefaultMemoryMib;
  return (journal_limit_mib == 0 ? usual : journal_limit_mib) << 20;
}

std::string Flags::DataDirectory() const { return service.data_dir.empty() ? kDefaultDataDirectory : service.data_dir; }

Limits Flags::MakeLimits() const {
  Limits limits;
  limits.max_event_bytes = max_event_bytes;
  limits.drain_grace = std::chrono::milliseconds(static_cast<int64_t>(drain_grace_seconds * 1000));
  limits.retention_age = retention_age;
  limits.retention_bytes = retention_mib << 20;
  limits.retention_count = retention_count;
  limits.retention_backlog = retention_backlog;
  return limits;
}

void AddFlags(CLI::App& app, Flags& flags) {
  app.description(
      "The event bus: takes events from publishers, hands each to every listener that wants it, and tells the publisher what\n"
      "all of them answered.");
  service::AddServiceFlags(app, flags.service, "127.0.0.1:7400");
  app.footer(
      "Example:\n"
      "  bus-service --listen 127.0.0.1:7400 --listen unix:/run/pvebus/bus.sock --require-listeners storage-hooks \\\n"
      "    --retention-age 30d --retention-backlog 1000000\n");
  AddJournalFlags(app, flags);
  AddRetentionFlags(app, flags);
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

}  // namespace pvebus::bus
