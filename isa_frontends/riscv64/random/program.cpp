// SPDX-License-Identifier: Apache-2.0
#include "isa_frontends/riscv64/random/program.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "isa_frontends/riscv64/random/encoder.h"
#include "isa_frontends/riscv64/random/random_source.h"

namespace lockstep::isa::riscv64::random {
namespace {

// Few registers, so that values flow from one instruction to the next. sp, s0 and s1 point to data; s2 counts loops;
// t5 and t6 are the trap handler's.
constexpr uint8_t kValues[] = {0, 1, 5, 6, 10, 11, 12, 13, 14, 15};
constexpr uint8_t kShortValues[] = {10, 11, 12, 13, 14, 15};
constexpr uint8_t kPointers[] = {2, 8, 9};
constexpr uint8_t kShortPointers[] = {8, 9};
constexpr uint8_t kCounter = 18;
constexpr int64_t kImmediates[] = {0, 1, -1, 2, 4, 8, 31, 32, 63, 2047, -2048, 0x7ffff000, -0x80000000ll};
constexpr uint16_t kCsrs[] = {0x001, 0x002, 0x003, 0x003, 0x100, 0x140, 0x141, 0x142, 0x144, 0x300, 0x304,
                              0x340, 0x341, 0x343, 0x344, 0xb00, 0xb02, 0xc00, 0xc01, 0xc02, 0xf14, 0x7c0};

class Generator {
 public:
  Generator(uint64_t seed, const RandomOptions& options) : random_(seed), options_(options) {}

  std::vector<uint32_t> words() {
    const size_t wanted = random_.between(options_.min_instructions, options_.max_instructions);
    while (words_.size() + 2 < wanted) {
      if (random_.one_in(12) && words_.size() + 10 < wanted) {
        loop();
      } else {
        one();
      }
    }
    // The program ends in a jump to itself.
    Operands self;
    words_.push_back(encode(row_index("jal"), self));
    return std::move(words_);
  }

 private:
  uint8_t integer(bool is_short) { return is_short ? random_.pick(kShortValues) : random_.pick(kValues); }
  uint8_t floating() { return static_cast<uint8_t>(8 + random_.below(8)); }
  uint8_t any(Register kind, bool is_short) { return kind == Register::kFloat ? floating() : integer(is_short); }

  void one() {
    const auto rows = InstructionTable::get().rows();
    const auto row = static_cast<unsigned>(random_.below(rows.size()));
    const RowShape& shape = row_shapes()[row];
    Operands o;
    o.rd = any(shape.rd, shape.three_bit_rd);
    o.rs1 = shape.rd_is_rs1 ? o.rd : any(shape.rs1, shape.three_bit_rs1);
    o.rs2 = any(shape.rs2, shape.three_bit_rs2);
    o.rs3 = floating();
    o.rm = static_cast<uint8_t>(random_.one_in(20) ? 5 : random_.one_in(2) ? 7 : random_.below(5));
    o.acquire = random_.one_in(4);
    o.release = random_.one_in(4);
    o.imm = random_.one_in(2) ? random_.pick(kImmediates) : static_cast<int64_t>(random_.next());
    if (shape.is_memory) o.rs1 = shape.three_bit_rs1 ? random_.pick(kShortPointers) : random_.pick(kPointers);
    if (shape.is_csr) o.imm = random_.pick(kCsrs);
    if (shape.is_relative) o.imm = static_cast<int64_t>(4 + 2 * random_.below(12));
    words_.push_back(encode(row, o, static_cast<uint32_t>(random_.next())));
  }

  void loop() {
    Operands count;
    count.rd = kCounter;
    count.imm = static_cast<int64_t>(random_.between(2, 40));
    words_.push_back(encode(row_index("addi"), count));
    const size_t first = words_.size();
    for (uint64_t n = random_.between(2, 6); n > 0; --n) one();
    Operands down;
    down.rd = down.rs1 = kCounter;
    down.imm = -1;
    words_.push_back(encode(row_index("addi"), down));
    int64_t bytes = 0;
    for (size_t i = first; i < words_.size(); ++i) bytes += is_compressed(static_cast<uint16_t>(words_[i])) ? 2 : 4;
    Operands back;
    back.rs1 = kCounter;
    back.imm = -bytes;
    words_.push_back(encode(row_index("bne"), back));
  }

  RandomSource random_;
  RandomOptions options_;
  std::vector<uint32_t> words_;
};

}  // namespace

RandomProgram generate(uint64_t seed, const RandomOptions& options) {
  return {seed, Generator(seed, options).words(), options.bound};
}

std::string listing(const RandomProgram& program) {
  std::string text;
  uint64_t pc = kText;
  for (uint32_t word : program.words) {
    const Row* row = InstructionTable::get().find(word);
    const std::string line = row != nullptr ? format_instruction(*row, word, pc) : "unknown";
    fmt::format_to(std::back_inserter(text), "{:x}: {:08x}  {}\n", pc, word, line);
    pc += is_compressed(static_cast<uint16_t>(word)) ? 2 : 4;
  }
  return text;
}

}  // namespace lockstep::isa::riscv64::random
