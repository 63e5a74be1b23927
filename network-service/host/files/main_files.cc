#include "network-service/host/files/main_files.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_format.h"
#include "network-service/core/errors.h"
#include "network-service/core/interfaces_reader.h"
#include "network-service/host/files/durable_folder.h"
#include "network-service/host/files/file_names.h"
#include "sdk/posix/files.h"

namespace pvebus::network {
namespace {

using Keep = NetworkNode::Keep;

const char* NameOf(Candidate candidate) { return candidate == Candidate::kStaged ? kStagedName : kRevertCandidateName; }

absl::StatusOr<std::optional<std::string>> ReadIfAny(const std::string& path) {
  auto bytes = ReadFile(path, kMostFileBytes + 1);
  if (absl::IsNotFound(bytes.status())) return std::nullopt;
  if (!bytes.ok()) return ConfigurationUnreadable(path, std::string(bytes.status().message()));
  if (bytes->size() <= kMostFileBytes) return *std::move(bytes);
  return ConfigurationUnreadable(path, absl::StrFormat("the file has more than %d bytes", kMostFileBytes));
}

bool IsNow(const std::string& path, const std::optional<std::string>& wanted) {
  const auto bytes = ReadIfAny(path);
  return bytes.ok() && *bytes == wanted;
}

// What there was of it is lost when this fails, and the old file is more important.
void TryToKeep(DurableFolder& folder, Keep keep) {
  if (keep == Keep::kNot || !folder.Has(kAppliedName)) return;
  if (keep == Keep::kAsStaged && folder.Has(kStagedName)) return;
  folder.LinkTo(kAppliedName, keep == Keep::kAsStaged ? kStagedName : kRevertedName).IgnoreError();
}

// The file that KeepOld kept is the better one: it has the old owner and mode, and takes no room. Whether it is the right one,
// only its bytes tell: somebody may have written into it since.
absl::Status BringBack(DurableFolder& folder, const std::optional<std::string>& old_file) {
  if (!old_file) return folder.Remove(kAppliedName);
  if (IsNow(folder.PathOf(kOldName), old_file)) return folder.Rename(kOldName, kAppliedName);
  return folder.Put(kAppliedName, *old_file, kOldName);
}

absl::Status Drop(DurableFolder& folder) {
  absl::Status status = folder.Remove(kOldName);
  status.Update(folder.Remove(kRevertCandidateName));
  status.Update(folder.Remove(kTemporaryName));
  return status;
}

// Two names of one file.
bool AreOne(const std::string& a, const std::string& b) {
  std::error_code ignored;
  return std::filesystem::equivalent(a, b, ignored);
}

}  // namespace

std::string MainFiles::AppliedPath() const { return absl::StrFormat("%s/%s", folder_, kAppliedName); }

std::string MainFiles::PathOf(Candidate candidate) const { return absl::StrFormat("%s/%s", folder_, NameOf(candidate)); }

absl::StatusOr<NodeFiles> MainFiles::Read() const {
  auto applied = ReadIfAny(AppliedPath());
  if (!applied.ok()) return applied.status();
  auto staged = ReadIfAny(PathOf(Candidate::kStaged));
  if (!staged.ok()) return staged.status();
  return NodeFiles{.applied = *std::move(applied), .staged = *std::move(staged)};
}

absl::Status MainFiles::RequireCandidate(Candidate candidate) const {
  const std::string path = PathOf(candidate);
  absl::Status status = ReadFile(path, 0).status();
  if (status.ok()) return status;
  if (!absl::IsNotFound(status)) return ConfigurationUnreadable(path, std::string(status.message()));
  return ConfigurationUnreadable(path, candidate == Candidate::kStaged ? "nothing is staged" : "there is nothing to go back to");
}

absl::Status MainFiles::PutRevertCandidate(const std::string& bytes) const {
  auto folder = DurableFolder::Open(folder_);
  return folder.ok() ? folder->Put(kRevertCandidateName, bytes, kAppliedName) : folder.status();
}

absl::Status MainFiles::KeepOld() const {
  auto folder = DurableFolder::Open(folder_);
  if (!folder.ok()) return folder.status();
  return folder->Has(kAppliedName) ? folder->LinkTo(kAppliedName, kOldName) : folder->Remove(kOldName);
}

absl::Status MainFiles::Install(Candidate candidate) const {
  if (absl::Status status = RequireCandidate(candidate); !status.ok()) return status;
  auto folder = DurableFolder::Open(folder_);
  if (!folder.ok()) return folder.status();
  if (absl::Status status = folder->SyncFile(NameOf(candidate)); !status.ok()) return status;
  return folder->Rename(NameOf(candidate), kAppliedName);
}

absl::Status MainFiles::Restore(const std::optional<std::string>& old_file, Keep keep) const {
  auto folder = DurableFolder::Open(folder_);
  if (!folder.ok()) return folder.status();
  // A staged file with the same bytes is another file nevertheless: owner and mode are the old one's.
  const bool replaced = old_file && IsNow(folder->PathOf(kOldName), old_file) && !AreOne(folder->PathOf(kOldName), AppliedPath());
  if (!IsNow(AppliedPath(), old_file) || replaced) {
    TryToKeep(*folder, keep);
    if (absl::Status status = BringBack(*folder, old_file); !status.ok()) return status;
  }
  // What is left behind harms nobody.
  Drop(*folder).IgnoreError();
  return absl::OkStatus();
}

absl::Status MainFiles::DropOld() const {
  auto folder = DurableFolder::Open(folder_);
  return folder.ok() ? Drop(*folder) : folder.status();
}

}  // namespace pvebus::network
