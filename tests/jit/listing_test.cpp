// SPDX-License-Identifier: Apache-2.0
#include "jit/listing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "jit/jit_engine.h"
#include "tests/jit/translated_pattern.h"

namespace lockstep::jit {
namespace {

using isa::riscv64::BareMachine;
using isa::riscv64::kRamBase;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

TEST(Listing, HasNamesInThePlaceOfAddresses) {
  const auto pattern = TranslatedPattern::make({"ld a0,8(a1)", "ecall"});
  ASSERT_TRUE(pattern.ok()) << pattern.message();
  const std::string text = (*pattern)->describe_block(0);
  EXPECT_THAT(text, HasSubstr("[x11]"));
  EXPECT_THAT(text, HasSubstr("[load_tags+"));
  EXPECT_THAT(text, HasSubstr("[frame.address]"));
  EXPECT_THAT(text, HasSubstr("call slow_load_64"));
  EXPECT_THAT(text, HasSubstr("hot|unit"));
  EXPECT_THAT(text, HasSubstr("call call_helper"));
  EXPECT_THAT(text, HasSubstr("; insn 0x80000004"));
  EXPECT_THAT(text, Not(HasSubstr("0x7F00")));  // listing_thunks()
}

TEST(Listing, IsTheSameTwice) {
  const std::vector<std::string> lines = {"1: ld a0,8(a1)", "fadd.d fa0,fa1,fa2", "jalr ra,0(a0)"};
  const auto first = TranslatedPattern::make(lines);
  const auto second = TranslatedPattern::make(lines);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ((*first)->describe_block(0), (*second)->describe_block(0));
  EXPECT_EQ((*first)->describe_region(), (*second)->describe_region());
}

TEST(Listing, TellsTheHotPartFromTheCold) {
  const auto pattern = TranslatedPattern::make({"ld a0,0(a1)"});
  ASSERT_TRUE(pattern.ok());
  const Listing listing = *(*pattern)->first_tier().front();
  EXPECT_THAT(listing.cold, Contains(HasSubstr("call slow_load_64")));
  EXPECT_THAT(listing.hot, Not(Contains(HasSubstr("call"))));
  EXPECT_THAT(listing.entry, Contains(HasSubstr("heat")));
}

// Harts that run beside one another see one another's atomic operations whole; where they take turns that costs
// nothing.
TEST(Listing, AtomicOperationsAreLockedBesideOtherHarts) {
  const std::pair<const char*, const char*> kLocked[] = {
      {"amoswap.w a0,a2,(a1)", "xchg"},
      {"amoadd.d a0,a2,(a1)", "lock xadd qword ptr"},
      {"amoadd.d zero,a2,(a1)", "lock add qword ptr"},
      {"amoand.w zero,a2,(a1)", "lock and dword ptr"},
      {"amoor.d a0,a2,(a1)", "lock cmpxchg qword ptr"},
      {"amomaxu.w zero,a2,(a1)", "lock cmpxchg dword ptr"},
      {"sc.w a0,a2,(a1)", "lock cmpxchg dword ptr"},
      {"lr.d.aqrl a0,(a1)", "lock or dword ptr [frame.descriptor], 0"},
  };
  for (const auto& [line, locked] : kLocked) {
    const auto alone = TranslatedPattern::make({line});
    const auto beside = TranslatedPattern::make({line});
    ASSERT_TRUE(alone.ok() && beside.ok()) << line;
    (*beside)->set_concurrent();
    for (const bool region : {false, true}) {
      const Listing plain = region ? *(*alone)->second_tier() : *(*alone)->first_tier().front();
      const Listing whole = region ? *(*beside)->second_tier() : *(*beside)->first_tier().front();
      EXPECT_THAT(plain.hot, Not(Contains(StartsWith("lock")))) << line;
      EXPECT_THAT(plain.hot, Not(Contains(StartsWith("xchg")))) << line;
      EXPECT_THAT(plain.hot, Not(Contains(StartsWith("call")))) << line;
      EXPECT_THAT(whole.hot, Contains(StartsWith(locked))) << line;
      EXPECT_THAT(whole.hot, Not(Contains(StartsWith("call")))) << line;
    }
  }
}

// For hosts that have AVX and nothing later.
TEST(Listing, BaselineCodeHasNoLaterInstructions) {
  for (const char* line : {"ld a0,0(a1)",
                           "sd a0,8(a1)",
                           "sll a0,a1,a2",
                           "srl a0,a1,a2",
                           "sra a0,a1,a2",
                           "sllw a0,a1,a2",
                           "srlw a0,a1,a2",
                           "sraw a0,a1,a2",
                           "rol a0,a1,a2",
                           "ror a0,a1,a2",
                           "rolw a0,a1,a2",
                           "rorw a0,a1,a2",
                           "rori a0,a1,0x11",
                           "roriw a0,a1,0x7",
                           "clz a0,a1",
                           "clzw a0,a1",
                           "ctz a0,a1",
                           "ctzw a0,a1",
                           "cpop a0,a1",
                           "cpopw a0,a1",
                           "fmadd.d fa0,fa1,fa2,fa3",
                           "fmadd.s fa0,fa1,fa2,fa3",
                           "fmsub.d fa0,fa1,fa2,fa3",
                           "fnmadd.d fa0,fa1,fa2,fa3"}) {
    const auto pattern = TranslatedPattern::make({line});
    ASSERT_TRUE(pattern.ok()) << pattern.message();
    (*pattern)->host = HostFeatures::all().baseline();
    const auto first = (*pattern)->first_tier().front();
    const auto second = (*pattern)->second_tier();
    ASSERT_TRUE(first && second) << line;
    for (const std::string& text : {first->text(), second->text()}) {
      for (const char* later : {"bextr", "shlx", "shrx", "sarx", "rorx", "lzcnt", "tzcnt", "popcnt", "vfm", "vfnm"}) {
        EXPECT_THAT(text, Not(HasSubstr(later))) << line;
      }
    }
  }
}

// A loop that counts a0 down, then one that goes on forever.
struct Countdown {
  explicit Countdown(const JitOptions& options) : engine(make_jit_engine(machine.hart, options).value()) {
    machine.bus.engine = engine.get();
    machine.bus.poke<uint32_t>(kRamBase, 0xfff50513);      // 1: addi a0,a0,-1
    machine.bus.poke<uint32_t>(kRamBase + 4, 0xfe051ee3);  // bne a0,zero,1b
    machine.bus.poke<uint32_t>(kRamBase + 8, 0x0000006f);  // 1: jal zero,1b
    machine.hart.s().x[10] = 1000;
    machine.hart.begin_turn();
    engine->run(3000);
  }
  BareMachine machine;
  std::unique_ptr<core::Engine> engine;
};

TEST(Listing, OfAnEngineShowsItsBlocks) {
  const Countdown run({.tiers = 1, .threads = 0});
  const std::string text = run.engine->describe_code(kRamBase);
  EXPECT_THAT(text, HasSubstr("block at 0x80000000"));
  EXPECT_THAT(text, HasSubstr("add.i64"));
  EXPECT_THAT(text, HasSubstr("; cold"));
  EXPECT_THAT(text, Not(HasSubstr("what is installed")));
  EXPECT_EQ(run.engine->describe_code(kRamBase + 4), text) << "an address in the middle of the block";
}

TEST(Listing, OfAnEngineShowsItsRegions) {
  const Countdown run({.tiers = 2, .threads = 0, .threshold = 10});
  const std::string text = run.engine->describe_code(kRamBase);
  EXPECT_THAT(text, HasSubstr("region at 0x80000000"));
  EXPECT_THAT(text, HasSubstr("; behind the pass forward_state\nblock 0x80000000\n"));
  EXPECT_THAT(text, HasSubstr("pin x10 rbx"));
  EXPECT_THAT(text, Not(HasSubstr("what is installed")));
}

TEST(Listing, OfAnEngineIsEmptyWhereNothingRan) {
  const Countdown run({.tiers = 1, .threads = 0});
  EXPECT_THAT(run.engine->describe_code(kRamBase + 64), IsEmpty());
  EXPECT_THAT(run.engine->describe_code(0x1000), IsEmpty());
}

}  // namespace
}  // namespace lockstep::jit
