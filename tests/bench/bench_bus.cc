#include "tests/bench/bench_bus.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "pvebus/bus/v1/journal_service.grpc.pb.h"
#include "pvebus/bus/v1/registry_service.grpc.pb.h"
#include "sdk/client/channel.h"
#include "tests/support/bus_process.h"

namespace pvebus::bench {
namespace {

using testing::Process;
using testing::ProgramPath;

constexpr auto kStart = std::chrono::minutes(10);  // of a bus with a large journal

std::vector<std::string> Arguments(const BenchBus::Options& options) {
  std::vector<std::string> arguments = {ProgramPath("bus-service"), "--journal", options.journal, "--data-dir",
                                        options.directory + "/bus", "--listen",  "127.0.0.1:0"};
  arguments.insert(arguments.end(), options.flags.begin(), options.flags.end());
  return arguments;
}

double CpuMicroseconds(pid_t pid) {
  std::ifstream file(absl::StrFormat("/proc/%d/stat", pid));
  std::string stat;
  std::getline(file, stat);
  // proc(5): the 14th and 15th fields are user and system time in ticks; the second is a name in parentheses.
  std::istringstream fields(stat.substr(std::min(stat.rfind(')') + 1, stat.size())));
  std::string ignored;
  for (int i = 0; i < 11; ++i) fields >> ignored;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) * 1e6 / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace

BenchBus::BenchBus(const Options& options) : bus_(Arguments(options)) {}

absl::StatusOr<std::unique_ptr<BenchBus>> BenchBus::Start(const Options& options) {
  std::unique_ptr<BenchBus> bus(new BenchBus(options));
  auto address = bus->bus_.WaitForLine("listening on ", kStart);
  if (!address.ok()) return address.status();
  bus->address_ = *std::move(address);
  bus->channel_ = client::Connect(bus->address_);
  return bus;
}

absl::Status BenchBus::AddListener(const ListenerOptions& options) {
  std::vector<std::string> arguments = {ProgramPath("bench_listener"), "--address=" + address_, "--name=" + options.name,
                                        absl::StrCat("--max-in-flight=", options.max_in_flight),
                                        absl::StrCat("--expected=", options.expected)};
  if (options.earliest) arguments.push_back("--earliest");
  listeners_.push_back({options, std::make_unique<Process>(arguments)});
  return listeners_.back().process->WaitForLine("registered", kStart).status();
}

absl::Status BenchBus::WaitSettled(std::chrono::seconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  const auto registry = bus::v1::RegistryService::NewStub(channel_);
  for (const Listener& listener : listeners_) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (auto handled = listener.process->WaitForLine("handled", left); !handled.ok()) return handled.status();
    bus::v1::GetListenerRequest request;
    request.set_name(listener.options.name);
    for (;;) {
      const auto state = testing::Call(&bus::v1::RegistryService::Stub::GetListener, *registry, request);
      if (!state.ok()) return state.status();
      if (state->listener().backlog() == 0) break;
      if (std::chrono::steady_clock::now() > deadline) {
        return absl::DeadlineExceededError(
            absl::StrFormat("waited for %s to settle %d more", listener.options.name, state->listener().backlog()));
      }
    }
  }
  return absl::OkStatus();
}

absl::Status BenchBus::CheckHolds(size_t events) const {
  const auto journal = bus::v1::JournalService::NewStub(channel_);
  const auto status = testing::Call(&bus::v1::JournalService::Stub::GetJournalStatus, *journal, {});
  if (!status.ok()) return status.status();
  if (status->event_count() >= events) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrFormat(
      "the journal holds %d of %d events: fewer --events, or a larger journal with --bus-flag", status->event_count(), events));
}

absl::Status BenchBus::Stop() {
  listeners_.clear();
  bus_.Signal(SIGTERM);
  const auto code = bus_.WaitExit(kStart);
  if (code == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrFormat("the bus ended with %d: %s", code.value_or(-1), bus_.StandardError()));
}

double BenchBus::PeakMebibytes() const {
  std::ifstream status(absl::StrFormat("/proc/%d/status", bus_.pid()));
  for (std::string word; status >> word;) {
    double kibibytes = 0;
    if (word == "VmHWM:" && status >> kibibytes) return kibibytes / 1024;
  }
  return 0;
}

absl::Status BenchBus::ForgetPeak() const {
  std::ofstream file(absl::StrFormat("/proc/%d/clear_refs", bus_.pid()));
  file << "5" << std::flush;  // proc(5): resets the peak resident set size
  return file ? absl::OkStatus() : absl::InternalError("cannot reset the peak memory of the bus");
}

double BenchBus::CpuMicroseconds() const { return bench::CpuMicroseconds(bus_.pid()); }

double BenchBus::ListenersCpuMicroseconds() const {
  double sum = 0;
  for (const Listener& listener : listeners_) sum += bench::CpuMicroseconds(listener.process->pid());
  return sum;
}

void AddBusOptions(CLI::App& app, BenchBus::Options& options) {
  app.add_option("--bus-flag", options.flags, "For the bus, for example --bus-flag=--journal-limit=4096; repeatable")->take_all();
}

}  // namespace pvebus::bench
