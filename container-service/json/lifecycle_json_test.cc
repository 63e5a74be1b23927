#include "container-service/json/lifecycle_json.h"

#include <nlohmann/json.hpp>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::container {
namespace {

TEST(LifecycleJsonTest, AStartIsTheOriginalsEventWithTheContainersNetwork) {
  const ContainerConfig config = ParseContainerConfig("net0: name=eth0,bridge=vmbr0,ip=dhcp\nhostname: web\n", 101, {});

  const auto json = nlohmann::json::parse(
      LifecycleJson({.kind = LifecycleKind::kStarted, .container_id = 101}, "e1", "2026-11-28T08:00:00Z", &config));

  EXPECT_EQ(json.at("id"), "e1");
  EXPECT_EQ(json.at("timestamp"), "2026-11-28T08:00:00Z");
  EXPECT_EQ(json.at("container_id"), 101);
  EXPECT_EQ(json.at("event_type"), "ContainerStarted");
  EXPECT_EQ(json.at("data").at("network").at("hostname"), "web");
  EXPECT_EQ(json.at("data").at("network").at("interfaces").at("net0").at("bridge"), "vmbr0");
  EXPECT_FALSE(json.at("data").contains("interface"));
}

TEST(LifecycleJsonTest, AnInterfaceIsNamedWithWhereItWasAndIs) {
  const auto json = nlohmann::json::parse(LifecycleJson({LifecycleKind::kInterfaceAdded, 101, "net1", "veth101i1", "", "vmbr1"},
                                                        "e1", "2026-11-28T08:00:00Z", nullptr));

  EXPECT_EQ(json.at("event_type"), "InterfaceAdded");
  EXPECT_EQ(json.at("data"),
            nlohmann::json::parse(R"({"network":null,"interface":"net1","device":"veth101i1","before":null,"after":"vmbr1"})"));
}

TEST(LifecycleJsonTest, BytesThatAreNoUtf8AreReplaced) {
  const ContainerConfig config = ParseContainerConfig("memory: \xff\n", 101, {});

  const std::string text = LifecycleJson({.container_id = 101}, "e1", "t", &config);

  EXPECT_EQ(text.back(), '\n');
  EXPECT_EQ(nlohmann::json::parse(text).at("data").at("network").at("options").at("memory"), "\xef\xbf\xbd");
}

}  // namespace
}  // namespace pvebus::container
