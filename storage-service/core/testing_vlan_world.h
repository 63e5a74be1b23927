#pragma once

#include <string>
#include <vector>

#include "storage-service/core/storage_vlan_manager.h"
#include "storage-service/core/testing_fake_kernel.h"
#include "storage-service/core/testing_faults.h"
#include "storage-service/core/testing_memory_store.h"

namespace pvebus::storage {

// A node with a VLAN-aware bridge vmbr0, a bond bond0 and a network card eno1, all up with MTU 9000, and the manager of its
// VLANs. One thread.
struct VlanWorld {
  VlanWorld() {
    kernel.Add({.name = "eno1", .mtu = 9000, .up = true});
    kernel.Add({.name = "bond0", .kind = "bond", .mtu = 9000, .up = true});
    kernel.Add({.name = "vmbr0", .kind = "bridge", .mtu = 9000, .up = true, .vlan_aware = true, .bridge_vids = {1}});
  }

  // Everything that a VLAN can have.
  static StorageVlan Vlan() {
    return {.storage_id = "nas",
            .base = "vmbr0",
            .tag = 100,
            .address = *ParseIpPrefix("10.1.0.5/24"),
            .mtu = 1500,
            .gateway = ParseIpAddress("10.1.0.1"),
            .routed_subnets = {*ParseIpPrefix("10.2.0.0/16"), *ParseIpPrefix("10.3.0.0/16")},
            .isolated = true};
  }
  static StorageVlan SimpleVlan() {
    return {.storage_id = "backup", .base = "eno1", .tag = 7, .address = *ParseIpPrefix("10.7.0.5/24")};
  }

  // The link of the VLAN as somebody else would make it: nothing but the link, down.
  Link& AddLink(const StorageVlan& vlan) {
    const Link& base = *kernel.Find(vlan.base);
    return kernel.Add(
        {.name = vlan.LinkName(), .kind = "vlan", .lower_index = base.index, .tag = vlan.tag, .dot1q = true, .mtu = base.mtu});
  }

  int Told(Notice::Kind kind) {
    int count = 0;
    const auto notices = store.Notices();
    for (const Notice& notice : *notices) count += notice.kind == kind ? 1 : 0;
    return count;
  }
  std::vector<StorageVlanRecord> Records() { return *store.Vlans(); }
  bool InOrder() {
    const auto statuses = manager.List();
    for (const VlanStatus& status : *statuses) {
      if (!status.in_order) return false;
    }
    return true;
  }

  Faults faults;
  FakeKernel kernel{faults};
  MemoryStorageStore store{faults};
  FakeClock clock;
  int notified = 0;
  StorageVlanManager manager{kernel, kernel, store, clock, [this] { ++notified; }};
};

}  // namespace pvebus::storage
