#pragma once

#include <cstdint>
#include <random>

namespace pvebus {

// Where randomness comes from, so that tests decide it. One thread.
class Random {
 public:
  virtual ~Random() = default;
  virtual uint64_t Next() = 0;

  // Uniform in [low, high).
  double Uniform(double low, double high) { return low + (high - low) * (static_cast<double>(Next() >> 11) * 0x1.0p-53); }
};

// A generator with a given seed; SystemSeed() for production.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : engine_(seed) {}
  uint64_t Next() override { return engine_(); }
  static uint64_t SystemSeed() {
    std::random_device device;
    return (static_cast<uint64_t>(device()) << 32) | device();
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace pvebus
