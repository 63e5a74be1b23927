#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"

namespace pvebus::testing {

// A real container of LXC, of busybox, configured, plugged into vmbr0 and started as Proxmox VE 8 does it; ended with its owner.
// Needs root of a machine with a cgroup2 at /sys/fs/cgroup. One thread.
class LxcContainer {
 public:
  // Who starts it again when it has rebooted. Proxmox VE lets LXC end, and systemd starts another one.
  enum class Reboots { kBySystemd, kByLxc };

  // Why there can be none here; empty: there can.
  static std::string WhyNot();

  LxcContainer(uint32_t id, Reboots reboots);
  ~LxcContainer();
  LxcContainer(const LxcContainer&) = delete;
  LxcContainer& operator=(const LxcContainer&) = delete;

  // Returns when its init runs.
  void Start();
  // `reboot`, as somebody in it types it.
  void RebootFromInside();
  // Asks its init to halt, as `pct shutdown` does.
  void ShutDown();

  // Of the start that it is in; empty: there is none.
  std::string CgroupInode() const;
  std::string LinkIndex() const;

 private:
  void MakeRootFileSystem() const;
  void WriteConfig(Reboots reboots) const;
  void WriteScript(const std::string& name, const std::string& script) const;
  std::string Lxc(const std::string& command) const;

  const std::string id_;
  const TemporaryDirectory directory_;
  const std::string folder_;  // its own, where /var/lib/lxc/101 is on a node
  std::unique_ptr<Process> unit_;
};

}  // namespace pvebus::testing
