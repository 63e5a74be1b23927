#include "bus-service/core/ledger.h"

#include <cassert>

namespace pvebus::bus {
namespace {

constexpr int kSweptAtOnce = 64;

size_t AnswerBytes(const ListenerRow& row) {
  size_t bytes = row.hook_results.size();
  if (!row.error) return bytes;
  bytes += sizeof(ListenerError) + row.error->reason.size() + row.error->message.size();
  for (const auto& [key, value] : row.error->metadata) bytes += 128 + key.size() + value.size();
  return bytes;
}

}  // namespace

void Ledger::Learn(Publication& publication) {
  const auto learn = [&publication](auto& ids, const std::string& id) {
    const auto [entry, is_new] = ids.try_emplace(id, &publication);
    if (is_new) return;
    ids.erase(entry);  // the id is another event's string, too
    ids.emplace(id, &publication);
  };
  learn(by_event_id_, publication.event->event_id);
  if (!publication.event->request_id.empty()) learn(by_request_id_, publication.event->request_id);
}

void Ledger::Forget(const Publication& publication) {
  // An id that the journal has forgotten may have been used again.
  const auto forget = [&publication](auto& ids, const std::string& id) {
    const auto it = ids.find(id);
    if (it != ids.end() && it->second == &publication) ids.erase(it);
  };
  forget(by_event_id_, publication.event->event_id);
  forget(by_request_id_, publication.event->request_id);
}

Publication& Ledger::Add(std::unique_ptr<Publication> publication) {
  assert(publication->event->sequence == last_sequence_ + 1);
  last_sequence_ = publication->event->sequence;
  Learn(*publication);
  newest_.push_back(std::move(publication));
  return *newest_.back();
}

void Ledger::StartAfter(Sequence last_sequence) {
  assert(newest_.empty());
  last_sequence_ = journaled_sequence_ = last_sequence;
}

void Ledger::SetJournaled(const Publication& publication) {
  journaled_sequence_ = publication.event->sequence;
  bytes_ += publication.Bytes();
}

void Ledger::SetAnswer(Publication& publication, ListenerRow& row, std::optional<ListenerError> error, std::string hook_results) {
  const size_t before = AnswerBytes(row);
  row.error = error ? std::make_unique<ListenerError>(*std::move(error)) : nullptr;
  row.hook_results = std::move(hook_results);
  const size_t after = AnswerBytes(row);
  publication.answer_bytes += after - before;
  if (publication.journaled && !publication.recalled) bytes_ += after - before;
}

void Ledger::RemoveLast() {
  Forget(*newest_.back());
  newest_.pop_back();
  --last_sequence_;
}

Publication& Ledger::Recall(std::unique_ptr<Publication> publication) {
  publication->recalled = true;
  Learn(*publication);
  auto& place = recalled_[publication->event->sequence];
  assert(!place);
  place = std::move(publication);
  return *place;
}

void Ledger::PopFront(const std::function<void(Publication&)>& let_go) {
  std::unique_ptr<Publication> oldest = std::move(newest_.front());
  newest_.pop_front();
  bytes_ -= oldest->Bytes();
  if (!oldest->waiters.empty()) {
    oldest->recalled = true;
    const Sequence sequence = oldest->event->sequence;
    recalled_.emplace_hint(recalled_.end(), sequence, std::move(oldest));
    return;
  }
  let_go(*oldest);
  Forget(*oldest);
}

void Ledger::Trim(size_t max_bytes, const std::function<void(Publication&)>& let_go) {
  while (bytes_ > max_bytes && !newest_.empty() && newest_.front()->journaled) PopFront(let_go);
  auto it = recalled_.lower_bound(swept_);
  for (int i = 0; i < kSweptAtOnce && it != recalled_.end(); ++i) {
    swept_ = it->first + 1;
    if (!it->second->waiters.empty()) {
      ++it;
      continue;
    }
    let_go(*it->second);
    Forget(*it->second);
    it = recalled_.erase(it);
  }
  if (it == recalled_.end()) swept_ = 0;
}

void Ledger::DropBefore(Sequence sequence, const std::function<void(Publication&)>& let_go) {
  while (!newest_.empty() && newest_.front()->event->sequence < sequence) PopFront(let_go);
  for (auto it = recalled_.begin(); it != recalled_.end() && it->first < sequence;) {
    if (!it->second->waiters.empty()) {
      ++it;
      continue;
    }
    let_go(*it->second);
    Forget(*it->second);
    it = recalled_.erase(it);
  }
}

Publication* Ledger::Find(Sequence sequence) const {
  if (!newest_.empty() && sequence >= newest_.front()->event->sequence) {
    return sequence <= last_sequence_ ? newest_[sequence - newest_.front()->event->sequence].get() : nullptr;
  }
  if (recalled_.empty()) return nullptr;
  const auto it = recalled_.find(sequence);
  return it == recalled_.end() ? nullptr : it->second.get();
}

void Ledger::ForEachSince(Sequence first, const std::function<void(Publication*)>& visit) const {
  for (auto it = recalled_.lower_bound(first); it != recalled_.end(); ++it) visit(it->second.get());
  if (newest_.empty()) return;
  const Sequence oldest = newest_.front()->event->sequence;
  for (size_t i = first > oldest ? first - oldest : 0; i < newest_.size(); ++i) visit(newest_[i].get());
}

Publication* Ledger::FindByEventId(const std::string& event_id) const {
  const auto it = by_event_id_.find(event_id);
  return it == by_event_id_.end() ? nullptr : it->second;
}

Publication* Ledger::FindByRequestId(const std::string& request_id) const {
  const auto it = by_request_id_.find(request_id);
  return it == by_request_id_.end() ? nullptr : it->second;
}

}  // namespace pvebus::bus
