#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "bus-service/core/testing/bus_harness.h"
#include "bus-service/core/testing/delivery_model.h"

namespace pvebus::bus {

// A bus, a handful of listeners and publishers who do whatever a seed says, and a model per listener that judges what happens.
// The same seed does the same. One thread.
class Simulation {
 public:
  explicit Simulation(uint64_t seed);

  // One random thing happens.
  void Step();
  // Everybody comes back, is resumed and acks until nothing is left; then what was promised must be true of every event.
  void Finish();

  // Broken promises, by name. Empty as long as all is well.
  std::vector<std::string> broken;
  // What was done and seen, in order.
  std::vector<std::string> history;
  // How often what happened: a simulation that does nothing proves nothing.
  std::map<std::string, int> happened;

 private:
  struct Name {
    std::string name;
    Registration registration;
    ScriptedListener* replicas[2];
    size_t seen[2] = {0, 0};               // deliveries that the model has judged
    size_t registered[2] = {0, 0};         // sessions that the model knows
    int current = 0;                       // the replica that connected last
    std::unique_ptr<DeliveryModel> model;  // null: the bus does not know the name
  };
  struct Wait {
    PublishOutcomePtr outcome;
    WaitPolicy policy;
    SteadyTime until;
    std::string event_id;
  };

  uint64_t Pick(uint64_t below) { return random_.Next() % below; }
  Name& PickName() { return names_[Pick(names_.size())]; }
  ScriptedListener& Current(Name& name) { return *name.replicas[name.current]; }
  // A delivery that the name's present session was given, newest first; null when there is none.
  const ScriptedListener::Received* PickReceived(Name& name, bool only_held);

  void Publish();
  void Answer();
  void Extend();
  void Connect(Name& name, int replica);
  void Break();
  void Steer();  // pause, resume, seek, delete, window, drain
  void Advance(Duration by);

  // Tells the models what has happened meanwhile, and asks them whether it may.
  void Observe();
  void ObserveJournal();
  void ObserveEnds(Name& name);
  void ObserveFrames(Name& name);
  void Forget(Name& name);

  EventPtr EventAt(Sequence sequence);
  // The publication as it is now, made again if need be; null while the journal takes its time. Valid until the next step.
  const Publication* PublicationAt(Sequence sequence);

  void CheckCounts();
  void CheckProgress();
  void CheckRows();
  void CheckOutcome(Sequence sequence, const ListenerRow& row, bool recalled);
  void CheckWaits();
  template <typename... Args>
  void Note(const absl::FormatSpec<Args...>& format, const Args&... args) {
    history.push_back(
        absl::StrFormat("%.3f ", std::chrono::duration<double>(harness_.clock.SteadyNow().time_since_epoch()).count()) +
        absl::StrFormat(format, args...));
  }
  void Broke(const char* promise, const std::string& what);

  SeededRandom random_;
  BusHarness harness_;
  std::vector<Name> names_;
  std::vector<Wait> waits_;
  std::map<std::string, EventPtr> events_;
  Sequence observed_ = 0;
  uint64_t looked_at_ = 0;
  int published_ = 0;
};

}  // namespace pvebus::bus
