// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace lockstep::smmu_rtl_bridge {

// The pins of an SMMU in RTL, as the bench sees them: AMBA AXI4 ports for clients, for what goes on downstream and for
// the device's own memory accesses, APB for its registers, wires for interrupts. A pin map (docs/bring-your-rtl.md)
// carries them to and from the pins that a design really has.

// AR or AW. The fields below `user` travel in AxUSER or beside it; a port that does not have one leaves it alone.
struct AxiAddress {
  bool valid = false;
  uint32_t id = 0;
  uint64_t address = 0;
  uint8_t length = 0;  // AxLEN: beats - 1
  uint8_t size = 3;    // AxSIZE: log2 of the bytes of a beat
  uint8_t burst = 1;   // AxBURST: INCR
  uint8_t prot = 2;    // AxPROT: 0 privileged, 1 non-secure, 2 instruction
  // user
  uint8_t type = 0xff;  // as MAIR has it
  uint8_t shareability = 0;
  uint32_t stream_id = 0;
  uint32_t substream_id = 0;
  bool substream_valid = false;
  bool translated = false;
  bool atomic = false;
  bool operator==(const AxiAddress&) const = default;
};

struct AxiWriteData {
  bool valid = false;
  uint64_t data = 0;
  uint8_t strobe = 0;
  bool last = false;
  bool operator==(const AxiWriteData&) const = default;
};

inline constexpr uint8_t kAxiOkay = 0, kAxiSlaveError = 2, kAxiDecodeError = 3;

struct AxiReadData {
  bool valid = false;
  uint32_t id = 0;
  uint64_t data = 0;
  uint8_t response = kAxiOkay;
  bool last = false;
  bool operator==(const AxiReadData&) const = default;
};

struct AxiWriteResponse {
  bool valid = false;
  uint32_t id = 0;
  uint8_t response = kAxiOkay;
  bool operator==(const AxiWriteResponse&) const = default;
};

// What the manager of an AXI port drives, and what its subordinate does.
struct AxiManagerPins {
  AxiAddress ar, aw;
  AxiWriteData w;
  bool r_ready = false, b_ready = false;
};
struct AxiSubordinatePins {
  bool ar_ready = false, aw_ready = false, w_ready = false;
  AxiReadData r;
  AxiWriteResponse b;
};

struct ApbRequest {
  bool select = false, enable = false, write = false;
  uint32_t address = 0;
  uint32_t data = 0;
  uint8_t strobe = 0;
  uint8_t prot = 2;
};
struct ApbAnswer {
  bool ready = false;
  uint32_t data = 0;
  bool error = false;
};

inline constexpr size_t kWires = 5;  // as enum Wire

// What the bench drives in one clock cycle, and what the design answers before the clock edge that ends it.
struct DesignInputs {
  bool reset = false;
  AxiManagerPins client;
  AxiSubordinatePins downstream;
  AxiSubordinatePins memory;
  ApbRequest registers;
};
struct DesignOutputs {
  AxiSubordinatePins client;
  AxiManagerPins downstream;
  AxiManagerPins memory;
  ApbAnswer registers;
  std::array<bool, kWires> wires{};  // high for one cycle each time
  bool idle = false;
  bool stopped = false;  // by an assertion of its own or worse: Design::complaint() tells
};

}  // namespace lockstep::smmu_rtl_bridge
