#pragma once

#include <optional>

#include "absl/status/status.h"
#include "sdk/base/error.h"

namespace pvebus::storage {

// What goes wrong in a test: one of the calls that change something fails, does nothing while it says that it did, or is the last
// that this process lives to see. Shared by the kernel's and the store's fakes, so that calls are counted over both. One thread.
class Faults {
 public:
  enum class Kind { kNone, kFail, kLie, kDieBefore, kDieAfter };

  // The call with this number (from 0) is the one.
  void Arm(Kind kind, int call) {
    kind_ = kind;
    call_ = call;
    calls_ = 0;
    dead_ = false;
  }
  void Disarm() { Arm(Kind::kNone, 0); }
  // Changing calls since the last Arm or Disarm.
  int calls() const { return calls_; }
  bool dead() const { return dead_; }

  absl::Status Read() const { return dead_ ? Error() : absl::OkStatus(); }

  // The answer to a changing call, which really happens when `change` is called.
  template <typename Change>
  absl::Status Do(Change change) {
    if (dead_) return Error();
    const bool now = calls_++ == call_;
    if (!now || kind_ == Kind::kNone) return change();
    if (kind_ == Kind::kLie) return absl::OkStatus();
    if (kind_ == Kind::kFail) return Error();
    dead_ = true;
    if (kind_ == Kind::kDieAfter) (void)change();
    return Error();
  }

 private:
  static absl::Status Error() { return MakeError(absl::StatusCode::kFailedPrecondition, "KERNEL_REFUSED", "the test says no"); }

  Kind kind_ = Kind::kNone;
  int call_ = 0;
  int calls_ = 0;
  bool dead_ = false;
};

}  // namespace pvebus::storage
