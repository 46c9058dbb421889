// SPDX-License-Identifier: Apache-2.0
// The model with all caches on, in random worlds whose tables change with and without invalidations: the judge, who
// has no caches, must allow everything that it does. LOCKSTEP_SEED chooses the first world, LOCKSTEP_WORLDS how many.
#include <gtest/gtest.h>

#include <cinttypes>
#include <cstdio>

#include "tests/core/seed.h"
#include "tests/smmu_rtl_bridge/oracle/drawn_world.h"
#include "tests/tlm_models/smmuv3/reference_bridge.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

namespace ref = smmuv3_reference;
using Random = std::mt19937_64;
using Id = core_smmu::RegisterId;

constexpr unsigned kWorlds = 400;
constexpr unsigned kRounds = 25;
constexpr unsigned kBurst = 8;

struct Totals {
  JudgeStatistics statistics;
  void add(const JudgeStatistics& one) {
    statistics.answers += one.answers;
    statistics.one_outcome += one.one_outcome;
    statistics.several_outcomes += one.several_outcomes;
    statistics.undecided += one.undecided;
    statistics.events += one.events;
    statistics.updates += one.updates;
    statistics.commands += one.commands;
    statistics.evaluations += one.evaluations;
    for (const auto& [name, count] : one.by_rule) statistics.by_rule[name] += count;
  }
  void print() const {
    std::printf("  %" PRIu64 " answers, %" PRIu64 " with one outcome, %" PRIu64 " with several, %" PRIu64
                " undecided, %" PRIu64 " events, %" PRIu64 " updates, %" PRIu64 " commands, %" PRIu64 " evaluations\n",
                statistics.answers, statistics.one_outcome, statistics.several_outcomes, statistics.undecided,
                statistics.events, statistics.updates, statistics.commands, statistics.evaluations);
    for (const auto& [name, count] : statistics.by_rule) std::printf("  %-26s %" PRIu64 "\n", name.c_str(), count);
  }
};

struct RandomWorld : Software {
  RandomWorld(const core_smmu::Config& config, Random& random, bool cacheable) : Software(config) {
    world = draw_world(config, random, cacheable);
    memory = world.memory;
    for_each_page(world, [this](uint64_t page, const auto& bytes, bool broken) {
      judge.software_wrote(page, bytes.data(), bytes.size());
      if (broken) judge.page_broken(page, true);
    });
    set(Id::kStrtabBase, world.strtab_base);
    set(Id::kStrtabBaseCfg, world.strtab_base_cfg);
    set(Id::kCr2, random());
    set(Id::kGbpa, (random() & 0x1fff1f & (random() % 4 ? ~(1u << 20) : ~0u)) | core_smmu::kGbpaUpdate);
    set(Id::kCr1, random());
    start_queues();
    if (random() % 20 != 0) enable();
  }

  ClientAccess draw(Random& random) const {
    const ref::World::Stream& stream = world.streams[random() % world.streams.size()];
    ClientAccess t;
    t.stream_id =
        random() % 30 ? stream.id : static_cast<uint32_t>(random() % (uint64_t{2} << smmu.config().stream_id_bits));
    t.substream_valid = !stream.substreams.empty() ? random() % 2 : random() % 20 == 0;
    if (t.substream_valid)
      t.substream_id = stream.substreams.empty() ? 0 : stream.substreams[random() % stream.substreams.size()];
    t.address = stream.addresses[random() % stream.addresses.size()];
    if (random() % 3 == 0) t.address ^= random() % 4096;
    if (random() % 12 == 0) t.address ^= uint64_t{1} << random() % 64;
    t.write = random() % 3 == 0;
    t.atomic = t.write && random() % 4 == 0;
    t.instruction = random() % 4 == 0;
    t.privileged = random() % 2;
    t.attributes = to_pins(core_smmu::random_attributes(random));
    return t;
  }

  // Stalls end somehow; events are taken.
  void tidy(Random& random) {
    for (const core_smmu::EventRecord& record : take_events()) {
      if (!(record[1] >> 31 & 1)) continue;
      const uint64_t named = record[0] >> 32 << 32;
      switch (random() % 3) {
        case 0:
          command(0x45 | named);
          break;
        case 1:
          command(0x44 | named | (random() % 2) << 13, record[1] & 0xffff);
          break;
        default:
          command(0x44 | named | 1 << 12, record[1] & 0xffff);
          command(0x45 | named);
          break;
      }
    }
  }

  ref::World world;
};

::testing::AssertionResult clean(const Judge& judge, uint64_t seed) {
  if (judge.failures().empty()) return ::testing::AssertionSuccess();
  const Failure& first = judge.failures().front();
  return ::testing::AssertionFailure() << "LOCKSTEP_SEED=" << seed << " LOCKSTEP_WORLDS=1: " << first.rule << " at "
                                       << first.sequence << ": " << first.text;
}

uint64_t worlds() { return test::from_environment("LOCKSTEP_WORLDS", kWorlds); }

void let_stand(uint64_t seed, Totals& totals) {
  Random random(seed);
  const bool cached = random() % 2;
  const core_smmu::Config config = core_smmu::random_config(random, cached);
  RandomWorld world(config, random, cached);
  for (unsigned t = 0; t < 60; ++t) {
    world.access(world.draw(random));
    if (t % 8 == 7) world.tidy(random);
  }
  world.tidy(random);
  world.judge.quiet();
  totals.add(world.judge.statistics());
  ASSERT_TRUE(clean(world.judge, seed));
  // Damage may have made a contiguous hint that lies.
  if (cached) {
    ASSERT_EQ(world.judge.statistics().several_outcomes, 0u) << "LOCKSTEP_SEED=" << seed << " LOCKSTEP_WORLDS=1";
  }
}

// Tables stand still: the judge has one outcome for everything.
TEST(OracleRandom, StandingTablesHaveOneOutcome) {
  const uint64_t first = test::seed();
  Totals totals;
  for (unsigned i = 0; i < worlds() && !HasFatalFailure(); ++i) let_stand(first + i, totals);
  totals.print();
}

void change_and_invalidate(RandomWorld& world, Random& random) {
  const ref::World::Descriptor& d = world.world.descriptors[random() % world.world.descriptors.size()];
  uint64_t value = world.memory.get64(d.place);
  if (d.big) value = __builtin_bswap64(value);
  value = ref::changed(random, value, d);
  world.put64(d.place, d.big ? __builtin_bswap64(value) : value);
  const uint64_t vmid = uint64_t{d.vmid} << 32, asid = uint64_t{d.asid} << 48, page = d.input & ~uint64_t{0xfff};
  switch (random() % 12) {
    case 0:
      world.command(0x12 | vmid | asid, page | (d.leaf ? random() % 2 : 0));
      break;
    case 1:
      world.command(0x13 | vmid, page | (d.leaf ? random() % 2 : 0));
      break;
    case 2:
      world.command(0x2a | vmid, page & 0xffffffffff000);
      break;
    case 3:
      world.command(0x28 | vmid);
      break;
    case 4:
      world.command(0x10 | vmid);
      break;
    case 5:
      world.command(0x11 | vmid | asid);
      break;
    case 6:
      world.command(0x30);
      break;
    case 7:
      world.command(0x20);
      break;
    case 8:
      world.command(0x22 | asid, page);
      break;
    case 9:
      world.command(0x04, 31);
      break;
    default:
      break;
  }
  if (random() % 3 != 0) world.sync();
}

void let_change(uint64_t seed, Totals& totals) {
  Random random(seed);
  const core_smmu::Config config = core_smmu::random_config(random, true);
  RandomWorld world(config, random, true);
  if (world.world.descriptors.empty()) return;
  for (unsigned round = 0; round < kRounds; ++round) {
    for (unsigned burst = 0; burst < kBurst; ++burst) world.access(world.draw(random));
    world.tidy(random);
    if (world.smmu.read_register(0x60, 4) != world.smmu.read_register(0x64, 4)) {
      // A command of a feature that is off: skip it.
      world.set(Id::kCmdqProd, world.get(Id::kCmdqCons) & 0x7f);
      world.set(Id::kGerrorN, world.get(Id::kGerror));
    }
    change_and_invalidate(world, random);
    if (random() % 3 == 0) world.judge.quiet();
  }
  world.judge.quiet();
  totals.add(world.judge.statistics());
  ASSERT_TRUE(clean(world.judge, seed));
}

// Tables change, often without the invalidation that they need: what the caches then do is within the freedoms.
TEST(OracleRandom, ChangesWithAndWithoutInvalidationAreWithinTheFreedoms) {
  const uint64_t first = test::seed();
  Totals totals;
  for (unsigned i = 0; i < worlds() && !HasFatalFailure(); ++i) let_change(first + i, totals);
  totals.print();
}

// Worlds in which judge, model or this test were once wrong. corners_test.cpp has most of the reasons one by one.
TEST(OracleRandom, WorldsThatWereOnceWrong) {
  Totals totals;
  for (const uint64_t seed : {770780895, 9012379}) let_stand(seed, totals);
  for (const uint64_t seed :
       {700388, 1600369, 1800299, 2000006, 5000437, 5011359, 5012396, 5017006, 5019395, 8900993, 14400688})
    let_change(seed, totals);
}

}  // namespace
}  // namespace lockstep::smmu_rtl_bridge
