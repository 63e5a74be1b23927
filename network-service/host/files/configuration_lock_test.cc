#include "network-service/host/files/configuration_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <future>

#include "network-service/host/testing/temporary_network.h"
#include "sdk/posix/fd.h"

namespace pvebus::network {
namespace {

using absl::StatusCode;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

class ConfigurationLockTest : public ::testing::Test {
 protected:
  // As another process has it: flock is about open files, not about processes.
  Fd LockAsAnother() const {
    Fd file(open(network_.Path(".pve-interfaces.lock").c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
    EXPECT_EQ(flock(file.get(), LOCK_EX | LOCK_NB), 0);
    return file;
  }
  auto LockLater(const std::stop_token& stop = {}) const {
    return std::async(std::launch::async, [this, stop] { return LockConfiguration(network_.path(), hours(1), stop); });
  }

  TemporaryNetwork network_;
};

TEST_F(ConfigurationLockTest, IsTakenAndLetGo) {
  auto lock = LockConfiguration(network_.path(), seconds(1), {});
  ASSERT_TRUE(lock.ok()) << lock.status();
  EXPECT_THAT(LockConfiguration(network_.path(), milliseconds(1), {}).status(),
              IsError(StatusCode::kUnavailable, "CONFIGURATION_LOCKED"));

  lock->reset();

  EXPECT_TRUE(LockConfiguration(network_.path(), seconds(1), {}).ok());
  EXPECT_EQ(network_.Read(".pve-interfaces.lock"), "");
}

TEST_F(ConfigurationLockTest, IsWaitedForNoLongerThanTheLimit) {
  const Fd other = LockAsAnother();

  const auto lock = LockConfiguration(network_.path(), milliseconds(50), {});

  EXPECT_THAT(lock.status(), IsError(StatusCode::kUnavailable, "CONFIGURATION_LOCKED"));
  EXPECT_EQ(ErrorMetadata(lock.status())["path"], network_.Path(".pve-interfaces.lock"));
}

TEST_F(ConfigurationLockTest, IsTakenWhenTheOtherLetsGo) {
  Fd other = LockAsAnother();
  auto lock = LockLater();

  EXPECT_EQ(lock.wait_for(milliseconds(50)), std::future_status::timeout);
  other.Close();

  ASSERT_EQ(lock.wait_for(seconds(10)), std::future_status::ready) << "waited for the lock that another has let go";
  EXPECT_TRUE(lock.get().ok());
}

TEST_F(ConfigurationLockTest, WaitIsOverWhenItIsToStop) {
  const Fd other = LockAsAnother();
  std::stop_source stop;
  auto lock = LockLater(stop.get_token());

  stop.request_stop();

  ASSERT_EQ(lock.wait_for(seconds(10)), std::future_status::ready) << "waited for the end of the wait";
  EXPECT_THAT(lock.get().status(), IsError(StatusCode::kCancelled, "WAIT_STOPPED"));
}

TEST_F(ConfigurationLockTest, WithoutTheFolderThereIsNone) {
  EXPECT_THAT(LockConfiguration(network_.Path("gone"), seconds(1), {}).status(),
              IsError(StatusCode::kFailedPrecondition, "CONFIGURATION_UNWRITABLE"));
}

}  // namespace
}  // namespace pvebus::network
