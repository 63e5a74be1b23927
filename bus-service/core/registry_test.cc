#include "bus-service/core/registry.h"

#include "bus-service/core/testing/bus_harness.h"
#include "gtest/gtest.h"
#include "sdk/base/error.h"

namespace pvebus::bus {
namespace {

using Ids = std::vector<std::string>;
using std::chrono::seconds;

std::string Reason(const absl::Status& status) { return ErrorReason(status); }
std::string EndReason(const ScriptedListener& listener) { return listener.ended ? ErrorReason(*listener.ended) : "(not ended)"; }

// A second one of the name.
ScriptedListener& Rival(BusHarness& bus, std::string instance_id, ConflictPolicy policy) {
  auto& rival = bus.Add("a");
  rival.registration.instance_id = std::move(instance_id);
  rival.registration.conflict_policy = policy;
  rival.Connect();
  return rival;
}

const ListenerRecord& Record(BusHarness& bus, const std::string& name = "a") { return bus.bus.registry().listeners().at(name); }

TEST(RegistryTest, AHeldNameIsRefusedNamingTheHolder) {
  BusHarness bus;
  auto& holder = bus.Add("a");
  holder.registration.lease = seconds(15);
  holder.Connect();

  const auto& rival = Rival(bus, "other", ConflictPolicy::kUnspecified);

  ASSERT_TRUE(rival.ended);
  EXPECT_EQ(rival.ended->code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(EndReason(rival), "LISTENER_NAME_IN_USE");
  const auto metadata = ErrorMetadata(*rival.ended);
  EXPECT_EQ(metadata.at("holder_instance_id"), "a-1");
  EXPECT_EQ(metadata.at("holder_node"), "node1");
  EXPECT_EQ(metadata.at("holder_peer"), "ipv4:127.0.0.1:40000");
  EXPECT_EQ(metadata.at("lease_expire_time"), "2023-11-14T22:13:35+00:00");
  EXPECT_FALSE(holder.ended);
}

TEST(RegistryTest, WhoMayTakeANameOver) {
  using Policy = ConflictPolicy;
  const struct {
    const char* instance;
    Policy policy;
    bool gets_it;
  } kCases[] = {{"a-1", Policy::kUnspecified, true},
                {"a-1", Policy::kTakeoverSameInstance, true},
                {"a-1", Policy::kRefuse, false},
                {"a-1", Policy::kTakeoverForce, true},
                {"other", Policy::kTakeoverSameInstance, false},
                {"other", Policy::kUnspecified, false},
                {"other", Policy::kRefuse, false},
                {"other", Policy::kTakeoverForce, true},
                {"", Policy::kUnspecified, false},
                {"", Policy::kTakeoverSameInstance, false}};

  for (const auto& c : kCases) {
    SCOPED_TRACE(testing::Message() << "instance \"" << c.instance << "\" policy " << static_cast<int>(c.policy));
    BusHarness bus;
    auto& holder = bus.Connect("a");
    auto& rival = Rival(bus, c.instance, c.policy);
    EXPECT_EQ(!rival.ended.has_value(), c.gets_it);
    EXPECT_EQ(EndReason(holder), c.gets_it ? "SESSION_SUPERSEDED" : "(not ended)");
  }
}

TEST(RegistryTest, TwoWithoutAnInstanceIdAreNotTheSameInstance) {
  BusHarness bus;
  auto& holder = bus.Add("a");
  holder.registration.instance_id = "";
  holder.Connect();
  EXPECT_FALSE(holder.registered[0].instance_id.empty()) << "the bus makes one";

  const auto& rival = Rival(bus, "", ConflictPolicy::kTakeoverSameInstance);

  EXPECT_EQ(EndReason(rival), "LISTENER_NAME_IN_USE");
}

TEST(RegistryTest, ATakeoverHandsOverWhatWasInFlightAndFencesTheLoser) {
  BusHarness bus;
  auto& holder = bus.Connect("a");
  bus.Publish({.id = "x"});

  auto& winner = Rival(bus, "other", ConflictPolicy::kTakeoverForce);

  EXPECT_EQ(holder.ended->code(), absl::StatusCode::kAborted);
  EXPECT_EQ(ErrorMetadata(*holder.ended).at("instance_id"), "other");
  EXPECT_EQ(holder.confirmations.at(0).status, ConfirmationStatus::kStaleSession);
  EXPECT_EQ(winner.Held(), (Ids{"x"}));
  EXPECT_EQ(winner.registered[0].superseded_instance_id, "a-1");
  EXPECT_EQ(winner.registered[0].session_epoch, 2u);
  EXPECT_TRUE(winner.registered[0].resumed);
}

TEST(RegistryTest, OfFiftyWhoRaceForANameOneWins) {
  BusHarness bus;
  int winners = 0;
  for (int i = 0; i < 50; ++i) {
    const auto& rival = Rival(bus, "instance-" + std::to_string(i), ConflictPolicy::kUnspecified);
    if (!rival.ended) {
      ++winners;
    } else {
      EXPECT_EQ(ErrorMetadata(*rival.ended).at("holder_instance_id"), "instance-0");
    }
  }
  EXPECT_EQ(winners, 1);
}

TEST(RegistryTest, ABadNameIsRefused) {
  BusHarness bus;
  for (const char* name : {"", "A", "1a", "-a", "a_b", "a b", "ä"}) {
    auto& a = bus.Add(name);
    a.Connect();
    EXPECT_EQ(EndReason(a), "NAME_INVALID") << name;
  }
  auto& longest = bus.Connect(std::string(63, 'a'));
  EXPECT_FALSE(longest.ended);
  auto& too_long = bus.Connect(std::string(64, 'a'));
  EXPECT_EQ(EndReason(too_long), "NAME_INVALID");
}

TEST(RegistryTest, ThereIsALimitOfNames) {
  BusHarness bus;
  bus.limits.max_listeners = 2;
  auto& a = bus.Connect("a");
  bus.Connect("b");
  auto& c = bus.Connect("c");

  EXPECT_EQ(EndReason(c), "TOO_MANY_LISTENERS");
  a.Break();
  a.Connect();
  EXPECT_FALSE(a.ended) << "a known name is no new one";
}

TEST(RegistryTest, AnEphemeralRegistrationDoesNotThrowAwayADurableBacklog) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  a.Break();
  a.registration.ephemeral = true;
  a.Connect();

  ASSERT_TRUE(a.ended);
  EXPECT_EQ(a.ended->code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(EndReason(a), "LISTENER_IS_DURABLE");
}

TEST(RegistryTest, ATakeoverOfAnEphemeralListenerBeginsAnew) {
  BusHarness bus;
  auto& a = bus.Add("a");
  a.registration.ephemeral = true;
  a.Connect();
  const auto published = bus.Publish({.id = "x"});

  auto& rival = bus.Add("a");
  rival.registration.ephemeral = true;
  rival.Connect();

  EXPECT_EQ(EndReason(a), "SESSION_SUPERSEDED");
  EXPECT_FALSE(rival.registered.at(0).resumed);
  EXPECT_EQ(rival.Held(), Ids{});
  EXPECT_EQ(published->At("a").state, DeliveryState::kExpired);
}

// Positions.

TEST(RegistryTest, APositionBeforeTheJournalNamesItsFirstSequence) {
  BusHarness bus;
  bus.log.max_bytes = 3000;
  for (int i = 0; i < 10; ++i) bus.Publish();
  auto& a = bus.Add("a");
  a.registration.start_position.kind = StartPosition::Kind::kSequence;
  a.registration.start_position.sequence = 1;
  a.Connect();

  ASSERT_TRUE(a.ended);
  EXPECT_EQ(a.ended->code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(EndReason(a), "SEQUENCE_COMPACTED");
  EXPECT_EQ(ErrorMetadata(*a.ended).at("first_sequence"), std::to_string(bus.log.first_sequence()));
  EXPECT_TRUE(bus.bus.registry().listeners().empty()) << "nothing is left of the attempt";
}

TEST(RegistryTest, APositionBeyondTheNextEventIsRefused) {
  BusHarness bus;
  bus.Publish();
  auto& a = bus.Add("a");
  a.registration.start_position.kind = StartPosition::Kind::kSequence;
  a.registration.start_position.sequence = 3;
  a.Connect();
  EXPECT_EQ(EndReason(a), "FIELD_INVALID");

  a.registration.start_position.sequence = 2;
  a.Connect();
  EXPECT_FALSE(a.ended);
}

// Operators.

TEST(RegistryTest, AMistypedNameIsAnsweredWithTheNearestOne) {
  BusHarness bus;
  bus.Connect("storage-hooks");
  bus.Connect("migration-hooks");

  const auto found = bus.bus.registry().Find("storage-hoks");

  EXPECT_EQ(found.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Reason(found.status()), "LISTENER_NOT_FOUND");
  EXPECT_EQ(ErrorMetadata(found.status()).at("nearest"), "storage-hooks");
  EXPECT_FALSE(ErrorMetadata(bus.bus.registry().Find("zzz").status()).contains("nearest"));
  EXPECT_EQ(Reason(bus.bus.registry().Find("No Name").status()), "NAME_INVALID");
}

TEST(RegistryTest, EveryCallOfAnOperatorChecksTheEtag) {
  BusHarness bus;
  bus.Connect("a");
  Registry& registry = bus.bus.registry();
  const std::string etag = Record(bus).Etag();
  StartPosition latest;
  latest.kind = StartPosition::Kind::kLatest;

  ASSERT_TRUE(registry.Pause("a", "", etag).ok());

  EXPECT_EQ(Reason(registry.Pause("a", "", etag).status()), "ETAG_MISMATCH");
  EXPECT_EQ(Reason(registry.Resume("a", etag).status()), "ETAG_MISMATCH");
  EXPECT_EQ(Reason(registry.Evict("a", "", etag).status()), "ETAG_MISMATCH");
  EXPECT_EQ(Reason(bus.Seek("a", latest, false, etag).status()), "ETAG_MISMATCH");
  EXPECT_EQ(Reason(registry.Delete("a", true, etag).status()), "ETAG_MISMATCH");
  EXPECT_EQ(registry.Find("a", etag).status().code(), absl::StatusCode::kAborted);
  EXPECT_TRUE(registry.Resume("a", Record(bus).Etag()).ok());
}

TEST(RegistryTest, AnEtagChangesWithARegistrationAndWithWhatOperatorsDo) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  std::set<std::string> etags{Record(bus).Etag()};
  const auto changed = [&] { return etags.insert(Record(bus).Etag()).second; };
  StartPosition latest;
  latest.kind = StartPosition::Kind::kLatest;

  ASSERT_TRUE(bus.bus.registry().Pause("a", "", "").ok());
  EXPECT_TRUE(changed());
  ASSERT_TRUE(bus.bus.registry().Resume("a", "").ok());
  EXPECT_TRUE(changed());
  ASSERT_TRUE(bus.Seek("a", latest, false, "").ok());
  EXPECT_TRUE(changed());
  ASSERT_TRUE(bus.bus.registry().Evict("a", "", "").ok());
  EXPECT_TRUE(changed());
  bus.Flush();
  a.Connect();
  EXPECT_TRUE(changed());
  bus.Publish();
  a.AckAll();
  EXPECT_FALSE(changed()) << "events are no changes of the listener";
}

TEST(RegistryTest, AnEvictedHolderIsToldWhyAndTheBacklogStays) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "x"});

  const auto eviction = bus.bus.registry().Evict("a", "wrong version", "");
  bus.Flush();

  ASSERT_TRUE(eviction.ok());
  EXPECT_EQ(eviction->instance_id, "a-1");
  EXPECT_EQ(EndReason(a), "LISTENER_EVICTED");
  EXPECT_NE(std::string(a.ended->message()).find("wrong version"), std::string::npos);
  EXPECT_EQ(a.subscription().backlog(), 1u);
  const auto again = bus.bus.registry().Evict("a", "", "");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->instance_id, "");
}

TEST(RegistryTest, AnEphemeralHolderCannotBeEvicted) {
  BusHarness bus;
  auto& a = bus.Add("a");
  a.registration.ephemeral = true;
  a.Connect();
  EXPECT_EQ(Reason(bus.bus.registry().Evict("a", "", "").status()), "LISTENER_IS_EPHEMERAL");
}

TEST(RegistryTest, AListenerThatIsConnectedOrHasABacklogIsDeletedOnlyByForce) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  EXPECT_EQ(Reason(bus.bus.registry().Delete("a", false, "").status()), "LISTENER_NOT_EMPTY");
  bus.Publish();
  a.Break();
  const absl::Status status = bus.bus.registry().Delete("a", false, "").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ErrorMetadata(status).at("backlog"), "1");
  a.Connect();
  a.AckAll();
  a.Break();

  EXPECT_TRUE(bus.bus.registry().Delete("a", false, "").ok());
  EXPECT_TRUE(bus.bus.registry().listeners().empty());
}

TEST(RegistryTest, ASeekNeedsAPosition) {
  BusHarness bus;
  bus.Connect("a");
  StartPosition position;
  EXPECT_EQ(Reason(bus.Seek("a", position, false, "").status()), "FIELD_INVALID");
  position.kind = StartPosition::Kind::kResume;
  EXPECT_EQ(Reason(bus.Seek("a", position, false, "").status()), "FIELD_INVALID");
}

// States.

TEST(RegistryTest, TheStateOfAListenerIsWhatAnOperatorSees) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  EXPECT_EQ(Record(bus).State(), ListenerState::kConnected);
  ASSERT_TRUE(bus.bus.registry().Pause("a", "disk full", "").ok());
  EXPECT_EQ(Record(bus).State(), ListenerState::kPaused);
  EXPECT_EQ(Record(bus).StateReason(), "disk full");
  ASSERT_TRUE(bus.bus.registry().Resume("a", "").ok());
  EXPECT_EQ(Record(bus).State(), ListenerState::kConnected);
  a.Break();
  EXPECT_EQ(Record(bus).State(), ListenerState::kDisconnected);
}

TEST(RegistryTest, AFullWindowThatNobodyAnswersIsBlockedAfterASecond) {
  BusHarness bus;
  auto& a = bus.Connect("a", 1);
  bus.Publish({.key = "x", .wait_policy = WaitPolicy::kDurable});
  bus.Publish({.key = "y", .wait_policy = WaitPolicy::kDurable});
  EXPECT_EQ(Record(bus).State(), ListenerState::kConnected);

  bus.Advance(seconds(2));
  EXPECT_EQ(Record(bus).State(), ListenerState::kBlocked);
  EXPECT_NE(Record(bus).StateReason().find("window is full"), std::string::npos);
  a.AckAll();
  EXPECT_EQ(Record(bus).State(), ListenerState::kConnected) << "a limit recovers";
}

TEST(RegistryTest, APeerThatDoesNotReadIsBlocked) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  a.reading = false;
  a.session()->SetWriting(true);
  bus.Publish({.wait_policy = WaitPolicy::kDurable});
  bus.Advance(seconds(2));

  EXPECT_EQ(Record(bus).State(), ListenerState::kBlocked);
  EXPECT_NE(Record(bus).StateReason().find("not read"), std::string::npos);
}

TEST(RegistryTest, TheObserverHearsOfEveryoneWhoComesAndGoes) {
  BusHarness bus;
  int heard = 0;
  bus.bus.registry().SetObserver([&] { ++heard; });
  auto& a = bus.Connect("a");
  EXPECT_EQ(heard, 1);
  a.Break();
  EXPECT_EQ(heard, 2);
  bus.bus.registry().SetObserver(nullptr);
}

TEST(RegistryTest, DeletingAListenerSaysOnceWhatIsLostWithIt) {
  BusHarness bus;
  auto& a = bus.Connect("a");
  bus.Publish({.id = "dead", .key = "1", .wait_policy = WaitPolicy::kDurable});
  bus.Publish({.id = "held", .key = "2", .wait_policy = WaitPolicy::kDurable});
  a.DeadLetter("dead");
  a.Break();
  EXPECT_EQ(Reason(bus.bus.registry().Delete("a", false, "").status()), "LISTENER_NOT_EMPTY");

  uint64_t redriven = 0;
  bus.bus.dead_letters().Redrive({}, false, [&redriven](const auto& answer) { redriven = answer->count; });
  bus.Advance(seconds(1));
  ASSERT_EQ(redriven, 1u);

  const auto lost = bus.bus.registry().Delete("a", true, "");
  ASSERT_TRUE(lost.ok()) << lost.status();
  EXPECT_EQ(*lost, 2u) << "a dead letter that is being redriven is one thing, not two";
}

}  // namespace
}  // namespace pvebus::bus
