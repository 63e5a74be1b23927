#include "network-service/host/node/node_of_machine.h"

#include <algorithm>

#include "network-service/host/testing/temporary_network.h"

namespace pvebus::network {
namespace {

using absl::StatusCode;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::UnorderedElementsAre;

class NodeOfMachineTest : public ::testing::Test {
 protected:
  NodeOfMachine::Options OptionsFor(const TemporaryNetwork& network) {
    NodeOfMachine::Options options;
    options.etc_network = network.path();
    options.lock_limit = std::chrono::milliseconds(50);
    options.ifupdown.ifreload = network.WriteProgram("ifreload", "cat " + network.Path("interfaces"));
    options.ifupdown.ifup = network.WriteProgram("ifup", "echo $*");
    options.ifupdown.lock_file = network.Path("run/.lock");
    options.ifupdown.needs_root = false;
    return options;
  }

  TemporaryNetwork network_;
  NodeOfMachine node_{OptionsFor(network_)};
};

TEST_F(NodeOfMachineTest, WithoutAMainFileNothingIsConfigured) {
  const auto configuration = node_.ReadApplied();

  ASSERT_TRUE(configuration.ok()) << configuration.status();
  EXPECT_TRUE(configuration->interfaces.empty());
  EXPECT_FALSE(configuration->has_errors);
}

TEST_F(NodeOfMachineTest, SourcesAreFollowedFromTheFolderInPlaceOfEtcNetwork) {
  std::filesystem::create_directory(network_.Path("interfaces.d"));
  network_.Write("interfaces.d/sdn", "auto vnet1\niface vnet1\n");
  network_.Write("interfaces", "source /etc/network/interfaces.d/*\nauto lo\niface lo inet loopback\n");
  network_.Write("interfaces.new", "source interfaces.d/*\n");
  ASSERT_TRUE(node_.PutRevertCandidate("source /etc/network/interfaces.d/sdn\niface eno1 inet manual\n").ok());

  EXPECT_THAT(node_.ReadApplied()->interfaces, UnorderedElementsAre(Key("lo"), Key("vnet1")));
  EXPECT_THAT(node_.ReadCandidate(Candidate::kStaged)->interfaces, UnorderedElementsAre(Key("vnet1")));
  EXPECT_THAT(node_.ReadCandidate(Candidate::kRevert)->interfaces, UnorderedElementsAre(Key("eno1"), Key("vnet1")));
}

TEST_F(NodeOfMachineTest, WithoutACandidateThereIsNothingToReadOrCheck) {
  network_.Write("interfaces", "");

  for (const Candidate candidate : {Candidate::kStaged, Candidate::kRevert}) {
    EXPECT_THAT(node_.ReadCandidate(candidate).status(), IsError(StatusCode::kFailedPrecondition, "CONFIGURATION_UNREADABLE"));
    EXPECT_THAT(node_.CheckSyntax(candidate, {}).status(), IsError(StatusCode::kFailedPrecondition, "CONFIGURATION_UNREADABLE"));
  }
  EXPECT_THAT(std::string(node_.ReadCandidate(Candidate::kStaged).status().message()), HasSubstr("nothing is staged"));
}

TEST_F(NodeOfMachineTest, AMainFileThatCannotBeReadIsAnError) {
  std::filesystem::create_directory(network_.Path("interfaces"));

  EXPECT_THAT(node_.ReadApplied().status(), IsError(StatusCode::kFailedPrecondition, "CONFIGURATION_UNREADABLE"));
  EXPECT_THAT(node_.ReadFiles().status(), IsError(StatusCode::kFailedPrecondition, "CONFIGURATION_UNREADABLE"));
  EXPECT_THAT(node_.UnifiedDiff().status(), IsError(StatusCode::kFailedPrecondition, "CONFIGURATION_UNREADABLE"));
}

TEST_F(NodeOfMachineTest, TheDiffIsEmptyWhenNothingIsToChange) {
  EXPECT_EQ(*node_.UnifiedDiff(), "");
  network_.Write("interfaces", "auto lo\n");
  EXPECT_EQ(*node_.UnifiedDiff(), "");
  network_.Write("interfaces.new", "auto lo\n");
  EXPECT_EQ(*node_.UnifiedDiff(), "");
}

TEST_F(NodeOfMachineTest, TheDiffLeadsToWhatIsStaged) {
  network_.Write("interfaces.new", "auto lo\n");
  EXPECT_EQ(*node_.UnifiedDiff(), "--- interfaces\n+++ interfaces.new\n@@ -0,0 +1 @@\n+auto lo\n");

  network_.Write("interfaces", "auto eno1\n");
  EXPECT_EQ(*node_.UnifiedDiff(), "--- interfaces\n+++ interfaces.new\n@@ -1 +1 @@\n-auto eno1\n+auto lo\n");
}

TEST_F(NodeOfMachineTest, AnApplyAndItsEnd) {
  network_.Write("interfaces", "# old\n");
  network_.Write("interfaces.new", "# new\n");
  auto lock = node_.Lock({});
  ASSERT_TRUE(lock.ok()) << lock.status();
  EXPECT_THAT(node_.Lock({}).status(), IsError(StatusCode::kUnavailable, "CONFIGURATION_LOCKED"));
  ASSERT_TRUE(node_.CheckAbility().ok());

  EXPECT_EQ(node_.CheckSyntax(Candidate::kStaged, {})->output, "-a -s -i " + network_.Path("interfaces.new") + "\n");
  ASSERT_TRUE(node_.KeepOld().ok());
  ASSERT_TRUE(node_.Install(Candidate::kStaged).ok());
  EXPECT_EQ(node_.Reload({})->output, "# new\n");
  ASSERT_TRUE(node_.Restore("# old\n", NetworkNode::Keep::kAsStaged).ok());
  EXPECT_TRUE(node_.WaitForOtherReloads({}));
  EXPECT_EQ(node_.Reload({})->output, "# old\n");

  EXPECT_EQ(node_.ReadFiles()->staged, "# new\n");
  EXPECT_TRUE(node_.DropOld().ok());
}

TEST_F(NodeOfMachineTest, TheKernelHasALoopback) {
  const auto kernel = node_.ReadKernel();

  ASSERT_TRUE(kernel.ok()) << kernel.status();
  EXPECT_TRUE(std::any_of(kernel->links.begin(), kernel->links.end(), [](const Link& link) { return link.name == "lo"; }));
}

}  // namespace
}  // namespace pvebus::network
