#include "sdk/events/event_json.h"

#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "pvebus/bus/v1/listener_service.pb.h"
#include "sdk/base/error.h"

namespace pvebus::events {
namespace {

using event::v1::SystemEvent;
using google::protobuf::util::MessageDifferencer;
using testing::HasSubstr;

// The exact strings of the design.
const char* const kExamples[] = {
    R"({"event":"container_started","id":101})",
    (R"({"event":"network_applied","changes":[{"change_type":"create","target":"vmbr1","old_config":null,)"
     R"("new_config":{"enabled":true,"iface_type":{"Bridge":{"ports":["eno2"],"vlan_aware":false}},"mtu":1500},"description":"bridge"}]})"),
    R"({"event":"storage_vlan_created","id":"nas"})",
    R"({"event":"migration_phase_changed","phase":"rust-sdn"})",
    R"({"event":"custom","name":"x","data":{"a":[1,-2,2.5,"s",null,true,{}],"b":9007199254740992,"c":""}})",
};

std::string ErrorOf(std::string_view json) {
  const absl::StatusOr<SystemEvent> event = EventFromJson(json);
  if (event.ok()) return "no error";
  EXPECT_EQ(event.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ErrorReason(event.status()), "EVENT_JSON_INVALID");
  return std::string(event.status().message());
}

std::string Nested(int levels) {
  std::string json = R"({"event":"network_applied","changes":[{"change_type":"create","target":"vmbr1","new_config":)";
  for (int i = 0; i < levels; ++i) json += R"({"k":)";
  json += "1";
  for (int i = 0; i < levels; ++i) json += "}";
  return json + "}]}";
}

TEST(EventJsonTest, TheExamplesOfTheDesignSurviveReadingAndPrintingUnchanged) {
  for (const char* example : kExamples) {
    const absl::StatusOr<SystemEvent> event = EventFromJson(example);

    ASSERT_TRUE(event.ok()) << example << ": " << event.status();
    EXPECT_EQ(EventToJson(*event), example);
  }
}

TEST(EventJsonTest, WhatWasPrintedIsReadAsTheSameEvent) {
  SystemEvent event;
  event::v1::ConfigChange& change = *event.mutable_network_applied()->add_changes();
  change.set_change_type(event::v1::CHANGE_TYPE_MODIFY);
  change.set_target("vmbr0");
  change.set_description("quote \" backslash \\ newline \n umlaut \xc3\xa4");
  for (double number : {0.0, 1.0, -1.0, 0.1, 1e300, -9007199254740993.0, 18446744073709549568.0, 1e-7}) {
    change.mutable_old_config()->mutable_list_value()->add_values()->set_number_value(number);
  }
  (*change.mutable_new_config()->mutable_struct_value()->mutable_fields())["nothing"].set_null_value(
      google::protobuf::NULL_VALUE);

  const absl::StatusOr<SystemEvent> again = EventFromJson(EventToJson(event));

  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(MessageDifferencer::Equals(*again, event)) << again->DebugString();
}

TEST(EventJsonTest, PhasesMayBeWrittenInSnakeCase) {
  const absl::StatusOr<SystemEvent> event = EventFromJson(R"({"event":"migration_phase_changed","phase":"rust_read_only"})");

  ASSERT_TRUE(event.ok()) << event.status();
  EXPECT_EQ(EventToJson(*event), R"({"event":"migration_phase_changed","phase":"rust-read-only"})");
}

TEST(EventJsonTest, OptionalKeysMayBeAbsent) {
  const auto network = EventFromJson(R"({"event":"network_applied","changes":[{"change_type":"delete","target":"vmbr9"}]})");
  const auto custom = EventFromJson(R"({"event":"custom","name":"ping"})");

  ASSERT_TRUE(network.ok()) << network.status();
  EXPECT_FALSE(network->network_applied().changes(0).has_old_config());
  ASSERT_TRUE(custom.ok()) << custom.status();
  EXPECT_EQ(EventToJson(*custom), R"({"event":"custom","name":"ping","data":{}})");
}

TEST(EventJsonTest, AMistypedKindIsAnsweredWithTheNearestOne) {
  EXPECT_THAT(ErrorOf(R"({"event":"container_startd","id":101})"), HasSubstr("container_started'?"));
}

TEST(EventJsonTest, UnknownKeysAreRefusedByName) {
  EXPECT_THAT(ErrorOf(R"({"event":"container_started","id":101,"host":"a"})"), HasSubstr("unknown key 'host'"));
  EXPECT_THAT(ErrorOf(R"({"event":"network_applied","changes":[{"change_type":"create","target":"x","newconfig":{}}]})"),
              testing::AllOf(HasSubstr("unknown key 'changes[0].newconfig'"), HasSubstr("'new_config'?")));
}

TEST(EventJsonTest, ErrorsNameTheFieldWhatWasFoundAndWhatIsAllowed) {
  EXPECT_EQ(ErrorOf(R"({"event":"container_started","id":"101"})"),
            "id: found the string \"101\", expected a container's id, an integer 100..999999999");
  EXPECT_THAT(ErrorOf(R"({"event":"container_started","id":101.5})"), HasSubstr("found the number 101.5"));
  EXPECT_THAT(ErrorOf(R"({"event":"container_started","id":18446744073709551615})"), HasSubstr("18446744073709551615"));
  EXPECT_THAT(ErrorOf(R"({"event":"container_started"})"), HasSubstr("id: missing"));
  EXPECT_THAT(ErrorOf(R"({"event":"network_applied","changes":[]})"), HasSubstr("at least one change"));
  EXPECT_THAT(ErrorOf(R"({"event":"network_applied","changes":{}})"), HasSubstr("found an object, expected a list"));
  EXPECT_THAT(ErrorOf(R"({"event":"network_applied","changes":[{"change_type":"creat","target":"x"}]})"),
              testing::AllOf(HasSubstr("changes[0].change_type: 'creat'"), HasSubstr("'create'?")));
  EXPECT_THAT(ErrorOf(R"({"event":"migration_phase_changed","phase":"rust-sdm"})"), HasSubstr("'rust-sdn'?"));
  EXPECT_THAT(ErrorOf(R"({"event":"custom","name":"x","data":[1]})"), HasSubstr("data: found a list, expected an object"));
  EXPECT_THAT(ErrorOf(R"({"id":101})"), HasSubstr("event: missing, expected one of network_applied, "));
  EXPECT_THAT(ErrorOf("[]"), HasSubstr("expected an object such as"));
}

TEST(EventJsonTest, WhatIsNotJsonIsRefusedWithItsPlace) {
  EXPECT_THAT(ErrorOf("{\"event\":\n  container_started}"), HasSubstr("line 2, column 3"));
  EXPECT_THAT(ErrorOf(""), HasSubstr("not JSON"));
  EXPECT_THAT(ErrorOf(R"({"event":"custom","name":"x"} trailing)"), HasSubstr("not JSON"));
  EXPECT_THAT(ErrorOf("{\"event\":\"custom\",\"name\":\"\xff\"}"), HasSubstr("UTF-8"));
}

TEST(EventJsonTest, AbsurdNestingIsRefusedNotFollowed) {
  EXPECT_THAT(ErrorOf(std::string(200'000, '[')), HasSubstr("not JSON"));
  EXPECT_THAT(ErrorOf(Nested(100'000)), HasSubstr("nested deeper"));
}

TEST(EventJsonTest, ARepeatedKeyIsRefused) {
  EXPECT_THAT(ErrorOf(R"({"event":"custom","name":"x","data":{"a":[{"k":{}},{"k":[1,{"l":1,"l":2}]}]}})"), HasSubstr("'l'"));
  EXPECT_THAT(ErrorOf(R"({"event":"container_started","id":101,"id":102})"), HasSubstr("the key 'id' is there twice"));
  EXPECT_THAT(ErrorOf(R"({"event":"custom","name":"x","data":{"a":[{"k":1},{"k":1}]}})"), "no error");
}

TEST(EventJsonTest, AnIntegerThatADoubleCannotHoldIsRefused) {
  EXPECT_THAT(ErrorOf(R"({"event":"custom","name":"x","data":{"n":{"deep":[9007199254740993]}}})"),
              HasSubstr("data.n.deep[0]: 9007199254740993 cannot be carried exactly"));
  EXPECT_THAT(ErrorOf(R"({"event":"custom","name":"x","data":{"n":12345678901234567890123}})"),
              HasSubstr("n: 12345678901234567890123 cannot be carried exactly"));
}

TEST(EventJsonTest, TheDeepestEventThatIsAcceptedCanBeReadInsideADelivery) {
  const absl::StatusOr<SystemEvent> event = EventFromJson(Nested(24));
  ASSERT_TRUE(event.ok()) << event.status();
  bus::v1::ListenResponse response;
  *response.mutable_deliveries()->add_deliveries()->mutable_event() = *event;

  EXPECT_TRUE(bus::v1::ListenResponse().ParseFromString(response.SerializeAsString()));
  EXPECT_THAT(ErrorOf(Nested(25)), HasSubstr("nested deeper than 24 levels"));
}

}  // namespace
}  // namespace pvebus::events
