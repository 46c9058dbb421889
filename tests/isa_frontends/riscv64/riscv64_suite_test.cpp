// SPDX-License-Identifier: Apache-2.0
// Runs the ELF files of riscv-tests (rv64*-p-*, rv64*-v-*), built outside the tree: LOCKSTEP_RISCV_TESTS names their
// folder. LOCKSTEP_RISCV_TESTS_FILTER keeps those whose name contains it.
#include <elf.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "core/interpreter/interpreter.h"
#include "tests/isa_frontends/riscv64/bare_machine.h"

namespace lockstep::isa::riscv64 {
namespace {

constexpr uint64_t kRamBytes = 8 << 20;
// The longest of the tests needs well under a million.
constexpr uint64_t kMaxInstructions = 4'000'000;

struct Program {
  uint64_t entry = 0;
  uint64_t tohost = 0;
};

template <typename T>
T take(const std::vector<char>& file, uint64_t offset) {
  T value{};
  if (offset <= file.size() && file.size() - offset >= sizeof(T)) std::memcpy(&value, file.data() + offset, sizeof(T));
  return value;
}

std::optional<Program> load(const std::filesystem::path& path, FlatBus& bus) {
  std::ifstream stream(path, std::ios::binary);
  const std::vector<char> file{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  const auto header = take<Elf64_Ehdr>(file, 0);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_machine != EM_RISCV) return std::nullopt;
  Program program{header.e_entry, 0};
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    const auto segment = take<Elf64_Phdr>(file, header.e_phoff + i * sizeof(Elf64_Phdr));
    if (segment.p_type != PT_LOAD || segment.p_filesz == 0) continue;
    const bool inside = segment.p_paddr >= kRamBase && segment.p_paddr - kRamBase + segment.p_memsz <= kRamBytes &&
                        segment.p_offset + segment.p_filesz <= file.size();
    if (!inside) return std::nullopt;
    std::memcpy(bus.memory().data() + (segment.p_paddr - kRamBase), file.data() + segment.p_offset, segment.p_filesz);
  }
  for (unsigned i = 0; i < header.e_shnum; ++i) {
    const auto section = take<Elf64_Shdr>(file, header.e_shoff + i * sizeof(Elf64_Shdr));
    if (section.sh_type != SHT_SYMTAB) continue;
    const auto strings = take<Elf64_Shdr>(file, header.e_shoff + section.sh_link * sizeof(Elf64_Shdr));
    for (uint64_t at = 0; at + sizeof(Elf64_Sym) <= section.sh_size; at += sizeof(Elf64_Sym)) {
      const auto symbol = take<Elf64_Sym>(file, section.sh_offset + at);
      const uint64_t name = strings.sh_offset + symbol.st_name;
      if (name + 7 <= file.size() && std::strcmp(file.data() + name, "tohost") == 0) program.tohost = symbol.st_value;
    }
  }
  if (program.tohost < kRamBase || program.tohost - kRamBase + 8 > kRamBytes) return std::nullopt;
  return program;
}

struct Suite : testing::Test {
  void SetUp() override {
    const char* folder = std::getenv("LOCKSTEP_RISCV_TESTS");
    if (folder == nullptr || !std::filesystem::is_directory(folder)) {
      GTEST_SKIP() << "LOCKSTEP_RISCV_TESTS does not name a folder of riscv-tests programs";
    }
    const char* filter = std::getenv("LOCKSTEP_RISCV_TESTS_FILTER");
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const std::string name = entry.path().filename().string();
      if (!name.starts_with("rv64") || entry.path().has_extension()) continue;
      if (filter == nullptr || name.find(filter) != std::string::npos) programs.push_back(entry.path());
    }
    std::sort(programs.begin(), programs.end());
  }

  std::vector<std::filesystem::path> programs;
};

struct Execution {
  explicit Execution(const core::InterpreterOptions& options = {}) : machine(kRamBytes) {
    // As after reset: these programs set PMP up themselves.
    machine.hart.reset();
    engine = core::make_interpreter(machine.hart, options);
    machine.bus.engine = engine.get();
  }

  BareMachine machine;
  std::unique_ptr<core::Interpreter> engine;
};

TEST_F(Suite, EveryProgramPasses) {
  unsigned passed = 0;
  for (const auto& path : programs) {
    SCOPED_TRACE(path.filename().string());
    Execution run;
    const std::optional<Program> program = load(path, run.machine.bus);
    ASSERT_TRUE(program.has_value());
    run.machine.hart.s().pc = program->entry;
    uint64_t executed = 0, result = 0;
    while (executed < kMaxInstructions && result == 0) {
      run.machine.hart.begin_turn();
      executed += std::max<uint64_t>(run.engine->run(10'000).executed, 1);
      run.machine.hart.end_turn();
      result = run.machine.bus.peek<uint64_t>(program->tohost);
    }
    EXPECT_EQ(result, 1u) << (result == 0 ? "no result" : "case " + std::to_string(result >> 1)) << " after "
                          << executed << " instructions, pc 0x" << std::hex << run.machine.hart.s().pc << " mcause 0x"
                          << run.machine.hart.s().mcause << " mepc 0x" << run.machine.hart.s().mepc;
    if (result == 1) ++passed;
  }
  std::printf("%u of %zu passed\n", passed, programs.size());
}

// Budgets and options may change nothing but speed.
TEST_F(Suite, StateDoesNotDependOnBudgetsOrOptions) {
  constexpr uint64_t kCount = 3'000;
  for (const auto& path : programs) {
    SCOPED_TRACE(path.filename().string());
    const auto state_after = [&](uint64_t budget, const core::InterpreterOptions& options) {
      Execution run(options);
      const std::optional<Program> program = load(path, run.machine.bus);
      if (!program) return std::vector<uint8_t>();
      run.machine.hart.s().pc = program->entry;
      for (uint64_t executed = 0; executed < kCount;) {
        executed += std::max<uint64_t>(run.engine->run(std::min(budget, kCount - executed)).executed, 1);
      }
      std::vector<uint8_t> bytes;
      const auto* state = reinterpret_cast<const uint8_t*>(&run.machine.hart.state());
      for (const core::StateField& field : run.machine.hart.layout().fields) {
        bytes.insert(bytes.end(), state + field.offset, state + field.offset + field.size_bytes);
      }
      const auto memory = run.machine.bus.memory();
      bytes.insert(bytes.end(), memory.begin(), memory.begin() + (1 << 20));
      return bytes;
    };
    const auto reference = state_after(kCount, {});
    EXPECT_TRUE(reference == state_after(1, {})) << "with budgets of 1";
    EXPECT_TRUE(reference == state_after(7, {})) << "with budgets of 7";
    EXPECT_TRUE(reference == state_after(kCount, {.fusion = false, .block_links = false})) << "without optimisations";
  }
}

}  // namespace
}  // namespace lockstep::isa::riscv64
