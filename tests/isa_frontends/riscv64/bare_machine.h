// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "core/engine/engine.h"
#include "core/hart/hart.h"
#include "core/memory/bus.h"
#include "core/time/virtual_clock.h"
#include "isa_frontends/riscv64/hart64.h"

namespace lockstep::isa::riscv64 {

inline constexpr uint64_t kRamBase = 0x8000'0000;

// RAM at kRamBase and nothing else: enough of a machine for a frontend's tests.
class FlatBus : public core::PhysicalBus {
 public:
  explicit FlatBus(uint64_t size_bytes) : memory_(size_bytes), flags_(size_bytes >> core::kPageBits) {
    window_ = {kRamBase, size_bytes, memory_.data(), flags_.data(), true};
  }

  const core::RamWindow* window(uint64_t paddr) override { return window_.contains(paddr) ? &window_ : nullptr; }
  bool read(uint64_t, unsigned, uint64_t&) override { return false; }
  bool write(uint64_t, unsigned, uint64_t) override { return false; }
  void ram_written(uint64_t paddr, uint64_t size_bytes) override {
    uint8_t& flags = flags_[(paddr - kRamBase) >> core::kPageBits];
    if (!(flags & core::kPageHasCode)) return;
    ++code_writes;
    if (engine == nullptr || !engine->invalidate_code(paddr, size_bytes)) flags &= ~core::kPageHasCode;
  }
  void page_has_code(uint64_t paddr) override {
    uint8_t& flags = flags_[(paddr - kRamBase) >> core::kPageBits];
    if (flags & core::kPageHasCode) return;  // no fast store entry was made since
    flags |= core::kPageHasCode;
    if (hart != nullptr) hart->tlb().drop_fast_stores(paddr & core::kPageMask);
  }

  template <typename T>
  T peek(uint64_t paddr) const {
    T value;
    std::memcpy(&value, memory_.data() + (paddr - kRamBase), sizeof(T));
    return value;
  }
  template <typename T>
  void poke(uint64_t paddr, T value) {
    std::memcpy(memory_.data() + (paddr - kRamBase), &value, sizeof(T));
  }
  std::span<uint8_t> memory() { return memory_; }

  core::Hart* hart = nullptr;
  core::Engine* engine = nullptr;
  unsigned code_writes = 0;

 private:
  std::vector<uint8_t> memory_;
  std::vector<uint8_t> flags_;
  core::RamWindow window_;
};

// One hart on such a bus, in M-mode, with a PMP entry that allows everything.
struct BareMachine {
  explicit BareMachine(uint64_t ram_bytes = 1 << 20, const HartOptions& options = {})
      : bus(ram_bytes), hart(0, bus, clock, options) {
    bus.hart = &hart;
    hart.s().pmpaddr[0] = ~uint64_t{0} >> 10;
    hart.s().pmpcfg[0] = 0x1f;
    hart.state_restored();
    hart.s().pc = kRamBase;
  }

  FlatBus bus;
  core::VirtualClock clock;
  Hart64 hart;
};

}  // namespace lockstep::isa::riscv64
