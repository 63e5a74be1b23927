// A listener process of the benchmarks: acknowledges everything. Prints `registered`, and `handled` after the expected events.
#include <atomic>
#include <cstdio>

#include "CLI/CLI.hpp"
#include "sdk/client/channel.h"
#include "sdk/client/listener.h"

namespace pvebus::bench {
namespace {

void Say(const char* line) {
  std::printf("%s\n", line);
  std::fflush(stdout);
}

int Main(int argc, char** argv) {
  CLI::App app("Acknowledges everything");
  std::string address;
  std::string name;
  int max_in_flight = 1000;
  size_t expected = 0;
  bool earliest = false;
  app.add_option("--address", address)->required();
  app.add_option("--name", name)->required();
  app.add_option("--max-in-flight", max_in_flight);
  app.add_option("--expected", expected, "Events after which it says `handled`");
  app.add_flag("--earliest", earliest, "Begins with the oldest event");
  CLI11_PARSE(app, argc, argv);

  RealClock clock;
  NullLogger logger;
  client::ListenerOptions options;
  options.registration.set_listener(name);
  options.registration.set_max_in_flight(static_cast<uint32_t>(max_in_flight));
  if (earliest) options.registration.mutable_start_position()->set_earliest(true);
  std::atomic<size_t> handled = 0;
  const auto handle = [&](const client::EventContext&) {
    if (++handled == expected) Say("handled");
    return client::Answer::Ack();
  };
  client::Listener listener(client::Connect(address), options, handle, nullptr, clock, logger);
  listener.Start();
  if (const auto status = listener.WaitRegistered(std::chrono::seconds(60)); !status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    return 1;
  }
  Say("registered");
  std::fprintf(stderr, "%s\n", listener.Wait().ToString().c_str());
  return 1;
}

}  // namespace
}  // namespace pvebus::bench

int main(int argc, char** argv) { return pvebus::bench::Main(argc, argv); }
