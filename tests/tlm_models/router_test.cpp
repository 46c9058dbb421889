// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/kernel/router.h"

#include <gtest/gtest.h>

#include <array>

#include "tests/tlm_models/bench.h"
#include "tlm_models/kernel/dma_port.h"
#include "tlm_models/kernel/memory_access.h"

namespace lockstep::tlm_models {
namespace {

using testing::Bench;
using testing::kTestRamBase;
using testing::kTestRamBytes;

TEST(Router, OverlappingRangesAreRefused) {
  Bench bench;
  Device device("device", {4, 4});
  const auto overlap = bench.router.map("x", kTestRamBase + 0x1000, 0x1000, Router::Kind::kDevice, device.socket);
  ASSERT_FALSE(overlap.ok());
  EXPECT_NE(overlap.message().find("overlaps ram"), std::string::npos);
  EXPECT_FALSE(bench.router.map("y", ~uint64_t{0} - 10, 0x1000, Router::Kind::kDevice, device.socket).ok());
  bench.add(device, testing::kTestDeviceBase, 0x1000);
  bench.advance();
}

TEST(Router, RamIsReadWrittenAndGrantedWithItsWindow) {
  Bench bench;
  bench.advance();
  bench.cpu.write(kTestRamBase + 8, 0x1122334455667788, 8);
  EXPECT_EQ(bench.cpu.read(kTestRamBase + 12, 4), 0x11223344u);
  tlm::tlm_generic_payload payload;
  tlm::tlm_dmi dmi;
  WindowExtension window;
  payload.set_address(kTestRamBase + 0x5000);
  payload.set_extension(&window);
  ASSERT_TRUE(bench.cpu.socket->get_direct_mem_ptr(payload, dmi));
  payload.clear_extension(&window);
  EXPECT_EQ(dmi.get_start_address(), kTestRamBase);
  EXPECT_EQ(dmi.get_end_address(), kTestRamBase + kTestRamBytes - 1);
  EXPECT_EQ(window.window.base, kTestRamBase);
  EXPECT_EQ(window.window.host, bench.memory.ram().host());
  EXPECT_NE(window.window.page_flags, nullptr);
}

TEST(Router, AccessesOutsideAreAddressErrors) {
  Bench bench;
  bench.advance();
  uint64_t value = 0;
  for (const uint64_t address : {uint64_t{0}, kTestRamBase - 1, kTestRamBase + kTestRamBytes - 4, ~uint64_t{0} - 3}) {
    EXPECT_EQ(bench.cpu.access(tlm::TLM_READ_COMMAND, address, 8, value), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  }
}

TEST(DmaPort, ReachesMemoryOnly) {
  Bench bench;
  Device device("device", {4, 4});
  device.registers().add({.offset = 0, .name = "R", .doc = ""});
  bench.add(device, testing::kTestDeviceBase, 0x1000);
  DmaPort dma("dma");
  dma.socket.bind(bench.router.in);
  bench.advance();
  uint32_t value = 0xabcd1234;
  EXPECT_TRUE(dma.store(kTestRamBase + 4, value));
  EXPECT_EQ(bench.cpu.read(kTestRamBase + 4), 0xabcd1234u);
  EXPECT_FALSE(dma.store(testing::kTestDeviceBase, value));
  EXPECT_FALSE(dma.load(kTestRamBase + kTestRamBytes - 2, value));
  EXPECT_FALSE(dma.load(0, value));
}

TEST(DmaPort, WritesMarkPagesDirty) {
  Bench bench;
  DmaPort dma("dma");
  dma.socket.bind(bench.router.in);
  bench.advance();
  bench.memory.ram().start_tracking();
  const std::array<uint8_t, 3> data = {1, 2, 3};
  EXPECT_TRUE(dma.write(kTestRamBase + 0x2fff, data));
  EXPECT_FALSE(bench.memory.ram().page_dirty(1));
  EXPECT_TRUE(bench.memory.ram().page_dirty(2));
  EXPECT_TRUE(bench.memory.ram().page_dirty(3));
}

}  // namespace
}  // namespace lockstep::tlm_models
