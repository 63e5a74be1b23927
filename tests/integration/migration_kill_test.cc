// migration-service is killed at one system call of a change after the other: the old phase or the new one, as the journal has
// it, with the route map of it, and nothing is counted twice.
#include "absl/strings/str_format.h"
#include "tests/integration/migration_fixture.h"
#include "tests/integration/network_fault.h"

namespace pvebus::testing {
namespace {

using event::v1::MIGRATION_PHASE_PERL_ONLY;
using event::v1::MIGRATION_PHASE_RUST_READ_ONLY;
using event::v1::MigrationPhase;
using ::testing::HasSubstr;

class MigrationKillTest : public MigrationFixture {
 protected:
  void SetUp() override {
    if (const std::string why = WhyNoFaults(); !why.empty()) {
      GTEST_SKIP() << "NOT PROVEN: a change in which the service is killed. The kernel does not let us trace: " << why;
    }
    Start({"--route-map", In("pvebus.map"), "--no-route-map-check"});
  }

  // Changes of the phase that the journal has.
  uint64_t ChangesInTheJournal() {
    bus::v1::ListEventsRequest request;
    request.set_page_size(1000);
    request.add_event_types(event::v1::EVENT_TYPE_MIGRATION_PHASE_CHANGED);
    const auto page = Call(&bus::v1::JournalService::Stub::ListEvents, bus_->journal(), request, kPatience);
    EXPECT_TRUE(page.ok()) << page.status();
    return page.ok() ? static_cast<uint64_t>(page->events_size()) : 0;
  }
  void Expect(MigrationPhase phase, uint64_t changes) {
    const Status status = Now();
    EXPECT_EQ(status.phase(), phase);
    EXPECT_EQ(status.last_change().number(), changes);
    EXPECT_EQ(status.applied_transaction_count(), transactions_);
    EXPECT_EQ(status.route_map().state(), migration::v1::ROUTE_MAP_STATE_CURRENT) << status.route_map().message();
    EXPECT_THAT(Read("pvebus.map"),
                HasSubstr(phase == MIGRATION_PHASE_PERL_ONLY ? "for the phase perl-only." : "for the phase rust-read-only."));
    EXPECT_EQ(Read("pvebus.map.new"), "(none)");
  }

  uint64_t transactions_ = 0;
};

TEST_F(MigrationKillTest, ChangeThatIsKilledAnywhereIsTheOldPhaseOrTheNewOne) {
  int kills = 0;
  int old_ones = 0;
  for (const char* call : {"openat", "pwrite64", "fdatasync", "fsync", "write", "rename", "unlink", "close", "fcntl", "sendmsg",
                           "recvmsg", "epoll_wait"}) {
    bool killed = true;
    for (int n = 1; killed; ++n) {
      SCOPED_TRACE(absl::StrFormat("killed at %s number %d", call, n));
      ASSERT_LE(n, 200) << "it never ends";
      const uint64_t changes = ChangesInTheJournal();
      const MigrationPhase before = Now().phase();
      const MigrationPhase wanted =
          before == MIGRATION_PHASE_PERL_ONLY ? MIGRATION_PHASE_RUST_READ_ONLY : MIGRATION_PHASE_PERL_ONLY;
      absl::Status answer;
      {
        const Fault fault(service_->pid(), call, "signal=SIGKILL", n);
        bus_->PublishDurable(NetworkAppliedEvent("vmbr0"));
        ++transactions_;
        answer = Set(wanted).status();
      }
      killed = absl::IsUnavailable(answer) || !Call(&Stub::GetMigrationStatus, *stub_, {}, kPatience).ok();
      if (killed) {
        ASSERT_TRUE(service_->WaitExit(kPatience).has_value()) << "it is there and does not answer: " << answer;
        Start(flags_);
        ++kills;
      }
      WaitUntilQuiet();

      const uint64_t now = ChangesInTheJournal();
      EXPECT_TRUE(!answer.ok() || now == changes + 1) << "it was said to be in force";
      if (now == changes) ++old_ones;
      Expect(now == changes ? before : wanted, now);
      if (HasFailure()) return;
    }
  }

  RecordProperty("kills", kills);
  RecordProperty("old_ones", old_ones);
  EXPECT_GE(kills, 20);
  EXPECT_GE(kills - old_ones, 10);
}

}  // namespace
}  // namespace pvebus::testing
