// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "core/engine/engine.h"
#include "core/hart/hart.h"
#include "core/ir/ir.h"

namespace lockstep::core {

class HartInstrumentation;

// The slow path of a hart's loads and stores, the same for all translating engines: translation, TLB fill, devices,
// page-crossing, alignment, code pages, watchpoints. The caller has made state().pc and the count exact. Every function
// that returns false has entered a trap.
class MemoryAccess {
 public:
  // `instrumentation`, where there is one, is told of every access that is done here.
  explicit MemoryAccess(Hart& hart, HartInstrumentation* instrumentation = nullptr);

  // `size_bytes`: 1 to 32, a power of two; `flags`: ir::MemFlags; the bytes are in the host's order.
  bool load(uint64_t vaddr, unsigned size_bytes, uint64_t flags, void* value);
  bool store(uint64_t vaddr, unsigned size_bytes, uint64_t flags, const void* value);

  // `size_bytes`: up to 16; always aligned.
  bool load_reserved(uint64_t vaddr, unsigned size_bytes, uint64_t flags, void* value);
  // `failed`: 0 when the store took place.
  bool store_conditional(uint64_t vaddr, unsigned size_bytes, uint64_t flags, const void* value, uint64_t& failed);
  bool rmw(ir::RmwOp op, uint64_t vaddr, ir::Type type, uint64_t flags, uint64_t operand, uint64_t& old);
  // `expected`, `desired`, `old`: size_bytes up to 16.
  bool compare_and_swap(uint64_t vaddr, unsigned size_bytes, uint64_t flags, const void* expected, const void* desired,
                        void* old);

  // The host address of an access that a plain access to RAM can do, now that its fast TLB entry is filled; nullptr
  // where one of the functions above must do it: nothing that a guest can see has happened then.
  uint8_t* probe(uint64_t vaddr, unsigned size_bytes, Access access);

  // The physical address and host bytes of an instruction fetch. No trap is entered: the fault is the answer.
  struct Fetch {
    Fault fault = Fault::kNone;
    uint64_t paddr = 0;
    const uint8_t* host = nullptr;  // of the byte at vaddr; valid to the end of its page
    bool cacheable = true;          // false: the answer holds for this address alone
  };
  Fetch fetch(uint64_t vaddr);

  void set_watchpoint(const Watchpoint& watchpoint, bool on);
  bool watchpoint_hit() const { return watch_hit_; }
  uint64_t watchpoint_address() const { return watch_address_; }
  void clear_watchpoint_hit() { watch_hit_ = false; }

 private:
  struct Location {
    uint64_t paddr = 0;
    uint8_t* host = nullptr;              // nullptr: a device
    const uint8_t* page_flags = nullptr;  // nullptr: all stores are plain
  };
  // Where an access lies: the second location is that of the bytes behind the page's end, where there are any.
  struct Place {
    uint64_t vaddr = 0;
    Access access = Access::kLoad;
    unsigned size_bytes = 0;
    unsigned first_bytes = 0;  // on the first page
    Location location[2];
  };
  bool aligned(uint64_t vaddr, unsigned size_bytes, uint64_t flags, Access access);
  // Translates all of an access before any of it is done, so that a fault leaves memory as it was.
  bool locate(uint64_t vaddr, unsigned size_bytes, Access access, Place& place);
  // The same inside one page.
  bool resolve(uint64_t vaddr, unsigned size_bytes, Access access, Location& location);
  bool allowed_in_pieces(uint64_t vaddr, unsigned size_bytes, Access access, unsigned block_bits);
  bool read(const Place& place, void* value);
  bool write(const Place& place, const void* value);
  bool read_at(const Location& location, uint64_t vaddr, Access access, unsigned size_bytes, void* value);
  bool write_at(const Location& location, uint64_t vaddr, unsigned size_bytes, const void* value);
  // After a write to RAM: tells the bus where somebody wants to know. The flags are looked at now: another hart may
  // have translated code from the page since the place was found.
  void written(const Location& location, unsigned size_bytes);
  // All of it is in RAM, so that the host can do an atomic operation for one of the guest.
  static bool is_ram(const Place& place) {
    return place.first_bytes == place.size_bytes && place.location[0].host != nullptr;
  }
  void watch(uint64_t vaddr, unsigned size_bytes, bool write);
  // `value`: as the guest sees it, in the host's byte order.
  void tell(uint64_t vaddr, unsigned size_bytes, bool is_store, const void* value);
  void watch_both(uint64_t vaddr, unsigned size_bytes);  // of what reads and writes in one
  bool watched_page(uint64_t vaddr) const;

  Hart* hart_;
  HartInstrumentation* traced_;  // nullptr: nobody asks for accesses
  std::vector<Watchpoint> watchpoints_;
  bool watch_hit_ = false;
  uint64_t watch_address_ = 0;
};

}  // namespace lockstep::core
