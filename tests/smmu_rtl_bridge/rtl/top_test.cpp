// SPDX-License-Identifier: Apache-2.0
// smmu_top at its pins: each way of a transaction once, its faults, orders, invalidations.
#include "tests/smmu_rtl_bridge/rtl/top_bench.h"

namespace lockstep::smmu_rtl_bridge::rtl_test {
namespace {

constexpr uint64_t kNone = ~uint64_t{0};
constexpr uint64_t kRoot1 = 0x400000, kRoot2 = 0x500000;
constexpr uint32_t kSlaveError = 2;

class SmmuTop : public TopTest {};

TEST_F(SmmuTop, DisabledItPassesEverything) {
  const Offer read = done({.address = 0x123456789008, .id = 3, .sid = 7, .beats = 4});
  EXPECT_EQ(read.out_address, 0x123456789008u);
  EXPECT_EQ(read.response, 0u);
  EXPECT_EQ(read.out_user, 0x3ffu);
  const Offer write = done({.address = 0x5000, .id = 4, .write = true, .beats = 16, .privileged = true});
  EXPECT_EQ(write.out_address, 0x5000u);
  EXPECT_EQ(write.out_prot, 3u);
  EXPECT_TRUE(events().empty());
}

TEST_F(SmmuTop, StreamsBypassAndAbort) {
  ste(1, 4, 0);
  ste(2, 0, 0);
  enable();
  EXPECT_EQ(out(1, 0x77000), 0x77000u);
  EXPECT_EQ(out(1, 0x77000, true), 0x77000u);
  const Offer aborted = done({.address = 0x1000, .sid = 2});
  EXPECT_FALSE(aborted.forwarded);
  EXPECT_EQ(aborted.response, kSlaveError);
  EXPECT_TRUE(events().empty());
  EXPECT_EQ(out(3, 0x1000), kNone);    // not valid
  EXPECT_EQ(out(999, 0x1000), kNone);  // no such stream
  const std::vector<Record> records = events();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0], (Record{0x04 | uint64_t{3} << 32, 0, 0, 0}));
  EXPECT_EQ(records[1], (Record{0x02 | uint64_t{999} << 32, 0, 0, 0}));
}

TEST_F(SmmuTop, StageOneTranslates) {
  ste(1, 5, kContexts);
  cd(kContexts, kRoot1);
  map1(kRoot1, 0x7000123000, 0x88000);
  map1(kRoot1, 0x7000124000, 0x99000);
  enable();
  EXPECT_EQ(out(1, 0x7000123458), 0x88458u);
  memory.log.clear();
  EXPECT_EQ(out(1, 0x7000123ff8, true), 0x88ff8u);
  EXPECT_EQ(descriptor_reads(), 0u);
  EXPECT_EQ(out(1, 0x7000124000), 0x99000u);
  EXPECT_EQ(descriptor_reads(), 1u);
  EXPECT_TRUE(events().empty());
  EXPECT_EQ(out(1, 0x7000125008, true), kNone);
  const std::vector<Record> records = events();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0], (Record{0x10 | uint64_t{1} << 32, uint64_t{2} << 40, 0x7000125008, 0}));
}

TEST_F(SmmuTop, StageTwoTranslates) {
  ste(1, 6, 0, {.table = kRoot2});
  map2(kRoot2, 0x40001000, 0x88000);
  enable();
  EXPECT_EQ(out(1, 0x40001018), 0x88018u);
  EXPECT_EQ(out(1, 0x40002018), kNone);
  const std::vector<Record> records = events();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0], (Record{0x10 | uint64_t{1} << 32, uint64_t{2} << 40 | uint64_t{1} << 39 | uint64_t{1} << 35,
                                0x40002018, 0x40002000}));
}

TEST_F(SmmuTop, NestedTranslates) {
  ste(1, 7, 0x30000000, {.table = kRoot2});
  map2(kRoot2, 0x30000000, kContexts);
  cd(kContexts, 0x20000000);
  // Intermediate addresses of tables are physical ones plus 1 GiB; their contents are made where they really are.
  constexpr uint64_t kOffset = 0x40000000;
  map1(kRoot1, 0x7000123000, 0x60000000);
  for (uint64_t page = 0; page < 64; ++page)
    map2(kRoot2, 0x10000000 + kOffset + page * 0x1000, 0x10000000 + page * 0x1000);
  map2(kRoot2, kRoot1 + kOffset, kRoot1);
  cd(kContexts, kRoot1 + kOffset);
  uint64_t table = kRoot1;
  for (unsigned shift = 39; shift > 12; shift -= 9) {
    const uint64_t place = table + ((0x7000123000u >> shift & 511) << 3);
    table = memory.word(place) & 0xfffffffff000;
    memory.set_word(place, (table + kOffset) | 3);
  }
  map2(kRoot2, 0x60000000, 0x88000);
  enable();
  EXPECT_EQ(out(1, 0x7000123458), 0x88458u);
  EXPECT_EQ(out(1, 0x7000123460, true), 0x88460u);
  EXPECT_TRUE(events().empty());
}

TEST_F(SmmuTop, HitsPassMissesAndOrderHoldsWithinAnId) {
  ste(1, 5, kContexts);
  cd(kContexts, kRoot1);
  for (uint64_t page = 0; page < 64; ++page) map1(kRoot1, page << 12, 0x1000000 + (page << 12));
  enable();
  out(1, 0x3000);
  Offer& miss = offer({.address = 0x5000, .id = 1, .sid = 1});
  Offer& hit = offer({.address = 0x3000, .id = 2, .sid = 1});
  run_until([&] { return miss.answered && hit.answered; });
  EXPECT_LT(hit.forwarded_at, miss.forwarded_at);
  for (unsigned round = 0; round < 300; ++round)
    offer({.address = (random() % 80) << 12 | (random() % 256) << 3,
           .id = static_cast<uint32_t>(random() % 4),
           .sid = 1,
           .write = random() % 2 != 0,
           .beats = 1 + static_cast<unsigned>(random() % 12)});
  run_until([&] { return offers_open == 0; }, 400'000);
  for (const Offer& each : offers) {
    const uint64_t page = each.address >> 12;
    EXPECT_EQ(each.forwarded, page < 64);
    if (each.forwarded) {
      EXPECT_EQ(each.out_address, each.address + 0x1000000);
    } else {
      EXPECT_EQ(each.response, kSlaveError);
    }
  }
}

TEST_F(SmmuTop, ManyHitsPassOneMiss) {
  ste(1, 5, kContexts);
  cd(kContexts, kRoot1);
  for (uint64_t page = 0; page < 16; ++page) map1(kRoot1, page << 30, 0x1000000 + (page << 12));
  enable();
  out(1, 0);
  memory.latency_min = 200;
  Offer& miss = offer({.address = uint64_t{5} << 30, .id = 1, .sid = 1});
  run_until([&] { return miss.accepted; });
  for (uint32_t i = 0; i < 10; ++i) {
    const Offer hit = done({.address = 8 * i, .id = 2 + i, .sid = 1, .write = i % 2 != 0});
    EXPECT_TRUE(hit.forwarded);
    EXPECT_FALSE(miss.forwarded);
    if (miss.forwarded) break;
  }
  run_until([&] { return miss.answered; });
}

TEST_F(SmmuTop, AnAnswerOfItsOwnWaitsForOlderReadsOfItsId) {
  ste(1, 5, kContexts);
  cd(kContexts, kRoot1);
  map1(kRoot1, 0x5000, 0x88000);
  enable();
  out(1, 0x5000);
  downstream_latency = 400;
  std::vector<Offer*> made;
  for (uint64_t i = 0; i < 12; ++i)
    made.push_back(&offer({.address = (i % 3 == 1 ? 0x9000 : 0x5000) + 64 * i,
                           .id = 7,
                           .sid = 1,
                           .beats = static_cast<unsigned>(1 + i % 4)}));
  run_until([&] { return offers_open == 0; });
  for (size_t i = 0; i < made.size(); ++i) {
    EXPECT_EQ(made[i]->forwarded, i % 3 != 1);
    if (i > 0) {
      EXPECT_GT(made[i]->answered_at, made[i - 1]->answered_at);
    }
  }
}

TEST_F(SmmuTop, FaultsEndAsContextDescriptorsSay) {
  ste(1, 5, kContexts);
  cd(kContexts, kRoot1);
  // Neither A nor R.
  memory.set_word(kContexts, memory.word(kContexts) & ~(uint64_t{3} << 45));
  map1(kRoot1, 0x5000, 0x88000);
  enable();
  const Offer read = done({.address = 0x9000, .sid = 1, .beats = 3});
  EXPECT_FALSE(read.forwarded);
  EXPECT_EQ(read.response, 0u);
  EXPECT_EQ(read.data, 0u);
  const Offer write = done({.address = 0x9000, .sid = 1, .write = true, .beats = 30});
  EXPECT_FALSE(write.forwarded);
  EXPECT_EQ(write.response, 0u);
  EXPECT_TRUE(events().empty());
}

TEST_F(SmmuTop, ErrorsFromDownstreamGoBackAsTheyCame) {
  fail_downstream = true;
  EXPECT_EQ(done({.address = 0x5000}).response, 3u);
  EXPECT_EQ(done({.address = 0x5000, .write = true}).response, kSlaveError);
}

TEST_F(SmmuTop, BusErrorsHaveTheirEvents) {
  ste(1, 5, kContexts);
  cd(kContexts, kRoot1);
  map1(kRoot1, 0x5000, 0x88000);
  enable();
  memory.broken_pages.insert(kRoot1 >> 12);
  EXPECT_EQ(out(1, 0x5000), kNone);
  memory.broken_pages = {kContexts >> 12};
  command(0x06 | uint64_t{1} << 32);
  sync();
  EXPECT_EQ(out(1, 0x5000), kNone);
  memory.broken_pages = {kStreams >> 12};
  command(0x03 | uint64_t{1} << 32);
  sync();
  EXPECT_EQ(out(1, 0x5000), kNone);
  memory.broken_pages.clear();
  EXPECT_EQ(out(1, 0x5000), 0x88000u);
  const std::vector<Record> records = events();
  ASSERT_EQ(records.size(), 3u);
  constexpr uint64_t kRead = uint64_t{1} << 35;
  EXPECT_EQ(records[0], (Record{0x0b | uint64_t{1} << 32, kRead | uint64_t{1} << 40, 0x5000, kRoot1}));
  EXPECT_EQ(records[1], (Record{0x09 | uint64_t{1} << 32, 0, 0, kContexts}));
  EXPECT_EQ(records[2], (Record{0x03 | uint64_t{1} << 32, 0, 0, kStreams + 64}));
}

TEST_F(SmmuTop, SyncWaitsForWhatWasAcceptedBefore) {
  ste(1, 5, kContexts);
  cd(kContexts, kRoot1);
  map1(kRoot1, 0x5000, 0x88000);
  enable();
  out(1, 0x5000);
  downstream_latency = 400;
  for (unsigned round = 0; round < 20; ++round) {
    Offer& slow = offer({.address = 0x5000, .sid = 1, .write = round % 2 != 0});
    run_until([&] { return slow.accepted; });
    command(0x30);
    sync();
    // What is left is its way through the port.
    for (unsigned i = 0; i < 40 && !slow.answered; ++i) cycle();
    EXPECT_TRUE(slow.answered) << "round " << round;
    settle_down();
  }
}

// The leaf of stage 1 was read, stage 2 is being walked: the access may use what it read, and nobody after the
// CMD_SYNC.
TEST_F(SmmuTop, WhatWasReadBeforeAnInvalidationIsNotKept) {
  ste(1, 7, kContexts, {.table = kRoot2});
  cd(kContexts, kRoot1);
  map1(kRoot1, 0x5000, 0x60000000);
  uint64_t leaf = 0;
  for (uint64_t at = 0x10000000; at < 0x10004000; at += 8)
    if ((memory.word(at) & 0xfffffffff000) == 0x60000000) leaf = at;
  ASSERT_NE(leaf, 0u);
  for (const uint64_t first : {kContexts, kRoot1}) map2(kRoot2, first, first);
  for (uint64_t at = 0x10000000; at < 0x10004000; at += 0x1000) map2(kRoot2, at, at);
  map2(kRoot2, 0x60000000, 0x88000);
  map2(kRoot2, 0x60001000, 0x99000);
  enable();
  out(1, 0x9000);  // configuration, and the tables' addresses
  events();
  command(0x30);
  sync();
  settle_down();
  memory.latency_min = 150;
  memory.log.clear();
  Offer& early = offer({.address = 0x5000, .sid = 1});
  const auto left = [&] { return !memory.log.empty() && memory.log.back().address == leaf; };
  run_until(left);
  run_until([&] { return !left(); });
  memory.set_word(leaf, memory.word(leaf) + 0x1000);
  command(0x10 | uint64_t{1} << 32);
  sync();
  EXPECT_TRUE(early.forwarded);
  EXPECT_EQ(out(1, 0x5000), 0x99000u);
  EXPECT_TRUE(events().empty());
}

TEST_F(SmmuTop, InvalidationsAreSeen) {
  ste(1, 5, kContexts);
  cd(kContexts, kRoot1, 9);
  map1(kRoot1, 0x5000, 0x88000);
  enable();
  EXPECT_EQ(out(1, 0x5000), 0x88000u);
  map1(kRoot1, 0x5000, 0x99000);
  EXPECT_EQ(out(1, 0x5000), 0x88000u);
  command(0x12 | uint64_t{8} << 48 | uint64_t{1} << 32, 0x5000);  // another ASID
  sync();
  EXPECT_EQ(out(1, 0x5000), 0x88000u);
  command(0x12 | uint64_t{9} << 48 | uint64_t{1} << 32, 0x5001);
  sync();
  EXPECT_EQ(out(1, 0x5000), 0x99000u);
  ste(1, 4, 0);
  EXPECT_EQ(out(1, 0x5000), 0x99000u);
  command(0x03 | uint64_t{1} << 32, 1);
  sync();
  EXPECT_EQ(out(1, 0x5000), 0x5000u);
  EXPECT_TRUE(events().empty());
}

}  // namespace
}  // namespace lockstep::smmu_rtl_bridge::rtl_test
