#include "container-service/core/container_watch.h"

#include <optional>

#include "container-service/core/testing/node_links.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::container {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class ContainerWatchTest : public ::testing::Test {
 protected:
  ContainerWatchTest() { node_.Bridge("vmbr0").Bridge("vmbr1").Bridge("blue"); }

  NodeObservation Now() const {
    return {.time = now_, .devices = DevicesByContainer(node_.network), .cgroups = cgroups_, .vnets = {{"blue", {.zone = "z"}}}};
  }
  // What is told now: "net0 InterfaceAdded", or only the kind.
  std::vector<std::string> Look() {
    std::vector<std::string> told;
    for (const WatchConclusion& conclusion : watch_->Observe(Now())) {
      for (const Occurrence& occurrence : conclusion.occurrences) {
        const std::string interface = occurrence.what.interface.empty() ? "" : occurrence.what.interface + " ";
        told.push_back(interface + std::string(LifecycleName(occurrence.what.kind)));
        last_ = occurrence;
      }
      watch_->Accept(conclusion);
    }
    return told;
  }
  // After everything has been quiet.
  std::vector<std::string> LookAfterQuiet() {
    std::vector<std::string> told = Look();
    now_ += milliseconds(500);
    for (const std::string& more : Look()) told.push_back(more);
    return told;
  }

  NodeLinks node_;
  std::map<uint32_t, std::string> cgroups_;
  SteadyTime now_{std::chrono::hours(1)};
  std::optional<ContainerWatch> watch_{std::in_place, ContainerWatchOptions{}, "boot-1", KnownContainers{}, true};
  Occurrence last_;
};

TEST_F(ContainerWatchTest, AStartIsToldOnceWhenItsDevicesAreQuiet) {
  node_.Veth("veth101i0", "");
  EXPECT_THAT(Look(), IsEmpty());
  EXPECT_EQ(watch_->NextLook(), now_ + milliseconds(500));
  now_ += milliseconds(300);
  node_.Of("veth101i0").master_index = node_.IndexOf("vmbr0");
  node_.Veth("veth101i1", "vmbr1");
  EXPECT_THAT(Look(), IsEmpty());
  now_ += milliseconds(499);
  EXPECT_THAT(Look(), IsEmpty());
  now_ += milliseconds(1);
  EXPECT_THAT(Look(), ElementsAre("ContainerStarted"));
  EXPECT_THAT(LookAfterQuiet(), IsEmpty());
  EXPECT_EQ(watch_->NextLook(), SteadyTime::max());
  EXPECT_EQ(last_.request_id, "container-started/101/boot-1/v" + std::to_string(node_.IndexOf("veth101i0")));
}

TEST_F(ContainerWatchTest, AContainerWhoseDevicesNeverRestIsToldOfAllTheSame) {
  node_.Veth("veth101i0", "vmbr0");
  std::vector<std::string> told = Look();
  for (int i = 0; i < 10 && told.empty(); ++i) {
    now_ += milliseconds(400);
    node_.Of("veth101i0").master_index = node_.IndexOf(i % 2 == 0 ? "vmbr1" : "vmbr0");
    told = Look();
  }

  EXPECT_THAT(told, ElementsAre("ContainerStarted"));
}

TEST_F(ContainerWatchTest, AStopIsTold) {
  node_.Veth("veth101i0", "vmbr0");
  ASSERT_THAT(LookAfterQuiet(), ElementsAre("ContainerStarted"));
  const std::string start = watch_->known().at(101).start;

  node_.Remove("veth101i0");

  EXPECT_THAT(LookAfterQuiet(), ElementsAre("ContainerStopped"));
  EXPECT_EQ(last_.request_id, "container-stopped/101/boot-1/" + start);
  EXPECT_THAT(watch_->known(), IsEmpty());
}

TEST_F(ContainerWatchTest, ARebootFromInsideIsAStopAndAStartHoweverQuickItWas) {
  node_.Veth("veth101i0", "vmbr0");
  ASSERT_THAT(LookAfterQuiet(), ElementsAre("ContainerStarted"));
  const Occurrence first = last_;

  node_.Remove("veth101i0");
  node_.Veth("veth101i0", "vmbr0");

  EXPECT_THAT(LookAfterQuiet(), ElementsAre("ContainerStopped", "ContainerStarted"));
  EXPECT_NE(last_.request_id, first.request_id);
}

TEST_F(ContainerWatchTest, ARebootIsTheCgroupsWordWhereThereIsOne) {
  cgroups_[101] = "c7";
  node_.Veth("veth101i0", "vmbr0");
  ASSERT_THAT(LookAfterQuiet(), ElementsAre("ContainerStarted"));

  node_.Remove("veth101i0");
  node_.Veth("veth101i0", "vmbr1");
  EXPECT_THAT(LookAfterQuiet(), ElementsAre("net0 InterfaceUpdated"));

  cgroups_[101] = "c8";
  node_.Remove("veth101i0");
  node_.Veth("veth101i0", "vmbr1");
  EXPECT_THAT(LookAfterQuiet(), ElementsAre("ContainerStopped", "ContainerStarted"));
}

TEST_F(ContainerWatchTest, HotplugOfARunningContainerIsAChangeOfItsNetwork) {
  node_.Veth("veth101i0", "vmbr0");
  ASSERT_THAT(LookAfterQuiet(), ElementsAre("ContainerStarted"));

  node_.Veth("veth101i1", "vmbr1");
  EXPECT_THAT(LookAfterQuiet(), ElementsAre("net1 InterfaceAdded"));
  EXPECT_EQ(last_.what, (Lifecycle{LifecycleKind::kInterfaceAdded, 101, "net1", "veth101i1", "", "vmbr1"}));
  node_.Of("veth101i1").master_index = node_.IndexOf("vmbr0");
  EXPECT_THAT(LookAfterQuiet(), ElementsAre("net1 InterfaceUpdated"));
  EXPECT_EQ(last_.what.before + " " + last_.what.after, "vmbr1 vmbr0");
  node_.Remove("veth101i1");
  EXPECT_THAT(LookAfterQuiet(), ElementsAre("net1 InterfaceRemoved"));
}

TEST_F(ContainerWatchTest, VnetsAreBoundAndUnbound) {
  node_.Veth("veth101i0", "vmbr0");
  ASSERT_THAT(LookAfterQuiet(), ElementsAre("ContainerStarted"));

  node_.Of("veth101i0").master_index = node_.IndexOf("blue");
  EXPECT_THAT(LookAfterQuiet(), ElementsAre("net0 InterfaceUpdated", "net0 VNetBound"));
  node_.Of("veth101i0").master_index = node_.IndexOf("vmbr1");
  EXPECT_THAT(LookAfterQuiet(), ElementsAre("net0 VNetUnbound", "net0 InterfaceUpdated"));
}

TEST_F(ContainerWatchTest, TheSameChangeAgainIsAnotherOne) {
  node_.Veth("veth101i0", "vmbr0");
  ASSERT_THAT(LookAfterQuiet(), ElementsAre("ContainerStarted"));
  node_.Of("veth101i0").master_index = node_.IndexOf("vmbr1");
  ASSERT_THAT(LookAfterQuiet(), ElementsAre("net0 InterfaceUpdated"));
  const std::string first = last_.request_id;
  node_.Of("veth101i0").master_index = node_.IndexOf("vmbr0");
  LookAfterQuiet();
  node_.Of("veth101i0").master_index = node_.IndexOf("vmbr1");

  EXPECT_THAT(LookAfterQuiet(), ElementsAre("net0 InterfaceUpdated"));
  EXPECT_NE(last_.request_id, first);
}

TEST_F(ContainerWatchTest, AContainerThatLostItsLastInterfaceRunsUntilItsCgroupGoes) {
  cgroups_[101] = "c7";
  node_.Veth("veth101i0", "vmbr0");
  ASSERT_THAT(LookAfterQuiet(), ElementsAre("ContainerStarted"));
  node_.Remove("veth101i0");
  EXPECT_THAT(LookAfterQuiet(), ElementsAre("net0 InterfaceRemoved"));
  EXPECT_THAT(LookAfterQuiet(), IsEmpty());

  cgroups_.clear();

  EXPECT_THAT(LookAfterQuiet(), ElementsAre("ContainerStopped"));
}

TEST_F(ContainerWatchTest, AContainerWithoutDevicesHasStartedWhenThatLastsAndWhatItGetsThenIsNoOtherStart) {
  cgroups_[101] = "c7";
  EXPECT_THAT(LookAfterQuiet(), IsEmpty());
  now_ = watch_->NextLook();

  EXPECT_THAT(Look(), ElementsAre("ContainerStarted"));
  EXPECT_EQ(last_.request_id, "container-started/101/boot-1/c7");
  node_.Veth("veth101i0", "vmbr0");
  EXPECT_THAT(LookAfterQuiet(), ElementsAre("net0 InterfaceAdded"));
  node_.Remove("veth101i0");
  cgroups_.clear();
  EXPECT_THAT(LookAfterQuiet(), ElementsAre("ContainerStopped"));
}

TEST_F(ContainerWatchTest, ACgroupThatIsThereBeforeTheDevicesIsNoStartOfItsOwn) {
  cgroups_[101] = "c7";
  EXPECT_THAT(Look(), IsEmpty());
  now_ += milliseconds(4000);
  node_.Veth("veth101i0", "");
  EXPECT_THAT(Look(), IsEmpty());
  node_.Of("veth101i0").master_index = node_.IndexOf("vmbr0");

  EXPECT_THAT(LookAfterQuiet(), ElementsAre("ContainerStarted"));
  EXPECT_EQ(last_.request_id, "container-started/101/boot-1/v" + std::to_string(node_.IndexOf("veth101i0")));
}

TEST_F(ContainerWatchTest, WhileAContainerHasNoDeviceItsCgroupIsLookedAtSoon) {
  cgroups_[101] = "c7";
  node_.Veth("veth101i0", "vmbr0");
  LookAfterQuiet();
  EXPECT_EQ(watch_->NextLook(), SteadyTime::max());

  node_.Remove("veth101i0");
  LookAfterQuiet();

  EXPECT_EQ(watch_->NextLook(), now_ + milliseconds(5000));
}

TEST_F(ContainerWatchTest, WhatIsNotAcceptedIsConcludedAgainAndTheSame) {
  node_.Veth("veth101i0", "vmbr0");
  watch_->Observe(Now());
  now_ += milliseconds(500);

  const auto first = watch_->Observe(Now());
  const auto second = watch_->Observe(Now());

  ASSERT_EQ(first.size(), 1);
  ASSERT_EQ(second.size(), 1);
  EXPECT_EQ(first[0].occurrences[0].request_id, second[0].occurrences[0].request_id);
  EXPECT_THAT(watch_->known(), IsEmpty());
}

TEST_F(ContainerWatchTest, WhatHappenedWhileNobodyWatchedIsTold) {
  node_.Veth("veth101i0", "vmbr0").Veth("veth102i0", "vmbr0").Veth("veth103i0", "vmbr0");
  LookAfterQuiet();
  const KnownContainers known = watch_->known();
  node_.Remove("veth101i0");
  node_.Remove("veth102i0");
  node_.Veth("veth102i0", "vmbr0").Veth("veth104i0", "vmbr0");

  watch_.emplace(ContainerWatchOptions{}, "boot-1", known, /*same_boot=*/true);

  EXPECT_THAT(LookAfterQuiet(), ElementsAre("ContainerStopped", "ContainerStopped", "ContainerStarted", "ContainerStarted"));
}

TEST_F(ContainerWatchTest, AfterAnotherBootEverythingHasStoppedAndStartedWhateverTheNumbers) {
  node_.Veth("veth101i0", "vmbr0").Veth("veth102i0", "vmbr0");
  LookAfterQuiet();
  const KnownContainers known = watch_->known();
  node_.Remove("veth102i0");

  watch_.emplace(ContainerWatchOptions{}, "boot-2", known, /*same_boot=*/false);

  EXPECT_THAT(LookAfterQuiet(), ElementsAre("ContainerStopped", "ContainerStarted", "ContainerStopped"));
  EXPECT_THAT(last_.request_id, StartsWith("container-stopped/102/boot-2/earlier-v"));
}

TEST_F(ContainerWatchTest, AtTheVeryFirstLookNothingHasHappened) {
  node_.Veth("veth101i0", "vmbr0");

  watch_->AcceptAll(Now());

  EXPECT_THAT(LookAfterQuiet(), IsEmpty());
  node_.Remove("veth101i0");
  EXPECT_THAT(LookAfterQuiet(), ElementsAre("ContainerStopped"));
}

}  // namespace
}  // namespace pvebus::container
