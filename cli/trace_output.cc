#include "cli/trace_output.h"

#include <algorithm>
#include <map>
#include <vector>

#include "absl/strings/str_format.h"
#include "cli/duration.h"
#include "cli/hook_output.h"
#include "cli/result_output.h"
#include "cli/table.h"
#include "sdk/client/proto_time.h"
#include "sdk/events/summary.h"

namespace pvebus::cli {
namespace {

// What stands before a row, and before the rows below it.
struct Lead {
  std::string own;
  std::string below;

  Lead Branch(bool last) const { return {below + (last ? "└─ " : "├─ "), below + (last ? "   " : "│  ")}; }
};

// Requires: the trace outlives it. One thread.
class TraceTree {
 public:
  TraceTree(const bus::v1::TraceEventResponse& trace, const std::string& asked_id) : trace_(trace), asked_id_(asked_id) {
    std::map<std::string, int> by_id;
    std::map<uint32_t, int> newest_at;  // depth
    for (int i = 0; i < trace.nodes_size(); ++i) {
      const event::v1::SystemEvent& event = trace.nodes(i).event();
      // Parents come first: what does not is no parent, and there is no circle.
      const auto parent = by_id.find(event.causation().parent_event_id());
      const uint32_t depth = trace.nodes(i).depth();
      if (parent != by_id.end()) {
        children_[parent->second].push_back(i);
      } else if (const auto above = newest_at.find(depth - 1); depth > 0 && above != newest_at.end()) {
        children_[above->second].push_back(i);  // its parent is lost
      } else {
        roots_.push_back(i);
      }
      by_id.emplace(event.event_id(), i);
      newest_at[depth] = i;
    }
  }

  void Print(std::ostream& out) {
    for (const int root : roots_) AddEvent(root, {});
    table_.Print(out);
  }

 private:
  void AddEvent(int index, const Lead& lead) {
    const bus::v1::TraceNode& node = trace_.nodes(index);
    AddEventRow(node, lead);
    const auto& rows = node.result().listener_results();
    const std::vector<int>& children = children_[index];
    const size_t count = rows.size() + children.size();
    size_t number = 0;
    for (const bus::v1::ListenerResult& row : rows) AddListener(row, lead.Branch(++number == count));
    for (const int child : children) AddEvent(child, lead.Branch(++number == count));
  }

  void AddEventRow(const bus::v1::TraceNode& node, const Lead& lead) {
    const event::v1::SystemEvent& event = node.event();
    const bool asked = trace_.nodes_size() > 1 && event.event_id() == asked_id_;
    table_.Add({absl::StrFormat("%s#%d %s", lead.own, event.sequence(), events::Summarize(event)),
                ShortName(PublishOutcome_Name(node.result().outcome())),
                lead.own.empty() ? "" : "+" + FormatDuration(node.offset()), Slowest(node.result()),
                absl::StrFormat("%s%s%s", event.event_id(), event.source().empty() ? "" : " from " + event.source(),
                                asked ? " <- asked for" : "")});
  }

  void AddListener(const bus::v1::ListenerResult& row, const Lead& lead) {
    std::string detail = row.attempt() > 1 ? absl::StrFormat("attempt %d", row.attempt()) : "";
    if (row.has_error()) absl::StrAppendFormat(&detail, "%s%s", detail.empty() ? "" : ": ", FormatError(row.error()));
    table_.Add({lead.own + row.listener(), ShortName(DeliveryState_Name(row.state())), "",
                row.has_latency() ? FormatDuration(row.latency()) : "-", detail});
    const std::vector<HookLine> lines = LinesOf(row.hook_results(), ProgramOutput::kLastLine);
    for (size_t i = 0; i < lines.size(); ++i) {
      table_.Add({lead.Branch(i + 1 == lines.size()).own + lines[i].name, lines[i].state, "", lines[i].duration, lines[i].text});
    }
  }

  static std::string Slowest(const bus::v1::PublishResult& result) {
    Duration slowest{0};
    for (const bus::v1::ListenerResult& row : result.listener_results()) {
      slowest = std::max(slowest, client::FromProto(row.latency()));
    }
    return slowest == Duration(0) ? "" : FormatDuration(slowest);
  }

  const bus::v1::TraceEventResponse& trace_;
  const std::string& asked_id_;
  std::vector<int> roots_;
  std::map<int, std::vector<int>> children_;
  Table table_{{"EVENT", "STATE", "AFTER", "TOOK", "DETAIL"}};
};

}  // namespace

void PrintTrace(const bus::v1::TraceEventResponse& trace, const std::string& asked_id, std::ostream& out) {
  if (trace.nodes().empty()) return;
  const event::v1::SystemEvent& root = trace.nodes(0).event();
  out << absl::StrFormat("%d %s, the first of %s\n", trace.nodes_size(), trace.nodes_size() == 1 ? "event" : "events",
                         FormatTime(root.publish_time()));
  for (const uint64_t lost : trace.lost_sequences()) {
    out << absl::StrFormat(
        "event %d of it is lost with a damaged journal; what it caused is below the nearest one that is there\n", lost);
  }
  if (root.has_causation()) {
    out << absl::StrFormat("it was caused by %s, which the journal no longer holds\n",
                           Printable(root.causation().parent_event_id()));
  }
  out << '\n';
  TraceTree(trace, asked_id).Print(out);
  if (trace.truncated()) out << absl::StrFormat("\nthe tree has more events: only the first %d are shown\n", trace.nodes_size());
}

}  // namespace pvebus::cli
