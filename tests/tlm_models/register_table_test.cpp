// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/kernel/register_table.h"

#include <gtest/gtest.h>

#include "tests/tlm_models/bench.h"

namespace lockstep::tlm_models {
namespace {

TEST(RegisterTable, MasksLimitReadsAndWrites) {
  RegisterTable table;
  table.add({.offset = 0, .name = "A", .reset = 0x12345678, .read_mask = 0xffff, .write_mask = 0xff00, .doc = ""});
  uint64_t value = 0;
  EXPECT_TRUE(table.read(0, 4, 0, value));
  EXPECT_EQ(value, 0x5678u);
  EXPECT_TRUE(table.write(0, 4, 0, 0xffffffff));
  EXPECT_TRUE(table.read(0, 4, 0, value));
  EXPECT_EQ(value, 0xff78u);
}

TEST(RegisterTable, OneClearsWriteOneToClearBits) {
  RegisterTable table;
  const RegisterId id =
      table.add({.offset = 0, .name = "STATUS", .reset = 0xff, .write_mask = 0, .w1c_mask = 0x0f, .doc = ""});
  EXPECT_TRUE(table.write(0, 4, 0, 0xf3));
  EXPECT_EQ(table.get(id), 0xfcu);
  // A narrow write elsewhere must not clear anything.
  EXPECT_TRUE(table.write(1, 1, 0, 0xff));
  EXPECT_EQ(table.get(id), 0xfcu);
}

TEST(RegisterTable, NarrowAndWideAccessesCombine) {
  RegisterTable table;
  table.add({.offset = 0, .size_bytes = 4, .name = "LOW", .doc = ""});
  table.add({.offset = 4, .size_bytes = 4, .name = "HIGH", .doc = ""});
  table.add({.offset = 8, .size_bytes = 8, .name = "WIDE", .doc = ""});
  uint64_t value = 0;
  EXPECT_TRUE(table.write(0, 8, 0, 0x1122334455667788));
  EXPECT_TRUE(table.read(4, 4, 0, value));
  EXPECT_EQ(value, 0x11223344u);
  EXPECT_TRUE(table.write(12, 4, 0, 0xaabbccdd));
  EXPECT_TRUE(table.read(8, 8, 0, value));
  EXPECT_EQ(value, 0xaabbccdd00000000u);
  EXPECT_TRUE(table.read(13, 1, 0, value));
  EXPECT_EQ(value, 0xccu);
}

TEST(RegisterTable, ArraysAndHolesDecode) {
  RegisterTable table;
  unsigned seen = 99;
  table.add({.offset = 0x10,
             .name = "R",
             .count = 3,
             .stride_bytes = 0x10,
             .doc = "",
             .on_write = [&seen](unsigned index, uint64_t, uint64_t) { seen = index; }});
  uint64_t value = 1;
  EXPECT_FALSE(table.read(0x14, 4, 0, value));
  EXPECT_EQ(value, 0u);
  EXPECT_TRUE(table.write(0x30, 4, 0, 5));
  EXPECT_EQ(seen, 2u);
  EXPECT_EQ(table.name_at(0x30), "R[2]");
  EXPECT_EQ(table.name_at(0x40), "");
}

TEST(RegisterTable, SnapshotBringsValuesBack) {
  RegisterTable table;
  const RegisterId id = table.add({.offset = 0, .name = "R", .count = 2, .doc = ""});
  table.set(id, 7, 1);
  SnapshotSection section("device");
  table.save(section);
  table.reset();
  StateReader reader(section);
  table.restore(reader);
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(table.get(id, 1), 7u);
}

TEST(Device, OddAccessesAnswerWithErrors) {
  testing::Bench bench;
  Device device("device", {4, 4});
  device.registers().add({.offset = 0, .name = "R", .doc = ""});
  bench.add(device, testing::kTestDeviceBase, 0x100);
  bench.advance();
  uint64_t value = 0;
  const auto status = [&](uint64_t offset, unsigned size) {
    return bench.cpu.access(tlm::TLM_READ_COMMAND, testing::kTestDeviceBase + offset, size, value);
  };
  EXPECT_EQ(status(0, 4), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(status(0, 1), tlm::TLM_BURST_ERROR_RESPONSE);
  EXPECT_EQ(status(0, 8), tlm::TLM_BURST_ERROR_RESPONSE);
  EXPECT_EQ(status(0, 3), tlm::TLM_BURST_ERROR_RESPONSE);
  EXPECT_EQ(status(2, 4), tlm::TLM_BURST_ERROR_RESPONSE);
  EXPECT_EQ(status(0x40, 4), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(status(0x100, 4), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(status(0xfe, 4), tlm::TLM_ADDRESS_ERROR_RESPONSE);
}

}  // namespace
}  // namespace lockstep::tlm_models
