// SPDX-License-Identifier: Apache-2.0
// Statements that change what the program runs on: its own code, the tables, modes, interrupts and a device.
#include <algorithm>

#include "isa_frontends/riscv64/random/generator.h"
#include "isa_frontends/riscv64/state.h"

namespace lockstep::isa::riscv64::random {

// A loop that is written behind the entries of the last-level table, in their page: translations that set accessed bits
// write beside the code that runs.
void Generator::code_beside_tables() {
  if (program_.portable || in_function() || depth_ > 0) return instruction();
  const unsigned counter = kInnerCounters[0];
  const uint64_t page = random_.below(kDataBytes / kPageBytes);
  const auto entry = static_cast<int64_t>(8 * (page_index(kData) + page - page_index(kText)));
  Assembler body;
  const Assembler::Label top = body.label();
  body.bind(top);
  if (!random_.one_in(4)) body.reg("sfence.vma", 0, kZero, kZero);
  if (random_.one_in(2)) {
    body.imm("ld", integer(true), kA, 0);
  } else {
    body.store("sw", integer(true), 0, kA);
  }
  body.store("sd", kC, entry, kTables);
  body.imm("addi", counter, counter, -1);
  body.branch("bne", counter, kZero, top);
  body.imm("jalr", kZero, kLink, 0);
  // The entries that the window needs end before.
  const auto place = static_cast<int64_t>(8 * random_.between(52, 230));
  int64_t at = place;
  for (const uint32_t word : body.finish()) {
    a_.constant(kA, word);
    a_.store("sw", kA, at, kTables);
    at += 4;
  }
  a_.constant(kA, kData + kPageBytes * page - (kRoots[0] + kLast + 8 * page_index(kText)));
  a_.reg("add", kA, kA, kTables);
  a_.imm("ld", kC, kTables, entry);
  a_.imm("andi", kC, kC, ~int64_t{1 << 6});  // not accessed yet
  const uint64_t turns = random_.between(20, 150);
  a_.imm("addi", counter, kZero, static_cast<int64_t>(turns));
  a_.plain("fence.i");
  a_.imm("addi", kB, kTables, place);
  a_.imm("jalr", kLink, kB, 0);
  spent_ += static_cast<double>(20 * turns);
}

Assembler::Label Generator::seldom() {
  const Assembler::Label end = a_.label();
  constexpr int64_t kMasks[] = {7, 63, 255, 1023};
  if ((depth_ > 0 || in_function()) && !rarely(4)) {
    // In a function outside of its loops, the loop that calls it.
    const unsigned counter = depth_ == 0     ? kCounters[0]
                             : in_function() ? kInnerCounters[depth_ - 1]
                                             : kCounters[depth_ - 1];
    a_.imm("andi", kA, counter, random_.pick(kMasks));
    a_.branch("bne", kA, kZero, end);
  }
  return end;
}

void Generator::patch() {
  // The instruction stands before or behind the place that changes it.
  const Assembler::Label target = a_.label();
  const auto instruction_to_change = [&] {
    constexpr std::string_view kNames[] = {"addi", "xori", "andi", "ori", "slti", "addiw"};
    a_.bind(target);
    straddlers_.push_back(a_.size());
    a_.imm(random_.pick(kNames), integer(true), integer(true), static_cast<int64_t>(random_.below(4096)) - 2048);
  };
  const bool before = random_.one_in(2);
  const bool by_byte = random_.one_in(3) || program_.aligned;
  if (before) instruction_to_change();
  const Assembler::Label end = seldom();
  a_.address(kA, target);
  if (by_byte) {
    a_.imm("lbu", kB, kA, 3);
    a_.imm("addi", kB, kB, static_cast<int64_t>(random_.between(1, 255)));
    a_.store("sb", kB, 3, kA);
  } else {
    a_.imm("lw", kB, kA, 0);
    a_.imm("lui", kC, 0, static_cast<int64_t>(random_.between(1, 2047)) << 20);
    a_.reg("xor", kB, kB, kC);
    a_.store("sw", kB, 0, kA);
  }
  if (program_.portable || !random_.one_in(3)) a_.plain("fence.i");
  a_.bind(end);
  if (!before) instruction_to_change();
}

// A loop whose branch back changes: where it lies across a page's end, what changes is on a page that nothing else of
// the loop is on.
void Generator::patched_branch() {
  if (depth_ > 0 || in_function()) return instruction();
  const unsigned counter = kCounters[0];
  const Assembler::Label top = a_.label(), back = a_.label();
  a_.constant(kLimit, random_.below(6));
  a_.constant(counter, random_.between(2, 300));
  a_.bind(top);
  for (uint64_t n = random_.between(1, 5); n > 0; --n) instruction();
  ++depth_;
  const Assembler::Label end = seldom();
  --depth_;
  a_.address(kA, back);
  a_.imm("lhu", kB, kA, 2);
  // The first register of the branch is zero and the limit in turns.
  a_.imm("xori", kB, kB, kLimit >> 1);
  a_.store("sh", kB, 2, kA);
  if (program_.portable || !random_.one_in(3)) a_.plain("fence.i");
  a_.bind(end);
  a_.imm("addi", counter, counter, -1);
  a_.bind(back);
  straddlers_.push_back(a_.size());
  a_.branch("blt", kZero, counter, top);
}

void Generator::written_routine() {
  if (program_.aligned) return instruction();
  const Assembler::Label end = seldom();
  const auto offset = static_cast<int64_t>(8 * random_.below(3));
  Operands add;
  add.rd = add.rs1 = static_cast<uint8_t>(integer(true));
  add.imm = static_cast<int64_t>(random_.below(256));
  constexpr uint32_t kReturnAndNop = 0x0001'8082;
  a_.address(kA, buffer_);
  a_.constant(kB, encode(row_index("addi"), add));
  if (depth_ > 0) {
    a_.imm("slli", kC, kCounters[depth_ - 1], 20);
    a_.reg("xor", kB, kB, kC);
  }
  a_.store("sw", kB, offset, kA);
  a_.constant(kC, kReturnAndNop);
  a_.store("sw", kC, offset + 4, kA);
  if (program_.portable || !random_.one_in(3)) a_.plain("fence.i");
  a_.imm("jalr", kLink, kA, offset);
  a_.bind(end);
}

// A routine in a page of data: written, called a few times, forgotten when the page has been written often enough, and
// written anew.
void Generator::routine_in_data() {
  // Where the page cannot be written, what is called are data.
  if (program_.portable || in_function() || depth_ > 0) return instruction();
  const unsigned rounds = kInnerCounters[0], turns = kInnerCounters[1];
  Operands add;
  add.rd = add.rs1 = static_cast<uint8_t>(integer(true));
  add.imm = static_cast<int64_t>(random_.below(256));
  constexpr uint32_t kReturnAndNop = 0x0001'8082;
  const Assembler::Label top = a_.label(), call = a_.label(), write = a_.label();
  const uint64_t calls = random_.between(2, 24), writes = random_.between(2, 90);
  a_.imm("andi", kB, random_.pick(kPointers), -8);
  a_.imm("addi", rounds, kZero, static_cast<int64_t>(random_.between(2, 8)));
  a_.bind(top);
  a_.constant(kA, encode(row_index("addi"), add));
  a_.imm("slli", kC, rounds, 20);
  a_.reg("xor", kA, kA, kC);
  a_.store("sw", kA, 0, kB);
  a_.constant(kA, kReturnAndNop);
  a_.store("sw", kA, 4, kB);
  if (!random_.one_in(3)) a_.plain("fence.i");
  a_.imm("addi", turns, kZero, static_cast<int64_t>(calls));
  a_.bind(call);
  a_.imm("jalr", kLink, kB, 0);
  a_.imm("addi", turns, turns, -1);
  a_.branch("bne", turns, kZero, call);
  a_.imm("addi", turns, kZero, static_cast<int64_t>(writes));
  a_.bind(write);
  a_.store("sd", turns, -128, kB);
  a_.imm("addi", turns, turns, -1);
  a_.branch("bne", turns, kZero, write);
  a_.imm("addi", rounds, rounds, -1);
  a_.branch("bne", rounds, kZero, top);
  spent_ += static_cast<double>(5 * (5 * calls + 3 * writes));
}

void Generator::data_among_code() {
  constexpr std::string_view kStores[] = {"sb", "sh", "sw", "sd"};
  a_.address(kA, buffer_);
  const auto offset = static_cast<int64_t>(32 + random_.below(24));
  a_.store(program_.aligned ? kStores[0] : random_.pick(kStores), varying(), offset, kA);
  if (random_.one_in(2)) a_.imm("ld", integer(true), kA, 40);
}

void Generator::fence_tables(unsigned rs1) {
  if (program_.portable) {
    // Code that was fetched before the fence may still be executed behind it.
    a_.reg("sfence.vma", 0, kZero, kZero);
    return a_.plain("fence.i");
  }
  switch (random_.below(5)) {
    case 0:
      return;
    case 1:
      return a_.reg("sfence.vma", 0, rs1, kZero);
    case 2:
      a_.imm("addi", kC, kZero, static_cast<int64_t>(random_.below(4)));
      return a_.reg("sfence.vma", 0, random_.one_in(2) ? rs1 : kZero, kC);
    default:
      return a_.reg("sfence.vma", 0, kZero, kZero);
  }
}

void Generator::swap_data_pages() {
  const Assembler::Label end = seldom();
  const auto offset = [&] {
    const uint64_t page = page_index(kData) + random_.below(kDataBytes / kPageBytes);
    return static_cast<int64_t>(8 * (page - page_index(kText)));
  };
  const int64_t first = offset(), second = offset();
  a_.imm("ld", kA, kTables, first);
  a_.imm("ld", kB, kTables, second);
  a_.store("sd", kB, first, kTables);
  a_.store("sd", kA, second, kTables);
  fence_tables(random_.pick(kPointers));
  a_.bind(end);
}

void Generator::other_text() {
  const Assembler::Label end = seldom();
  const auto offset = static_cast<int64_t>(8 * random_.below(2));
  a_.imm("ld", kA, kTables, offset);
  a_.imm("lui", kB, 0, static_cast<int64_t>((kOtherText - kText) >> 12 << 10));
  a_.reg("xor", kA, kA, kB);
  a_.store("sd", kA, offset, kTables);
  a_.imm("auipc", kB, 0, 0);
  fence_tables(kB);
  a_.bind(end);
}

void Generator::other_root() {
  const Assembler::Label end = seldom();
  a_.csr("csrrs", kA, kCsrSatp, kZero);
  a_.reg("xor", kA, kA, kRootSwap);
  a_.csr("csrrw", kZero, kCsrSatp, kA);
  fence_tables(random_.pick(kPointers));
  a_.bind(end);
}

void Generator::status_bits() {
  const Assembler::Label end = seldom();
  constexpr uint64_t kBits[] = {kStatusSum, kStatusMxr, kStatusSum | kStatusMxr};
  a_.constant(kA, program_.portable ? kStatusMxr : random_.pick(kBits));
  a_.csr(random_.one_in(3) ? "csrrc" : "csrrs", kZero, kCsrSstatus, kA);
  a_.bind(end);
}

void Generator::environment_call() {
  const Assembler::Label end = seldom();
  a_.plain("ecall");
  a_.bind(end);
}

void Generator::trap_return() {
  const Assembler::Label end = seldom(), next = a_.label();
  const bool machine = random_.one_in(3);
  a_.address(kA, next);
  a_.csr("csrrw", kZero, machine ? kCsrMepc : kCsrSepc, kA);
  a_.constant(kA, machine ? uint64_t{1} << kStatusMppShift : kStatusSpp);
  a_.csr(random_.one_in(2) ? "csrrs" : "csrrc", kZero, machine ? kCsrMstatus : kCsrSstatus, kA);
  a_.plain(machine ? "mret" : "sret");
  a_.bind(next);
  a_.bind(end);
}

void Generator::interrupts() {
  const Assembler::Label end = seldom();
  const bool machine = random_.one_in(2);
  switch (random_.below(3)) {
    case 0:
      a_.constant(kA, random_.next() & 0xaaa);
      a_.csr("csrrs", kZero, machine ? kCsrMie : kCsrSie, kA);
      break;
    case 1:
      a_.csr(random_.one_in(2) ? "csrrsi" : "csrrci", kZero, machine ? kCsrMip : kCsrSip, 2);
      break;
    default:
      a_.csr(random_.one_in(4) ? "csrrci" : "csrrsi", kZero, machine ? kCsrMstatus : kCsrSstatus, machine ? 8 : 2);
      break;
  }
  a_.bind(end);
}

void Generator::device() {
  constexpr std::string_view kLoads[] = {"lb", "lhu", "lw", "ld"}, kStores[] = {"sb", "sh", "sw", "sd"};
  const auto size = random_.below(4);
  const auto offset = static_cast<int64_t>(random_.below(64)) << size | static_cast<int64_t>(random_.one_in(8));
  if (random_.one_in(2)) {
    a_.imm(kLoads[size], integer(true), kDevicePointer, offset);
  } else {
    a_.store(kStores[size], integer(true), offset, kDevicePointer);
  }
}

}  // namespace lockstep::isa::riscv64::random
