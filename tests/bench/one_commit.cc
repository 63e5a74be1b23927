// What one commit costs here: one event row and one progress row in a transaction of their own, with the settings of our SQLite
// files and nothing else. The budget of a durable publish is the floor and one of these.
#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cstdio>
#include <thread>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_format.h"
#include "sdk/sqlite/database.h"
#include "tests/bench/bench_directory.h"

namespace pvebus::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

struct Options {
  size_t commits = 2000;
  size_t event_bytes = 256;
  std::chrono::microseconds pause{250};
};

class Journal {
 public:
  static absl::StatusOr<Journal> Open(const std::string& path) {
    Journal journal;
    if (auto opened = SqliteDatabase::Open(path); opened.ok()) {
      journal.database_ = *std::move(opened);
    } else {
      return opened.status();
    }
    auto status = journal.database_->Execute(
        "CREATE TABLE events (sequence INTEGER PRIMARY KEY, body BLOB NOT NULL);"
        "CREATE TABLE progress (listener_id INTEGER PRIMARY KEY, next_sequence INTEGER NOT NULL)");
    if (!status.ok()) return status;
    auto event = SqliteStatement::Prepare(*journal.database_, "INSERT INTO events VALUES (?1, ?2)");
    if (!event.ok()) return event.status();
    auto progress = SqliteStatement::Prepare(*journal.database_, "INSERT OR REPLACE INTO progress VALUES (1, ?1)");
    if (!progress.ok()) return progress.status();
    journal.event_ = *std::move(event);
    journal.progress_ = *std::move(progress);
    return journal;
  }

  absl::Status Commit(int64_t sequence, const std::string& body) {
    absl::Status status = database_->Execute("BEGIN IMMEDIATE");
    event_->Bind(1, sequence);
    event_->BindBlob(2, body);
    if (status.ok()) status = event_->Run();
    progress_->Bind(1, sequence);
    if (status.ok()) status = progress_->Run();
    if (status.ok()) status = database_->Execute("COMMIT");
    return status;
  }

 private:
  std::unique_ptr<SqliteDatabase> database_;  // outlives the statements
  std::unique_ptr<SqliteStatement> event_;
  std::unique_ptr<SqliteStatement> progress_;
};

std::string FileSystemOf(const std::string& path) {
  struct statfs info {};
  if (statfs(path.c_str(), &info) != 0) return "unknown";
  switch (static_cast<unsigned long>(info.f_type)) {
    case EXT4_SUPER_MAGIC:
      return "ext4";
    case XFS_SUPER_MAGIC:
      return "xfs";
    case BTRFS_SUPER_MAGIC:
      return "btrfs";
    case TMPFS_MAGIC:
      return "tmpfs";
    case OVERLAYFS_SUPER_MAGIC:
      return "overlayfs";
    default:
      return absl::StrFormat("0x%x", info.f_type);
  }
}

// Microseconds of each commit, ascending. `pause` before each: a publish at a time leaves the disk and the processor idle between
// two commits, which makes both slower to begin.
absl::StatusOr<std::vector<double>> Measure(Journal& journal, int64_t& sequence, const Options& options,
                                            std::chrono::microseconds pause) {
  const std::string body(options.event_bytes, 'x');
  std::vector<double> microseconds;
  for (size_t i = 0; i < options.commits; ++i) {
    if (pause.count() > 0) std::this_thread::sleep_for(pause);
    const auto begin = SteadyClock::now();
    if (auto status = journal.Commit(++sequence, body); !status.ok()) return status;
    microseconds.push_back(std::chrono::duration<double, std::micro>(SteadyClock::now() - begin).count());
  }
  std::sort(microseconds.begin(), microseconds.end());
  return microseconds;
}

absl::Status Run(const Options& options) {
  auto directory = BenchDirectory::Make();
  if (!directory.ok()) return directory.status();
  auto journal = Journal::Open(directory->path() + "/one_commit.db");
  if (!journal.ok()) return journal.status();
  int64_t sequence = 0;
  // The first ones make the write-ahead log grow; what counts is when it has its size.
  if (auto warm = Measure(*journal, sequence, options, {}); !warm.ok()) return warm.status();
  const auto at_once = Measure(*journal, sequence, options, {});
  if (!at_once.ok()) return at_once.status();
  const auto paced = Measure(*journal, sequence, options, options.pause);
  if (!paced.ok()) return paced.status();
  const auto at = [&](const std::vector<double>& all, size_t percent) { return all[all.size() * percent / 100]; };
  std::printf("one_commit p50_us=%.0f p99_us=%.0f paced_p50_us=%.0f paced_p99_us=%.0f fs=%s\n", at(*at_once, 50),
              at(*at_once, 99), at(*paced, 50), at(*paced, 99), FileSystemOf(directory->path()).c_str());
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  CLI::App app("What one commit costs here");
  Options options;
  int64_t pause_us = options.pause.count();
  app.add_option("--commits", options.commits, "Of each measurement")->check(CLI::Range(size_t{1}, size_t{100'000'000}));
  app.add_option("--event-bytes", options.event_bytes, "Bytes of the event's row");
  app.add_option("--pause-us", pause_us, "Between two commits of the paced measurement")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  options.pause = std::chrono::microseconds(pause_us);
  const auto status = Run(options);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}

}  // namespace
}  // namespace pvebus::bench

int main(int argc, char** argv) { return pvebus::bench::Main(argc, argv); }
