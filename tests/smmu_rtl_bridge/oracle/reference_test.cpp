// SPDX-License-Identifier: Apache-2.0
// What the judge evaluates comes from the model's core. Here the reference walker, which shares no code with it, must
// come to the same: where the judge has one outcome it is the reference's, and where it has several, one of them is.
#include <gtest/gtest.h>

#include <cinttypes>
#include <cstdio>

#include "smmu_rtl_bridge/model_pins.h"
#include "smmu_rtl_bridge/oracle/config_from_registers.h"
#include "smmu_rtl_bridge/oracle/evaluation.h"
#include "smmu_rtl_bridge/oracle/judge.h"
#include "tests/core/seed.h"
#include "tests/smmuv3_reference/world.h"
#include "tests/tlm_models/smmuv3/reference_bridge.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

namespace ref = smmuv3_reference;
namespace smmuv3 = tlm_models::smmuv3;
using Random = std::mt19937_64;

constexpr unsigned kWorlds = 300;
constexpr unsigned kAccesses = 60;

struct BothWorlds {
  explicit BothWorlds(Random& random) : config(smmuv3::random_config(random, false)), ids(id_registers(config)) {
    ref::WorldOptions options;
    options.seed = random();
    registers.idr0 = options.idr0 = ids.idr0;
    registers.idr1 = options.idr1 = ids.idr1;
    registers.idr3 = options.idr3 = ids.idr3;
    registers.idr5 = options.idr5 = ids.idr5;
    world = ref::make_world(options);
    shadow = world.memory;
    std::array<uint8_t, 4096> bytes;
    for (const uint64_t page : world.memory.page_addresses()) {
      ref::SparseMemory copy = world.memory;
      copy.mend_page(page);
      copy.read(page, bytes.data(), bytes.size());
      memory.write(page, bytes.data(), bytes.size(), 1);
      if (!world.memory.read(page, bytes.data(), 1)) memory.set_broken(page, true, 1);
    }
    memory.forget_history();

    registers.cr0 = random() % 20 != 0;
    registers.cr2 = static_cast<uint32_t>(random()) & 3;
    registers.gbpa = static_cast<uint32_t>(random()) & 0x1fff1f;
    registers.strtab_base = world.strtab_base;
    registers.strtab_base_cfg = world.strtab_base_cfg;
    for (const smmuv3::RegisterRow& row : smmuv3::register_rows())
      if (row.id == smmuv3::RegisterId::kGbpa) registers.gbpa &= static_cast<uint32_t>(writable_bits(row, config));
    control.cr0 = registers.cr0;
    control.cr2 = registers.cr2;
    control.gbpa = registers.gbpa;
    control.strtab_base = registers.strtab_base;
    control.strtab_base_cfg = registers.strtab_base_cfg;
    reference_memory = {
        [this](uint64_t address, unsigned size, uint8_t* data) { return shadow.read(address, data, size); },
        [this](uint64_t address, uint64_t value) {
          uint8_t probe;
          if (!shadow.read(address, &probe, 1)) return false;
          shadow.put64(address, value);
          updates.emplace_back(address, value);
          return true;
        }};
  }
  BothWorlds(const BothWorlds&) = delete;
  BothWorlds& operator=(const BothWorlds&) = delete;

  smmuv3::Config config;
  IdRegisters ids;
  ref::World world;
  ref::SparseMemory shadow;
  ref::Registers registers;
  ref::Memory reference_memory;
  std::vector<std::pair<uint64_t, uint64_t>> updates;
  VersionedMemory memory;
  Control control;
};

ClientAccess draw(Random& random, const BothWorlds& worlds) {
  const ref::World::Stream& stream = worlds.world.streams[random() % worlds.world.streams.size()];
  ClientAccess t;
  t.stream_id =
      random() % 30 ? stream.id : static_cast<uint32_t>(random() % (uint64_t{2} << worlds.config.stream_id_bits));
  t.substream_valid = !stream.substreams.empty() ? random() % 2 : random() % 20 == 0;
  if (t.substream_valid)
    t.substream_id = stream.substreams.empty() ? 0 : stream.substreams[random() % stream.substreams.size()];
  t.address = stream.addresses[random() % stream.addresses.size()];
  if (random() % 12 == 0) t.address ^= uint64_t{1} << random() % 64;
  t.write = random() % 3 == 0;
  t.atomic = t.write && random() % 4 == 0;
  t.instruction = random() % 4 == 0;
  t.privileged = random() % 2;
  t.attributes = to_pins(smmuv3::random_attributes(random));
  return t;
}

bool agrees(const Outcome& outcome, const ref::Answer& answer,
            const std::vector<std::pair<uint64_t, uint64_t>>& updates) {
  static constexpr ref::Verdict kVerdicts[] = {ref::Verdict::kPass, ref::Verdict::kAbort, ref::Verdict::kZero,
                                               ref::Verdict::kStall};
  if (kVerdicts[static_cast<size_t>(outcome.end)] != answer.verdict || outcome.recorded != answer.recorded ||
      outcome.updates.size() != updates.size())
    return false;
  if (outcome.recorded && outcome.record != answer.event) return false;
  for (size_t i = 0; i < updates.size(); ++i)
    if (outcome.updates[i].address != updates[i].first || outcome.updates[i].desired != updates[i].second) return false;
  return outcome.end != Ends::kPass || (outcome.address == answer.address && outcome.privileged == answer.privileged &&
                                        outcome.instruction == answer.instruction &&
                                        smmuv3::to_reference(from_pins(outcome.attributes)) == answer.attributes);
}

TEST(OracleReference, SingleOutcomesAreTheReferenceWalkers) {
  const uint64_t first = test::seed();
  const uint64_t count = test::from_environment("LOCKSTEP_WORLDS", kWorlds);
  uint64_t single = 0, several = 0, updated = 0, undecided = 0;
  for (unsigned i = 0; i < count; ++i) {
    Random random(first + i);
    BothWorlds worlds(random);
    const auto config = config_from_id_registers(worlds.ids);
    ASSERT_TRUE(config.ok()) << config.message();
    InvalidationLog log(*config);
    Evaluator evaluator(*config, worlds.memory, log);
    Sequence now = 2;
    for (unsigned t = 0; t < kAccesses; ++t, now += 2) {
      const ClientAccess access = draw(random, worlds);
      ref::Request request;
      request.address = access.address;
      request.stream = access.stream_id;
      request.substream = access.substream_id;
      request.has_substream = access.substream_valid;
      request.write = access.write;
      request.atomic = access.atomic;
      request.instruction = access.instruction;
      request.privileged = access.privileged;
      request.attributes = smmuv3::to_reference(from_pins(access.attributes));
      std::vector<Outcome> outcomes;
      evaluator.begin_answer();
      // Now and then damage makes groups of descriptors that each say something else: too many choices.
      const bool decided = evaluator.evaluate(access, worlds.control, {now, now + 1, now}, outcomes);
      undecided += !decided;
      worlds.updates.clear();
      const ref::Answer answer = ref::translate(worlds.registers, worlds.reference_memory, request);
      const bool found = std::any_of(outcomes.begin(), outcomes.end(),
                                     [&](const Outcome& outcome) { return agrees(outcome, answer, worlds.updates); });
      ASSERT_TRUE(found || !decided) << "LOCKSTEP_SEED=" << first + i << " LOCKSTEP_WORLDS=1 access " << t << " of "
                                     << std::hex << access.address << " by stream " << access.stream_id << ": "
                                     << std::dec << outcomes.size() << " outcomes, none of them the reference's";
      ++(outcomes.size() == 1 ? single : several);
      for (const auto& [address, value] : worlds.updates) worlds.memory.write(address, &value, sizeof value, now + 1);
      updated += worlds.updates.size();
      worlds.memory.set_floor(now + 1);
    }
  }
  std::printf("  %" PRIu64 " with one outcome, %" PRIu64 " with several, %" PRIu64 " updates\n", single, several,
              updated);
  EXPECT_GT(single, several * 50);
  EXPECT_GT(single, undecided * 1000);
}

TEST(OracleConfiguration, FollowsFromTheIdRegisters) {
  Random random(test::seed());
  for (unsigned i = 0; i < 2000; ++i) {
    smmuv3::Config config = smmuv3::random_config(random, false);
    config.msi = random() % 2;
    config.send_event = random() % 2;
    config.vmid_wildcards = random() % 2;
    config.range_invalidation = random() % 2;
    config.ats_record_errors = config.ats && random() % 2;
    const auto made = config_from_id_registers(id_registers(config));
    ASSERT_TRUE(made.ok()) << made.message();
    const IdRegisters again = id_registers(*made), before = id_registers(config);
    EXPECT_EQ(again.idr0, before.idr0);
    EXPECT_EQ(again.idr1, before.idr1);
    EXPECT_EQ(again.idr3, before.idr3);
    EXPECT_EQ(again.idr5, before.idr5);
  }
}

TEST(OracleConfiguration, SaysWhatCannotBeJudged) {
  const IdRegisters sound = id_registers({});
  const auto refused = [&](uint32_t IdRegisters::*member, uint32_t clear, uint32_t set, const char* field) {
    IdRegisters changed = sound;
    changed.*member = (changed.*member & ~clear) | set;
    const auto made = config_from_id_registers(changed);
    ASSERT_FALSE(made.ok()) << field;
    EXPECT_NE(made.message().find(field), std::string::npos) << made.message();
  };
  refused(&IdRegisters::idr0, 3u << 2, 1u << 2, "SMMU_IDR0.TTF");
  refused(&IdRegisters::idr0, 0, 3u << 6, "SMMU_IDR0.HTTU");
  refused(&IdRegisters::idr0, 3u << 21, 1u << 21, "SMMU_IDR0.TTENDIAN");
  refused(&IdRegisters::idr0, 0, 3u << 24, "SMMU_IDR0.STALL_MODEL");
  refused(&IdRegisters::idr0, 0, 2u << 27, "SMMU_IDR0.ST_LEVEL");
  refused(&IdRegisters::idr1, 0, 1u << 30, "SMMU_IDR1.TABLES_PRESET");
  refused(&IdRegisters::idr1, 0, 1u << 29, "SMMU_IDR1.QUEUES_PRESET");
  refused(&IdRegisters::idr5, 0, 7, "SMMU_IDR5.OAS");
  refused(&IdRegisters::idr5, 0, 2u << 10, "SMMU_IDR5.VAX");
  refused(&IdRegisters::idr0, 3, 0, "stage1 and stage2");
}

// Anything may come at the pins: nonsense is a failure of the device, never one of the judge.
TEST(OracleFuzz, NonsenseAtThePinsIsJudged) {
  Random random(test::seed());
  for (unsigned round = 0; round < 60; ++round) {
    Judge judge(*config_from_id_registers(id_registers(smmuv3::random_config(random, false))), JudgeProfile{});
    std::array<uint64_t, 8> words;
    for (unsigned i = 0; i < 400; ++i) {
      for (uint64_t& word : words) word = random() % 2 ? random() : random() % 256;
      const uint64_t address = (random() % 4 ? random() % 0x4000 : random() & 0xfffffffffffff) & ~uint64_t{63};
      const size_t size = size_t{4} << random() % 5;
      const uint64_t id = random() % 16;
      static constexpr uint32_t kOffsets[] = {0x20,    0x24, 0x28, 0x2c, 0x44, 0x50, 0x60,    0x64,    0x80,
                                              0x88,    0x90, 0x98, 0x9c, 0xa0, 0xc0, 0x100a8, 0x100ac, 0x100c8,
                                              0x100cc, 0xb0, 0xb8, 0xbc, 0x68, 0xd0, 0x1c,    0x0,     0x3c};
      const uint32_t offset = kOffsets[random() % std::size(kOffsets)];
      const unsigned width = random() % 2 ? 4 : 8;
      ClientAccess access;
      access.id = id;
      access.address = random() % 2 ? random() : random() % 0x10000;
      access.stream_id = static_cast<uint32_t>(random() % 300);
      access.substream_id = static_cast<uint32_t>(random() % 4);
      access.substream_valid = random() % 2;
      access.write = random() % 2;
      access.translated = random() % 8 == 0;
      switch (random() % 20) {
        case 0:
        case 1:
          judge.software_wrote(address, words.data(), size);
          break;
        case 2:
          judge.page_broken(address & ~uint64_t{0xfff}, random() % 2);
          break;
        case 3:
        case 4:
        case 5:
          judge.register_written(offset, width, random() % 2 ? random() : random() % 64);
          judge.register_write_done(offset);
          break;
        case 6:
          judge.register_read(offset, width, random() % 2 ? random() : random() % 64);
          break;
        case 7:
        case 8:
          judge.device_read(address, words.data(), size, {}, random() % 4 == 0);
          break;
        case 9:
        case 10:
          judge.device_wrote(address, words.data(), size, {}, random() % 4 == 0);
          break;
        case 11:
          judge.device_exchanged(address, words[0], words[1], {}, random() % 2, random() % 4 == 0);
          break;
        case 12:
        case 13:
          judge.accepted(access);
          break;
        case 14:
          judge.forwarded({id, access.address, false, false, {}});
          break;
        case 15:
          judge.answered(id, static_cast<AccessEnd>(random() % 4));
          break;
        case 16:
          judge.ats_asked({id, access.address, access.stream_id, 0, false, false, false, false});
          judge.ats_answered({id, static_cast<uint8_t>(random() % 3), true, true, false, false, 12, 0x1000});
          break;
        case 17:
          judge.atc_invalidated({access.stream_id, 0, false, false, 0, 12});
          judge.atc_invalidation_done(random() % 2);
          break;
        case 18:
          judge.page_asked({access.address, access.stream_id, 1, true, 5, true, true, false, false, false});
          judge.page_answered({access.stream_id, 1, true, 5, static_cast<uint8_t>(random() % 16)});
          break;
        default:
          judge.pulsed(static_cast<Wire>(random() % 5));
          if (random() % 4 == 0) judge.quiet();
          break;
      }
    }
    judge.finished();
    EXPECT_LE(judge.failures().size(), Judge::kFailuresMax);
  }
}

}  // namespace
}  // namespace lockstep::smmu_rtl_bridge
