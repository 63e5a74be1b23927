#include "cli/command_line.h"

#include "cli/testing/run_in_test.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// Port 1 of loopback: refused at once, nobody may listen there.
constexpr char kNobody[] = "127.0.0.1:1";

TEST(CommandLineTest, HelpTeachesAndSucceeds) {
  const RunOutcome run = RunInTest({"publish", "--help"});

  EXPECT_EQ(run.exit_code, kAllSucceeded);
  EXPECT_THAT(run.out, AllOf(HasSubstr("network-applied"), HasSubstr("Examples:"), HasSubstr("Exit status:")));
}

TEST(CommandLineTest, EveryCommandTeachesWithExamples) {
  const std::vector<std::vector<const char*>> commands = {{},
                                                          {"events"},
                                                          {"event"},
                                                          {"trace"},
                                                          {"replay"},
                                                          {"dead-letters"},
                                                          {"dead-letters", "list"},
                                                          {"dead-letters", "show"},
                                                          {"dead-letters", "redrive"},
                                                          {"dead-letters", "discard"},
                                                          {"journal"},
                                                          {"journal", "verify"},
                                                          {"storage"},
                                                          {"storage", "parse"},
                                                          {"storage", "list"},
                                                          {"storage", "status"},
                                                          {"storage", "vlan"},
                                                          {"storage", "vlan", "create"},
                                                          {"storage", "vlan", "delete"},
                                                          {"storage", "vlan", "list"},
                                                          {"storage", "reconcile"},
                                                          {"container"},
                                                          {"container", "network"},
                                                          {"container", "run"},
                                                          {"container", "hooks"},
                                                          {"container", "executions"},
                                                          {"container", "stats"},
                                                          {"container", "clear"},
                                                          {"container", "parse"},
                                                          {"listeners"},
                                                          {"watch"}};
  for (std::vector<const char*> command : commands) {
    command.push_back("--help");
    const RunOutcome run = RunInTest(command);

    EXPECT_EQ(run.exit_code, kAllSucceeded) << testing::PrintToString(command);
    EXPECT_THAT(run.out, HasSubstr("Example")) << testing::PrintToString(command);
  }
}

TEST(CommandLineTest, TheVersionIsPrinted) { EXPECT_THAT(RunInTest({"--version"}).out, HasSubstr("pvebus 0.")); }

TEST(CommandLineTest, AMistypedCommandIsAnsweredWithTheNearestOne) {
  const RunOutcome run = RunInTest({"publsh", "container-started", "101"});

  EXPECT_EQ(run.exit_code, kUsageError);
  EXPECT_THAT(run.err, AllOf(HasSubstr("unknown command 'publsh'"), HasSubstr("'publish'?"), HasSubstr("pvebus --help")));
  EXPECT_THAT(RunInTest({"publish", "container-startd", "101"}).err, HasSubstr("'container-started'?"));
  EXPECT_THAT(RunInTest({"listeners", "pause"}).err, HasSubstr("NAME"));
}

TEST(CommandLineTest, AMistypedOptionIsAnsweredWithTheNearestOneAtEveryLevel) {
  EXPECT_THAT(RunInTest({"publish", "container-started", "101", "--wiat", "durable"}).err, HasSubstr("'--wait'?"));
  EXPECT_THAT(RunInTest({"watch", "--ouput", "json"}).err, HasSubstr("'--output'?"));
  EXPECT_THAT(RunInTest({"listen", "x", "--rejct=retry"}).err, HasSubstr("'--reject'?"));
}

TEST(CommandLineTest, BadValuesAreUsageErrorsThatSayWhatIsAllowed) {
  const std::vector<std::pair<std::vector<const char*>, const char*>> cases = {
      {{"publish", "container-started", "7"}, "100"},
      {{"publish", "container-started"}, "ID"},
      {{"publish"}, "What to publish"},
      {{"publish", "network-applied"}, "--change"},
      {{"publish", "network-applied", "--change", "vmbr1"}, "TYPE:TARGET"},
      {{"publish", "migration-phase-changed", "rust-sdm"}, "'rust-sdn'?"},
      {{"publish", "--json", "{"}, "--json: not JSON"},
      {{"publish", "--json", "@/no/such/file"}, "cannot read"},
      {{"publish", "--json", R"({"event":"container_startd","id":101})"}, "'container_started'?"},
      {{"publish", "--json", "{}", "custom", "x"}, "--json"},
      {{"publish", "custom", "x", "--wait", "setled"}, "'settled'?"},
      {{"publish", "custom", "x", "--wait-timeout", "10"}, "'10s'?"},
      {{"publish", "custom", "x", "--attribute", "site"}, "KEY=VALUE"},
      {{"watch", "--types", "container_startd"}, "'container_started'?"},
      {{"watch", "--from", "earlist"}, "'earliest'?"},
      {{"watch", "extra"}, "'extra'"},
      {{"listen", "x", "--ack", "--hang"}, "--ack"},
      {{"listen", "x", "--message", "m"}, "--reject"},
      {{"listeners", "seek", "x"}, "--to"},
      {{"result"}, "EVENT_ID"},
      {{"--output", "jsn", "watch"}, "'json'?"},
      {{"--output"}, "--output"},
      {{"journal"}, "there are: status, verify"},
      {{"journal", "stauts"}, "'status'?"},
      {{"events", "--from", "-15x"}, "-15m"},
      {{"events", "--to", "earliest"}, "allowed: latest, a sequence number"},
      {{"events", "--to", "5", "--follow"}, "--follow"},
      {{"events", "--from", "10", "--to", "9"}, "--to: 9 is before --from 10"},
      {{"events", "--limit", "0"}, "--limit: Value 0 not in range 1 to 1000000000"},
      {{"dead-letters", "list", "--limit", "0"}, "not in range 1 to 1000000000"},
      {{"watch", "--count", "0"}, "not in range 1 to 1000000000"},
      {{"events", "--type", "container_startd"}, "'container_started'?"},
      {{"evnts"}, "'events'?"},
      {{"event"}, "ID or SEQUENCE"},
      {{"event", "7", "--event-id", "7"}, "--event-id"},
      {{"trace"}, "ID"},
      {{"replay", "--from", "5"}, "--to"},
      {{"replay", "--to", "a"}, "--from"},
      {{"replay", "--to", "a", "--from", "latest"}, "allowed: earliest, a sequence number"},
      {{"replay", "--to", "a", "--from", "9", "--until", "5"}, "--until: 5 is before --from 9"},
      {{"replay", "--to", "a", "--from", "9", "--dry-run", "--validate-only"}, "--validate-only"},
      {{"dead-letters"}, "there are: list, show, redrive, discard"},
      {{"dead-letter", "list"}, "'dead-letters'?"},
      {{"dead-letters", "redrve", "--all"}, "'redrive'?"},
      {{"dead-letters", "discard", "--al", "--reason", "x"}, "'--all'?"},
      {{"storage"}, "there are: list, status, vlan, reconcile, parse"},
      {{"storage", "stauts"}, "'status'?"},
      {{"storage", "status"}, "STORAGE is required: `pvebus storage list`"},
      {{"storage", "vlan"}, "there are: create, delete, list"},
      {{"storage", "vlan", "create", "nas", "--tag", "1", "--address", "10.1.0.5/24"}, "--base is required"},
      {{"storage", "vlan", "create", "nas", "--base", "b", "--tag", "4095", "--address", "10.1.0.5/24"},
       "not in range 1 to 4094"},
      {{"storage", "vlan", "create", "nas", "--base", "b", "--tag", "1", "--address", "10.1.0.5"}, "such as 10.1.0.5/24"},
      {{"storage", "vlan", "create", "nas", "--base", "b", "--tag", "1", "--address", "10.1.0.5/24", "--mtu", "67"},
       "not in range 68 to 65535"},
      {{"storage", "vlan", "create", "nas", "--base", "b", "--tag", "1", "--address", "10.1.0.5/24", "--gateway", "10.1.0.1"},
       "--gateway requires --route"},
      {{"storage", "vlan", "delete"}, "STORAGE is required"},
      {{"storage", "list", "--storge", "x"}, "'--storage'?"},
      {{"storage", "prase", "x"}, "'parse'?"},
      {{"storage", "parse"}, "FILE"},
      {{"storage", "parse", "/no/such/file"}, "cannot read '/no/such/file'"},
      {{"container"}, "there are: network, run, hooks, executions, stats, clear, parse"},
      {{"container", "netwrk", "101"}, "'network'?"},
      {{"container", "network"}, "VMID is required"},
      {{"container", "network", "99"}, "not in range 100 to 999999999"},
      {{"container", "network", "web"}, "VMID"},
      {{"container", "run"}, "VMID is required"},
      {{"container", "run", "1000000000"}, "not in range 100 to 999999999"},
      {{"container", "run", "101", "--event", "startd"}, "'started'?"},
      {{"container", "run", "101", "--event", "vnet-bound"}, "--interface: is required with --event vnet-bound"},
      {{"container", "run", "101", "--interface", "net0"}, "--interface: is for events of an interface or a vnet, which started"},
      {{"container", "executions", "--vmid", "99"}, "not in range 100 to 999999999"},
      {{"container", "executions", "--state", "faild"}, "'failed'?"},
      {{"container", "executions", "--limit", "0"}, "not in range 1 to 1000000000"},
      {{"container", "executions", "--from", "-15x"}, "such as -15m"},
      {{"container", "executions", "--until", "4711"}, "'4711' is no time"},
      {{"container", "executions", "--from", "-5m", "--until", "-15m"}, "--until: is not after --from"},
      {{"container", "executions", "101"}, "'101' is one word too many"},
      {{"container", "hooks", "--contaner", "x"}, "'--container'?"},
      {{}, "there are: publish, result"},
  };
  for (const auto& [arguments, expected] : cases) {
    const RunOutcome run = RunInTest(arguments);

    EXPECT_EQ(run.exit_code, kUsageError) << testing::PrintToString(arguments) << run.err;
    EXPECT_THAT(run.err, HasSubstr(expected)) << testing::PrintToString(arguments);
    EXPECT_EQ(run.out, "") << testing::PrintToString(arguments);
  }
}

TEST(CommandLineTest, AnUnreachableBusIsNamedWithWhatToDoNext) {
  const std::vector<std::vector<const char*>> commands = {
      {"publish", "container-started", "101"},
      {"result", "e1"},
      {"listeners"},
      {"listeners", "x"},
      {"listeners", "pause", "x"},
      {"watch"},
      {"listen", "x"},
      {"journal", "status"},
      {"journal", "verify"},
      {"events"},
      {"events", "--to", "-1m"},
      {"event", "7"},
      {"trace", "e1"},
      {"replay", "--to", "a", "--from", "earliest"},
      {"dead-letters", "list"},
      {"dead-letters", "show", "1"},
      {"dead-letters", "redrive", "--all"},
      {"dead-letters", "discard", "1", "--reason", "x"},
      {"health"},
  };
  for (std::vector<const char*> command : commands) {
    command.insert(command.end(), {"--bus", kNobody});
    const RunOutcome run = RunInTest(command);

    EXPECT_EQ(run.exit_code, kRefused) << testing::PrintToString(command) << run.err;
    EXPECT_THAT(run.err, AllOf(HasSubstr("127.0.0.1:1 is unreachable"), HasSubstr("next: ")));
    EXPECT_EQ(run.out, "");
  }
}

TEST(CommandLineTest, AnUnreachableContainerServiceIsNotTakenForTheBus) {
  for (const char* command : {"network", "run", "hooks", "executions", "stats", "clear"}) {
    std::vector<const char*> arguments = {"container", command, "--container", kNobody};
    if (command == std::string("network") || command == std::string("run")) arguments.push_back("101");
    const RunOutcome run = RunInTest(arguments);

    EXPECT_EQ(run.exit_code, kRefused) << command << run.err;
    EXPECT_THAT(run.err, AllOf(HasSubstr("container-service at 127.0.0.1:1 is unreachable"),
                               HasSubstr("Name another address with --container or PVEBUS_CONTAINER")));
    EXPECT_THAT(run.err, testing::Not(HasSubstr("the bus")));
    EXPECT_EQ(run.out, "");
  }
}

TEST(CommandLineTest, AnUnreachableStorageServiceIsNotTakenForTheBus) {
  const std::vector<std::vector<const char*>> commands = {
      {"storage", "list"},
      {"storage", "status", "nas"},
      {"storage", "status", "--refresh"},
      {"storage", "vlan", "create", "nas", "--base", "b", "--tag", "1", "--address", "10.1.0.5/24"},
      {"storage", "vlan", "delete", "nas"},
      {"storage", "vlan", "list"},
      {"storage", "reconcile"},
  };
  for (std::vector<const char*> command : commands) {
    command.insert(command.end(), {"--storage", kNobody});
    const RunOutcome run = RunInTest(command);

    EXPECT_EQ(run.exit_code, kRefused) << testing::PrintToString(command) << run.err;
    EXPECT_THAT(run.err, AllOf(HasSubstr("storage-service at 127.0.0.1:1 is unreachable"),
                               HasSubstr("next: is storage-service running there? Name another address with --storage or "
                                         "PVEBUS_STORAGE")));
    EXPECT_THAT(run.err, testing::Not(HasSubstr("the bus")));
    EXPECT_EQ(run.out, "");
  }
}

TEST(CommandLineTest, AnotherServersHealthIsNotTakenForTheBus) {
  const RunOutcome run = RunInTest({"health", "--address", kNobody});

  EXPECT_EQ(run.exit_code, kRefused);
  EXPECT_THAT(run.err, AllOf(HasSubstr("the server at 127.0.0.1:1 is unreachable"), HasSubstr("--address")));
}

TEST(CommandLineTest, ProgramsGetErrorsAsJson) {
  const RunOutcome run = RunInTest({"listeners", "--bus", kNobody, "--output", "json"});

  EXPECT_EQ(run.exit_code, kRefused);
  EXPECT_THAT(run.err, testing::StartsWith(R"({"error":{"code":"UNAVAILABLE")"));
}

}  // namespace
}  // namespace pvebus::cli
