#pragma once

#include <string>

#include "migration-service/core/phase.h"
#include "migration-service/core/route_table.h"

namespace pvebus::migration {

// The rules of a phase as a `map` of nginx, for the http context: from method and $uri, which is decoded and without its query,
// to the name of an upstream, pvebus_perl or pvebus_rust, in the variable $pvebus_upstream. What is not below /api2/<format>/ is
// Perl's. The format is nginx's: ngx_http_map_module. Pure; any thread.
std::string NginxMap(const RouteTable& table, Phase phase);

// The phase that a text of NginxMap was made for; empty when it is none.
std::string PhaseOfNginxMap(const std::string& text);

}  // namespace pvebus::migration
