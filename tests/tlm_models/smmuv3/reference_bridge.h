// SPDX-License-Identifier: Apache-2.0
#pragma once

// The model and the reference side by side on one random world, each with a memory of its own.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <random>
#include <string>

#include "tests/smmuv3_reference/world.h"
#include "tests/tlm_models/smmuv3/bench.h"
#include "tlm_models/smmuv3/commands.h"

namespace lockstep::tlm_models::smmuv3 {

inline Config random_config(std::mt19937_64& random, bool cached) {
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

inline smmuv3_reference::Attributes to_reference(const MemoryAttributes& a) {
  smmuv3_reference::Attributes r;
  r.device = a.device;
  r.device_type = static_cast<int>(a.device_type);
  const auto level = [](const CacheLevel& l) {
    return smmuv3_reference::Level{static_cast<int>(l.policy), l.read_allocate, l.write_allocate, l.transient};
  };
  r.inner = level(a.inner);
  r.outer = level(a.outer);
  r.shareability = static_cast<int>(a.shareability);
  r.secure = a.secure;
  return r;
}

inline MemoryAttributes random_attributes(std::mt19937_64& random) {
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

inline smmuv3_reference::Verdict to_reference(Outcome outcome) {
  switch (outcome) {
    case Outcome::kPass:
      return smmuv3_reference::Verdict::kPass;
    case Outcome::kZeroIgnored:
      return smmuv3_reference::Verdict::kZero;
    case Outcome::kStalled:
      return smmuv3_reference::Verdict::kStall;
    default:
      return smmuv3_reference::Verdict::kAbort;
  }
}

inline std::string text(const std::array<uint64_t, 4>& words) {
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

  void add(const Tally& other) {
    for (const auto& [type, count] : other.events) events[type] += count;
    for (const auto& [outcome, count] : other.verdicts) verdicts[outcome] += count;
    transactions += other.transactions;
    updates += other.updates;
  }
  // Of a run that is long enough to tell: the worlds let much pass, and make every kind of fault.
  void expect_variety() const {
    EXPECT_GT(transactions, 0u);
    if (transactions < 50'000) return;
    const auto passed = verdicts.find(static_cast<int>(Outcome::kPass));
    EXPECT_GT(passed == verdicts.end() ? 0 : passed->second, transactions / 20);
    EXPECT_GT(updates, 0u);
    for (const EventType type : {EventType::kBadStreamId, EventType::kBadSte, EventType::kStreamDisabled,
                                 EventType::kBadSubstreamId, EventType::kBadCd, EventType::kTranslation,
                                 EventType::kAddressSize, EventType::kAccessFlag, EventType::kPermission})
      EXPECT_TRUE(events.count(static_cast<unsigned>(type))) << name(type);
  }
  void print() const {
    std::printf("%llu transactions, %llu updates of descriptors\n", static_cast<unsigned long long>(transactions),
                static_cast<unsigned long long>(updates));
    for (const auto& [type, count] : events) std::printf("  %-20s %u\n", name(static_cast<EventType>(type)), count);
    for (const auto& [outcome, count] : verdicts) std::printf("  outcome %d %u\n", outcome, count);
  }
};

struct ComparedWorld {
  ComparedWorld(const Config& config, std::mt19937_64& random, bool cacheable, bool damage) : bench(config) {
    smmuv3_reference::WorldOptions options;
    options.seed = random();
    registers.idr0 = static_cast<uint32_t>(bench.read(RegisterId::kIdr0));
    registers.idr1 = static_cast<uint32_t>(bench.read(RegisterId::kIdr1));
    registers.idr3 = static_cast<uint32_t>(bench.read(RegisterId::kIdr3));
    registers.idr5 = static_cast<uint32_t>(bench.read(RegisterId::kIdr5));
    registers.secure = options.secure = config.secure;
    if (config.secure) {
      // Software takes the features from the non-secure registers and leaves out what the secure side has not.
      Config plain = config;
      plain.secure = false;
      registers.idr0 = static_cast<uint32_t>(reset_value(RegisterId::kIdr0, plain));
      registers.idr1 = static_cast<uint32_t>(reset_value(RegisterId::kIdr1, plain));
      registers.idr3 = static_cast<uint32_t>(reset_value(RegisterId::kIdr3, plain));
      registers.idr5 = static_cast<uint32_t>(reset_value(RegisterId::kIdr5, plain));
    }
    options.idr0 = registers.idr0;
    options.idr1 = registers.idr1;
    options.idr3 = registers.idr3;
    options.idr5 = registers.idr5;
    options.cacheable = cacheable;
    options.damage = damage;
    world = make_world(options);
    bench.memory.memory = shadow = world.memory;

    bench.write(RegisterId::kStrtabBase, world.strtab_base);
    bench.write(RegisterId::kStrtabBaseCfg, world.strtab_base_cfg);
    bench.write(RegisterId::kCr2, random());
    bench.write(RegisterId::kGbpa, (random() & 0x1fff1f & (random() % 4 ? ~(1u << 20) : ~0u)) | kGbpaUpdate);
    bench.write(RegisterId::kCr1, random());
    bench.start_queues();
    const uint32_t fetches = config.secure && random() % 2 ? kCr0SecureFetchOnly : 0;
    if (fetches) bench.write(RegisterId::kCr0, bench.read(RegisterId::kCr0) | fetches);
    if (cacheable || random() % 20 != 0) bench.enable(fetches);

    registers.cr0 = static_cast<uint32_t>(bench.read(RegisterId::kCr0Ack));
    registers.cr2 = static_cast<uint32_t>(bench.read(RegisterId::kCr2));
    registers.gbpa = static_cast<uint32_t>(bench.read(RegisterId::kGbpa));
    registers.strtab_base = bench.read(RegisterId::kStrtabBase);
    registers.strtab_base_cfg = static_cast<uint32_t>(bench.read(RegisterId::kStrtabBaseCfg));
    memory = {[this](uint64_t address, unsigned bytes, uint8_t* data) { return shadow.read(address, data, bytes); },
              [this](uint64_t address, uint64_t value) {
                uint8_t probe;
                if (!shadow.read(address, &probe, 1)) return false;
                shadow.put64(address, value);
                shadow_updates.emplace_back(address, value);
                return true;
              }};
  }
  ComparedWorld(const ComparedWorld&) = delete;
  ComparedWorld& operator=(const ComparedWorld&) = delete;

  // Software's own writes reach both memories.
  void put64(uint64_t address, uint64_t value) {
    bench.memory.memory.put64(address, value);
    shadow.put64(address, value);
  }

  // The reference has no queues, but a damaged pointer may lead into the model's: what they hold reaches the shadow.
  void mirror_queues() {
    const uint64_t indices = bench.read(RegisterId::kCmdqProd) << 32 | bench.read(RegisterId::kEventqProd);
    if (indices == mirrored) return;
    mirrored = indices;
    std::array<uint8_t, (1 << kQueueLog2) * sizeof(EventRecord)> bytes;
    for (const uint64_t queue : {kCommandQueue, kEventQueue})
      if (bench.memory.memory.read(queue, bytes.data(), bytes.size())) shadow.write(queue, bytes.data(), bytes.size());
  }

  Transaction draw(std::mt19937_64& random) const {
    const smmuv3_reference::World::Stream& stream = world.streams[random() % world.streams.size()];
    const unsigned stream_bits = bench.smmu.config().stream_id_bits;
    Transaction t;
    t.stream_id = random() % 30 ? stream.id : static_cast<uint32_t>(random() % (uint64_t{2} << stream_bits));
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
    t.attributes.secure = random() % 2;
    return t;
  }

  // One random transaction through both: empty, or what differs.
  std::string step(std::mt19937_64& random) { return step(draw(random)); }
  std::string step(const Transaction& t) {
    smmuv3_reference::Request request;
    request.address = t.address;
    request.stream = t.stream_id;
    request.substream = t.substream_id;
    request.has_substream = t.substream_valid;
    request.write = t.write;
    request.atomic = t.atomic;
    request.instruction = t.instruction;
    request.privileged = t.privileged;
    request.attributes = to_reference(t.attributes);

    mirror_queues();
    shadow_updates.clear();
    bench.memory.updates.clear();
    const smmuv3_reference::Answer expected = smmuv3_reference::translate(registers, memory, request);
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

    bool same = to_reference(got.outcome) == expected.verdict && event == expected.event &&
                events.size() == (expected.recorded ? 1u : 0u) && bench.memory.updates == shadow_updates;
    if (same && expected.recorded) same = events[0] == expected.event;
    if (same && got.outcome == Outcome::kPass)
      same = got.address == expected.address && to_reference(got.attributes) == expected.attributes &&
             got.privileged == expected.privileged && got.instruction == expected.instruction;
    if (got.outcome == Outcome::kStalled)
      bench.command(0x45 | uint64_t{bench.smmu.config().secure} << 10 | static_cast<uint64_t>(t.stream_id) << 32);
    if (same) return {};
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
    return std::string(line) + "\n model     " + text(event) + "\n reference " + text(expected.event);
  }

  Bench bench;
  smmuv3_reference::World world;
  smmuv3_reference::SparseMemory shadow;
  smmuv3_reference::Registers registers;
  smmuv3_reference::Memory memory;
  std::vector<std::pair<uint64_t, uint64_t>> shadow_updates;
  uint64_t mirrored = 0;  // the queue indices at the last mirror_queues()
  Tally tally;
};

}  // namespace lockstep::tlm_models::smmuv3
