#include "storage-service/host/probe/measured_storages.h"

#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage-service/host/probe/testing_servers.h"

namespace pvebus::storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A VLAN on a bridge; all destinations are routed over it, but for those that the test takes away.
class FakeNetwork final : public KernelNetwork {
 public:
  absl::Status read;
  bool routed = true;

  absl::StatusOr<NetworkSnapshot> Read() override {
    if (!read.ok()) return read;
    Link bridge{.index = 1, .name = "vmbr0", .kind = "bridge", .up = true, .running = true};
    Link vlan{.index = 2, .name = "vmbr0.100", .kind = "vlan", .lower_index = 1, .tag = 100, .up = true, .running = true};
    return NetworkSnapshot{.links = {bridge, vlan}};
  }
  absl::StatusOr<std::optional<FoundRoute>> Lookup(const IpAddress&) override {
    if (!routed) return std::nullopt;
    return FoundRoute{.link_index = 2, .gateway = ParseIpAddress("10.0.0.254")};
  }
  absl::Status CreateVlan(const std::string&, const std::string&, uint16_t) override { return None(); }
  absl::Status DeleteLink(const std::string&) override { return None(); }
  absl::Status SetMtu(const std::string&, uint32_t) override { return None(); }
  absl::Status SetUp(const std::string&, bool) override { return None(); }
  absl::Status AddAddress(const std::string&, const IpPrefix&) override { return None(); }
  absl::Status RemoveAddress(const std::string&, const IpPrefix&) override { return None(); }
  absl::Status AddRoute(const std::string&, const IpPrefix&, const IpAddress&) override { return None(); }
  absl::Status RemoveRoute(const std::string&, const IpPrefix&, const IpAddress&) override { return None(); }
  absl::Status AddBridgeVid(const std::string&, uint16_t) override { return None(); }
  absl::Status RemoveBridgeVid(const std::string&, uint16_t) override { return None(); }

 private:
  static absl::Status None() { return absl::UnimplementedError("a probe changes nothing"); }
};

class MeasuredStoragesTest : public testing::Test {
 protected:
  MeasuredStoragesTest() {
    std::filesystem::create_directories(sys() + "/class/iscsi_session/session1");
    std::ofstream(sys() + "/class/iscsi_session/session1/targetname") << "iqn.2026-01.a:one\n";
    std::ofstream(mount_info()) << "9 8 0:5 / /mnt/pve/win rw - cifs //127.0.0.1/backup rw\n"
                                << "9 8 0:6 / /data rw - ext4 /dev/sdb1 rw\n";
    server_.Listen();
    hung_.Hang();
  }
  ~MeasuredStoragesTest() override { std::filesystem::remove_all(directory_); }

  std::string sys() const { return directory_ + "/sys"; }
  std::string mount_info() const { return directory_ + "/mountinfo"; }

  std::vector<Measurement> Measure(const std::vector<Storage>& storages) {
    const TcpProber prober({.limit = kLimit}, clock_);
    return MeasuredStorages(prober, network_, {mount_info(), sys()}, clock_).Measure(storages, {});
  }
  Measurement MeasureOne(const Storage& storage) { return Measure({storage}).at(0); }

  Storage Cifs() const {
    return {.storage_id = "win",
            .type = "cifs",
            .network = true,
            .endpoints = {{"127.0.0.1", server_.port()}},
            .properties = {{"server", "127.0.0.1"}, {"share", "backup"}, {"path", "/mnt/pve/win"}}};
  }
  Storage Iscsi(const std::string& target) const {
    return {.type = "iscsi", .network = true, .endpoints = {{"127.0.0.1", server_.port()}}, .properties = {{"target", target}}};
  }
  static Storage Pbs(uint16_t port) { return {.type = "pbs", .network = true, .endpoints = {{"127.0.0.1", port}}}; }

  static constexpr std::chrono::milliseconds kLimit{500};
  const std::string directory_ = testing::TempDir() + "measured_storages_" + std::to_string(getpid());
  RealClock clock_;
  FakeNetwork network_;
  TcpPort server_;
  TcpPort hung_;
};

TEST_F(MeasuredStoragesTest, ServerWayAndMountAreMeasured) {
  const Measurement measured = MeasureOne(Cifs());

  ASSERT_EQ(measured.endpoints.size(), 1U);
  const EndpointStatus& endpoint = measured.endpoints[0];
  EXPECT_EQ(endpoint.reachability, Reachability::kReachable);
  EXPECT_EQ(endpoint.interface, "vmbr0.100");
  EXPECT_THAT(endpoint.chain, ElementsAre("vmbr0.100", "vmbr0"));
  EXPECT_EQ(endpoint.tag, 100);
  EXPECT_EQ(endpoint.gateway, ParseIpAddress("10.0.0.254"));
  EXPECT_TRUE(endpoint.link_up);
  EXPECT_EQ(measured.mounted, true);
  EXPECT_EQ(measured.mount_point, "/mnt/pve/win");
  EXPECT_EQ(measured.logged_in, std::nullopt);
  EXPECT_GT(measured.duration, Duration::zero());
  EXPECT_EQ(measured.error, "");
}

TEST_F(MeasuredStoragesTest, IscsiSessionIsThatOfItsTarget) {
  const auto measured = Measure({Iscsi("iqn.2026-01.a:one"), Iscsi("iqn.2026-01.a:two")});

  EXPECT_EQ(measured[0].logged_in, true);
  EXPECT_EQ(measured[1].logged_in, false);
  EXPECT_EQ(measured[0].mounted, std::nullopt);
}

TEST_F(MeasuredStoragesTest, LocalStoragesHaveNoEndpoints) {
  const auto measured = Measure({{.type = "dir", .properties = {{"path", "/data"}, {"is_mountpoint", "1"}}},
                                 {.type = "dir", .properties = {{"path", "/data"}}}});

  EXPECT_THAT(measured[0].endpoints, IsEmpty());
  EXPECT_EQ(measured[0].mounted, true);
  EXPECT_EQ(measured[1].mounted, std::nullopt);
}

TEST_F(MeasuredStoragesTest, NfsServerMustAnswerAndOthersNeedNot) {
  Storage nfs = Cifs();
  nfs.type = "nfs";

  const auto measured = Measure({nfs, Pbs(server_.port())});

  EXPECT_EQ(measured[0].endpoints[0].message, "accepts connections but does not answer within 0.5 s");
  EXPECT_EQ(measured[1].endpoints[0].reachability, Reachability::kReachable);
}

TEST_F(MeasuredStoragesTest, WithoutARouteOrTheKernelTheWayIsNotKnownAndSaysWhy) {
  network_.routed = false;
  EXPECT_EQ(MeasureOne(Cifs()).endpoints[0].interface, "");
  EXPECT_EQ(MeasureOne(Cifs()).endpoints[0].link_message, "there is no route to 127.0.0.1");
  network_.read = absl::UnavailableError("netlink is away");
  EXPECT_EQ(MeasureOne(Cifs()).endpoints[0].link_message, "the links are not known: netlink is away");
}

TEST_F(MeasuredStoragesTest, UnreadableMountsAreAnError) {
  std::filesystem::remove(mount_info());

  EXPECT_EQ(MeasureOne(Cifs()).error, "whether it is mounted is not known: " + mount_info() + " cannot be read");
}

TEST_F(MeasuredStoragesTest, FiftyStoragesOfWhichSomeHangEndWithinTheLimitAndASecond) {
  const TcpPort closed;
  std::vector<Storage> storages;
  storages.reserve(50);
  for (int i = 0; i < 50; ++i) storages.push_back(Pbs(i % 5 == 0 ? hung_.port() : i % 5 == 1 ? closed.port() : server_.port()));
  const SteadyTime begun = clock_.SteadyNow();

  const auto measured = Measure(storages);

  const Duration took = clock_.SteadyNow() - begun;
  EXPECT_GE(took, kLimit);
  EXPECT_LT(took, kLimit + std::chrono::seconds(1));
  ASSERT_EQ(measured.size(), 50U);
  for (size_t i = 0; i < 50; ++i) {
    const auto expected = i % 5 == 0 ? Reachability::kTimedOut : i % 5 == 1 ? Reachability::kRefused : Reachability::kReachable;
    EXPECT_EQ(measured[i].endpoints[0].reachability, expected) << i;
  }
}

}  // namespace
}  // namespace pvebus::storage
