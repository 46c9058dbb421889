// SPDX-License-Identifier: Apache-2.0
// The instruction table: consistent, complete, and written as GNU objdump writes it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "isa_frontends/riscv64/instruction_table.h"
#include "tests/core/seed.h"

namespace lockstep::isa::riscv64 {
namespace {

std::string text_of(uint32_t bits, uint64_t pc = 0) {
  const Row* row = InstructionTable::get().find(bits);
  return row == nullptr ? "?" : format_instruction(*row, bits, pc);
}

TEST(Riscv64Table, RowsOverlapOnlyWhereOneOrAThirdIsTheirIntersection) {
  const auto rows = InstructionTable::get().rows();
  for (const Row& a : rows) {
    for (const Row& b : rows) {
      if (&a >= &b || a.length != b.length) continue;
      const uint32_t common = a.mask & b.mask;
      if ((a.match & common) != (b.match & common)) continue;
      EXPECT_NE(a.mask, b.mask) << a.name << " and " << b.name << " are the same";
      const bool nested = common == a.mask || common == b.mask;
      const bool resolved = std::any_of(rows.begin(), rows.end(), [&](const Row& c) {
        return c.length == a.length && c.mask == (a.mask | b.mask) && c.match == (a.match | b.match);
      });
      EXPECT_TRUE(nested || resolved) << a.name << " and " << b.name << " overlap";
    }
  }
}

TEST(Riscv64Table, EveryRowIsWellFormedAndFound) {
  for (const Row& row : InstructionTable::get().rows()) {
    EXPECT_TRUE(row.length == 2 || row.length == 4) << row.name;
    EXPECT_EQ(is_compressed(static_cast<uint16_t>(row.match)), row.length == 2) << row.name;
    EXPECT_TRUE(operands_known(row.operands)) << row.name << ": " << row.operands;
    EXPECT_NE(row.semantics, nullptr) << row.name;
    // All operand bits set, so that no row inside this one (a hint, zero registers) is meant.
    const uint32_t all = row.length == 2 ? 0xffff : 0xffff'ffff;
    const Row* found = InstructionTable::get().find(row.match | (~row.mask & all));
    ASSERT_NE(found, nullptr) << row.name;
    EXPECT_EQ(found->name, row.name);
  }
}

TEST(Riscv64Table, NamesAreUnique) {
  std::set<std::string_view> names;
  for (const Row& row : InstructionTable::get().rows()) {
    if (row.name == "illegal") continue;
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
  }
}

TEST(Riscv64Table, Disassembles) {
  EXPECT_EQ(text_of(0x00000013), "addi\tzero,zero,0");
  EXPECT_EQ(text_of(0xfff50513), "addi\ta0,a0,-1");
  EXPECT_EQ(text_of(0x800005b7), "lui\ta1,0x80000");
  EXPECT_EQ(text_of(0xff010113), "addi\tsp,sp,-16");
  EXPECT_EQ(text_of(0x00813423), "sd\ts0,8(sp)");
  EXPECT_EQ(text_of(0x0ff0000f), "fence\tiorw,iorw");
  EXPECT_EQ(text_of(0x0100000f), "pause");
  EXPECT_EQ(text_of(0x30200073), "mret");
  EXPECT_EQ(text_of(0x34011173), "csrrw\tsp,mscratch,sp");
  EXPECT_EQ(text_of(0x1005262f), "lr.w\ta2,(a0)");
  EXPECT_EQ(text_of(0x02b57553), "fadd.d\tfa0,fa0,fa1");
  EXPECT_EQ(text_of(0xfe0008e3, 0x80000010), "beq\tzero,zero,0x80000000");
  EXPECT_EQ(text_of(0x1141), "c.addi\tsp,-16");
  EXPECT_EQ(text_of(0x8082), "c.jr\tra");
  EXPECT_EQ(text_of(0x0001), "c.nop");
  EXPECT_EQ(text_of(0x0000), "c.unimp");
  EXPECT_EQ(text_of(0x2081), "c.addiw\tra,0");
  EXPECT_EQ(text_of(0x2001), ".2byte\t0x2001");
}

TEST(Riscv64Table, EveryWordDecodesOrDoesNotWithoutHarm) {
  const uint64_t seed = test::from_environment("LOCKSTEP_SEED", 1);
  std::printf("LOCKSTEP_SEED=%llu\n", static_cast<unsigned long long>(seed));
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    if (is_compressed(static_cast<uint16_t>(bits))) text_of(bits);
  }
  std::mt19937_64 random(seed);
  for (int i = 0; i < 200'000; ++i) text_of(static_cast<uint32_t>(random()) | 3);
}

// --- Against objdump -------------------------------------------------------------------------------------------------

std::string strip(std::string text) {
  text = std::regex_replace(text, std::regex("\\s*[#<].*$"), "");
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.pop_back();
  return text;
}

TEST(Riscv64Table, AgreesWithObjdump) {
  if (std::system("riscv64-linux-gnu-objdump --version >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "riscv64-linux-gnu-objdump is not installed";
  }
  // Words of every row with random operands.
  std::mt19937 random(7);
  std::vector<uint32_t> words;
  for (const Row& row : InstructionTable::get().rows()) {
    if (row.name == "illegal") continue;
    for (int i = 0; i < 24; ++i) {
      const uint32_t all = row.length == 2 ? 0xffff : 0xffff'ffff;
      const uint32_t bits = row.match | (static_cast<uint32_t>(random()) & ~row.mask & all);
      // Another row is meant: tested as that one. Rounding modes 5 and 6 have no name.
      if (InstructionTable::get().find(bits) != &row) continue;
      // Other names there: an alias, and shifts by 0.
      if (row.name == "pause" || row.name == "c.nop") continue;
      if (row.operands.ends_with("cu6") && decode_operands(row, bits).imm == 0) continue;
      const Operands operands = decode_operands(row, bits);
      if (operands.rm == 5 || operands.rm == 6) continue;
      words.push_back(bits);
    }
  }
  const auto folder = std::filesystem::temp_directory_path() / ("lockstep-objdump-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  std::vector<uint64_t> addresses;
  {
    std::ofstream file(folder / "code.s");
    uint64_t address = 0;
    for (uint32_t word : words) {
      addresses.push_back(address);
      const unsigned length = is_compressed(static_cast<uint16_t>(word)) ? 2 : 4;
      file << ".insn " << length << ", " << word << "\n";
      address += length;
    }
  }
  const std::string object = (folder / "code.o").string();
  const std::string command =
      "riscv64-linux-gnu-as -march=rv64gc_zba_zbb_zbs -o " + object + " " + (folder / "code.s").string() +
      " && riscv64-linux-gnu-objdump -d -z -M no-aliases,priv-spec=1.12 " + object + " 2>/dev/null";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::vector<std::string> theirs;
  std::array<char, 512> line{};
  const std::regex pattern(R"(^\s*[0-9a-f]+:\s+[0-9a-f]+\s+(.*)$)");
  while (std::fgets(line.data(), line.size(), pipe) != nullptr) {
    std::string text(line.data());
    std::smatch match;
    if (!text.empty() && text.back() == '\n') text.pop_back();
    if (std::regex_match(text, match, pattern)) theirs.push_back(strip(match[1]));
  }
  ::pclose(pipe);
  std::filesystem::remove_all(folder);
  ASSERT_EQ(theirs.size(), words.size());

  unsigned unknown_to_objdump = 0;
  for (size_t i = 0; i < words.size(); ++i) {
    std::string ours = text_of(words[i], addresses[i]);
    // In an object file objdump writes targets without 0x.
    const std::string_view kind = InstructionTable::get().find(words[i])->operands;
    if (kind.ends_with("b12") || kind.ends_with("j20") || kind.ends_with("cj") || kind.ends_with("cb")) {
      ours.erase(ours.rfind("0x"), 2);
    }
    if (theirs[i].starts_with(".") || theirs[i].starts_with("0x")) {  // reserved operand values, newer extensions
      ++unknown_to_objdump;
      continue;
    }
    // Numbers of CSRs that we do not have are written as numbers here and by name there.
    if (ours.starts_with("csr") && ours.find(",0x") != std::string::npos) continue;
    EXPECT_EQ(ours, theirs[i]) << std::hex << words[i];
  }
  EXPECT_LT(unknown_to_objdump, words.size() / 10);
}

}  // namespace
}  // namespace lockstep::isa::riscv64
