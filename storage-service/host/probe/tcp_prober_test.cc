#include "storage-service/host/probe/tcp_prober.h"

#include <sys/resource.h>

#include "gtest/gtest.h"
#include "storage-service/host/probe/nfs_greeting.h"
#include "storage-service/host/probe/testing_servers.h"

// c-ares 1.18 forgets the name "localhost" that it has found in the hosts file, whatever is freed.
extern "C" const char* __lsan_default_suppressions() { return "leak:libcares"; }

namespace pvebus::storage {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLimit{300};
// Beyond the limit, on a machine that is busy.
constexpr milliseconds kSlack{1000};

class TcpProberTest : public testing::Test {
 protected:
  ProbeResult Probe(const std::string& host, std::optional<uint16_t> port, Greeting greeting = {}) {
    return ProbeAll({{{host, port}, std::move(greeting)}})[0];
  }
  std::vector<ProbeResult> ProbeAll(const std::vector<ProbeTarget>& targets) {
    const SteadyTime begun = clock_.SteadyNow();
    auto results = TcpProber(options_, clock_).Probe(targets, stop_.get_token());
    took_ = clock_.SteadyNow() - begun;
    return results;
  }

  RealClock clock_;
  TcpProber::Options options_{.limit = kLimit};
  std::stop_source stop_;
  Duration took_{};
};

TEST_F(TcpProberTest, ServerThatListensIsReachableAtOnce) {
  TcpPort port;
  port.Listen();
  options_.limit = std::chrono::seconds(60);

  const ProbeResult result = Probe("127.0.0.1", port.port());

  EXPECT_EQ(result.reachability, Reachability::kReachable) << result.message;
  EXPECT_EQ(result.address, "127.0.0.1");
  EXPECT_EQ(result.port, port.port());
  EXPECT_GT(result.latency, Duration::zero());
  EXPECT_LT(took_, std::chrono::seconds(10));
}

TEST_F(TcpProberTest, Ipv6IsTried) {
  const ProbeResult result = Probe("::1", TcpPort().port());

  EXPECT_EQ(result.address, "::1");
  EXPECT_NE(result.reachability, Reachability::kReachable);
}

TEST_F(TcpProberTest, ClosedPortRefuses) {
  const TcpPort port;

  const ProbeResult result = Probe("127.0.0.1", port.port());

  EXPECT_EQ(result.reachability, Reachability::kRefused);
  EXPECT_EQ(result.message, "refused the connection");
}

TEST_F(TcpProberTest, ServerThatHangsTimesOutAtTheLimit) {
  TcpPort port;
  port.Hang();

  const ProbeResult result = Probe("127.0.0.1", port.port());

  EXPECT_EQ(result.reachability, Reachability::kTimedOut);
  EXPECT_EQ(result.message, "timed out after 0.3 s");
  EXPECT_GE(took_, kLimit);
  EXPECT_LT(took_, kLimit + kSlack);
}

TEST_F(TcpProberTest, AddressWithoutARouteIsUnreachable) {
  const ProbeResult result = Probe("255.255.255.255", 2049);

  EXPECT_EQ(result.reachability, Reachability::kUnreachable);
  EXPECT_TRUE(result.message.starts_with("cannot be reached: ")) << result.message;
}

TEST_F(TcpProberTest, NfsServerThatRepliesIsReachable) {
  const Greeting greeting = NfsGreeting({});
  AnsweringServer server(std::string("\x80\0\0\x18", 4) + greeting.answer + std::string(16, '\0'));

  EXPECT_EQ(greeting.bytes.size(), 44U);
  EXPECT_EQ(Probe("127.0.0.1", server.port(), greeting).reachability, Reachability::kReachable);
}

TEST_F(TcpProberTest, NfsVersionIsThatOfTheMountOptions) {
  constexpr size_t kVersionAt = 4 + 4 * 4 + 3;
  EXPECT_EQ(NfsGreeting({}).bytes[kVersionAt], 3);
  EXPECT_EQ(NfsGreeting({.properties = {{"options", "soft,nfsvers=4.2"}}}).bytes[kVersionAt], 4);
}

TEST_F(TcpProberTest, ServerThatAcceptsAndSaysNothingTimesOut) {
  TcpPort port;
  port.Listen();

  const ProbeResult result = Probe("127.0.0.1", port.port(), NfsGreeting({}));

  EXPECT_EQ(result.reachability, Reachability::kTimedOut);
  EXPECT_EQ(result.message, "accepts connections but does not answer within 0.3 s");
}

TEST_F(TcpProberTest, ServerThatAnswersOtherwiseIsNoNfsServer) {
  AnsweringServer http("HTTP/1.1 400 Bad Request\r\n\r\n");
  EXPECT_EQ(Probe("127.0.0.1", http.port(), NfsGreeting({})).message, "answers as a server of another kind");
  AnsweringServer closing("");
  EXPECT_EQ(Probe("127.0.0.1", closing.port(), NfsGreeting({})).message, "closes the connection without an answer");
}

TEST_F(TcpProberTest, NamesOfDnsAreResolved) {
  DnsServer dns;
  options_.dns_servers = dns.servers();
  options_.limit = std::chrono::seconds(20);
  TcpPort port;
  port.Listen();

  const auto results = ProbeAll({{{"nas.test", port.port()}}, {{"gone.test", port.port()}}});

  EXPECT_EQ(results[0].reachability, Reachability::kReachable) << results[0].message;
  EXPECT_EQ(results[0].address, "127.0.0.1");
  EXPECT_EQ(results[1].reachability, Reachability::kUnresolved);
  EXPECT_EQ(results[1].message, "is not resolved: Domain name not found");
  EXPECT_EQ(results[1].address, "");
  EXPECT_LT(took_, std::chrono::seconds(10));
}

TEST_F(TcpProberTest, DnsThatDoesNotAnswerTakesNoLongerThanTheLimit) {
  DnsServer dns;
  options_.dns_servers = dns.servers();

  const ProbeResult result = Probe("silent.test", 2049);

  EXPECT_EQ(result.reachability, Reachability::kUnresolved);
  EXPECT_EQ(result.message, "is not resolved: DNS did not answer within 0.3 s");
  EXPECT_LT(took_, kLimit + kSlack);
}

TEST_F(TcpProberTest, LostQuestionIsAskedAgain) {
  DnsServer dns;
  options_.dns_servers = dns.servers();
  options_.limit = std::chrono::seconds(20);
  TcpPort port;
  port.Listen();

  EXPECT_EQ(Probe("late.test", port.port()).reachability, Reachability::kReachable);
  EXPECT_LT(took_, std::chrono::seconds(10));
}

TEST_F(TcpProberTest, OneKindOfAddressDoesNotWaitForTheOther) {
  DnsServer dns;
  options_.dns_servers = dns.servers();
  options_.limit = std::chrono::seconds(20);
  TcpPort port;
  port.Listen();

  EXPECT_EQ(Probe("half.test", port.port()).reachability, Reachability::kReachable);
  EXPECT_LT(took_, std::chrono::seconds(10));
}

TEST_F(TcpProberTest, HostsFileIsHonouredAndTheBestAddressCounts) {
  DnsServer dns;
  options_.dns_servers = dns.servers();
  TcpPort port;
  port.Listen();

  // ::1 refuses, where there is one.
  const ProbeResult result = Probe("localhost", port.port());

  EXPECT_EQ(result.reachability, Reachability::kReachable) << result.message;
  EXPECT_EQ(result.address, "127.0.0.1");
}

TEST_F(TcpProberTest, MonitorWithoutPortIsTriedAtBoth) {
  const ProbeResult result = Probe("127.0.0.1", std::nullopt);

  EXPECT_TRUE(result.port == 3300 || result.port == 6789) << result.port;
}

TEST_F(TcpProberTest, StopWakesIt) {
  TcpPort port;
  port.Hang();
  options_.limit = std::chrono::seconds(60);
  std::jthread stopper([&] { stop_.request_stop(); });

  const ProbeResult result = Probe("127.0.0.1", port.port());

  EXPECT_EQ(result.reachability, Reachability::kUnknown);
  EXPECT_LT(took_, std::chrono::seconds(10));
}

TEST_F(TcpProberTest, MoreTargetsThanSocketsAreAllTried) {
  TcpPort port;
  port.Listen();
  options_.most_sockets = 2;
  options_.limit = std::chrono::seconds(20);

  for (const ProbeResult& result : ProbeAll(std::vector<ProbeTarget>(50, {{"127.0.0.1", port.port()}, {}}))) {
    EXPECT_EQ(result.reachability, Reachability::kReachable) << result.message;
  }
}

TEST_F(TcpProberTest, WhatNeverGotASocketIsUnknown) {
  TcpPort port;
  port.Hang();
  options_.most_sockets = 1;

  const auto results = ProbeAll(std::vector<ProbeTarget>(2, {{"127.0.0.1", port.port()}, {}}));

  EXPECT_EQ(results[0].reachability, Reachability::kTimedOut);
  EXPECT_EQ(results[1].reachability, Reachability::kUnknown);
  EXPECT_EQ(results[1].message, "was not tried within 0.3 s: 1 others did not end");
}

// Without the fixture: UBSan looks at an object of a kind that it has not seen yet through a pipe, for which there is no
// descriptor.
TEST(TcpProberWithoutFileDescriptorsTest, NothingIsKnownOfTheServer) {
  const RealClock real_clock;
  const Clock& clock = real_clock;
  ASSERT_LT(SteadyTime(), clock.SteadyNow());
  const std::vector<ProbeTarget> targets{{{"127.0.0.1", 2049}, {}}};
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);

  const ProbeResult result = TcpProber({.limit = kLimit}, clock).Probe(targets, {})[0];

  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(result.reachability, Reachability::kUnknown);
  EXPECT_EQ(result.message, "could not be tried: Too many open files");
}

}  // namespace
}  // namespace pvebus::storage
