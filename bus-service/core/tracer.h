#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bus-service/core/parts.h"

namespace pvebus::bus {

// Finds the tree of events that an event belongs to: who caused what. One thread.
class Tracer {
 public:
  static constexpr size_t kMostNodes = 1000;

  struct Node {
    EventPtr event;
    uint32_t depth = 0;
  };
  struct Tree {
    std::vector<Node> nodes;  // parents before their children, children by sequence
    bool truncated = false;
    std::vector<Sequence> lost;  // ancestors of the event; their children are below the nearest one that is there
  };
  using Done = std::function<void(absl::StatusOr<Tree>)>;

  // Requires: `parts` outlives this.
  explicit Tracer(Parts& parts) : parts_(parts) {}

  // `done` is called during the call or later. The root is the oldest ancestor that the journal still has.
  void Trace(EventPtr event, Done done);

 private:
  struct Run;

  void FindRoot(const std::shared_ptr<Run>& run, size_t ancestor);
  // What stands below ancestors that are lost belongs to the tree too.
  void AddLost(Run& run) const;
  void Grow(const std::shared_ptr<Run>& run);
  void Tell(Run& run) const;

  Parts& parts_;
  const std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace pvebus::bus
