// SPDX-License-Identifier: Apache-2.0
#include "isa_frontends/riscv64/random/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "isa_frontends/riscv64/hart64.h"
#include "isa_frontends/riscv64/random/encoder.h"
#include "isa_frontends/riscv64/random/random_source.h"

namespace lockstep::isa::riscv64::random {
namespace {

constexpr uint64_t kValues[] = {0,
                                1,
                                ~uint64_t{0},
                                0x7fff'ffff,
                                0xffff'ffff'8000'0000,
                                uint64_t{1} << 63,
                                ~(uint64_t{1} << 63),
                                0x7ff0'0000'0000'0000,
                                0x7ff8'0000'0000'0000,
                                0x7ff0'0000'0000'0001,
                                0x0010'0000'0000'0000,
                                0x000f'ffff'ffff'ffff,
                                0x3ff0'0000'0000'0000,
                                0xffff'ffff'3f80'0000,
                                0xffff'ffff'7f80'0000,
                                0xffff'ffff'7f80'0001,
                                0xffff'ffff'0080'0000,
                                0xffff'ffff'007f'ffff,
                                0xffff'fffe'3f80'0000};

std::unique_ptr<Hart64> sound_hart(core::PhysicalBus& bus, core::VirtualClock& clock) {
  return std::make_unique<Hart64>(0, bus, clock, HartOptions{});
}

uint64_t value(RandomSource& random) { return random.one_in(2) ? random.pick(kValues) : random.next(); }

}  // namespace

struct Comparison::Machine final : core::PhysicalBus {
  Machine(const EngineFactory& factory, const HartFactory& hart_factory)
      : memory(kRamBytes),
        flags(kRamBytes >> core::kPageBits),
        made_hart(hart_factory(*this, clock)),
        hart(*made_hart) {
    ram = {kRamBase, kRamBytes, memory.data(), flags.data(), true};
    engine = factory(hart);
  }

  const core::RamWindow* window(uint64_t paddr) override { return ram.contains(paddr) ? &ram : nullptr; }
  bool read(uint64_t, unsigned, uint64_t&) override { return false; }
  bool write(uint64_t, unsigned, uint64_t) override { return false; }
  void ram_written(uint64_t paddr, uint64_t size_bytes) override {
    uint8_t& page = flags[(paddr - kRamBase) >> core::kPageBits];
    if ((page & core::kPageHasCode) && !engine->invalidate_code(paddr, size_bytes)) page = 0;
  }
  void page_has_code(uint64_t paddr) override {
    flags[(paddr - kRamBase) >> core::kPageBits] |= core::kPageHasCode;
    hart.tlb().drop_fast_stores(paddr & core::kPageMask);
  }

  void poke(uint64_t paddr, uint64_t bytes, unsigned size_bytes) {
    std::memcpy(memory.data() + (paddr - kRamBase), &bytes, size_bytes);
  }

  void load(const RandomProgram& program) {
    engine->invalidate_all_code();
    std::fill(memory.begin(), memory.end(), 0);
    std::fill(flags.begin(), flags.end(), 0);
    RandomSource random(~program.seed);
    hart.reset();
    State64& s = hart.s();
    s.budget = 0;
    s.end_count = s.unbegun = 0;
    s.exit_request = s.trapped = 0;
    clock = core::VirtualClock();
    for (unsigned i = 1; i < 32; ++i) s.x[i] = value(random);
    for (uint64_t& f : s.f) f = value(random);
    for (unsigned pointer : {2, 8, 9}) s.x[pointer] = kData + 0x1000 * random.between(1, 6) - random.below(64);
    constexpr Privilege kModes[] = {kMachine, kSupervisor, kUser};
    s.privilege = random.pick(kModes);
    s.mstatus = random.next() & (kStatusSie | kStatusMie | kStatusMpie | kStatusSpie);
    s.mstatus |= random.one_in(10) ? 0 : random.between(1, 3) << kStatusFsShift;
    s.mie = random.next() & 0xaaa;
    s.mcounteren = s.scounteren = random.next() & 7;
    s.fp_rounding = random.below(6);
    s.mtvec = s.stvec = kHandler;
    s.pmpaddr[0] = ~uint64_t{0} >> 10;
    s.pmpcfg[0] = 0x1f;
    s.pc = kText;
    for (uint64_t at = 0; at < kDataBytes; at += 8) poke(kData + at, value(random), 8);
    // The handler goes on behind the instruction that trapped; after an interrupt it turns interrupts off.
    //   csrr t5,mcause; bltz t5,+20; csrr t5,mepc; addi t5,t5,4; csrw mepc,t5; mret; csrw mie,zero; mret
    constexpr uint32_t kHandlerWords[] = {0x34202f73, 0x000f4a63, 0x34102f73, 0x004f0f13,
                                          0x341f1073, 0x30200073, 0x30401073, 0x30200073};
    uint64_t at = kHandler;
    for (uint32_t word : kHandlerWords) poke(std::exchange(at, at + 4), word, 4);
    at = kText;
    for (uint32_t word : program.words) {
      const unsigned length = is_compressed(static_cast<uint16_t>(word)) ? 2 : 4;
      poke(std::exchange(at, at + length), word, length);
    }
    hart.state_restored();
    hart.tlb().flush_all();
  }

  std::vector<uint8_t> memory, flags;
  core::RamWindow ram;
  core::VirtualClock clock;
  std::unique_ptr<Hart64> made_hart;
  Hart64& hart;
  std::unique_ptr<core::Engine> engine;
};

Comparison::Comparison(const EngineFactory& left, const EngineFactory& right) : Comparison(left, right, sound_hart) {}
Comparison::Comparison(const EngineFactory& left, const EngineFactory& right, const HartFactory& right_hart)
    : left_(std::make_unique<Machine>(left, sound_hart)), right_(std::make_unique<Machine>(right, right_hart)) {}
Comparison::~Comparison() = default;

std::optional<std::string> Comparison::run(const RandomProgram& program) {
  Machine& a = *left_;
  Machine& b = *right_;
  a.load(program);
  b.load(program);
  RandomSource random(program.seed ^ 0x5a5a);
  constexpr uint64_t kSlices[] = {1, 2, 7, 100, 1000};
  const uint64_t usual = random.pick(kSlices);
  uint64_t count = 0, idle = 0;
  while (count < program.bound && idle < 8) {
    const uint64_t budget = std::min(random.one_in(4) ? random.pick(kSlices) : usual, program.bound - count);
    if (random.one_in(8)) {
      const auto line = static_cast<unsigned>(1 + 2 * random.below(6));
      const bool level = random.one_in(2);
      a.hart.set_interrupt(line, level);
      b.hart.set_interrupt(line, level);
    }
    for (Machine* machine : {&a, &b}) {
      machine->clock.begin_turn(count);
      machine->hart.begin_turn();
    }
    const core::RunResult left = a.engine->run(budget);
    const core::RunResult right = b.engine->run(budget);
    const bool turn_ends = random.one_in(3);
    count += left.executed;
    executed_ += left.executed;
    idle = left.executed == 0 ? idle + 1 : 0;
    if (left.reason != right.reason || left.executed != right.executed) {
      return fmt::format("a run of {} stops with reason {} after {} instructions, and with reason {} after {}", budget,
                         static_cast<int>(left.reason), left.executed, static_cast<int>(right.reason), right.executed);
    }
    const auto* state_a = reinterpret_cast<const uint8_t*>(&a.hart.state());
    const auto* state_b = reinterpret_cast<const uint8_t*>(&b.hart.state());
    for (const core::StateField& field : state_layout().fields) {
      uint64_t in_a = 0, in_b = 0;
      const size_t size_bytes = std::min<size_t>(field.size_bytes, 8);
      std::memcpy(&in_a, state_a + field.offset, size_bytes);
      std::memcpy(&in_b, state_b + field.offset, size_bytes);
      if (in_a == in_b) continue;
      return fmt::format("{} is 0x{:x} and 0x{:x} after {} instructions", field.name, in_a, in_b, count);
    }
    if (turn_ends) {
      a.hart.end_turn();
      b.hart.end_turn();
    }
  }
  const auto [in_a, in_b] = std::mismatch(a.memory.begin(), a.memory.end(), b.memory.begin());
  if (in_a != a.memory.end()) {
    return fmt::format("memory at 0x{:x} is 0x{:x} and 0x{:x} after {} instructions",
                       kRamBase + static_cast<uint64_t>(in_a - a.memory.begin()), *in_a, *in_b, count);
  }
  for (const auto& [in_left, in_right] : {std::pair{&a.hart.tlb().data(), &b.hart.tlb().data()},
                                          std::pair{&a.hart.tlb().fetch(), &b.hart.tlb().fetch()}}) {
    if (in_left->key != in_right->key) return "the TLB contexts in use differ";
    for (unsigned access = 0; access < 3; ++access) {
      for (unsigned i = 0; i < core::kTlbEntries; ++i) {
        const bool same = in_left->tags[access][i] == in_right->tags[access][i] &&
                          in_left->pages[access][i].vpage == in_right->pages[access][i].vpage &&
                          in_left->pages[access][i].ppage == in_right->pages[access][i].ppage;
        if (!same) return fmt::format("TLB entry {} of access kind {} differs", i, access);
      }
    }
  }
  return std::nullopt;
}

RandomProgram reduce(RandomProgram program, const std::function<bool(const RandomProgram&)>& fails) {
  for (size_t piece = std::max<size_t>(program.words.size() / 2, 1);; piece = std::max<size_t>(piece / 2, 1)) {
    bool smaller = false;
    for (size_t at = 0; at < program.words.size();) {
      RandomProgram candidate = program;
      const auto first = candidate.words.begin() + static_cast<ptrdiff_t>(at);
      const size_t length = std::min(piece, candidate.words.size() - at);
      candidate.words.erase(first, first + static_cast<ptrdiff_t>(length));
      if (fails(candidate)) {
        program = std::move(candidate);
        smaller = true;
      } else {
        at += piece;
      }
    }
    if (piece == 1 && !smaller) return program;
  }
}

}  // namespace lockstep::isa::riscv64::random
