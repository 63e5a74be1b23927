#include "sdk/service/listen_ports.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/health_check_service_interface.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"
#include "sdk/service/server.h"

namespace pvebus::service {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

// A server on `listen`, or why there is none.
struct Server {
  explicit Server(std::vector<std::string> listen) {
    InitServerPlugins();
    grpc::ServerBuilder builder;
    ConfigureServer(builder);
    ServiceOptions options;
    options.listen = std::move(listen);
    status = ports.AddTo(builder, options);
    if (!status.ok()) return;
    auto started = ports.BuildAndStart(builder);
    status = started.status();
    if (started.ok()) server = *std::move(started);
  }
  ~Server() {
    if (server) server->Shutdown(std::chrono::system_clock::now());
  }

  ListenPorts ports;
  absl::Status status;
  std::unique_ptr<grpc::Server> server;
};

bool Answers(const std::string& address) {
  auto channel = grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
  return channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(5));
}

class ListenPortsTest : public testing::Test {
 protected:
  ListenPortsTest() {
    char name[] = "/tmp/pvebus-listen-XXXXXX";
    directory_ = mkdtemp(name);
  }
  ~ListenPortsTest() override { std::filesystem::remove_all(directory_); }

  // A socket file whose process is gone.
  void LeaveStaleSocket(const std::string& path) {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::strncpy(name.sun_path, path.c_str(), sizeof name.sun_path - 1);
    ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
    ASSERT_EQ(listen(fd, 1), 0);
    close(fd);
    ASSERT_TRUE(std::filesystem::exists(path));
  }

  std::string directory_;
};

TEST_F(ListenPortsTest, PortZeroPicksAFreeOneAndSaysWhich) {
  Server server({"127.0.0.1:0"});
  ASSERT_TRUE(server.status.ok()) << server.status;
  testing::internal::CaptureStdout();

  server.ports.PrintListening();

  EXPECT_THAT(testing::internal::GetCapturedStdout(), MatchesRegex("listening on 127.0.0.1:[1-9][0-9]+\n"));
  EXPECT_TRUE(Answers(server.ports.Addresses().at(0)));
  EXPECT_NE(server.server->GetHealthCheckService(), nullptr);
}

TEST_F(ListenPortsTest, SeveralAddressesAreServedAtOnce) {
  Server server({"127.0.0.1:0", "unix:" + directory_ + "/a.sock"});

  ASSERT_TRUE(server.status.ok()) << server.status;
  for (const std::string& address : server.ports.Addresses()) EXPECT_TRUE(Answers(address)) << address;
}

TEST_F(ListenPortsTest, SecondServerOnAPortIsToldThatItIsInUse) {
  Server first({"127.0.0.1:0"});
  ASSERT_TRUE(first.status.ok()) << first.status;

  Server second({first.ports.Addresses().at(0)});

  EXPECT_EQ(ErrorReason(second.status), "ADDRESS_IN_USE");
  EXPECT_THAT(std::string(second.status.message()), HasSubstr(first.ports.Addresses().at(0)));
}

TEST_F(ListenPortsTest, SecondServerOnASocketLeavesTheFirstAlone) {
  const std::string address = "unix:" + directory_ + "/a.sock";
  Server first({address});
  ASSERT_TRUE(first.status.ok()) << first.status;

  Server second({address});

  EXPECT_EQ(ErrorReason(second.status), "ADDRESS_IN_USE");
  EXPECT_TRUE(Answers(address));
}

TEST_F(ListenPortsTest, StaleSocketIsReplaced) {
  LeaveStaleSocket(directory_ + "/a.sock");

  Server server({"unix:" + directory_ + "/a.sock"});

  ASSERT_TRUE(server.status.ok()) << server.status;
  EXPECT_TRUE(Answers("unix:" + directory_ + "/a.sock"));
}

TEST_F(ListenPortsTest, FileThatIsNoSocketIsNotRemoved) {
  std::ofstream(directory_ + "/precious") << "data";

  Server server({"unix:" + directory_ + "/precious"});

  EXPECT_EQ(ErrorReason(server.status), "ADDRESS_UNUSABLE");
  EXPECT_TRUE(std::filesystem::exists(directory_ + "/precious"));
}

TEST_F(ListenPortsTest, MissingDirectoryIsNamed) {
  Server server({"unix:" + directory_ + "/none/a.sock"});

  EXPECT_EQ(ErrorReason(server.status), "ADDRESS_UNUSABLE");
  EXPECT_THAT(std::string(server.status.message()), HasSubstr(directory_ + "/none"));
}

TEST_F(ListenPortsTest, AddressOfAnotherMachineIsRefusedBeforeAnythingIsBound) {
  Server server({"0.0.0.0:0"});

  EXPECT_EQ(ErrorReason(server.status), "LISTEN_ADDRESS_INSECURE");
}

}  // namespace
}  // namespace pvebus::service
