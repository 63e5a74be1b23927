#include "bus-service/store/journal_mark.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "bus-service/store/damage.h"
#include "bus-service/store/record_codec.h"
#include "bus-service/store/system_error.h"

namespace pvebus::bus {
namespace {

constexpr int64_t kMagic = 0x316b726d62657670;  // "pvebmrk1"
using Content = std::array<int64_t, 4>;         // magic, last sequence, commits, checksum

int64_t ChecksumOf(const Content& content) { return RowChecksum().Add(content[0]).Add(content[1]).Add(content[2]).value(); }

}  // namespace

absl::StatusOr<JournalMark::Opened> JournalMark::Open(const std::string& directory) {
  const std::string path = directory + "/journal.mark";
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return SystemError("opening", path, errno);
  Opened opened;
  opened.file.reset(new JournalMark(file, path));
  struct stat info {};
  Content content{};
  if (fstat(file, &info) != 0) return SystemError("reading", path, errno);
  if (info.st_size == 0) return opened;
  const ssize_t bytes = pread(file, content.data(), sizeof content, 0);
  if (info.st_size != sizeof content || bytes != sizeof content || content[0] != kMagic || content[3] != ChecksumOf(content)) {
    opened.status = Damaged("journal.mark", 0, "journal.mark is damaged: it cannot tell whether the last commits are there");
    return opened;
  }
  opened.mark = Mark{static_cast<Sequence>(content[1]), static_cast<uint64_t>(content[2])};
  return opened;
}

JournalMark::~JournalMark() { close(file_); }

absl::Status JournalMark::Write(const Mark& mark) {
  Content content{kMagic, static_cast<int64_t>(mark.last_sequence), static_cast<int64_t>(mark.commits), 0};
  content[3] = ChecksumOf(content);
  const ssize_t bytes = pwrite(file_, content.data(), sizeof content, 0);
  if (bytes == sizeof content) return absl::OkStatus();
  return SystemError("writing", path_, bytes < 0 ? errno : ENOSPC);
}

absl::Status JournalMark::WriteAndSync(const Mark& mark) {
  if (auto status = Write(mark); !status.ok()) return status;
  if (ftruncate(file_, sizeof(Content)) != 0 || fsync(file_) != 0) return SystemError("syncing", path_, errno);
  return SyncDirectory(path_.substr(0, path_.rfind('/')));
}

}  // namespace pvebus::bus
