#include "network-service/host/files/durable_folder.h"

#include <unistd.h>

#include <cerrno>

#include "network-service/core/errors.h"
#include "network-service/host/testing/temporary_network.h"

namespace pvebus::network {
namespace {

using absl::StatusCode;
using ::testing::UnorderedElementsAre;

class DurableFolderTest : public ::testing::Test {
 protected:
  mode_t ModeOf(const std::string& name) const { return network_.About(name).st_mode & 07777; }

  TemporaryNetwork network_;
  absl::StatusOr<DurableFolder> folder_ = DurableFolder::Open(network_.path());
};

TEST_F(DurableFolderTest, WhatIsPutTakesThePlaceOfWhatWas) {
  network_.Write("file", "old");
  const ino_t old = network_.About("file").st_ino;
  network_.Write("like", "");
  ASSERT_EQ(chmod(network_.Path("like").c_str(), 0640), 0);
  network_.Write(".interfaces.pvebus-temporary", "of a process that died");

  ASSERT_TRUE(folder_->Put("file", std::string("new\0\xff", 5), "like").ok());

  EXPECT_EQ(network_.Read("file"), std::string("new\0\xff", 5));
  EXPECT_EQ(ModeOf("file"), 0640u);
  EXPECT_NE(network_.About("file").st_ino, old);
  EXPECT_THAT(network_.Names(), UnorderedElementsAre("file", "like"));
}

TEST_F(DurableFolderTest, WhatIsLikeNothingIsForEveryoneToRead) {
  ASSERT_TRUE(folder_->Put("file", "new", "gone").ok());

  EXPECT_EQ(ModeOf("file"), 0644u);
  EXPECT_EQ(network_.About("file").st_uid, geteuid());
}

TEST_F(DurableFolderTest, ACopyHasModeAndOwner) {
  network_.Write("from", "text");
  ASSERT_EQ(chmod(network_.Path("from").c_str(), 0604), 0);
  if (geteuid() == 0) {
    ASSERT_EQ(chown(network_.Path("from").c_str(), 1234, 4321), 0);
  }
  network_.Write("to", "old");

  ASSERT_TRUE(folder_->CopyTo("from", "to").ok());

  EXPECT_EQ(network_.Read("to"), "text");
  EXPECT_EQ(ModeOf("to"), 0604u);
  EXPECT_EQ(network_.About("to").st_uid, network_.About("from").st_uid);
  EXPECT_EQ(network_.About("to").st_gid, network_.About("from").st_gid);
  EXPECT_NE(network_.About("to").st_ino, network_.About("from").st_ino);
  EXPECT_THAT(network_.Names(), UnorderedElementsAre("from", "to"));
}

TEST_F(DurableFolderTest, ALinkTakesThePlaceOfWhatWas) {
  network_.Write("from", "text");
  network_.Write("to", "old");

  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(folder_->LinkTo("from", "to").ok());

    EXPECT_EQ(network_.About("to").st_ino, network_.About("from").st_ino);
    EXPECT_THAT(network_.Names(), UnorderedElementsAre("from", "to"));
  }
}

TEST_F(DurableFolderTest, OfTwoNamesOfOneFileOnlyTheNewOneIsLeft) {
  network_.Write("from", "text");
  ASSERT_EQ(link(network_.Path("from").c_str(), network_.Path("to").c_str()), 0);

  ASSERT_TRUE(folder_->Rename("from", "to").ok());

  EXPECT_EQ(network_.Read("to"), "text");
  EXPECT_THAT(network_.Names(), UnorderedElementsAre("to"));
}

TEST_F(DurableFolderTest, WhatIsNotThereNeedsNotBeRemoved) {
  network_.Write("file", "");

  EXPECT_TRUE(folder_->Remove("file").ok());
  EXPECT_TRUE(folder_->Remove("file").ok());
}

TEST_F(DurableFolderTest, AFailureNamesTheFile) {
  std::filesystem::create_directory(network_.Path("folder"));

  const absl::Status status = folder_->Put("folder", "new", "gone");

  EXPECT_THAT(status, IsError(StatusCode::kFailedPrecondition, "CONFIGURATION_UNWRITABLE"));
  EXPECT_EQ(ErrorMetadata(status)["path"], network_.Path("folder"));
  EXPECT_THAT(folder_->Rename("gone", "to"), IsError(StatusCode::kFailedPrecondition, "CONFIGURATION_UNWRITABLE"));
  EXPECT_THAT(folder_->LinkTo("gone", "to"), IsError(StatusCode::kFailedPrecondition, "CONFIGURATION_UNWRITABLE"));
  EXPECT_THAT(DurableFolder::Open(network_.Path("gone")).status(),
              IsError(StatusCode::kFailedPrecondition, "CONFIGURATION_UNWRITABLE"));
}

TEST_F(DurableFolderTest, NoRoomIsAnErrorOfItsOwn) {
  for (const int error : {ENOSPC, EDQUOT}) {
    EXPECT_THAT(ConfigurationUnwritable("/path", error), IsError(StatusCode::kResourceExhausted, "DISK_FULL"));
  }
}

}  // namespace
}  // namespace pvebus::network
