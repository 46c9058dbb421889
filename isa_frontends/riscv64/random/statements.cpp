// SPDX-License-Identifier: Apache-2.0
// What a random program has besides single instructions.
#include <algorithm>
#include <bit>

#include "isa_frontends/riscv64/random/generator.h"
#include "isa_frontends/riscv64/state.h"

namespace lockstep::isa::riscv64::random {
namespace {

constexpr unsigned kA = kScratch[0], kB = kScratch[1], kC = kScratch[2];
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
