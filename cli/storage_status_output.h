#pragma once

#include <ostream>

#include "pvebus/storage/v1/storage_service.pb.h"
#include "sdk/base/clock.h"

namespace pvebus::cli {

using StorageList = google::protobuf::RepeatedPtrField<storage::v1::Storage>;
using RefreshedList = google::protobuf::RepeatedPtrField<storage::v1::RefreshedStorage>;

// A row per storage.
void PrintStorageStatuses(const StorageList& storages, SystemTime now, std::ostream& out);
// The same, with what each was before.
void PrintRefreshedStorages(const RefreshedList& refreshed, SystemTime now, std::ostream& out);

// Everything about one, with a row per endpoint.
void PrintStorageStatus(const storage::v1::Storage& storage, SystemTime now, std::ostream& out);
void PrintRefreshedStorage(const storage::v1::RefreshedStorage& refreshed, SystemTime now, std::ostream& out);

// What is wrong in storage.cfg, and why it could not be read; a line each.
void PrintStorageConfigProblems(const storage::v1::ListStoragesResponse& response, std::ostream& out);

}  // namespace pvebus::cli
