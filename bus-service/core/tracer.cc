#include "bus-service/core/tracer.h"

#include <deque>
#include <map>

namespace pvebus::bus {

struct Tracer::Run {
  EventPtr event;
  Done done;
  EventPtr root;
  std::deque<EventPtr> leaves;  // whose children are not known yet
  std::map<Sequence, std::vector<EventPtr>> children;
  size_t nodes = 1;
  bool truncated = false;
};

void Tracer::Trace(EventPtr event, Done done) {
  auto run = std::make_shared<Run>();
  run->event = std::move(event);
  run->done = std::move(done);
  FindRoot(run, 0);
}

void Tracer::FindRoot(const std::shared_ptr<Run>& run, size_t ancestor) {
  const auto begin = [this, run](EventPtr root) {
    run->root = std::move(root);
    run->leaves.push_back(run->root);
    Grow(run);
  };
  const auto& ancestors = run->event->ancestors;
  while (ancestor < ancestors.size() && ancestors[ancestor] < parts_.log.first_sequence()) ++ancestor;
  if (ancestor == ancestors.size()) return begin(run->event);
  parts_.log.Read(ancestors[ancestor], 1, SIZE_MAX,
                  [this, alive = std::weak_ptr<int>(alive_), run, ancestor, begin](auto events) {
                    if (alive.expired()) return;
                    if (!events.ok()) return run->done(events.status());
                    const bool found = !events->empty() && events->front()->sequence == run->event->ancestors[ancestor];
                    found ? begin(std::move(events->front())) : FindRoot(run, ancestor + 1);
                  });
}

void Tracer::Grow(const std::shared_ptr<Run>& run) {
  if (run->leaves.empty() || run->truncated) return Tell(*run);
  const EventPtr leaf = run->leaves.front();
  run->leaves.pop_front();
  parts_.log.ReadChildren(leaf->sequence, kMostNodes,
                          [this, alive = std::weak_ptr<int>(alive_), run, parent = leaf->sequence](auto events) {
                            if (alive.expired()) return;
                            if (!events.ok()) return run->done(events.status());
                            for (EventPtr& child : *events) {
                              if (child->sequence > parts_.ledger.journaled_sequence()) break;
                              if (run->nodes == kMostNodes) {
                                run->truncated = true;
                                break;
                              }
                              ++run->nodes;
                              run->leaves.push_back(child);
                              run->children[parent].push_back(std::move(child));
                            }
                            // Through the timers: what calls back at once must not nest.
                            parts_.timers.Schedule(parts_.clock.SteadyNow() + std::chrono::microseconds(1), [this, alive, run] {
                              if (!alive.expired()) Grow(run);
                            });
                          });
}

void Tracer::Tell(Run& run) const {
  Tree tree;
  tree.truncated = run.truncated;
  std::vector<Node> next = {{run.root, 0}};
  while (!next.empty()) {
    Node node = std::move(next.back());
    next.pop_back();
    const auto children = run.children.find(node.event->sequence);
    if (children != run.children.end()) {
      for (auto child = children->second.rbegin(); child != children->second.rend(); ++child)
        next.push_back({*child, node.depth + 1});
    }
    tree.nodes.push_back(std::move(node));
  }
  run.done(std::move(tree));
}

}  // namespace pvebus::bus
