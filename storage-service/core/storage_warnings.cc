#include "storage-service/core/storage_warnings.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "sdk/base/utf8.h"

namespace pvebus::storage {
namespace {

constexpr size_t kLongestId = 100;

}  // namespace

void StorageWarnings::Add(size_t line, std::string_view storage_id, std::string message, bool section_skipped) {
  if (full()) {
    ++left_out_;
    return;
  }
  warnings_.push_back({line, CleanUtf8(storage_id.substr(0, kLongestId), kLongestId), std::move(message), section_skipped});
}

std::vector<StorageWarning> StorageWarnings::Take() {
  std::stable_sort(warnings_.begin(), warnings_.end(),
                   [](const StorageWarning& a, const StorageWarning& b) { return a.line < b.line; });
  if (left_out_ > 0) {
    warnings_.push_back({.message = absl::StrFormat("%d more warnings are left out; is this a storage.cfg?", left_out_)});
  }
  left_out_ = 0;
  return std::exchange(warnings_, {});
}

}  // namespace pvebus::storage
