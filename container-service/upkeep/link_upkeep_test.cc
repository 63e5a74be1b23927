#include "container-service/upkeep/link_upkeep.h"

#include <deque>
#include <optional>

#include "container-service/core/testing/node_links.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::container {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A node whose links the test decides, and what the upkeep did.
class LinkUpkeepTest : public ::testing::Test {
 protected:
  LinkUpkeepTest() { node_.Bridge("vmbr0"); }

  void Start(bool first, KnownContainers known = {}) {
    LinkDuties duties{
        .observe = [this]() -> absl::StatusOr<NodeObservation> {
          MutexLock lock(mu_);
          return NodeObservation{.devices = DevicesByContainer(node_.network)};
        },
        .tell =
            [this](const std::vector<Occurrence>& occurrences) {
              MutexLock lock(mu_);
              if (tell_failures_ > 0 && tell_failures_-- > 0) return absl::ResourceExhaustedError("disk full");
              for (const Occurrence& occurrence : occurrences) {
                Note(absl::StrFormat("%s %d", std::string(LifecycleName(occurrence.what.kind)), occurrence.what.container_id));
              }
              return absl::OkStatus();
            },
        .keep =
            [this](const KnownContainers& kept) {
              MutexLock lock(mu_);
              if (keep_failures_ > 0 && keep_failures_-- > 0) return absl::ResourceExhaustedError("disk full");
              Note(absl::StrFormat("kept %d", kept.size()));
              return absl::OkStatus();
            }};
    const ContainerWatchOptions options{.quiet = milliseconds(20), .at_most = milliseconds(200)};
    upkeep_.emplace(std::move(duties), ContainerWatch(options, "boot", std::move(known), true), first, logger_);
  }
  void Change(const std::function<void(NodeLinks&)>& change) {
    {
      MutexLock lock(mu_);
      change(node_);
    }
    upkeep_->OnLinksChanged();
  }
  void Note(std::string note) {
    notes_.push_back(std::move(note));
    changed_.NotifyAll();
  }
  // The next thing that was done; "nothing" after 10 s.
  std::string Next() {
    const SteadyTime deadline = std::chrono::steady_clock::now() + seconds(10);
    MutexLock lock(mu_);
    while (notes_.empty()) {
      if (!changed_.WaitUntil(mu_, deadline)) return "nothing";
    }
    std::string note = std::move(notes_.front());
    notes_.pop_front();
    return note;
  }

  NullLogger logger_;
  Mutex mu_;
  CondVar changed_;
  NodeLinks node_;
  int tell_failures_ = 0;
  int keep_failures_ = 0;
  std::deque<std::string> notes_;
  std::optional<LinkUpkeep> upkeep_;
};

TEST_F(LinkUpkeepTest, WhatRunsAtTheVeryFirstLookIsNoStart) {
  node_.Veth("veth101i0", "vmbr0");

  Start(/*first=*/true);

  EXPECT_EQ(Next(), "kept 1");
  Change([](NodeLinks& node) { node.Veth("veth102i0", "vmbr0"); });
  EXPECT_EQ(Next(), "ContainerStarted 102");
  EXPECT_EQ(Next(), "kept 2");
}

TEST_F(LinkUpkeepTest, WhatHappenedBeforeItBeganIsTold) {
  node_.Veth("veth101i0", "vmbr0");

  Start(/*first=*/false, {{102, {.start = "v3", .interfaces = {{0, {"veth102i0", 3, "vmbr0"}}}}}});

  EXPECT_EQ(Next(), "ContainerStarted 101");
  EXPECT_EQ(Next(), "ContainerStopped 102");
  EXPECT_EQ(Next(), "kept 1");
}

TEST_F(LinkUpkeepTest, WhatCannotBeToldOrKeptIsTriedAgainAndToldOnce) {
  tell_failures_ = 1;
  keep_failures_ = 1;
  Start(/*first=*/false);

  Change([](NodeLinks& node) { node.Veth("veth101i0", "vmbr0"); });

  EXPECT_EQ(Next(), "ContainerStarted 101");
  EXPECT_EQ(Next(), "kept 1");
  Change([](NodeLinks& node) { node.Remove("veth101i0"); });
  EXPECT_EQ(Next(), "ContainerStopped 101");
  EXPECT_EQ(Next(), "kept 0");
}

}  // namespace
}  // namespace pvebus::container
