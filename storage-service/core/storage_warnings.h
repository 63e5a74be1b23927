#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage-service/core/storage_config.h"

namespace pvebus::storage {

// Gathers what there is to say about a file, and not more than somebody reads. One thread.
class StorageWarnings {
 public:
  // `storage_id` in bytes of the file; empty for none.
  void Add(size_t line, std::string_view storage_id, std::string message, bool section_skipped = false);
  // Whether one more would be left out: who makes costly messages asks before.
  bool full() const { return warnings_.size() >= kMostWarnings; }

  // By line. Leaves this empty.
  std::vector<StorageWarning> Take();

 private:
  std::vector<StorageWarning> warnings_;
  size_t left_out_ = 0;
};

}  // namespace pvebus::storage
