// A real nginx in front of both implementations, routing by the map of the real migration-service.
#include <signal.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "absl/strings/str_join.h"
#include "tests/integration/migration_fixture.h"
#include "tests/integration/nginx_fixture.h"

namespace pvebus::testing {
namespace {

using event::v1::MigrationPhase;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr MigrationPhase kUpAndDown[] = {event::v1::MIGRATION_PHASE_RUST_READ_ONLY, event::v1::MIGRATION_PHASE_RUST_BASIC_WRITE,
                                         event::v1::MIGRATION_PHASE_RUST_ADVANCED,  event::v1::MIGRATION_PHASE_RUST_SDN,
                                         event::v1::MIGRATION_PHASE_RUST_FULL,      event::v1::MIGRATION_PHASE_RUST_SDN,
                                         event::v1::MIGRATION_PHASE_RUST_ADVANCED,  event::v1::MIGRATION_PHASE_RUST_BASIC_WRITE,
                                         event::v1::MIGRATION_PHASE_RUST_READ_ONLY, event::v1::MIGRATION_PHASE_PERL_ONLY};

constexpr const char* kMethods[] = {"GET", "PUT", "POST", "DELETE"};
constexpr const char* kTargets[] = {
    "/api2/json",
    "/api2/json/version",
    "/api2/json/access/ticket",
    "/api2/json/nodes",
    "/api2/json/nodes/pve1/network",
    "/api2/extjs/nodes/pve1/network",
    "/api2/json/nodes/pve1/network/vmbr0",
    "/api2/json/nodes/pve1/network/eno1.100",
    "/api2/json/nodes/pve1/sdn/zones",
    "/api2/json/cluster/sdn",
    "/api2/json/cluster/sdn/vnets/vnet1/subnets",
    "/api2/json/nodes/network/qemu/100/config",
    "/api2/json/nodes/pve1/qemu/100/agent/network-get-interfaces",
    "/api2/json/pools/sdn1",
    // Other spellings.
    "/api2/json/nodes/pve1/network/",
    "/api2/json/nodes/pve1/network?type=bridge&x=/cluster/sdn",
    "/api2/json//nodes///pve1/network",
    "/api2/json/nodes%2Fpve1%2Fnetwork",
    "/api2/json/nodes%2fpve1/network%2Fvmbr0",
    "/api2/json/nodes/pve1/%6eetwork",
    "/api2/json/nodes/pve1/./network",
    "/api2/json/cluster/../nodes/pve1/network",
    "/api2/json/nodes/pve1/network%3Fx",
    "/api2/json/nodes/pve1/network%2520",
    "/api2/json/nodes/pve1/network%0A",
    "/api2/json/nodes/pve1/netw%C3%B6rk",
    "/api2/json/nodes/pve1/Network",
};

class MigrationNginxTest : public MigrationFixture {
 protected:
  void SetUp() override {
    if (NginxProgram().empty()) GTEST_SKIP() << "NOT PROVEN: routing by nginx, which is not there: deploy/packages.sh --tests";
    nginx_ = std::make_unique<Nginx>(directory_.path());
    // The map has to be there before nginx, and nginx before it can be told of the map.
    Start(nginx_->Flags());
    nginx_->Start();
    WaitFor(
        "the service to find nginx", [&] { return Now().route_map().state() == migration::v1::ROUTE_MAP_STATE_CURRENT; },
        kPatience);
  }

  // "200 perl", as migration-service says it.
  std::string Wanted(const std::string& method, const std::string& target) {
    migration::v1::ResolveEndpointRequest request;
    request.set_method(method);
    request.set_path(target);
    const auto route = Call(&Stub::ResolveEndpoint, *stub_, request, kPatience);
    EXPECT_TRUE(route.ok()) << method << " " << target << ": " << route.status();
    if (!route.ok()) return "";
    return route->implementation() == migration::v1::IMPLEMENTATION_RUST ? "200 rust" : "200 perl";
  }
  // Those that go elsewhere.
  std::vector<std::string> Astray() {
    std::vector<std::string> astray;
    for (const char* target : kTargets) {
      for (const char* method : kMethods) {
        const std::string found = nginx_->Ask(method, target);
        const std::string wanted = Wanted(method, target);
        if (found != wanted) astray.push_back(absl::StrFormat("%s %s: %s, and not %s", method, target, found, wanted));
      }
    }
    return astray;
  }
  // Workers of before serve a little longer than `nginx -s reload` takes.
  void ExpectRoutesOfThePhase() {
    std::vector<std::string> astray;
    int right = 0;
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (right < 2 && std::chrono::steady_clock::now() < deadline) {
      astray = Astray();
      right = astray.empty() ? right + 1 : 0;
    }
    EXPECT_THAT(astray, IsEmpty()) << "waited for nginx to have the phase " << MigrationPhase_Name(Now().phase()) << "\n"
                                   << nginx_->ErrorLog();
  }
  void Enter(MigrationPhase phase) {
    const auto set = Set(phase);
    ASSERT_TRUE(set.ok()) << set.status();
    ASSERT_EQ(set->result().outcome(), bus::v1::PUBLISH_OUTCOME_SUCCEEDED) << set->result().DebugString();
  }

  std::unique_ptr<Nginx> nginx_;
};

TEST_F(MigrationNginxTest, ReadsGoToTheNewImplementationAndPerlOnlySwitchesItOffAgain) {
  const std::string network = "/api2/json/nodes/node1/network";
  EXPECT_EQ(nginx_->Ask("GET", network), "200 perl");

  const Ended forward = Run({"set", "rust-read-only"});

  EXPECT_EQ(forward.exit_code, 0) << forward.out << forward.err;
  WaitFor(
      "reads to go to the new implementation", [&] { return nginx_->Ask("GET", network) == "200 rust"; }, kPatience);
  EXPECT_EQ(nginx_->Ask("PUT", network), "200 perl");
  const Ended back = Run({"set", "perl-only"});
  EXPECT_EQ(back.exit_code, 0) << back.out << back.err;
  WaitFor(
      "reads to go to Perl", [&] { return nginx_->Ask("GET", network) == "200 perl"; }, kPatience);
  EXPECT_THAT(Run({"status"}).out, HasSubstr("pvebus.map: current"));
}

TEST_F(MigrationNginxTest, EveryCallLandsWhereTheServiceSaysInEveryPhase) {
  ExpectRoutesOfThePhase();
  for (const MigrationPhase phase : kUpAndDown) {
    SCOPED_TRACE(MigrationPhase_Name(phase));
    Enter(phase);
    ExpectRoutesOfThePhase();
    if (HasFailure()) return;
  }
}

TEST_F(MigrationNginxTest, NoCallIsLostWhileThePhaseChanges) {
  std::atomic<bool> over = false;
  std::atomic<int> perl = 0;
  std::atomic<int> rust = 0;
  std::mutex mutex;
  std::vector<std::string> lost;
  std::vector<std::thread> clients;
  for (int client = 0; client < 4; ++client) {
    clients.emplace_back([&, client] {
      for (int i = client; !over; ++i) {
        const char* method = kMethods[i % 3];
        const std::string answer = nginx_->Ask(method, "/api2/json/nodes/node1/network/vmbr0");
        if (answer == "200 perl") {
          ++perl;
        } else if (answer == "200 rust") {
          ++rust;
        } else {
          const std::scoped_lock lock(mutex);
          lost.push_back(std::string(method) + ": " + answer);
        }
      }
    });
  }

  for (int round = 0; round < 2 && !HasFailure(); ++round) {
    for (const MigrationPhase phase : kUpAndDown) {
      const int before = perl + rust;
      Enter(phase);
      WaitFor(
          "calls to go on", [&] { return perl + rust >= before + 40; }, kPatience);
    }
  }
  over = true;
  for (std::thread& client : clients) client.join();

  EXPECT_THAT(lost, IsEmpty()) << nginx_->ErrorLog();
  EXPECT_GT(perl, 0);
  EXPECT_GT(rust, 0);
}

TEST_F(MigrationNginxTest, ConfigurationThatNginxRefusesLeavesTheLastGoodRoutes) {
  Enter(event::v1::MIGRATION_PHASE_RUST_READ_ONLY);
  ExpectRoutesOfThePhase();
  const std::string good = Read("pvebus.map");
  const std::string config = Read("nginx.conf");
  std::ofstream(nginx_->config(), std::ios::app) << "nonsense;\n";

  const auto set = Set(event::v1::MIGRATION_PHASE_RUST_BASIC_WRITE);

  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_NE(set->result().outcome(), bus::v1::PUBLISH_OUTCOME_SUCCEEDED);
  EXPECT_THAT(Now().route_map().message(), HasSubstr("unknown directive \"nonsense\""));
  EXPECT_EQ(Read("pvebus.map"), good);
  EXPECT_EQ(nginx_->Ask("GET", "/api2/json/nodes/node1/network"), "200 rust");
  EXPECT_EQ(nginx_->Ask("POST", "/api2/json/nodes/node1/network"), "200 perl");
  std::ofstream(nginx_->config()) << config;
  WaitFor(
      "another attempt to write the map", [&] { return Now().route_map().state() == migration::v1::ROUTE_MAP_STATE_CURRENT; },
      std::chrono::seconds(60));
  ExpectRoutesOfThePhase();
}

}  // namespace
}  // namespace pvebus::testing
