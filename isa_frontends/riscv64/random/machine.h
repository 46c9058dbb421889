// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "isa_frontends/riscv64/random/compare.h"
#include "isa_frontends/riscv64/random/initial_state.h"

namespace lockstep::isa::riscv64::random {

// A hart of a machine with a timer that may change an interrupt's line while the guest reads the time.
class RandomHart : public Hart64 {
 public:
  using Hart64::Hart64;
  uint64_t time() override;
};

// One hart with RAM, the address that ends a program, and a page of registers that answer with numbers which depend on
// all accesses before.
class RandomMachine final : public core::PhysicalBus {
 public:
  RandomMachine(const EngineFactory& factory, const HartFactory& hart_factory);

  const core::RamWindow* window(uint64_t paddr) override { return ram_.contains(paddr) ? &ram_ : nullptr; }
  bool read(uint64_t paddr, unsigned size_bytes, uint64_t& value) override;
  bool write(uint64_t paddr, unsigned size_bytes, uint64_t value) override;
  void ram_written(uint64_t paddr, uint64_t size_bytes) override;
  void page_has_code(uint64_t paddr) override;

  // Everything as the program begins.
  void load(const RandomProgram& program, const InitialState& state);

  Hart64& hart() { return hart_; }
  core::Engine& engine() { return *engine_; }
  core::VirtualClock& clock() { return clock_; }
  const std::vector<uint8_t>& memory() const { return memory_; }
  uint64_t memory_word(uint64_t paddr) const;
  uint64_t device_digest() const { return device_digest_; }
  bool ended() const { return ended_; }

 private:
  std::vector<uint8_t> memory_, flags_;
  core::RamWindow ram_;
  core::VirtualClock clock_;
  std::unique_ptr<Hart64> made_hart_;
  Hart64& hart_;
  std::unique_ptr<core::Engine> engine_;
  uint64_t device_digest_ = 0;
  bool portable_ = false, ended_ = false;
};

}  // namespace lockstep::isa::riscv64::random
