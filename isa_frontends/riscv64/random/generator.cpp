// SPDX-License-Identifier: Apache-2.0
#include "isa_frontends/riscv64/random/generator.h"

#include <algorithm>
#include <bit>

namespace lockstep::isa::riscv64::random {
namespace {

// Few registers, so that values flow from one instruction to the next.
constexpr unsigned kValues[] = {0, 6, 7, 10, 11, 12, 13, 14, 15, 28};
constexpr unsigned kShortValues[] = {10, 11, 12, 13, 14, 15};
constexpr unsigned kShortPointers[] = {8, 9};
constexpr int64_t kImmediates[] = {0, 1, -1, 2, 4, 8, 31, 32, 63, 2047, -2048, 0x7ffff000, -0x80000000ll};
constexpr uint16_t kCsrs[] = {0x001, 0x002, 0x003, 0x003, 0x100, 0x104, 0x141, 0x142, 0x143, 0x144, 0x300,
                              0x304, 0x341, 0x343, 0x344, 0xb00, 0xb02, 0xc00, 0xc01, 0xc02, 0xf14, 0x7c0};
// Those that hold the same on every implementation, whatever is written.
constexpr uint16_t kPortableCsrs[] = {0x001, 0x002, 0x003, 0x003, 0x7c0};
// Those that every mode may access.
constexpr uint16_t kUserCsrs[] = {0x001, 0x002, 0x003};
// These leave the place where they stand or trap: they are rare, so that loops live to be hot.
constexpr std::string_view kSeldom[] = {"jalr",    "c.jr",    "c.jalr",  "mret",       "sret",
                                        "wfi",     "ecall",   "ebreak",  "c.ebreak",   "pause",
                                        "fence.i", "c.unimp", "illegal", "c.addi16sp", "sfence.vma"};
// What depends on time or on how long a reservation lasts, leads into data that are taken for code, or is wrong in a
// widespread emulator (docs/random.md).
constexpr std::string_view kNotPortable[] = {"wfi",  "lr.w", "lr.d", "sc.w",   "sc.d", "mret",
                                             "sret", "jalr", "c.jr", "c.jalr", "ctzw"};

enum RowTrait : uint8_t { kIsSeldom = 1, kIsNotPortable = 2, kMovesStack = 4 };

std::vector<uint8_t> make_traits() {
  std::vector<uint8_t> traits;
  for (const Row& row : InstructionTable::get().rows()) {
    const auto is_in = [&](const auto& names) {
      return std::find(std::begin(names), std::end(names), row.name) != std::end(names);
    };
    traits.push_back(static_cast<uint8_t>((is_in(kSeldom) ? kIsSeldom : 0) |
                                          (is_in(kNotPortable) ? kIsNotPortable : 0) |
                                          (row.name == "c.addi16sp" ? kMovesStack : 0)));
  }
  return traits;
}

uint8_t trait(unsigned row) {
  static const std::vector<uint8_t> traits = make_traits();
  return traits[row];
}

}  // namespace

Generator::Generator(uint64_t seed, const RandomOptions& options) : random_(seed), options_(options) {
  program_.seed = seed;
  program_.portable = options.portable;
  program_.aligned = options.aligned;
  program_.paging = random_.one_in(2);
}

unsigned Generator::integer(bool is_short) { return is_short ? random_.pick(kShortValues) : random_.pick(kValues); }

unsigned Generator::varying() {
  if (depth_ == 0 || random_.one_in(4)) return integer(true);
  return in_function() ? kInnerCounters[depth_ - 1] : kCounters[depth_ - 1];
}

RandomProgram Generator::program() {
  wanted_ = random_.between(options_.min_instructions, options_.max_instructions);
  const auto doublings = static_cast<unsigned>(std::bit_width(std::max<uint64_t>(options_.max_executed, 512)));
  may_spend_ = static_cast<double>(std::min(options_.max_executed, uint64_t{1} << random_.between(9, doublings)));
  buffer_ = a_.label();
  const Assembler::Label end = a_.label();
  // The functions and the end take a part.
  const size_t behind = std::min<size_t>(wanted_ / 4, 60);
  wanted_ -= std::min<size_t>(wanted_ - 8, behind);
  const size_t stretch = wanted_ / random_.between(1, 4) + 4;
  while (room() > 4) {
    // What cannot go on is taken up again at the next stretch.
    const Assembler::Label next = a_.label();
    a_.address(kRecover, next);
    const size_t size = a_.size() + std::min(stretch, room());
    while (a_.size() < size) statement();
    a_.bind(next);
  }
  a_.address(kRecover, end);
  a_.bind(end);
  a_.store("sd", kZero, 0, kStopPointer);
  a_.jump(kZero, end);
  functions();
  a_.bind(buffer_);
  for (unsigned i = 0; i < 32; ++i) a_.word(0);
  program_.words = a_.finish();

  std::vector<uint64_t> at = {0};
  for (uint32_t word : program_.words) at.push_back(at.back() + word_bytes(word));
  if (!straddlers_.empty() && random_.one_in(3)) {
    program_.start = kPageBytes - 2 - at[random_.pick(std::span<const size_t>(straddlers_))];
  } else {
    program_.start = random_.one_in(2) ? kPageBytes - 2 * random_.between(1, at.back() / 2) : 2 * random_.below(64);
  }
  program_.bound = 4 * static_cast<uint64_t>(may_spend_) + 2000;
  return std::move(program_);
}

void Generator::statements(size_t count) {
  const size_t end = a_.size() + count;
  while (a_.size() < end) statement();
}

void Generator::statement() {
  const bool portable = program_.portable;
  switch (random_.below(60)) {
    case 0:
    case 1:
    case 2:
      if (room() > 12) random_.one_in(8) ? patched_branch() : loop();
      return;
    case 3:
    case 4:
      return skip_ahead();
    case 5:
    case 6:
      if (room() > 4) call();
      return;
    case 7:
      if (room() > 24) jump_table();
      return;
    case 8:
      return reserved_pair();
    case 9:
      if (random_.one_in(2)) patch();
      return;
    case 10:
      if (random_.one_in(2) && !in_function()) written_routine();
      return;
    case 11:
      if (random_.one_in(2)) data_among_code();
      return;
    case 12:
      if (program_.paging) swap_data_pages();
      return;
    case 13:
      if (program_.paging) random_.one_in(2) ? other_text() : other_root();
      return;
    case 14:
      if (random_.one_in(2)) status_bits();
      return;
    case 15:
      return random_.one_in(2) ? environment_call() : trap_return();
    case 16:
      if (!portable) interrupts();
      return;
    case 17:
      if (!portable) device();
      return;
    case 18:
    case 19:
      return accesses();
    case 20:
      if (program_.paging) other_text();
      return;
    case 21:
      if (room() > 16 && random_.one_in(6)) return repeated_values();
      return random_.one_in(3) ? joined_parts() : constant_operand();
    case 22:
      return random_.one_in(2) ? narrow_compare() : random_.one_in(2) ? copied_values() : outlived_values();
    case 23:
      return read_csr();
    case 24:
      if (program_.paging && random_.one_in(4)) code_beside_tables();
      return;
    case 25:
      return random_.one_in(2) ? routine_in_data() : rounding();
    case 26:
      return special_numbers();
    default:
      return instruction();
  }
}

bool Generator::wanted_row(unsigned row) {
  const uint8_t traits = trait(row);
  if (program_.portable && (traits & kIsNotPortable)) return false;
  return !(traits & kIsSeldom) || rarely(12);
}

void Generator::instruction() {
  const auto rows = InstructionTable::get().rows();
  auto row = static_cast<unsigned>(random_.below(rows.size()));
  while (!wanted_row(row)) row = static_cast<unsigned>(random_.below(rows.size()));
  const RowShape& shape = row_shapes()[row];
  Operands o;
  o.rd = static_cast<uint8_t>(any(shape.rd, shape.three_bit_rd));
  o.rs1 = shape.rd_is_rs1 ? o.rd : static_cast<uint8_t>(any(shape.rs1, shape.three_bit_rs1));
  o.rs2 = static_cast<uint8_t>(any(shape.rs2, shape.three_bit_rs2));
  o.rs3 = static_cast<uint8_t>(floating());
  o.rm = static_cast<uint8_t>(rarely(20) ? 5 : random_.one_in(2) ? 7 : random_.below(5));
  o.acquire = random_.one_in(4);
  o.release = random_.one_in(4);
  o.imm = random_.one_in(2) ? random_.pick(kImmediates) : static_cast<int64_t>(random_.next());
  if (shape.is_memory) {
    o.rs1 = static_cast<uint8_t>(shape.three_bit_rs1 ? random_.pick(kShortPointers) : random_.pick(kPointers));
    if (program_.aligned) o.imm &= ~int64_t{7};
    // Misaligned ones may fault in two ways.
    if (shape.is_atomic && (program_.portable || !rarely(8))) {
      a_.imm("andi", kScratch[0], o.rs1, -8);
      o.rs1 = static_cast<uint8_t>(kScratch[0]);
    }
  }
  if (shape.is_csr) {
    o.imm = !rarely(3)          ? random_.pick(kUserCsrs)
            : program_.portable ? random_.pick(kPortableCsrs)
                                : random_.pick(kCsrs);
  }
  const auto filling = static_cast<uint32_t>(random_.next());
  const uint32_t word = encode(row, o, filling);
  // Some operands make another instruction of it.
  const Row* made = InstructionTable::get().find(word);
  if (made != nullptr && made != &rows[row] && !wanted_row(static_cast<unsigned>(made - rows.data()))) {
    return instruction();
  }
  spent_ += turns_;
  if (shape.is_relative) {
    // Forward over a few others.
    const Assembler::Label target = a_.label();
    a_.relative(row, o, target);
    for (uint64_t n = random_.below(6); n > 0; --n) instruction();
    return a_.bind(target);
  }
  a_.word(word);
  if (shape.is_csr && o.imm <= kCsrFcsr && !rarely(8)) a_.csr("csrrwi", kZero, kCsrFrm, random_.below(5));
  if (trait(row) & kMovesStack) {
    o.imm = -decode_operands(rows[row], a_.words().back()).imm;
    if (o.imm < 496) a_.word(encode(row, o));
  }
}

}  // namespace lockstep::isa::riscv64::random
