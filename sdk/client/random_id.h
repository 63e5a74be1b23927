#pragma once

#include <string>

#include "sdk/base/mutex.h"
#include "sdk/base/random.h"

namespace pvebus::client {

// The machine's randomness, for several threads.
class LockedRandom final : public Random {
 public:
  uint64_t Next() override {
    MutexLock lock(mu_);
    return random_.Next();
  }

 private:
  Mutex mu_;
  SeededRandom random_ ABSL_GUARDED_BY(mu_){SeededRandom::SystemSeed()};
};

// 128 random bits as 32 hexadecimal digits.
std::string RandomId(Random& random);

}  // namespace pvebus::client
