#include "network-service/core/ifupdown2_output.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::network {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

ProgramReport Wrote(const std::string& output, int exit_code = 1) { return {.exit_code = exit_code, .output = output}; }

TEST(Ifupdown2OutputTest, ACheckThatOnlyWarnsOfValuesRefusesNothing) {
  EXPECT_FALSE(RefusesConfiguration(Wrote("", 0)));
  EXPECT_FALSE(RefusesConfiguration(
      Wrote("warning: vmbr1: bridge-ports: invalid value \"none\": valid attribute values: ['<interface-list>']\n")));
  EXPECT_FALSE(RefusesConfiguration(
      Wrote("warning: vmbr0: bridge inherits mtu from its ports. There is no need to assign mtu on a bridge\n"
            "warning: eno1.5: vlan dev mtu 9000 is greater than lower realdev eno1 mtu 1500\n")));
}

TEST(Ifupdown2OutputTest, ACheckRefusesForErrorsAndForWhatItsParserSays) {
  EXPECT_TRUE(RefusesConfiguration(Wrote("error: /etc/network/interfaces.new: line6: iface eno1: invalid syntax 'mtu'\n")));
  EXPECT_TRUE(RefusesConfiguration(
      Wrote("warning: /etc/network/interfaces.new: line4: cannot find source file /etc/network/interfaces.d/nothere\n")));
  EXPECT_TRUE(RefusesConfiguration(Wrote("warning: vmbr0: bridge inherits mtu from its ports\nerror: eno1: bad\n")));
  EXPECT_TRUE(RefusesConfiguration(Wrote("Traceback (most recent call last):\n")));
  EXPECT_TRUE(RefusesConfiguration(Wrote("")));
  EXPECT_TRUE(RefusesConfiguration(Wrote("warning: eno1: odd\n", 89)));
  EXPECT_TRUE(RefusesConfiguration({.exit_code = 0, .timed_out = true}));
}

TEST(Ifupdown2OutputTest, ComplaintsAreItsWarningsAndErrorsButNotThoseAboutTheMachine) {
  EXPECT_THAT(ComplaintsIn(Wrote("warning: /sbin/brctl: missing - bridge operation may not work as expected.\n"
                                 "\n"
                                 "hello\n"
                                 "warning: eno1: post-up cmd 'exit 3' failed: returned 3\n"
                                 "warning: vmbr0: apply bridge settings: cmd '...' failed: returned 1 (Invalid VLAN range\n"
                                 "Command failed -:1\n"
                                 ")\n"
                                 "error: bond0: skipping slave eno7, does not exist\n"
                                 "warning: eno1: post-up cmd 'exit 3' failed: returned 3\n",
                                 0)),
              ElementsAre("warning: eno1: post-up cmd 'exit 3' failed: returned 3",
                          "warning: vmbr0: apply bridge settings: cmd '...' failed: returned 1 (Invalid VLAN range",
                          "error: bond0: skipping slave eno7, does not exist"));
  EXPECT_THAT(ComplaintsIn(Wrote("")), IsEmpty());
}

TEST(Ifupdown2OutputTest, ComplaintsAreBounded) {
  std::string output;
  for (int i = 0; i < 200; ++i) absl::StrAppend(&output, "error: ", i, std::string(1000, 'x'), "\n");

  const auto complaints = ComplaintsIn(Wrote(output));

  ASSERT_THAT(complaints, SizeIs(100));
  EXPECT_LE(complaints[0].size(), 400u);
}

}  // namespace
}  // namespace pvebus::network
