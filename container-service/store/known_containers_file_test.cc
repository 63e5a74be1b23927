#include "container-service/store/known_containers_file.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"

namespace pvebus::container {
namespace {

namespace fs = std::filesystem;

class KnownContainersFileTest : public ::testing::Test {
 protected:
  KnownContainersFileTest() {
    std::string name = ::testing::TempDir() + "known-containers-XXXXXX";
    folder_ = mkdtemp(name.data());
  }
  ~KnownContainersFileTest() override { fs::remove_all(folder_); }

  const KnownContainers containers_ = {{101,
                                        {.start = "v7",
                                         .cgroup = "c9",
                                         .changes = 3,
                                         .interfaces = {{0, {"veth101i0", 7, "vmbr0"}}, {31, {"veth101i31", 8, ""}}}}},
                                       {102, {.start = "v1"}}};
  fs::path folder_;
};

TEST_F(KnownContainersFileTest, WhatWasSavedIsLoaded) {
  const KnownContainersFile file(folder_ / "containers.json");
  ASSERT_TRUE(file.Save({"old boot", {}}).ok());

  ASSERT_TRUE(file.Save({"boot", containers_}).ok());
  const auto loaded = KnownContainersFile(folder_ / "containers.json").Load();

  ASSERT_TRUE(loaded.ok()) << loaded.status();
  ASSERT_TRUE(loaded->has_value());
  EXPECT_EQ((*loaded)->boot_id, "boot");
  EXPECT_EQ((*loaded)->containers, containers_);
}

TEST_F(KnownContainersFileTest, NoFileIsNothing) {
  const auto loaded = KnownContainersFile(folder_ / "containers.json").Load();

  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_FALSE(loaded->has_value());
}

TEST_F(KnownContainersFileTest, ADamagedFileIsNamed) {
  for (const char* text :
       {"", "{", "[]", R"({"boot_id":"b"})", R"({"boot_id":"b","containers":{"x":{}}})", R"({"boot_id":7,"containers":{}})"}) {
    std::ofstream(folder_ / "containers.json") << text;

    const KnownContainersFile file(folder_ / "containers.json");
    EXPECT_EQ(ErrorReason(file.Load().status()), "CONTAINERS_FILE_DAMAGED") << text;
    EXPECT_TRUE(file.SetAside().ok());
    EXPECT_TRUE(fs::exists(folder_ / "containers.json.damaged"));
    EXPECT_TRUE(file.Load().ok());
  }
}

TEST_F(KnownContainersFileTest, WhatCannotBeWrittenIsSaidAndTheFileStays) {
  const KnownContainersFile file(folder_ / "containers.json");
  ASSERT_TRUE(file.Save({"boot", containers_}).ok());
  fs::create_directory(folder_ / "containers.json.new");

  EXPECT_EQ(ErrorReason(file.Save({"boot", {}})), "CONTAINERS_FILE_UNWRITABLE");
  const auto loaded = file.Load();
  ASSERT_TRUE(loaded.ok() && loaded->has_value());
  EXPECT_EQ((*loaded)->containers, containers_);
}

}  // namespace
}  // namespace pvebus::container
