#include <csignal>

#include "cli/testing/fake_bus.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "pvebus/bus/v1/journal_service.pb.h"
#include "tests/support/process.h"

namespace pvebus::cli {
namespace {

constexpr std::chrono::seconds kSoon{20};

// The real program, which takes signals, against a bus that says what the test wants.
class InterruptTest : public ::testing::Test {
 protected:
  std::unique_ptr<pvebus::testing::Process> Start(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), pvebus::testing::ProgramPath("pvebus"));
    arguments.insert(arguments.end(), {"--bus", bus_.address()});
    return std::make_unique<pvebus::testing::Process>(std::move(arguments));
  }

  FakeBus bus_;
};

TEST_F(InterruptTest, FollowingShowsWhatComesUntilCtrlC) {
  bus::v1::ListEventsResponse page;
  page.set_next_sequence(41);
  bus_.Answer("ListEvents", page);
  bus::v1::WatchEventsResponse next;
  next.mutable_event()->set_sequence(41);
  next.mutable_event()->mutable_storage_vlan_created()->set_id("nas");
  bus_.AnswerAndHold("WatchEvents", next);
  const auto program = Start({"events", "--follow", "--original"});
  const auto line = program->WaitForLine("{\"event\":\"storage_vlan_created\"", kSoon);

  program->Signal(SIGINT);

  EXPECT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(program->WaitExit(kSoon), 0) << program->StandardError();
  EXPECT_EQ(program->StandardError(), "");
}

TEST_F(InterruptTest, AnInterruptedCheckIsNoSuccess) {
  bus::v1::VerifyJournalResponse half;
  half.set_checked_events(5);
  half.set_total_events(10);
  bus_.AnswerAndHold("VerifyJournal", half);
  const auto program = Start({"journal", "verify"});
  const bool called = bus_.WaitForCall("VerifyJournal");

  program->Signal(SIGINT);

  EXPECT_TRUE(called) << "waited for the check to begin";
  EXPECT_EQ(program->WaitExit(kSoon), 1) << program->StandardError();
  EXPECT_THAT(program->StandardOutput(), ::testing::HasSubstr("interrupted after "));
}

TEST_F(InterruptTest, ATimeLimitEndsACheckThatHangs) {
  bus_.AnswerAndHold("VerifyJournal", bus::v1::VerifyJournalResponse());
  const auto program = Start({"journal", "verify", "--timeout", "200ms"});

  EXPECT_EQ(program->WaitExit(kSoon), 3);
  EXPECT_THAT(program->StandardError(), ::testing::HasSubstr("no answer from the bus"));
}

}  // namespace
}  // namespace pvebus::cli
