// SPDX-License-Identifier: Apache-2.0
// Random blocks, whole and cut at every guest instruction, against the plain meaning of the IR. LOCKSTEP_SEED and
// LOCKSTEP_FUZZ_RUNS choose the first seed and how many follow.
#include "tests/core/interpreter/reference.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "core/interpreter/interpreter.h"
#include "core/ir/text.h"
#include "tests/core/ir_proof/random_block.h"
#include "tests/core/seed.h"

namespace lockstep::test {
namespace {

std::string difference(TestHart& want, TestHart& got) {
  for (const StateField& field : want.layout().fields) {
    if (std::memcmp(want.field(field), got.field(field), field.size_bytes) == 0) continue;
    uint64_t a = 0, b = 0;
    std::memcpy(&a, want.field(field), std::min<size_t>(8, field.size_bytes));
    std::memcpy(&b, got.field(field), std::min<size_t>(8, field.size_bytes));
    return std::string(field.name) + " is " + std::to_string(b) + " and should be " + std::to_string(a);
  }
  if (want.memory() != got.memory()) return "memory differs";
  if (want.last_fault() != got.last_fault()) return "the fault differs";
  return "";
}

// Empty, or what differs.
std::string check(const core::ir::Block& block, const StateLayout& layout, uint64_t seed, unsigned count, bool fusion) {
  TestHart want(layout), got(layout);
  std::mt19937_64 random_want(seed), random_got(seed);
  randomise(random_want, want);
  randomise(random_got, got);
  want.state().pc = got.state().pc = block.pc;
  const unsigned begun = run_reference(block, want, count);
  got.set_block(block);
  const auto engine = core::make_interpreter(got, {.fusion = fusion});
  const core::RunResult result = engine->run(begun);
  if (result.executed != begun) return "the count is " + std::to_string(result.executed);
  return difference(want, got);
}

TEST(InterpreterReference, RandomBlocksMeanTheSame) {
  const uint64_t first = seed();
  const uint64_t runs = test::from_environment("LOCKSTEP_FUZZ_RUNS", 300);
  for (uint64_t at = first; at < first + runs; ++at) {
    const StateLayout& layout = test_layout(at % 3 == 0 ? "riscv64" : at % 3 == 1 ? "arm64" : "x86_64");
    std::mt19937_64 random(at);
    const core::ir::Block block = random_block(random, layout);
    for (unsigned count = 1; count <= block.guest_instructions; ++count) {
      for (const bool fusion : {true, false}) {
        const std::string what = check(block, layout, at, count, fusion);
        ASSERT_EQ(what, "") << "LOCKSTEP_SEED=" << at << ", cut after " << count << ", fusion " << fusion << "\n"
                            << core::ir::print(block, {&layout, {}});
      }
    }
  }
}

}  // namespace
}  // namespace lockstep::test
