#include "sdk/service/flags.h"

#include <fstream>

#include "CLI/CLI.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pvebus::service {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A command line and what became of it.
struct Parsed {
  ServiceOptions service;
  HookServiceOptions hook;
  std::optional<int> code;
  std::string out;
  std::string err;
};

Parsed Parse(std::vector<const char*> arguments) {
  Parsed parsed;
  CLI::App app("Does something", "some-service");
  AddServiceFlags(app, parsed.service, "127.0.0.1:7402");
  AddHookServiceFlags(app, parsed.hook);
  arguments.insert(arguments.begin(), "some-service");
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  parsed.code = ParseCommandLine(app, static_cast<int>(arguments.size()), arguments.data());
  parsed.out = testing::internal::GetCapturedStdout();
  parsed.err = testing::internal::GetCapturedStderr();
  return parsed;
}

std::string ConfigFile(const std::string& content) {
  const std::string path = testing::TempDir() + "flags_test." + std::to_string(getpid()) + ".toml";
  std::ofstream(path) << content;
  return path;
}

TEST(FlagsTest, DefaultsHoldWithoutArguments) {
  const Parsed parsed = Parse({});

  EXPECT_FALSE(parsed.code.has_value());
  EXPECT_THAT(parsed.service.listen, ElementsAre("127.0.0.1:7402"));
  EXPECT_EQ(parsed.service.log_level, "info");
  EXPECT_EQ(parsed.hook.bus, "127.0.0.1:7400");
  EXPECT_EQ(parsed.hook.node, HostName());
  EXPECT_EQ(parsed.hook.instance_id, "");
}

TEST(FlagsTest, ListenMayBeRepeatedAndReplacesTheDefault) {
  const Parsed parsed = Parse({"--listen", "127.0.0.1:0", "--listen=unix:/tmp/x.sock"});

  EXPECT_FALSE(parsed.code.has_value());
  EXPECT_THAT(parsed.service.listen, ElementsAre("127.0.0.1:0", "unix:/tmp/x.sock"));
}

TEST(FlagsTest, MistypedFlagNamesTheOneThatWasMeant) {
  const Parsed parsed = Parse({"--lisen", "127.0.0.1:0"});

  EXPECT_EQ(parsed.code, 2);
  EXPECT_THAT(parsed.err, HasSubstr("unknown flag --lisen (did you mean --listen?)"));
  EXPECT_EQ(parsed.out, "");
}

TEST(FlagsTest, MistypedFlagWithValueIsNamedWithoutIt) {
  EXPECT_THAT(Parse({"--log-leve=debug"}).err, HasSubstr("unknown flag --log-leve (did you mean --log-level?)"));
}

TEST(FlagsTest, StrayArgumentIsRefused) {
  const Parsed parsed = Parse({"--listen", "127.0.0.1:0", "extra"});

  EXPECT_EQ(parsed.code, 2);
  EXPECT_THAT(parsed.err, HasSubstr("unexpected argument 'extra'"));
}

TEST(FlagsTest, BadValuesAreUsageErrors) {
  EXPECT_EQ(Parse({"--log-level", "loud"}).code, 2);
  EXPECT_EQ(Parse({"--log-format", "xml"}).code, 2);
  EXPECT_EQ(Parse({"--listen"}).code, 2);
  EXPECT_EQ(Parse({"--listen", "nonsense"}).code, 2);
  EXPECT_EQ(Parse({"--bus", "127.0.0.1"}).code, 2);
  EXPECT_EQ(Parse({"--bus", "127.0.0.1:0"}).code, 2);
  EXPECT_EQ(Parse({"--node", std::string(129, 'n').c_str()}).code, 2);
}

TEST(FlagsTest, ListeningBeyondThisMachineSaysWhatToDo) {
  const Parsed parsed = Parse({"--listen", "0.0.0.0:7400"});

  EXPECT_EQ(parsed.code, 2);
  EXPECT_THAT(parsed.err, AllOf(HasSubstr("0.0.0.0:7400"), HasSubstr("--insecure")));
  EXPECT_FALSE(Parse({"--listen", "0.0.0.0:7400", "--insecure"}).code.has_value());
}

TEST(FlagsTest, HelpTeachesAndSucceeds) {
  const Parsed parsed = Parse({"--help"});

  EXPECT_EQ(parsed.code, 0);
  EXPECT_THAT(parsed.out, AllOf(HasSubstr("--listen"), HasSubstr("127.0.0.1:7402"), HasSubstr("some-service@<node>"),
                                HasSubstr("Example:"), HasSubstr("The bus:")));
}

TEST(FlagsTest, VersionIsPrinted) {
  const Parsed parsed = Parse({"--version"});

  EXPECT_EQ(parsed.code, 0);
  EXPECT_THAT(parsed.out, HasSubstr("some-service 0."));
}

TEST(FlagsTest, ConfigFileHasTheNamesOfTheFlagsAndTheCommandLineWins) {
  const std::string file = ConfigFile(R"(
# a comment
listen = ["127.0.0.1:1", "unix:/tmp/y.sock"]
log-level = "debug"
node = "pve1"
insecure = true
)");

  const Parsed parsed = Parse({"--config", file.c_str(), "--node", "pve2"});

  EXPECT_FALSE(parsed.code.has_value()) << parsed.err;
  EXPECT_THAT(parsed.service.listen, ElementsAre("127.0.0.1:1", "unix:/tmp/y.sock"));
  EXPECT_EQ(parsed.service.log_level, "debug");
  EXPECT_TRUE(parsed.service.insecure);
  EXPECT_EQ(parsed.hook.node, "pve2");
}

TEST(FlagsTest, UnknownKeyInTheConfigFileNamesTheNearestFlag) {
  const std::string file = ConfigFile("log_level = \"debug\"\n");

  const Parsed parsed = Parse({"--config", file.c_str()});

  EXPECT_EQ(parsed.code, 2);
  EXPECT_THAT(parsed.err, HasSubstr("unknown key 'log_level' (did you mean 'log-level'?)"));
}

TEST(FlagsTest, MissingConfigFileIsAUsageError) {
  const Parsed parsed = Parse({"--config", "/nowhere/x.toml"});

  EXPECT_EQ(parsed.code, 2);
  EXPECT_THAT(parsed.err, HasSubstr("/nowhere/x.toml"));
}

}  // namespace
}  // namespace pvebus::service
