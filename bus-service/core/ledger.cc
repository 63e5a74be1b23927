#include "bus-service/core/ledger.h"

#include <algorithm>
#include <cassert>

namespace pvebus::bus {
namespace {

size_t AnswerBytes(const ListenerRow& row) {
  size_t bytes = row.hook_results.size();
  if (!row.error) return bytes;
  bytes += sizeof(ListenerError) + row.error->reason.size() + row.error->message.size();
  for (const auto& [key, value] : row.error->metadata) bytes += 128 + key.size() + value.size();
  return bytes;
}

}  // namespace

Publication& Ledger::Add(std::unique_ptr<Publication> publication) {
  assert(publication->event->sequence == last_sequence_ + 1);
  last_sequence_ = publication->event->sequence;
  by_event_id_[publication->event->event_id] = publication.get();
  if (!publication->event->request_id.empty()) by_request_id_[publication->event->request_id] = publication.get();
  publications_.push_back(std::move(publication));
  return *publications_.back();
}

void Ledger::StartAfter(Sequence last_sequence) {
  assert(empty());
  last_sequence_ = journaled_sequence_ = last_sequence;
}

void Ledger::SetJournaled(const Publication& publication) {
  journaled_sequence_ = publication.event->sequence;
  row_bytes_ += publication.RowBytes();
}

void Ledger::SetAnswer(Publication& publication, ListenerRow& row, std::optional<ListenerError> error, std::string hook_results) {
  const size_t before = AnswerBytes(row);
  row.error = error ? std::make_unique<ListenerError>(*std::move(error)) : nullptr;
  row.hook_results = std::move(hook_results);
  const size_t after = AnswerBytes(row);
  publication.answer_bytes += after - before;
  if (publication.journaled) row_bytes_ += after - before;
}

void Ledger::Forget(const Publication& publication) {
  by_event_id_.erase(publication.event->event_id);
  if (!publication.event->request_id.empty()) by_request_id_.erase(publication.event->request_id);
}

void Ledger::RemoveLast() {
  Forget(*publications_.back());
  publications_.pop_back();
  --last_sequence_;
}

void Ledger::DropFirst() {
  Forget(*publications_.front());
  row_bytes_ -= publications_.front()->RowBytes();
  publications_.pop_front();
}

Publication* Ledger::Find(Sequence sequence) const {
  if (empty() || sequence < first_sequence() || sequence > last_sequence()) return nullptr;
  return publications_[sequence - first_sequence()].get();
}

Publication* Ledger::FindByEventId(const std::string& event_id) const {
  const auto it = by_event_id_.find(event_id);
  return it == by_event_id_.end() ? nullptr : it->second;
}

Publication* Ledger::FindByRequestId(const std::string& request_id) const {
  const auto it = by_request_id_.find(request_id);
  return it == by_request_id_.end() ? nullptr : it->second;
}

Sequence Ledger::FirstAtOrAfter(SystemTime time) const {
  const auto it = std::partition_point(publications_.begin(), publications_.end(),
                                       [time](const auto& publication) { return publication->event->publish_time < time; });
  return first_sequence() + static_cast<Sequence>(it - publications_.begin());
}

}  // namespace pvebus::bus
