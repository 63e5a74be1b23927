#include "bus-service/store/journal_loader.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "bus-service/store/damage.h"
#include "bus-service/store/event_scan.h"
#include "bus-service/store/journal_verification.h"

namespace pvebus::bus {
namespace {

constexpr uint64_t kNewestEvents = 65'536;
constexpr uint64_t kNewestBytes = 32 << 20;

class Loader {
 public:
  Loader(JournalTables& tables, const std::optional<Mark>& mark) : tables_(tables), mark_(mark) {}

  LoadedJournal Load() {
    CheckSmallTables();
    LoadState();
    LoadLosses();
    LoadSegments();
    LoadOpenSegment();
    CheckMark();
    LoadIds();
    LoadDeadLetters();
    LoadListeners();
    LoadDeliveries();
    LoadNewest();
    FindDropped();
    return std::move(loaded_);
  }

 private:
  void Found(const absl::Status& status) {
    if (!status.ok()) loaded_.problems.push_back(ProblemOf(status));
  }

  // A row that a page has forgotten has no checksum to miss it by. (Events have their sequences and segments, dead letters their
  // count, blocks of ids their numbers.)
  void CheckSmallTables() {
    for (const char* table : {"journal", "segments", "segment_ids", "id_blocks", "listeners", "interests", "progress",
                              "deliveries", "replays", "losses"}) {
      Found(CheckPagesOf(tables_, table));
    }
  }

  void LoadState() {
    auto state = tables_.journal.Get();
    if (state.ok()) {
      loaded_.state = *state;
    } else {
      Found(state.status());
    }
    loaded_.segment_writer.emplace(IdHash(loaded_.state.hash_seed));
    loaded_.ids = std::make_unique<IdIndex>();
  }

  void LoadLosses() {
    auto losses = tables_.losses.Load();
    if (!losses.ok()) return Found(losses.status());
    std::vector<Gap> gaps;
    for (const Loss& loss : *losses) {
      if (loss.first != 0) gaps.push_back({loss.first, loss.last});
    }
    loaded_.lost = LostRanges(std::move(gaps));
    loaded_.losses = *std::move(losses);
  }

  void LoadSegments() {
    Sequence next = loaded_.lost.Skip(loaded_.state.first_sequence);
    Found(tables_.segments.ForEach([&](const absl::StatusOr<Segment>& segment) {
      if (!segment.ok()) return Found(segment.status());
      if (segment->first != next) {
        Found(Damaged("segments", next, absl::StrFormat("the segment of events from %d is missing", next)));
      }
      if (!loaded_.segments.empty() && segment->first <= loaded_.segments.last_sequence()) return;
      loaded_.segments.AddSegment(*segment);
      next = loaded_.lost.Skip(segment->end());
    }));
    open_first_ = next;
  }

  // The events after the last segment: few, and they have no row that says so.
  void LoadOpenSegment() {
    auto last = tables_.events.LastSequence();
    if (!last.ok()) return Found(last.status());
    last_sequence_ = std::max(loaded_.segments.last_sequence(), loaded_.state.last_sequence);
    if (*last >= open_first_) {
      ScanEvents(
          tables_, loaded_.lost, open_first_, *last,
          [this](const std::shared_ptr<Event>& event, int64_t checksum) {
            last_sequence_ = std::max(last_sequence_, event->sequence);
            loaded_.state.last_publish_time = ToNanos(event->publish_time);
            if (open_begun_ && event->sequence != loaded_.segments.last_sequence() + 1) return;  // after a damaged one
            open_begun_ = true;
            loaded_.segments.AddEvent(event->sequence, event->Bytes(), ToNanos(event->publish_time));
            loaded_.segment_writer->Resume(*event, checksum);
          },
          [this](const absl::Status& status) { Found(status); });
    }
    open_ids_ = loaded_.segment_writer->TakeIds();
    const Sequence next = std::max(loaded_.segments.last_sequence() + 1, loaded_.state.first_sequence);
    if (loaded_.lost.Skip(next) <= loaded_.state.last_sequence) {
      Found(Damaged("events", next, absl::StrFormat("events %d..%d are missing", next, loaded_.state.last_sequence)));
    }
  }

  void CheckMark() {
    if (mark_ && mark_->last_sequence > last_sequence_) {
      Found(Damaged("journal.db", last_sequence_ + 1,
                    absl::StrFormat("events %d..%d were acknowledged and are missing: journal.db ends with commit %d, event %d; "
                                    "journal.mark knows commit %d, event %d",
                                    last_sequence_ + 1, mark_->last_sequence, loaded_.state.commits, last_sequence_,
                                    mark_->commits, mark_->last_sequence)));
      last_sequence_ = mark_->last_sequence;
    } else if (mark_ && mark_->commits > loaded_.state.commits) {
      Found(Damaged("journal.db", 0,
                    absl::StrFormat("the last changes of listeners and deliveries are missing: journal.db ends with commit %d, "
                                    "journal.mark knows commit %d",
                                    loaded_.state.commits, mark_->commits)));
    }
    loaded_.state.last_sequence = last_sequence_;
    if (!open_begun_ && !loaded_.segments.empty()) LoadLastTime();
    loaded_.recovery.last_sequence = last_sequence_;
    loaded_.recovery.last_publish_time = FromNanos(loaded_.state.last_publish_time);
  }

  void LoadLastTime() {
    auto event = tables_.events.Get(loaded_.segments.last_sequence());
    if (!event.ok()) return Found(event.status());
    if (*event) loaded_.state.last_publish_time = ToNanos((*event)->publish_time);
  }

  void LoadIds() {
    auto blocks = tables_.ids.Load();
    if (!blocks.ok()) return Found(blocks.status());
    uint64_t expected = blocks->empty() ? 0 : blocks->front().number;
    for (IdRows::Block& block : *blocks) {
      if (block.number != expected) {
        Found(Damaged("id_blocks", 0, absl::StrFormat("block %d of ids is missing", expected)));
      }
      expected = block.number + 1;
      loaded_.sealed_until = block.last + 1;
      if (block.last < loaded_.state.first_sequence) loaded_.forgotten_blocks.push_back(block.number);
      loaded_.ids->AddBlock(std::move(block));
    }
    loaded_.ids->DropBefore(loaded_.state.first_sequence);
    auto unfinished = tables_.ids.HasBucketsFrom(loaded_.ids->next_block());
    Found(unfinished.status());
    loaded_.unfinished_block = unfinished.ok() && *unfinished;
    auto firsts = tables_.segments.WithIds();
    if (!firsts.ok()) return Found(firsts.status());
    for (const Sequence first : *firsts) {
      if (first < loaded_.sealed_until) {
        loaded_.sealed_ids_left = true;
        continue;
      }
      auto ids = tables_.segments.Ids(first);
      if (!ids.ok()) {
        Found(ids.status());
        continue;
      }
      for (const IdEntry& id : *ids) loaded_.ids->Add(id);
    }
    for (const IdEntry& id : open_ids_) loaded_.ids->Add(id);
  }

  void LoadDeadLetters() {
    Found(tables_.dead_letters.ForEachKey([&](uint64_t id, ListenerId listener, uint64_t bytes) {
      loaded_.dead_letters[id] = {listener, bytes};
    }));
    if (loaded_.dead_letters.size() != loaded_.state.dead_letters) {
      Found(Damaged("dead_letters", 0,
                    absl::StrFormat("there are %d dead letters, but %d were written", loaded_.dead_letters.size(),
                                    loaded_.state.dead_letters)));
    }
  }

  void LoadListeners() {
    Recovery& recovery = loaded_.recovery;
    for (auto& listener : tables_.listeners.Load([this](const absl::Status& status) { Found(status); })) {
      (listener.snapshot.deleted_after ? recovery.former_listeners : recovery.listeners).push_back(std::move(listener));
    }
    std::stable_sort(recovery.former_listeners.begin(), recovery.former_listeners.end(),
                     [](const auto& a, const auto& b) { return *a.snapshot.deleted_after < *b.snapshot.deleted_after; });
    recovery.last_listener_id = loaded_.state.last_listener_id;
    recovery.last_dead_letter_id = loaded_.state.last_dead_letter_id;
    recovery.last_replay_number = loaded_.state.last_replay_number;
    std::map<ListenerId, uint64_t> letters;
    for (const auto& [id, letter] : loaded_.dead_letters) ++letters[letter.listener];
    for (Recovery::Listener& listener : recovery.listeners) {
      recovery.last_listener_id = std::max(recovery.last_listener_id, listener.id);
      listener.dead_letter_count = letters[listener.id];
    }
    Found(tables_.deliveries.ForEachReplay([&](const absl::StatusOr<Replay>& replay) {
      if (!replay.ok()) return Found(replay.status());
      const auto listener = std::find_if(recovery.listeners.begin(), recovery.listeners.end(),
                                         [&](const Recovery::Listener& one) { return one.id == replay->listener; });
      if (listener == recovery.listeners.end()) return DropLater(replay->listener);
      ++listener->replay_count;
      if (replay->dead_letter_id == 0) return;
      ++listener->redrive_count;
      listener->redrive_id = replay->replay_id;
    }));
  }

  // What waited for a deleted listener. Of one that was never heard of it is damage, which a checksum shows.
  void FindDropped() {
    if (loaded_.recovery.former_listeners.empty()) return;
    std::set<ListenerId> waited_for;
    for (const auto& [id, letter] : loaded_.dead_letters) waited_for.insert(letter.listener);
    for (const ListenerId listener : waited_for) DropLater(listener);
    std::erase_if(loaded_.dead_letters,
                  [this](const auto& letter) { return loaded_.dropped_listeners.contains(letter.second.listener); });
  }

  void DropLater(ListenerId listener) {
    const auto& former = loaded_.recovery.former_listeners;
    const bool deleted = std::any_of(former.begin(), former.end(), [listener](const auto& one) { return one.id == listener; });
    if (deleted) loaded_.dropped_listeners.insert(listener);
  }

  // Of events that are unsettled, or not behind the listener yet.
  void LoadDeliveries() {
    Sequence from = last_sequence_ + 1;
    std::map<ListenerId, Recovery::Listener*> by_id;
    for (Recovery::Listener& listener : loaded_.recovery.listeners) {
      by_id[listener.id] = &listener;
      from = std::min(from, listener.progress.next_sequence);
      for (const Sequence sequence : listener.progress.unsettled) LoadUnsettled(listener, sequence);
    }
    DeliveryRows::Place place;
    for (bool more = true; more;) {
      auto scanned = tables_.deliveries.Scan(place, 1000, from, [&](const auto& delivery) {
        if (!delivery.ok()) return Found(delivery.status());
        const auto listener = by_id.find(delivery->first);
        if (listener == by_id.end() || delivery->second.sequence < listener->second->progress.next_sequence) return;
        const auto& unsettled = listener->second->progress.unsettled;
        if (std::binary_search(unsettled.begin(), unsettled.end(), delivery->second.sequence)) return;
        listener->second->deliveries.push_back(delivery->second);
      });
      Found(scanned.status());
      more = scanned.ok() && *scanned;
    }
    for (Recovery::Listener& listener : loaded_.recovery.listeners) {
      std::sort(listener.deliveries.begin(), listener.deliveries.end(),
                [](const DeliveryRecord& a, const DeliveryRecord& b) { return a.sequence < b.sequence; });
    }
  }

  void LoadUnsettled(Recovery::Listener& listener, Sequence sequence) {
    if (sequence < loaded_.state.first_sequence || loaded_.lost.Skip(sequence) != sequence) return;
    EventPtr& event = unsettled_events_[sequence];
    if (!event) {
      auto read = tables_.events.Get(sequence);
      if (read.ok() && !*read) read = Damaged("events", sequence, absl::StrFormat("event %d is missing", sequence));
      if (!read.ok()) return Found(read.status());
      event = *read;
    }
    listener.unsettled.push_back(event);
    auto deliveries = tables_.deliveries.OfEvent(sequence);
    if (!deliveries.ok()) return Found(deliveries.status());
    for (auto& [id, delivery] : *deliveries) {
      if (id == listener.id) listener.deliveries.push_back(std::move(delivery));
    }
  }

  void LoadNewest() {
    Sequence from = loaded_.segments.FirstOfNewest(kNewestEvents, kNewestBytes);
    if (from == 0) return;
    Sequence counted = last_sequence_;
    for (const Recovery::Listener& listener : loaded_.recovery.listeners) {
      counted = std::min(counted, listener.progress.counted_until);
    }
    const Sequence last = loaded_.segments.last_sequence();
    // Some more, for those who ask for the newest.
    from = std::max(from, std::min(counted + 1, last > 1000 ? last - 1000 : 1));
    std::vector<EventPtr>& newest = loaded_.recovery.newest;
    const absl::Status read = ReadEvents(tables_, loaded_.lost, from, last, {SIZE_MAX, SIZE_MAX}, newest);
    if (read.ok()) return;
    Found(read);
    newest.clear();  // they must reach the last one
  }

  JournalTables& tables_;
  const std::optional<Mark> mark_;
  LoadedJournal loaded_;
  Sequence open_first_ = 1;
  Sequence last_sequence_ = 0;
  bool open_begun_ = false;
  std::vector<IdEntry> open_ids_;
  std::map<Sequence, EventPtr> unsettled_events_;
};

}  // namespace

LoadedJournal LoadJournal(JournalTables& tables, const std::optional<Mark>& mark) { return Loader(tables, mark).Load(); }

}  // namespace pvebus::bus
