// SPDX-License-Identifier: Apache-2.0
// Statements of control flow and of memory: what a random program has besides single instructions.
#include <algorithm>
#include <bit>

#include "isa_frontends/riscv64/random/generator.h"

namespace lockstep::isa::riscv64::random {
namespace {

constexpr size_t kMaxFunctions = 4;
constexpr uint64_t kMaxTurns = 20'000;

}  // namespace

void Generator::loop() {
  const auto& counters =
      in_function() ? std::span<const unsigned>(kInnerCounters) : std::span<const unsigned>(kCounters);
  if (depth_ >= counters.size()) return instruction();
  const unsigned counter = counters[depth_];
  const size_t body = std::min<size_t>(random_.between(2, random_.one_in(4) ? 40 : 14), room() - 6);
  // As many turns as are left to spend, seldom all of them.
  const double most = std::max(1.0, (may_spend_ - spent_) / (turns_ * static_cast<double>(body + 3)));
  const uint64_t limit = in_function() ? 12 : std::min(kMaxTurns, static_cast<uint64_t>(most));
  const uint64_t turns = std::min(limit, random_.between(1, uint64_t{1} << random_.between(1, std::bit_width(limit))));
  const bool upwards = depth_ == 0 && !in_function() && random_.one_in(3);
  if (upwards) {
    a_.constant(kLimit, turns);
    a_.imm("addi", counter, kZero, 0);
  } else {
    a_.constant(counter, turns);
  }
  const Assembler::Label top = a_.label(), out = a_.label();
  a_.bind(top);
  ++depth_;
  turns_ *= static_cast<double>(turns);
  statements(body);
  if (random_.one_in(8)) a_.branch("beq", integer(true), integer(true), out);
  if (random_.one_in(2)) statements(random_.below(4));
  turns_ /= static_cast<double>(turns);
  --depth_;
  a_.imm(random_.one_in(3) ? "c.addi" : random_.one_in(3) ? "addiw" : "addi", counter, counter, upwards ? 1 : -1);
  straddlers_.push_back(a_.size());
  if (upwards) {
    a_.branch(random_.one_in(2) ? "blt" : "bltu", counter, kLimit, top);
  } else if (random_.one_in(2)) {
    a_.branch("bne", counter, kZero, top);
  } else {
    a_.branch("blt", kZero, counter, top);
  }
  a_.bind(out);
}

void Generator::skip_ahead() {
  constexpr std::string_view kBranches[] = {"beq", "bne", "blt", "bge", "bltu", "bgeu"};
  const Assembler::Label other = a_.label(), end = a_.label();
  if (random_.one_in(2)) a_.imm("andi", kA, varying(), static_cast<int64_t>(random_.between(1, 7)));
  a_.branch(random_.pick(kBranches), random_.one_in(2) ? kA : varying(), integer(false), other);
  for (uint64_t n = random_.between(1, 5); n > 0; --n) instruction();
  if (random_.one_in(2)) {
    a_.jump(kZero, end);
    a_.bind(other);
    for (uint64_t n = random_.between(1, 5); n > 0; --n) instruction();
  } else {
    a_.bind(other);
  }
  a_.bind(end);
}

void Generator::call() {
  // Functions that keep their return address in ra may call those that keep it in t0.
  if (link_ == kOtherLink) return instruction();
  const unsigned link = in_function() || random_.one_in(2) ? kOtherLink : kLink;
  auto known = std::find_if(functions_.begin(), functions_.end(), [&](const Function& f) { return f.link == link; });
  if (functions_.size() < kMaxFunctions && (known == functions_.end() || random_.one_in(2))) {
    functions_.push_back({a_.label(), link});
    known = functions_.end() - 1;
  }
  if (known == functions_.end()) return instruction();
  spent_ += 20 * turns_;
  if (random_.one_in(3)) {
    a_.address(kA, known->label);
    a_.imm("jalr", link, kA, 0);
  } else {
    a_.jump(link, known->label);
  }
}

void Generator::functions() {
  // A function may add another one to the list.
  for (size_t i = 0; i < functions_.size(); ++i) {
    const Function function = functions_[i];
    a_.bind(function.label);
    link_ = function.link;
    wanted_ = a_.size() + random_.between(3, 14);
    turns_ = 100;  // most calls are in loops
    spent_ = may_spend_;
    while (room() > 0) statement();
    if (function.link == kLink && random_.one_in(2)) {
      a_.reg("c.jr", 0, kLink, 0);
    } else {
      a_.imm("jalr", kZero, function.link, 0);
    }
  }
  link_ = 0;
}

void Generator::jump_table() {
  const unsigned slots = random_.one_in(2) ? 2 : 4;
  const Assembler::Label table = a_.label(), end = a_.label();
  a_.imm("andi", kA, varying(), slots - 1);
  a_.address(kB, table);
  a_.reg("sh1add", kA, kA, kB);
  a_.imm("lh", kA, kA, 0);
  a_.reg("add", kA, kA, kB);
  if (random_.one_in(2)) {
    a_.imm("jalr", kZero, kA, 0);
  } else {
    a_.reg("c.jr", 0, kA, 0);
  }
  std::vector<Assembler::Label> targets;
  for (unsigned i = 0; i < slots; ++i) {
    targets.push_back(a_.label());
    a_.bind(targets.back());
    for (uint64_t n = random_.between(1, 4); n > 0; --n) instruction();
    a_.jump(kZero, end);
  }
  a_.bind(table);
  for (const Assembler::Label target : targets) a_.half(target, table);
  a_.bind(end);
}

void Generator::reserved_pair() {
  // A trap or the end of a turn between the two may end the reservation: what is to be the same everywhere tries again.
  if (program_.portable && program_.paging) return instruction();
  const bool wide = random_.one_in(2);
  const unsigned pointer = random_.pick(kPointers), answer = integer(true);
  const Assembler::Label again = a_.label();
  a_.imm("andi", kA, pointer, -8);
  a_.bind(again);
  a_.reg(wide ? "lr.d" : "lr.w", integer(true), kA, 0);
  if (random_.one_in(2)) a_.imm("addi", integer(true), integer(true), 1);
  a_.reg(wide ? "sc.d" : "sc.w", answer, kA, integer(true));
  if (program_.portable) a_.branch("bne", answer, kZero, again);
}

// A few loads or stores beside one another, often around a page's end; the place may move with a loop's turns, and
// between two of them.
void Generator::accesses() {
  constexpr std::string_view kLoads[] = {"lb", "lhu", "lw", "ld", "fld"}, kStores[] = {"sb", "sh", "sw", "sd", "fsd"};
  constexpr int64_t kReaches[] = {63, 511, 1023};
  const auto fitting = [this](int64_t offset) { return program_.aligned ? offset & ~int64_t{7} : offset; };
  const auto step = [&] { return fitting(static_cast<int64_t>(random_.below(96)) - 48); };
  unsigned base = random_.pick(kPointers);
  if (random_.one_in(2)) {
    a_.imm("andi", kA, varying(), random_.pick(kReaches));
    a_.reg("sh3add", kA, kA, base);
    base = kA;
  } else if (random_.one_in(2)) {
    a_.imm("addi", kA, base, step());
    base = kA;
  }
  const auto first = static_cast<int64_t>(random_.below(96)) - 16;
  const bool stores = random_.one_in(2);
  for (uint64_t n = random_.between(2, 6); n > 0; --n) {
    const size_t kind = random_.below(std::size(kLoads));
    const unsigned value = kind == 4 ? floating() : integer(true);
    const int64_t offset = fitting(first + static_cast<int64_t>(random_.below(64)));
    if (base == kA && random_.one_in(4)) a_.imm("addi", kA, kA, step());
    if (stores != random_.one_in(6)) {
      a_.store(kStores[kind], value, offset, base);
    } else {
      a_.imm(kLoads[kind], value, base, offset);
    }
    spent_ += turns_;
  }
}

}  // namespace lockstep::isa::riscv64::random
