#pragma once

#include <string>

namespace pvebus::testing {

// A file system of some MiB, which only this test and the programs it starts can see: gone with the last of them.
class TinyFileSystem {
 public:
  TinyFileSystem() = default;
  ~TinyFileSystem();
  TinyFileSystem(const TinyFileSystem&) = delete;
  TinyFileSystem& operator=(const TinyFileSystem&) = delete;

  // Why there is none; empty when there is. Requires, without root: the process has one thread.
  std::string Mount(const std::string& path, int mib);

  // Takes all the room there is.
  void Fill() const;
  void MakeRoom() const;
  // The file that takes it.
  std::string Ballast() const { return path_ + "/ballast"; }

 private:
  std::string path_;
  bool mounted_ = false;
};

}  // namespace pvebus::testing
