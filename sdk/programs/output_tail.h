#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pvebus {

// The end of what a program writes, in bounded memory. One thread.
class OutputTail {
 public:
  explicit OutputTail(size_t most_bytes) : most_bytes_(most_bytes) {}

  void Append(std::string_view bytes);

  // The last `most_bytes` of all that was appended.
  const std::string& bytes() const { return tail_; }
  uint64_t total_bytes() const { return total_bytes_; }

 private:
  const size_t most_bytes_;
  std::string tail_;
  uint64_t total_bytes_ = 0;
};

}  // namespace pvebus
