#include "absl/strings/str_cat.h"
#include "cli/testing/container_fixture.h"
#include "sdk/base/error.h"
#include "sdk/status/status.h"

namespace pvebus::cli {
namespace {

using container::v1::ContainerNetwork;
using container::v1::GetContainerNetworkRequest;
using container::v1::GetContainerNetworkResponse;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kInterface[] = R"(
  interfaces { name: "net0" inside_name: "eth0" bridge: "vmbr0" hwaddr: "BC:24:11:AA:BB:CC" ip: "10.0.0.5/24" gateway: "10.0.0.1"
               ip6: "auto" tag: 7 trunks: 8 trunks: 9 firewall: true mtu: 1400 rate: 12.5 host_device: "veth101i0"
               firewall_bridge: "fwbr101i0" device { up: true carrier: true mtu: 1400 bridge: "fwbr101i0" } })";
constexpr char kMissing[] = R"(
  interfaces { name: "net1" inside_name: "eth1" vnet: "blue" link_down: true host_device: "veth101i1" })";
constexpr char kAlone[] = R"(
  interfaces { name: "net2" inside_name: "eth2" bridge: "vmbr9" host_device: "veth101i2" device { mtu: 1500 } })";

// The network of a container as its file and the kernel have it.
class ContainerNetworkCommandTest : public ContainerFixture {
 protected:
  void Answer(const std::string& network) {
    GetContainerNetworkResponse response;
    *response.mutable_network() = FromText<ContainerNetwork>(network);
    response.mutable_network()->set_container_id(101);
    service_.Answer("GetContainerNetwork", response);
  }
};

TEST_F(ContainerNetworkCommandTest, WhatTheFileSaysStandsAboveWhatTheKernelHas) {
  Answer(absl::StrCat(R"(running: true hostname: "web" nameservers: "10.0.0.53" nameservers: "fd00::53" search_domains: "lan")",
                      kInterface, kMissing, kAlone));

  const RunOutcome run = Container({"network", "101"});

  EXPECT_EQ(run.exit_code, kAllSucceeded) << run.err;
  EXPECT_EQ(run.err, "");
  EXPECT_EQ(run.out,
            "container        101\n"
            "running          yes\n"
            "hostname         web\n"
            "nameservers      10.0.0.53, fd00::53\n"
            "search domains   lan\n"
            "\n"
            "INTERFACE  INSIDE  ON THE HOST  BRIDGE     MAC                IPV4                      IPV6  VLAN          MTU   "
            "RATE       FIREWALL  LINK\n"
            "net0       eth0    veth101i0    vmbr0      BC:24:11:AA:BB:CC  10.0.0.5/24 via 10.0.0.1  auto  7, trunk 8;9  1400  "
            "12.5 MB/s  yes\n"
            "net1       eth1    veth101i1    vnet blue                                                                         "
            "                     down\n"
            "net2       eth2    veth101i2    vmbr9\n"
            "\n"
            "what the kernel has\n"
            "INTERFACE  DEVICE     STATE    CARRIER  MTU   BRIDGE\n"
            "net0       veth101i0  up       yes      1400  fwbr101i0\n"
            "net1       veth101i1  missing\n"
            "net2       veth101i2  down     no       1500  none\n"
            "\n"
            "no findings\n");
  EXPECT_EQ(service_.Asked<GetContainerNetworkRequest>("GetContainerNetwork").at(0).container_id(), 101u);
}

TEST_F(ContainerNetworkCommandTest, OfAContainerThatDoesNotRunNothingIsMissing) {
  Answer(kMissing);

  const RunOutcome run = Container({"network", "101"});

  EXPECT_THAT(run.out, AllOf(HasSubstr("running          no\n"), HasSubstr("vnet blue"), Not(HasSubstr("kernel"))));
}

TEST_F(ContainerNetworkCommandTest, AContainerWithoutInterfacesSaysSo) {
  Answer("");
  EXPECT_THAT(Container({"network", "101"}).out, HasSubstr("no interfaces\n"));
}

TEST_F(ContainerNetworkCommandTest, AFindingThatIsNoWarningIsAFailure) {
  Answer(R"(findings { interface: "net0" message: "there is no bridge 'vmbr9'" }
            findings { interface: "net1" message: "its MTU is above that of vmbr0" warning: true }
            file_findings { line: 4 key: "net2" message: "the interface is left out" }
            file_findings { message: "of the whole" })");

  const RunOutcome table = Container({"network", "101"});
  const RunOutcome json = Container({"network", "101", "--output", "json"});

  EXPECT_EQ(table.exit_code, kListenerFailed);
  EXPECT_THAT(table.out, HasSubstr("\nfindings\n"
                                   "net0: error: there is no bridge 'vmbr9'\n"
                                   "net1: warning: its MTU is above that of vmbr0\n"
                                   "101.conf:4: warning: net2: the interface is left out\n"
                                   "101.conf: warning: of the whole\n"));
  EXPECT_EQ(json.exit_code, kListenerFailed);
  EXPECT_EQ(FromJson<GetContainerNetworkResponse>(json.out).network().findings_size(), 2);
}

TEST_F(ContainerNetworkCommandTest, WarningsAloneAreNoFailure) {
  Answer(R"(findings { interface: "net1" message: "m" warning: true } file_findings { line: 4 key: "net2" message: "m" })");

  EXPECT_EQ(Container({"network", "101"}).exit_code, kAllSucceeded);
}

TEST_F(ContainerNetworkCommandTest, AContainerThatIsNotHereComesWithWhatToDo) {
  service_.Answer(
      "GetContainerNetwork", {},
      ToGrpcStatus(MakeError(absl::StatusCode::kNotFound, "CONTAINER_NOT_FOUND", "there is no file of container 101")));

  const RunOutcome run = Container({"network", "101"});

  EXPECT_EQ(run.exit_code, kRefused);
  EXPECT_EQ(run.out, "");
  EXPECT_THAT(run.err, AllOf(HasSubstr("NOT_FOUND CONTAINER_NOT_FOUND: there is no file of container 101"),
                             HasSubstr("next: `pct list`")));
}

TEST_F(ContainerNetworkCommandTest, WhatAFileSaysIsHarmlessOnATerminal) {
  Answer(R"(hostname: "\033[2J" interfaces { name: "net0" inside_name: "\033[31m" device { bridge: "\033[1m" } }
            findings { interface: "\033[1m" message: "\033[2J" } file_findings { key: "\033[1m" message: "\033[2J" })");

  EXPECT_THAT(Container({"network", "101"}).out, Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace pvebus::cli
