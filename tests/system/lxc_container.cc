#include "tests/system/lxc_container.h"

#include <chrono>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_format.h"
#include "gtest/gtest.h"
#include "tests/system/shell.h"

namespace pvebus::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kPatience{60};

// Empty when the command fails.
std::string FirstLine(const std::string& command) {
  const std::string output = ShOutput(command + " 2>/dev/null");
  return output.substr(0, output.find('\n'));
}

}  // namespace

std::string LxcContainer::WhyNot() {
  if (!ShSucceeds("command -v lxc-start")) return "There is no lxc-start (Debian: lxc)";
  if (!ShSucceeds("command -v busybox")) return "There is no busybox (Debian: busybox-static)";
  if (!fs::exists("/sys/fs/cgroup/cgroup.controllers")) return "There is no cgroup2 at /sys/fs/cgroup";
  return "";
}

LxcContainer::LxcContainer(uint32_t id, Reboots reboots) : id_(std::to_string(id)), folder_(directory_.path() + "/" + id_) {
  MakeRootFileSystem();
  // As the unit pve-container@ and its stop wrapper.
  WriteScript("unit", absl::StrFormat("while %s -F -l INFO -o %s/log; do\n  rm %s/reboot 2>/dev/null || exit 0\ndone\n",
                                      Lxc("start"), folder_, folder_));
  // As lxcnetaddbr; its arguments are 101 net up veth veth101i0.
  WriteScript("up", "ip link set dev $5 up mtu 1500 && ip link set dev $5 master vmbr0\n");
  // As lxc-pve-poststop-hook: a status that is not 0 makes LXC end where it would have started the container again.
  WriteScript("post-stop", absl::StrFormat("[ \"$LXC_TARGET\" = reboot ] || exit 0\n: >%s/reboot\nexit 1\n", folder_));
  WriteConfig(reboots);
}

LxcContainer::~LxcContainer() {
  if (unit_ == nullptr) return;
  ShSucceeds(Lxc("stop") + " -k");
  unit_->WaitExit(kPatience);
}

void LxcContainer::MakeRootFileSystem() const {
  const std::string root = folder_ + "/rootfs";
  for (const char* folder : {"bin", "sbin", "dev", "proc", "sys", "etc"}) fs::create_directories(root + "/" + folder);
  Sh("cp $(command -v busybox) " + root + "/bin/busybox");
  for (const char* applet : {"bin/sh", "bin/ip", "bin/reboot", "sbin/init"})
    fs::create_symlink("/bin/busybox", root + "/" + applet);
  std::ofstream(root + "/etc/inittab") << "::sysinit:/bin/ip link set eth0 up\n";
}

void LxcContainer::WriteConfig(Reboots reboots) const {
  std::ofstream config(folder_ + "/config");
  config << absl::StrFormat(
      "lxc.cgroup.relative = 0\n"
      "lxc.cgroup.dir.monitor = lxc.monitor/%1$s\n"
      "lxc.cgroup.dir.container = lxc/%1$s\n"
      "lxc.cgroup.dir.container.inner = ns\n"
      "lxc.monitor.unshare = 1\n"
      "lxc.uts.name = ct%1$s\n"
      "lxc.rootfs.path = %2$s/rootfs\n"
      "lxc.net.0.type = veth\n"
      "lxc.net.0.veth.pair = veth%1$si0\n"
      "lxc.net.0.hwaddr = BC:24:11:00:00:01\n"
      "lxc.net.0.name = eth0\n"
      "lxc.net.0.mtu = 1500\n"
      "lxc.net.0.script.up = %2$s/up\n"
      // What Proxmox VE includes, as far as busybox needs it; no AppArmor here.
      "lxc.mount.auto = proc:mixed sys:mixed\n"
      "lxc.signal.halt = SIGUSR1\n"
      "lxc.apparmor.profile = unconfined\n",
      id_, folder_);
  if (reboots == Reboots::kBySystemd) config << "lxc.hook.post-stop = " << folder_ << "/post-stop\n";
}

void LxcContainer::WriteScript(const std::string& name, const std::string& script) const {
  const std::string path = folder_ + "/" + name;
  std::ofstream(path) << "#!/bin/sh\n" << script;
  fs::permissions(path, fs::perms::owner_all);
}

std::string LxcContainer::Lxc(const std::string& command) const {
  return absl::StrFormat("lxc-%s -P %s -n %s", command, directory_.path(), id_);
}

void LxcContainer::Start() {
  unit_ = std::make_unique<Process>(std::vector<std::string>{folder_ + "/unit"});
  if (!ShSucceeds(Lxc("wait") + absl::StrFormat(" -s RUNNING -t %d", kPatience.count()))) {
    ADD_FAILURE() << "container " << id_ << " does not run: " << ShOutput("tail -n 30 " + folder_ + "/log");
  }
}

// What somebody typed it in ends with the container.
void LxcContainer::RebootFromInside() { ShSucceeds(Lxc("attach") + " -- /bin/reboot"); }

void LxcContainer::ShutDown() {
  Sh(Lxc("stop") + absl::StrFormat(" --nokill -t %d", kPatience.count()));
  EXPECT_EQ(unit_->WaitExit(kPatience), 0);
}

std::string LxcContainer::CgroupInode() const { return FirstLine("stat -c %i /sys/fs/cgroup/lxc/" + id_); }
std::string LxcContainer::LinkIndex() const { return FirstLine("cat /sys/class/net/veth" + id_ + "i0/ifindex"); }

}  // namespace pvebus::testing
