#include "bus-service/core/tracer.h"

#include <algorithm>
#include <deque>
#include <map>

namespace pvebus::bus {

struct Tracer::Run {
  // An event whose children are not known yet, and the one that they are shown below.
  struct Leaf {
    Sequence parent = 0;
    Sequence shown_below = 0;
  };

  EventPtr event;
  Done done;
  EventPtr root;
  std::deque<Leaf> leaves;
  std::vector<Sequence> lost;
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
    run->leaves.push_back({run->root->sequence, run->root->sequence});
    AddLost(*run);
    Grow(run);
  };
  const auto& ancestors = run->event->ancestors;
  const auto is_gone = [this](Sequence sequence) {
    return sequence < parts_.log.first_sequence() || parts_.log.lost().Contains(sequence);
  };
  while (ancestor < ancestors.size() && is_gone(ancestors[ancestor])) ++ancestor;
  if (ancestor == ancestors.size()) return begin(run->event);
  parts_.log.Read(ancestors[ancestor], 1, SIZE_MAX,
                  [this, alive = std::weak_ptr<int>(alive_), run, ancestor, begin](auto events) {
                    if (alive.expired()) return;
                    if (!events.ok()) return run->done(events.status());
                    const bool found = !events->empty() && events->front()->sequence == run->event->ancestors[ancestor];
                    found ? begin(std::move(events->front())) : FindRoot(run, ancestor + 1);
                  });
}

void Tracer::AddLost(Run& run) const {
  Sequence nearest = run.root->sequence;
  for (const Sequence ancestor : run.event->ancestors) {
    if (!parts_.log.lost().Contains(ancestor)) {
      nearest = std::max(nearest, ancestor);
      continue;
    }
    run.lost.push_back(ancestor);
    if (ancestor > run.root->sequence) run.leaves.push_back({ancestor, nearest});
  }
}

void Tracer::Grow(const std::shared_ptr<Run>& run) {
  if (run->leaves.empty() || run->truncated) return Tell(*run);
  const Run::Leaf leaf = run->leaves.front();
  run->leaves.pop_front();
  parts_.log.ReadChildren(leaf.parent, kMostNodes,
                          [this, alive = std::weak_ptr<int>(alive_), run, parent = leaf.shown_below](auto events) {
                            if (alive.expired()) return;
                            if (!events.ok()) return run->done(events.status());
                            for (EventPtr& child : *events) {
                              if (child->sequence > parts_.ledger.journaled_sequence()) break;
                              if (run->nodes == kMostNodes) {
                                run->truncated = true;
                                break;
                              }
                              ++run->nodes;
                              run->leaves.push_back({child->sequence, child->sequence});
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
  tree.lost = std::move(run.lost);
  std::vector<Node> next = {{run.root, 0}};
  while (!next.empty()) {
    Node node = std::move(next.back());
    next.pop_back();
    const auto children = run.children.find(node.event->sequence);
    if (children != run.children.end()) {
      // Those of a lost one came later.
      std::sort(children->second.begin(), children->second.end(),
                [](const EventPtr& a, const EventPtr& b) { return a->sequence < b->sequence; });
      for (auto child = children->second.rbegin(); child != children->second.rend(); ++child)
        next.push_back({*child, node.depth + 1});
    }
    tree.nodes.push_back(std::move(node));
  }
  run.done(std::move(tree));
}

}  // namespace pvebus::bus
