// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <verilated.h>
#include <cstdint>
#include <memory>
#include <random>

#include "smmu_rtl_bridge/rtl_device/verilated_stop.h"
#include "tests/core/seed.h"

namespace lockstep::smmu_rtl_bridge::rtl_test {

// LOCKSTEP_SEED gives back the seed that a failure printed.
inline uint64_t seed_of_run() { return test::from_environment("LOCKSTEP_SEED", 1); }

// One verilated module with a clock and a reset, driven a cycle at a time. Assertions of the design fail the test.
template <typename Top>
class ModuleTest : public ::testing::Test {
 protected:
  ModuleTest() : seed(seed_of_run()), random(seed), context(std::make_unique<VerilatedContext>()) {
    context->randReset(2);
    context->randSeed(static_cast<int>(seed % 1'000'000) + 1);
    top = std::make_unique<Top>(context.get(), "top");
    RecordProperty("seed", std::to_string(seed));
  }
  ~ModuleTest() override {
    top->final();
    EXPECT_FALSE(verilated_stop().stopped) << verilated_stop().text;
    verilated_stop() = {};
    if (HasFailure()) std::printf("LOCKSTEP_SEED=%llu\n", static_cast<unsigned long long>(seed));
  }

  bool chance(unsigned percent) { return random() % 100 < percent; }

  // Inputs are set and outputs looked at between settle() and edge().
  void settle() {
    top->clk = 0;
    top->eval();
  }
  void edge() {
    top->clk = 1;
    top->eval();
    context->timeInc(1);
  }
  void reset_module() {
    top->rst_n = 0;
    for (int i = 0; i < 3; ++i) {
      settle();
      edge();
    }
    top->rst_n = 1;
  }

  uint64_t seed;
  std::mt19937_64 random;
  std::unique_ptr<VerilatedContext> context;
  std::unique_ptr<Top> top;
};

}  // namespace lockstep::smmu_rtl_bridge::rtl_test
