#include "bus-service/core/dead_letters.h"

#include <algorithm>
#include <utility>

#include "bus-service/core/errors.h"
#include "bus-service/core/event_id.h"

namespace pvebus::bus {
namespace {

constexpr size_t kLettersPerRead = 256;
constexpr size_t kBytesPerRead = 1 << 20;

}  // namespace

struct DeadLetters::Scan {
  std::vector<uint64_t> ids;  // ascending; empty: all
  Visit visit;
  std::function<void(absl::Status)> done;
  uint64_t until = 0;  // letters that come while it runs are not shown
  uint64_t after = 0;
};

absl::StatusOr<Filter> DeadLetters::ParseFilter(std::string_view text) {
  return Filter::Parse(
      text,
      {"listener",
       "reason",
       {"event_type", {"network_applied", "container_started", "storage_vlan_created", "migration_phase_changed", "custom"}},
       "source",
       "subject",
       "ordering_key",
       "event_id",
       "attributes."});
}

bool DeadLetters::Matches(const Filter& filter, const DeadLetter& letter) {
  return filter.Matches([&letter](std::string_view field) -> std::optional<std::string_view> {
    const Event& event = *letter.event;
    if (field == "listener") return letter.listener_name;
    if (field == "reason") return letter.delivery.error ? std::string_view(letter.delivery.error->reason) : std::string_view();
    if (field == "event_type") return EventTypeName(event.type);
    if (field == "source") return event.source;
    if (field == "subject") return event.subject;
    if (field == "ordering_key") return event.ordering_key;
    if (field == "event_id") return event.event_id;
    const auto it = event.attributes.find(std::string(field.substr(std::string_view("attributes.").size())));
    if (it == event.attributes.end()) return std::nullopt;
    return it->second;
  });
}

std::string DeadLetters::RedriveOf(const DeadLetter& letter) const {
  if (letter.redrive_id.empty()) return {};
  const Subscription* subscription = registry_.FindById(letter.listener);
  return subscription && subscription->redrive_id() == letter.redrive_id ? letter.redrive_id : std::string();
}

void DeadLetters::List(const Filter& filter, uint64_t after_id, size_t max_letters, size_t max_bytes,
                       std::function<void(absl::StatusOr<Page>)> done) {
  parts_.states.ReadDeadLetters(after_id, kLettersPerRead, max_bytes,
                                [filter, max_letters, done = std::move(done)](absl::StatusOr<std::vector<DeadLetter>> read) {
                                  if (!read.ok()) return done(read.status());
                                  Page page;
                                  for (DeadLetter& letter : *read) {
                                    page.next_after = letter.id;
                                    if (!Matches(filter, letter)) continue;
                                    page.letters.push_back(std::move(letter));
                                    if (page.letters.size() == max_letters) break;
                                  }
                                  done(std::move(page));
                                });
}

void DeadLetters::Get(uint64_t id, std::function<void(absl::StatusOr<DeadLetter>)> done) {
  if (id == 0) return done(DeadLetterNotFound(id));
  parts_.states.ReadDeadLetters(id - 1, 1, SIZE_MAX, [id, done = std::move(done)](absl::StatusOr<std::vector<DeadLetter>> read) {
    if (!read.ok()) return done(read.status());
    if (read->empty() || read->front().id != id) return done(DeadLetterNotFound(id));
    done(std::move(read->front()));
  });
}

void DeadLetters::Enqueue(std::function<void()> operation) {
  operations_.push_back(std::move(operation));
  if (operations_.size() == 1) RunOperation();
}

void DeadLetters::RunOperation() {
  const auto operation = operations_.front();  // it may end during the call
  operation();
}

void DeadLetters::EndOperation() {
  operations_.pop_front();
  if (operations_.empty()) return;
  // Through the timers: many that end at once must not nest.
  parts_.timers.Schedule(parts_.clock.SteadyNow(), [this, alive = std::weak_ptr<int>(alive_)] {
    if (!alive.expired()) RunOperation();
  });
}

void DeadLetters::ForEach(std::vector<uint64_t> ids, Visit visit, std::function<void(absl::Status)> done) {
  auto scan = std::make_shared<Scan>();
  scan->until = ids.empty() ? parts_.counters.last_dead_letter_id : ids.back();
  scan->ids = std::move(ids);
  scan->visit = std::move(visit);
  scan->done = std::move(done);
  ScanOn(scan);
}

void DeadLetters::ScanOn(const std::shared_ptr<Scan>& scan) {
  if (!scan->ids.empty()) {
    const auto next = std::upper_bound(scan->ids.begin(), scan->ids.end(), scan->after);
    if (next == scan->ids.end()) return scan->done(absl::OkStatus());
    scan->after = *next - 1;
  }
  if (scan->after >= scan->until) return scan->done(absl::OkStatus());
  const size_t most = std::min<uint64_t>(kLettersPerRead, scan->until - scan->after);
  parts_.states.ReadDeadLetters(scan->after, most, kBytesPerRead,
                                [this, alive = std::weak_ptr<int>(alive_), scan](absl::StatusOr<std::vector<DeadLetter>> read) {
                                  if (alive.expired()) return;
                                  if (!read.ok()) return scan->done(read.status());
                                  for (DeadLetter& letter : *read) {
                                    scan->after = letter.id;
                                    if (letter.id > scan->until) break;
                                    if (scan->ids.empty() || std::binary_search(scan->ids.begin(), scan->ids.end(), letter.id))
                                      scan->visit(letter);
                                  }
                                  if (read->empty()) scan->after = scan->until;
                                  // Through the timers: what calls back at once must not nest.
                                  parts_.timers.Schedule(parts_.clock.SteadyNow() + std::chrono::microseconds(1),
                                                         [this, alive, scan] {
                                                           if (!alive.expired()) ScanOn(scan);
                                                         });
                                });
}

void DeadLetters::Choose(const std::shared_ptr<const Selection>& selection, ChosenDone done) {
  const auto chosen = std::make_shared<std::vector<Chosen>>();
  const auto found = std::make_shared<std::vector<uint64_t>>();  // of the ids, whether the filter wants them or not
  ForEach(
      selection->ids,
      [this, selection, chosen, found](const DeadLetter& letter) {
        if (!selection->ids.empty()) found->push_back(letter.id);
        if (Matches(selection->filter, letter)) chosen->push_back({letter.id, letter.listener, RedriveOf(letter)});
      },
      [selection, chosen, found, done = std::move(done)](const absl::Status& status) {
        if (!status.ok()) return done(status);
        const auto [missing, other] = std::mismatch(selection->ids.begin(), selection->ids.end(), found->begin(), found->end());
        if (missing != selection->ids.end()) return done(DeadLetterNotFound(*missing));
        done(std::move(*chosen));
      });
}

absl::Status DeadLetters::CheckNotRedriving(const std::vector<Chosen>& chosen) const {
  for (const Chosen& letter : chosen) {
    const Subscription* subscription = registry_.FindById(letter.listener);
    if (subscription && subscription->redriving()) return RedriveRunning(subscription->name(), subscription->redrive_id());
  }
  return absl::OkStatus();
}

absl::Status DeadLetters::CheckNotRedriven(const std::vector<Chosen>& chosen) const {
  for (const Chosen& letter : chosen) {
    if (letter.redrive_id.empty()) continue;
    const Subscription* subscription = registry_.FindById(letter.listener);
    return subscription ? RedriveRunning(subscription->name(), letter.redrive_id) : DeadLetterNotFound(letter.id);
  }
  return absl::OkStatus();
}

void DeadLetters::Redrive(Selection selection, bool validate_only, std::function<void(absl::StatusOr<Redriven>)> done) {
  auto shared = std::make_shared<const Selection>(std::move(selection));
  Enqueue([this, shared = std::move(shared), validate_only, done = std::move(done)] {
    Choose(shared, [this, validate_only, done](absl::StatusOr<std::vector<Chosen>> chosen) {
      absl::Status status = chosen.ok() ? CheckNotRedriving(*chosen) : chosen.status();
      if (!status.ok() || validate_only || chosen->empty()) {
        EndOperation();
        if (!status.ok()) return done(std::move(status));
        return done(Redriven{"", chosen->size()});
      }
      std::vector<uint64_t> ids;
      ids.reserve(chosen->size());
      for (const Chosen& letter : *chosen) ids.push_back(letter.id);
      StartRedrive(std::move(ids), done);
    });
  });
}

void DeadLetters::StartRedrive(std::vector<uint64_t> ids, std::function<void(absl::StatusOr<Redriven>)> done) {
  const auto redriven = std::make_shared<Redriven>();
  redriven->redrive_id = "redrive-" + MakeEventId(parts_.clock.SystemNow(), parts_.random);
  ForEach(
      std::move(ids),
      [this, redriven](DeadLetter& letter) {
        Subscription* subscription = registry_.FindById(letter.listener);
        if (!subscription) return;  // deleted meanwhile
        ++redriven->count;
        Replay replay{++parts_.counters.last_replay_number,
                      letter.listener,
                      redriven->redrive_id,
                      letter.event->sequence,
                      false,
                      letter.id};
        letter.redrive_id = redriven->redrive_id;
        parts_.states.SaveDeadLetter(std::move(letter));
        parts_.states.SaveReplays({std::move(replay)});
        subscription->AddRedrive(redriven->redrive_id);
      },
      [this, redriven, done = std::move(done)](const absl::Status& status) {
        EndOperation();
        parts_.logger.Info("dead_letters_redriven redrive=%s count=%d", redriven->redrive_id, redriven->count);
        if (!status.ok()) return done(status);
        parts_.states.WhenDurable([redriven, done](const absl::Status& durable) {
          if (!durable.ok()) return done(durable);
          done(*redriven);
        });
      });
}

void DeadLetters::Discard(Selection selection, std::string reason, bool validate_only,
                          std::function<void(absl::StatusOr<uint64_t>)> done) {
  auto shared = std::make_shared<const Selection>(std::move(selection));
  Enqueue([this, shared = std::move(shared), reason = std::move(reason), validate_only, done = std::move(done)] {
    Choose(shared, [this, shared, reason, validate_only, done](absl::StatusOr<std::vector<Chosen>> chosen) {
      absl::Status status = chosen.status();
      if (status.ok() && !shared->ids.empty()) status = CheckNotRedriven(*chosen);
      if (status.ok()) std::erase_if(*chosen, [](const Chosen& letter) { return !letter.redrive_id.empty(); });
      if (!status.ok() || validate_only || chosen->empty()) {
        EndOperation();
        if (!status.ok()) return done(std::move(status));
        return done(chosen->size());
      }
      parts_.logger.Info("dead_letters_discarded count=%d reason=\"%s\"", chosen->size(), reason);
      DiscardFrom(std::make_shared<const std::vector<Chosen>>(*std::move(chosen)), 0, done);
    });
  });
}

void DeadLetters::DiscardFrom(const std::shared_ptr<const std::vector<Chosen>>& chosen, size_t next,
                              std::function<void(absl::StatusOr<uint64_t>)> done) {
  const size_t end = std::min(next + kLettersPerRead, chosen->size());
  for (; next < end; ++next) {
    parts_.states.RemoveDeadLetter((*chosen)[next].id);
    if (Subscription* subscription = registry_.FindById((*chosen)[next].listener)) subscription->DeadLetterRemoved();
  }
  // Some at a time: publishes go on between the commits.
  parts_.states.WhenDurable(
      [this, alive = std::weak_ptr<int>(alive_), chosen, next, done = std::move(done)](const absl::Status& durable) {
        if (alive.expired()) return;
        if (durable.ok() && next < chosen->size()) return DiscardFrom(chosen, next, done);
        EndOperation();
        if (!durable.ok()) return done(durable);
        done(chosen->size());
      });
}

}  // namespace pvebus::bus
