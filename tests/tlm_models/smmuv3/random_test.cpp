// SPDX-License-Identifier: Apache-2.0
// Random worlds of tables, judged by the reference walker: address, attributes, verdict, every field of the event, and
// the updates of descriptors. LOCKSTEP_SEED chooses the first world, LOCKSTEP_WORLDS how many follow.
#include "tests/core/seed.h"
#include "tests/tlm_models/smmuv3/reference_bridge.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

constexpr unsigned kWorlds = 1500;
constexpr unsigned kTransactions = 60;

uint64_t worlds() { return test::from_environment("LOCKSTEP_WORLDS", kWorlds); }

// One world: false after a difference, with the failure reported.
bool run_world(uint64_t seed, bool cached, bool secure, Tally& tally) {
  std::mt19937_64 random(seed);
  Config config = random_config(random, cached);
  if (secure) {
    config.stage1 = true;
    config = secure_side(config);
  }
  EXPECT_TRUE(check(config).ok());
  ComparedWorld world(config, random, cached, !cached && random() % 4 != 0);
  for (unsigned i = 0; i < kTransactions; ++i) {
    const std::string difference = world.step(random);
    if (difference.empty()) continue;
    ADD_FAILURE() << "LOCKSTEP_SEED=" << seed << " LOCKSTEP_WORLDS=1 transaction " << i << (cached ? " cached" : "")
                  << difference;
    return false;
  }
  EXPECT_EQ(world.bench.smmu.stalled_transactions(), 0u);
  tally.add(world.tally);
  return true;
}

void run_worlds(bool cached, bool secure) {
  const uint64_t first = test::seed();
  Tally tally;
  for (unsigned i = 0; i < worlds(); ++i)
    if (!run_world(first + i, cached, secure, tally)) break;
  tally.print();
  tally.expect_variety();
}

TEST(SmmuRandom, WithoutCachesEqualsTheReference) { run_worlds(false, false); }

TEST(SmmuRandom, WithCachesEqualsTheReferenceWhileTablesStand) { run_worlds(true, false); }

// Memory full of noise: every structure and descriptor is garbage, and what little of it is legal is walked.
TEST(SmmuRandom, NoiseEqualsTheReference) {
  const uint64_t first = test::seed();
  Tally tally;
  for (unsigned i = 0; i < worlds() / 5; ++i) {
    std::mt19937_64 random(first + i);
    Config config = random_config(random, false);
    if (random() % 4 == 0) {
      config.stage1 = true;
      config = secure_side(config);
    }
    ComparedWorld world(config, random, false, false);
    world.world.streams.resize(1);
    world.world.streams[0].substreams = {static_cast<uint32_t>(random() % 64)};
    world.bench.memory.memory = {};
    world.bench.memory.memory.noise = random() | 1;
    world.shadow = world.bench.memory.memory;
    // The same table base as before, now over noise; another stream each time. The bits without which nothing is legal
    // are set in most entries of linear tables, and in what they point at.
    const unsigned log2size = std::min(world.registers.strtab_base_cfg & 63, config.stream_id_bits);
    for (uint64_t stream = 0; stream >> log2size == 0 && stream < 256; ++stream) {
      if (random() % 8 == 0) continue;
      const uint64_t ste = world.registers.strtab_base + stream * 64;
      world.put64(ste, (world.shadow.get64(ste) & ~(uint64_t{1} << 63 | uint64_t{1} << 62)) | 9);
      world.put64(ste + 16, world.shadow.get64(ste + 16) | uint64_t{1} << 51);
      const uint64_t cd = world.shadow.get64(ste) & 0xfffffffffffc0;
      world.put64(cd, world.shadow.get64(cd) | uint64_t{1} << 31 | uint64_t{1} << 41 | uint64_t{6} << 32);
    }
    for (unsigned t = 0; t < 400; ++t) {
      Transaction transaction = world.draw(random);
      transaction.stream_id = static_cast<uint32_t>(random() % (uint64_t{1} << log2size));
      if (random() % 2) transaction.address &= 0xffffffff;
      const std::string difference = world.step(transaction);
      if (difference.empty()) continue;
      ADD_FAILURE() << "LOCKSTEP_SEED=" << first + i << " LOCKSTEP_WORLDS=5 transaction " << t << difference;
      return;
    }
    tally.add(world.tally);
  }
  tally.print();
}

TEST(SmmuRandom, SecureSideWithoutCaches) { run_worlds(false, true); }

TEST(SmmuRandom, SecureSideWithCaches) { run_worlds(true, true); }

}  // namespace
}  // namespace lockstep::tlm_models::smmuv3
