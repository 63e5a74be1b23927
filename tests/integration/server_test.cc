// The bus as a server: what every gRPC tool and every operator expects of one.
#include <unistd.h>

#include <filesystem>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/bus_process.h"
#include "tests/support/messages.h"
#include "tests/support/raw_listener.h"

namespace pvebus::testing {
namespace {

using absl::StatusCode;
using ::testing::HasSubstr;

constexpr char kServing[] = "\x08\x01";
constexpr char kNotServing[] = "\x08\x02";

// grpc.health.v1.HealthCheckRequest{service} as bytes.
std::string HealthRequest(const std::string& service) {
  if (service.empty()) return "";
  return std::string("\x0a") + static_cast<char>(service.size()) + service;
}

absl::StatusOr<std::string> CheckHealth(BusProcess& bus, const std::string& service) {
  return CallBytes(*bus.channel(), "/grpc.health.v1.Health/Check", HealthRequest(service));
}

TEST(ServerTest, HealthIsAnsweredForTheServerAndEachService) {
  BusProcess bus;

  for (const std::string service :
       {"", "pvebus.bus.v1.BusService", "pvebus.bus.v1.ListenerService", "pvebus.bus.v1.RegistryService"}) {
    const auto answer = CheckHealth(bus, service);
    ASSERT_TRUE(answer.ok()) << service << ": " << answer.status();
    EXPECT_EQ(*answer, kServing) << service;
  }
  EXPECT_EQ(CheckHealth(bus, "no.such.Service").status().code(), StatusCode::kNotFound);
}

TEST(ServerTest, ReadinessWaitsForRequiredListeners) {
  BusProcess bus({"--require-listeners", "storage-hooks,migration-hooks"});
  EXPECT_EQ(*CheckHealth(bus, ""), kNotServing);
  RawListener storage(bus.address(), RegistrationOf("storage-hooks"));
  storage.WaitRegistered();
  EXPECT_EQ(*CheckHealth(bus, ""), kNotServing);

  RawListener migration(bus.address(), RegistrationOf("migration-hooks"));
  migration.WaitRegistered();

  WaitFor("the bus to be ready", [&] { return *CheckHealth(bus, "") == kServing; });
  bus.ExpectAlive();
}

TEST(ServerTest, ReflectionListsTheServices) {
  BusProcess bus;
  const std::string list_services = "\x3a\x01*";

  const auto answer = CallBytes(*bus.channel(), "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", list_services);

  ASSERT_TRUE(answer.ok()) << answer.status();
  for (const char* service : {"pvebus.bus.v1.BusService", "pvebus.bus.v1.ListenerService", "pvebus.bus.v1.RegistryService",
                              "pvebus.bus.v1.JournalService", "grpc.health.v1.Health"}) {
    EXPECT_THAT(*answer, HasSubstr(service));
  }
}

TEST(ServerTest, ReflectionKnowsTheContract) {
  BusProcess bus;
  const std::string symbol = "pvebus.bus.v1.PublishRequest";

  const auto answer = CallBytes(*bus.channel(), "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                                std::string("\x22") + static_cast<char>(symbol.size()) + symbol);

  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_THAT(*answer, HasSubstr("expected_last_sequence"));
}

TEST(ServerTest, ChannelzShowsTheServer) {
  BusProcess bus;

  const auto answer = CallBytes(*bus.channel(), "/grpc.channelz.v1.Channelz/GetServers", "");

  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_FALSE(answer->empty());
}

TEST(ServerTest, AnUnknownMethodIsUnimplemented) {
  BusProcess bus;

  EXPECT_EQ(CallBytes(*bus.channel(), "/pvebus.bus.v1.BusService/Explode", "").status().code(), StatusCode::kUnimplemented);
}

TEST(ServerTest, AUnixSocketServesBesideTheLoopbackPort) {
  const auto socket = std::filesystem::path(::testing::TempDir()) / ("pvebus-" + std::to_string(getpid()) + ".sock");
  {
    BusProcess bus({"--listen", "unix:" + socket.string()});
    RawListener listener("unix:" + socket.string(), RegistrationOf("over-unix"));
    listener.WaitRegistered();

    auto publishing = bus.PublishLater(RequestOf(CustomEvent("x")));
    listener.Ack(listener.NextDelivery().delivery_id());

    EXPECT_EQ(publishing.get()->result().outcome(), bus::v1::PUBLISH_OUTCOME_SUCCEEDED);
  }
  // The bus was killed and left its socket: the next one takes its place.
  BusProcess next({"--listen", "unix:" + socket.string()});
  next.ExpectAlive();
  std::filesystem::remove(socket);
}

struct Refused {
  std::vector<std::string> flags;
  std::string says;
};

class RefusedTest : public ::testing::TestWithParam<Refused> {};

TEST_P(RefusedTest, EndsWithTwoAndSaysWhatIsMeant) {
  std::vector<std::string> line = {ProgramPath("bus-service")};
  line.insert(line.end(), GetParam().flags.begin(), GetParam().flags.end());
  Process process(line);

  EXPECT_EQ(process.WaitExit(kSoon), 2);
  EXPECT_FALSE(process.WaitForLine("listening on", kSoon).ok());
  EXPECT_THAT(process.StandardError(), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(CommandLine, RefusedTest,
                         ::testing::Values(Refused{{"--jurnal=memory"}, "--journal"},
                                           Refused{{"--lisen", "127.0.0.1:0"}, "--listen"},
                                           Refused{{"--journal=papyrus"}, "memory"},
                                           Refused{{"--listen", "0.0.0.0:0"}, "--insecure"},
                                           Refused{{"--listen", "[::]:0"}, "--insecure"},
                                           Refused{{"--listen", "127.0.0.1:0", "--require-listeners", "No Name"}, "No Name"},
                                           Refused{{"--drain-grace", "-1"}, "--drain-grace"}));

TEST(ServerTest, VersionAndHelpAreSuccess) {
  for (const std::string flag : {"--version", "--help"}) {
    Process process({ProgramPath("bus-service"), flag});
    EXPECT_EQ(process.WaitExit(kSoon), 0) << flag;
  }
}

TEST(ServerTest, ATakenPortIsSaid) {
  BusProcess bus;
  Process second({ProgramPath("bus-service"), "--journal=memory", "--listen", bus.address()});

  EXPECT_EQ(second.WaitExit(kSoon), 1);
  EXPECT_FALSE(second.WaitForLine("listening on", kSoon).ok());
  EXPECT_THAT(second.StandardError(), HasSubstr(bus.address()));
}

}  // namespace
}  // namespace pvebus::testing
