#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "bus-service/core/parts.h"

namespace pvebus::bus {

// The replays that wait for a listener: read from the state log when there is room for them. One thread.
class ReplayFeed {
 public:
  using Take = std::function<void(Replay replay, EventPtr event)>;

  // Requires: `parts` outlives this.
  ReplayFeed(Parts& parts, ListenerId listener) : parts_(parts), listener_(listener) {}

  void Restore(const Recovery::Listener& kept);
  // So many have been saved.
  void Add(uint64_t count) { waiting_ += count; }
  // A replay of a dead letter has been saved. Requires: no other redrive is under way.
  void AddRedrive(const std::string& redrive_id);
  // `take` gets the next ones, at most so many, each with its event; then `done` is called, during the call or later. Those whose
  // event the journal has forgotten have ended.
  void Read(size_t max_replays, size_t max_bytes, Take take, std::function<void(const absl::Status&)> done);
  // One has come to its end.
  void End(const Replay& replay);

  bool has_more() const { return waiting_ > 0; }
  bool reading() const { return reading_; }
  uint64_t waiting() const { return waiting_; }
  // A redrive of dead letters is under way.
  bool redriving() const { return redrives_ > 0; }
  uint64_t redrives() const { return redrives_; }
  // Of the redrive that is under way; empty when there is none.
  const std::string& redrive_id() const { return redrive_id_; }

 private:
  Parts& parts_;
  const ListenerId listener_;
  uint64_t waiting_ = 0;   // not read yet
  uint64_t redrives_ = 0;  // not ended yet
  std::string redrive_id_;
  uint64_t read_until_ = 0;
  bool reading_ = false;
  const std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace pvebus::bus
