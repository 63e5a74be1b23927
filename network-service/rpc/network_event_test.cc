#include "network-service/rpc/network_event.h"

#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"
#include "network-service/core/change_description.h"
#include "network-service/rpc/testing_records.h"

namespace pvebus::network {
namespace {

using event::v1::SystemEvent;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

constexpr char kOld[] =
    "auto eno1\niface eno1 inet manual\n"
    "auto vmbr0\niface vmbr0 inet static\n\taddress 192.0.2.1/24\n\tbridge-ports eno1\n";
constexpr char kNew[] =
    "auto vmbr0\niface vmbr0 inet static\n\taddress 192.0.2.2/24\n\tbridge-ports eno1\n"
    "auto vmbr0.5\niface vmbr0.5 inet manual\n";

std::vector<std::string> Lines(const SystemEvent& event) {
  std::vector<std::string> lines;
  for (const auto& change : event.network_applied().changes()) {
    lines.push_back(ChangeType_Name(change.change_type()) + " " + change.target());
  }
  return lines;
}

// What the bus demands of an event; what it refuses is lost.
void ExpectAccepted(const SystemEvent& event) {
  EXPECT_LT(event.ByteSizeLong(), (size_t{1} << 20) - 1024) << "leaves no room for what the bus adds";
  EXPECT_TRUE(event.has_custom() || !event.network_applied().changes().empty());
  EXPECT_LE(event.network_applied().changes_size(), 10'000);
  for (const auto& change : event.network_applied().changes()) {
    EXPECT_NE(change.change_type(), event::v1::CHANGE_TYPE_UNSPECIFIED);
    EXPECT_FALSE(change.target().empty());
    EXPECT_LE(change.target().size(), 64u);
    EXPECT_LE(change.description().size(), 1024u);
  }
  SystemEvent received;
  EXPECT_TRUE(received.ParseFromString(event.SerializeAsString())) << "something is no UTF-8";
  std::string json;
  EXPECT_TRUE(google::protobuf::util::MessageToJsonString(event, &json).ok());
}

// Changes of so many interfaces, each with an option of so many bytes.
std::vector<ConfigChange> Many(int count, size_t option_bytes) {
  std::vector<ConfigChange> changes;
  for (int i = 0; i < count; ++i) {
    Interface interface { .name = absl::StrFormat("eth%05d", i) };
    interface.options["alias"] = {std::string(option_bytes, 'x')};
    changes.push_back({.type = ChangeType::kCreate,
                       .target = interface.name,
                       .new_config = interface,
                       .description = DescribeCreated(interface)});
  }
  return changes;
}

SystemEvent EventWith(const std::vector<ConfigChange>& changes) {
  SystemEvent event = EventOf(NoticeKind::kApplied, RecordOf("id1", "", ""));
  *event.mutable_network_applied()->mutable_changes() = ToProto(changes);
  return event;
}

TEST(NetworkEventTest, AnAppliedConfigurationTellsWhatIsDeletedUpdatedAndCreated) {
  const SystemEvent event = EventOf(NoticeKind::kApplied, RecordOf("id1", kOld, kNew));

  ExpectAccepted(event);
  EXPECT_EQ(event.subject(), "network");
  EXPECT_EQ(event.ordering_key(), "network");
  ASSERT_THAT(Lines(event), ElementsAre("CHANGE_TYPE_DELETE eno1", "CHANGE_TYPE_UPDATE vmbr0", "CHANGE_TYPE_CREATE vmbr0.5"));
  const auto& changes = event.network_applied().changes();
  EXPECT_TRUE(changes[0].has_old_config());
  EXPECT_FALSE(changes[0].has_new_config());
  EXPECT_TRUE(changes[1].has_old_config());
  EXPECT_EQ(changes[1].description(), "vmbr0: address 192.0.2.1/24 -> 192.0.2.2/24");
  EXPECT_FALSE(changes[2].has_old_config());
  const auto& updated = changes[1].new_config().struct_value().fields();
  EXPECT_EQ(updated.at("name").string_value(), "vmbr0");
  EXPECT_TRUE(updated.at("enabled").bool_value());
  EXPECT_EQ(updated.at("iface_type")
                .struct_value()
                .fields()
                .at("Bridge")
                .struct_value()
                .fields()
                .at("ports")
                .list_value()
                .values(0)
                .string_value(),
            "eno1");
  EXPECT_EQ(updated.at("addresses").list_value().values(0).struct_value().fields().at("addr").string_value(), "192.0.2.2");
}

TEST(NetworkEventTest, WhatIsTakenBackIsToldTheOtherWayRound) {
  ApplyRecord record = RecordOf("id1", kOld, kNew);
  record.state = ApplyState::kReverted;

  const SystemEvent event = EventOf(NoticeKind::kReverted, record);

  ExpectAccepted(event);
  EXPECT_THAT(Lines(event), ElementsAre("CHANGE_TYPE_DELETE vmbr0.5", "CHANGE_TYPE_UPDATE vmbr0", "CHANGE_TYPE_CREATE eno1"));
  EXPECT_EQ(event.network_applied().changes(1).description(), "vmbr0: address 192.0.2.2/24 -> 192.0.2.1/24");
  EXPECT_THAT(event.attributes(), UnorderedElementsAre(Pair("apply_id", "id1"), Pair("apply_source", "undo")));
}

TEST(NetworkEventTest, AttributesSayWhichApplyItIsOfAndWhyThereIsOne) {
  for (const auto& [source, name] : {std::pair(ApplySource::kPending, "pending"), std::pair(ApplySource::kRevert, "revert"),
                                     std::pair(ApplySource::kSdn, "sdn"), std::pair(ApplySource::kFile, "file"),
                                     std::pair(ApplySource::kRestart, "restart")}) {
    ApplyRecord record = RecordOf("id1", kOld, kNew);
    record.source = source;

    EXPECT_THAT(EventOf(NoticeKind::kApplied, record).attributes(),
                UnorderedElementsAre(Pair("apply_id", "id1"), Pair("apply_source", name)));
  }
}

TEST(NetworkEventTest, AFailedApplyTellsWhyAndWhatTheReloadWrote) {
  ApplyRecord record = RecordOf("id1", kOld, kNew);
  record.state = ApplyState::kFailed;
  record.reason = "vmbr0 onto the bond \xff";
  record.failure = {"RELOAD_FAILED", "ifreload -a ended with 1: \xff"};
  record.reload = {.exit_code = 1, .output = std::string(100'000, 'x') + "\nerror: vmbr0: \xff\n"};

  const SystemEvent event = EventOf(NoticeKind::kFailed, record);

  ExpectAccepted(event);
  EXPECT_EQ(event.ordering_key(), "network");
  EXPECT_EQ(event.custom().name(), "network_apply_failed");
  EXPECT_THAT(event.attributes(), ElementsAre(Pair("apply_id", "id1")));
  const auto& data = event.custom().data();
  EXPECT_EQ(data.at("apply_id").string_value(), "id1");
  EXPECT_EQ(data.at("state").string_value(), "FAILED");
  EXPECT_EQ(data.at("reason").string_value(), "RELOAD_FAILED");
  EXPECT_EQ(data.at("message").string_value(), "ifreload -a ended with 1: ?");
  EXPECT_EQ(data.at("operator_reason").string_value(), "vmbr0 onto the bond ?");
  EXPECT_TRUE(data.at("old_configuration_restored").bool_value());
  EXPECT_EQ(data.at("reload_exit_code").number_value(), 1);
  EXPECT_THAT(data.at("reload_output").string_value(), EndsWith("x\nerror: vmbr0: ?"));
  EXPECT_LE(data.at("reload_output").string_value().size(), 1024u);
}

TEST(NetworkEventTest, AnUndoThatFailedDoesNotSayThatTheOldConfigurationIsBack) {
  ApplyRecord record = RecordOf("id1", kOld, kNew);
  record.state = ApplyState::kUndoFailed;

  const SystemEvent event = EventOf(NoticeKind::kFailed, record);

  ExpectAccepted(event);
  EXPECT_FALSE(event.custom().data().at("old_configuration_restored").bool_value());
  EXPECT_FALSE(event.custom().data().contains("reload_exit_code")) << "it was never run";
}

TEST(NetworkEventTest, ChangesBeyondTenThousandAreLeftOut) {
  const SystemEvent event = EventWith(Many(10'005, 0));

  ExpectAccepted(event);
  EXPECT_EQ(event.network_applied().changes_size(), 10'000);
  EXPECT_EQ(event.network_applied().changes(9'999).target(), "eth09999");
}

TEST(NetworkEventTest, ChangesThatAreTooLargeComeWithoutTheirConfigurations) {
  const SystemEvent event = EventWith(Many(1'000, 2'000));

  ExpectAccepted(event);
  ASSERT_EQ(event.network_applied().changes_size(), 1'000);
  for (const auto& change : event.network_applied().changes()) EXPECT_FALSE(change.has_new_config());
  EXPECT_THAT(event.network_applied().changes(0).description(), StartsWith("eth00000: new network card"));
}

TEST(NetworkEventTest, ChangesThatFitKeepTheirConfigurations) {
  const SystemEvent event = EventWith(Many(300, 2'000));

  ExpectAccepted(event);
  for (const auto& change : event.network_applied().changes()) EXPECT_TRUE(change.has_new_config());
}

TEST(NetworkEventTest, DescriptionsThatAreTooLargeEndTheList) {
  std::vector<ConfigChange> changes = Many(5'000, 2'000);
  for (ConfigChange& change : changes) change.description = std::string(5'000, 'd');

  const SystemEvent event = EventWith(changes);

  ExpectAccepted(event);
  EXPECT_GT(event.network_applied().changes_size(), 800);
  EXPECT_LT(event.network_applied().changes_size(), 900);
}

TEST(NetworkEventTest, ALongNameIsCut) {
  const SystemEvent event = EventWith({{.type = ChangeType::kCreate, .target = std::string(200, 'e')}});

  ExpectAccepted(event);
}

TEST(NetworkEventTest, AnyBytesInNamesAndOptionsBecomeAnEvent) {
  Interface interface { .name = "e\xc3" };
  interface.options = {{"\xff", {"one"}}, {"\xfe", {"two"}}, {"up", {"\xff\xc3 a\x1b[31m"}}, {"alias", {"\xf0\x9f\x98\x80"}}};

  const SystemEvent event =
      EventWith({{.type = ChangeType::kUpdate, .target = interface.name, .old_config = interface, .new_config = interface}});

  ExpectAccepted(event);
  ASSERT_THAT(Lines(event), ElementsAre("CHANGE_TYPE_UPDATE e?"));
  const auto& config = event.network_applied().changes(0).new_config();
  ASSERT_TRUE(config.has_struct_value()) << "two names that become the same are no reason to lose all";
  const auto& options = config.struct_value().fields().at("options").struct_value().fields();
  EXPECT_EQ(options.at("alias").string_value(), "\xf0\x9f\x98\x80");
  EXPECT_THAT(options.at("up").string_value(), HasSubstr(" a\x1b[31m"));
}

}  // namespace
}  // namespace pvebus::network
