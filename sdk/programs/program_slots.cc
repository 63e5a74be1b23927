#include "sdk/programs/program_slots.h"

namespace pvebus {

bool ProgramSlots::Take(const std::stop_token& stop) {
  // Made before the lock is held and gone after it was released: the callback takes the lock itself, and may run right here.
  const std::stop_callback on_stop(stop, [this] {
    const MutexLock lock(mu_);
    changed_.NotifyAll();
  });
  const MutexLock lock(mu_);
  while (free_ == 0 && !stop.stop_requested()) changed_.Wait(mu_);
  if (stop.stop_requested()) return false;
  --free_;
  return true;
}

void ProgramSlots::GiveBack() {
  const MutexLock lock(mu_);
  ++free_;
  // All, because who is woken may have been stopped meanwhile and would keep it from the others.
  changed_.NotifyAll();
}

}  // namespace pvebus
