// SPDX-License-Identifier: Apache-2.0
// Random worlds of tables, judged by the reference walker: address, attributes, verdict, every field of the event, and
// the updates of descriptors. LOCKSTEP_SEED chooses the first world, LOCKSTEP_WORLDS how many follow.
#include "tests/core/seed.h"
#include "tests/tlm_models/smmuv3/reference_bridge.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

constexpr unsigned kWorlds = 1500;
constexpr unsigned kTransactions = 60;

unsigned worlds() {
  const char* given = std::getenv("LOCKSTEP_WORLDS");
  return given ? static_cast<unsigned>(std::strtoul(given, nullptr, 0)) : kWorlds;
}

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
}

TEST(SmmuRandom, WithoutCachesEqualsTheReference) { run_worlds(false, false); }

TEST(SmmuRandom, WithCachesEqualsTheReferenceWhileTablesStand) { run_worlds(true, false); }

TEST(SmmuRandom, SecureSideWithoutCaches) { run_worlds(false, true); }

TEST(SmmuRandom, SecureSideWithCaches) { run_worlds(true, true); }

}  // namespace
}  // namespace lockstep::tlm_models::smmuv3
