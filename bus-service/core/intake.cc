#include "bus-service/core/intake.h"

namespace pvebus::bus {
namespace {

EventPtr EventOf(const Publication* publication) { return publication ? publication->event : nullptr; }

}  // namespace

bool Intake::InMemory(const PublishCommand& command, Known& known) const {
  const Event& event = *command.event;
  const Ledger& ledger = parts_.ledger;
  bool decided = true;
  const auto find = [&](const std::string& id, bool is_request, EventPtr& found) {
    if (id.empty()) return;
    if (EventPtr here = EventOf(is_request ? ledger.FindByRequestId(id) : ledger.FindByEventId(id))) {
      found = std::move(here);
    } else if (!found) {
      decided &= is_request ? !parts_.log.MayHaveRequestId(id) : !parts_.log.MayHaveEventId(id);
    }
  };
  find(event.event_id, false, known.by_event_id);
  find(command.request_id, true, known.by_request_id);
  find(event.parent_event_id, false, known.parent);
  return decided;
}

void Intake::Take(PublishCommand command, PublishDone done) {
  Known known;
  if (held_.empty() && InMemory(command, known)) return accept_(std::move(command), known, std::move(done));
  held_.push_back(std::make_shared<Held>(Held{std::move(command), std::move(done)}));
  Work();
}

// One after the other: a publish rarely has more than one id that the journal may know.
void Intake::LookOn(const std::shared_ptr<Held>& held) {
  const Event& event = *held->command.event;
  const int what = held->looked++;
  const std::string& id = what == 0 ? event.event_id : what == 1 ? held->command.request_id : event.parent_event_id;
  if (id.empty()) return;
  held->looking = true;
  const auto found = [this, alive = std::weak_ptr<int>(alive_), held, what](absl::StatusOr<EventPtr> answer) {
    if (alive.expired()) return;
    held->looking = false;
    Known& known = held->known;
    if (!answer.ok()) {
      held->status = answer.status();
    } else {
      (what == 0 ? known.by_event_id : what == 1 ? known.by_request_id : known.parent) = *std::move(answer);
    }
    Work();
  };
  what == 1 ? parts_.log.FindByRequestId(id, found) : parts_.log.FindByEventId(id, found);
}

void Intake::Work() {
  if (working_) return;
  working_ = true;
  while (!held_.empty()) {
    const auto held = held_.front();
    if (held->looking) break;
    if (held->looked < 3 && held->status.ok()) {
      LookOn(held);
      continue;
    }
    held_.pop_front();
    if (!held->status.ok()) {
      held->done(held->status);
      continue;
    }
    InMemory(held->command, held->known);  // what is in memory now is newer
    accept_(std::move(held->command), held->known, std::move(held->done));
  }
  working_ = false;
}

void Intake::Leave(const void* caller) {
  std::vector<std::shared_ptr<Held>> left;
  std::erase_if(held_, [&](const auto& held) {
    if (held->command.caller != caller) return false;
    left.push_back(held);
    return true;
  });
  for (const auto& held : left) held->done(absl::CancelledError("the caller has left"));
  Work();
}

void Intake::FailAll(const absl::Status& status) {
  for (const auto& held : std::exchange(held_, {})) held->done(status);
}

}  // namespace pvebus::bus
