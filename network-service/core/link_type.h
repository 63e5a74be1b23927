#pragma once

#include <map>
#include <string>

#include "network-service/core/diagnostic.h"
#include "network-service/core/interface.h"

namespace pvebus::network {

// Where each option stands last.
using OptionPlaces = std::map<std::string, Place, std::less<>>;

// Finds the type of an interface, and moves the options that the type's fields stand for out of its options. Any thread.
void TakeLinkType(Interface& interface, const OptionPlaces& places, Diagnostics& diagnostics);

// The options that TakeLinkType would take for the type.
Options OptionsOfType(const Interface& interface);

}  // namespace pvebus::network
