// SPDX-License-Identifier: Apache-2.0
#include "isa_frontends/riscv64/random/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "isa_frontends/riscv64/random/layout.h"
#include "isa_frontends/riscv64/random/machine.h"
#include "isa_frontends/riscv64/random/random_source.h"

namespace lockstep::isa::riscv64::random {
namespace {

using core::RunResult;
using core::StopReason;

// Turns without an instruction in a row after which a program is over.
constexpr unsigned kMaxIdle = 8;
constexpr uint64_t kOddSlices[] = {1, 2, 7, 100, 1000};
// What most slices of a program last: short ones in few programs, since an engine has no time to become hot in them.
constexpr uint64_t kUsualSlices[] = {2, 97, 1000, 1000, 4093, 4093, 30'000, ~uint64_t{0}};

std::unique_ptr<Hart64> sound_hart(core::PhysicalBus& bus, core::VirtualClock& clock) {
  return std::make_unique<RandomHart>(0, bus, clock, kHartOptions);
}

// A wrong value may be in a register still or in memory already, as the slices fall.
constexpr const char* kValue = "value";

std::string kind_of(const core::StateField& field) {
  const bool is_register = (field.offset >= kOffsetX && field.offset < kOffsetF + sizeof(State64::f));
  return is_register ? kValue : std::string(field.name);
}

std::optional<Difference> compare_stops(uint64_t budget, const RunResult& left, const RunResult& right) {
  if (left.reason == right.reason && left.executed == right.executed) return std::nullopt;
  return Difference{
      "stop",
      fmt::format("a run of {} stops with reason {} after {} instructions, and with reason {} after {}", budget,
                  static_cast<int>(left.reason), left.executed, static_cast<int>(right.reason), right.executed)};
}

std::optional<Difference> compare_states(Hart64& left, Hart64& right, uint64_t count) {
  const auto* bytes_left = reinterpret_cast<const uint8_t*>(&left.state());
  const auto* bytes_right = reinterpret_cast<const uint8_t*>(&right.state());
  for (const core::StateField& field : state_layout().fields) {
    const size_t size_bytes = std::min<size_t>(field.size_bytes, 8);
    if (std::memcmp(bytes_left + field.offset, bytes_right + field.offset, size_bytes) == 0) continue;
    uint64_t in_left = 0, in_right = 0;
    std::memcpy(&in_left, bytes_left + field.offset, size_bytes);
    std::memcpy(&in_right, bytes_right + field.offset, size_bytes);
    return Difference{kind_of(field), fmt::format("{} is 0x{:x} and 0x{:x} after {} instructions", field.name, in_left,
                                                  in_right, count)};
  }
  return std::nullopt;
}

std::optional<Difference> compare_memories(const RandomMachine& left, const RandomMachine& right) {
  const auto [in_left, in_right] = std::mismatch(left.memory().begin(), left.memory().end(), right.memory().begin());
  if (in_left != left.memory().end()) {
    return Difference{
        "memory", fmt::format("memory at 0x{:x} is 0x{:x} and 0x{:x} at the end",
                              kRamBase + static_cast<uint64_t>(in_left - left.memory().begin()), *in_left, *in_right)};
  }
  if (left.device_digest() != right.device_digest()) {
    return Difference{"device", "the accesses to the device's registers differ"};
  }
  return std::nullopt;
}

std::optional<Difference> compare_tlbs(Hart64& left, Hart64& right) {
  for (const auto& [in_left, in_right] :
       {std::pair{&left.tlb().data(), &right.tlb().data()}, std::pair{&left.tlb().fetch(), &right.tlb().fetch()}}) {
    if (in_left->key != in_right->key) return Difference{"tlb", "the TLB contexts in use differ"};
    for (unsigned access = 0; access < 3; ++access) {
      for (unsigned i = 0; i < core::kTlbEntries; ++i) {
        const auto [tag_left, page_left] = std::pair{in_left->tags[access][i], in_left->pages[access][i]};
        const auto [tag_right, page_right] = std::pair{in_right->tags[access][i], in_right->pages[access][i]};
        // Which pages are written slowly is no guest's business: a region may lose more code to a write than a block.
        const bool same_tag = tag_left == tag_right || access == static_cast<unsigned>(core::Access::kStore);
        if (same_tag && page_left.vpage == page_right.vpage && page_left.ppage == page_right.ppage) continue;
        static constexpr const char* kAccesses[] = {"loads", "stores", "fetches"};
        return Difference{
            "tlb",
            fmt::format("TLB entry {} of {} is 0x{:x} for page 0x{:x} at 0x{:x}, and 0x{:x} for page 0x{:x} at 0x{:x}",
                        i, kAccesses[access], tag_left, page_left.vpage, page_left.ppage, tag_right, page_right.vpage,
                        page_right.ppage)};
      }
    }
  }
  return std::nullopt;
}

}  // namespace

Comparison::Comparison(const EngineFactory& left, const EngineFactory& right) : Comparison(left, right, sound_hart) {}
Comparison::Comparison(const EngineFactory& left, const EngineFactory& right, const HartFactory& right_hart)
    : left_(std::make_unique<RandomMachine>(left, sound_hart)),
      right_(std::make_unique<RandomMachine>(right, right_hart)) {}
Comparison::~Comparison() = default;

std::optional<Difference> Comparison::run(const RandomProgram& program) {
  RandomMachine& a = *left_;
  RandomMachine& b = *right_;
  const InitialState initial = initial_state(program);
  a.load(program, initial);
  b.load(program, initial);
  const auto both = [&](const auto& act) {
    act(a);
    act(b);
  };
  RandomSource random(program.seed ^ 0x5a5a);
  const uint64_t usual = random.pick(kUsualSlices);
  uint64_t count = 0;
  unsigned idle = 0;
  ++counts_.programs;
  while (count < program.bound && idle < kMaxIdle) {
    const uint64_t budget = std::min(random.one_in(4) ? random.pick(kOddSlices) : usual, program.bound - count);
    if (random.one_in(8)) {
      const auto line = static_cast<unsigned>(1 + 2 * random.below(6));
      const bool level = random.one_in(2), enabled = random.one_in(2);
      both([&](RandomMachine& machine) {
        machine.hart().set_interrupt(line, level);
        if (enabled) machine.hart().s().mie |= uint64_t{1} << line;
      });
    }
    both([&](RandomMachine& machine) {
      machine.clock().begin_turn(count);
      machine.hart().begin_turn();
    });
    const RunResult left = a.engine().run(budget);
    const RunResult right = b.engine().run(budget);
    const bool turn_ends = random.one_in(3);
    count += left.executed;
    counts_.instructions += left.executed;
    idle = left.executed == 0 ? idle + 1 : 0;
    if (auto difference = compare_stops(budget, left, right)) return difference;
    if (auto difference = compare_states(a.hart(), b.hart(), count)) return difference;
    if (a.ended() || b.ended()) break;
    if (left.reason == StopReason::kWaitForInterrupt) {
      // Whatever would end the wait comes; nothing does where nothing is enabled.
      const uint64_t enabled = a.hart().s().mie;
      if (enabled == 0) break;
      both([&](RandomMachine& machine) {
        machine.hart().set_interrupt(static_cast<unsigned>(std::countr_zero(enabled)), true);
      });
    }
    if (turn_ends) both([](RandomMachine& machine) { machine.hart().end_turn(); });
  }
  counts_.ended += a.ended();
  counts_.traps += a.memory_word(kLog + kLogTraps);
  if (auto difference = compare_memories(a, b)) return difference;
  return compare_tlbs(a.hart(), b.hart());
}

}  // namespace lockstep::isa::riscv64::random
