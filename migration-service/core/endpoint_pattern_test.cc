#include "migration-service/core/endpoint_pattern.h"

#include "gtest/gtest.h"
#include "migration-service/core/endpoint.h"

namespace pvebus::migration {
namespace {

std::string PatternAt(std::string_view path) { return PatternOf(ParseEndpoint("GET", path)->segments); }

TEST(EndpointPatternTest, IdsAreLeftOut) {
  EXPECT_EQ(PatternAt("nodes/pve1/network"), "nodes/{}/network");
  EXPECT_EQ(PatternAt("nodes/pve1/network/vmbr0"), "nodes/{}/network/{}");
  EXPECT_EQ(PatternAt("nodes/pve1/qemu/100/config"), "nodes/{}/qemu/{}/config");
  EXPECT_EQ(PatternAt("nodes/pve1/lxc/101/snapshot/before/rollback"), "nodes/{}/lxc/{}/snapshot/{}/rollback");
  EXPECT_EQ(PatternAt("nodes/pve1/sdn/zones/z1/content"), "nodes/{}/sdn/zones/{}/content");
  EXPECT_EQ(PatternAt("cluster/sdn/vnets/v1/subnets/z1-10.0.0.0-24"), "cluster/sdn/vnets/{}/subnets/{}");
  EXPECT_EQ(PatternAt("access/users/root@pam/token/t"), "access/users/{}/token/{}");
  EXPECT_EQ(PatternAt("cluster/ha/resources/vm:100"), "cluster/ha/resources/{}");
  EXPECT_EQ(PatternAt("nodes/pve1/storage/local/content/local%3Aiso%2Fdebian.iso"), "nodes/{}/storage/{}/content/{}/{}");
  EXPECT_EQ(PatternAt("nodes/pve1/tasks/UPID:pve1:00:0:0:x:y:root@pam:/log"), "nodes/{}/tasks/{}/log");
}

TEST(EndpointPatternTest, WhatTheApiNamesStays) {
  for (const char* path :
       {"", "version", "nodes", "storage", "cluster/sdn", "cluster/backup-info/not-backed-up", "access/ticket"}) {
    EXPECT_EQ(PatternAt(path), path);
  }
}

TEST(EndpointPatternTest, IdMayBeNamedLikeACollection) {
  EXPECT_EQ(PatternAt("nodes/nodes/network/network"), "nodes/{}/network/{}");
  EXPECT_EQ(PatternAt("nodes/qemu/status"), "nodes/{}/status");
}

}  // namespace
}  // namespace pvebus::migration
