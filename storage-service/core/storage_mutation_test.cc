#include <chrono>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sdk/base/random.h"
#include "storage-service/core/storage_config.h"
#include "storage-service/core/testing/soundness.h"

namespace pvebus::storage {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr size_t kMutants = 20'000;
constexpr size_t kLargeFile = 1'000'000;

const std::vector<std::string>& Corpus() {
  static const auto& corpus = *new std::vector<std::string>{
      "dir: local\n\tpath /var/lib/vz\n\tcontent iso,vztmpl,backup\n\nlvmthin: local-lvm\n\tthinpool data\n\tvgname pve\n\n"
      "nfs: nas\n\texport /e\n\tserver 10.0.0.5\n\toptions vers=4.2,port=2050\n\tnodes pve1,pve2\n\tdisable\n\n",
      "cifs: win\n\tserver fd00::1\n\tshare s\n\tpassword x\n\n# comment\npbs: bk\n\tserver pbs\n\tdatastore d\n\tport 8008\n\n"
      "iscsi: san\n\tportal [fd00::9]:3260\n\ttarget iqn.x:y\n\nrbd: ceph\n\tmonhost 10.0.0.1:6789 [fd00::3]\n\tkrbd\n\n",
      "zfs: tank\n\tportal a\n\ttarget t\n\tpool p\n\tblocksize 4k\n\tiscsiprovider LIO\n\ncephfs: cfs\n\tfuse 1\n\tkeyring k\n\n"
      "esxi: old\n\tserver e\n\tusername root\n \nbtrfs: bb\n\tpath /b\n\nbtrfs: bb\n\tpath /c\n\tis_mountpoint 1\n\n",
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
                                                                 "\n\n",
                                                                 "\r\n",
                                                                 " ",
                                                                 "\t",
                                                                 ":",
                                                                 "#",
                                                                 "0\n",
                                                                 std::string(1, '\0'),
                                                                 "\xff",
                                                                 "\xc3",
                                                                 "\xe2\x82",
                                                                 "[",
                                                                 "]:",
                                                                 "::",
                                                                 ",;",
                                                                 "dir: local\n",
                                                                 "\tpath /x\n",
                                                                 "\tcontent none,images\n",
                                                                 "\tpassword HIDDEN\n",
                                                                 "password: HIDDEN\n",
                                                                 "=",
                                                                 "-1",
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

TEST(StorageMutationTest, WhateverAFileHasTheResultIsSound) {
  Mutator mutator(20261123);
  for (size_t i = 0; i < kMutants; ++i) {
    const std::string text = mutator.Mutate(Corpus()[i % Corpus().size()]);
    ASSERT_EQ(WhyUnsound(ParseStorageConfig(text), text), "") << text;
  }
}

std::string Repeated(const std::string& text) {
  std::string result;
  while (result.size() < kLargeFile) result += text;
  return result;
}

std::string ManyStorages(const std::string& type_and_properties) {
  std::string result;
  for (size_t i = 0; result.size() < kLargeFile; ++i) absl::StrAppend(&result, "nfs: n", i, "\n", type_and_properties, "\n");
  return result;
}

// Quadratic work on any of these would take hours.
TEST(StorageMutationTest, LargeFilesTakeNoLongerThanTheirSize) {
  const std::string nfs = "\tserver s\n\texport /e\n";
  const std::vector<std::string> files = {
      Repeated("x"),
      Repeated(" "),
      Repeated(":"),
      Repeated("\n"),
      Repeated("x\n"),
      Repeated(" x\n"),
      Repeated("# x\n"),
      Repeated(std::string(1, '\0')),
      Repeated("dir:aa\n\n"),
      Repeated("nsf: nas\n\n"),
      "dir: aa\n" + Repeated(" contnet x\n"),
      "dir: aa\n" + Repeated(" \r\n"),
      "dir: " + Repeated("a") + "\n path /a\n",
      "dir: aa\n path /" + Repeated("a") + "\n",
      "dir: aa\n path /a\n nodes " + Repeated("a,") + "\n",
      "dir: aa\n path /a\n content " + Repeated("iso,") + "\n",
      "dir: aa\n path /a\n " + Repeated("k") + "\n",
      "rbd: aa\n monhost " + Repeated("10.0.0.1:6789,") + "\n",
      "rbd: aa\n monhost [" + Repeated(":") + "\n",
      "nfs: aa\n server " + Repeated("a.") + "\n",
      "cifs: aa\n server s\n share x\n options " + Repeated("pass=a,") + "\n",
      Repeated("nfs: aa\n" + nfs + "\n"),
      ManyStorages(nfs),
  };
  for (size_t i = 0; i < files.size(); ++i) {
    const auto start = steady_clock::now();
    const StorageConfig config = ParseStorageConfig(files[i]);

    EXPECT_LT(steady_clock::now() - start, seconds(20)) << "file " << i << ": " << files[i].substr(0, 40);
    EXPECT_EQ(WhyUnsound(config, files[i]), "") << "file " << i;
  }
}

}  // namespace
}  // namespace pvebus::storage
