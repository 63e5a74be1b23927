#include "bus-service/store/testing/unsynced_loss_vfs.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string_view>
#include <utility>

namespace pvebus::bus {
namespace {

constexpr size_t kSector = 512;

void Apply(std::string& bytes, int64_t offset, std::string_view change) {
  const auto begin = static_cast<size_t>(offset);
  if (bytes.size() < begin + change.size()) bytes.resize(begin + change.size(), '\0');
  std::copy(change.begin(), change.end(), bytes.begin() + static_cast<std::ptrdiff_t>(begin));
}

}  // namespace

struct UnsyncedLossVfs::OpenFile {
  UnsyncedLossVfs& owner;
  std::string path;
  std::shared_ptr<Content> content;
  bool new_journal;  // its directory is synced with it, as unixSync does
};

// What SQLite sees of an open file: the system's file lies behind it.
struct UnsyncedLossVfs::File {
  sqlite3_file base;
  OpenFile* open;  // null for what no power loss is asked about: temporary files

  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  static File& Of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
  static sqlite3_file* Real(sqlite3_file* file) { return Of(file).real(); }
};

class UnsyncedLossVfs::Methods {
 public:
  static int Open(sqlite3_vfs* vfs, const char* path, sqlite3_file* base, int flags, int* out_flags) {
    auto* owner = static_cast<UnsyncedLossVfs*>(vfs->pAppData);
    File& file = File::Of(base);
    file = {};
    const bool existed = path && std::filesystem::exists(path);
    const int result = owner->system_->xOpen(owner->system_, path, file.real(), flags, out_flags);
    if (!file.real()->pMethods) return result;
    const bool journal = flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL);
    if (result == SQLITE_OK && path) file.open = owner->Opened(path, existed, journal);
    file.base.pMethods = &kMethods;
    return result;
  }

  static int Delete(sqlite3_vfs* vfs, const char* path, int sync_directory) {
    auto* owner = static_cast<UnsyncedLossVfs*>(vfs->pAppData);
    owner->Observe(Operation::kDelete, path);
    const int result = owner->system_->xDelete(owner->system_, path, sync_directory);
    if (result == SQLITE_OK) owner->Deleted(path, sync_directory != 0);
    return result;
  }

 private:
  static int Close(sqlite3_file* f) {
    const int result = File::Real(f)->pMethods->xClose(File::Real(f));
    delete std::exchange(File::Of(f).open, nullptr);
    return result;
  }
  static int Read(sqlite3_file* f, void* b, int n, sqlite3_int64 o) {
    return File::Real(f)->pMethods->xRead(File::Real(f), b, n, o);
  }
  static int Write(sqlite3_file* f, const void* bytes, int size, sqlite3_int64 offset) {
    OpenFile* const open = File::Of(f).open;
    if (open) open->owner.Observe(Operation::kWrite, open->path);
    const int result = File::Real(f)->pMethods->xWrite(File::Real(f), bytes, size, offset);
    if (result == SQLITE_OK && open)
      open->owner.Write(*open, {false, offset, {static_cast<const char*>(bytes), static_cast<size_t>(size)}});
    return result;
  }
  static int Truncate(sqlite3_file* f, sqlite3_int64 size) {
    OpenFile* const open = File::Of(f).open;
    if (open) open->owner.Observe(Operation::kTruncate, open->path);
    const int result = File::Real(f)->pMethods->xTruncate(File::Real(f), size);
    if (result == SQLITE_OK && open) open->owner.Write(*open, {true, size, {}});
    return result;
  }
  static int Sync(sqlite3_file* f, int how) {
    OpenFile* const open = File::Of(f).open;
    if (open) open->owner.Observe(Operation::kSync, open->path);
    const int result = File::Real(f)->pMethods->xSync(File::Real(f), how);
    if (result == SQLITE_OK && open) open->owner.Sync(*open);
    return result;
  }
  static int FileSize(sqlite3_file* f, sqlite3_int64* n) { return File::Real(f)->pMethods->xFileSize(File::Real(f), n); }
  static int Lock(sqlite3_file* f, int how) { return File::Real(f)->pMethods->xLock(File::Real(f), how); }
  static int Unlock(sqlite3_file* f, int how) { return File::Real(f)->pMethods->xUnlock(File::Real(f), how); }
  static int CheckLock(sqlite3_file* f, int* out) { return File::Real(f)->pMethods->xCheckReservedLock(File::Real(f), out); }
  static int Control(sqlite3_file* f, int op, void* arg) { return File::Real(f)->pMethods->xFileControl(File::Real(f), op, arg); }
  static int SectorSize(sqlite3_file* f) { return File::Real(f)->pMethods->xSectorSize(File::Real(f)); }
  static int Device(sqlite3_file* f) { return File::Real(f)->pMethods->xDeviceCharacteristics(File::Real(f)); }
  static int ShmMap(sqlite3_file* f, int p, int n, int e, void volatile** out) {
    return File::Real(f)->pMethods->xShmMap(File::Real(f), p, n, e, out);
  }
  static int ShmLock(sqlite3_file* f, int o, int n, int how) {
    return File::Real(f)->pMethods->xShmLock(File::Real(f), o, n, how);
  }
  static void ShmBarrier(sqlite3_file* f) { File::Real(f)->pMethods->xShmBarrier(File::Real(f)); }
  static int ShmUnmap(sqlite3_file* f, int d) { return File::Real(f)->pMethods->xShmUnmap(File::Real(f), d); }

  // Version 2: no memory-mapped reading, whose writes nobody could see.
  static constexpr sqlite3_io_methods kMethods = {2,       Close,      Read,      Write,   Truncate,   Sync,   FileSize,
                                                  Lock,    Unlock,     CheckLock, Control, SectorSize, Device, ShmMap,
                                                  ShmLock, ShmBarrier, ShmUnmap,  nullptr, nullptr};
};

UnsyncedLossVfs::UnsyncedLossVfs(std::string name) : name_(std::move(name)), system_(sqlite3_vfs_find(nullptr)), vfs_(*system_) {
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.szOsFile = static_cast<int>(sizeof(File)) + system_->szOsFile;
  vfs_.xOpen = &Methods::Open;
  vfs_.xDelete = &Methods::Delete;
  sqlite3_vfs_register(&vfs_, 0);
}

UnsyncedLossVfs::~UnsyncedLossVfs() { sqlite3_vfs_unregister(&vfs_); }

void UnsyncedLossVfs::Observe(Operation operation, const std::string& path) const {
  if (observer_) observer_(operation, path);
}

UnsyncedLossVfs::OpenFile* UnsyncedLossVfs::Opened(const std::string& path, bool existed, bool journal) {
  MutexLock lock(mutex_);
  std::shared_ptr<Content>& content = names_[path];
  if (!content) {
    content = std::make_shared<Content>();
    if (existed) {  // before there was this layer: safe
      std::ifstream file(path, std::ios::binary);
      content->synced.assign(std::istreambuf_iterator<char>(file), {});
      safe_names_[path] = content;
    }
  }
  return new OpenFile{*this, path, content, journal && !existed};
}

void UnsyncedLossVfs::Write(OpenFile& file, Change change) {
  MutexLock lock(mutex_);
  file.content->unsynced.push_back(std::move(change));
}

void UnsyncedLossVfs::Sync(OpenFile& file) {
  MutexLock lock(mutex_);
  for (const Change& change : file.content->unsynced) {
    if (change.truncate) {
      file.content->synced.resize(static_cast<size_t>(change.offset));
    } else {
      Apply(file.content->synced, change.offset, change.bytes);
    }
  }
  file.content->unsynced.clear();
  if (std::exchange(file.new_journal, false)) safe_names_ = names_;
}

void UnsyncedLossVfs::Deleted(const std::string& path, bool sync_directory) {
  MutexLock lock(mutex_);
  names_.erase(path);
  if (sync_directory) safe_names_ = names_;
}

std::string UnsyncedLossVfs::Left(const Content& content, Survival survival, uint32_t seed) {
  std::mt19937 random(seed);
  const auto chance = [&] { return random() % 2 == 0; };
  std::string bytes = content.synced;
  const size_t whole = survival == Survival::kPrefix ? random() % (content.unsynced.size() + 1) : 0;
  for (size_t i = 0; survival != Survival::kNothing && i < content.unsynced.size(); ++i) {
    const Change& change = content.unsynced[i];
    if (survival == Survival::kPrefix && i > whole) break;
    if (change.truncate) {
      if (survival == Survival::kPrefix ? i < whole : chance()) bytes.resize(static_cast<size_t>(change.offset));
      continue;
    }
    bool torn = false;
    for (size_t at = 0, size = 0; at < change.bytes.size() && !torn; at += size) {
      const auto offset = static_cast<size_t>(change.offset) + at;
      size = std::min(kSector - offset % kSector, change.bytes.size() - at);
      const bool there = survival == Survival::kPrefix ? i < whole || chance() : chance();
      if (there) Apply(bytes, static_cast<int64_t>(offset), std::string_view(change.bytes).substr(at, size));
      torn = !there && survival == Survival::kPrefix;
    }
  }
  return bytes;
}

void UnsyncedLossVfs::LosePower(const std::string& directory, Survival survival, uint32_t seed) const {
  std::filesystem::create_directories(directory);
  std::mt19937 random(seed);
  MutexLock lock(mutex_);
  Names left = safe_names_;
  if (survival != Survival::kNothing) {
    // A name that was made or deleted since the directory was synced is there or not.
    for (const auto& [path, content] : names_) {
      if (random() % 2 == 0) left[path] = content;
    }
    for (const auto& [path, content] : safe_names_) {
      if (!names_.contains(path) && random() % 2 == 0) left.erase(path);
    }
  }
  for (const auto& [path, content] : left) {
    const std::string bytes = Left(*content, survival, static_cast<uint32_t>(random()));
    std::ofstream file(directory + "/" + std::filesystem::path(path).filename().string(), std::ios::binary | std::ios::trunc);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
}

}  // namespace pvebus::bus
