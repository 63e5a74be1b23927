#include <algorithm>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gtest/gtest.h"
#include "network-service/core/config_change.h"
#include "network-service/core/testing/memory_files.h"
#include "network-service/core/testing/network_soundness.h"
#include "sdk/base/random.h"

namespace pvebus::network {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr size_t kConfigurations = 500;
constexpr size_t kMutants = 1'000;

using Stanzas = std::vector<std::vector<std::string>>;  // each its head and its options

// Configurations that make sense, and others. One thread.
class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}

  size_t Below(size_t bound) { return random_.Next() % bound; }
  bool Maybe() { return Below(2) == 0; }

  Stanzas Next() {
    Stanzas stanzas;
    for (size_t i = 0; i < 12; ++i) {
      if (!Maybe()) continue;
      stanzas.push_back(StanzaOf(absl::StrCat(kNames[Below(std::size(kNames))], i)));
      if (Maybe()) stanzas.push_back({absl::StrCat("auto ", NameIn(stanzas.back()[0]))});
    }
    return stanzas;
  }

  template <typename List>
  void Shuffle(List& list, size_t begin) {
    for (size_t i = list.size(); i > begin + 1; --i) std::swap(list[i - 1], list[begin + Below(i - begin)]);
  }

  std::string Mutate(std::string text) {
    static const auto& splinters = *new std::vector<std::string>{"\n",
                                                                 "\n\n",
                                                                 "\r\n",
                                                                 " ",
                                                                 "\t",
                                                                 "\\\n",
                                                                 "\\",
                                                                 "#",
                                                                 "'",
                                                                 "\"",
                                                                 "_",
                                                                 "-",
                                                                 ".",
                                                                 ":",
                                                                 "/",
                                                                 std::string(1, '\0'),
                                                                 "\xff",
                                                                 "\xc3\xa9",
                                                                 "auto ",
                                                                 "iface ",
                                                                 "inet ",
                                                                 "inet6 ",
                                                                 "static\n",
                                                                 "source x\n",
                                                                 "iface lo inet loopback\n",
                                                                 "\taddress 10.0.0.1/24\n",
                                                                 "glob ",
                                                                 "none ",
                                                                 "regex ",
                                                                 "\tbridge-ports glob\n",
                                                                 "\tvlan-id 7\n",
                                                                 "99999999999"};
    for (size_t steps = 1 + Below(8); steps > 0; --steps) {
      const size_t at = Below(text.size() + 1);
      switch (Below(5)) {
        case 0:
        case 1:
          text.insert(at, splinters[Below(splinters.size())]);
          break;
        case 2:
          text.erase(at, Below(20));
          break;
        case 3:
          if (at < text.size()) text[at] = static_cast<char>(Below(256));
          break;
        default:
          text.insert(at, text.substr(Below(text.size() + 1), Below(60)));
      }
    }
    return text;
  }

 private:
  static constexpr const char* kNames[] = {"eno", "vmbr", "bond", "eno0.", "vlan", "x"};

  static std::string NameIn(const std::string& head) { return head.substr(6, head.find(' ', 6) - 6); }

  std::vector<std::string> StanzaOf(const std::string& name) {
    static constexpr const char* kHeads[] = {"", " inet static", " inet manual", " inet dhcp", " inet6 auto", " inet6 static"};
    // Of each name once, so that their order says nothing.
    static constexpr const char* kOptions[] = {"address 10.0.%d.1/24",
                                               "address fd00::%d/64",
                                               "gateway 10.0.0.%d",
                                               "mtu 150%d",
                                               "bridge-ports a%d b c",
                                               "bridge_stp off",
                                               "bond-slaves a b%d",
                                               "bond-mode %d",
                                               "bond_miimon 10%d",
                                               "vlan-raw-device e%d",
                                               "vlan-id %d",
                                               "vxlan-id %d",
                                               "vxlan_remoteip 10.%d.0.1",
                                               "ovs_type OVSBridge",
                                               "ovs_ports p%d q",
                                               "post-up echo  'a  %d'",
                                               "metric %d",
                                               "bridge-vlan-aware yes",
                                               "frobnicate %d x"};
    std::vector<std::string> stanza = {absl::StrCat("iface ", name, kHeads[Below(std::size(kHeads))])};
    for (const char* option : kOptions) {
      if (Below(4) != 0) continue;
      std::string line = option;
      if (const size_t at = line.find("%d"); at != std::string::npos) line.replace(at, 2, std::to_string(Below(7)));
      stanza.push_back(std::move(line));
    }
    return stanza;
  }

  SeededRandom random_;
};

std::string TextOf(const Stanzas& stanzas, const char* indent = "\t", const char* between = "\n") {
  std::string text;
  for (const auto& stanza : stanzas) {
    for (size_t i = 0; i < stanza.size(); ++i) absl::StrAppend(&text, i == 0 ? "" : indent, stanza[i], "\n");
    text += between;
  }
  return text;
}

TEST(NetworkPropertyTest, DifferencesAreEmptyInvertibleAndTextsMeanWhatTheyWereMadeOf) {
  Generator generator(20261128);
  for (size_t i = 0; i < kConfigurations; ++i) {
    const std::string before = TextOf(generator.Next());
    const std::string after = TextOf(generator.Next());

    ASSERT_EQ(WhyUnsound(Understand(before), before.size()), "") << before;
    ASSERT_EQ(WhyUnsound(Understand(before), Understand(after)), "") << before << "\n->\n" << after;
  }
}

TEST(NetworkPropertyTest, TheOrderOfStanzasAndOptionsAndWhereTheyStandSayNothing) {
  Generator generator(6);
  for (size_t i = 0; i < kConfigurations; ++i) {
    const Stanzas stanzas = generator.Next();
    Stanzas other = stanzas;
    for (auto& stanza : other) generator.Shuffle(stanza, 1);
    generator.Shuffle(other, 0);
    std::map<std::string, std::string> files;
    for (const auto& stanza : other) {
      absl::StrAppend(&files[absl::StrFormat("/etc/network/interfaces.d/%d", generator.Below(3))],
                      TextOf({stanza}, "  ", "# end\n"));
    }

    const Interfaces one = Understand(TextOf(stanzas)).interfaces;
    const Interfaces two = Understand("source interfaces.d/*\n", files).interfaces;

    ASSERT_EQ(Diff(one, two), std::vector<ConfigChange>()) << TextOf(stanzas) << "\n->\n" << TextOf(other);
  }
}

TEST(NetworkPropertyTest, WhateverAFileHasTheResultIsSound) {
  Generator generator(7);
  for (size_t i = 0; i < kMutants; ++i) {
    const std::string base = TextOf(generator.Next());
    const std::string mutant = generator.Mutate(base);
    const NetworkConfiguration configuration = Understand(mutant, {{"/etc/network/x", base}});

    ASSERT_EQ(WhyUnsound(configuration, mutant.size() + base.size()), "") << mutant;
    ASSERT_EQ(WhyUnsound(Understand(base), configuration), "") << mutant;
  }
}

std::string Repeated(const std::string& text) {
  std::string result;
  while (result.size() + text.size() <= kMostFileBytes) result += text;
  return result;
}

std::string Numbered(const std::string& head, const std::string& before, const std::string& after) {
  std::string result = head;
  for (size_t i = 0; result.size() + 100 < kMostFileBytes; ++i) absl::StrAppend(&result, before, i, after);
  return result;
}

// Quadratic work on any of these would take minutes.
TEST(NetworkPropertyTest, LargeFilesTakeNoLongerThanTheirSize) {
  const std::string head = "iface x inet manual\n";
  const std::vector<std::string> files = {
      Repeated("x"),
      Repeated(" "),
      Repeated("\n"),
      Repeated("\\\n"),
      Repeated("x y\n"),
      Repeated("auto\n"),
      Repeated("iface a\n"),
      Repeated("source x\n"),
      Repeated("source-directory x\n"),
      head + Repeated("up x\n").substr(100),
      head + Repeated("mtu 1500\nmtu 1400\n").substr(100),
      head + Repeated("address ::1/64\n").substr(100),
      "iface x inet static\n" + Repeated("address 10.0.0.1\nnetmask 24\n").substr(200),
      head + "bridge-ports " + Repeated("a ").substr(100),
      Numbered(head, "bridge-port", " x\n"),
      Numbered(head, "a", " b\n"),
      Numbered("", "iface a", "\n"),
      Numbered("", "iface a\n x ", "\n"),
      Numbered("", "auto a", "\n"),
      Numbered(head + "bridge-ports", " a", ""),
      Numbered("", "iface b", " inet manual\n bridge-ports a\n"),
      Numbered("", "iface b", " inet static\n address 10.0.0.1/24\n gateway 10.0.0.1\n"),
      Numbered("iface b0 inet manual\n bridge-ports b1\n", "iface b", "\n"),
  };
  const NetworkConfiguration nothing;
  for (size_t i = 0; i < files.size(); ++i) {
    const auto start = steady_clock::now();
    const NetworkConfiguration configuration = Understand(files[i]);
    const NetworkDiff diff = Compare(nothing, configuration);

    EXPECT_LT(steady_clock::now() - start, seconds(20)) << "file " << i << ": " << files[i].substr(0, 40);
    EXPECT_LE(diff.diagnostics.size(), 2 * (kMostDiagnostics + 1));
  }
}

// A chain of as many interfaces as fit.
TEST(NetworkPropertyTest, ALongChainOfInterfacesIsNoProblem) {
  std::string text;
  for (size_t i = 0; text.size() + 100 < kMostFileBytes; ++i) {
    absl::StrAppend(&text, "iface b", i, " inet manual\n bridge-ports b", i + 1, "\n");
  }

  EXPECT_TRUE(Compare({}, Understand(text)).accepted);
}

}  // namespace
}  // namespace pvebus::network
