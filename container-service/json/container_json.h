#pragma once

#include <nlohmann/json_fwd.hpp>

#include "container-service/core/container_config.h"

namespace pvebus::container {

// A container as its file was understood, in the original project's form with `extra` and `warnings` beside it: what is absent is
// null, addresses are canonical. Texts have the bytes of the file, which may be no UTF-8: dump it with error_handler_t::replace.
// Any thread.
nlohmann::ordered_json ToDocument(const ContainerConfig& config);

}  // namespace pvebus::container
