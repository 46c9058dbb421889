// SPDX-License-Identifier: Apache-2.0
// Statements about values: constants, parts, copies, numbers at which a rule changes, rounding.
#include <algorithm>
#include <span>
#include <utility>

#include "isa_frontends/riscv64/random/generator.h"

namespace lockstep::isa::riscv64::random {

// An instruction with an operand that the block knows: amounts of shifts and rotations, and values whose halves look
// like something else.
void Generator::constant_operand() {
  constexpr std::string_view kNames[] = {"rol",  "rolw",  "ror",  "rorw", "sll",  "sllw", "srl",   "sraw",
                                         "add",  "subw",  "and",  "or",   "xor",  "andn", "mul",   "mulhsu",
                                         "mulh", "mulhu", "div",  "remu", "slt",  "sltu", "min",   "maxu",
                                         "bext", "binv",  "addw", "sub",  "divw", "remw", "sh2add"};
  const bool rotates = random_.one_in(3);
  const std::string_view name = rotates ? kNames[random_.below(4)] : random_.pick(kNames);
  a_.constant(kB, random_.one_in(2) ? random_.below(64) : edge_value());
  const unsigned other = random_.one_in(8) ? kB : integer(true);
  if (!rotates && random_.one_in(3)) {
    a_.reg(name, integer(true), kB, other);
  } else {
    a_.reg(name, integer(true), other, kB);
  }
  spent_ += 3 * turns_;
}

// Parts that make something simpler together, or nearly: two shifts a rotation, a word and a constant above it, sums of
// numbers that are known to be small, whose carry is asked for.
void Generator::joined_parts() {
  const unsigned from = integer(true), to = integer(true);
  spent_ += 4 * turns_;
  switch (random_.below(4)) {
    case 0: {
      const auto bits = static_cast<unsigned>(random_.between(1, 10));
      a_.imm("andi", kA, from, (1 << bits) - 1);
      a_.imm("andi", kB, integer(true), (1 << bits) - 1);
      a_.reg("add", kA, kA, kB);
      return random_.one_in(2) ? a_.imm("andi", to, kA, 1 << bits) : a_.imm("srli", to, kA, bits);
    }
    case 1:
      a_.constant(kB, edge_value());
      a_.reg("add.uw", kA, from, kZero);
      a_.reg("or", kA, kA, kB);
      return a_.reg(random_.one_in(2) ? "addw" : "sraw", to, kA, kZero);
    default: {
      const unsigned width = random_.one_in(2) ? 64 : 32;
      const auto amount = static_cast<unsigned>(random_.between(1, width - 1));
      const auto rest = random_.one_in(8) ? static_cast<unsigned>(random_.between(1, width - 1)) : width - amount;
      a_.imm(width == 64 ? "slli" : "slliw", kA, from, amount);
      a_.imm(width == 64 ? "srli" : "srliw", kB, random_.one_in(6) ? integer(true) : from, rest);
      constexpr std::string_view kJoins[] = {"or", "or", "xor", "add", "addw"};
      return a_.reg(random_.pick(kJoins), to, kA, kB);
    }
  }
}

// Values that are made again after their registers were written, more than hosts have registers for, maybe with a call
// into the engine between; by constants as well.
void Generator::repeated_values() {
  constexpr std::string_view kMakers[] = {"mul", "mulhu", "mulh", "divu", "remu", "remu", "rem",
                                          "min", "maxu",  "rol",  "ror",  "mulw", "add",  "sltu"};
  constexpr unsigned kInstret = 0xc02;
  struct Made {
    std::string_view name;
    unsigned left, right, amount;  // the amount where it is not 0
  };
  const auto make = [&](const Made& made) {
    if (made.amount == 0) return a_.reg(made.name, kA, made.left, made.right);
    a_.imm("rori", kA, made.left, made.amount);
  };
  std::vector<Made> all(random_.between(3, std::clamp<size_t>(room() / 4, 3, 20)));
  for (Made& made : all) {
    made = {random_.pick(kMakers), integer(true), random_.one_in(4) ? kC : integer(true), 0};
    if (random_.one_in(5)) made.amount = static_cast<unsigned>(random_.between(1, 63));
  }
  a_.constant(kC, uint64_t{1} << random_.below(31));
  for (const Made& made : all) {
    make(made);
    a_.reg("xor", kB, kB, kA);
  }
  if (random_.one_in(3)) a_.csr("csrrs", kA, program_.portable ? kCsrFrm : kInstret, kZero);
  const size_t first = random_.below(all.size());
  for (size_t k = 0; k < all.size(); ++k) {
    make(all[(first + k) % all.size()]);
    a_.reg("add", kB, kB, kA);
  }
  a_.reg("add", integer(true), kA, kB);
  spent_ += 4 * static_cast<double>(all.size()) * turns_;
}

// Copies whose originals are written before the copies are read, among operations that need certain registers of a
// host.
void Generator::copied_values() {
  constexpr std::string_view kDear[] = {"divu", "remu", "div", "rem", "mulhu", "mulhsu", "divw", "remuw"};
  constexpr std::string_view kCheap[] = {"add", "sub", "xor", "sh1add", "addw"};
  const auto value = [this] {
    const auto k = random_.below(8);
    return k < std::size(kScratch) ? kScratch[k] : integer(false);
  };
  for (uint64_t n = std::min<uint64_t>(random_.between(6, 30), std::max<size_t>(room(), 6)); n > 0; --n) {
    const unsigned to = value(), left = value(), right = value();
    switch (random_.below(3)) {
      case 0:
        a_.imm("addi", to, left, 0);
        break;
      case 1:
        a_.reg(random_.pick(kCheap), to, left, right);
        break;
      default:
        a_.reg(random_.pick(kDear), to, left, right);
        break;
    }
    spent_ += turns_;
  }
}

// Copies that are read after their originals have become something else, with operations between that need certain
// registers of a host: an engine that kept the values in registers has moved them by then.
void Generator::outlived_values() {
  constexpr std::string_view kDear[] = {"divu", "remu", "div", "rem", "mulhu", "divw"};
  constexpr std::string_view kCheap[] = {"add", "sub", "xor", "sh1add", "addw"};
  unsigned registers[] = {6, 7, 10, 11, 12, 13, 14, 15, kScratch[0], kScratch[1], kScratch[2]};
  for (size_t k = std::size(registers); k > 1; --k) std::swap(registers[k - 1], registers[random_.below(k)]);
  const size_t pairs = random_.between(1, 4);
  const std::span<const unsigned> originals(registers, pairs), copies(registers + pairs, pairs),
      others(registers + 2 * pairs, std::size(registers) - 2 * pairs);
  const auto dear = [&] {
    for (uint64_t n = random_.between(1, 2); n > 0; --n) {
      a_.reg(random_.pick(kDear), random_.pick(others), random_.pick(others), random_.pick(others));
    }
  };
  for (size_t k = 0; k < pairs; ++k) a_.imm("addi", copies[k], originals[k], 0);
  dear();
  for (const unsigned original : originals) {
    a_.reg(random_.pick(kCheap), original, random_.pick(others), random_.pick(others));
  }
  dear();
  for (const unsigned copy : copies) a_.reg("xor", others[0], others[0], copy);
  spent_ += 3 * static_cast<double>(pairs) * turns_ + 4 * turns_;
}

// A number near one at which the number of halves, or the sign of the lower half, changes.
uint64_t Generator::edge_value() {
  constexpr uint64_t kEdges[] = {0,
                                 uint64_t{1} << 31,
                                 uint64_t{1} << 32,
                                 uint64_t{3} << 31,
                                 uint64_t{1} << 63,
                                 0xffff'ffff'8000'0000,
                                 0xffff'ffff'0000'0000,
                                 0x8000'0000'8000'0000,
                                 0x1234'5678'0000'0000};
  return random_.pick(kEdges) + random_.below(9) - 4;
}

// The result of a 32-bit operation, compared with a number of any size or with another such result.
void Generator::narrow_compare() {
  constexpr std::string_view kMakers[] = {"addw", "subw", "mulw", "sllw", "sraw", "divw", "rorw"};
  constexpr std::string_view kSets[] = {"slt", "sltu", "min", "max", "minu", "maxu", "xor", "and", "or", "add"};
  constexpr std::string_view kBranches[] = {"beq", "bne", "blt", "bge", "bltu", "bgeu"};
  const unsigned narrow = integer(true);
  a_.constant(kB, edge_value());
  a_.reg(random_.pick(kMakers), narrow, integer(true), random_.one_in(2) ? kB : integer(true));
  if (random_.one_in(3)) a_.reg(random_.pick(kMakers), kB, integer(true), integer(true));
  unsigned left = narrow, right = kB;
  if (random_.one_in(3)) std::swap(left, right);
  spent_ += 4 * turns_;
  if (random_.one_in(2)) return a_.reg(random_.pick(kSets), integer(true), left, right);
  const Assembler::Label end = a_.label();
  a_.branch(random_.pick(kBranches), left, right, end);
  for (uint64_t n = random_.between(1, 3); n > 0; --n) instruction();
  a_.bind(end);
}

// A CSR that may hold 64 bits, in the middle of a block: other values are in registers before and behind it.
void Generator::read_csr() {
  constexpr unsigned kWide[] = {kCsrSepc, kCsrSepc, kCsrMepc, kCsrStval, kCsrMtval, kCsrSatp};
  constexpr unsigned kPortable[] = {kCsrSepc, kCsrMepc, kCsrSatp};
  constexpr unsigned kCounts[] = {0xc00, 0xc01, 0xc01, 0xc02, 0xb00, 0xb02};
  const Assembler::Label end = seldom();
  const unsigned from = integer(true), to = integer(true);
  a_.reg(random_.one_in(2) ? "addw" : "subw", to, from, integer(true));
  if (random_.one_in(2)) a_.store("sw", to, 8, random_.pick(kPointers));
  if (random_.one_in(2)) a_.imm("addi", to, kZero, 1);
  const bool counts = !program_.portable && random_.one_in(3);
  const unsigned read = integer(true);
  a_.csr("csrrs", read,
         counts              ? random_.pick(kCounts)
         : program_.portable ? random_.pick(kPortable)
                             : random_.pick(kWide),
         kZero);
  // What was read may be gone again at once, but for an interrupt between.
  a_.reg("add", random_.one_in(3) ? read : integer(true), from, to);
  a_.bind(end);
}

// Operations that round as the mode says, which changes with a loop's turns.
void Generator::rounding() {
  constexpr std::string_view kNames[] = {"fadd.d", "fsub.s", "fmul.d", "fmul.s", "fdiv.d", "fdiv.s"};
  if (random_.one_in(2)) {
    a_.imm("andi", kA, varying(), 3);
    a_.csr("csrrw", kZero, kCsrFrm, kA);
  } else {
    a_.csr("csrrwi", kZero, kCsrFrm, static_cast<unsigned>(random_.below(5)));
  }
  for (uint64_t n = random_.between(1, 4); n > 0; --n) {
    Operands o;
    o.rd = static_cast<uint8_t>(floating());
    o.rs1 = static_cast<uint8_t>(floating());
    o.rs2 = static_cast<uint8_t>(floating());
    o.rm = 7;
    a_.op(random_.pick(kNames), o);
  }
  spent_ += 4 * turns_;
}

// Operations on zeros, infinities and NaNs, with flags that are cleared before and asked for behind.
void Generator::special_numbers() {
  constexpr uint64_t kNumbers[] = {0,
                                   uint64_t{1} << 63,
                                   0x7ff0'0000'0000'0000,
                                   0xfff0'0000'0000'0000,
                                   0x7ff8'0000'0000'0000,
                                   0x7ff0'0000'0000'0001,
                                   0x3ff0'0000'0000'0000,
                                   0x0000'0000'0000'0001};
  constexpr uint64_t kSingles[] = {0xffff'ffff'0000'0000, 0xffff'ffff'7f80'0000, 0xffff'ffff'ff80'0000,
                                   0xffff'ffff'7fc0'0000, 0xffff'ffff'7f80'0001, 0xffff'ffff'0000'0001};
  constexpr std::string_view kNames[] = {"fmadd", "fmsub", "fnmadd", "fnmsub", "fadd", "fmul", "fdiv", "fsub"};
  const bool wide = random_.one_in(2);
  Operands o;
  o.rd = static_cast<uint8_t>(floating());
  o.rm = 7;
  for (uint8_t* source : {&o.rs1, &o.rs2, &o.rs3}) {
    *source = static_cast<uint8_t>(floating());
    if (random_.one_in(4)) continue;
    a_.constant(kA, wide ? random_.pick(kNumbers) : random_.pick(kSingles));
    a_.reg("fmv.d.x", *source, kA, 0);
  }
  if (random_.one_in(2)) a_.csr("csrrwi", kZero, kCsrFflags, 0);
  a_.op(std::string(random_.pick(kNames)) + (wide ? ".d" : ".s"), o);
  if (random_.one_in(2)) a_.csr("csrrs", integer(true), kCsrFflags, kZero);
  spent_ += 8 * turns_;
}

}  // namespace lockstep::isa::riscv64::random
