#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "network-service/core/apply_store.h"
#include "network-service/core/errors.h"
#include "sdk/base/error.h"
#include "sdk/base/mutex.h"

namespace pvebus::network {

// A store that ends with the test. Any thread.
class MemoryApplyStore final : public ApplyStore {
 public:
  explicit MemoryApplyStore(size_t history_limit = 1000) : history_limit_(history_limit) {}

  // After that many calls that change something, the next `calls` of them return `failure` and change nothing.
  void FailNext(absl::Status failure, int after_calls = 0, int calls = 1) {
    MutexLock lock(mu_);
    change_fault_ = {std::move(failure), after_calls, calls};
  }
  // The same for calls that only read.
  void FailNextRead(absl::Status failure, int after_calls = 0, int calls = 1) {
    MutexLock lock(mu_);
    read_fault_ = {std::move(failure), after_calls, calls};
  }

  // Called before every call; may throw, as if the process had died.
  std::function<void(const std::string&)> before_call = [](const std::string&) {};

  absl::Status Add(ApplyRecord& record, const std::vector<NoticeKind>& notices,
                   const std::optional<KnownConfiguration>& known) override {
    MutexLock lock(mu_);
    if (absl::Status status = NextChange(); !status.ok()) return status;
    if (absl::Status status = CheckIds(record, 0); !status.ok()) return status;
    record.number = ++last_record_;
    Put(record, notices, known);
    ForgetOldest();
    return absl::OkStatus();
  }
  absl::Status Update(const ApplyRecord& record, const std::vector<NoticeKind>& notices,
                      const std::optional<KnownConfiguration>& known) override {
    MutexLock lock(mu_);
    if (absl::Status status = NextChange(); !status.ok()) return status;
    if (!records_.contains(record.number)) return NoSuchApply(record.number);
    if (absl::Status status = CheckIds(record, record.number); !status.ok()) return status;
    Put(record, notices, known);
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<ApplyRecord>> List(int64_t before, size_t limit) override {
    MutexLock lock(mu_);
    if (absl::Status status = NextRead(); !status.ok()) return status;
    std::vector<ApplyRecord> records;
    for (auto it = records_.rbegin(); it != records_.rend() && records.size() < limit; ++it) {
      if (before == 0 || it->first < before) records.push_back(it->second);
    }
    return records;
  }
  absl::StatusOr<std::optional<ApplyRecord>> Find(const std::string& apply_id) override {
    return First([&](const ApplyRecord& record) { return record.apply_id == apply_id; });
  }
  absl::StatusOr<std::optional<ApplyRecord>> FindRequest(const std::string& request_id) override {
    return First([&](const ApplyRecord& record) {
      return !request_id.empty() && (record.request_id == request_id || record.revert_request_id == request_id);
    });
  }
  absl::StatusOr<std::vector<ApplyRecord>> UnderWay() override {
    MutexLock lock(mu_);
    if (absl::Status status = NextRead(); !status.ok()) return status;
    std::vector<ApplyRecord> records;
    for (const auto& [number, record] : records_) {
      if (IsUnderWay(record.state)) records.push_back(record);
    }
    return records;
  }

  absl::StatusOr<std::optional<KnownConfiguration>> Known() override {
    MutexLock lock(mu_);
    if (absl::Status status = NextRead(); !status.ok()) return status;
    return known_;
  }
  absl::Status PutKnown(const KnownConfiguration& known) override {
    MutexLock lock(mu_);
    if (absl::Status status = NextChange(); !status.ok()) return status;
    known_ = known;
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<Notice>> Notices() override {
    MutexLock lock(mu_);
    if (absl::Status status = NextRead(); !status.ok()) return status;
    std::vector<Notice> notices;
    for (const auto& [number, told] : told_) {
      if (!told.publication.published) notices.push_back({number, told.apply_id, told.publication.kind});
    }
    return notices;
  }
  absl::Status RemoveNotice(int64_t number) override {
    MutexLock lock(mu_);
    if (absl::Status status = NextChange(); !status.ok()) return status;
    if (const auto it = told_.find(number); it != told_.end()) it->second.publication.published = true;
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<Publication>> Publications(const std::string& apply_id) override {
    MutexLock lock(mu_);
    if (absl::Status status = NextRead(); !status.ok()) return status;
    std::vector<Publication> publications;
    for (const auto& [number, told] : told_) {
      if (told.apply_id == apply_id) publications.push_back(told.publication);
    }
    return publications;
  }
  absl::Status PutPublishResult(const std::string& apply_id, NoticeKind kind, const std::string& result) override {
    MutexLock lock(mu_);
    if (absl::Status status = NextChange(); !status.ok()) return status;
    for (auto& [number, told] : told_) {
      if (told.apply_id == apply_id && told.publication.kind == kind) told.publication.result = result;
    }
    return absl::OkStatus();
  }

 private:
  struct Told {
    std::string apply_id;
    Publication publication;
  };
  struct Fault {
    absl::Status failure;
    int after_calls = 0;
    int calls = 0;

    absl::Status Next() {
      if (calls == 0 || after_calls-- > 0) return absl::OkStatus();
      after_calls = 0;
      --calls;
      // Not a copy: the reference count of a shared one is not seen by ThreadSanitizer.
      return MakeError(failure.code(), ErrorReason(failure), std::string(failure.message()));
    }
  };

  absl::Status NextChange() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    before_call("change");
    return change_fault_.Next();
  }
  absl::Status NextRead() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    before_call("read");
    return read_fault_.Next();
  }
  absl::Status CheckIds(const ApplyRecord& added, int64_t number) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    for (const auto& [other_number, other] : records_) {
      if (other_number == number) continue;
      const bool same = other.request_id == added.request_id || other.revert_request_id == added.request_id;
      if (!added.request_id.empty() && same) return RequestIdInUse(added.request_id);
      if (other.apply_id == added.apply_id) return absl::InternalError("two applies have the id " + added.apply_id);
    }
    return absl::OkStatus();
  }
  void Put(const ApplyRecord& record, const std::vector<NoticeKind>& notices, const std::optional<KnownConfiguration>& known)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    records_[record.number] = record;
    for (const NoticeKind kind : notices) {
      told_[++last_notice_] = {record.apply_id, {.kind = kind, .request_id = RequestIdOf(kind, record.apply_id)}};
    }
    if (known) known_ = known;
  }
  void ForgetOldest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    std::vector<int64_t> over;
    for (const auto& [number, record] : records_) {
      if (!IsUnderWay(record.state) && !IsOwed(record.apply_id)) over.push_back(number);
    }
    if (over.size() <= history_limit_) return;
    over.resize(over.size() - history_limit_);
    for (const int64_t number : over) {
      const std::string apply_id = records_[number].apply_id;
      std::erase_if(told_, [&](const auto& told) { return told.second.apply_id == apply_id; });
      records_.erase(number);
    }
  }
  bool IsOwed(const std::string& apply_id) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return std::any_of(told_.begin(), told_.end(),
                       [&](const auto& told) { return told.second.apply_id == apply_id && !told.second.publication.published; });
  }
  template <typename Matches>
  absl::StatusOr<std::optional<ApplyRecord>> First(Matches matches) {
    MutexLock lock(mu_);
    if (absl::Status status = NextRead(); !status.ok()) return status;
    for (const auto& [number, record] : records_) {
      if (matches(record)) return record;
    }
    return std::nullopt;
  }

  const size_t history_limit_;
  Mutex mu_;
  Fault change_fault_ ABSL_GUARDED_BY(mu_);
  Fault read_fault_ ABSL_GUARDED_BY(mu_);
  std::map<int64_t, ApplyRecord> records_ ABSL_GUARDED_BY(mu_);
  std::map<int64_t, Told> told_ ABSL_GUARDED_BY(mu_);
  std::optional<KnownConfiguration> known_ ABSL_GUARDED_BY(mu_);
  int64_t last_record_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t last_notice_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace pvebus::network
