#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pvebus::container {

// What Proxmox VE does not take from a container file, or takes in a way that its author may not expect. Valid UTF-8.
struct ContainerFinding {
  size_t line = 0;      // 0: of the whole file
  std::string key;      // empty: of none
  std::string message;  // what is wrong and what would be right
};

inline constexpr size_t kMostFindings = 1000;

// Gathers what there is to say about a file, and not more than somebody reads. One thread.
class ContainerFindings {
 public:
  // `key` in bytes of the file; empty for none.
  void Add(size_t line, std::string_view key, std::string message);
  // Whether one more would be left out: who makes costly messages asks before.
  bool full() const { return findings_.size() >= kMostFindings; }

  // By line. Leaves this empty.
  std::vector<ContainerFinding> Take();

 private:
  std::vector<ContainerFinding> findings_;
  size_t left_out_ = 0;
};

// For messages: 'text', cut when it is long, valid UTF-8.
std::string Quoted(std::string_view text);

}  // namespace pvebus::container
