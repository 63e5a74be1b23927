#include "bus-service/core/row_recovery.h"

#include <algorithm>

namespace pvebus::bus {

RowRecovery::RowRecovery(const Registry& registry, const std::vector<Recovery::Listener>& kept) {
  for (const Recovery::Listener& listener : kept) {
    Source source{&listener, &registry.listeners().find(listener.snapshot.name)->second.subscription, {}, 0, 0, {}};
    for (const Interest& interest : listener.interests) {
      source.wishes.push_back({interest.after, interest.event_types, Filter::ParseForEvents(interest.filter).value_or(Filter())});
    }
    sources_.push_back(std::move(source));
  }
  std::sort(sources_.begin(), sources_.end(),
            [](const Source& a, const Source& b) { return a.kept->snapshot.name < b.kept->snapshot.name; });
}

bool RowRecovery::Matched(Source& source, const Event& event) {
  if (event.sequence <= source.kept->snapshot.born_after || source.wishes.empty()) return false;
  while (source.wish + 1 < source.wishes.size() && source.wishes[source.wish + 1].after < event.sequence) ++source.wish;
  const Source::Wish& wish = source.wishes[source.wish];
  if (wish.event_types != 0 && (wish.event_types & (1u << static_cast<int>(event.type))) == 0) return false;
  return wish.filter.Matches(event);
}

void RowRecovery::Rebuild(Publication& publication, Ledger& ledger) {
  for (Source& source : sources_) {
    if (!Matched(source, *publication.event)) continue;
    ListenerRow& row = publication.rows.emplace_back();
    row.listener = (*source.subscription)->shared_name();
    row.subscription = *source.subscription;
    Fill(source, publication, row, ledger);
  }
}

void RowRecovery::Fill(Source& source, Publication& publication, ListenerRow& row, Ledger& ledger) {
  const Sequence sequence = publication.event->sequence;
  const Progress& progress = source.kept->progress;
  const auto& deliveries = source.kept->deliveries;
  while (source.delivery < deliveries.size() && deliveries[source.delivery].sequence < sequence) ++source.delivery;
  if (source.delivery < deliveries.size() && deliveries[source.delivery].sequence == sequence) {
    const DeliveryRecord& delivery = deliveries[source.delivery];
    row.attempt = delivery.attempt;
    row.answered = delivery.answered;
    row.latency = delivery.latency;
    row.next_attempt_time = delivery.next_attempt_time;
    auto& instance = source.instances[delivery.instance_id];
    if (!instance) instance = std::make_shared<const std::string>(delivery.instance_id);
    row.instance_id = instance;
    ledger.SetAnswer(publication, row, delivery.error, delivery.hook_results);
    if (IsFinal(delivery.state)) {
      row.state = delivery.state;
      return;
    }
  }
  const bool settled =
      sequence < progress.next_sequence && !std::binary_search(progress.unsettled.begin(), progress.unsettled.end(), sequence);
  if (!settled) return;
  row.state = DeliveryState::kSucceeded;
  row.attempt = std::max<uint32_t>(row.attempt, 1);
}

}  // namespace pvebus::bus
