// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/hart/hart.h"
#include "isa_frontends/riscv64/riscv64.h"
#include "isa_frontends/riscv64/state.h"
#include "isa_frontends/riscv64/translator.h"

namespace lockstep::isa::riscv64 {

class Hart64 : public core::Hart {
 public:
  Hart64(unsigned id, core::PhysicalBus& bus, core::VirtualClock& clock, const HartOptions& options);

  State64& s() { return static_cast<State64&>(*state_); }
  const State64& s() const { return static_cast<const State64&>(*state_); }
  const HartOptions& options() const { return options_; }

  // --- core::Hart
  const core::StateLayout& layout() const override { return state_layout(); }
  std::span<const core::HelperDescriptor> helpers() const override;
  void reset() override;
  void translate_block(core::CodeReader& code, uint64_t pc, unsigned max_instructions,
                       core::ir::Builder& builder) override;
  unsigned privilege() const override { return static_cast<unsigned>(s().privilege); }
  std::span<const std::string_view> privilege_names() const override {
    static constexpr std::string_view kNames[] = {"user", "supervisor", "reserved", "machine"};
    return kNames;
  }
  uint64_t code_key() const override { return CodeKey::of(s()).value(); }
  core::Translation translate(uint64_t vaddr, core::Access access, bool debug = false) override;
  void raise_fault(core::Fault fault, core::Access access, uint64_t vaddr) override;
  bool interrupt_ready() const override { return next_interrupt() >= 0; }
  void take_interrupt() override;
  bool wakeup_pending() const override { return (pending() & s().mie) != 0; }
  void set_interrupt(unsigned line, bool level) override;
  std::string disassemble(std::span<const uint8_t> bytes, uint64_t pc, unsigned& length) const override;

  // The state was replaced from outside (snapshot, debugger): what is derived from it is made again.
  void state_restored() override;

  // --- Traps (trap.cpp)
  void raise_exception(uint64_t cause, uint64_t tval);
  void raise_illegal(uint32_t bits) { raise_exception(kIllegalInstruction, bits); }
  // Change privilege and mstatus as xRET does, and give the address to go on at.
  uint64_t machine_return();
  uint64_t supervisor_return();
  // mip as software reads it.
  uint64_t pending() const { return s().mip_software | s().interrupt_lines; }
  void interrupts_changed() { s().exit_request |= core::kExitInterruptsChanged; }

  // --- Counters (csr.cpp): exact inside helpers that read time
  uint64_t cycles() const;
  uint64_t retired() const;
  virtual uint64_t time();

  // --- Memory management (mmu.cpp, pmp.cpp)
  // After a change of privilege, satp, SUM, MXR, MPRV or MPP.
  void select_contexts();
  // After a change of pmpcfg or pmpaddr.
  void pmp_changed();
  // True when PMP lets `privilege` do this. `block_bits` comes in as the log2 size of a block around `paddr` and goes
  // out as that of the largest one to which the same answer applies.
  bool pmp_allows(uint64_t paddr, core::Access access, uint64_t privilege, uint8_t& block_bits) const;

 private:
  // The number of the interrupt to take now, or -1.
  int next_interrupt() const;
  void enter_trap(uint64_t cause, uint64_t tval, bool to_supervisor);

  uint64_t data_privilege() const;
  core::Translation walk(uint64_t vaddr, core::Access access, uint64_t privilege, bool debug);

  HartOptions options_;
  bool pmp_active_ = false;  // some entry matches something
  // What entries cover, [first, last]; the first of them that holds an address decides.
  struct PmpRange {
    uint64_t first, last;
    uint8_t cfg;
  };
  std::vector<PmpRange> pmp_ranges_;
};

}  // namespace lockstep::isa::riscv64
