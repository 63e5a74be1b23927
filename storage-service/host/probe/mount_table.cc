#include "storage-service/host/probe/mount_table.h"

#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/strings/str_format.h"

namespace pvebus::storage {
namespace {

// Takes the next word off `line`.
std::string_view TakeWord(std::string_view& line) {
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(word.size() + 1, line.size()));
  return word;
}

bool IsOctal(char c) { return c >= '0' && c <= '7'; }

// The kernel writes blanks, tabs, line ends and backslashes as \ooo.
std::string Unescaped(std::string_view word) {
  std::string text;
  for (size_t i = 0; i < word.size(); ++i) {
    const bool escape =
        word[i] == '\\' && i + 3 < word.size() && IsOctal(word[i + 1]) && IsOctal(word[i + 2]) && IsOctal(word[i + 3]);
    if (!escape) {
      text.push_back(word[i]);
      continue;
    }
    text.push_back(static_cast<char>((word[i + 1] - '0') * 64 + (word[i + 2] - '0') * 8 + (word[i + 3] - '0')));
    i += 3;
  }
  return text;
}

// "36 35 98:0 /root /point rw,noatime shared:1 - type source options": of the words before the "-" some are optional.
std::optional<Mount> ParseLine(std::string_view line) {
  constexpr int kWordsBeforePoint = 4;
  for (int i = 0; i < kWordsBeforePoint; ++i) TakeWord(line);
  Mount mount{.point = Unescaped(TakeWord(line))};
  while (!line.empty() && TakeWord(line) != "-") {
  }
  mount.type = Unescaped(TakeWord(line));
  mount.source = Unescaped(TakeWord(line));
  if (mount.point.empty() || mount.type.empty()) return std::nullopt;
  return mount;
}

}  // namespace

std::vector<Mount> ParseMountInfo(std::string_view text) {
  std::vector<Mount> mounts;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (auto mount = ParseLine(line)) mounts.push_back(std::move(*mount));
  }
  return mounts;
}

absl::StatusOr<std::vector<Mount>> ReadMounts(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file.is_open() || file.bad()) return absl::UnavailableError(absl::StrFormat("%s cannot be read", path));
  return ParseMountInfo(text);
}

}  // namespace pvebus::storage
