#include "bus-service/rpc/event_page.h"

#include <algorithm>

#include "bus-service/core/errors.h"
#include "bus-service/rpc/event_codec.h"
#include "bus-service/rpc/journal_codec.h"
#include "bus-service/rpc/listener_codec.h"
#include "bus-service/rpc/page_token.h"

namespace pvebus::bus {
namespace {

constexpr int kDefaultPageSize = 100;
constexpr int kMaximumPageSize = 1000;
constexpr size_t kPageBytes = 2 * 1024 * 1024;  // clients read at most 4 MiB
constexpr size_t kEventsPerRead = 512;
constexpr size_t kBytesPerRead = 1024 * 1024;
constexpr size_t kMostLookedAt = 20'000;  // then the page ends, and the caller sees that it goes on

}  // namespace

void EventPage::Start(UnaryCall& call, v1::ListEventsRequest request, Bus& bus, EventLoop& loop) {
  const std::shared_ptr<EventPage> page(new EventPage(call, std::move(request), bus, loop));
  const auto start = page->Check();
  if (!start.ok()) return page->answer_.Fail(start.status());
  bus.registry().Resolve(*start, [page](absl::StatusOr<Sequence> first) {
    if (!first.ok()) return page->answer_.Fail(first.status());
    page->next_ = *first;
    page->ReadOn();
  });
}

absl::StatusOr<StartPosition> EventPage::Check() {
  using Kind = StartPosition::Kind;
  if (request_.page_size() < 0 || request_.page_size() > kMaximumPageSize) return FieldInvalid("page_size", "must be 0 .. 1000");
  page_size_ = request_.page_size() == 0 ? kDefaultPageSize : request_.page_size();
  auto filter = Filter::ParseForEvents(request_.filter());
  if (!filter.ok()) return filter.status();
  filter_ = *std::move(filter);
  auto types = DecodeEventTypes(request_.event_types());
  if (!types.ok()) return types.status();
  event_types_ = *types;
  auto start = DecodeStartPosition("start_position", request_.start_position());
  if (!start.ok()) return start.status();
  if (start->kind == Kind::kResume) return FieldInvalid("start_position.resume", "has no meaning for a list");
  if (start->kind == Kind::kUnset) start->kind = Kind::kEarliest;
  if (auto status = CheckEnd(*start, request_.end_sequence()); !status.ok()) return status;
  end_ = request_.end_sequence() == 0 ? UINT64_MAX : request_.end_sequence();

  const std::string token = std::move(*request_.mutable_page_token());
  request_.clear_page_token();
  request_.clear_page_size();
  if (token.empty()) return start;
  auto position = ReadPageToken(token, request_);
  if (!position.ok()) return position.status();
  turned_ = true;
  StartPosition next;
  next.kind = Kind::kSequence;
  next.sequence = *position;
  return next;
}

void EventPage::ReadOn() {
  if (answer_.over()) return;
  if (next_ > std::min(end_, bus_.journaled_sequence())) return Finish(false);
  if (looked_at_ >= kMostLookedAt) return Finish(true);
  bus_.log().Read(next_, kEventsPerRead, kBytesPerRead,
                  [page = shared_from_this()](absl::StatusOr<std::vector<EventPtr>> events) {
                    if (page->answer_.over()) return;
                    if (!events.ok()) {
                      // What was found so far is told; the next page says what is wrong.
                      if (page->looked_at_ > 0) return page->Finish(true);
                      return page->answer_.Fail(events.status());
                    }
                    page->Take(*events);
                  });
}

void EventPage::Take(const std::vector<EventPtr>& events) {
  PassLost();
  const Sequence first = events.empty() ? bus_.journaled_sequence() + 1 : events.front()->sequence;
  if (first > next_) {  // retention was here
    if (looked_at_ > 0) return Finish(true);
    if (turned_ || request_.start_position().has_sequence()) return answer_.Fail(SequenceCompacted(next_, first));
    next_ = first;
  }
  for (const EventPtr& event : events) {
    if (next_ <= end_) PassLost();
    if (event->sequence > std::min(end_, bus_.journaled_sequence())) return Finish(false);
    if (WantsType(event_types_, event->type) && filter_.Matches(*event) && !Add(*event)) return Finish(true);
    next_ = event->sequence + 1;
    ++looked_at_;
  }
  // Through the timers: what calls back at once must not nest, and others have a turn.
  loop_.timers().Schedule(bus_.clock().SteadyNow() + std::chrono::microseconds(1),
                          [page = shared_from_this()] { page->ReadOn(); });
}

void EventPage::PassLost() {
  const Sequence end = bus_.log().lost().Skip(next_);
  if (end == next_) return;
  v1::LostEvents& lost = *response_.add_lost();
  lost.set_first_sequence(next_);
  lost.set_last_sequence(std::min(end - 1, end_));
  next_ = end;
}

bool EventPage::Add(const Event& event) {
  if (response_.events_size() == page_size_) return false;
  event::v1::SystemEvent encoded = EncodeEvent(event);
  bytes_ += encoded.ByteSizeLong();
  if (response_.events_size() > 0 && bytes_ > kPageBytes) return false;
  response_.add_events()->Swap(&encoded);
  return true;
}

void EventPage::Finish(bool more) {
  response_.set_next_sequence(next_);
  if (more) response_.set_next_page_token(MakePageToken(next_, request_));
  answer_.Reply(response_);
}

}  // namespace pvebus::bus
