#include "storage-service/rpc/storage_status_refresher.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_format.h"
#include "sdk/hooks/event_line.h"
#include "storage-service/core/network_change.h"
#include "storage-service/rpc/interface_changes.h"

namespace pvebus::storage {
namespace {

using hooks::HookDetail;
using hooks::HookOutcome;

// Beyond the probe limit: for the check's own second, and for the bus.
constexpr std::chrono::seconds kMargin{5};

// A network storage and what the event means for it.
struct Judged {
  StorageStatus before;
  Impact impact;
};

std::vector<Judged> Judge(const std::vector<StorageStatus>& storages, const std::vector<InterfaceChange>& changes) {
  std::vector<Judged> judged;
  for (const StorageStatus& status : storages) {
    if (status.storage.network) judged.push_back({status, ImpactOn(status, changes)});
  }
  return judged;
}

// "error (10.0.0.9:2049 timed out)"
std::string Shown(const StorageStatus& status) {
  const std::string_view state = StorageStateName(status.state);
  return status.reason.empty() ? std::string(state) : absl::StrFormat("%s (%s)", state, status.reason);
}

std::string ResourceOf(const StorageStatus& status) { return "storage/" + status.storage.storage_id; }

HookDetail Compared(const StorageStatus& before, const Refreshed& refreshed) {
  const bool changed = refreshed.before != refreshed.now.state;
  // The check of another caller may have come between.
  const bool seen = before.state == refreshed.before;
  return {.state = changed ? bus::v1::HOOK_STATE_CHANGED : bus::v1::HOOK_STATE_UNCHANGED,
          .resource = ResourceOf(refreshed.now),
          .before = seen ? Shown(before) : std::string(StorageStateName(refreshed.before)),
          .after = Shown(refreshed.now)};
}

int Count(const std::vector<HookDetail>& details, bus::v1::HookState state) {
  return static_cast<int>(
      std::count_if(details.begin(), details.end(), [&](const HookDetail& detail) { return detail.state == state; }));
}

// One run for one event.
class RefreshRun {
 public:
  RefreshRun(const StatusRefreshing& refreshing, const client::EventContext& context, const std::stop_token& stop)
      : refreshing_(refreshing), context_(context), stop_(stop) {
    outcome_.resource = hooks::ResourceOf(context.event());
  }

  HookOutcome Run() {
    const event::v1::SystemEvent& event = context_.event();
    if (event.has_network_applied()) {
      NetworkApplied(event.network_applied());
    } else if (event.has_storage_vlan_created()) {
      VlanCreated(event.storage_vlan_created().id());
    } else {
      Skip("neither was the network applied nor a storage's VLAN created");
    }
    return std::move(outcome_);
  }

 private:
  void Skip(std::string why) {
    outcome_.state = bus::v1::HOOK_STATE_SKIPPED;
    outcome_.message = std::move(why);
  }

  void NetworkApplied(const event::v1::NetworkApplied& applied) {
    const std::vector<Judged> judged = Judge(refreshing_.storages(), InterfaceChangesOf(applied));
    if (judged.empty()) return Skip("storage.cfg has no network storages");
    std::vector<std::string> touched;
    for (const Judged& one : judged) {
      if (one.impact.touched) touched.push_back(one.before.storage.storage_id);
    }
    const auto refreshed = touched.empty() ? std::map<std::string, Refreshed>() : Refresh(touched);
    for (const Judged& one : judged) outcome_.details.push_back(DetailOf(one, refreshed));
    Summarise(judged.size(), touched.size());
  }

  void VlanCreated(const std::string& storage_id) {
    const std::vector<StorageStatus> storages = refreshing_.storages();
    const auto found = std::find_if(storages.begin(), storages.end(),
                                    [&](const StorageStatus& status) { return status.storage.storage_id == storage_id; });
    if (found == storages.end()) return Skip("not in storage.cfg");
    const auto refreshed = Refresh({storage_id});
    HookDetail detail = DetailOf({*found, {.touched = true, .why = "its VLAN was created"}}, refreshed);
    // The row of the hook itself tells of the one storage.
    outcome_.before = std::move(detail.before);
    outcome_.after = std::move(detail.after);
    Conclude(detail.state, std::move(detail.message));
  }

  // By storage; nothing in a dry run.
  std::map<std::string, Refreshed> Refresh(const std::vector<std::string>& storage_ids) {
    std::map<std::string, Refreshed> by_storage;
    if (context_.dry_run()) return by_storage;
    StorageBoard::Outcome checked = refreshing_.refresh(storage_ids, context_.event().event_id(), stop_);
    failure_ = std::move(checked.stored);
    for (Refreshed& one : checked.refreshed) {
      std::string storage_id = one.now.storage.storage_id;
      by_storage.emplace(std::move(storage_id), std::move(one));
    }
    return by_storage;
  }

  HookDetail DetailOf(const Judged& judged, const std::map<std::string, Refreshed>& refreshed) const {
    HookDetail detail{.state = bus::v1::HOOK_STATE_SKIPPED, .resource = ResourceOf(judged.before)};
    const auto found = refreshed.find(judged.before.storage.storage_id);
    if (!judged.impact.touched) {
      detail.before = detail.after = Shown(judged.before);
      detail.message = judged.impact.why;
    } else if (context_.dry_run()) {
      detail.state = bus::v1::HOOK_STATE_DRY_RUN;
      detail.before = Shown(judged.before);
      detail.message = "would be checked: " + judged.impact.why;
    } else if (found == refreshed.end()) {
      detail.message = failure_.ok() ? "not checked: it is gone from storage.cfg" : "not checked";
    } else {
      detail = Compared(judged.before, found->second);
      detail.message = "checked: " + judged.impact.why;
    }
    return detail;
  }

  // "3 network storages: 1 checked (1 changed), 2 not touched"
  void Summarise(size_t all, size_t touched) {
    const int changed = Count(outcome_.details, bus::v1::HOOK_STATE_CHANGED);
    std::string message = absl::StrFormat("%d network storage%s: %d %s", all, all == 1 ? "" : "s", touched,
                                          context_.dry_run() ? "would be checked" : "checked");
    if (changed > 0) absl::StrAppendFormat(&message, " (%d changed)", changed);
    if (touched < all) absl::StrAppendFormat(&message, ", %d not touched", all - touched);
    const auto untouched = touched == 0 ? bus::v1::HOOK_STATE_SKIPPED : bus::v1::HOOK_STATE_UNCHANGED;
    Conclude(changed > 0 ? bus::v1::HOOK_STATE_CHANGED : untouched, std::move(message));
  }

  void Conclude(bus::v1::HookState state, std::string message) {
    outcome_.state = context_.dry_run() ? bus::v1::HOOK_STATE_DRY_RUN : state;
    outcome_.message = std::move(message);
    if (!failure_.ok()) {
      outcome_.state = bus::v1::HOOK_STATE_FAILED;
      absl::StrAppendFormat(&outcome_.message, "; %s", failure_.message());
    } else if (outcome_.state == bus::v1::HOOK_STATE_CHANGED) {
      Announce();
    }
  }

  void Announce() {
    const absl::Status status = refreshing_.announce(stop_);
    if (status.ok()) return;
    absl::StrAppendFormat(&outcome_.message, "; storage_status_changed could not be published yet: %s", status.message());
  }

  const StatusRefreshing& refreshing_;
  const client::EventContext& context_;
  const std::stop_token stop_;
  HookOutcome outcome_;
  absl::Status failure_;
};

}  // namespace

hooks::Hook StorageStatusRefresher(StatusRefreshing refreshing) {
  const auto time_limit = refreshing.probe_limit + kMargin;
  return {.name = "storage-status-refresher",
          .description = "Checks the storages that an applied network, or a new VLAN, can touch",
          .time_limit = time_limit,
          .run = [refreshing = std::move(refreshing)](const client::EventContext& context, const std::stop_token& stop) {
            return RefreshRun(refreshing, context, stop).Run();
          }};
}

}  // namespace pvebus::storage
