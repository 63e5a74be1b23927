#include "sdk/programs/output_tail.h"

namespace pvebus {

void OutputTail::Append(std::string_view bytes) {
  total_bytes_ += bytes.size();
  if (bytes.size() > most_bytes_) bytes.remove_prefix(bytes.size() - most_bytes_);
  const size_t kept = most_bytes_ - bytes.size();
  if (tail_.size() > kept) tail_.erase(0, tail_.size() - kept);
  tail_ += bytes;
}

}  // namespace pvebus
