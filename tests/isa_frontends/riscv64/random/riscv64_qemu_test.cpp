// SPDX-License-Identifier: Apache-2.0
// The same streams at QEMU, whose frontend is not ours: sound programs end alike, and bugs planted in our frontend are
// seen, which two of our engines would share. Skipped where qemu-system-riscv64 is not installed.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "core/interpreter/interpreter.h"
#include "isa_frontends/riscv64/random/image.h"
#include "tests/isa_frontends/riscv64/random/planted_bugs.h"

namespace lockstep::isa::riscv64::random {
namespace {

constexpr uint64_t kPrograms = 2000;

std::unique_ptr<core::Engine> plain(core::Hart& hart) { return core::make_interpreter(hart); }

std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return text;
  char buffer[4096];
  for (size_t got = 0; (got = fread(buffer, 1, sizeof buffer, pipe)) > 0;) text.append(buffer, got);
  pclose(pipe);
  return text;
}

// Programs that come to their end, and what QEMU says of them; made once.
struct Reference {
  std::vector<RandomProgram> programs;
  std::vector<uint64_t> ours, theirs;

  Reference() {
    EndStates sound(plain);
    for (uint64_t seed = 1; seed <= kPrograms; ++seed) {
      RandomProgram program = generate(seed, {.portable = true});
      const auto end = sound.run(program);
      if (!end) continue;
      ours.push_back(end->digest());
      programs.push_back(std::move(program));
    }
    std::string folder = (std::filesystem::temp_directory_path() / "lockstep-qemu-XXXXXX").string();
    if (mkdtemp(folder.data()) == nullptr) return;
    const std::string path = folder + "/programs.elf";
    const std::vector<uint8_t> image = make_image(programs, Print::kDigest);
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(image.data()), static_cast<std::streamsize>(image.size()));
    theirs = printed_words(output_of(
        "timeout 300 qemu-system-riscv64 -cpu rv64,h=false,v=false,zbc=false,sstc=false -machine virt -smp 1,maxcpus=2 "
        "-m 256M -display none -monitor none -serial stdio -bios none -kernel " +
        path));
    std::filesystem::remove_all(folder);
  }
};

class Riscv64Qemu : public testing::Test {
 protected:
  void SetUp() override {
    if (output_of("qemu-system-riscv64 --version 2>/dev/null").empty()) {
      GTEST_SKIP() << "qemu-system-riscv64 is not installed";
    }
  }
  static const Reference& reference() {
    static const Reference made;
    return made;
  }
  // Whether a program of the reference ends otherwise with this bug.
  static bool is_seen(const WrongHart::Apply& bug) {
    const Reference& known = reference();
    EndStates wrong(plain, wrong_hart(bug));
    for (size_t i = 0; i < known.programs.size(); ++i) {
      const auto end = wrong.run(known.programs[i]);
      if (!end || end->digest() != known.theirs[i]) return true;
    }
    return false;
  }
};

TEST_F(Riscv64Qemu, ProgramsEndAlike) {
  const Reference& known = reference();
  ASSERT_GT(known.programs.size(), kPrograms / 2);
  ASSERT_EQ(known.theirs.size(), known.programs.size());
  for (size_t i = 0; i < known.programs.size(); ++i) {
    EXPECT_EQ(known.ours[i], known.theirs[i]) << "seed " << known.programs[i].seed;
  }
}

TEST_F(Riscv64Qemu, BugsOfOurFrontendAreSeen) {
  ASSERT_EQ(reference().theirs.size(), reference().programs.size());
  unsigned planted = 0;
  for (const Swap& swap : kSwaps) {
    ++planted;
    EXPECT_TRUE(is_seen(swapped(swap))) << core::ir::op_info(swap.right).text << " as "
                                        << core::ir::op_info(swap.wrong).text;
  }
  for (const Change& change : kChanges) {
    ++planted;
    EXPECT_TRUE(is_seen(change.apply)) << change.name;
  }
  EXPECT_GE(planted, 40u);
}

}  // namespace
}  // namespace lockstep::isa::riscv64::random
