// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "smmu_rtl_bridge/observer.h"

namespace lockstep::smmu_rtl_bridge {

enum class MemoryAnswer : uint8_t { kDone, kChanged, kBusError };

// What a device under test has around it. The player of scripts implements it: memory, clients, interrupt lines.
class Surroundings {
 public:
  virtual ~Surroundings() = default;

  // The device's own accesses: sizes of 4 to 64 bytes, aligned to the size.
  virtual MemoryAnswer read(uint64_t address, void* data, size_t size_bytes, const Attributes& attributes) = 0;
  virtual MemoryAnswer write(uint64_t address, const void* data, size_t size_bytes, const Attributes& attributes) = 0;
  // Writes `desired` if the eight bytes at `address` are `expected`, in one piece.
  virtual MemoryAnswer exchange(uint64_t address, uint64_t expected, uint64_t desired,
                                const Attributes& attributes) = 0;

  // How many more cycles than it otherwise would memory takes to answer an access there, for devices that have a clock.
  // Reads of the device's own see what is there when they are taken.
  virtual uint64_t extra_cycles(uint64_t /*address*/) { return 0; }

  // A client's access comes out downstream; kBusError is what memory answers. Then answered() follows.
  virtual MemoryAnswer forward(const ForwardedAccess& access) = 0;
  // Memory answers what came out downstream, where it takes its time for that.
  virtual void finished_downstream(uint64_t /*id*/) {}
  virtual void answered(uint64_t id, AccessEnd end) = 0;
  virtual void ats_answered(const AtsAnswer& answer) = 0;
  virtual void page_answered(const PageAnswer& answer) = 0;
  // Device::atc_invalidation_done() follows, maybe before this returns.
  virtual void invalidate_atc(const AtcInvalidation& invalidation) = 0;
  virtual void pulse(Wire wire) = 0;
  // The device broke a promise of its pins: from here on nothing that it does has a meaning. `rule` is stable.
  virtual void broke_promise(const std::string& /*rule*/, const std::string& /*text*/) {}
};

// An SMMU under test behind what all of them have: a programming port, a port for clients, a port for memory, wires, a
// clock. A model answers inside the call, RTL some ticks later.
class Device {
 public:
  virtual ~Device() = default;

  // As after power-on; answers what was accepted with an abort or not at all.
  virtual void reset() = 0;

  // One access of the programming port from its begin to its end; time passes as it takes. False is a bus error.
  virtual bool read_register(uint32_t offset, unsigned size_bytes, uint64_t& value) = 0;
  virtual bool write_register(uint32_t offset, unsigned size_bytes, uint64_t value) = 0;

  // False: cannot be taken now; tick() and try again.
  virtual bool offer(const ClientAccess& access) = 0;
  virtual bool ask_ats(const AtsQuestion& question) = 0;
  virtual bool ask_page(const PageQuestion& question) = 0;
  virtual void atc_invalidation_done(bool timed_out) = 0;

  virtual void tick(unsigned cycles) = 0;
  // Nothing goes on and nothing will without a call from outside; transactions that software holds do not count.
  virtual bool idle() const = 0;
  // Of the clock, since it was made; 0 for a model, which has none.
  virtual uint64_t cycles() const { return 0; }
  // Time inside a design, in ticks of the processor's clock.
  virtual uint64_t design_ticks() const { return 0; }
};

}  // namespace lockstep::smmu_rtl_bridge
