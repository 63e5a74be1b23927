// Servers that do not answer, in a network of the test's own: what a check may cost, and whom it may delay.
#include <arpa/inet.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <future>

#include "absl/strings/str_format.h"
#include "tests/system/storage_node.h"

namespace pvebus::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::AllOf;
using ::testing::HasSubstr;

// Why there is none; empty when the whole program, and what it starts, has a network of its own from now on.
std::string EnterOwnNetwork() {
  const uid_t uid = getuid();
  if (unshare(CLONE_NEWNET) != 0) {
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return strerror(errno);
    std::ofstream("/proc/self/setgroups") << "deny";
    std::ofstream("/proc/self/uid_map") << absl::StrFormat("0 %d 1", uid);
  }
  return ShSucceeds("ip link set lo up && ip link add hole0 type veth peer name hole1") ? "" : "ip link add: no veth";
}

// Accepts connections, as a hung server's kernel does, and never says a word.
class SilentServer {
 public:
  SilentServer(const char* address, uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    inet_pton(AF_INET, address, &to.sin_addr);
    EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&to), sizeof(to)), 0);
    EXPECT_EQ(listen(socket_, 128), 0);
  }
  ~SilentServer() { close(socket_); }

 private:
  const int socket_;
};

constexpr seconds kLimit{2};
constexpr int kStorages = 50;

class StorageRefreshTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { why_not_ = EnterOwnNetwork(); }
  void SetUp() override {
    if (!why_not_.empty()) GTEST_SKIP() << "NOT PROVEN: how long a check takes. No network namespace: " << why_not_;
    ShSucceeds("ip link delete hole0");
    Sh("ip link add hole0 type veth peer name hole1 && ip link set hole0 up && ip link set hole1 up");
    // Somebody is said to be there, and nobody is: packets vanish.
    Sh("ip address add 10.5.0.5/24 dev hole0 && ip neighbour add 10.5.0.9 lladdr 02:00:00:00:00:09 dev hole0");
  }

  // A hung NFS server, a portal in a black hole, and others whose servers refuse.
  static std::string Config() {
    std::string config =
        "nfs: hung\n\tserver 127.0.0.2\n\texport /x\n\niscsi: hole\n\tportal 10.5.0.9\n\ttarget iqn.2026-11.x:y\n\n";
    for (int i = 2; i < kStorages; ++i) {
      absl::StrAppendFormat(&config, "cifs: share%d\n\tserver 127.0.1.%d\n\tshare x\n\n", i, i);
    }
    return config;
  }
  static std::vector<std::string> Flags() {
    return {"--probe-limit", absl::StrFormat("%d", kLimit.count()), "--refresh-interval", "0"};
  }

  static inline std::string why_not_;
};

TEST_F(StorageRefreshTest, EndsWithinTheLimitAndASecondWhateverHangs) {
  const SilentServer hung("127.0.0.2", 2049);
  StorageNode node(Config(), Flags());

  const auto start = steady_clock::now();
  const auto response = Call(&StorageNode::Stub::RefreshStorageStatus, node.storage(), {}, seconds(30));
  const auto took = steady_clock::now() - start;

  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->refreshed_size(), kStorages);
  EXPECT_LT(took, kLimit + seconds(1));
  EXPECT_GE(took, kLimit);
  const storage::v1::Storage nfs = node.StatusOf("hung");
  EXPECT_EQ(nfs.state(), storage::v1::STORAGE_STATE_ERROR);
  EXPECT_THAT(nfs.reason(), AllOf(HasSubstr("127.0.0.2:2049"), HasSubstr("answer"))) << nfs.DebugString();
  const storage::v1::Storage hole = node.StatusOf("hole");
  EXPECT_EQ(hole.state(), storage::v1::STORAGE_STATE_ERROR);
  EXPECT_EQ(hole.endpoints(0).reachability(), storage::v1::REACHABILITY_TIMED_OUT) << hole.DebugString();
  EXPECT_EQ(hole.endpoints(0).interface(), "hole0");
  EXPECT_EQ(node.StatusOf("share7").endpoints(0).reachability(), storage::v1::REACHABILITY_REFUSED);
}

TEST_F(StorageRefreshTest, EventsOfOtherKeysDoNotWaitForIt) {
  const SilentServer hung("127.0.0.2", 2049);
  StorageNode node(Config(), Flags());
  ASSERT_TRUE(Call(&StorageNode::Stub::RefreshStorageStatus, node.storage(), {}, seconds(30)).ok());

  const auto start = steady_clock::now();
  auto slow = node.bus().PublishLater(RequestOf(NetworkAppliedTo({"lo", "hole0"})));
  // It is under way: its row has not answered, and 2 s will pass before it does.
  int others = 0;
  while (slow.wait_for(milliseconds(0)) != std::future_status::ready) {
    const auto other_start = steady_clock::now();
    const auto other = node.bus().Publish(ContainerStartedEvent(100 + static_cast<uint32_t>(++others)));
    ASSERT_TRUE(other.ok()) << other.status();
    EXPECT_EQ(other->result().outcome(), bus::v1::PUBLISH_OUTCOME_SUCCEEDED);
    EXPECT_LT(steady_clock::now() - other_start, seconds(1));
  }
  const auto took = steady_clock::now() - start;
  const auto refreshed = slow.get();

  ASSERT_TRUE(refreshed.ok()) << refreshed.status();
  EXPECT_EQ(RowOf(refreshed->result(), "storage-hooks").state(), bus::v1::DELIVERY_STATE_SUCCEEDED);
  EXPECT_EQ(RowsOf(refreshed->result(), "storage-status-refresher").size(), 1u + kStorages) << refreshed->result().DebugString();
  EXPECT_LT(took, kLimit + seconds(1));
  EXPECT_GE(took, kLimit);
  EXPECT_GT(others, 10);
}

TEST_F(StorageRefreshTest, ChangeOfStateIsPublishedOnceOverRestartsToo) {
  auto server = std::make_unique<SilentServer>("127.0.0.3", 8007);
  StorageNode node("pbs: backup\n\tserver 127.0.0.3\n\tdatastore x\n\tusername root@pam\n", Flags());
  const auto refresh = [&] { return Call(&StorageNode::Stub::RefreshStorageStatus, node.storage(), {}, seconds(30)).ok(); };
  const std::string changes = R"(event_type = custom AND ordering_key = "storage/backup")";
  ASSERT_TRUE(refresh());
  EXPECT_EQ(node.StatusOf("backup").state(), storage::v1::STORAGE_STATE_ACTIVE);
  EXPECT_EQ(node.CountEvents(changes), 0);

  node.Kill();
  server.reset();
  node.Start();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(refresh());

  WaitFor("storage_status_changed to be in the journal", [&] { return node.CountEvents(changes) > 0; });
  EXPECT_EQ(node.CountEvents(changes), 1);
}

}  // namespace
}  // namespace pvebus::testing
