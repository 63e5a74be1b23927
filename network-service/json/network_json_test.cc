#include "network-service/json/network_json.h"

#include <nlohmann/json.hpp>

#include "gtest/gtest.h"

namespace pvebus::network {
namespace {

using nlohmann::json;

json AsJson(const nlohmann::ordered_json& document) {
  return json::parse(document.dump(-1, ' ', false, json::error_handler_t::replace));
}

json TypeOf(const InterfaceType& type) { return AsJson(ToDocument(Interface{.name = "x", .type = type}))["iface_type"]; }

TEST(NetworkJsonTest, AnInterfaceHasTheOriginalsForm) {
  const Interface interface {
    .name = "vmbr0", .type = Bridge{.ports = {"eno2", "eno1"}, .vlan_aware = true}, .method = Method::kStatic,
    .method6 = Method::kAuto, .addresses = {*ParseIpPrefix("10.0.0.5/24"), *ParseIpPrefix("fd00::5/64")},
    .gateway = ParseIpAddress("10.0.0.1"), .mtu = 9000, .options = {{"bridge-fd", {"0"}}, {"post-up", {"a", "b"}}},
    .enabled = true
  };

  EXPECT_EQ(AsJson(ToDocument(interface)), json::parse(R"({
    "name": "vmbr0", "iface_type": {"Bridge": {"ports": ["eno1", "eno2"], "vlan_aware": true}},
    "method": "Static", "method6": "Auto",
    "addresses": [{"addr": "10.0.0.5", "prefix_len": 24}, {"addr": "fd00::5", "prefix_len": 64}],
    "gateway": "10.0.0.1", "gateway6": null, "mtu": 9000,
    "options": {"bridge-fd": "0", "post-up": "a\nb"}, "enabled": true})"));
}

TEST(NetworkJsonTest, TypesAreExternallyTagged) {
  EXPECT_EQ(TypeOf(Physical()), json("Physical"));
  EXPECT_EQ(TypeOf(Loopback()), json("Loopback"));
  EXPECT_EQ(TypeOf(Bridge()), json::parse(R"({"Bridge": {"ports": [], "vlan_aware": false}})"));
  EXPECT_EQ(TypeOf(Bond{.slaves = {"b", "a"}, .mode = "802.3ad", .options = {{"bond-miimon", {"100"}}}}),
            json::parse(R"({"Bond": {"slaves": ["a", "b"], "mode": "802.3ad", "options": {"bond-miimon": "100"}}})"));
  EXPECT_EQ(TypeOf(Vlan{"eno1", 20}), json::parse(R"({"Vlan": {"parent": "eno1", "tag": 20}})"));
  EXPECT_EQ(TypeOf(Vxlan{7, "10.0.0.1", {"10.0.0.2", "10.0.0.3"}, 4789}),
            json::parse(R"({"Vxlan": {"id": 7, "local": "10.0.0.1", "remote": "10.0.0.2", "dstport": 4789}})"));
  EXPECT_EQ(TypeOf(Ovs{.type = "OVSBridge", .ports = {"eno1"}}), json::parse(R"({"OvsBridge": {"ports": ["eno1"]}})"));
  EXPECT_EQ(TypeOf(Ovs{.type = "OVSIntPort", .bridge = "vmbr0"}), json::parse(R"({"OvsIntPort": {"bridge": "vmbr0"}})"));
  EXPECT_EQ(TypeOf(Ovs{.type = "OVSBond", .bridge = "vmbr0", .slaves = {"a"}}),
            json::parse(R"({"OvsBond": {"bridge": "vmbr0", "slaves": ["a"]}})"));
}

TEST(NetworkJsonTest, AllRemotesOfAVxlanAreThere) {
  const Interface interface {
    .name = "x", .type = Vxlan {
      .id = 7, .remotes = { "10.0.0.2", "10.0.0.3" }
    }
  };

  EXPECT_EQ(AsJson(ToDocument(interface))["options"], json::parse(R"({"vxlan-remoteip": "10.0.0.2\n10.0.0.3"})"));
}

TEST(NetworkJsonTest, WhatIsNewHasNoOldSideAndWhatIsGoneNoNewOne) {
  const Interface interface { .name = "eno1" };

  const json document =
      AsJson(ToDocument(NetworkDiff{.accepted = true,
                                    .changes = {{ChangeType::kDelete, "eno1", interface, std::nullopt, "gone"},
                                                {ChangeType::kUpdate, "eno1", interface, interface, "same"},
                                                {ChangeType::kCreate, "eno1", std::nullopt, interface, "new"}}}));

  EXPECT_EQ(document["accepted"], true);
  EXPECT_EQ(document["changes"][0]["change_type"], "delete");
  EXPECT_EQ(document["changes"][0]["new_config"], nullptr);
  EXPECT_EQ(document["changes"][0]["old_config"]["name"], "eno1");
  EXPECT_EQ(document["changes"][1]["change_type"], "update");
  EXPECT_EQ(document["changes"][2]["change_type"], "create");
  EXPECT_EQ(document["changes"][2]["old_config"], nullptr);
  EXPECT_EQ(document["changes"][2]["description"], "new");
}

TEST(NetworkJsonTest, DiagnosticsSayWhere) {
  const NetworkDiff diff{
      .diagnostics = {{Severity::kError, {"/etc/network/interfaces", 7}, "bad"}, {Severity::kWarning, {"x", 0}, "odd"}}};

  EXPECT_EQ(AsJson(ToDocument(diff)), json::parse(R"({"accepted": false, "changes": [], "diagnostics": [
    {"severity": "error", "file": "/etc/network/interfaces", "line": 7, "message": "bad"},
    {"severity": "warning", "file": "x", "line": 0, "message": "odd"}]})"));
}

}  // namespace
}  // namespace pvebus::network
