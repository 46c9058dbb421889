// SPDX-License-Identifier: Apache-2.0
// An evaluator that remembers answers says what one says that has never seen the access, in random worlds whose tables
// and registers change. LOCKSTEP_SEED chooses the first world.
#include "smmu_rtl_bridge/oracle/steady_answers.h"

#include <gtest/gtest.h>

#include "smmu_rtl_bridge/model_pins.h"
#include "smmu_rtl_bridge/oracle/evaluation.h"
#include "tests/core/seed.h"
#include "tests/smmu_rtl_bridge/oracle/drawn_world.h"
#include "tests/tlm_models/smmuv3/reference_bridge.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

namespace ref = smmuv3_reference;
using Random = std::mt19937_64;

constexpr unsigned kWorlds = 60;
constexpr unsigned kAccesses = 300;

struct ChangingWorld {
  ChangingWorld(const core_smmu::Config& config, Random& random, bool damage) {
    world = draw_world(config, random, !damage);
    for_each_page(world, [&](uint64_t page, const auto& bytes, bool broken) {
      memory.write(page, bytes.data(), bytes.size(), now);
      if (broken) memory.set_broken(page, true, now);
    });
    memory.forget_history();
    set_control(random);
  }

  void set_control(Random& random) {
    control.number = next_control++;
    control.cr0 = random() % 20 ? core_smmu::kCr0SmmuEnable : 0;
    control.gbpa = static_cast<uint32_t>(random()) & 0x1fff1f;
    control.cr1 = random() & 0xfff;
    control.cr2 = random() & 7;
    control.strtab_base = world.strtab_base;
    control.strtab_base_cfg = world.strtab_base_cfg;
  }

  // From few pages, so that they are met again, by their different parts.
  void draw_pool(Random& random) {
    pool.clear();
    for (unsigned i = 0; i < 12; ++i) {
      const ref::World::Stream& stream = world.streams[random() % world.streams.size()];
      ClientAccess one;
      one.stream_id = stream.id;
      one.substream_valid = !stream.substreams.empty() && random() % 2;
      if (one.substream_valid) one.substream_id = stream.substreams[random() % stream.substreams.size()];
      one.address = stream.addresses[random() % stream.addresses.size()];
      one.privileged = random() % 2;
      one.attributes = to_pins(core_smmu::random_attributes(random));
      pool.push_back(one);
    }
  }
  ClientAccess draw(Random& random) {
    ClientAccess one = pool[random() % pool.size()];
    one.address ^= random() % 4096;
    one.write = random() % 8 == 0;
    one.instruction = random() % 8 == 0;
    return one;
  }

  void change(Random& random) {
    switch (random() % 64) {
      case 0:
        set_control(random);
        break;
      case 1:
        memory.set_broken(world.structures[random() % world.structures.size()], random() % 2, now);
        break;
      case 2:
      case 3: {
        const uint64_t place = world.structures[random() % world.structures.size()];
        const uint64_t value = memory.now(place) ^ uint64_t { 1 } << random() % 64;
        memory.write(place, &value, sizeof value, now);
        break;
      }
      case 4: {
        // Where no table was until now.
        const uint64_t value = random();
        memory.write((random() & 0xff'ffff'f000), &value, sizeof value, now);
        break;
      }
      case 5:
      case 6:
        memory.set_floor(now);
        break;
      case 7:
        memory.forget_history();
        break;
      case 8:
      case 9:
      case 10:
        make_group(random);
        break;
      default:
        break;
    }
  }

  // Leaves that stand for one another, some of them with a bit that means nothing, beside what need be none.
  void make_group(Random& random) {
    constexpr uint64_t kContiguous = uint64_t{1} << 52, kIgnored = uint64_t{1} << 55, kAccessFlag = 1 << 10;
    constexpr uint64_t kGroup = 16, kOutput = (kGroup - 1) << 12;
    const uint64_t place = world.structures[random() % world.structures.size()];
    const uint64_t first = place & ~(kGroup * 8 - 1);
    for (uint64_t i = 0; i < kGroup; ++i) {
      uint64_t value = (memory.now(place) & ~kOutput) | i << 12 | kContiguous | kAccessFlag | 3;
      if (random() % 4 == 0) value |= kIgnored;
      if (random() % 16 != 0) memory.write(first + 8 * i, &value, sizeof value, now);
    }
    if (random() % 2) memory.forget_history();
  }

  ref::World world;
  VersionedMemory memory;
  Control control;
  uint64_t next_control = 0;
  Sequence now = 1;
  std::vector<ClientAccess> pool;
};

void compare(uint64_t seed, uint64_t& remembered) {
  Random random(seed);
  const bool damage = random() % 3 == 0;
  const core_smmu::Config config = core_smmu::random_config(random, !damage);
  ChangingWorld world(config, random, damage);
  const InvalidationLog log(config);
  Evaluator one(config, world.memory, log);
  world.draw_pool(random);
  for (unsigned i = 0; i < kAccesses; ++i) {
    world.now += 2;
    world.change(random);
    const ClientAccess access = world.draw(random);
    // Some accesses were accepted before the latest changes.
    const Sequence accepted = world.now - 1 - std::min<Sequence>(random() % 4 ? 0 : random() % 40, world.now - 2);
    const Window window{accepted, world.now + 1, accepted};
    Evaluator fresh(config, world.memory, log);
    std::vector<Outcome> outcomes, expected;
    const uint64_t before = one.evaluations();
    one.begin_answer();
    const bool decided = one.evaluate(access, world.control, window, outcomes);
    remembered += one.evaluations() == before;
    fresh.begin_answer();
    ASSERT_EQ(fresh.evaluate(access, world.control, window, expected), decided);
    ASSERT_EQ(outcomes.size(), expected.size());
    for (size_t k = 0; k < outcomes.size(); ++k) {
      EXPECT_TRUE(outcomes[k].same_as(expected[k]));
      EXPECT_EQ(outcomes[k].seen, expected[k].seen);
      EXPECT_EQ(outcomes[k].last_descriptor, expected[k].last_descriptor);
      EXPECT_EQ(outcomes[k].two_stages, expected[k].two_stages);
      EXPECT_EQ(outcomes[k].lacks_permission, expected[k].lacks_permission);
    }
    ASSERT_EQ(one.met().size(), fresh.met().size());
    for (size_t k = 0; k < one.met().size(); ++k) {
      EXPECT_EQ(one.met()[k].has_cd, fresh.met()[k].has_cd);
      EXPECT_EQ(one.met()[k].until, fresh.met()[k].until);
      EXPECT_EQ(one.met()[k].ste, fresh.met()[k].ste);
      EXPECT_EQ(one.met()[k].tag, fresh.met()[k].tag);
      if (one.met()[k].has_cd) {
        EXPECT_EQ(one.met()[k].cd, fresh.met()[k].cd);
      }
    }
    ASSERT_EQ(one.fetches().size(), fresh.fetches().size());
    for (size_t k = 0; k < one.fetches().size(); ++k) {
      EXPECT_EQ(one.fetches()[k].address, fresh.fetches()[k].address);
      EXPECT_EQ(one.fetches()[k].attributes, fresh.fetches()[k].attributes);
    }
    ASSERT_FALSE(::testing::Test::HasFailure()) << "LOCKSTEP_SEED=" << seed << ", access " << i;
  }
}

// Two ways to one outcome, by a page that was mapped a moment ago and by a group that was always there: that the second
// is steady is no reason to remember the answer.
TEST(SteadyAnswers, OneSteadyWayOfSeveralIsNotEnough) {
  constexpr uint64_t kStreams = 0x100'0000, kContext = 0x200'0000, kTables = 0x300'0000, kOutput = 0x8000'0000;
  constexpr uint64_t kLeaf = 1 << 10 | 3 << 8 | 1 << 6 | 1, kTable = 3, kContiguous = uint64_t{1} << 52;
  constexpr uint64_t kBlockBytes = 2 << 20;
  core_smmu::Config config;
  config.stall_model = core_smmu::StallModel::kTerminateOnly;
  VersionedMemory memory;
  const auto write = [&](uint64_t address, uint64_t value, Sequence at) {
    memory.write(address, &value, sizeof value, at);
  };
  write(kStreams, kContext | 5 << 1 | 1, 1);  // stage 1
  write(kStreams + 8, uint64_t{1} << 44, 1);  // shareability as it comes
  write(kContext, 25 | 1u << 30 | 1u << 31 | uint64_t{5} << 32 | uint64_t{0x31} << 41,
        1);  // T0SZ 25, IPS 5, AA64, R, A
  write(kContext + 8, kTables, 1);
  write(kContext + 24, ~uint64_t{0}, 1);
  write(kTables, (kTables + 0x1000) | kTable, 1);
  write(kTables + 0x1000, (kTables + 0x2000) | kTable, 1);
  write(kTables + 0x1008, (kOutput + kBlockBytes) | kLeaf | kContiguous, 1);
  memory.forget_history();
  write(kTables + 0x2008, (kOutput + 0x1000) | kLeaf | 2, 6);

  const InvalidationLog log(config);
  Evaluator evaluator(config, memory, log);
  Control control;
  control.cr0 = core_smmu::kCr0SmmuEnable;
  control.strtab_base = kStreams;
  control.strtab_base_cfg = 4;
  ClientAccess access;
  access.address = 0x1000;
  const auto outcomes_when = [&](Sequence accepted) {
    std::vector<Outcome> outcomes;
    evaluator.begin_answer();
    EXPECT_TRUE(evaluator.evaluate(access, control, {accepted, 8, accepted}, outcomes));
    return outcomes;
  };
  const std::vector<Outcome> after = outcomes_when(7);
  ASSERT_EQ(after.size(), 1u);
  EXPECT_EQ(after[0].end, Ends::kPass);
  EXPECT_EQ(after[0].address, kOutput + 0x1000);
  const std::vector<Outcome> before = outcomes_when(5);
  ASSERT_EQ(before.size(), 2u) << "it may have read the page's descriptor when there was none";
  EXPECT_EQ(before[1].end, Ends::kAbort);
}

TEST(SteadyAnswers, AreWhatIsFoundAfresh) {
  const uint64_t first = test::seed();
  uint64_t remembered = 0;
  for (unsigned i = 0; i < kWorlds && !HasFatalFailure(); ++i) compare(first + i, remembered);
  EXPECT_GT(remembered, 2 * kWorlds);
}

}  // namespace
}  // namespace lockstep::smmu_rtl_bridge
