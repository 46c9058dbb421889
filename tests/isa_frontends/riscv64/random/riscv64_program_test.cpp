// SPDX-License-Identifier: Apache-2.0
// The programs themselves: they are the same for the same seed, they come to their end, they become hot, and they are
// saved and read again.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "core/interpreter/interpreter.h"
#include "isa_frontends/riscv64/random/assembler.h"
#include "isa_frontends/riscv64/random/compare.h"
#include "isa_frontends/riscv64/random/layout.h"
#include "isa_frontends/riscv64/random/random_source.h"
#include "isa_frontends/riscv64/random/reproducer.h"

namespace lockstep::isa::riscv64::random {
namespace {

std::unique_ptr<core::Engine> plain(core::Hart& hart) { return core::make_interpreter(hart); }

TEST(Riscv64Assembler, ReachesLabelsAndMakesConstants) {
  Assembler a;
  const Assembler::Label back = a.label(), ahead = a.label();
  a.bind(back);
  a.word(0x0001);
  a.branch("bne", 5, 6, ahead);
  a.address(7, back);
  a.bind(ahead);
  a.half(ahead, back);
  const std::vector<uint32_t> words = a.finish();
  const auto& table = InstructionTable::get();
  EXPECT_EQ(decode_operands(*table.find(words[1]), words[1]).imm, 12);
  EXPECT_EQ(decode_operands(*table.find(words[2]), words[2]).imm, 0);
  EXPECT_EQ(decode_operands(*table.find(words[3]), words[3]).imm, -6);
  EXPECT_EQ(words[4], 14u);

  for (const uint64_t value : {uint64_t{0}, uint64_t{2047}, uint64_t{2048}, uint64_t{0x8000'0000}, ~uint64_t{0},
                               uint64_t{0x1234'5678'9abc'def0}, uint64_t{1} << 63}) {
    Assembler constant;
    constant.constant(10, value);
    uint64_t made = 0;
    for (const uint32_t word : constant.words()) {
      const Row& row = *table.find(word);
      const Operands o = decode_operands(row, word);
      const auto imm = static_cast<uint64_t>(o.imm);
      made = row.name == "lui" ? imm : row.name == "slli" ? made << imm : (o.rs1 == 0 ? 0 : made) + imm;
    }
    EXPECT_EQ(made, value);
  }
}

TEST(Riscv64Programs, FollowFromTheirSeed) {
  for (uint64_t seed = 1; seed < 50; ++seed) {
    const RandomProgram once = generate(seed), again = generate(seed);
    EXPECT_EQ(once.words, again.words);
    EXPECT_EQ(once.start, again.start);
    EXPECT_NE(once.words, generate(seed + 1).words);
  }
}

TEST(Riscv64Programs, MostComeToTheirEndAndMuchOfThemIsHot) {
  Comparison comparison(plain, plain);
  uint64_t long_ones = 0;
  constexpr uint64_t kPrograms = 200;
  for (uint64_t seed = 1; seed <= kPrograms; ++seed) {
    const uint64_t before = comparison.counts().instructions;
    ASSERT_FALSE(comparison.run(generate(seed)));
    long_ones += comparison.counts().instructions - before > 3000;
  }
  EXPECT_GT(comparison.counts().ended, kPrograms * 8 / 10);
  EXPECT_GT(long_ones, kPrograms / 3);
  EXPECT_LT(comparison.counts().traps, comparison.counts().instructions / 50);
}

// Every construct is there: the instructions that only they use occur in the first programs.
TEST(Riscv64Programs, HoldEveryConstruct) {
  std::set<std::string> seen;
  unsigned paging = 0, across = 0;
  for (uint64_t seed = 1; seed < 300; ++seed) {
    const RandomProgram program = generate(seed);
    paging += program.paging;
    uint64_t at = program.start;
    for (const uint32_t word : program.words) {
      if (const Row* row = InstructionTable::get().find(word)) seen.insert(std::string(row->name));
      across += word_bytes(word) == 4 && at % kPageBytes == kPageBytes - 2;
      at += word_bytes(word);
    }
  }
  for (const Row& row : InstructionTable::get().rows()) EXPECT_TRUE(seen.contains(std::string(row.name))) << row.name;
  EXPECT_GT(paging, 100u);
  EXPECT_GT(across, 50u);
}

TEST(Riscv64Reproducer, GivesBackWhatWasWritten) {
  const Reproducer wanted{generate(17), {"interpreter", "jit:links=off"}, "x11", "x11 is 0x1 and 0x2 # after 3"};
  const auto read = read_reproducer(write_reproducer(wanted), "file");
  ASSERT_TRUE(read) << read.message();
  EXPECT_EQ(read->program.words, wanted.program.words);
  EXPECT_EQ(read->program.seed, 17u);
  EXPECT_EQ(read->program.start, wanted.program.start);
  EXPECT_EQ(read->program.bound, wanted.program.bound);
  EXPECT_EQ(read->program.paging, wanted.program.paging);
  EXPECT_EQ(read->engines, wanted.engines);
  EXPECT_EQ(read->what, wanted.what);
  EXPECT_EQ(read->difference, wanted.difference);
}

TEST(Riscv64Reproducer, NamesTheLineThatIsWrong) {
  const auto error_of = [](const std::string& text) {
    const auto read = read_reproducer(text, "file");
    return read ? std::string() : read.message();
  };
  EXPECT_NE(error_of("isa riscv64\nword 1x\n").find("file:2:"), std::string::npos);
  EXPECT_NE(error_of("isa arm\n").find("file:1:"), std::string::npos);
  EXPECT_NE(error_of("start 0x1001\n").find("file:1:"), std::string::npos);
  EXPECT_NE(error_of("bound 5\n").find("no program"), std::string::npos);
  EXPECT_NE(error_of("word 0001\n").find("bound"), std::string::npos);
}

// Damaged files are refused or read, whatever is in them, and what was read can be run.
TEST(Riscv64Reproducer, StandsDamage) {
  const std::string sound = write_reproducer({generate(3), {"interpreter", "jit"}, "pc", "pc is 1 and 2"});
  RandomSource random(1);
  Comparison comparison(plain, plain);
  for (unsigned run = 0; run < 300; ++run) {
    std::string text = sound.substr(0, random.one_in(2) ? sound.size() : random.below(sound.size()));
    for (uint64_t n = random.below(8); n > 0 && !text.empty(); --n) {
      text[random.below(text.size())] =
          static_cast<char>(random.one_in(2) ? random.next() : "0123456789 \n#x"[random.below(14)]);
    }
    auto read = read_reproducer(text, "file");
    if (!read) continue;
    read->program.bound = std::min<uint64_t>(read->program.bound, 2000);
    EXPECT_FALSE(comparison.run(read->program)) << text;
  }
}

}  // namespace
}  // namespace lockstep::isa::riscv64::random
