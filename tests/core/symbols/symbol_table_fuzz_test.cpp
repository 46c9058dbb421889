// SPDX-License-Identifier: Apache-2.0
#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "core/symbols/symbol_table.h"
#include "tests/core/seed.h"

namespace lockstep::core {

// Takes whatever it is given; a crash or a sanitizer's report is the failure.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  SymbolTable table;
  table.add_bytes({reinterpret_cast<const char*>(data), size});
  static_cast<void>(table.name_of(0x80000004));
  return 0;
}

namespace {

constexpr int kRounds = 20000;

// A header, a symbol table of two entries, its strings, and the section headers of both.
std::vector<uint8_t> small_elf() {
  struct {
    Elf64_Ehdr header;
    Elf64_Sym symbols[2];
    char strings[16];
    Elf64_Shdr sections[2];
  } file = {};
  std::memcpy(file.header.e_ident, ELFMAG, SELFMAG);
  file.header.e_shoff = offsetof(decltype(file), sections);
  file.header.e_shentsize = sizeof(Elf64_Shdr);
  file.header.e_shnum = 2;
  std::memcpy(file.strings, "\0main\0loop", 11);
  file.symbols[0] = {1, ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), 0, 1, 0x80000000, 4};
  file.symbols[1] = {6, ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE), 0, 1, 0x80000010, 4};
  file.sections[0].sh_type = SHT_SYMTAB;
  file.sections[0].sh_link = 1;
  file.sections[0].sh_offset = offsetof(decltype(file), symbols);
  file.sections[0].sh_size = sizeof file.symbols;
  file.sections[1].sh_type = SHT_STRTAB;
  file.sections[1].sh_offset = offsetof(decltype(file), strings);
  file.sections[1].sh_size = sizeof file.strings;
  const auto* bytes = reinterpret_cast<const uint8_t*>(&file);
  return {bytes, bytes + sizeof file};
}

TEST(SymbolTableFuzz, TheFileThatIsChangedIsAGoodOne) {
  const std::vector<uint8_t> file = small_elf();
  SymbolTable table;
  EXPECT_TRUE(table.add_bytes({reinterpret_cast<const char*>(file.data()), file.size()}));
  EXPECT_EQ(table.name_of(0x80000004), "main+0x4");
  EXPECT_EQ(table.name_of(0x80000010), "loop");
}

TEST(SymbolTableFuzz, ChangedFilesNeverCrash) {
  std::mt19937_64 random(test::seed());
  const std::vector<uint8_t> good = small_elf();
  for (int round = 0; round < kRounds; ++round) {
    std::vector<uint8_t> file = good;
    for (uint64_t changes = random() % 6; changes-- > 0;) file[random() % file.size()] = static_cast<uint8_t>(random());
    file.resize(random() % 4 != 0 ? file.size() : random() % (file.size() + 1));
    LLVMFuzzerTestOneInput(file.data(), file.size());
  }
}

}  // namespace
}  // namespace lockstep::core
