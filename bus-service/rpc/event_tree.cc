#include "bus-service/rpc/event_tree.h"

#include "bus-service/core/errors.h"
#include "bus-service/rpc/journal_codec.h"
#include "bus-service/rpc/result_codec.h"
#include "bus-service/rpc/time_codec.h"

namespace pvebus::bus {
namespace {

constexpr size_t kTreeBytes = 3 * 1024 * 1024;  // clients read at most 4 MiB
constexpr size_t kNodesPerTurn = 32;

}  // namespace

void EventTree::Start(UnaryCall& call, const std::string& event_id, Bus& bus, EventLoop& loop) {
  const std::shared_ptr<EventTree> tree(new EventTree(call, bus, loop));
  bus.Find({EventKey::Kind::kEventId, event_id}, [tree](absl::StatusOr<Publication*> publication) {
    if (tree->answer_.over()) return;
    if (!publication.ok()) return tree->answer_.Fail(publication.status());
    if (!(*publication)->journaled) return tree->answer_.Fail(EventNotFound((*publication)->event->event_id));
    tree->bus_.tracer().Trace((*publication)->event, [tree](absl::StatusOr<Tracer::Tree> found) {
      if (!found.ok()) return tree->answer_.Fail(found.status());
      tree->tree_ = *std::move(found);
      tree->response_.set_truncated(tree->tree_.truncated);
      for (const Sequence lost : tree->tree_.lost) tree->response_.add_lost_sequences(lost);
      tree->Describe();
    });
  });
}

void EventTree::Describe() {
  if (answer_.over()) return;
  if (next_ == tree_.nodes.size()) return answer_.Reply(response_);
  const Tracer::Node& node = tree_.nodes[next_++];
  const EventKey key{EventKey::Kind::kSequence, {}, node.event->sequence};
  bus_.Find(key, [tree = shared_from_this(), &node](absl::StatusOr<Publication*> publication) {
    if (tree->answer_.over()) return;
    if (!tree->Add(node, std::move(publication))) {
      tree->response_.set_truncated(true);
      return tree->answer_.Reply(tree->response_);
    }
    // Through the timers: what calls back at once must not nest for ever, and others have a turn.
    if (tree->next_ % kNodesPerTurn != 0) return tree->Describe();
    tree->loop_.timers().Schedule(tree->bus_.clock().SteadyNow() + std::chrono::microseconds(1), [tree] { tree->Describe(); });
  });
}

bool EventTree::Add(const Tracer::Node& node, absl::StatusOr<Publication*> publication) {
  v1::TraceNode described;
  *described.mutable_event() = EncodeEventBriefly(*node.event);
  described.set_depth(node.depth);
  *described.mutable_offset() =
      ToProto(std::chrono::duration_cast<Duration>(node.event->publish_time - tree_.nodes.front().event->publish_time));
  // Retention may have forgotten it since the tree was found.
  if (publication.ok()) EncodeResult(**publication, bus_, *described.mutable_result());
  bytes_ += described.ByteSizeLong();
  if (bytes_ > kTreeBytes && response_.nodes_size() > 0) return false;
  response_.add_nodes()->Swap(&described);
  return true;
}

}  // namespace pvebus::bus
