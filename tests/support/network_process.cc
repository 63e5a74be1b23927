#include "tests/support/network_process.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_format.h"
#include "tests/support/bus_process.h"

namespace pvebus::testing {
namespace {

constexpr const char* kLock = ".pve-interfaces.lock";

std::string ReadOr(const std::string& path, const std::string& otherwise) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return otherwise;
  std::stringstream bytes;
  bytes << stream.rdbuf();
  return bytes.str();
}

std::vector<std::string> CommandLine(const NetworkFolder& folder, const std::string& bus, const std::vector<std::string>& flags,
                                     const std::vector<std::string>& launcher) {
  std::vector<std::string> line = launcher;
  line.insert(line.end(), {ProgramPath("network-service"), "--bus", bus, "--listen", "127.0.0.1:0", "--node", "node1",
                           "--data-dir", folder.Beside("data")});
  const std::vector<std::string> of_folder = folder.Flags();
  line.insert(line.end(), of_folder.begin(), of_folder.end());
  line.insert(line.end(), flags.begin(), flags.end());
  return line;
}

}  // namespace

NetworkFolder::NetworkFolder(const std::string& interfaces) {
  Write("interfaces", interfaces);
  std::ofstream(Beside("in-force"), std::ios::binary) << interfaces;
  SetIfreload("");
  SetIfup("");
}

void NetworkFolder::Write(const std::string& name, const std::string& bytes) const {
  std::filesystem::create_directories(std::filesystem::path(Path(name)).parent_path());
  std::ofstream(Path(name), std::ios::binary) << bytes;
}

void NetworkFolder::Append(const std::string& name, const std::string& bytes) const {
  std::ofstream(Path(name), std::ios::binary | std::ios::app) << bytes;
}

void NetworkFolder::Replace(const std::string& name, const std::string& bytes) const {
  Write(name + ".tmp", bytes);
  std::filesystem::rename(Path(name + ".tmp"), Path(name));
}

std::string NetworkFolder::Read(const std::string& name) const { return ReadOr(Path(name), "(none)"); }

std::set<std::string> NetworkFolder::Names() const {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(path())) names.insert(entry.path().filename().string());
  names.erase(kLock);
  return names;
}

void NetworkFolder::SetIfreload(const std::string& lines) const {
  WriteProgram("ifreload", absl::StrFormat("exec 9> ifupdown.lock\nflock -n 9 || exit 89\nif [ -p gate ]; then cat gate; fi\n%s\n"
                                           "cat network/interfaces > in-force",
                                           lines));
}

void NetworkFolder::SetIfup(const std::string& lines) const { WriteProgram("ifup", lines); }

std::string NetworkFolder::InForce() const { return ReadOr(Beside("in-force"), "(none)"); }

std::vector<std::string> NetworkFolder::Flags() const {
  return {"--etc-network", path(),         "--ifreload",      Beside("ifreload"),
          "--ifup",        Beside("ifup"), "--ifupdown-lock", Beside("ifupdown.lock")};
}

// Under another name first: a shell that runs it reads on in the old one.
void NetworkFolder::WriteProgram(const std::string& name, const std::string& lines) const {
  const std::string made = Beside(name + ".made");
  std::ofstream(made) << absl::StrFormat("#!/bin/sh\ncd %s\n%s\n", directory_.path(), lines);
  chmod(made.c_str(), 0755);
  std::filesystem::rename(made, Beside(name));
}

ReloadGate::ReloadGate(const NetworkFolder& folder) : path_(folder.Beside("gate")) {
  if (mkfifo(path_.c_str(), 0600) != 0) std::abort();
}

void ReloadGate::WaitReached() {
  // There is nobody to write to until ifreload reads.
  WaitFor("ifreload to run", [&] {
    entrance_ = Fd(open(path_.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    return static_cast<bool>(entrance_);
  });
}

void ReloadGate::Open() {
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
  entrance_ = Fd();
}

std::vector<std::string> AsRoot() {
  if (geteuid() == 0) return {};
  return {"/usr/bin/unshare", "--user", "--map-root-user"};
}

std::string WhyNoRoot() {
  std::vector<std::string> line = AsRoot();
  if (line.empty()) return "";
  line.push_back("/bin/true");
  Process process(line);
  const auto code = process.WaitExit(kSoon);
  return code == 0 ? "" : absl::StrFormat("unshare ended with %d: %s", code.value_or(-1), process.StandardError());
}

NetworkProcess::NetworkProcess(const NetworkFolder& folder, const std::string& bus, const std::vector<std::string>& flags,
                               const std::vector<std::string>& launcher)
    : process_(CommandLine(folder, bus, flags, launcher)) {
  auto address = process_.WaitForLine("listening on ", std::chrono::seconds(30));
  if (!address.ok()) {
    std::fprintf(stderr, "network-service did not start: %s\n", address.status().ToString().c_str());
    std::abort();
  }
  address_ = *std::move(address);
  stub_ = network::v1::NetworkService::NewStub(SeparateChannel(address_));
}

}  // namespace pvebus::testing
