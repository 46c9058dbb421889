// SPDX-License-Identifier: Apache-2.0
// Tables change while the caches are full: after the narrowest command that covers a change, the model must agree with
// the reference again, which has no caches. Every invalidation command is drawn, with ranges and level hints.
#include <gtest/gtest.h>

#include <map>

#include "tests/core/seed.h"
#include "tests/smmuv3_reference/world.h"
#include "tests/tlm_models/smmuv3/reference_bridge.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

namespace ref = smmuv3_reference;
using Random = std::mt19937_64;
using Id = RegisterId;

constexpr unsigned kWorlds = 600;
constexpr unsigned kRounds = 25;
constexpr unsigned kBurst = 8;

struct Command {
  const char* name;
  uint64_t low, high;
};

// TG, TTL, NUM and SCALE for one address or a range around it, or none of them.
Command by_address(Random& random, const char* name, unsigned opcode, const ref::World::Descriptor& d, bool leaf_hint,
                   uint64_t tags) {
  Command command{name, opcode | tags, d.input & ~uint64_t{0xfff}};
  if (d.leaf && leaf_hint && random() % 2) command.high |= 1;
  if (random() % 2) {
    const auto granule = static_cast<uint64_t>((d.granule - 10) / 2);
    command.high |= granule << 10;
    const bool hint = d.leaf && d.level > 0 && !(d.granule == 14 && d.level == 1) && random() % 2;
    if (hint) command.high |= static_cast<uint64_t>(d.level) << 8;
    // Addresses of hinted or ranged invalidations are aligned to the leaf, or to the granule.
    const uint64_t unit = hint ? d.size : uint64_t{1} << d.granule;
    command.high = (command.high & 0xfff) | (d.input & ~(unit - 1) & ~uint64_t{0xfff});
    if (!hint || random() % 2) {
      // A range that reaches the address, beginning a few granules before it.
      // Ranges do not wrap, so they cannot begin below zero.
      const uint64_t back = std::min<uint64_t>(random() % 4, d.input >> d.granule);
      const uint64_t start = (d.input & ~(unit - 1)) - (hint ? 0 : back << d.granule);
      command.high = (command.high & 0xfff) | (start & ~uint64_t{0xfff});
      const uint64_t scale = 1 + random() % 3;
      command.low |= scale << 20 | (random() % 8 + 2) << 12;
    }
  }
  return command;
}

std::vector<Command> covering(Random& random, const ref::World::Descriptor& d, bool e2h) {
  const uint64_t vmid = uint64_t{d.vmid} << 32, asid = uint64_t{d.asid} << 48;
  const Command all{"NSNH_ALL", 0x30, 0};
  if (d.stage2) {
    const Command s12{"S12_VMALL", 0x28 | vmid, 0};
    switch (random() % 4) {
      case 0:
        return {all};
      case 1:
        return {s12};
      default: {
        const Command nested{"NH_ALL", 0x10 | vmid, 0};
        if (!d.leaf) return {s12};
        return {by_address(random, "S2_IPA", 0x2a, d, true, vmid), nested};
      }
    }
  }
  if (d.regime == 1) {
    const Command el2{"EL2_ALL", 0x20, 0};
    if (!d.leaf) return {random() % 2 && e2h ? Command{"EL2_ASID", 0x21 | asid, 0} : el2};
    switch (random() % 4) {
      case 0:
        return {el2};
      case 1:
        return {e2h ? Command{"EL2_ASID", 0x21 | asid, 0} : el2};
      case 2:
        return {by_address(random, "EL2_VA", 0x22, d, true, asid)};
      default:
        return {by_address(random, "EL2_VAA", 0x23, d, true, 0)};
    }
  }
  switch (random() % (d.leaf ? 7 : 4)) {
    case 0:
      return {all};
    case 1:
      return {{"NH_ALL", 0x10 | vmid, 0}};
    case 2:
    case 3:
      return {{"NH_ASID", 0x11 | vmid | asid, 0}};
    case 4:
    case 5:
      return {by_address(random, "NH_VA", 0x12, d, true, vmid | asid)};
    default:
      return {by_address(random, "NH_VAA", 0x13, d, true, vmid)};
  }
}

// Changes a stream table entry or a context descriptor in what no TLB may keep, and draws a command that covers it.
Command change_structure(Random& random, ComparedWorld& world) {
  const ref::World::Stream& stream = world.world.streams[random() % world.world.streams.size()];
  const uint64_t named = uint64_t{stream.id} << 32;
  const uint64_t range = random() % 4;
  const Command wide[] = {
      {"CFGI_STE", 0x03 | named, random() % 2}, {"CFGI_RANGE", 0x04 | named, range}, {"CFGI_ALL", 0x04, 31}};
  if (stream.contexts.empty() || random() % 2) {
    // PRIVCFG and INSTCFG, S2R, or the whole entry.
    static const unsigned kBits[] = {64 + 48, 64 + 50, 64 + 51, 128 + 58, 0};
    const unsigned bit = kBits[random() % 5];
    const uint64_t place = stream.entry + bit / 64 * 8;
    world.put64(place, world.shadow.get64(place) ^ uint64_t{1} << bit % 64);
    return wide[random() % 3];
  }
  const auto& [index, place] = stream.contexts[random() % stream.contexts.size()];
  // R, or V.
  world.put64(place, world.shadow.get64(place) ^ uint64_t{1} << (random() % 4 ? 45 : 31));
  switch (random() % 4) {
    case 0:
      return wide[random() % 3];
    case 1:
      return {"CFGI_CD_ALL", 0x06 | named, 0};
    default:
      return {"CFGI_CD", 0x05 | named | uint64_t{index} << 12, random() % 2};
  }
}

bool run_world(uint64_t seed, std::map<std::string, unsigned>& drawn, uint64_t& passes) {
  Random random(seed);
  Config config = random_config(random, true);
  config.tlb = config.stage1_walk_cache = config.stage2_cache = config.config_cache = true;
  config.tlb_sets_log2 = static_cast<unsigned>(4 + random() % 4);
  ComparedWorld world(config, random, true, false);
  if (!world.world.descriptors.size()) return true;
  const bool e2h = world.bench.read(Id::kCr2) & kCr2E2h;
  // Stage 2 leads somewhere else than the world was built for: maybe to another stream's context descriptors, which
  // then two streams may keep while a command names one.
  bool remapped = false;
  for (unsigned round = 0; round < kRounds; ++round) {
    for (unsigned i = 0; i < kBurst; ++i) {
      const std::string difference = world.step(random);
      if (!difference.empty()) {
        ADD_FAILURE() << "LOCKSTEP_SEED=" << seed << " LOCKSTEP_WORLDS=1 round " << round << difference;
        return false;
      }
    }
    if (random() % 4 == 0) {
      const Command command = change_structure(random, world);
      ++drawn[command.name];
      EXPECT_TRUE(world.bench.command(command.low, command.high)) << command.name;
      if (remapped) world.bench.command(0x04, 31);
      world.bench.command(0x46);
      continue;
    }
    const ref::World::Descriptor& d = world.world.descriptors[random() % world.world.descriptors.size()];
    uint64_t value = world.shadow.get64(d.place);
    if (d.big) value = __builtin_bswap64(value);
    const uint64_t before = value;
    value = ref::changed(random, value, d);
    remapped |= d.stage2 && ((value ^ before) & ref::kChangedOutput);
    world.put64(d.place, d.big ? __builtin_bswap64(value) : value);
    for (const Command& command : covering(random, d, e2h)) {
      if (!legal_command({command.low, command.high}, config)) {
        // A feature that is off: everything goes.
        world.bench.smmu.drop_cached_translations();
        continue;
      }
      ++drawn[command.name];
      EXPECT_TRUE(world.bench.command(command.low, command.high)) << command.name;
    }
    // Context descriptors that were fetched through a changed page may be stale too.
    if (d.stage2) world.bench.command(0x04, 31);
    world.bench.command(0x46);
  }
  passes += world.tally.verdicts[0];
  return true;
}

TEST(SmmuInvalidation, NarrowestCommandsMakeChangesSeen) {
  const uint64_t first = test::seed();
  std::map<std::string, unsigned> drawn;
  uint64_t passes = 0;
  const uint64_t worlds = test::from_environment("LOCKSTEP_WORLDS", kWorlds);
  for (unsigned i = 0; i < worlds; ++i)
    if (!run_world(first + i, drawn, passes)) break;
  for (const auto& [name, count] : drawn) std::printf("  %-12s %u\n", name.c_str(), count);
  std::printf("  %llu transactions passed\n", static_cast<unsigned long long>(passes));
  if (worlds < kWorlds) return;
  EXPECT_GT(passes, 1000u);
  for (const char* name :
       {"CFGI_ALL", "CFGI_CD", "CFGI_CD_ALL", "CFGI_RANGE", "CFGI_STE", "EL2_ALL", "EL2_ASID", "EL2_VA", "EL2_VAA",
        "NH_ALL", "NH_ASID", "NH_VA", "NH_VAA", "NSNH_ALL", "S12_VMALL", "S2_IPA"})
    EXPECT_GT(drawn[name], 10u) << name;
}

}  // namespace
}  // namespace lockstep::tlm_models::smmuv3
