#pragma once

#include <sqlite3.h>

#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace pvebus::bus {

// The system's file layer, whose writes fail while the test says so. Registered under `name()` for as long as it lives; no other
// one may live beside it under the same name. Any thread.
class FailingVfs {
 public:
  explicit FailingVfs(std::string name) : name_(std::move(name)), system_(sqlite3_vfs_find(nullptr)), vfs_(*system_) {
    vfs_.zName = name_.c_str();
    vfs_.pAppData = this;
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + system_->szOsFile;
    vfs_.xOpen = &FailingVfs::Open;
    sqlite3_vfs_register(&vfs_, 0);
  }
  ~FailingVfs() { sqlite3_vfs_unregister(&vfs_); }
  FailingVfs(const FailingVfs&) = delete;
  FailingVfs& operator=(const FailingVfs&) = delete;

  const std::string& name() const { return name_; }
  // SQLITE_FULL, SQLITE_IOERR_WRITE, ...: what every write to the journal says from here on; SQLITE_OK: they succeed again.
  std::atomic<int> write_result = SQLITE_OK;
  std::atomic<int> sync_result = SQLITE_OK;
  std::atomic<int> syncs = 0;  // how many there were

 private:
  struct File {
    sqlite3_file base;
    sqlite3_io_methods methods;
    FailingVfs* owner;
    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  };
  static File* Of(sqlite3_file* file) { return reinterpret_cast<File*>(file); }
  static sqlite3_file* Real(sqlite3_file* file) { return Of(file)->real(); }

  static int Open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags) {
    auto* owner = static_cast<FailingVfs*>(vfs->pAppData);
    File* own = Of(file);
    own->base.pMethods = nullptr;
    const int result = owner->system_->xOpen(owner->system_, path, own->real(), flags, out_flags);
    if (!own->real()->pMethods) return result;
    own->owner = owner;
    sqlite3_io_methods& m = own->methods;
    m = {};
    m.iVersion = own->real()->pMethods->iVersion < 2 ? 1 : 2;
    m.xClose = [](sqlite3_file* f) { return Real(f)->pMethods->xClose(Real(f)); };
    m.xRead = [](sqlite3_file* f, void* b, int n, sqlite3_int64 o) { return Real(f)->pMethods->xRead(Real(f), b, n, o); };
    m.xWrite = [](sqlite3_file* f, const void* b, int n, sqlite3_int64 o) {
      const int failure = Of(f)->owner->write_result;
      return failure != SQLITE_OK ? failure : Real(f)->pMethods->xWrite(Real(f), b, n, o);
    };
    m.xTruncate = [](sqlite3_file* f, sqlite3_int64 n) { return Real(f)->pMethods->xTruncate(Real(f), n); };
    m.xSync = [](sqlite3_file* f, int how) {
      ++Of(f)->owner->syncs;
      const int failure = Of(f)->owner->sync_result;
      return failure != SQLITE_OK ? failure : Real(f)->pMethods->xSync(Real(f), how);
    };
    m.xFileSize = [](sqlite3_file* f, sqlite3_int64* n) { return Real(f)->pMethods->xFileSize(Real(f), n); };
    m.xLock = [](sqlite3_file* f, int how) { return Real(f)->pMethods->xLock(Real(f), how); };
    m.xUnlock = [](sqlite3_file* f, int how) { return Real(f)->pMethods->xUnlock(Real(f), how); };
    m.xCheckReservedLock = [](sqlite3_file* f, int* out) { return Real(f)->pMethods->xCheckReservedLock(Real(f), out); };
    m.xFileControl = [](sqlite3_file* f, int op, void* arg) { return Real(f)->pMethods->xFileControl(Real(f), op, arg); };
    m.xSectorSize = [](sqlite3_file* f) { return Real(f)->pMethods->xSectorSize(Real(f)); };
    m.xDeviceCharacteristics = [](sqlite3_file* f) { return Real(f)->pMethods->xDeviceCharacteristics(Real(f)); };
    m.xShmMap = [](sqlite3_file* f, int p, int n, int e, void volatile** out) {
      return Real(f)->pMethods->xShmMap(Real(f), p, n, e, out);
    };
    m.xShmLock = [](sqlite3_file* f, int o, int n, int how) { return Real(f)->pMethods->xShmLock(Real(f), o, n, how); };
    m.xShmBarrier = [](sqlite3_file* f) { Real(f)->pMethods->xShmBarrier(Real(f)); };
    m.xShmUnmap = [](sqlite3_file* f, int d) { return Real(f)->pMethods->xShmUnmap(Real(f), d); };
    own->base.pMethods = &own->methods;
    return result;
  }

  const std::string name_;
  sqlite3_vfs* const system_;
  sqlite3_vfs vfs_;
};

}  // namespace pvebus::bus
