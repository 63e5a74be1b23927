// `pvebus network ...` with the real service and the real bus.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/integration/network_fixture.h"

namespace pvebus::testing {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class NetworkCliTest : public NetworkFixture {
 protected:
  struct Ended {
    std::optional<int> exit_code;
    std::string out, err;
    json document() const { return json::parse(out, nullptr, false); }
  };

  Ended Run(std::vector<std::string> arguments) {
    std::vector<std::string> line = {ProgramPath("pvebus"), "network", "--network", service_->address()};
    line.insert(line.end(), arguments.begin(), arguments.end());
    Process process(line);
    Ended ended;
    ended.exit_code = process.WaitExit(kPatience);
    ended.out = process.StandardOutput();
    ended.err = process.StandardError();
    return ended;
  }
  Ended RunJson(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--output", "json"});
    return Run(std::move(arguments));
  }
};

TEST_F(NetworkCliTest, WhatIsPendingIsShown) {
  StartBoth();
  EXPECT_EQ(Run({"pending"}).exit_code, 0);
  EXPECT_THAT(Run({"pending"}).out, HasSubstr("nothing is staged"));
  folder_.Write("interfaces.new", Interfaces(1));

  const Ended ready = Run({"pending"});
  EXPECT_EQ(ready.exit_code, 0);
  EXPECT_THAT(ready.out, AllOf(HasSubstr("mtu 1000 -> 1001"), HasSubstr("+# number 1"), HasSubstr("--etag ")));
  const Ended as_json = RunJson({"pending"});
  EXPECT_EQ(as_json.exit_code, 0);
  EXPECT_EQ(as_json.document()["state"], "PENDING_STATE_READY");
  EXPECT_EQ(as_json.document()["changes"][0]["target"], "test1");

  folder_.Write("interfaces.new", Interfaces(1) + "iface\n");
  const Ended refused = Run({"pending"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("interfaces.new:7: error: "));
  EXPECT_EQ(RunJson({"pending"}).exit_code, 1);
  EXPECT_EQ(RunJson({"pending"}).document()["diagnostics"][0]["severity"], "SEVERITY_ERROR");
}

TEST_F(NetworkCliTest, ADryRunChangesNothing) {
  StartBoth();
  folder_.Write("interfaces.new", Interfaces(1));

  const Ended table = Run({"apply", "--dry-run"});
  const Ended as_json = RunJson({"apply", "--dry-run"});

  EXPECT_EQ(table.exit_code, 0) << table.err;
  EXPECT_THAT(table.out, AllOf(HasSubstr("DRY_RUN"), HasSubstr("mtu 1000 -> 1001")));
  EXPECT_EQ(as_json.exit_code, 0);
  EXPECT_EQ(as_json.document()["state"], "APPLY_STATE_DRY_RUN");
  EXPECT_EQ(folder_.Read("interfaces"), Interfaces(0));
  EXPECT_THAT(List(), IsEmpty());
}

TEST_F(NetworkCliTest, AnApplyIsShownConfirmedAndTakenBack) {
  StartBoth();
  folder_.Write("interfaces.new", Interfaces(1));

  const Ended applied = Run({"apply", "--confirm", "1h", "--reason", "a test"});
  EXPECT_EQ(applied.exit_code, 0) << applied.err;
  EXPECT_THAT(applied.out, AllOf(HasSubstr("AWAITING_CONFIRMATION"), HasSubstr("a test"), HasSubstr("mtu 1000 -> 1001"),
                                 HasSubstr("network_applied: NO_LISTENERS")));
  EXPECT_EQ(Run({"confirm", "--dry-run"}).exit_code, 0);
  const Ended confirmed = RunJson({"confirm"});
  EXPECT_EQ(confirmed.exit_code, 0) << confirmed.err;
  EXPECT_EQ(confirmed.document()["state"], "APPLY_STATE_COMMITTED");
  const Ended nothing = Run({"confirm"});
  EXPECT_EQ(nothing.exit_code, 3);
  EXPECT_THAT(nothing.err, HasSubstr("no apply awaits confirmation"));

  const Ended checked = Run({"revert", "--dry-run"});
  EXPECT_EQ(checked.exit_code, 0) << checked.err;
  EXPECT_THAT(checked.out, HasSubstr("mtu 1001 -> 1000"));
  EXPECT_EQ(folder_.Read("interfaces"), Interfaces(1));
  const Ended reverted = RunJson({"revert", "--reason", "slow"});
  EXPECT_EQ(reverted.exit_code, 0) << reverted.err;
  EXPECT_EQ(reverted.document()["source"], "APPLY_SOURCE_REVERT");
  EXPECT_EQ(folder_.Read("interfaces"), Interfaces(0));
}

TEST_F(NetworkCliTest, HistoryTellsHowEachEnded) {
  StartBoth();
  EXPECT_THAT(Run({"history"}).out, HasSubstr("nothing was applied yet"));
  folder_.Write("interfaces.new", Interfaces(1));
  ASSERT_EQ(Run({"apply", "--reason", "first"}).exit_code, 0);
  folder_.Write("interfaces.new", Interfaces(2));
  folder_.SetIfreload("if [ ! -e failed ]; then touch failed; echo 'test1: broken'; exit 3; fi");
  ASSERT_EQ(Run({"apply"}).exit_code, 3);

  const Ended table = Run({"history"});
  EXPECT_EQ(table.exit_code, 0) << table.err;
  EXPECT_THAT(table.out, AllOf(HasSubstr("COMMITTED"), HasSubstr("first"), HasSubstr("FAILED"), HasSubstr("RELOAD_FAILED")));
  const Ended newest = RunJson({"history", "--count", "1"});
  ASSERT_EQ(newest.document()["applies"].size(), 1u) << newest.out;
  EXPECT_EQ(newest.document()["applies"][0]["state"], "APPLY_STATE_FAILED");
  const Ended one = Run({"history", newest.document()["applies"][0]["apply_id"]});
  EXPECT_EQ(one.exit_code, 0) << one.err;
  EXPECT_THAT(one.out, AllOf(HasSubstr("ifreload wrote:\n  test1: broken"), HasSubstr("mtu 1001 -> 1002"),
                             HasSubstr("network_apply_failed")));
  const Ended unknown = Run({"history", "0123"});
  EXPECT_EQ(unknown.exit_code, 3);
  EXPECT_THAT(unknown.err, HasSubstr("there is no apply"));
}

TEST_F(NetworkCliTest, WhatWasUndoneSaysWhyAndWhatIfreloadWrote) {
  StartBoth();
  folder_.Write("interfaces.new", Interfaces(1));
  folder_.SetIfreload("if cmp -s network/interfaces bad; then echo 'test1: broken'; exit 3; fi");
  std::filesystem::copy_file(folder_.Path("interfaces.new"), folder_.Beside("bad"));

  const Ended table = Run({"apply"});
  EXPECT_EQ(table.exit_code, 3);
  EXPECT_THAT(table.out, IsEmpty());
  EXPECT_THAT(table.err, AllOf(HasSubstr("RELOAD_FAILED"), HasSubstr("the old configuration is back"),
                               HasSubstr("ifreload wrote:\n  test1: broken")));
  const Ended as_json = RunJson({"apply"});
  EXPECT_EQ(as_json.exit_code, 3);
  EXPECT_EQ(as_json.document()["state"], "APPLY_STATE_FAILED") << as_json.out;
  EXPECT_EQ(as_json.document()["reload"]["exit_code"], 3);
}

TEST_F(NetworkCliTest, WhatIsRefusedAndWhoIsAwayIsSaid) {
  StartBoth();
  const Ended nothing = Run({"apply"});
  EXPECT_EQ(nothing.exit_code, 3);
  EXPECT_THAT(nothing.err, AllOf(HasSubstr("nothing to apply"), HasSubstr(folder_.Path("interfaces.new"))));
  EXPECT_EQ(Run({"revert"}).exit_code, 3);
  EXPECT_EQ(Run({"apply", "--confirm", "soon"}).exit_code, 2);
  EXPECT_EQ(Run({"apply", "--confirm", "10ms"}).exit_code, 3);

  Kill();
  for (const char* command : {"pending", "apply", "confirm", "revert", "history"}) {
    const Ended away = Run({command});
    EXPECT_EQ(away.exit_code, 3) << command;
    EXPECT_THAT(away.err, HasSubstr(service_->address())) << command;
  }
}

TEST_F(NetworkCliTest, WithoutTheBusItIsInForceAndOwed) {
  Start();
  folder_.Write("interfaces.new", Interfaces(1));

  const Ended applied = Run({"apply"});

  EXPECT_EQ(applied.exit_code, 1);
  EXPECT_THAT(applied.out, AllOf(HasSubstr("COMMITTED"), HasSubstr("OWED")));
}

}  // namespace
}  // namespace pvebus::testing
