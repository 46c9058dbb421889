// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <random>

#include "tests/tlm_models/machine_bench.h"
#include "tlm_models/kernel/timer_queue.h"
#include "tlm_models/machines/riscv_virt/memory_map.h"

namespace lockstep::tlm_models {
namespace {

using namespace testing;

// A guest that programs nonsense into every register of every device: nothing may crash, whatever the answers are.
// Values are often small numbers or addresses in RAM, so that queues come to life and find hostile rings there.
TEST(DevicesFuzz, NonsenseInEveryRegisterIsSurvived) {
  const GuestFile guest({kJumpSelf});
  const GuestFile disk(std::vector<uint32_t>(128 * 64, 0x12345678));
  MachineConfig config = small_config(guest);
  config.harts = 2;
  config.drives.push_back({disk.path(), false, true});
  config.user_network = true;
  config.virtio_console = true;
  const auto machine = make_machine(std::move(config));
  machine->run({.max_instructions = 1000});
  core::PhysicalBus& bus = machine->hart(0).bus();

  const auto seed = static_cast<unsigned>(::testing::UnitTest::GetInstance()->random_seed()) + 1;
  std::printf("seed %u (give it with --gtest_shuffle --gtest_random_seed=%u)\n", seed, seed - 1);
  std::mt19937_64 random(seed);
  struct Range {
    uint64_t base;
    uint64_t size_bytes;
  };
  const Range ranges[] = {
      {riscv_virt::kClintBase, 0x10000}, {riscv_virt::kPlicBase, 0x3000},   {riscv_virt::kPlicBase + 0x200000, 0x4000},
      {riscv_virt::kUartBase, 0x100},    {riscv_virt::kRtcBase, 0x40},      {riscv_virt::kFinisherBase, 0x40},
      {riscv_virt::kVirtioBase, 0x8000}, {riscv_virt::kVirtioBase, 0x8000}, {riscv_virt::kVirtioBase, 0x8000},
      {riscv_virt::kRomBase, 0x2000}};
  const auto value = [&]() -> uint64_t {
    switch (random() % 5) {
      case 0:
        return random();
      case 1:
        return random() % 16;
      case 2:
        return 0x80010000 + random() % 16 * 4096;
      case 3:
        return uint64_t{1} << random() % 64;
      default:
        return random() % 2 == 0 ? 0 : ~uint64_t{0};
    }
  };
  const auto set_up_queue = [&](uint64_t device) {
    bus.write(device + 0x70, 4, 0);
    bus.write(device + 0x70, 4, 3);
    bus.write(device + 0x24, 4, 1);
    bus.write(device + 0x20, 4, 1);
    bus.write(device + 0x70, 4, 11);
    for (uint64_t queue = 0; queue < 2; ++queue) {
      bus.write(device + 0x30, 4, queue);
      bus.write(device + 0x38, 4, 8);
      for (const uint64_t part : {0x80, 0x90, 0xa0}) bus.write(device + part, 4, 0x80010000 + random() % 16 * 4096);
      bus.write(device + 0x44, 4, 1);
    }
    bus.write(device + 0x70, 4, 15);
  };
  for (unsigned i = 0; i < 60'000; ++i) {
    const Range& range = ranges[random() % std::size(ranges)];
    const unsigned size = 1u << random() % 4;
    const uint64_t address = range.base + (random() % range.size_bytes & ~uint64_t{random() % 8 == 0 ? 0u : size - 1});
    uint64_t read = 0;
    if (random() % 3 == 0) {
      bus.read(address, size, read);
    } else {
      bus.write(address, size, value());
    }
    if (i % 64 == 0) {
      const uint64_t device = riscv_virt::kVirtioBase + random() % 5 * 0x1000;
      set_up_queue(device);
      for (unsigned word = 0; word < 256; ++word) {
        const uint64_t filled = random() % 4 == 0 ? random() : (value() & 0x8001ffff00030fff);
        auto target = machine->ram().bytes(0x80010000 + random() % (64 * 1024 - 8), 8);
        std::memcpy(target.data(), &filled, 8);
      }
      for (uint64_t queue = 0; queue < 2; ++queue) bus.write(device + 0x50, 4, queue);
    }
    if (i % 1000 == 0) machine->run({.max_instructions = machine->total_instructions() + 100'000});
  }
  // The machine still works well enough to be saved.
  const std::string path = ::testing::TempDir() + "lockstep_fuzz_" + std::to_string(getpid());
  machine->run({.stop_at_boundary = machine->total_instructions()});
  (void)machine->save_snapshot(path);
  unlink(path.c_str());
}

}  // namespace
}  // namespace lockstep::tlm_models
