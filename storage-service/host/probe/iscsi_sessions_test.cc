#include "storage-service/host/probe/iscsi_sessions.h"

#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(IscsiSessionsTest, TargetsOfAllSessionsAreRead) {
  const std::string sys = testing::TempDir() + "iscsi_sessions_" + std::to_string(getpid());
  for (const char* session : {"session1", "session2", "session3", "ending"}) {
    std::filesystem::create_directories(sys + "/class/iscsi_session/" + session);
  }
  std::ofstream(sys + "/class/iscsi_session/session1/targetname") << "iqn.2026-01.a:one\n";
  std::ofstream(sys + "/class/iscsi_session/session2/targetname") << "iqn.2026-01.a:two\n";
  std::ofstream(sys + "/class/iscsi_session/session3/targetname") << "iqn.2026-01.a:one\n";

  EXPECT_THAT(*ReadIscsiSessions(sys), ElementsAre("iqn.2026-01.a:one", "iqn.2026-01.a:two"));
  std::filesystem::remove_all(sys);
}

TEST(IscsiSessionsTest, WithoutTheKernelsIscsiThereAreNone) { EXPECT_THAT(*ReadIscsiSessions("/nowhere"), IsEmpty()); }

}  // namespace
}  // namespace pvebus::storage
