// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/engine/engine.h"
#include "core/hart/hart.h"
#include "core/interpreter/interpreter.h"
#include "core/ir/ir.h"

// A machine whose instruction set is IR text: the 16 bits at an address are an index into a list of texts, each the IR
// of one four-byte guest instruction. Programs can so be written cell by cell, and change their own code.
namespace lockstep::test {

inline constexpr uint64_t kRam = 0x8000'0000;
inline constexpr uint64_t kRamBytes = 0x20000;
inline constexpr uint64_t kDevice = 0x1000'0000;
inline constexpr uint64_t kVector = kRam + 0x1f000;  // where faults and traps go
inline constexpr uint64_t kInstructionBytes = 4;

class ProgramBus : public core::PhysicalBus {
 public:
  ProgramBus();

  const core::RamWindow* window(uint64_t paddr) override { return window_.contains(paddr) ? &window_ : nullptr; }
  bool read(uint64_t paddr, unsigned size_bytes, uint64_t& value) override;
  bool write(uint64_t paddr, unsigned size_bytes, uint64_t value) override;
  void ram_written(uint64_t paddr, uint64_t size_bytes) override;
  void page_has_code(uint64_t paddr) override;

  uint8_t* at(uint64_t paddr) { return memory_.data() + (paddr - kRam); }
  uint8_t& flags(uint64_t paddr) { return flags_[(paddr - kRam) / core::kPageSize]; }
  std::vector<uint8_t>& memory() { return memory_; }

  core::Hart* hart = nullptr;
  core::Engine* engine = nullptr;
  std::vector<std::string> device_log;  // "r4 0", "w8 8 = 0x1", offsets from kDevice
  uint64_t device_value = 0;
  std::function<void(uint64_t offset, uint64_t value)> on_device_write;

 private:
  std::vector<uint8_t> memory_;
  std::vector<uint8_t> flags_;
  core::RamWindow window_;
};

class ProgramHart : public core::Hart {
 public:
  explicit ProgramHart(ProgramBus& bus, core::VirtualClock& clock);

  // The IR of an instruction; its number goes into memory. Without an end it goes on behind itself.
  uint16_t define(const std::string& text);

  // How virtual pages map in each of two modes; what is not named maps to itself where RAM or the device is. Mode 1 is
  // that of the interrupt handler.
  std::map<uint64_t, uint64_t> pages[2];
  std::map<uint64_t, unsigned> block_bits;  // of virtual pages whose translation holds for less than a page
  std::function<bool(uint64_t vaddr, core::Access)> refuse;  // an access fault
  void select_mode(unsigned mode);
  unsigned mode() const { return mode_; }

  bool interrupt = false;
  uint64_t interrupt_vector = kVector + 0x100;
  core::Fault last_fault = core::Fault::kNone;
  core::Access last_access = core::Access::kLoad;
  uint64_t last_fault_address = 0;
  uint64_t count_seen_by_helper = 0;

  uint64_t& x(unsigned index);

  const core::StateLayout& layout() const override;
  std::span<const core::HelperDescriptor> helpers() const override;
  void reset() override {}
  void state_restored() override {}
  void translate_block(core::CodeReader& code, uint64_t pc, unsigned max_instructions,
                       core::ir::Builder& builder) override;
  uint64_t code_key() const override { return 0; }
  core::Translation translate(uint64_t vaddr, core::Access access, bool debug = false) override;
  void raise_fault(core::Fault fault, core::Access access, uint64_t vaddr) override;
  bool interrupt_ready() const override { return interrupt; }
  void take_interrupt() override;
  bool wakeup_pending() const override { return interrupt; }
  void set_interrupt(unsigned, bool level) override { interrupt = level; }
  std::string disassemble(std::span<const uint8_t>, uint64_t, unsigned& length) const override;

 private:
  std::vector<std::string> texts_;
  std::map<std::pair<uint16_t, uint64_t>, core::ir::Block> parsed_;  // by number and address
  unsigned mode_ = 0;
};

// Bus, hart and engine, with a program at kRam.
struct ProgramMachine {
  explicit ProgramMachine(const std::vector<std::string>& program = {}, const core::InterpreterOptions& options = {});

  // Puts instructions at `address`.
  void put(uint64_t address, const std::vector<std::string>& program);
  // Runs from kRam in runs of at most `budget` until `count` instructions have begun; the last reason.
  core::StopReason run(uint64_t count, uint64_t budget = 1'000'000);
  // The whole of the guest-visible state and memory.
  std::vector<uint8_t> snapshot();

  ProgramBus bus;
  core::VirtualClock clock;
  ProgramHart hart;
  std::unique_ptr<core::Interpreter> engine;
};

}  // namespace lockstep::test
