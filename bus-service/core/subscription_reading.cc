// How a subscription follows the journal: what comes into its window, what it passes, and where operators move it.
#include <algorithm>
#include <cassert>

#include "absl/strings/str_format.h"
#include "bus-service/core/row_errors.h"
#include "bus-service/core/session.h"
#include "bus-service/core/subscription.h"

namespace pvebus::bus {
namespace {

using State = WindowEntry::State;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr Duration kReadAgainAfter = std::chrono::seconds(1);
constexpr size_t kEventsPerRead = 1024;
constexpr int kReadsPerTurn = 4;
constexpr size_t kReplaysPerRead = 64;
// The count of a backlog is saved at least so often: a start counts what came after it.
constexpr Sequence kSaveEvery = 1024;
constexpr char kTruncated[] = "BACKLOG_TRUNCATED";

}  // namespace

void Subscription::OnJournaled(const Publication& publication, bool matched) {
  const Sequence sequence = publication.event->sequence;
  if (matched) backlog_.Add();
  if (sequence >= saved_at_ + kSaveEvery) Touch();
  if (cursor_.next() != sequence) return;  // behind: it is read from the journal when its turn comes
  if (!matched) return cursor_.Advance();
  if (!available() || cursor_.reading() || !HasRoom()) return;
  Load(publication.event, true);
  cursor_.Advance();
  backlog_.Passed(sequence);
  WakeSession();
}

size_t Subscription::WindowCapacity() const { return std::max<size_t>(4 * static_cast<size_t>(max_in_flight_), 256); }

bool Subscription::HasRoom() const { return window_.size() < WindowCapacity() && window_.bytes() < kWindowBytes; }

bool Subscription::WantsMore() const {
  if (!HasRoom()) return false;
  return window_.size() <= WindowCapacity() / 2 || (!window_.has_ready() && window_.size() <= WindowCapacity() / 8 * 7);
}

bool Subscription::Fill() {
  const size_t size_before = window_.size();
  for (int reads = 0; available() && WantsMore() && !read_again_ && !cursor_.reading() && !cursor_.at_end(); ++reads) {
    if (reads == kReadsPerTurn) {  // others have a turn
      ReadAgain(milliseconds(1));
      break;
    }
    const size_t room = WindowCapacity() - window_.size();
    cursor_.Read(
        cursor_.interests().EverythingSince(cursor_.next()) ? room : kEventsPerRead, kWindowBytes - window_.bytes(),
        [this](const EventPtr& event) { return Pass(event); },
        [this](const absl::Status& status) {
          Touch();
          if (status.ok()) return WakeSession();
          parts_.logger.Error("journal_read_failed listener=%s sequence=%d error=\"%s\"", *name_, cursor_.next(),
                              status.ToString());
          ReadAgain(kReadAgainAfter);
        });
  }
  if (cursor_.at_end() && !cursor_.reading()) backlog_.Clear();
  FillFromReplays();
  return window_.size() > size_before;
}

bool Subscription::Pass(const EventPtr& event) {
  if (!cursor_.Wants(*event)) return true;
  const Sequence sequence = event->sequence;
  if (!window_.Find(sequence)) {
    if (HasExpired(*event, parts_.clock.SystemNow())) {
      if (cursor_.Counts(*event)) EndUnsent(*event, DeliveryState::kExpired, ExpiredError());
    } else {
      if (!HasRoom()) return false;
      Load(event, cursor_.Counts(*event));
    }
  }
  backlog_.Passed(sequence);
  return true;
}

bool Subscription::FillFromReplays() {
  if (!replays_.has_more() || replays_.reading() || !available() || !WantsMore() || read_again_) return false;
  replays_.Read(
      std::min(kReplaysPerRead, WindowCapacity() - window_.size()), kWindowBytes - window_.bytes(),
      [this](Replay replay, EventPtr event) { LoadReplay(std::move(replay), std::move(event)); },
      [this](const absl::Status& status) { status.ok() ? WakeSession() : ReadAgain(kReadAgainAfter); });
  return true;
}

void Subscription::ReadAgain(Duration after) {
  parts_.timers.Cancel(read_again_);
  read_again_ = parts_.timers.Schedule(parts_.clock.SteadyNow() + after, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->read_again_.number = 0;
    self->Fill();
    self->WakeSession();
  });
}

Duration Subscription::LeftOf(const Event& event) const {
  return duration_cast<Duration>(*event.expire_time - parts_.clock.SystemNow());
}

WindowEntry& Subscription::Load(const EventPtr& event, bool counts) {
  WindowEntry& entry = window_.Add(event);
  entry.counts = counts;
  Touch();
  // System time is what the publisher meant.
  if (entry.event->expire_time) CheckAt(parts_.clock.SteadyNow() + std::max(LeftOf(*entry.event), Duration::zero()));
  Defer(entry);
  return entry;
}

void Subscription::LoadReplay(Replay replay, EventPtr event) {
  const Slot slot = kFirstReplaySlot | replay.number;
  if (window_.Find(slot)) return;
  WindowEntry& entry = window_.Add(std::move(event), slot);
  entry.replay = std::make_unique<const Replay>(std::move(replay));
  Defer(entry);
}

void Subscription::Defer(WindowEntry& entry) {
  if (entry.event->ancestors.empty()) return;
  entry.waits_for = BusyWithAncestor(*entry.event);
  if (entry.waits_for != 0) {
    window_.SetState(entry, State::kDeferred);
    deferred_by_[entry.waits_for].push_back(entry.slot);
  }
  SetRowState(entry, entry.waits_for != 0 ? DeliveryState::kDeferred : DeliveryState::kQueued);
}

void Subscription::AddReplays(uint64_t count) {
  replays_.Add(count);
  Fill();
  WakeSession();
}

void Subscription::AddRedrive(const std::string& redrive_id) {
  replays_.AddRedrive(redrive_id);
  Fill();
  WakeSession();
}

void Subscription::Expire(Publication& publication) {
  const Event& event = *publication.event;
  WindowEntry* entry = window_.Find(event.sequence);
  if (entry && entry->state == State::kInFlight) return;  // it may still be acknowledged; a failure ends it as EXPIRED
  if (entry) Finish(*entry, DeliveryState::kExpired, ExpiredError(), {});
  if (event.sequence < cursor_.next() || !cursor_.Wants(event)) return;
  backlog_.Expired(event.sequence);
  ListenerRow* const row = publication.FindRow(name_);
  if (!row || IsFinal(row->state) || !cursor_.Counts(event)) return;  // older than the listener, or to be sent again
  parts_.ledger.SetAnswer(publication, *row, ExpiredError());
  parts_.gather.SetState(publication, *row, DeliveryState::kExpired);
}

void Subscription::GoOnAfterExpiry() {
  // Else a listener that is away would keep events in the journal that nobody wants.
  while (!cursor_.reading() && !cursor_.at_end()) {
    const Publication* publication = parts_.ledger.Find(cursor_.next());
    if (!publication) break;
    if (cursor_.Wants(*publication->event)) {
      if (!HasExpired(*publication->event, parts_.clock.SystemNow()) || window_.Find(cursor_.next())) break;
      Pass(publication->event);
    }
    cursor_.Advance();
    Touch();
  }
  Fill();
  WakeSession();
}

uint64_t Subscription::backlog() const {
  uint64_t in_window = window_.size();
  // After a move back the cursor has entries of the window ahead.
  for (auto it = window_.entries().lower_bound(cursor_.next()); it != window_.entries().end() && it->first < kFirstReplaySlot;
       ++it)
    --in_window;
  return in_window + backlog_.count() + replays_.waiting();
}

void Subscription::Seek(Sequence next_sequence) {
  std::vector<Slot> passed;
  for (const auto& [slot, entry] : window_.entries()) {
    if (slot < next_sequence) passed.push_back(slot);
  }
  for (const Slot slot : passed) Finish(*window_.Find(slot), DeliveryState::kSkipped, SeekError(), {});
  const Sequence before = cursor_.next();
  if (next_sequence > before) {
    gaps_.push_back({before, next_sequence - 1});
    for (Sequence sequence = before; sequence < next_sequence; ++sequence) {
      Publication* publication = parts_.ledger.Find(sequence);
      if (!publication) continue;
      ListenerRow* row = cursor_.Counts(*publication->event) ? publication->FindRow(name_) : nullptr;
      if (!row || IsFinal(row->state)) continue;
      parts_.ledger.SetAnswer(*publication, *row, SeekError());
      parts_.gather.SetState(*publication, *row, DeliveryState::kSkipped);
    }
  }
  cursor_.MoveTo(next_sequence);
  Remember({parts_.clock.SystemNow(), "SEEK", absl::StrFormat("moved from event %d to event %d", before, next_sequence),
            std::min(before, next_sequence), std::max(before, next_sequence)});
  Touch();
  backlog_.Recount();
  SaveProgress();
  Fill();
  WakeSession();
}

void Subscription::CountBefore(Sequence sequence, std::function<void(absl::StatusOr<uint64_t>)> done) const {
  uint64_t loaded = 0;
  for (const auto& [slot, entry] : window_.entries()) loaded += slot < sequence && slot < cursor_.next();
  const Sequence from = std::max(cursor_.next(), parts_.log.first_sequence());
  if (sequence <= from) return done(loaded);
  if (cursor_.CountsAll(from)) return done(loaded + (sequence - from) - parts_.log.lost().CountIn(from, sequence - 1));
  parts_.log.Count(from, sequence - 1, cursor_.Wish(), [loaded, done = std::move(done)](absl::StatusOr<uint64_t> ahead) {
    if (ahead.ok()) *ahead += loaded;
    done(std::move(ahead));
  });
}

void Subscription::GiveUpBefore(Sequence sequence) {
  uint64_t lost = 0;
  std::vector<Slot> passed;
  for (const auto& [slot, entry] : window_.entries()) {
    if (slot < sequence) passed.push_back(slot);
  }
  for (const Slot slot : passed) {
    Finish(*window_.Find(slot), DeliveryState::kSkipped, TruncatedError(), {});
    ++lost;
  }
  const Sequence first = passed.empty() ? cursor_.next() : std::min(passed.front(), cursor_.next());
  if (Remember({parts_.clock.SystemNow(), kTruncated, {}, first, sequence - 1})) lost_unknown_ = false;
  if (sequence > cursor_.next()) {
    cursor_.MoveTo(sequence);
    incidents_.back().lost_at_least = true;  // until it is told
    const bool told = backlog_.RecountAfterLoss([this](uint64_t more) {
      if (incidents_.empty() || incidents_.back().kind != kTruncated) return;
      incidents_.back().lost_at_least = lost_unknown_;
      Lose(more);
    });
    if (!told) lost_unknown_ = true;
  }
  Lose(lost);
  Fill();
  WakeSession();
}

void Subscription::Lose(uint64_t deliveries) {
  lost_deliveries_ += deliveries;
  Incident& incident = incidents_.back();
  incident.lost += deliveries;
  incident.message = absl::StrFormat("the journal gave up events up to %d, %s%d of which the listener had not settled",
                                     incident.last, incident.lost_at_least ? "at least " : "", incident.lost);
  Changed();
  SaveProgress();
}

bool Subscription::Remember(Incident incident) {
  // A journal that gives up event after event is one incident.
  if (!incidents_.empty() && incidents_.back().kind == incident.kind && incidents_.back().last + 1 >= incident.first &&
      incident.kind != "SEEK") {
    incident.first = std::min(incident.first, incidents_.back().first);
    incident.lost += incidents_.back().lost;
    incident.lost_at_least |= incidents_.back().lost_at_least;
    incidents_.back() = std::move(incident);
    return false;
  }
  if (incidents_.size() == kMaxIncidents) incidents_.erase(incidents_.begin());
  incidents_.push_back(std::move(incident));
  return true;
}

void Subscription::DropAll(const ListenerError& error) {
  ended_ = true;
  const auto end = [&](Publication* publication) {
    ListenerRow* row = publication ? publication->FindRow(name_) : nullptr;
    if (!row || IsFinal(row->state)) return;
    parts_.ledger.SetAnswer(*publication, *row, error);
    parts_.gather.SetState(*publication, *row, DeliveryState::kExpired);
  };
  for (const auto& [slot, entry] : window_.entries()) end(parts_.ledger.Find(entry->event->sequence));
  parts_.ledger.ForEachSince(cursor_.next(), end);
  window_.Clear();
  deferred_by_.clear();
  backlog_.Clear();
  cursor_.MoveTo(cursor_.next());
  parts_.timers.Cancel(check_);
}

Sequence Subscription::floor() const {
  return window_.entries().empty() ? cursor_.next() : std::min(window_.entries().begin()->first, cursor_.next());
}

std::optional<SystemTime> Subscription::OldestUnackedTime() const {
  if (!window_.entries().empty()) return window_.entries().begin()->second->event->publish_time;
  const Publication* next = backlog_.count() > 0 ? parts_.ledger.Find(cursor_.next()) : nullptr;
  if (!next) return std::nullopt;
  return next->event->publish_time;
}

}  // namespace pvebus::bus
