// SPDX-License-Identifier: Apache-2.0
// Each rule by which a stream table entry or context descriptor is ILLEGAL is broken on its own, and nothing else is.
#include <gtest/gtest.h>

#include <set>

#include "tests/tlm_models/smmuv3/simple_world.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

struct SteCase {
  const char* rule;
  void (*arrange)(Config& config, Words& words);
};

void nested(Words& words) { SimpleWorld::add_stage2(words, 0x200000, 7); }
void stage2_field(Words& words, unsigned high, unsigned low, uint64_t value) {
  nested(words);
  set_field(words, 128 + high, 128 + low, value);
}

const SteCase kSteCases[] = {
    {"ste_not_valid", [](Config&, Words& w) { set_field(w, 0, 0, 0); }},
    {"ste_stage1_absent", [](Config& c, Words&) { c.stage1 = false; }},
    {"ste_stage2_absent",
     [](Config& c, Words& w) {
       c.stage2 = false;
       nested(w);
     }},
    {"ste_eats_split_needs_nested", [](Config&, Words& w) { set_field(w, 93, 92, 2); }},
    {"ste_eats_split_with_stall",
     [](Config&, Words& w) {
       stage2_field(w, 57, 57, 1);
       set_field(w, 93, 92, 2);
     }},
    {"ste_eats_split_absent",
     [](Config& c, Words& w) {
       c.no_split_stage_ats = true;
       nested(w);
       set_field(w, 93, 92, 2);
     }},
    {"ste_eats_full_with_stall",
     [](Config&, Words& w) {
       stage2_field(w, 57, 57, 1);
       set_field(w, 93, 92, 1);
     }},
    {"ste_strw_reserved", [](Config&, Words& w) { set_field(w, 95, 94, 3); }},
    {"ste_s1stalld_not_configurable",
     [](Config& c, Words& w) {
       c.stall_model = StallModel::kTerminateOnly;
       set_field(w, 91, 91, 1);
     }},
    {"ste_s1cdmax_too_large",
     [](Config& c, Words& w) {
       c.substream_id_bits = 8;
       set_field(w, 63, 59, 9);
     }},
    {"ste_s1fmt_two_level_absent",
     [](Config& c, Words& w) {
       c.two_level_cd = false;
       set_field(w, 63, 59, 7);
       set_field(w, 5, 4, 1);
     }},
    {"ste_s1contextptr_out_of_range",
     [](Config& c, Words& w) {
       c.oas_bits = 40;
       c.va52 = false;
       w[0] |= uint64_t{1} << 40;
     }},
    {"ste_s2s_stall_absent",
     [](Config& c, Words& w) {
       c.stall_model = StallModel::kTerminateOnly;
       stage2_field(w, 57, 57, 1);
     }},
    {"ste_s2s_stall_forced",
     [](Config& c, Words& w) {
       c.stall_model = StallModel::kStallForced;
       nested(w);
     }},
    {"ste_s2aa64_lpae_absent", [](Config&, Words& w) { stage2_field(w, 51, 51, 0); }},
    {"ste_s2ha_s2hd_absent",
     [](Config& c, Words& w) {
       c.hardware_update = HardwareUpdate::kNone;
       stage2_field(w, 56, 56, 1);
     }},
    {"ste_s2hd_dirty_absent",
     [](Config& c, Words& w) {
       c.hardware_update = HardwareUpdate::kAccessFlag;
       stage2_field(w, 55, 55, 1);
     }},
    {"ste_s2tg_unsupported", [](Config&, Words& w) { stage2_field(w, 47, 46, 3); }},
    {"ste_s2ttb_outside_s2ps",
     [](Config&, Words& w) {
       stage2_field(w, 50, 48, 2);
       w[3] = uint64_t{1} << 40;
     }},
    {"ste_s2ttb_outside_48_bits",
     [](Config&, Words& w) {
       stage2_field(w, 50, 48, 6);
       w[3] = uint64_t{1} << 48;
     }},
    {"ste_s2t0sz_out_of_range", [](Config&, Words& w) { stage2_field(w, 37, 32, 15); }},
    {"ste_s2sl0_inconsistent", [](Config&, Words& w) { stage2_field(w, 39, 38, 0); }},
    {"ste_s2endi_little_only",
     [](Config& c, Words& w) {
       c.table_endianness = TableEndianness::kLittle;
       stage2_field(w, 52, 52, 1);
     }},
    {"ste_s2endi_big_only",
     [](Config& c, Words& w) {
       c.table_endianness = TableEndianness::kBig;
       nested(w);
     }},
    {"ste_s2vmid_above_8_bits",
     [](Config& c, Words& w) {
       c.vmid16 = false;
       stage2_field(w, 15, 0, 0x100);
     }},
};

TEST(SmmuStructures, EachSteRuleIsBrokenAlone) {
  std::set<std::string> seen;
  for (const SteCase& test : kSteCases) {
    Config config;
    Words words = SimpleWorld::stage1_ste();
    ASSERT_EQ(first_broken_rule(decode_ste(words, config), config), nullptr);
    test.arrange(config, words);
    ASSERT_TRUE(check(config).ok()) << test.rule;
    const Ste ste = decode_ste(words, config);
    for (const SteRule& rule : ste_rules()) {
      // A reserved granule has no range of its own, and a range rule may join those of the start level.
      const bool related =
          std::string(test.rule) == "ste_s2t0sz_out_of_range" && std::string(rule.name) == "ste_s2sl0_inconsistent";
      if (!related) {
        EXPECT_EQ(rule.broken(ste, config), std::string(rule.name) == test.rule) << test.rule << " ";
      }
    }
    seen.insert(test.rule);
  }
  for (const SteRule& rule : ste_rules()) EXPECT_TRUE(seen.count(rule.name)) << rule.name << " has no case";
}

struct CdCase {
  const char* rule;
  void (*arrange)(Config& config, Words& ste, Words& cd);
};

const CdCase kCdCases[] = {
    {"cd_not_valid", [](Config&, Words&, Words& d) { set_field(d, 31, 31, 0); }},
    {"cd_stall_disabled_by_ste",
     [](Config&, Words& s, Words& d) {
       set_field(s, 91, 91, 1);
       set_field(d, 44, 44, 1);
     }},
    {"cd_abort_required",
     [](Config& c, Words&, Words& d) {
       c.terminate_abort_only = true;
       set_field(d, 46, 46, 0);
     }},
    {"cd_stall_absent",
     [](Config& c, Words&, Words& d) {
       c.stall_model = StallModel::kTerminateOnly;
       set_field(d, 44, 44, 1);
     }},
    {"cd_stall_forced", [](Config& c, Words&, Words&) { c.stall_model = StallModel::kStallForced; }},
    {"cd_endi_little_only",
     [](Config& c, Words&, Words& d) {
       c.table_endianness = TableEndianness::kLittle;
       set_field(d, 15, 15, 1);
     }},
    {"cd_endi_big_only", [](Config& c, Words&, Words&) { c.table_endianness = TableEndianness::kBig; }},
    {"cd_aa64_lpae_absent", [](Config&, Words&, Words& d) { set_field(d, 41, 41, 0); }},
    {"cd_ha_hd_absent",
     [](Config& c, Words&, Words& d) {
       c.hardware_update = HardwareUpdate::kNone;
       set_field(d, 43, 43, 1);
     }},
    {"cd_hd_dirty_absent",
     [](Config& c, Words&, Words& d) {
       c.hardware_update = HardwareUpdate::kAccessFlag;
       set_field(d, 42, 42, 1);
     }},
    {"cd_asid_above_8_bits",
     [](Config& c, Words&, Words& d) {
       c.asid16 = false;
       set_field(d, 63, 48, 0x100);
     }},
    {"cd_t0sz_out_of_range", [](Config&, Words&, Words& d) { set_field(d, 5, 0, 15); }},
    {"cd_t1sz_out_of_range", [](Config&, Words&, Words& d) { set_field(d, 21, 16, 49); }},
    {"cd_tg0_unsupported", [](Config&, Words&, Words& d) { set_field(d, 7, 6, 3); }},
    {"cd_tg1_unsupported", [](Config&, Words&, Words& d) { set_field(d, 23, 22, 0); }},
    {"cd_ttb0_out_of_range", [](Config&, Words&, Words& d) { d[1] = uint64_t{1} << 48; }},
    {"cd_ttb1_out_of_range",
     [](Config&, Words&, Words& d) {
       set_field(d, 34, 32, 0);
       d[2] = uint64_t{1} << 32;
     }},
};

TEST(SmmuStructures, EachCdRuleIsBrokenAlone) {
  std::set<std::string> seen;
  for (const CdCase& test : kCdCases) {
    Config config;
    Words ste = SimpleWorld::stage1_ste();
    Words words = SimpleWorld::cd(0x200000, 0x201000);
    ASSERT_EQ(first_broken_rule(decode_cd(words, StreamWorld::kEl1, config), decode_ste(ste, config), config), nullptr);
    test.arrange(config, ste, words);
    const ContextDescriptor cd = decode_cd(words, StreamWorld::kEl1, config);
    for (const CdRule& rule : cd_rules())
      EXPECT_EQ(rule.broken(cd, decode_ste(ste, config), config), std::string(rule.name) == test.rule)
          << test.rule << " " << rule.name;
    seen.insert(test.rule);
  }
  for (const CdRule& rule : cd_rules()) EXPECT_TRUE(seen.count(rule.name)) << rule.name << " has no case";
}

TEST(SmmuStructures, DisabledHalvesAreNotChecked) {
  Config config;
  Words words = SimpleWorld::cd(0x200000);
  set_field(words, 21, 16, 63);
  set_field(words, 23, 22, 0);
  const Ste ste = decode_ste(SimpleWorld::stage1_ste(), config);
  EXPECT_EQ(first_broken_rule(decode_cd(words, StreamWorld::kEl1, config), ste, config), nullptr);
  // EL2 has one half, whose walks nothing disables.
  set_field(words, 14, 14, 1);
  EXPECT_FALSE(decode_cd(words, StreamWorld::kEl2, config).half[0].walk_disabled);
  EXPECT_EQ(first_broken_rule(decode_cd(words, StreamWorld::kEl2, config), ste, config), nullptr);
}

TEST(SmmuStructures, EntryThatAbortsIsCheckedForValidityAlone) {
  Config config;
  Words words;
  words.fill(~uint64_t{0});
  set_field(words, 3, 1, 0);
  EXPECT_EQ(first_broken_rule(decode_ste(words, config), config), nullptr);
  set_field(words, 0, 0, 0);
  EXPECT_NE(first_broken_rule(decode_ste(words, config), config), nullptr);
}

// Stream tables of two levels with every split, and streams at the edges of what is mapped.
TEST(SmmuStructures, TwoLevelStreamTables) {
  for (const unsigned split : {6u, 8u, 10u}) {
    SimpleWorld world;
    const unsigned log2size = split + 2;
    world.write(RegisterId::kStrtabBaseCfg, log2size | split << 6 | 1 << 16);
    const uint64_t leaf = 0x800000;
    world.put_words(SimpleWorld::kStreamTable,
                    {leaf | (split + 1), (leaf + 0x40000) | split, leaf | 12, leaf | (split + 2)});
    const uint32_t per_leaf = 1u << split;
    world.put(leaf, SimpleWorld::bypass_ste());
    world.put(leaf + (per_leaf - 1) * 64, SimpleWorld::bypass_ste());
    world.put(leaf + 0x40000 + (per_leaf / 2 - 1) * 64, SimpleWorld::bypass_ste());
    world.enable();
    EXPECT_EQ(world.access(0x1000, false, 0).outcome, Outcome::kPass);
    EXPECT_EQ(world.access(0x1000, false, per_leaf - 1).outcome, Outcome::kPass);
    EXPECT_EQ(world.access(0x1000, false, per_leaf + per_leaf / 2 - 1).outcome, Outcome::kPass);
    EXPECT_EQ(world.access(0x1000, false, per_leaf + per_leaf / 2).event, EventType::kBadStreamId);
    EXPECT_EQ(world.access(0x1000, false, 2 * per_leaf).event, EventType::kBadStreamId);
    EXPECT_EQ(world.access(0x1000, false, 3 * per_leaf).event, EventType::kBadStreamId);
    EXPECT_EQ(world.access(0x1000, false, 1u << log2size).event, EventType::kBadStreamId);
  }
}

TEST(SmmuStructures, ContextTablesOfEachFormat) {
  for (const unsigned format : {0u, 1u, 2u}) {
    SimpleWorld world;
    world.start_stage1();
    const unsigned leaf_log2 = format == 1 ? 6 : 10;
    const uint32_t substream = (1u << leaf_log2) + 5;
    Words ste = SimpleWorld::stage1_ste(0x400000);
    set_field(ste, 5, 4, format);
    set_field(ste, 63, 59, 12);
    world.put_ste(3, ste);
    uint64_t place = 0x400000 + substream * 64;
    if (format != 0) {
      world.put_words(0x400008, {0x500001});
      place = 0x500000 + 5 * 64;
    }
    world.put(place, SimpleWorld::cd(world.root));
    Transaction transaction;
    transaction.stream_id = 3;
    transaction.privileged = true;
    transaction.address = 0x123456000;
    transaction.substream_valid = true;
    transaction.substream_id = substream;
    EXPECT_EQ(world.smmu.translate(transaction).outcome, Outcome::kPass) << format;
    transaction.substream_id = 1u << 12;
    EXPECT_EQ(world.smmu.translate(transaction).event, EventType::kBadSubstreamId);
    transaction.substream_id = 3u << leaf_log2;
    const EventType missing = format == 0 ? EventType::kBadCd : EventType::kBadSubstreamId;
    if (3u << leaf_log2 < 1u << 12) {
      EXPECT_EQ(world.smmu.translate(transaction).event, missing);
    }
  }
}

TEST(SmmuStructures, DefaultSubstream) {
  SimpleWorld world;
  world.start_stage1();
  Words ste = SimpleWorld::stage1_ste();
  set_field(ste, 63, 59, 4);
  const auto with = [&](unsigned s1dss, bool valid, uint32_t substream) {
    set_field(ste, 65, 64, s1dss);
    world.put_ste(3, ste);
    world.command(0x03 | uint64_t{3} << 32);
    Transaction transaction;
    transaction.stream_id = 3;
    transaction.privileged = true;
    transaction.address = 0x123456000;
    transaction.substream_valid = valid;
    transaction.substream_id = substream;
    return world.smmu.translate(transaction);
  };
  EXPECT_EQ(with(0, false, 0).event, EventType::kStreamDisabled);
  EXPECT_EQ(with(3, false, 0).event, EventType::kStreamDisabled);
  EXPECT_EQ(with(1, false, 0).address, 0x123456000u);
  EXPECT_EQ(with(2, false, 0).address, SimpleWorld::kPage);
  EXPECT_EQ(with(2, true, 0).event, EventType::kStreamDisabled);
  EXPECT_EQ(with(1, true, 0).address, SimpleWorld::kPage);
}

}  // namespace
}  // namespace lockstep::tlm_models::smmuv3
