// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/devices/uart16550/uart16550.h"

#include <gtest/gtest.h>

#include "tests/tlm_models/bench.h"

namespace lockstep::tlm_models {
namespace {

using testing::kTestDeviceBase;

struct UartBench : testing::Bench {
  std::string sent;
  Uart16550 uart{"uart", [this](uint8_t byte) { sent.push_back(static_cast<char>(byte)); }};

  UartBench() {
    add(uart, kTestDeviceBase, Uart16550::kSizeBytes);
    advance();
  }
  uint64_t get(unsigned offset) { return cpu.read(kTestDeviceBase + offset, 1); }
  void put(unsigned offset, uint64_t value) { cpu.write(kTestDeviceBase + offset, value, 1); }
};

TEST(Uart16550, RegistersKeepTheirTable) {
  UartBench bench;
  testing::check_registers(bench.uart, bench.cpu, kTestDeviceBase);
}

TEST(Uart16550, SendsAndIsEmptyAgain) {
  UartBench bench;
  bench.put(0, 'o');
  bench.put(0, 'k');
  EXPECT_EQ(bench.sent, "ok");
  EXPECT_EQ(bench.get(5) & 0x60, 0x60u);
}

TEST(Uart16550, DivisorLatchHidesDataAndEnables) {
  UartBench bench;
  bench.put(3, 0x80);
  bench.put(0, 0x34);
  bench.put(1, 0x12);
  EXPECT_EQ(bench.get(0), 0x34u);
  EXPECT_EQ(bench.get(1), 0x12u);
  bench.put(3, 0x03);
  EXPECT_EQ(bench.get(1), 0u);
  EXPECT_TRUE(bench.sent.empty());
}

TEST(Uart16550, ReceiveInterruptFollowsTriggerLevel) {
  UartBench bench;
  bench.put(2, 0xc1);
  bench.put(1, 1);
  EXPECT_EQ(bench.uart.receive_space(), 16u);
  bench.uart.receive('a');
  EXPECT_TRUE(bench.uart.irq.level());
  EXPECT_EQ(bench.get(2), 0xccu);
  for (int i = 0; i < 13; ++i) bench.uart.receive('b');
  EXPECT_EQ(bench.get(2), 0xc4u);
  EXPECT_EQ(bench.get(0), 'a');
  for (int i = 0; i < 13; ++i) EXPECT_EQ(bench.get(0), 'b');
  EXPECT_FALSE(bench.uart.irq.level());
  EXPECT_EQ(bench.get(2), 0xc1u);
  EXPECT_EQ(bench.get(5) & 1, 0u);
}

TEST(Uart16550, TransmitterInterruptIsClearedByReadingItsIdentity) {
  UartBench bench;
  bench.put(1, 2);
  EXPECT_TRUE(bench.uart.irq.level());
  EXPECT_EQ(bench.get(2), 0x02u);
  EXPECT_FALSE(bench.uart.irq.level());
  bench.put(0, 'x');
  EXPECT_TRUE(bench.uart.irq.level());
  bench.put(1, 0);
  EXPECT_FALSE(bench.uart.irq.level());
  bench.put(1, 2);
  EXPECT_TRUE(bench.uart.irq.level());
}

TEST(Uart16550, OverrunIsReportedOnce) {
  UartBench bench;
  bench.put(2, 1);
  bench.put(1, 4);
  for (int i = 0; i < 17; ++i) bench.uart.receive('x');
  EXPECT_EQ(bench.get(2) & 0xf, 0x06u);
  EXPECT_EQ(bench.get(5) & 2, 2u);
  EXPECT_EQ(bench.get(5) & 2, 0u);
  bench.put(2, 3);
  EXPECT_EQ(bench.get(5) & 1, 0u);
}

TEST(Uart16550, LoopbackReturnsDataAndModemLines) {
  UartBench bench;
  bench.put(4, 0x1f);
  bench.put(0, 'z');
  EXPECT_TRUE(bench.sent.empty());
  EXPECT_EQ(bench.get(0), 'z');
  EXPECT_EQ(bench.get(6) & 0xf0, 0xf0u);
  bench.put(4, 0x10);
  EXPECT_EQ(bench.get(6) & 0xf0, 0u);
  EXPECT_EQ(bench.get(6) & 0x0f, 0u);
  EXPECT_EQ(bench.uart.receive_space(), 0u);
}

TEST(Uart16550, PollingGuestWantsInputButASendingOneDoesNot) {
  UartBench bench;
  for (int i = 0; i < 100; ++i) {
    bench.get(5);
    bench.put(0, '.');
  }
  EXPECT_FALSE(bench.uart.wants_input());
  for (int i = 0; i < 64; ++i) bench.get(5);
  EXPECT_TRUE(bench.uart.wants_input());
}

TEST(Uart16550, SnapshotKeepsReceivedBytes) {
  UartBench bench;
  bench.put(2, 1);
  bench.put(1, 1);
  bench.uart.receive('q');
  SnapshotSection section("uart");
  bench.uart.save(section);
  bench.uart.reset();
  EXPECT_FALSE(bench.uart.irq.level());
  ASSERT_TRUE(bench.uart.restore(section).ok());
  EXPECT_TRUE(bench.uart.irq.level());
  EXPECT_EQ(bench.get(0), 'q');
}

}  // namespace
}  // namespace lockstep::tlm_models
