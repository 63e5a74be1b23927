#include "cli/hook_output.h"

#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "pvebus/bus/v1/bus_service.pb.h"

namespace pvebus::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// A hook that ran a program which failed.
HookResultList Failed(const std::string& output) {
  HookResultList hooks;
  bus::v1::HookResult& hook = *hooks.Add();
  hook.set_hook("programs");
  hook.set_state(bus::v1::HOOK_STATE_FAILED);
  hook.set_resource("container/101");
  hook.set_message("10-route failed");
  hook.set_exit_code(3);
  hook.set_output(output);
  return hooks;
}

std::string Printed(const HookResultList& hooks, ProgramOutput output) {
  std::ostringstream out;
  PrintHookResults(hooks, output, out);
  return out.str();
}

TEST(HookOutputTest, WhatAHookDidToSeveralThingsStandsBelowIt) {
  bus::v1::ListenerResult row;
  for (const char* resource : {"network", "storage/nas", "storage/san"}) {
    bus::v1::HookResult& hook = *row.add_hook_results();
    hook.set_hook("storage-vlan-reconciler");
    hook.set_resource(resource);
    hook.set_message("done");
  }
  row.mutable_hook_results(1)->set_before("missing");
  row.mutable_hook_results(1)->set_after("up");
  row.mutable_hook_results(2)->set_before("up");
  row.mutable_hook_results(2)->set_after("up");
  row.add_hook_results()->set_hook("other");

  const std::vector<HookLine> lines = LinesOf(row.hook_results(), ProgramOutput::kLastLine);

  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0].name, "storage-vlan-reconciler");
  EXPECT_EQ(lines[0].text, "network: done");
  EXPECT_EQ(lines[1].name, "  storage/nas");
  EXPECT_EQ(lines[1].text, "missing -> up: done");
  EXPECT_EQ(lines[2].text, "up: done");
  EXPECT_EQ(lines[3].name, "other");
}

TEST(HookOutputTest, AProgramsExitStatusAndItsLastLineStandBesideTheRest) {
  EXPECT_EQ(Printed(Failed("adding route\nRTNETLINK answers: File exists\n \n\n"), ProgramOutput::kLastLine),
            "HOOK      STATE   DETAIL\n"
            "programs  FAILED  container/101: 10-route failed, exit 3: RTNETLINK answers: File exists\n");
}

TEST(HookOutputTest, AllThatAProgramWroteStandsBelowItsRow) {
  HookResultList hooks = Failed("adding route\r\n\n\tRTNETLINK \x1b[31manswers\x1b[0m\n\n");
  hooks.Add()->set_hook("last");

  EXPECT_EQ(Printed(hooks, ProgramOutput::kWhole),
            "HOOK      STATE        DETAIL\n"
            "programs  FAILED       container/101: 10-route failed, exit 3\n"
            "      | adding route\n"
            "      |\n"
            "      |  RTNETLINK \\x1b[31manswers\\x1b[0m\n"
            "last      UNSPECIFIED\n");
}

TEST(HookOutputTest, AProgramThatWroteNothingHasOnlyItsExitStatus) {
  for (const char* nothing : {"", "\n", " \r\n \n"}) {
    HookResultList hooks = Failed(nothing);
    hooks.Mutable(0)->set_exit_code(0);
    hooks.Mutable(0)->clear_message();

    EXPECT_EQ(LinesOf(hooks, ProgramOutput::kLastLine).at(0).text, "container/101, exit 0");
    EXPECT_THAT(LinesOf(hooks, ProgramOutput::kWhole).at(0).output, IsEmpty());
  }
}

TEST(HookOutputTest, OfAProgressBarTheLastStateIsTheLastLine) {
  EXPECT_EQ(LinesOf(Failed("10 %\r 50 %\r100 %\r\n"), ProgramOutput::kLastLine).at(0).text,
            "container/101: 10-route failed, exit 3: 100 %");
}

TEST(HookOutputTest, ALongLastLineIsCutAndTheWholeIsNot) {
  const std::string line(4096, 'x');

  EXPECT_THAT(LinesOf(Failed(line), ProgramOutput::kLastLine).at(0).text, testing::EndsWith(": " + std::string(77, 'x') + "..."));
  EXPECT_THAT(LinesOf(Failed(line), ProgramOutput::kWhole).at(0).output, ElementsAre(SizeIs(4096)));
}

TEST(HookOutputTest, WithoutAProgramThereIsNoExitStatus) {
  bus::v1::HookResult hook;
  hook.set_message("logged");

  EXPECT_EQ(FormatHookDetail(hook), "logged");
}

}  // namespace
}  // namespace pvebus::cli
