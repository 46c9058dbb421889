// SPDX-License-Identifier: Apache-2.0
// Random instructions in random states: nothing may crash, and the state that they leave may depend on neither budgets
// nor the interpreter's options. LOCKSTEP_SEED and LOCKSTEP_FUZZ_RUNS choose the first seed and how many follow.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "tests/core/seed.h"
#include "tests/isa_frontends/riscv64/exec_machine.h"

namespace lockstep::isa::riscv64 {
namespace {

constexpr uint64_t kRamBytes = 1 << 20;
constexpr uint64_t kCodeBytes = 0x3000;
constexpr uint64_t kTables = kRamBase + 0x10000;
constexpr uint64_t kInstructions = 400;

// Mostly instructions that exist, with now and then anything at all.
void write_code(std::mt19937_64& random, FlatBus& bus) {
  const auto rows = InstructionTable::get().rows();
  for (uint64_t at = 0; at < kCodeBytes;) {
    const Row& row = rows[random() % rows.size()];
    uint32_t bits = row.match | (static_cast<uint32_t>(random()) & ~row.mask);
    if (random() % 64 == 0) bits = static_cast<uint32_t>(random());
    bus.poke<uint32_t>(kRamBase + at, bits);
    at += is_compressed(static_cast<uint16_t>(bits)) ? 2 : 4;
  }
}

// Page tables whose entries are random but likely to point into RAM.
void write_tables(std::mt19937_64& random, FlatBus& bus) {
  for (uint64_t at = 0; at < 0x4000; at += 8) {
    uint64_t pte = random() & 0x3ff;
    if (random() % 4 != 0) pte |= 0xc1;  // valid, accessed and dirty
    if (random() % 3 == 0) pte &= ~uint64_t{0xfe};
    const uint64_t page = random() % 2 ? kTables + random() % 4 * 0x1000 : kRamBase + random() % 8 * 0x1000;
    pte |= page >> 12 << 10;
    if (random() % 32 == 0) pte = random();
    bus.poke<uint64_t>(kTables + at, pte);
  }
}

struct Variant {
  uint64_t seed;
  core::InterpreterOptions options;
  uint64_t budget;
  uint64_t count = kInstructions;
};

std::vector<uint8_t> run(const Variant& setup) {
  std::mt19937_64 random(setup.seed);
  BareMachine machine(kRamBytes, {.svadu = setup.seed % 2 == 0});
  auto engine = core::make_interpreter(machine.hart, setup.options);
  machine.bus.engine = engine.get();
  write_code(random, machine.bus);
  write_tables(random, machine.bus);
  State64& s = machine.hart.s();
  for (unsigned i = 1; i < 32; ++i) {
    s.x[i] = random() % 2 ? kRamBase + random() % 0x18000 / 8 * 8 : random();
    s.f[i] = random() % 2 ? random() | 0xffff'ffff'0000'0000 : random();
  }
  constexpr Privilege kModes[] = {kUser, kSupervisor, kMachine};
  s.mstatus = random() & (kStatusFs | kStatusSum | kStatusMxr | kStatusMprv | kStatusMpp | kStatusSie | kStatusMie);
  if ((s.mstatus & kStatusMpp) == uint64_t{2} << kStatusMppShift) s.mstatus &= ~kStatusMpp;
  s.privilege = kModes[random() % 3];
  s.menvcfg = machine.hart.options().svadu ? random() & kEnvAdue : 0;
  s.mtvec = kRamBase + random() % kCodeBytes / 4 * 4;
  s.stvec = kRamBase + random() % kCodeBytes / 4 * 4;
  s.medeleg = random() & 0xb3ff;
  s.mideleg = random() & 0x222;
  s.mie = random() & 0xaaa;
  s.mcounteren = s.scounteren = random() & 7;
  s.fp_rounding = random() % 6;
  if (random() % 2) s.satp = uint64_t{8 + random() % 2} << 60 | (random() & 3) << 44 | kTables >> 12;
  machine.hart.state_restored();
  s.pc = kRamBase + random() % kCodeBytes / 2 * 2;

  machine.hart.begin_turn();
  for (uint64_t executed = 0; executed < setup.count;) {
    const uint64_t budget = std::min({setup.budget, setup.count - executed, 100 - executed % 100});
    const core::RunResult result = engine->run(budget);
    EXPECT_LE(result.executed, budget);
    executed += std::max<uint64_t>(result.executed, 1);
    // An interrupt now and then, at counts that do not depend on the budget.
    if (executed % 100 == 0) machine.hart.set_interrupt(kSupervisorTimer, executed / 100 % 2);
  }
  std::vector<uint8_t> bytes;
  const auto* state = reinterpret_cast<const uint8_t*>(&machine.hart.state());
  for (const core::StateField& field : machine.hart.layout().fields) {
    bytes.insert(bytes.end(), state + field.offset, state + field.offset + field.size_bytes);
  }
  const auto memory = machine.bus.memory();
  bytes.insert(bytes.end(), memory.begin(), memory.end());
  return bytes;
}

// The first piece of state that differs.
std::string difference(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
  const auto [in_a, in_b] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (in_a == a.end()) return "none";
  size_t at = in_a - a.begin();
  for (const core::StateField& field : state_layout().fields) {
    if (at < field.size_bytes) return std::string(field.name);
    at -= field.size_bytes;
  }
  return "memory at " + std::to_string(at);
}

void check_seeds(uint64_t first, uint64_t runs) {
  for (uint64_t seed = first; seed < first + runs; ++seed) {
    const std::vector<uint8_t> reference = run({seed, {}, 100});
    for (const Variant& other : {Variant{seed, {}, 1}, Variant{seed, {.fusion = false, .block_links = false}, 100}}) {
      if (reference == run(other)) continue;
      // The first count after which they differ.
      for (uint64_t count = 1; count <= kInstructions; ++count) {
        Variant left{seed, {}, 100, count}, right = other;
        right.count = count;
        const std::string what = difference(run(left), run(right));
        if (what == "none") continue;
        FAIL() << "LOCKSTEP_SEED=" << seed << ": " << what << " differs after " << count << " instructions with "
               << (other.budget == 1 ? "budgets of 1" : "the interpreter's options off");
      }
    }
  }
}

TEST(Riscv64Fuzz, StateDependsOnTheSeedAlone) {
  const uint64_t first = test::from_environment("LOCKSTEP_SEED", 1);
  std::printf("LOCKSTEP_SEED=%llu\n", static_cast<unsigned long long>(first));
  check_seeds(first, test::from_environment("LOCKSTEP_FUZZ_RUNS", 150));
}

// After a block was cut to what was left of a run, the next run's whole blocks were counted with the cut one's length.
TEST(Riscv64Fuzz, Seed1200CountsWholeBlocksAfterACutOne) { check_seeds(1200, 1); }

}  // namespace
}  // namespace lockstep::isa::riscv64
