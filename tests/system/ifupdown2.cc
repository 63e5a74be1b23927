#include "tests/system/ifupdown2.h"

#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "tests/system/shell.h"

namespace pvebus::testing {
namespace {

namespace fs = std::filesystem;

constexpr char kLinks[] = "/run/ifupdown2/bin";
constexpr char kState[] = "/run/ifupdown2/state";
constexpr char kLock[] = "/run/network";

std::string Text(const char* variable) {
  const char* text = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): nobody sets it meanwhile
  return text == nullptr ? "" : text;
}

std::string Unpacked() {
  const std::string cache = Text("XDG_CACHE_HOME");
  return absl::StrCat(cache.empty() ? Text("HOME") + "/.cache" : cache, "/pvebus/ifupdown2");
}

std::string MainProgram() { return Unpacked() + "/usr/share/ifupdown2/__main__.py"; }

}  // namespace

std::string Ifupdown2::WhyNot() {
  if (!ShSucceeds("grep -q 'User Mode Linux' /proc/cpuinfo")) return "This is no User Mode Linux";
  if (!fs::exists(MainProgram())) return "There is no " + MainProgram() + " (bash deploy/packages.sh --tests)";
  if (!ShSucceeds("grep -qw overlay /proc/filesystems")) return "The kernel has no overlay file system";
  return "";
}

Ifupdown2::Ifupdown2() {
  Sh("mkdir -p /run/etc-upper /run/etc-work && "
     "mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/etc-upper,workdir=/run/etc-work /etc");
  fs::create_directories(kLinks);
  // It is one program, which acts as it is called.
  for (const char* name : {"ifup", "ifdown", "ifreload", "ifquery"}) fs::create_symlink(MainProgram(), Program(name));
  Reset();
}

std::string Ifupdown2::Program(const std::string& name) const { return absl::StrCat(kLinks, "/", name); }

void Ifupdown2::Reload() const { Sh("PATH=/usr/sbin:/usr/bin:/sbin:/bin " + Program("ifreload") + " -a"); }

void Ifupdown2::Reset() const {
  for (const char* folder : {"/etc/network", kState, kLock}) fs::remove_all(folder);
  fs::create_directory(kLock);
  fs::copy(Unpacked() + "/etc/network", "/etc/network", fs::copy_options::recursive);
  fs::create_directories("/etc/network/interfaces.d");
  // What it remembers would be in the machine's /var/tmp.
  Sh(absl::StrCat("sed -i 's,^state_dir=.*,state_dir=", kState, "/,' /etc/network/ifupdown2/ifupdown2.conf"));
}

}  // namespace pvebus::testing
