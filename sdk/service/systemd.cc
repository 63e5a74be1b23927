#include "sdk/service/systemd.h"

#include <systemd/sd-daemon.h>

namespace pvebus::service {

// A failed notification is systemd's to notice (its start timeout): there is nobody else to tell.
void NotifySystemd(const std::string& state) { static_cast<void>(sd_notify(/*unset_environment=*/0, state.c_str())); }

}  // namespace pvebus::service
