#include "container-service/core/host_devices.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::container {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(HostDevicesTest, NamesAreThoseOfProxmoxVe) {
  EXPECT_EQ(HostDevicesOf(101, 0, false), (HostDevices{.veth = "veth101i0"}));
  EXPECT_EQ(HostDevicesOf(101, 3, true),
            (HostDevices{.veth = "veth101i3",
                         .firewall = FirewallDevices{.bridge = "fwbr101i3", .bridge_port = "fwln101i3", .uplink = "fwpr101p3"}}));
}

TEST(HostDevicesTest, NamesOverFifteenBytesCannotExist) {
  EXPECT_THAT(HostDevicesOf(999999999, 9, true).TooLong(), IsEmpty()) << "exactly 15";
  EXPECT_THAT(HostDevicesOf(99999999, 31, true).TooLong(), IsEmpty());
  EXPECT_THAT(HostDevicesOf(100000000, 10, false).TooLong(), ElementsAre("veth100000000i10"));
  EXPECT_THAT(HostDevicesOf(100000000, 31, true).TooLong(),
              ElementsAre("veth100000000i31", "fwbr100000000i31", "fwln100000000i31", "fwpr100000000p31"));
}

}  // namespace
}  // namespace pvebus::container
