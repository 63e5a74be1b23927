#include "storage-service/host/config/config_watch.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>

#include "gtest/gtest.h"
#include "sdk/base/error.h"
#include "sdk/base/mutex.h"

namespace pvebus::storage {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ConfigWatchTest : public testing::Test {
 protected:
  ConfigWatchTest() {
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_);
  }
  ~ConfigWatchTest() override {
    watch_.reset();
    std::filesystem::remove_all(root_);
  }

  std::string path() const { return root_ + "/pve/storage.cfg"; }
  void MakeDirectory() { std::filesystem::create_directories(root_ + "/pve"); }
  void Write(const std::string& text) { std::ofstream(path(), std::ios::binary) << text; }
  // As pmxcfs and PVE do.
  void Replace(const std::string& text) {
    std::ofstream(path() + ".tmp", std::ios::binary) << text;
    std::filesystem::rename(path() + ".tmp", path());
  }

  // Without looks of its own unless the test asks for them: only the kernel's notices can help.
  void Watch(ConfigWatch::Options options = {.settle = milliseconds(10), .poll = std::chrono::hours(1)}) {
    watch_ = std::make_unique<ConfigWatch>(
        path(),
        [this](absl::StatusOr<std::string> text) {
          MutexLock lock(mutex_);
          texts_.push_back(text.ok() ? *text : "error: " + std::string(text.status().message()));
          last_status_ = text.status();
          called_.NotifyAll();
        },
        options);
  }

  std::string Next() {
    const SteadyTime deadline = RealClock().SteadyNow() + seconds(10);
    MutexLock lock(mutex_);
    while (texts_.empty()) {
      if (!called_.WaitUntil(mutex_, deadline)) return "nothing came within 10 s";
    }
    std::string text = texts_.front();
    texts_.pop_front();
    return text;
  }
  // Notices may come while who writes is not done: what is on the way to the last is no matter.
  std::string NextUntil(const std::string& wanted) {
    std::string text = Next();
    while (text != wanted && !text.starts_with("nothing")) text = Next();
    return text;
  }
  // Until others did that to the file so often since `begin` was called.
  static void AwaitNotices(
      const std::string& of, uint32_t kind, size_t count, const std::function<void()>& begin = [] {}) {
    const int fd = inotify_init1(IN_CLOEXEC);
    ASSERT_GE(inotify_add_watch(fd, of.c_str(), kind), 0);
    begin();
    for (size_t seen = 0; seen < count; ++seen) {
      pollfd polled{fd, POLLIN, 0};
      ASSERT_EQ(poll(&polled, 1, 10'000), 1) << "the file was not looked at within 10 s";
      // Without a name each notice has this size.
      std::array<char, sizeof(inotify_event)> notice;
      ASSERT_EQ(read(fd, notice.data(), notice.size()), static_cast<ssize_t>(notice.size()));
    }
    close(fd);
  }
  size_t Waiting() {
    MutexLock lock(mutex_);
    return texts_.size();
  }
  absl::Status last_status() {
    MutexLock lock(mutex_);
    return last_status_;
  }

  const std::string root_ = testing::TempDir() + "config_watch_" + std::to_string(getpid());
  Mutex mutex_;
  CondVar called_;
  std::deque<std::string> texts_ ABSL_GUARDED_BY(mutex_);
  absl::Status last_status_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<ConfigWatch> watch_;
};

TEST_F(ConfigWatchTest, TextIsToldAtTheBeginningAndWhenItChanges) {
  MakeDirectory();
  Write("one");
  Watch();
  EXPECT_EQ(Next(), "one");

  Write("two");
  EXPECT_EQ(NextUntil("two"), "two");
  Replace("three");
  EXPECT_EQ(NextUntil("three"), "three");
  Replace("four");
  EXPECT_EQ(NextUntil("four"), "four");
}

TEST_F(ConfigWatchTest, SameTextAgainIsNotTold) {
  MakeDirectory();
  Write("one");
  Watch({.settle = milliseconds(1), .poll = milliseconds(5)});
  EXPECT_EQ(Next(), "one");

  Replace("one");
  // The second look begins when all of the first is done.
  AwaitNotices(path(), IN_CLOSE_NOWRITE, 2);

  EXPECT_EQ(Waiting(), 0U);
}

TEST_F(ConfigWatchTest, WithoutAChangeItDoesNotLook) {
  MakeDirectory();
  Write("one");
  Watch({.settle = milliseconds(1), .poll = std::chrono::hours(1)});
  EXPECT_EQ(Next(), "one");
  const int looks = inotify_init1(IN_CLOEXEC);
  ASSERT_GE(inotify_add_watch(looks, path().c_str(), IN_OPEN), 0);

  pollfd polled{looks, POLLIN, 0};
  EXPECT_EQ(poll(&polled, 1, 200), 0) << "the file was looked at";
  close(looks);
}

TEST_F(ConfigWatchTest, MissingFileIsNotFoundAndSeenWhenItComes) {
  MakeDirectory();
  Watch();
  EXPECT_EQ(Next(), "error: " + path() + " does not exist");
  EXPECT_EQ(last_status().code(), absl::StatusCode::kNotFound);

  Replace("one");
  EXPECT_EQ(NextUntil("one"), "one");
  std::filesystem::remove(path());
  EXPECT_EQ(Next(), "error: " + path() + " does not exist");
}

TEST_F(ConfigWatchTest, DirectoryMayComeAndGo) {
  Watch();
  EXPECT_EQ(Next(), "error: " + path() + " does not exist");

  for (const char* text : {"one", "two"}) {
    MakeDirectory();
    Replace(text);
    EXPECT_EQ(NextUntil(text), text);
    std::filesystem::remove_all(root_ + "/pve");
    EXPECT_EQ(Next(), "error: " + path() + " does not exist");
  }
}

TEST_F(ConfigWatchTest, ChangeOfWhichTheKernelDoesNotTellIsFound) {
  MakeDirectory();
  Write("one");
  Watch({.settle = milliseconds(10), .poll = milliseconds(20)});
  EXPECT_EQ(Next(), "one");

  // What is written through a mapping gives no notice.
  const int fd = open(path().c_str(), O_RDWR | O_CLOEXEC);
  void* mapped = mmap(nullptr, 3, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ASSERT_NE(mapped, MAP_FAILED);
  std::memcpy(mapped, "two", 3);

  EXPECT_EQ(NextUntil("two"), "two");
  munmap(mapped, 3);
  close(fd);
}

TEST_F(ConfigWatchTest, FileOverTheLimitIsAnErrorThatNamesIt) {
  MakeDirectory();
  Write("12345678");
  Watch({.poll = seconds(1), .most_bytes = 8});
  EXPECT_EQ(Next(), "12345678");

  Replace("123456789");

  EXPECT_EQ(Next(), "error: " + path() + " has more than 8 bytes, which is as much as Proxmox VE keeps");
  EXPECT_EQ(ErrorReason(last_status()), "STORAGE_CONFIG_TOO_LARGE");
}

TEST_F(ConfigWatchTest, DirectoryInPlaceOfTheFileIsAnError) {
  std::filesystem::create_directories(path());
  Watch();

  EXPECT_EQ(Next(), "error: " + path() + " cannot be read: Is a directory");
}

TEST_F(ConfigWatchTest, EndsAtOnceBetweenLooks) {
  MakeDirectory();
  Write("one");
  Watch();
  EXPECT_EQ(Next(), "one");
  const SteadyTime begun = RealClock().SteadyNow();

  watch_.reset();

  EXPECT_LT(RealClock().SteadyNow() - begun, seconds(5));
}

TEST_F(ConfigWatchTest, FileSystemThatHangsHoldsNobody) {
  MakeDirectory();
  // Who reads it waits until somebody writes.
  ASSERT_EQ(mkfifo(path().c_str(), 0600), 0);
  const int writer = open(path().c_str(), O_RDWR | O_CLOEXEC);
  AwaitNotices(path(), IN_OPEN, 1, [this] { Watch(); });
  const SteadyTime begun = RealClock().SteadyNow();

  watch_.reset();

  EXPECT_LT(RealClock().SteadyNow() - begun, seconds(5));
  // The thread that was left behind comes to its end, and calls nobody.
  close(writer);
  EXPECT_EQ(Waiting(), 0U);
}

}  // namespace
}  // namespace pvebus::storage
