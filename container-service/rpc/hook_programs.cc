#include "container-service/rpc/hook_programs.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "container-service/core/lifecycle.h"
#include "container-service/json/lifecycle_json.h"
#include "container-service/rpc/lifecycle_event.h"
#include "container-service/rpc/presence.h"
#include "google/protobuf/util/time_util.h"
#include "sdk/base/utf8.h"

namespace pvebus::container {
namespace {

using hooks::HookDetail;
using hooks::HookOutcome;

// However many programs there are, and however long they wait for room.
constexpr std::chrono::minutes kLimitOfAll{10};  // as long as the bus waits by default
constexpr size_t kMostNameBytes = 200;

// What programs are told: Proxmox VE's phase, LXC's type of hook, and where programs for it are.
struct Phase {
  std::string_view word;
  std::string_view lxc_type;
  std::string_view folder;  // below the directory
};

Phase PhaseOf(LifecycleKind kind) {
  switch (kind) {
    case LifecycleKind::kStarted:
      return {"post-start", "start-host", ""};
    case LifecycleKind::kStopped:
      return {"post-stop", "post-stop", ""};
    // Hookscripts of Proxmox VE fail in a phase that they do not know: these have a folder of their own.
    case LifecycleKind::kMigrated:
      return {"migrated", "", "/network-changed.d"};
    case LifecycleKind::kInterfaceAdded:
      return {"interface-added", "", "/network-changed.d"};
    case LifecycleKind::kInterfaceRemoved:
      return {"interface-removed", "", "/network-changed.d"};
    case LifecycleKind::kInterfaceUpdated:
      return {"interface-updated", "", "/network-changed.d"};
    case LifecycleKind::kVnetBound:
      return {"vnet-bound", "", "/network-changed.d"};
    case LifecycleKind::kVnetUnbound:
      return {"vnet-unbound", "", "/network-changed.d"};
  }
  return {"unknown", "", "/network-changed.d"};
}

std::string HowItEnded(const ProgramResult& result, std::chrono::milliseconds time_limit) {
  switch (result.end) {
    case ProgramResult::End::kExited:
      return absl::StrFormat("exit status %d", result.exit_code);
    case ProgramResult::End::kSignalled:
      return absl::StrFormat("ended by signal %d", result.exit_code - 128);
    case ProgramResult::End::kTimedOut:
      return absl::StrFormat("ended after its time limit of %g s, with all processes of its group",
                             std::chrono::duration<double>(time_limit).count());
    case ProgramResult::End::kStopped:
      return "ended, or not begun, because the answer no longer counts";
    case ProgramResult::End::kNotStarted:
      return result.message;
  }
  return "";
}

HookDetail DetailOf(const std::string& name, const ProgramResult& result, std::chrono::milliseconds time_limit) {
  const bool good = result.end == ProgramResult::End::kExited && result.exit_code == 0;
  HookDetail detail{.state = good ? bus::v1::HOOK_STATE_CHANGED : bus::v1::HOOK_STATE_FAILED,
                    .resource = name,
                    // Its exit status has a field of its own.
                    .message = result.end == ProgramResult::End::kExited ? "" : HowItEnded(result, time_limit),
                    .output = result.output,
                    .duration = result.duration};
  if (result.end != ProgramResult::End::kNotStarted) detail.exit_code = result.exit_code;
  return detail;
}

// One run for one event.
class ProgramsRun {
 public:
  ProgramsRun(HookPrograms& programs, const ContainerNode& node, const HookProgramsOptions& options,
              const client::EventContext& context, hooks::HookParts& parts, std::stop_token stop)
      : programs_(programs), node_(node), options_(options), context_(context), parts_(parts), stop_(std::move(stop)) {}

  HookOutcome Run() {
    const auto what = LifecycleOf(context_.event());
    if (!what) return Skipped("it is about no container");
    what_ = *what;
    phase_ = PhaseOf(what->kind);
    outcome_.resource = ResourceOf(*what);
    if (HasGoneMeanwhile(node_, context_, *what)) return Skipped("the container is not running any more");
    const std::string directory = options_.directory + std::string(phase_.folder);
    const auto files = programs_.List(directory);
    if (!files.ok()) return Failed(std::string(files.status().message()));
    if (files->empty()) return Skipped("there are no programs in " + directory);
    for (const HookProgramFile& file : *files) RunOne(file);
    return Concluded();
  }

 private:
  HookOutcome Skipped(std::string why) {
    outcome_.state = bus::v1::HOOK_STATE_SKIPPED;
    outcome_.message = std::move(why);
    return std::move(outcome_);
  }
  HookOutcome Failed(std::string why) {
    outcome_.state = bus::v1::HOOK_STATE_FAILED;
    outcome_.message = std::move(why);
    return std::move(outcome_);
  }

  void RunOne(const HookProgramFile& file) {
    const std::string name = CleanUtf8(file.name, kMostNameBytes);
    if (!file.refusal.empty()) {
      ++refused_;
      outcome_.details.push_back({.state = bus::v1::HOOK_STATE_SKIPPED, .resource = name, .message = "refused: " + file.refusal});
    } else if (const auto attempt = parts_.DoneIn(file.name)) {
      ++done_before_;
      outcome_.details.push_back({.state = bus::v1::HOOK_STATE_SKIPPED,
                                  .resource = name,
                                  .message = absl::StrFormat("attempt %d has done it", *attempt)});
    } else if (context_.dry_run()) {
      outcome_.details.push_back(
          {.state = bus::v1::HOOK_STATE_DRY_RUN,
           .resource = name,
           .message = absl::StrFormat("would be run: %s %d %s", file.path, what_.container_id, std::string(phase_.word))});
    } else {
      const ProgramResult result = programs_.Run(CallOf(file), stop_);
      const HookDetail detail = DetailOf(name, result, options_.time_limit);
      parts_.Record(detail);
      ++run_;
      if (detail.state != bus::v1::HOOK_STATE_FAILED) return;
      absl::StrAppendFormat(&failures_, "%s%s: %s", failures_.empty() ? "" : "; ", name, HowItEnded(result, options_.time_limit));
    }
  }

  ProgramCall CallOf(const HookProgramFile& file) {
    if (!input_) ReadContainer();
    return {.path = file.path,
            .arguments = {std::to_string(what_.container_id), std::string(phase_.word)},
            .environment = environment_,
            .input = *input_,
            .time_limit = options_.time_limit};
  }

  // The container as its file is now: once, when the first program is run.
  void ReadContainer() {
    const auto config = node_.ReadConfig(what_.container_id);
    const event::v1::SystemEvent& event = context_.event();
    input_ = LifecycleJson(what_, event.event_id(), google::protobuf::util::TimeUtil::ToString(event.publish_time()),
                           config.ok() ? &*config : nullptr);
    environment_ = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "HOME=/"};
    const std::string id = std::to_string(what_.container_id);
    Set("PVEBUS_EVENT_ID", event.event_id());
    Set("PVEBUS_EVENT_TYPE", std::string(LifecycleName(what_.kind)));
    Set("PVEBUS_PHASE", std::string(phase_.word));
    Set("PVEBUS_CONTAINER_ID", id);
    Set("PVEBUS_HOSTNAME", config.ok() ? config->hostname.value_or("") : "");
    Set("PVEBUS_INTERFACE", what_.interface);
    Set("PVEBUS_DEVICE", what_.device);
    Set("PVEBUS_BEFORE", what_.before);
    Set("PVEBUS_AFTER", what_.after);
    Set("PVEBUS_ATTEMPT", std::to_string(context_.attempt()));
    Set("PVEBUS_REPLAY_ID", context_.replay_id());
    Set("PVEBUS_NODE", options_.node);
    // What `pvebus publish` needs to tell the bus of something that this event caused.
    Set("PVEBUS_BUS", options_.bus);
    if (IsOnTheBus(event)) Set("PVEBUS_PARENT", event.event_id());
    SetLxc(id);
  }

  // As LXC does it for hooks with lxc.hook.version = 1, which get no arguments.
  void SetLxc(const std::string& id) {
    Set("LXC_NAME", id);
    Set("LXC_HOOK_VERSION", "1");
    Set("LXC_HOOK_SECTION", "lxc");
    Set("LXC_HOOK_TYPE", std::string(phase_.lxc_type));
    Set("LXC_CONFIG_FILE", absl::StrFormat("/var/lib/lxc/%s/config", id));
  }

  // What is empty is not set. A NUL would cut it.
  void Set(const char* name, const std::string& value) {
    if (value.empty() || value.find('\0') != std::string::npos) return;
    environment_.push_back(absl::StrFormat("%s=%s", name, value));
  }

  // "3 programs run, 1 failed (20-dns: exit status 3), 1 refused"
  HookOutcome Concluded() {
    if (context_.dry_run()) {
      outcome_.state = bus::v1::HOOK_STATE_DRY_RUN;
      return std::move(outcome_);
    }
    outcome_.message = absl::StrFormat("%d program%s run", run_, run_ == 1 ? "" : "s");
    if (done_before_ > 0) absl::StrAppendFormat(&outcome_.message, ", %d done before", done_before_);
    if (refused_ > 0) absl::StrAppendFormat(&outcome_.message, ", %d refused", refused_);
    if (!failures_.empty()) absl::StrAppendFormat(&outcome_.message, "; failed: %s", failures_);
    const auto unfailed = run_ == 0 ? bus::v1::HOOK_STATE_UNCHANGED : bus::v1::HOOK_STATE_CHANGED;
    outcome_.state = failures_.empty() ? unfailed : bus::v1::HOOK_STATE_FAILED;
    return std::move(outcome_);
  }

  HookPrograms& programs_;
  const ContainerNode& node_;
  const HookProgramsOptions& options_;
  const client::EventContext& context_;
  hooks::HookParts& parts_;
  const std::stop_token stop_;

  Lifecycle what_;
  Phase phase_;
  HookOutcome outcome_;
  std::optional<std::string> input_;
  std::vector<std::string> environment_;
  int run_ = 0;
  int done_before_ = 0;
  int refused_ = 0;
  std::string failures_;
};

}  // namespace

hooks::Hook HookProgramsHook(HookPrograms& programs, const ContainerNode& node, HookProgramsOptions options) {
  std::string description = absl::StrFormat("Runs the programs in %s, each for %g s at most", options.directory,
                                            std::chrono::duration<double>(options.time_limit).count());
  return {.name = "hook-programs",
          .description = std::move(description),
          .time_limit = kLimitOfAll,
          .run_parts = [&programs, &node, options = std::move(options)](const client::EventContext& context,
                                                                        hooks::HookParts& parts, const std::stop_token& stop) {
            return ProgramsRun(programs, node, options, context, parts, stop).Run();
          }};
}

}  // namespace pvebus::container
