// SPDX-License-Identifier: Apache-2.0
// The IR that instructions become: valid for every row of the table, and as written here for some.
#include <gtest/gtest.h>

#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "core/ir/builder.h"
#include "core/ir/text.h"
#include "tests/core/seed.h"
#include "tests/isa_frontends/riscv64/bare_machine.h"

namespace lockstep::isa::riscv64 {
namespace {

class WordReader : public core::CodeReader {
 public:
  WordReader(uint64_t base, std::vector<uint32_t> words) : base_(base), words_(std::move(words)) {}
  bool fetch16(uint64_t vaddr, uint16_t& bits) override {
    const uint64_t index = (vaddr - base_) / 4;
    if (vaddr < base_ || index >= words_.size()) return false;
    bits = static_cast<uint16_t>(words_[index] >> ((vaddr - base_) % 4 * 8));
    return true;
  }
  bool fetch8(uint64_t, uint8_t&) override { return false; }

 private:
  uint64_t base_;
  std::vector<uint32_t> words_;
};

class Riscv64Ir : public testing::Test {
 protected:
  core::ir::Block translate(std::vector<uint32_t> words, unsigned max_instructions = 64, uint64_t pc = kRamBase) {
    core::ir::Block block;
    block.pc = pc;
    core::ir::Builder builder(block);
    WordReader reader(pc, std::move(words));
    machine_.hart.translate_block(reader, pc, max_instructions, builder);
    return block;
  }
  std::string text(std::vector<uint32_t> words) { return core::ir::print(translate(std::move(words)), names()); }
  core::ir::Names names() { return {&machine_.hart.layout(), machine_.hart.helpers()}; }
  void set_fs(uint64_t fs) { machine_.hart.s().mstatus = fs << kStatusFsShift; }

  BareMachine machine_;
};

TEST_F(Riscv64Ir, EveryRowGivesValidIr) {
  const uint64_t seed = test::from_environment("LOCKSTEP_SEED", 1);
  std::printf("LOCKSTEP_SEED=%llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  for (uint64_t fs : {0, 1, 3}) {
    set_fs(fs);
    for (const Row& row : InstructionTable::get().rows()) {
      for (int i = 0; i < 64; ++i) {
        const uint32_t bits = row.match | (static_cast<uint32_t>(random()) & ~row.mask);
        const core::ir::Block block = translate({bits}, 1);
        const core::Status status = core::ir::verify(block, names());
        ASSERT_TRUE(status.ok()) << row.name << " " << std::hex << bits << ": " << status.error().message << "\n"
                                 << core::ir::print(block, names());
        EXPECT_EQ(block.guest_instructions, 1u);
        EXPECT_EQ(block.code_bytes, row.length) << row.name;
      }
    }
  }
}

TEST_F(Riscv64Ir, RandomCodeGivesValidIr) {
  const uint64_t seed = test::from_environment("LOCKSTEP_SEED", 2);
  std::printf("LOCKSTEP_SEED=%llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    set_fs(random() & 3);
    std::vector<uint32_t> words(8);
    for (uint32_t& word : words) word = static_cast<uint32_t>(random());
    const core::ir::Block block = translate(words);
    const core::Status status = core::ir::verify(block, names());
    ASSERT_TRUE(status.ok()) << status.error().message << "\n" << core::ir::print(block, names());
  }
}

TEST_F(Riscv64Ir, AddEndsWithJumpWhenTheCodeEnds) {
  // add a0,a1,a2
  EXPECT_EQ(text({0x00c58533}),
            "block 0x80000000\n"
            "  insn 0x80000000 4\n"
            "  %1 = get.i64 x11\n"
            "  %2 = get.i64 x12\n"
            "  %3 = add.i64 %1, %2\n"
            "  set.i64 x10, %3\n"
            "  jump 0x80000004\n");
}

TEST_F(Riscv64Ir, LoadComesBeforeTheSet) {
  // lw a0,8(a0)
  EXPECT_EQ(text({0x00852503}),
            "block 0x80000000\n"
            "  insn 0x80000000 4\n"
            "  %1 = get.i64 x10\n"
            "  %2 = const.i64 0x8\n"
            "  %3 = add.i64 %1, %2\n"
            "  %4 = load.i32 %3\n"
            "  %5 = sext.i64.i32 %4\n"
            "  set.i64 x10, %5\n"
            "  jump 0x80000004\n");
}

TEST_F(Riscv64Ir, BlocksEndAtThePageAndAtTheLimit) {
  const core::ir::Block to_page_end = translate(std::vector<uint32_t>(8, 0x00000013), 64, kRamBase + 0xff8);
  EXPECT_EQ(to_page_end.guest_instructions, 2u);
  const core::ir::Block limited = translate(std::vector<uint32_t>(8, 0x00000013), 3);
  EXPECT_EQ(limited.guest_instructions, 3u);
  // A 4-byte instruction in the last two bytes of a page ends the block.
  const core::ir::Block spanning = translate({0x00130001, 0x00130000}, 64, kRamBase + 0xffc);
  EXPECT_EQ(spanning.guest_instructions, 2u);
  EXPECT_EQ(spanning.code_bytes, 6u);
}

TEST_F(Riscv64Ir, NothingIsEmittedWhenTheFirstFetchFails) {
  EXPECT_EQ(translate({}).guest_instructions, 0u);
  EXPECT_TRUE(translate({}).insts.empty());
}

TEST_F(Riscv64Ir, FloatingPointFollowsFs) {
  const uint32_t fadd_d = 0x02c5f553;
  set_fs(0);
  EXPECT_NE(text({fadd_d}).find("raise_illegal"), std::string::npos);
  set_fs(1);
  EXPECT_NE(text({fadd_d}).find("mark_fp_dirty"), std::string::npos);
  set_fs(3);
  EXPECT_EQ(text({fadd_d}).find("call"), std::string::npos);
  machine_.hart.s().fp_rounding = 5;
  EXPECT_NE(text({fadd_d}).find("raise_illegal"), std::string::npos);
}

}  // namespace
}  // namespace lockstep::isa::riscv64
