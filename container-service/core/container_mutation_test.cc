#include <chrono>

#include "absl/strings/str_cat.h"
#include "container-service/core/container_config.h"
#include "container-service/core/testing/container_soundness.h"
#include "gtest/gtest.h"
#include "sdk/base/random.h"

namespace pvebus::container {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr size_t kMutants = 20'000;
constexpr size_t kLargeFile = 1'000'000;

const Vnets& SomeVnets() {
  static const auto& vnets = *new Vnets{{"blue", {.zone = "z"}}, {"vmbr1", {.zone = "z"}}};
  return vnets;
}

const std::vector<std::string>& Corpus() {
  static const auto& corpus = *new std::vector<std::string>{
      "#text %3A\narch: amd64\nhostname: web\nnet0: name=eth0,bridge=vmbr0,firewall=1,gw=10.0.0.1,hwaddr=BC:24:11:AA:BB:CC,"
      "ip=10.0.0.5/24,type=veth\nnet1: name=eth1,bridge=blue,ip6=fd00::5/64,gw6=fd00::1,tag=12\nnameserver: 10.0.0.1 fd00::53\n",
      "net31: name=e,bridge=vmbr1,trunks=1;2;3,rate=1.5,mtu=1500,link_down=1\nsearchdomain: a.b,c\nlock: backup\nparent: s1\n"
      "lxc.cap.drop: x\nlxc.mount.entry = /a b none bind 0 0\n[pve:pending]\ndelete: net0,!swap\nmemory: 1\n[s1]\nnet0: name=a\n",
      "description: a\n# b\nmp0: local:1,mp=/x\nunknown: 1\nnet0: name=eth0,ip=dhcp,ip6=auto\nnet0: name=eth0,ip=manual\n[a b]\n"
      "net9: x\n[pve:pending]\n#d\n",
  };
  return corpus;
}

class Mutator {
 public:
  explicit Mutator(uint64_t seed) : random_(seed) {}

  std::string Mutate(std::string text) {
    for (size_t steps = 1 + Below(8); steps > 0; --steps) Step(text);
    return text;
  }

 private:
  void Step(std::string& text) {
    static const auto& splinters = *new std::vector<std::string>{"\n",
                                                                 "\r\n",
                                                                 " ",
                                                                 ":",
                                                                 "#",
                                                                 "%",
                                                                 "%ff",
                                                                 std::string(1, '\0'),
                                                                 "\xff",
                                                                 "\xc3",
                                                                 "[",
                                                                 "]\n",
                                                                 "[s2]\n",
                                                                 "[pve:pending]\n",
                                                                 "=",
                                                                 ",",
                                                                 ";",
                                                                 "net0: name=x\n",
                                                                 "net12: name=y,firewall=1\n",
                                                                 "lxc.a: b\n",
                                                                 "name=",
                                                                 "ip=",
                                                                 "ip6=::/8",
                                                                 "-1",
                                                                 "1e9",
                                                                 "99999999999999999999",
                                                                 "é"};
    const size_t at = Below(text.size() + 1);
    switch (Below(5)) {
      case 0:
        text.insert(at, splinters[Below(splinters.size())]);
        break;
      case 1:
        text.erase(at, Below(20));
        break;
      case 2:
        if (at < text.size()) text[at] = static_cast<char>(Below(256));
        break;
      case 3:
        text.insert(at, text.substr(Below(text.size() + 1), Below(60)));
        break;
      default:
        text.insert(at, std::string(Below(300), static_cast<char>(Below(256))));
    }
  }

  size_t Below(size_t bound) { return random_.Next() % bound; }

  SeededRandom random_;
};

TEST(ContainerMutationTest, WhateverAFileHasTheResultIsSound) {
  Mutator mutator(20261123);
  for (size_t i = 0; i < kMutants; ++i) {
    const std::string text = mutator.Mutate(Corpus()[i % Corpus().size()]);

    ASSERT_EQ(WhyUnsound(ParseContainerConfig(text, i % 2 == 0 ? 101 : 123456789, SomeVnets()), text), "")
        << "mutant " << i << ": " << text;
  }
}

std::string Repeated(const std::string& text) {
  std::string result;
  while (result.size() < kLargeFile) result += text;
  return result;
}

std::string Numbered(const std::string& before, const std::string& after) {
  std::string result;
  for (size_t i = 0; result.size() < kLargeFile; ++i) absl::StrAppend(&result, before, i, after);
  return result;
}

// Quadratic work on any of these would take hours.
TEST(ContainerMutationTest, LargeFilesTakeNoLongerThanTheirSize) {
  const std::vector<std::string> files = {
      Repeated("x"),
      Repeated(" "),
      Repeated(":"),
      Repeated("\n"),
      Repeated("x\n"),
      Repeated("#\n"),
      Repeated("%41"),
      "#" + Repeated("%41"),
      Repeated(std::string(1, '\0')),
      Repeated("net0: name=eth0\n"),
      Repeated("hostnam: x\n"),
      Repeated("Hostnam: x\n"),
      Numbered("x", ": y\n"),
      Numbered("[s", "]\n"),
      "[pve:pending]\n" + Numbered("x", ": y\n"),
      "[pve:pending]\ndelete: " + Numbered("x", ","),
      Repeated("[pve:pending]\na: b\n"),
      Repeated("[?]\n"),
      Repeated("lxc.a: b\n"),
      Repeated("lxc.a "),
      "net0: " + Repeated(","),
      "net0: " + Repeated("name=a,"),
      "net0: name=" + Repeated("a"),
      "net0: name=a,trunks=" + Repeated("1;") + "1",
      "net0: name=a,ip6=" + Repeated(":"),
      "net0: name=a,ip6=" + Repeated("0:"),
      "net0: name=a,ip=" + Repeated("1."),
      "net0: name=a,rate=" + Repeated("1"),
      "nameserver: " + Repeated("10.0.0.1,"),
      "nameserver: " + Repeated("x,"),
      "nameserver: " + Repeated("fe80::1%x"),
      "searchdomain: " + Repeated("a."),
      "hostname: " + Repeated("a."),
  };
  for (size_t i = 0; i < files.size(); ++i) {
    const auto start = steady_clock::now();
    const ContainerConfig config = ParseContainerConfig(files[i], 101, SomeVnets());

    EXPECT_LT(steady_clock::now() - start, seconds(20)) << "file " << i << ": " << files[i].substr(0, 40);
    EXPECT_EQ(WhyUnsound(config, files[i]), "") << "file " << i << ": " << files[i].substr(0, 40);
  }
}

}  // namespace
}  // namespace pvebus::container
