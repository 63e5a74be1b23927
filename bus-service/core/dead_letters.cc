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
  std::shared_ptr<const Selection> selection;
  Visit visit;
  std::function<void(absl::Status)> done;
  uint64_t until = 0;  // letters that come while it runs are not selected
  uint64_t after = 0;
  size_t next_id = 0;  // of the selection's ids
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
  return subscription && subscription->redriving() ? letter.redrive_id : std::string();
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

void DeadLetters::ForEach(std::shared_ptr<const Selection> selection, Visit visit, std::function<void(absl::Status)> done) {
  auto scan = std::make_shared<Scan>();
  scan->selection = std::move(selection);
  scan->visit = std::move(visit);
  scan->done = std::move(done);
  scan->until = parts_.counters.last_dead_letter_id;
  ScanOn(scan);
}

void DeadLetters::ScanOn(const std::shared_ptr<Scan>& scan) {
  const auto& ids = scan->selection->ids;
  const bool by_id = !ids.empty();
  if (by_id) {
    if (scan->next_id == ids.size()) return scan->done(absl::OkStatus());
    scan->after = ids[scan->next_id++] - 1;
  }
  parts_.states.ReadDeadLetters(
      scan->after, by_id ? 1 : kLettersPerRead, kBytesPerRead,
      [this, alive = std::weak_ptr<int>(alive_), scan, by_id](absl::StatusOr<std::vector<DeadLetter>> read) {
        if (alive.expired()) return;
        if (!read.ok()) return scan->done(read.status());
        if (!by_id && (read->empty() || read->front().id > scan->until)) return scan->done(absl::OkStatus());
        for (DeadLetter& letter : *read) {
          if (by_id && letter.id != scan->after + 1) return scan->done(DeadLetterNotFound(scan->after + 1));
          if (letter.id > scan->until) break;
          if (!by_id) scan->after = letter.id;
          if (!Matches(scan->selection->filter, letter)) continue;
          if (auto status = scan->visit(letter); !status.ok()) return scan->done(status);
        }
        if (by_id && read->empty()) return scan->done(DeadLetterNotFound(scan->after + 1));
        // Through the timers: what calls back at once must not nest.
        parts_.timers.Schedule(parts_.clock.SteadyNow() + std::chrono::microseconds(1), [this, alive, scan] {
          if (!alive.expired()) ScanOn(scan);
        });
      });
}

void DeadLetters::Redrive(Selection selection, bool validate_only, std::function<void(absl::StatusOr<Redriven>)> done) {
  if (redriving_) return done(RedriveRunning(""));
  redriving_ = !validate_only;
  const auto shared = std::make_shared<const Selection>(std::move(selection));
  const auto count = std::make_shared<uint64_t>(0);
  ForEach(
      shared,
      [this, count](const DeadLetter& letter) {
        ++*count;
        const Subscription* subscription = registry_.FindById(letter.listener);
        return subscription && subscription->redriving() ? RedriveRunning(letter.listener_name) : absl::OkStatus();
      },
      [this, shared, count, validate_only, done = std::move(done)](const absl::Status& status) {
        if (!status.ok() || validate_only || *count == 0) {
          if (!validate_only) redriving_ = false;
          if (!status.ok()) return done(status);
          return done(Redriven{"", *count});
        }
        StartRedrive(shared, done);
      });
}

void DeadLetters::StartRedrive(std::shared_ptr<const Selection> selection, std::function<void(absl::StatusOr<Redriven>)> done) {
  const auto redriven = std::make_shared<Redriven>();
  redriven->redrive_id = "redrive-" + MakeEventId(parts_.clock.SystemNow(), parts_.random);
  const auto listeners = std::make_shared<std::map<ListenerId, uint64_t>>();
  ForEach(
      std::move(selection),
      [this, redriven, listeners](DeadLetter& letter) {
        if (!registry_.FindById(letter.listener)) return absl::OkStatus();
        ++redriven->count;
        ++(*listeners)[letter.listener];
        Replay replay{++parts_.counters.last_replay_number,
                      letter.listener,
                      redriven->redrive_id,
                      letter.event->sequence,
                      false,
                      letter.id};
        letter.redrive_id = redriven->redrive_id;
        parts_.states.SaveDeadLetter(std::move(letter));
        parts_.states.SaveReplays({std::move(replay)});
        return absl::OkStatus();
      },
      [this, redriven, listeners, done = std::move(done)](const absl::Status& status) {
        redriving_ = false;
        for (const auto& [id, count] : *listeners) {
          if (Subscription* subscription = registry_.FindById(id)) subscription->AddReplays(count, count);
        }
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
  const auto count = std::make_shared<uint64_t>(0);
  ForEach(
      std::make_shared<const Selection>(std::move(selection)),
      [this, count, validate_only](const DeadLetter& letter) {
        if (!RedriveOf(letter).empty()) return absl::OkStatus();
        ++*count;
        if (validate_only) return absl::OkStatus();
        parts_.states.RemoveDeadLetter(letter.id);
        if (Subscription* subscription = registry_.FindById(letter.listener)) subscription->DeadLetterRemoved();
        return absl::OkStatus();
      },
      [this, count, reason = std::move(reason), validate_only, done = std::move(done)](const absl::Status& status) {
        if (!status.ok()) return done(status);
        if (validate_only || *count == 0) return done(*count);
        parts_.logger.Info("dead_letters_discarded count=%d reason=\"%s\"", *count, reason);
        parts_.states.WhenDurable([count, done](const absl::Status& durable) {
          if (!durable.ok()) return done(durable);
          done(*count);
        });
      });
}

}  // namespace pvebus::bus
