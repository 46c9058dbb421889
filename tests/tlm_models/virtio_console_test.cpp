// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/devices/virtio_console/virtio_console.h"

#include <gtest/gtest.h>

#include "tests/tlm_models/virtio_bench.h"

namespace lockstep::tlm_models {
namespace {

using testing::kTestRamBase;

TEST(VirtioConsole, OutputReachesTheSink) {
  std::string sent;
  testing::VirtioBench bench;
  VirtioConsole console("console", [&](uint8_t byte) { sent.push_back(static_cast<char>(byte)); });
  bench.plug(console);
  bench.start(2);
  std::memcpy(bench.bytes(kTestRamBase + 0x10000, 5).data(), "hello", 5);
  bench.submit(1, 0, {{kTestRamBase + 0x10000, 2, false}, {kTestRamBase + 0x10002, 3, false}});
  bench.notify(1);
  EXPECT_EQ(sent, "hello");
  EXPECT_EQ(bench.used_index(1), 1u);
}

TEST(VirtioConsole, HugeOutputNeedsReset) {
  std::string sent;
  testing::VirtioBench bench;
  VirtioConsole console("console", [&](uint8_t byte) { sent.push_back(static_cast<char>(byte)); });
  bench.plug(console);
  bench.start(2);
  bench.submit(1, 0, {{kTestRamBase, 1 << 20, false}, {kTestRamBase, 1 << 20, false}});
  bench.notify(1);
  EXPECT_TRUE(bench.needs_reset());
  EXPECT_TRUE(sent.empty());
}

TEST(VirtioConsole, InputWaitsForABuffer) {
  testing::VirtioBench bench;
  VirtioConsole console("console", [](uint8_t) {});
  bench.plug(console);
  bench.start(2);
  console.receive('a');
  console.receive('b');
  EXPECT_EQ(bench.used_index(0), 0u);
  bench.submit(0, 0, {{kTestRamBase + 0x10000, 16, true}});
  bench.notify(0);
  EXPECT_EQ(bench.used_length(0, 0), 2u);
  EXPECT_EQ(bench.bytes(kTestRamBase + 0x10001, 1)[0], 'b');
  for (size_t i = 0; i < 2 * VirtioConsole::kMaxInputBytes; ++i) console.receive('x');
  EXPECT_EQ(console.receive_space(), 0u);
}

}  // namespace
}  // namespace lockstep::tlm_models
