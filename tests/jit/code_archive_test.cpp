// SPDX-License-Identifier: Apache-2.0
#include "jit/code_archive.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <set>
#include <string>

#include "jit/jit_engine.h"
#include "tests/core/seed.h"
#include "tests/isa_frontends/riscv64/bare_machine.h"
#include "tests/jit/assembler.h"

// Code that outlives its process: what is read is what was written, what does not fit is not taken, and a guest that
// changed runs its own code.

namespace lockstep::jit {
namespace {

namespace fs = std::filesystem;

constexpr ArchiveLimits kLimits{.state_words = 100, .helpers = 3};

// What a record is made of, with one of each.
struct Parts {
  std::vector<ArchivedBlock> blocks = {{0x1000, 8, 0}, {0x1ffe, 4, 1}};
  std::vector<uint8_t> guest = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  std::vector<uint8_t> code = std::vector<uint8_t>(61, 0x90);
  std::vector<uint64_t> pages = {0x1000, 0x2000};
  std::vector<ArchivedLink> links = {{0x3000, 4, 20, 8}};
  std::vector<HandOver> hand_overs = {{30, 0, 2, 1, false, 0x1004}};
  std::vector<StateHome> homes = {{3, 5, 0}, {99, StateHome::kConstant, 77}};
  std::vector<Relocation> relocations = {{0, Relocation::Kind::kThunk, 0, 0}, {8, Relocation::Kind::kMapping, 0, 1},
                                         {16, Relocation::Kind::kUnit, 5, 0}, {24, Relocation::Kind::kLink, 0, 0},
                                         {32, Relocation::Kind::kHart, 0, 0}, {40, Relocation::Kind::kHelper, 0, 2},
                                         {48, Relocation::Kind::kHeat, 0, 0}};

  ArchivedUnit unit(uint64_t key = 9) const {
    ArchivedUnit u;
    u.pc = 0x1000;
    u.code_key = key;
    u.is_region = 1;
    u.entry_at = 12;
    u.mapping_at = {4, 0};
    u.guest_instructions = 2;
    u.all_instructions = 3;
    u.blocks = blocks;
    u.guest = guest;
    u.code = code;
    u.pages = pages;
    u.links = links;
    u.hand_overs = hand_overs;
    u.homes = homes;
    u.relocations = relocations;
    return u;
  }
};

class CodeArchiveTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / ("code_archive_" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    fs::create_directory(folder_);
    fs::permissions(folder_, fs::perms::owner_all);
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path file() const { return folder_ / "one.code"; }
  std::unique_ptr<CodeArchive> open(std::string_view identity = "this build") {
    auto archive = CodeArchive::open(file(), identity, kLimits);
    EXPECT_TRUE(archive.ok()) << archive.error().message;
    return std::move(*archive);
  }
  std::string contents() const {
    std::ifstream in(file(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  void write(const std::string& bytes) const { std::ofstream(file(), std::ios::binary) << bytes; }
  static bool holds(CodeArchive& archive, uint64_t key = 9) {
    return archive.find(0x1000, key, true, [](const ArchivedUnit&) { return true; }).has_value();
  }

  fs::path folder_;
  Parts parts_;
};

TEST_F(CodeArchiveTest, WhatWasAddedIsThereNextTime) {
  auto first = open();
  first->add(parts_.unit());
  EXPECT_FALSE(holds(*first)) << "what this process made it has";
  ASSERT_TRUE(first->save().ok());
  auto second = open();
  const auto unit = second->find(0x1000, 9, true, [](const ArchivedUnit&) { return true; });
  ASSERT_TRUE(unit.has_value());
  EXPECT_TRUE(std::ranges::equal(unit->guest, parts_.guest));
  EXPECT_TRUE(std::ranges::equal(unit->code, parts_.code));
  EXPECT_TRUE(std::ranges::equal(unit->homes, parts_.homes));
  EXPECT_TRUE(std::ranges::equal(unit->pages, parts_.pages));
  EXPECT_EQ(unit->relocations.size(), parts_.relocations.size());
  EXPECT_EQ(unit->entry_at, 12u);
  EXPECT_FALSE(holds(*second, 8)) << "another mode";
  EXPECT_FALSE(second->find(0x1000, 9, false, [](const ArchivedUnit&) { return true; })) << "another tier";
  EXPECT_FALSE(second->find(0x1000, 9, true, [](const ArchivedUnit&) { return false; })) << "other bytes";
  EXPECT_EQ(second->counts().loaded, 1u);
  EXPECT_EQ(second->counts().used, 1u);
}

TEST_F(CodeArchiveTest, CodeFromTheSameBytesTakesTheOldOnesPlace) {
  auto first = open();
  first->add(parts_.unit());
  ASSERT_TRUE(first->save().ok());
  auto second = open();
  parts_.code.back() = 0xcc;
  second->add(parts_.unit());
  ASSERT_TRUE(second->save().ok());
  auto third = open();
  EXPECT_EQ(third->counts().loaded, 1u);
  const auto unit = third->find(0x1000, 9, true, [](const ArchivedUnit&) { return true; });
  ASSERT_TRUE(unit.has_value());
  EXPECT_EQ(unit->code.back(), 0xcc);
}

TEST_F(CodeArchiveTest, AnotherIdentityFindsNothing) {
  auto first = open();
  first->add(parts_.unit());
  ASSERT_TRUE(first->save().ok());
  EXPECT_EQ(open("that build")->counts().loaded, 0u);
}

TEST_F(CodeArchiveTest, AFileThatOthersMayWriteToIsRefused) {
  auto first = open();
  first->add(parts_.unit());
  ASSERT_TRUE(first->save().ok());
  fs::permissions(file(), fs::perms::others_write, fs::perm_options::add);
  const auto archive = CodeArchive::open(file(), "this build", kLimits);
  ASSERT_FALSE(archive.ok());
  EXPECT_NE(archive.error().message.find("others may write"), std::string::npos) << archive.error().message;
}

TEST_F(CodeArchiveTest, AFolderThatCannotBeMadeSaysWhy) {
  const auto folder = CodeArchiveFolder::open("/proc/nothing/here");
  ASSERT_FALSE(folder.ok());
  EXPECT_NE(folder.error().message.find("/proc/nothing/here"), std::string::npos) << folder.error().message;
}

// Every byte of a file counts: one that is damaged anywhere gives the units that are whole, and never another one.
TEST_F(CodeArchiveTest, ADamagedByteLosesAtMostWhatItIsIn) {
  auto first = open();
  first->add(parts_.unit(1));
  first->add(parts_.unit(2));
  ASSERT_TRUE(first->save().ok());
  const std::string whole = contents();
  const auto record_of = [&](uint64_t key) {
    const std::vector<uint8_t> record = write_record(parts_.unit(key));
    const size_t at = whole.find(std::string(record.begin(), record.end()));
    EXPECT_NE(at, std::string::npos);
    return std::pair{at, at + record.size()};
  };
  const std::map<uint64_t, std::pair<size_t, size_t>> records{{1, record_of(1)}, {2, record_of(2)}};
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x41);
    write(damaged);
    auto archive = open();
    unsigned found = 0;
    for (uint64_t key : {1u, 2u}) {
      const auto unit = archive->find(0x1000, key, true, [](const ArchivedUnit&) { return true; });
      const bool in_other = at >= records.at(3 - key).first && at < records.at(3 - key).second;
      ASSERT_TRUE(unit || !in_other) << "byte " << at << " is the other unit's";
      if (!unit) continue;
      ++found;
      ASSERT_TRUE(std::ranges::equal(unit->code, parts_.code)) << "byte " << at;
    }
    ASSERT_LT(found, 2u) << "byte " << at << " is not looked at";
  }
  for (size_t bytes = 0; bytes < whole.size(); bytes += 7) {
    write(whole.substr(0, bytes));
    auto archive = open();
    EXPECT_FALSE(holds(*archive, 1) && holds(*archive, 2)) << bytes << " bytes";
  }
}

// Whatever a record says, reading it stays inside of it.
TEST(CodeRecordFuzz, NoRecordIsReadBeyondItsEnd) {
  const uint64_t seed = test::from_environment("LOCKSTEP_SEED", 1);
  SCOPED_TRACE("LOCKSTEP_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  const Parts parts;
  const std::vector<uint8_t> record = write_record(parts.unit());
  ASSERT_TRUE(read_record(record, kLimits).has_value());
  unsigned taken = 0;
  for (unsigned round = 0; round < 200'000; ++round) {
    std::vector<uint64_t> words((random() % 8 == 0 ? random() % record.size() : record.size()) / 8);
    std::memcpy(words.data(), record.data(), words.size() * 8);
    auto* bytes = reinterpret_cast<uint8_t*>(words.data());
    for (unsigned k = 0; k <= random() % 3 && !words.empty(); ++k) {
      bytes[random() % (words.size() * 8)] = static_cast<uint8_t>(random() % 4 == 0 ? random() : random() % 9);
    }
    const auto unit = read_record({bytes, words.size() * 8}, kLimits);
    if (!unit) continue;
    ++taken;
    for (const Relocation& r : unit->relocations) {
      ASSERT_LE(r.at + r.size_bytes(), unit->code.size());
      if (r.kind == Relocation::Kind::kLink) {
        ASSERT_LT(r.index, unit->links.size());
      }
      if (r.kind == Relocation::Kind::kMapping) {
        ASSERT_TRUE(unit->is_region != 0 && r.index < unit->pages.size());
      }
    }
    for (const HandOver& h : unit->hand_overs) ASSERT_LE(h.first_home + h.homes, unit->homes.size());
    ASSERT_TRUE(unit->is_region != 0 || unit->blocks.size() == 1);
    ASSERT_EQ(std::set<uint64_t>(unit->pages.begin(), unit->pages.end()).size(), unit->pages.size());
  }
  EXPECT_GT(taken, 1000u) << "some changes do no harm";
}

// Two engines, one after the other, with one folder between them.
struct GuestRun {
  GuestRun(const fs::path& path, unsigned constant) : folder(CodeArchiveFolder::open(path).value()) {
    engine = make_jit_engine(machine.hart, {.threads = 0, .threshold = 8, .archives = folder}).value();
    machine.bus.engine = engine.get();
    const auto program = assemble({"addi a1,zero,100", "addi a0,zero,0", "1: addi a0,a0," + std::to_string(constant),
                                   "addi a1,a1,-1", "bne a1,zero,1b", "2: jal zero,2b"},
                                  isa::riscv64::kRamBase);
    for (const AssembledInstruction& i : program->instructions) machine.bus.poke(i.pc, i.word);
    machine.hart.s().pc = isa::riscv64::kRamBase;
    engine->run(1000);
  }
  uint64_t sum() { return machine.hart.s().x[10]; }
  std::map<std::string, uint64_t> counters() {
    std::map<std::string, uint64_t> all;
    for (const core::EngineCounter& c : engine->report().counters) all[std::string(c.name)] = c.value;
    return all;
  }

  std::shared_ptr<CodeArchiveFolder> folder;
  isa::riscv64::BareMachine machine;
  std::unique_ptr<core::Engine> engine;
};

TEST_F(CodeArchiveTest, ASecondRunTranslatesNothing) {
  GuestRun cold(folder_, 7);
  EXPECT_EQ(cold.sum(), 700u);
  EXPECT_GT(cold.counters()["regions_translated"], 0u);
  ASSERT_TRUE(cold.folder->save().ok());
  GuestRun warm(folder_, 7);
  EXPECT_EQ(warm.sum(), 700u);
  EXPECT_EQ(warm.counters()["blocks_translated"], 0u);
  EXPECT_EQ(warm.counters()["regions_translated"], 0u);
  EXPECT_EQ(warm.counters()["regions_restored"], cold.counters()["regions_translated"]);
}

TEST_F(CodeArchiveTest, AGuestThatChangedRunsItsOwnCode) {
  GuestRun cold(folder_, 7);
  ASSERT_TRUE(cold.folder->save().ok());
  GuestRun other(folder_, 9);
  EXPECT_EQ(other.sum(), 900u);
  EXPECT_EQ(other.counters()["regions_restored"], 1u) << "the loop at the end, which is as it was";
  EXPECT_GT(other.counters()["regions_translated"], 0u) << "asking early for a region does not keep it from its own";
}

}  // namespace
}  // namespace lockstep::jit
