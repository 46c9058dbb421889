// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <tlm_utils/simple_initiator_socket.h>
#include <string>
#include <systemc>
#include <tlm>

#include "tlm_models/kernel/device.h"
#include "tlm_models/kernel/memory.h"
#include "tlm_models/kernel/router.h"
#include "tlm_models/kernel/sim_time.h"

namespace lockstep::tlm_models::testing {

// An initiator for tests: one register access at a time.
class TestInitiator : public sc_core::sc_module {
 public:
  tlm_utils::simple_initiator_socket<TestInitiator> socket;

  explicit TestInitiator(sc_core::sc_module_name name) : sc_core::sc_module(name), socket("socket") {}

  tlm::tlm_response_status access(tlm::tlm_command command, uint64_t address, unsigned size_bytes, uint64_t& value,
                                  uint64_t lead_ns = 0) {
    tlm::tlm_generic_payload payload;
    payload.set_command(command);
    payload.set_address(address);
    payload.set_data_ptr(reinterpret_cast<unsigned char*>(&value));
    payload.set_data_length(size_bytes);
    payload.set_streaming_width(size_bytes);
    payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    sc_core::sc_time delay = from_ns(lead_ns);
    socket->b_transport(payload, delay);
    return payload.get_response_status();
  }

  uint64_t read(uint64_t address, unsigned size_bytes = 4, uint64_t lead_ns = 0) {
    uint64_t value = 0;
    EXPECT_EQ(access(tlm::TLM_READ_COMMAND, address, size_bytes, value, lead_ns), tlm::TLM_OK_RESPONSE) << address;
    return value;
  }
  void write(uint64_t address, uint64_t value, unsigned size_bytes = 4, uint64_t lead_ns = 0) {
    EXPECT_EQ(access(tlm::TLM_WRITE_COMMAND, address, size_bytes, value, lead_ns), tlm::TLM_OK_RESPONSE) << address;
  }
};

inline constexpr uint64_t kTestRamBase = 0x80000000;
inline constexpr uint64_t kTestRamBytes = 1 << 20;
inline constexpr uint64_t kTestDeviceBase = 0x10000;

inline core::GuestRam make_ram() {
  auto ram = core::GuestRam::create(kTestRamBase, kTestRamBytes);
  EXPECT_TRUE(ram.ok());
  return std::move(*ram);
}

// A router with RAM at kTestRamBase, and a test initiator.
struct Bench {
  Router router{"router"};
  Memory memory{"ram", make_ram(), Memory::Access::kReadWrite};
  TestInitiator cpu{"cpu"};

  Bench() {
    cpu.socket.bind(router.in);
    EXPECT_TRUE(router.map("ram", kTestRamBase, kTestRamBytes, Router::Kind::kMemory, memory.socket).ok());
  }
  void add(Device& device, uint64_t base, uint64_t size_bytes) {
    EXPECT_TRUE(router.map(device.name(), base, size_bytes, Router::Kind::kDevice, device.socket).ok());
  }
  // Ends elaboration and lets time pass.
  static void advance(uint64_t ns = 0) {
    if (ns != 0) sc_core::sc_start(from_ns(ns));
    // A start of some length ends before the events of its last instant; this runs them.
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }
};

// Everything that the table of a device promises, for the registers without side effects: reset value, writable bits,
// and that a snapshot brings all of it back.
inline void check_registers(Device& device, TestInitiator& cpu, uint64_t base) {
  device.reset();
  RegisterTable& table = device.registers();
  for (RegisterId id = 0; id < table.rows(); ++id) {
    const RegisterSpec& spec = table.spec(id);
    if (spec.offset == kNoAddress || spec.on_read || spec.on_write) continue;
    const uint64_t all = spec.size_bytes == 8 ? ~uint64_t{0} : (uint64_t{1} << (8 * spec.size_bytes)) - 1;
    for (unsigned i = 0; i < spec.count; ++i) {
      const uint64_t at = base + spec.offset + i * (spec.stride_bytes != 0 ? spec.stride_bytes : spec.size_bytes);
      EXPECT_EQ(cpu.read(at, spec.size_bytes), spec.reset & spec.read_mask & all) << spec.name;
      cpu.write(at, all, spec.size_bytes);
      EXPECT_EQ(cpu.read(at, spec.size_bytes),
                ((spec.reset & ~spec.write_mask) | spec.write_mask) & ~spec.w1c_mask & spec.read_mask & all)
          << spec.name;
      cpu.write(at, 0, spec.size_bytes);
      EXPECT_EQ(cpu.read(at, spec.size_bytes), spec.reset & ~spec.write_mask & spec.read_mask & all) << spec.name;
    }
  }
  SnapshotSection before("device");
  device.save(before);
  device.reset();
  const auto restored = device.restore(before);
  EXPECT_TRUE(restored.ok()) << (restored.ok() ? "" : restored.message());
  const SnapshotSection empty("device");
  EXPECT_FALSE(device.restore(empty).ok());
  EXPECT_FALSE(table.describe().empty());
}

}  // namespace lockstep::tlm_models::testing
