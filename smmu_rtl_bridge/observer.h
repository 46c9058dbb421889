// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace lockstep::smmu_rtl_bridge {

// What an interconnect carries of an access's memory type: the byte that MAIR_ELx has for it (architecture reference
// manual, "MAIR_EL1"), its shareability (0 none, 2 outer, 3 inner) and its address space. Plain numbers, so that models
// and pins alike can say them.
struct Attributes {
  uint8_t type = 0xff;
  uint8_t shareability = 0;
  bool secure = false;
  bool operator==(const Attributes&) const = default;
};

// A transaction as a client device offers it upstream. It stays inside one page of the smallest granule.
struct ClientAccess {
  uint64_t id = 0;  // the script's; no two accesses of a run share one
  uint64_t address = 0;
  uint32_t size_bytes = 8;
  uint32_t stream_id = 0;
  uint32_t substream_id = 0;
  bool substream_valid = false;
  bool write = false;
  bool atomic = false;  // reads and writes
  bool instruction = false;
  bool privileged = false;
  bool translated = false;  // marked by ATS
  Attributes attributes;
  bool operator==(const ClientAccess&) const = default;
};

// The same access where the SMMU sent it on.
struct ForwardedAccess {
  uint64_t id = 0;
  uint64_t address = 0;
  bool instruction = false;
  bool privileged = false;
  Attributes attributes;
};

enum class AccessEnd : uint8_t {
  kDone,     // went downstream and came back
  kAborted,  // a bus error of the SMMU's own
  kZero,     // reads as zero, writes are ignored; nothing went downstream
  kFailed,   // went downstream and came back with a bus error
};

struct AtsQuestion {
  uint64_t id = 0;
  uint64_t address = 0;
  uint32_t stream_id = 0;
  uint32_t substream_id = 0;
  bool substream_valid = false;
  bool no_write = false;
  bool execute = false;
  bool privileged = false;
};

struct AtsAnswer {
  uint64_t id = 0;
  uint8_t status = 0;  // 0 success, 1 unsupported request, 2 completer abort
  bool read = false;
  bool write = false;
  bool execute = false;
  bool privileged = false;
  uint8_t size_log2 = 12;
  uint64_t address = 0;
};

struct AtcInvalidation {
  uint32_t stream_id = 0;
  uint32_t substream_id = 0;
  bool substream_valid = false;
  bool global = false;
  uint64_t address = 0;
  uint8_t size_log2 = 12;
};

// Section "PRI"; `group` has 9 bits.
struct PageQuestion {
  uint64_t address = 0;
  uint32_t stream_id = 0;
  uint32_t substream_id = 0;
  bool substream_valid = false;
  uint16_t group = 0;
  bool last = false;
  bool read = false;
  bool write = false;
  bool execute = false;
  bool privileged = false;
};

struct PageAnswer {
  uint32_t stream_id = 0;
  uint32_t substream_id = 0;
  bool substream_valid = false;
  uint16_t group = 0;
  uint8_t code = 0;  // 0 success, 1 invalid request, 15 failure
};

enum class Wire : uint8_t { kEventQueue, kPriQueue, kCommandSync, kGlobalError, kSendEvent };

// Somebody who watches a device under test at its pins. Calls come in the order in which things happen there; nothing
// of a device's inside is told, so that a model, our RTL and a stranger's are watched alike. The judge, functional
// coverage and the timeline are observers.
class Observer {
 public:
  virtual ~Observer() = default;

  // Software, which is the script: its accesses to memory and to registers. Data is as it lies in memory.
  virtual void software_wrote(uint64_t /*address*/, const void* /*data*/, size_t /*size_bytes*/) {}
  // What a page of memory has held since before anybody at these pins looked at it, null where it answers bus errors:
  // of a machine, whose software is not overheard.
  virtual void memory_was(uint64_t /*address*/, const void* /*data*/, size_t /*size_bytes*/) {}
  // From here on the page of 4 KiB answers every access of the device with a bus error, or no more.
  virtual void page_broken(uint64_t /*page*/, bool /*broken*/) {}
  // Before the write can have an effect.
  virtual void register_written(uint32_t /*offset*/, unsigned /*size_bytes*/, uint64_t /*value*/) {}
  // When the write is acknowledged: what it starts may still go on.
  virtual void register_write_done(uint32_t /*offset*/) {}
  virtual void register_read(uint32_t /*offset*/, unsigned /*size_bytes*/, uint64_t /*value*/) {}

  // The device's own accesses, when memory answers them. `failed`: with a bus error, and `data` is nothing.
  virtual void device_read(uint64_t /*address*/, const void* /*data*/, size_t /*size_bytes*/,
                           const Attributes& /*attributes*/, bool /*failed*/) {}
  virtual void device_wrote(uint64_t /*address*/, const void* /*data*/, size_t /*size_bytes*/,
                            const Attributes& /*attributes*/, bool /*failed*/) {}
  // Eight bytes that were changed in one piece, or found different from what was expected (`done` false).
  virtual void device_exchanged(uint64_t /*address*/, uint64_t /*expected*/, uint64_t /*desired*/,
                                const Attributes& /*attributes*/, bool /*done*/, bool /*failed*/) {}

  // A client's transaction: accepted, seen downstream (where it is let through), answered. One that software holds by a
  // stall is answered when the stall ends.
  virtual void accepted(const ClientAccess& /*access*/) {}
  virtual void forwarded(const ForwardedAccess& /*access*/) {}
  // What it went downstream for is done there, before the device can know. Where this is not told, it is done when it
  // goes downstream.
  virtual void finished_downstream(uint64_t /*id*/) {}
  virtual void answered(uint64_t /*id*/, AccessEnd /*end*/) {}

  virtual void ats_asked(const AtsQuestion& /*question*/) {}
  virtual void ats_answered(const AtsAnswer& /*answer*/) {}
  virtual void atc_invalidated(const AtcInvalidation& /*invalidation*/) {}
  virtual void atc_invalidation_done(bool /*timed_out*/) {}
  virtual void page_asked(const PageQuestion& /*question*/) {}
  virtual void page_answered(const PageAnswer& /*answer*/) {}

  virtual void pulsed(Wire /*wire*/) {}

  // The device is idle after having been given time: all that was accepted and all commands must be over, but for what
  // software holds.
  virtual void quiet() {}
  // The run is over, in a quiet state.
  virtual void finished() {}
};

}  // namespace lockstep::smmu_rtl_bridge
