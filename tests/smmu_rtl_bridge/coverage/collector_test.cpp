// SPDX-License-Identifier: Apache-2.0
// The collector over random worlds and commands: every point that it names is in the plan, and points of each chapter
// are met. LOCKSTEP_SEED chooses the first world, LOCKSTEP_WORLDS how many follow; LOCKSTEP_COVERAGE names a file for
// the result.
#include "smmu_rtl_bridge/coverage/collector.h"

#include <gtest/gtest.h>

#include "tests/core/seed.h"
#include "tests/smmu_rtl_bridge/coverage/observed_model.h"
#include "tests/tlm_models/smmuv3/reference_bridge.h"

namespace lockstep::smmu_rtl_bridge::coverage {
namespace {

namespace smmuv3 = tlm_models::smmuv3;
using Id = smmuv3::RegisterId;

constexpr uint64_t kCommandQueue = 0x10000;
constexpr uint64_t kEventQueue = 0x20000;
constexpr uint64_t kPageQueue = 0x30000;
constexpr unsigned kQueueLog2 = 4;

class RandomRun {
 public:
  RandomRun(uint64_t seed, Database& database)
      : random_(seed),
        config_(smmuv3::random_config(random_, random_() % 2)),
        collector_(config_, database),
        model_(config_, collector_) {}

  void go() {
    smmuv3_reference::WorldOptions options;
    options.seed = random_();
    options.idr0 = static_cast<uint32_t>(read(Id::kIdr0));
    options.idr1 = static_cast<uint32_t>(read(Id::kIdr1));
    options.idr3 = static_cast<uint32_t>(read(Id::kIdr3));
    options.idr5 = static_cast<uint32_t>(read(Id::kIdr5));
    options.damage = random_() % 2;
    world_ = smmuv3_reference::make_world(options);
    model_.memory = world_.memory;
    model_.show_memory();
    write(Id::kStrtabBase, world_.strtab_base);
    write(Id::kStrtabBaseCfg, world_.strtab_base_cfg);
    write(Id::kCr2, random_());
    write(Id::kCr1, random_());
    write(Id::kGbpa, (random_() & 0x1fff1f) | smmuv3::kGbpaUpdate);
    write(Id::kCmdqBase, kCommandQueue | kQueueLog2);
    write(Id::kEventqBase, kEventQueue | kQueueLog2);
    write(Id::kPriqBase, kPageQueue | kQueueLog2);
    write(Id::kIrqCtrl, 7);
    write(Id::kCr0, random_() % 8 ? 0x1f : 0x1e);
    for (unsigned i = 0; i < 150; ++i) step();
    collector_.quiet();
    collector_.finished();
  }

 private:
  void write(Id id, uint64_t value) {
    for (const smmuv3::RegisterRow& row : smmuv3::register_rows())
      if (row.id == id) model_.write(row.offset, row.size_bytes, value);
  }
  uint64_t read(Id id) {
    for (const smmuv3::RegisterRow& row : smmuv3::register_rows())
      if (row.id == id) return model_.read(row.offset, row.size_bytes);
    return 0;
  }
  void command(uint64_t low, uint64_t high) {
    const uint64_t words[] = {low, high};
    model_.poke(kCommandQueue + (produced_ & 15) * 16, words, sizeof words);
    produced_ = (produced_ + 1) & 31;
    write(Id::kCmdqProd, produced_);
    const uint64_t consumed = read(Id::kCmdqCons);
    if ((consumed & 0x1f) == produced_) return;
    if (((read(Id::kGerror) ^ acknowledged_) & 1) != 0) {
      // What was in the place is skipped by making it a CMD_SYNC.
      const uint64_t sync[] = {0x46, 0};
      model_.poke(kCommandQueue + (consumed & 15) * 16, sync, sizeof sync);
      acknowledged_ = read(Id::kGerror);
      write(Id::kGerrorN, acknowledged_);
    } else {
      model_.atc_done(random_() % 4 == 0);
    }
  }
  void step() {
    const auto& stream = world_.streams[random_() % world_.streams.size()];
    ClientAccess access;
    access.id = ++id_;
    access.stream_id = random_() % 20 ? stream.id : static_cast<uint32_t>(random_() % 0x20000);
    access.address = stream.addresses[random_() % stream.addresses.size()];
    access.substream_valid = !stream.substreams.empty() && random_() % 2;
    if (access.substream_valid) access.substream_id = stream.substreams[random_() % stream.substreams.size()];
    access.write = random_() % 3 == 0;
    access.atomic = access.write && random_() % 4 == 0;
    access.instruction = random_() % 4 == 0;
    access.privileged = random_() % 2;
    static constexpr uint8_t kTypes[] = {0xff, 0x44, 0x00, 0x04, 0x08, 0x0c, 0xbb, 0x4f, 0xf4};
    access.attributes.type = kTypes[random_() % std::size(kTypes)];
    const unsigned what = static_cast<unsigned>(random_() % 16);
    if (what == 0) {
      access.translated = true;
      model_.access(access);
    } else if (what == 1) {
      model_.ask_ats({id_, access.address, access.stream_id, access.substream_id, access.substream_valid,
                      random_() % 2 == 0, random_() % 2 == 0, access.privileged});
    } else if (what == 2) {
      model_.ask_page({access.address, access.stream_id, access.substream_id, access.substream_valid, 1,
                       random_() % 2 == 0, random_() % 2 == 0, random_() % 2 == 0, random_() % 2 == 0,
                       access.privileged});
    } else if (what <= 5) {
      const auto rows = smmuv3::command_rows();
      const auto opcode = static_cast<uint64_t>(rows[random_() % rows.size()].opcode);
      model_.atc_answer = static_cast<smmuv3::AtcAnswer>(random_() % 3);
      command(opcode | (random_() & 0x1fff800) | uint64_t{access.stream_id} << 32, random_() & random_());
    } else if (what == 6) {
      write(Id::kEventqCons, read(Id::kEventqProd));
      write(Id::kPriqCons, read(Id::kPriqProd));
    } else {
      model_.access(access);
    }
  }

  std::mt19937_64 random_;
  smmuv3::Config config_;
  Collector collector_;
  ObservedModel model_;
  smmuv3_reference::World world_;
  uint64_t produced_ = 0;
  uint64_t acknowledged_ = 0;
  uint64_t id_ = 0;
};

TEST(SmmuCoverageCollector, NamesOnlyPointsOfThePlanAndMeetsEachChapter) {
  const uint64_t worlds = test::from_environment("LOCKSTEP_WORLDS", 300);
  const uint64_t first = test::seed();
  Database database;
  for (uint64_t i = 0; i < worlds; ++i) RandomRun(first + i, database).go();
  for (const auto& [name, count] : database.unplanned()) ADD_FAILURE() << "the plan lacks " << name << " " << count;
  TreeOptions options;
  options.depth = 1;
  const std::string chapters = tree(database, options);
  std::fputs(chapters.c_str(), stdout);
  EXPECT_EQ(chapters.find(" 0/"), std::string::npos);
  EXPECT_GT(database.percent(), 50);
  EXPECT_EQ(database.runs, worlds);
  const char* path = std::getenv("LOCKSTEP_COVERAGE");
  if (path) {
    EXPECT_TRUE(database.save(path).ok());
  }
}

}  // namespace
}  // namespace lockstep::smmu_rtl_bridge::coverage
