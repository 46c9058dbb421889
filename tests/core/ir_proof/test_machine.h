// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/hart/hart.h"
#include "core/ir/ir.h"

// A machine small enough to check single IR blocks on: flat memory, no translation tables, and a state whose layout is
// that of one of the three ISAs as far as a handful of instructions needs it.
namespace lockstep::test {

using core::StateField;
using core::StateLayout;

inline constexpr uint64_t kMemoryBase = 0x80000000;
inline constexpr uint64_t kMemoryBytes = 0x10000;
// Where faults go; inside memory, so that an engine can look for code there.
inline constexpr uint64_t kFaultHandler = kMemoryBase + 0xf00;

// Names: riscv64 x1..x31 f0..f31 v0..v31 (v128); arm64 x0..x30 sp n z c v v0..v31 (v128); x86_64 rax..r15 cf pf af zf
// sf of, and xmm0..xmm15 (v128). All have pc, fp_flags, fp_rounding and the reservation.
const StateLayout& test_layout(std::string_view isa);

// What every test machine's blocks may call: `divide_error` enters an exception when its argument is not zero.
std::span<const core::HelperDescriptor> test_helpers();

class FlatBus : public core::PhysicalBus {
 public:
  FlatBus();
  const core::RamWindow* window(uint64_t paddr) override;
  bool read(uint64_t, unsigned, uint64_t&) override { return false; }
  bool write(uint64_t, unsigned, uint64_t) override { return false; }
  void ram_written(uint64_t, uint64_t) override {}
  void page_has_code(uint64_t paddr) override { flags_[(paddr - kMemoryBase) / core::kPageSize] |= core::kPageHasCode; }

  std::vector<uint8_t>& memory() { return memory_; }

 private:
  std::vector<uint8_t> memory_;
  std::vector<uint8_t> flags_;
  core::RamWindow window_;
};

class TestHart : public core::Hart {
 public:
  explicit TestHart(const StateLayout& layout, std::span<const core::HelperDescriptor> helpers = test_helpers());

  // The block that translate_block() gives at its address; anywhere else there is an endless loop of one instruction.
  void set_block(const core::ir::Block& block) { block_ = &block; }

  std::vector<uint8_t>& memory() { return owned_bus_.memory(); }
  uint8_t* field(const StateField& field) { return reinterpret_cast<uint8_t*>(&state()) + field.offset; }

  core::Fault last_fault() const { return last_fault_; }
  bool exception() const { return exception_; }
  // Enters an exception that is not a memory fault.
  void raise_exception();

  const StateLayout& layout() const override { return *layout_; }
  std::span<const core::HelperDescriptor> helpers() const override { return helpers_; }
  void reset() override {}
  void state_restored() override {}
  void translate_block(core::CodeReader& code, uint64_t pc, unsigned max_instructions,
                       core::ir::Builder& builder) override;
  uint64_t code_key() const override { return 0; }
  core::Translation translate(uint64_t vaddr, core::Access access, bool debug) override;
  void raise_fault(core::Fault fault, core::Access access, uint64_t vaddr) override;
  bool interrupt_ready() const override { return false; }
  void take_interrupt() override {}
  bool wakeup_pending() const override { return false; }
  void set_interrupt(unsigned, bool) override {}
  std::string disassemble(std::span<const uint8_t>, uint64_t, unsigned& length) const override;

 private:
  // The base class keeps pointers to both, so that they live elsewhere than in its initialisers.
  TestHart(const StateLayout& layout, std::span<const core::HelperDescriptor> helpers, std::unique_ptr<FlatBus> bus,
           std::unique_ptr<core::VirtualClock> clock);

  std::unique_ptr<FlatBus> bus_storage_;
  std::unique_ptr<core::VirtualClock> clock_storage_;
  FlatBus& owned_bus_;
  const StateLayout* layout_;
  std::span<const core::HelperDescriptor> helpers_;
  const core::ir::Block* block_ = nullptr;
  core::Fault last_fault_ = core::Fault::kNone;
  bool exception_ = false;
};

}  // namespace lockstep::test
