// What NetworkApplier does without being asked: after a restart, when time is over, when others change the files.
#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "network-service/core/errors.h"
#include "network-service/core/interfaces_printer.h"
#include "network-service/core/network_applier.h"
#include "network-service/core/printed_interfaces.h"

namespace pvebus::network {
namespace {

constexpr char kInterrupted[] = "INTERRUPTED";
constexpr char kSdnFile[] = "/interfaces.d/sdn";

// Those that it defines.
std::set<std::string, std::less<>> OfSdn(const NetworkConfiguration& configuration) {
  std::set<std::string, std::less<>> names;
  for (const auto& [name, place] : configuration.places) {
    if (absl::EndsWith(place.file, kSdnFile)) names.insert(name);
  }
  return names;
}

std::string WhatWasFound(ApplySource source) {
  switch (source) {
    case ApplySource::kSdn:
      return "interfaces.d/sdn was written";
    case ApplySource::kRestart:
      return "the files had changed when the service started";
    default:
      return "the files were changed by somebody else";
  }
}

}  // namespace

absl::Status NetworkApplier::Recover() {
  // The turn is this one's since the beginning.
  const auto records = store_.UnderWay();
  {
    MutexLock lock(mu_);
    cannot_recover_ = !records.ok();
    freed_.NotifyAll();
  }
  if (!records.ok()) return records.status();
  for (const ApplyRecord& record : *records) RecoverOne(record);
  // What an apply that was over has left behind.
  if (records->empty()) (void)node_.DropOld();
  if (absl::Status status = NoticeInTurn(ApplySource::kRestart); !status.ok()) {
    logger_.Warning("message=\"the configuration could not be read: %s\"", std::string(status.message()));
  }
  GiveTurnBack();
  options_.on_deadline();
  options_.on_notice();
  return absl::OkStatus();
}

void NetworkApplier::RecoverOne(const ApplyRecord& record) {
  if (record.state == ApplyState::kAwaitingConfirmation) {
    const Duration left = record.confirm_until.value_or(SystemTime()) - clock_.SystemNow();
    MutexLock lock(mu_);
    awaiting_ = record.apply_id;
    // A clock that was set does not make it longer.
    confirm_until_ = clock_.SteadyNow() + std::clamp(left, Duration::zero(), record.confirm_timeout);
    return;
  }
  const auto lock = node_.Lock({});  // and without it: nobody else can take this back
  if (record.state == ApplyState::kReverting || !record.failure.reason.empty()) {
    (void)UndoInTurn(record, record.failure);
    return;
  }
  const auto files = node_.ReadFiles();
  if (files.ok() && files->applied != record.old_file && files->applied != record.new_file) {
    LeaveToOthers(record);
    return;
  }
  (void)UndoInTurn(record, {kInterrupted, "the service ended while it was being applied"});
}

void NetworkApplier::LeaveToOthers(ApplyRecord record) {
  record.state = ApplyState::kFailed;
  record.end_time = clock_.SystemNow();
  record.failure = {kInterrupted,
                    "the service ended while it was being applied, and somebody else has changed the file since: it was left as "
                    "it is now"};
  const absl::Status status = store_.Update(record, {NoticeKind::kFailed}, std::nullopt);
  if (!status.ok()) {
    Ended(UndoUnfinished(record.apply_id, std::string(status.message())));
    return;
  }
  (void)node_.DropOld();
  Ended(record);
}

std::optional<SteadyTime> NetworkApplier::NextDeadline() const {
  MutexLock lock(mu_);
  if (confirm_until_ && try_again_) return std::min(*confirm_until_, *try_again_);
  return confirm_until_ ? confirm_until_ : try_again_;
}

absl::Status NetworkApplier::GoOn() {
  const auto turn = TakeTurn("");
  if (!turn.ok()) return turn.status();
  bool overdue = false;
  bool again = false;
  {
    MutexLock lock(mu_);
    const SteadyTime now = clock_.SteadyNow();
    overdue = confirm_until_ && now >= *confirm_until_;
    again = try_again_ && now >= *try_again_;
  }
  if (overdue) return RevertUnconfirmed();
  return again ? TryAgain() : absl::OkStatus();
}

absl::Status NetworkApplier::RevertUnconfirmed() {
  const auto record = FindAwaiting();
  if (!record.ok()) return record.status();
  if (!*record) return absl::OkStatus();
  const auto lock = node_.Lock({});  // and without it: whoever holds it may be what cannot be reached any more
  const std::string limit = absl::FormatDuration(absl::FromChrono((*record)->confirm_timeout));
  return UndoInTurn(**record, {"NOT_CONFIRMED", absl::StrFormat("it was not confirmed within %s", limit)}).status();
}

absl::Status NetworkApplier::TryAgain() {
  const auto records = store_.UnderWay();
  if (!records.ok()) return records.status();
  {
    MutexLock lock(mu_);
    try_again_.reset();
  }
  for (const ApplyRecord& record : *records) {
    if (record.state != ApplyState::kAwaitingConfirmation) RecoverOne(record);
  }
  return NoticeInTurn(ApplySource::kFile);
}

absl::Status NetworkApplier::NoticeOtherChanges(const std::stop_token& stop) {
  node_.WaitForOtherReloads(stop);
  if (stop.stop_requested()) return absl::OkStatus();
  const auto turn = TakeTurn("");
  if (!turn.ok()) return turn.status();
  return NoticeInTurn(ApplySource::kFile);
}

absl::Status NetworkApplier::NoticeInTurn(ApplySource source) {
  {
    MutexLock lock(mu_);
    // The files are those of an apply that will be undone: what others changed is seen afterwards.
    if (try_again_) return absl::OkStatus();
  }
  const auto configuration = node_.ReadApplied();
  if (!configuration.ok()) return configuration.status();
  options_.on_folders({configuration->folders.begin(), configuration->folders.end()});
  if (configuration->has_errors) {
    logger_.Warning(
        "message=\"the configuration has errors; what it changes is told when they are mended: pvebus network diff\"");
    return absl::OkStatus();
  }
  const auto known = store_.Known();
  if (!known.ok()) return known.status();
  const KnownConfiguration now{PrintInterfaces(configuration->interfaces), options_.boot_id};
  const auto sdn_before = std::exchange(of_sdn_, OfSdn(*configuration));
  if (!*known) return store_.PutKnown(now);
  if (**known == now) return absl::OkStatus();
  const std::vector<ConfigChange> changes = Diff(ParsePrinted((*known)->interfaces), configuration->interfaces);
  if (changes.empty()) return store_.PutKnown(now);
  const bool sdn = std::all_of(changes.begin(), changes.end(), [&](const ConfigChange& change) {
    return (change.new_config ? of_sdn_ : sdn_before).contains(change.target);
  });
  ApplyRecord record = NewRecord(sdn && source == ApplySource::kFile ? ApplySource::kSdn : source);
  record.state = ApplyState::kCommitted;
  record.reason = WhatWasFound(record.source);
  record.end_time = record.begin_time;
  record.old_interfaces = (*known)->interfaces;
  record.new_interfaces = now.interfaces;
  if (absl::Status status = store_.Add(record, {NoticeKind::kApplied}, now); !status.ok()) return status;
  logger_.Info("apply=%s state=COMMITTED source=%s changes=%d", record.apply_id, NameOf(record.source), changes.size());
  options_.on_notice();
  return absl::OkStatus();
}

}  // namespace pvebus::network
