// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "tests/tlm_models/machine_bench.h"

namespace lockstep::tlm_models {
namespace {

using namespace testing;

// A guest whose state depends on time and on interrupts: it programs the timer every 3000 ticks and counts in RAM.
GuestFile ticking_guest() {
  return GuestFile({
      0x00000297,              // 0x00: auipc t0, 0
      0x03028293,              // 0x04: addi  t0, t0, 0x30
      0x30529073,              // 0x08: csrw  mtvec, t0
      0x08000393,              // 0x0c: li    t2, 0x80
      0x3043a073,              // 0x10: csrs  mie, t2
      0x020042b7,              // 0x14: lui   t0, 0x2004
      0x0002b023,              // 0x18: sd    zero, 0(t0)
      0x30046073,              // 0x1c: csrsi mstatus, 8
      0x00150513,              // 0x20: 1: addi a0, a0, 1
      0xffdff06f,              // 0x24: j 1b
      0x00000013, 0x00000013,  // 0x28
      0xc0102e73,              // 0x30: csrr  t3, time
      0x000012b7,              // 0x34: lui   t0, 1
      0x005e0e33,              // 0x38: add   t3, t3, t0
      0x020042b7,              // 0x3c: lui   t0, 0x2004
      0x01c2b023,              // 0x40: sd    t3, 0(t0)
      0x00001297,              // 0x44: auipc t0, 1
      0x0002be83,              // 0x48: ld    t4, 0(t0)
      0x00ae8eb3,              // 0x4c: add   t4, t4, a0
      0x01d2b023,              // 0x50: sd    t4, 0(t0)
      0x30200073,              // 0x54: mret
  });
}

constexpr uint64_t kLimit = 5'000'000;

struct Outcome {
  uint64_t instructions = 0;
  uint64_t virtual_time_ns = 0;
  std::string state, memory;
  bool operator==(const Outcome&) const = default;
};

std::string outcome(Machine& machine) {
  const MachineResult result = machine.run({.max_instructions = kLimit});
  return std::to_string(result.instructions) + " " + std::to_string(result.virtual_time_ns) + " " +
         machine.state_sha256() + " " + machine.memory_sha256();
}

TEST(MachineSnapshot, RestoredRunEndsLikeTheUninterruptedOne) {
  const GuestFile guest = ticking_guest();
  for (const unsigned harts : {1u, 2u}) {
    const auto config = [&] {
      MachineConfig made = small_config(guest);
      made.harts = harts;
      return made;
    };
    const std::string straight = in_child([&] { return outcome(*make_machine(config())); });
    EXPECT_FALSE(straight.empty());
    for (const uint64_t at : {uint64_t{0}, uint64_t{1}, uint64_t{1'234'567}, uint64_t{4'999'000}}) {
      const std::string path = ::testing::TempDir() + "lockstep_snapshot_" + std::to_string(getpid());
      const std::string saved = in_child([&] {
        const auto machine = make_machine(config());
        machine->run({.stop_at_boundary = at});
        const auto status = machine->save_snapshot(path);
        return status.ok() ? outcome(*machine) : status.message();
      });
      EXPECT_EQ(saved, straight);
      const std::string restored = in_child([&] {
        const auto machine = make_machine(config());
        const auto status = machine->restore(path);
        return status.ok() ? outcome(*machine) : status.message();
      });
      EXPECT_EQ(restored, straight) << "snapshot at " << at << " of " << harts << " harts";
      unlink(path.c_str());
    }
  }
}

TEST(MachineSnapshot, OtherShapesAndFilesAreRefused) {
  const GuestFile guest = ticking_guest();
  const std::string path = ::testing::TempDir() + "lockstep_snapshot_" + std::to_string(getpid());
  const std::string saved = in_child([&] {
    const auto status = make_machine(small_config(guest))->save_snapshot(path);
    return std::string(status.ok() ? "ok" : status.message());
  });
  EXPECT_EQ(saved, "ok");
  const auto restore = [&](auto change, const std::string& from) {
    return in_child([&] {
      MachineConfig config = small_config(guest);
      change(config);
      const auto status = make_machine(std::move(config))->restore(from);
      return std::string(status.ok() ? "ok" : status.message());
    });
  };
  const auto same = [](MachineConfig&) {};
  EXPECT_EQ(restore(same, path), "ok");
  EXPECT_NE(restore([](MachineConfig& c) { c.harts = 2; }, path).find("--smp"), std::string::npos);
  EXPECT_NE(restore([](MachineConfig& c) { c.memory_bytes *= 2; }, path).find("--memory"), std::string::npos);
  EXPECT_NE(restore(same, "/nonexistent").find("/nonexistent"), std::string::npos);
  {
    std::ofstream file(path, std::ios::binary);
    file << "not a snapshot";
  }
  EXPECT_NE(restore(same, path).find(path), std::string::npos);
  unlink(path.c_str());
}

}  // namespace
}  // namespace lockstep::tlm_models
