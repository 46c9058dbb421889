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
  config.smmu.present = true;
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
  const Range ranges[] = {{riscv_virt::kClintBase, 0x10000},
                          {riscv_virt::kPlicBase, 0x3000},
                          {riscv_virt::kPlicBase + 0x200000, 0x4000},
                          {riscv_virt::kUartBase, 0x100},
                          {riscv_virt::kRtcBase, 0x40},
                          {riscv_virt::kFinisherBase, 0x40},
                          {riscv_virt::kVirtioBase, 0x8000},
                          {riscv_virt::kVirtioBase, 0x8000},
                          {riscv_virt::kVirtioBase, 0x8000},
                          {riscv_virt::kSmmuBase, 0x100},
                          {riscv_virt::kSmmuBase + 0x10000, 0x100},
                          {riscv_virt::kDmaEngineBase, 0x60},
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

// How a hostile run is cut: straight, or saved half way and carried on by another process.
enum class Part { kWhole, kFirstHalf, kSecondHalf };

struct HostileRun {
  unsigned seed;
  bool async_io;
  std::string disk;
  std::string snapshot;
};

// Rings that look right at first sight, so that requests of every device get under way before something is wrong.
void fill_queue(core::GuestRam& ram, uint64_t area, std::mt19937_64& random) {
  const auto put = [&](uint64_t address, uint64_t value, size_t size_bytes) {
    std::memcpy(ram.bytes(address, size_bytes).data(), &value, size_bytes);
  };
  for (uint64_t i = 0; i < 8; ++i) {
    const uint64_t descriptor = area + i * 16;
    const bool far = random() % 16 == 0;
    put(descriptor, far ? random() : 0x80020000 + random() % 64 * 512, 8);
    put(descriptor + 8, i == 0 ? 16 : random() % 4 == 0 ? random() % 5000 : random() % 4 * 512 + random() % 2, 4);
    put(descriptor + 12, random() % 32 == 0 ? random() % 8 : (i == 7 ? 2 : i < 4 ? 1 : 3), 2);
    put(descriptor + 14, random() % 32 == 0 ? random() % 16 : i + 1, 2);
    put(area + 0x1004 + i * 2, random() % 16 == 0 ? random() % 16 : random() % 7, 2);
  }
  put(area + 0x1002, random() % 12, 2);
  for (uint64_t header = 0; header < 64; ++header) {
    put(0x80020000 + header * 512, random() % 9, 8);
    put(0x80020000 + header * 512 + 8, random() % 80, 8);
  }
}

// Queues, a stream table and tables of stage 1 where the rings are, so that everything in them is nonsense now and
// then.
void program_smmu(core::PhysicalBus& bus, std::mt19937_64& random) {
  const uint64_t smmu = riscv_virt::kSmmuBase;
  const uint64_t engine = riscv_virt::kDmaEngineBase;
  const auto somewhere = [&] { return 0x80010000 + random() % 32 * 4096; };
  bus.write(smmu + 0x20, 4, random() % 4 == 0 ? random() : 0);
  bus.write(smmu + 0x80, 8, random() % 16 == 0 ? random() : somewhere());
  bus.write(smmu + 0x88, 4, random() % 4 == 0 ? random() : 6);
  for (const uint64_t queue : {0x90, 0xa0, 0xc0}) bus.write(smmu + queue, 8, somewhere() | random() % 8);
  bus.write(smmu + 0x50, 4, random());
  bus.write(smmu + 0x20, 4, 0xd | (random() % 16 == 0 ? random() : 0));
  bus.write(smmu + 0x98, 4, random() % 64);
  bus.write(smmu + 0x64, 4, random());
  bus.write(smmu + 0x100ac, 4, random() % 64);
  bus.write(engine, 8, somewhere());
  bus.write(engine + 8, 8, somewhere());
  bus.write(engine + 0x10, 4, random() % 16 == 0 ? random() : random() % 9000);
  bus.write(engine + 0x14, 4, random() % 8);
  bus.write(engine + 0x18, 4, random() % 2 == 0 ? 0 : random());
  bus.write(engine + 0x1c, 4, random());
  bus.write(engine + 0x20, 4, 1 + (random() % 8 == 0));
  bus.write(engine + 0x44, 4, random());
  bus.write(engine + 0x48, 4, random());
}

void hostile_steps(Machine& machine, unsigned seed) {
  std::mt19937_64 random(seed);
  core::PhysicalBus& bus = machine.hart(0).bus();
  for (unsigned step = 0; step < 600; ++step) {
    const uint64_t device = riscv_virt::kVirtioBase + random() % 5 * 0x1000;
    if (random() % 8 == 0) bus.write(device + 0x70, 4, 0);
    for (const auto& [offset, value] :
         {std::pair{0x70u, 3u}, {0x24u, 1u}, {0x20u, 1u}, {0x24u, 0u}, {0x20u, 1u << 28}, {0x70u, 11u}}) {
      bus.write(device + offset, 4, value);
    }
    for (uint64_t queue = 0; queue < 2; ++queue) {
      const uint64_t area = 0x80010000 + random() % 4 * 0x4000;
      fill_queue(machine.ram(), area, random);
      bus.write(device + 0x30, 4, queue);
      bus.write(device + 0x38, 4, 8);
      bus.write(device + 0x80, 4, area);
      bus.write(device + 0x90, 4, area + 0x1000);
      bus.write(device + 0xa0, 4, random() % 32 == 0 ? area : area + 0x2000);
      bus.write(device + 0x44, 4, random() % 32 != 0);
    }
    bus.write(device + 0x70, 4, 15);
    for (uint64_t queue = 0; queue < 2; ++queue) bus.write(device + 0x50, 4, queue);
    program_smmu(bus, random);
    // Timers, interrupts and bytes of the UART happen around the requests.
    const uint64_t hart = random() % 2;
    bus.write(riscv_virt::kClintBase + 0x4000 + 8 * hart, 8, random() % 4 == 0 ? random() : random() % 40'000);
    if (random() % 64 == 0) bus.write(riscv_virt::kClintBase + 0xbff8, 8, random() % 2 == 0 ? random() : 0);
    bus.write(riscv_virt::kRtcBase + 8, 4, random());
    bus.write(riscv_virt::kRtcBase + 0x10, 4, random() % 2);
    bus.write(riscv_virt::kPlicBase + 4 * (random() % 12), 4, random());
    bus.write(riscv_virt::kPlicBase + 0x2000 + 0x80 * (random() % 4), 4, random());
    uint64_t claimed = 0;
    bus.read(riscv_virt::kPlicBase + 0x200004 + 0x1000 * (random() % 4), 4, claimed);
    bus.write(riscv_virt::kPlicBase + 0x200004 + 0x1000 * (random() % 4), 4, claimed);
    bus.write(riscv_virt::kUartBase + random() % 8, 1, random());
    machine.run({.max_instructions = machine.total_instructions() + random() % 60'000});
  }
  machine.run({.stop_at_boundary = machine.total_instructions()});
}

std::string hostile_outcome(const HostileRun& hostile, Part part) {
  const GuestFile guest({kJumpSelf});
  MachineConfig config = small_config(guest);
  config.harts = 2;
  config.async_io = hostile.async_io;
  config.drives.push_back({hostile.disk, false, true});
  config.user_network = true;
  config.virtio_console = true;
  config.smmu.present = true;
  const auto machine = make_machine(std::move(config));
  if (part == Part::kSecondHalf) {
    const auto restored = machine->restore(hostile.snapshot);
    if (!restored.ok()) return restored.message();
  } else {
    // The first run elaborates the model: before it, nothing may use the bus.
    machine->run({.max_instructions = 1000});
    hostile_steps(*machine, hostile.seed);
    const auto saved = machine->save_snapshot(hostile.snapshot);
    if (!saved.ok()) return saved.message();
    if (part == Part::kFirstHalf) return "saved";
  }
  // Accesses from outside come at the time that the hart's last turn left, which a restored machine had none of yet.
  machine->run({.max_instructions = machine->total_instructions() + 1});
  hostile_steps(*machine, hostile.seed + 1);
  return std::to_string(machine->total_instructions()) + " " + std::to_string(machine->virtual_time_ns()) + " " +
         machine->console_sha256() + " " + machine->state_sha256() + " " + machine->memory_sha256();
}

// Whatever a guest does to its devices, the run depends on nothing else: not on the thread that does the I/O, and not
// on whether another process carried it on.
TEST(DevicesFuzz, HostileRunIsDeterministicWithAnyIoAndAcrossASnapshot) {
  const GuestFile disk(std::vector<uint32_t>(128 * 64, 0x12345678));
  const auto seed = static_cast<unsigned>(::testing::UnitTest::GetInstance()->random_seed()) + 1;
  std::printf("seed %u (give it with --gtest_shuffle --gtest_random_seed=%u)\n", seed, seed - 1);
  HostileRun hostile{seed * 2, true, disk.path(),
                     ::testing::TempDir() + "lockstep_hostile_" + std::to_string(getpid())};
  const std::string straight = in_child([&] { return hostile_outcome(hostile, Part::kWhole); });
  EXPECT_GT(straight.size(), 3 * 64u) << straight;
  EXPECT_EQ(in_child([&] { return hostile_outcome(hostile, Part::kFirstHalf); }), "saved");
  EXPECT_EQ(in_child([&] { return hostile_outcome(hostile, Part::kSecondHalf); }), straight) << "across a snapshot";
  hostile.async_io = false;
  EXPECT_EQ(in_child([&] { return hostile_outcome(hostile, Part::kWhole); }), straight) << "without the I/O thread";
  unlink(hostile.snapshot.c_str());
}

}  // namespace
}  // namespace lockstep::tlm_models
