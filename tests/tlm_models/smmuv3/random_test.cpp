// SPDX-License-Identifier: Apache-2.0
// Random worlds of tables, judged by the reference walker: address, attributes, verdict, every field of the event, and
// the updates of descriptors. LOCKSTEP_SEED chooses the first world, LOCKSTEP_WORLDS how many follow.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/core/seed.h"
#include "tests/smmuv3_reference/world.h"
#include "tests/tlm_models/smmuv3/bench.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

namespace ref = smmuv3_reference;
using Random = std::mt19937_64;

constexpr unsigned kWorlds = 1500;
constexpr unsigned kTransactions = 60;

unsigned worlds() {
  const char* given = std::getenv("LOCKSTEP_WORLDS");
  return given ? static_cast<unsigned>(std::strtoul(given, nullptr, 0)) : kWorlds;
}

Config random_config(Random& random, bool cached) {
  const auto chance = [&](unsigned percent) { return random() % 100 < percent; };
  Config config;
  static const unsigned kSizes[] = {32, 36, 40, 42, 44, 48, 52};
  config.oas_bits = chance(40) ? 52 : kSizes[random() % 7];
  config.granule_4k = chance(85);
  config.granule_16k = chance(85);
  config.granule_64k = chance(85) || config.oas_bits == 52 || (!config.granule_4k && !config.granule_16k);
  config.va52 = config.granule_64k && chance(60);
  config.stage1 = chance(92);
  config.stage2 = chance(85) || !config.stage1;
  config.hypervisor = chance(80);
  config.ats = chance(80);
  config.pri = config.ats && chance(80);
  config.no_split_stage_ats = chance(20);
  config.asid16 = chance(80);
  config.vmid16 = chance(80);
  config.two_level_cd = chance(85);
  config.force_write_back = chance(80);
  config.small_translation_tables = chance(60);
  config.attribute_types_override = chance(80);
  config.attribute_perms_override = chance(80);
  config.terminate_abort_only = chance(15);
  config.hardware_update = static_cast<HardwareUpdate>(chance(60) ? 2 : random() % 3);
  static const TableEndianness kEndian[] = {TableEndianness::kMixed, TableEndianness::kLittle, TableEndianness::kBig};
  config.table_endianness = kEndian[chance(50) ? 0 : random() % 3];
  config.stall_model = static_cast<StallModel>(chance(60) ? 0 : random() % 3);
  config.stream_id_bits = 8 + random() % 9;
  config.substream_id_bits = chance(85) ? 1 + random() % 20 : 0;
  config.merge_events = false;
  config.tlb = config.stage1_walk_cache = config.stage2_cache = config.config_cache = cached;
  if (cached) {
    config.stage1_walk_cache = chance(70);
    config.stage2_cache = chance(70);
    config.tlb = chance(80);
    config.tlb_sets_log2 = static_cast<unsigned>(random() % 6);
    config.config_cache_log2 = static_cast<unsigned>(random() % 6);
  }
  return config;
}

ref::Attributes to_reference(const MemoryAttributes& a) {
  ref::Attributes r;
  r.device = a.device;
  r.device_type = static_cast<int>(a.device_type);
  const auto level = [](const CacheLevel& l) {
    return ref::Level{static_cast<int>(l.policy), l.read_allocate, l.write_allocate, l.transient};
  };
  r.inner = level(a.inner);
  r.outer = level(a.outer);
  r.shareability = static_cast<int>(a.shareability);
  return r;
}

MemoryAttributes random_attributes(Random& random) {
  MemoryAttributes a;
  if (random() % 4 == 0) return device_attributes(static_cast<DeviceType>(random() % 4));
  for (CacheLevel* level : {&a.inner, &a.outer}) {
    level->policy = static_cast<Cacheability>(1 + random() % 3);
    level->read_allocate = random() % 4 != 0;
    level->write_allocate = random() % 4 != 0;
    level->transient = random() % 4 == 0;
  }
  static const Shareability kShared[] = {Shareability::kNone, Shareability::kOuter, Shareability::kInner};
  a.shareability = kShared[random() % 3];
  return consistent(a);
}

ref::Verdict to_reference(Outcome outcome) {
  switch (outcome) {
    case Outcome::kPass:
      return ref::Verdict::kPass;
    case Outcome::kZeroIgnored:
      return ref::Verdict::kZero;
    case Outcome::kStalled:
      return ref::Verdict::kStall;
    default:
      return ref::Verdict::kAbort;
  }
}

std::string text(const std::array<uint64_t, 4>& words) {
  char buffer[128];
  std::snprintf(buffer, sizeof buffer, "%016llx %016llx %016llx %016llx", static_cast<unsigned long long>(words[0]),
                static_cast<unsigned long long>(words[1]), static_cast<unsigned long long>(words[2]),
                static_cast<unsigned long long>(words[3]));
  return buffer;
}

struct Tally {
  std::map<unsigned, unsigned> events;
  std::map<int, unsigned> verdicts;
  uint64_t transactions = 0;
  uint64_t updates = 0;
};

// One world: false after a difference, with the failure reported.
bool run_world(uint64_t seed, bool cached, Tally& tally) {
  Random random(seed);
  const Config config = random_config(random, cached);
  EXPECT_TRUE(check(config).ok()) << check(config).error().message;
  Bench bench(config);
  ref::WorldOptions options;
  options.seed = random();
  options.idr0 = static_cast<uint32_t>(bench.read(RegisterId::kIdr0));
  options.idr1 = static_cast<uint32_t>(bench.read(RegisterId::kIdr1));
  options.idr3 = static_cast<uint32_t>(bench.read(RegisterId::kIdr3));
  options.idr5 = static_cast<uint32_t>(bench.read(RegisterId::kIdr5));
  options.cacheable = cached;
  options.damage = !cached && random() % 4 != 0;
  const ref::World world = ref::make_world(options);
  bench.memory.memory = world.memory;
  ref::SparseMemory shadow = world.memory;

  bench.write(RegisterId::kStrtabBase, world.strtab_base);
  bench.write(RegisterId::kStrtabBaseCfg, world.strtab_base_cfg);
  bench.write(RegisterId::kCr2, random());
  bench.write(RegisterId::kGbpa, (random() & 0x1f3f1f & (random() % 4 ? ~(1u << 20) : ~0u)) | kGbpaUpdate);
  bench.write(RegisterId::kCr1, random());
  bench.start_queues();
  if (random() % 20 != 0) bench.enable();

  ref::Registers registers;
  registers.idr0 = options.idr0;
  registers.idr1 = options.idr1;
  registers.idr3 = options.idr3;
  registers.idr5 = options.idr5;
  registers.cr0 = static_cast<uint32_t>(bench.read(RegisterId::kCr0Ack));
  registers.cr2 = static_cast<uint32_t>(bench.read(RegisterId::kCr2));
  registers.gbpa = static_cast<uint32_t>(bench.read(RegisterId::kGbpa));
  registers.strtab_base = bench.read(RegisterId::kStrtabBase);
  registers.strtab_base_cfg = static_cast<uint32_t>(bench.read(RegisterId::kStrtabBaseCfg));
  std::vector<std::pair<uint64_t, uint64_t>> shadow_updates;
  const ref::Memory memory{
      [&](uint64_t address, unsigned bytes, uint8_t* data) { return shadow.read(address, data, bytes); },
      [&](uint64_t address, uint64_t value) {
        uint8_t probe;
        if (!shadow.read(address, &probe, 1)) return false;
        shadow.put64(address, value);
        shadow_updates.emplace_back(address, value);
        return true;
      }};

  for (unsigned i = 0; i < kTransactions; ++i) {
    const ref::World::Stream& stream = world.streams[random() % world.streams.size()];
    Transaction t;
    t.stream_id = random() % 30 ? stream.id : static_cast<uint32_t>(random() % (uint64_t{2} << config.stream_id_bits));
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
    t.attributes = random_attributes(random);

    ref::Request request;
    request.address = t.address;
    request.stream = t.stream_id;
    request.substream = t.substream_id;
    request.has_substream = t.substream_valid;
    request.write = t.write;
    request.atomic = t.atomic;
    request.instruction = t.instruction;
    request.privileged = t.privileged;
    request.attributes = to_reference(t.attributes);

    shadow_updates.clear();
    bench.memory.updates.clear();
    const ref::Answer expected = ref::translate(registers, memory, request);
    const TranslateResult got = bench.smmu.translate(t);
    std::vector<EventRecord> events = bench.take_events();
    for (EventRecord& record : events)
      if (record[1] >> 31 & 1) record[1] &= ~uint64_t{0xffff};
    EventRecord event{};
    if (got.event != EventType::kNone) {
      Event plain = bench.smmu.last_event();
      plain.stall_tag = 0;
      event = encode(plain);
    }
    ++tally.transactions;
    ++tally.events[static_cast<unsigned>(got.event)];
    ++tally.verdicts[static_cast<int>(got.outcome)];
    tally.updates += bench.memory.updates.size();

    const std::string where = "LOCKSTEP_SEED=" + std::to_string(seed) + " LOCKSTEP_WORLDS=1 transaction " +
                              std::to_string(i) + (cached ? " cached" : "");
    bool same = to_reference(got.outcome) == expected.verdict && event == expected.event &&
                events.size() == (expected.recorded ? 1u : 0u) && bench.memory.updates == shadow_updates;
    if (same && expected.recorded) same = events[0] == expected.event;
    if (same && got.outcome == Outcome::kPass)
      same = got.address == expected.address && to_reference(got.attributes) == expected.attributes &&
             got.privileged == expected.privileged && got.instruction == expected.instruction;
    if (!same) {
      char line[512];
      std::snprintf(line, sizeof line,
                    "\n stream %x ssv %d ssid %x address %llx write %d atomic %d inst %d priv %d"
                    "\n verdict %d/%d address %llx/%llx attributes equal %d recorded %zu/%d updates %zu/%zu",
                    t.stream_id, t.substream_valid, t.substream_id, static_cast<unsigned long long>(t.address), t.write,
                    t.atomic, t.instruction, t.privileged, static_cast<int>(to_reference(got.outcome)),
                    static_cast<int>(expected.verdict), static_cast<unsigned long long>(got.address),
                    static_cast<unsigned long long>(expected.address),
                    to_reference(got.attributes) == expected.attributes, events.size(), expected.recorded,
                    bench.memory.updates.size(), shadow_updates.size());
      ADD_FAILURE() << where << line << "\n model     " << text(event) << "\n reference " << text(expected.event);
      return false;
    }
    if (got.outcome == Outcome::kStalled) bench.command(0x45 | static_cast<uint64_t>(t.stream_id) << 32);
  }
  EXPECT_EQ(bench.smmu.stalled_transactions(), 0u);
  return true;
}

void run_worlds(bool cached) {
  const uint64_t first = test::seed();
  Tally tally;
  for (unsigned i = 0; i < worlds(); ++i)
    if (!run_world(first + i, cached, tally)) break;
  std::printf("%llu transactions, %llu updates of descriptors\n", static_cast<unsigned long long>(tally.transactions),
              static_cast<unsigned long long>(tally.updates));
  for (const auto& [type, count] : tally.events) std::printf("  %-20s %u\n", name(static_cast<EventType>(type)), count);
  for (const auto& [outcome, count] : tally.verdicts) std::printf("  outcome %d %u\n", outcome, count);
}

TEST(SmmuRandom, WithoutCachesEqualsTheReference) { run_worlds(false); }

TEST(SmmuRandom, WithCachesEqualsTheReferenceWhileTablesStand) { run_worlds(true); }

}  // namespace
}  // namespace lockstep::tlm_models::smmuv3
