#include "cli/listener_output.h"

#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sdk/client/proto_time.h"

namespace pvebus::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr SystemTime kNow{std::chrono::seconds(1'795'435'200)};

bus::v1::Listener Lagging() {
  bus::v1::Listener listener;
  listener.set_name("audit");
  listener.set_state(bus::v1::LISTENER_STATE_CONNECTED);
  listener.set_backlog(120);
  listener.set_in_flight(5);
  listener.set_max_in_flight(64);
  listener.set_dead_letters(2);
  *listener.mutable_oldest_unacked_time() = client::ToProto(kNow - std::chrono::minutes(125));
  return listener;
}

TEST(ListenerOutputTest, WhoIsBehindIsSeenInItsRow) {
  bus::v1::Listener idle;
  idle.set_name("idle");
  std::ostringstream out;

  PrintListeners({Lagging(), idle}, kNow, out);

  EXPECT_THAT(out.str(), AllOf(HasSubstr("BACKLOG  OLDEST  IN FLIGHT  RETRYING  DEAD LETTERS"),
                               HasSubstr("120      2h5m    5/64       -         2"), HasSubstr("0        -       0/0")));
}

TEST(ListenerOutputTest, WhatBefellAListenerIsListed) {
  bus::v1::Listener listener = Lagging();
  bus::v1::ListenerIncident& truncated = *listener.add_incidents();
  truncated.set_kind("BACKLOG_TRUNCATED");
  truncated.set_message("retention gave up 11 events");
  truncated.set_first_sequence(10);
  truncated.set_last_sequence(20);
  listener.add_incidents()->set_kind("SEEK");
  std::ostringstream out;

  PrintListener(listener, kNow, out);

  EXPECT_THAT(out.str(), AllOf(HasSubstr("oldest unsettled 2h5m (20"), HasSubstr("incidents\n"), HasSubstr("#10..#20"),
                               HasSubstr("retention gave up 11 events"), HasSubstr("SEEK"),
                               HasSubstr("2: pvebus dead-letters list --filter 'listener = \"audit\"'")));
}

TEST(ListenerOutputTest, AListenerThatIsWellHasNeitherIncidentsNorAnOldestEvent) {
  bus::v1::Listener listener;
  listener.set_name("idle");
  std::ostringstream out;

  PrintListener(listener, kNow, out);

  EXPECT_THAT(out.str(), AllOf(HasSubstr("dead letters     0\n"), Not(HasSubstr("incidents")), Not(HasSubstr("oldest"))));
}

}  // namespace
}  // namespace pvebus::cli
