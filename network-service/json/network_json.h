#pragma once

#include <nlohmann/json_fwd.hpp>

#include "network-service/core/config_change.h"

namespace pvebus::network {

// The original project's forms. Texts have the bytes of the files, which may be no UTF-8: dump them with
// error_handler_t::replace. Any thread.

// {name, iface_type, method, addresses, gateway, method6, gateway6, mtu, options, enabled}. iface_type is externally tagged:
// "Physical", "Loopback", {"Bridge": {ports, vlan_aware}}, ...; Open vSwitch is {"OvsBridge": {ports}} and so on. method is
// Static, Dhcp, Manual or None, method6 may be Auto, too; loopback, ppp and tunnel are Manual. options have one text each: the
// lines of a repeatable one are joined with line breaks.
nlohmann::ordered_json ToDocument(const Interface& interface);

// {change_type (create, update, delete), target, old_config, new_config, description}.
nlohmann::ordered_json ToDocument(const ConfigChange& change);

// {accepted, changes, diagnostics [{severity (error, warning), file, line (0: the whole file), message}]}.
nlohmann::ordered_json ToDocument(const NetworkDiff& diff);

}  // namespace pvebus::network
