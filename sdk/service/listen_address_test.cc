#include "sdk/service/listen_address.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"

namespace pvebus::service {
namespace {

using ::testing::HasSubstr;

absl::Status Check(const std::string& address, bool insecure = false) {
  ServiceOptions options;
  options.listen = {address};
  options.insecure = insecure;
  return CheckListenAddresses(options);
}

TEST(ListenAddressTest, AddressesOfThisMachineAreAccepted) {
  for (const char* address : {"127.0.0.1:7400", "127.9.8.7:0", "[::1]:7400", "localhost:7400", "LOCALHOST:1", "unix:/run/x.sock",
                              "unix:///run/x.sock", "unix:x.sock"}) {
    EXPECT_TRUE(Check(address).ok()) << address << ": " << Check(address);
  }
}

TEST(ListenAddressTest, AddressesBeyondThisMachineNeedInsecure) {
  for (const char* address :
       {"0.0.0.0:7400", "[::]:7400", "192.168.1.2:7400", "node1:7400", "128.0.0.1:1", "[::ffff:10.0.0.1]:1"}) {
    const absl::Status status = Check(address);

    EXPECT_EQ(ErrorReason(status), "LISTEN_ADDRESS_INSECURE") << address;
    EXPECT_THAT(std::string(status.message()), HasSubstr(address));
    EXPECT_THAT(std::string(status.message()), HasSubstr("--insecure"));
    EXPECT_TRUE(Check(address, /*insecure=*/true).ok());
  }
}

TEST(ListenAddressTest, WhatIsNoAddressIsRefusedEvenWhenInsecure) {
  for (const char* address :
       {"", "7400", ":7400", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:80x", "::1:7400",
        "[localhost]:1", "[::1]", "/run/x.sock", "unix:", "unix:/", "unix:///", "http://localhost:80"}) {
    EXPECT_EQ(ErrorReason(Check(address, /*insecure=*/true)), "LISTEN_ADDRESS_INVALID") << address;
  }
}

TEST(ListenAddressTest, SocketPathLongerThanTheKernelTakesIsRefused) {
  EXPECT_TRUE(Check("unix:/" + std::string(106, 'x')).ok());
  EXPECT_THAT(std::string(Check("unix:/" + std::string(107, 'x')).message()), HasSubstr("107 bytes"));
}

TEST(ListenAddressTest, AddressGivenTwiceIsRefusedUnlessThePortIsPicked) {
  ServiceOptions options;
  options.listen = {"unix:/a/b", "127.0.0.1:0", "127.0.0.1:0"};
  EXPECT_TRUE(CheckListenAddresses(options).ok());

  options.listen.push_back("unix:///a/b");
  EXPECT_THAT(std::string(CheckListenAddresses(options).message()), HasSubstr("twice"));
}

TEST(ListenAddressTest, NoAddressAtAllIsRefused) { EXPECT_EQ(ErrorReason(CheckListenAddresses({})), "LISTEN_ADDRESS_INVALID"); }

TEST(ListenAddressTest, PickedPortIsFilledIn) {
  EXPECT_EQ(ParseListenAddress("127.0.0.1:0")->WithPort(41), "127.0.0.1:41");
  EXPECT_EQ(ParseListenAddress("[::1]:0")->WithPort(41), "[::1]:41");
  EXPECT_EQ(ParseListenAddress("[::1]:9")->WithPort(41), "[::1]:9");
  EXPECT_EQ(ParseListenAddress("unix:///a/b")->WithPort(41), "unix:/a/b");
}

}  // namespace
}  // namespace pvebus::service
