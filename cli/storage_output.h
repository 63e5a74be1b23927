#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "storage-service/core/storage_config.h"

namespace pvebus::cli {

// A storage.cfg as it was understood. What is no UTF-8 in it is replaced, so that the result is JSON whatever the file is.
std::string ToJson(const storage::StorageConfig& config);

void PrintStorages(const std::vector<storage::Storage>& storages, std::ostream& out);

// "10.0.0.5:2049", "[fd00::5]:2049"; without a port only the address.
std::string FormatEndpoint(const storage::Endpoint& endpoint);

// One line each, FILE:LINE first, as compilers do.
void PrintStorageWarnings(const std::string& file, const std::vector<storage::StorageWarning>& warnings, std::ostream& out);

}  // namespace pvebus::cli
