// SPDX-License-Identifier: Apache-2.0
#include "tests/core/interpreter/program_machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "core/ir/builder.h"
#include "core/ir/text.h"
#include "tests/core/ir_proof/test_machine.h"

namespace lockstep::test {

namespace {

using core::Hart;
using core::ir::Type;

uint64_t helper_trap(Hart& hart, uint64_t, uint64_t, uint64_t, uint64_t) {
  hart.state().pc = kVector;
  hart.state().trapped = 1;
  return 0;
}

uint64_t helper_count(Hart& hart, uint64_t, uint64_t, uint64_t, uint64_t) {
  auto& program_hart = static_cast<ProgramHart&>(hart);
  program_hart.count_seen_by_helper = hart.instruction_count();
  return program_hart.count_seen_by_helper;
}

uint64_t helper_sum(Hart&, uint64_t a, uint64_t b, uint64_t c, uint64_t d) { return a + 2 * b + 3 * c + 4 * d; }

uint64_t helper_exit(Hart& hart, uint64_t request, uint64_t, uint64_t, uint64_t) {
  hart.state().exit_request |= static_cast<uint32_t>(request);
  return 0;
}

uint64_t helper_poke(Hart& hart, uint64_t paddr, uint64_t value, uint64_t, uint64_t) {
  auto& bus = static_cast<ProgramBus&>(hart.bus());
  std::memcpy(bus.at(paddr), &value, 2);
  bus.ram_written(paddr, 2);
  return 0;
}

// Doubles a register behind the engine's back.
uint64_t helper_double(Hart& hart, uint64_t index, uint64_t, uint64_t, uint64_t) {
  auto& x = static_cast<ProgramHart&>(hart).x(static_cast<unsigned>(index));
  x *= 2;
  return x;
}

constexpr uint32_t kEverything = core::kHelperReadsState | core::kHelperWritesState | core::kHelperMayTrap |
                                 core::kHelperReadsTime | core::kHelperReadsMemory | core::kHelperWritesMemory;
constexpr core::HelperDescriptor kHelpers[] = {
    {"trap", helper_trap, kEverything, 0, Type::kVoid},    {"count", helper_count, kEverything, 0, Type::kI64},
    {"sum", helper_sum, core::kHelperPure, 4, Type::kI64}, {"request", helper_exit, kEverything, 1, Type::kVoid},
    {"poke", helper_poke, kEverything, 2, Type::kVoid},    {"double", helper_double, kEverything, 1, Type::kI64},
};

}  // namespace

ProgramBus::ProgramBus() : memory_(kRamBytes), flags_(kRamBytes / core::kPageSize) {
  window_ = core::RamWindow{kRam, kRamBytes, memory_.data(), flags_.data(), true};
}

bool ProgramBus::read(uint64_t paddr, unsigned size_bytes, uint64_t& value) {
  if (paddr < kDevice || paddr >= kDevice + core::kPageSize) return false;
  device_log.push_back(fmt::format("r{} {}", size_bytes, paddr - kDevice));
  value = device_value;
  return true;
}

bool ProgramBus::write(uint64_t paddr, unsigned size_bytes, uint64_t value) {
  if (paddr < kDevice || paddr >= kDevice + core::kPageSize) return false;
  device_log.push_back(fmt::format("w{} {} = {:#x}", size_bytes, paddr - kDevice, value));
  if (on_device_write) on_device_write(paddr - kDevice, value);
  return true;
}

void ProgramBus::ram_written(uint64_t paddr, uint64_t size_bytes) {
  if (!(flags(paddr) & core::kPageHasCode)) return;
  if (engine == nullptr || !engine->invalidate_code(paddr, size_bytes)) {
    flags(paddr) &= static_cast<uint8_t>(~core::kPageHasCode);
  }
}

void ProgramBus::page_has_code(uint64_t paddr) {
  flags(paddr) |= core::kPageHasCode;
  hart->tlb().drop_fast_stores(paddr);
}

ProgramHart::ProgramHart(ProgramBus& bus, core::VirtualClock& clock)
    : Hart(0, bus, clock, test_layout("riscv64").size_bytes) {
  texts_.push_back("call trap");  // memory that nothing was written to
  select_mode(0);
}

uint16_t ProgramHart::define(const std::string& text) {
  const auto known = std::find(texts_.begin(), texts_.end(), text);
  if (known != texts_.end()) return static_cast<uint16_t>(known - texts_.begin());
  texts_.push_back(text);
  return static_cast<uint16_t>(texts_.size() - 1);
}

void ProgramHart::select_mode(unsigned mode) {
  mode_ = mode;
  tlb().select(100 + mode, 100 + mode, mode);
}

uint64_t& ProgramHart::x(unsigned index) {
  const core::StateField* field = layout().find(fmt::format("x{}", index));
  return *reinterpret_cast<uint64_t*>(reinterpret_cast<uint8_t*>(&state()) + field->offset);
}

const core::StateLayout& ProgramHart::layout() const { return test_layout("riscv64"); }
std::span<const core::HelperDescriptor> ProgramHart::helpers() const { return kHelpers; }

void ProgramHart::translate_block(core::CodeReader& code, uint64_t pc, unsigned max_instructions,
                                  core::ir::Builder& builder) {
  core::ir::Block& block = builder.block();
  const uint64_t page = pc & core::kPageMask;
  for (unsigned count = 0; count < max_instructions && (pc & core::kPageMask) == page; ++count) {
    uint16_t number = 0, high = 0;
    if (!code.fetch16(pc, number) || !code.fetch16(pc + 2, high)) break;
    const core::ir::Names names{&layout(), kHelpers};
    auto [known, fresh] = parsed_.try_emplace({number, pc});
    if (fresh) {
      const std::string begin = fmt::format("block {0:#x}\ninsn {0:#x} 4\n", pc);
      core::Result<core::ir::Block> parsed = core::ir::parse(begin + texts_.at(number), names);
      if (!parsed.ok()) {
        const std::string with_end = fmt::format("{}{}\njump {:#x}\n", begin, texts_[number], pc + 4);
        parsed = core::ir::parse(with_end, names);
        if (!parsed.ok()) throw std::runtime_error(fmt::format("{}\n{}", parsed.message(), with_end));
        core::ir::Block without_end = std::move(parsed).value();
        without_end.insts.pop_back();
        known->second = without_end;
      } else {
        known->second = std::move(parsed).value();
      }
    }
    builder.insn(pc, kInstructionBytes);
    const auto base = static_cast<core::ir::Value>(block.insts.size() - 1);
    const std::vector<core::ir::Inst>& insts = known->second.insts;
    bool ended = false;
    for (size_t i = 1; i < insts.size(); ++i) {
      core::ir::Inst inst = insts[i];
      for (unsigned a = 0; a < inst.operands; ++a) inst.args[a] += base;
      block.insts.push_back(inst);
      ended = core::ir::op_info(inst.op).effect == core::ir::Effect::kEnd && inst.op != core::ir::Op::kExitIf;
    }
    if (ended) return;
    pc += kInstructionBytes;
  }
  if (block.guest_instructions > 0) builder.jump(pc);
}

core::Translation ProgramHart::translate(uint64_t vaddr, core::Access access, bool) {
  core::Translation result;
  const uint64_t vpage = vaddr & core::kPageMask;
  const auto mapped = pages[mode_].find(vpage);
  result.paddr = mapped == pages[mode_].end() ? vaddr : mapped->second | (vaddr & ~core::kPageMask);
  if (const auto bits = block_bits.find(vpage); bits != block_bits.end()) {
    result.block_bits = static_cast<uint8_t>(bits->second);
  }
  const bool ram = result.paddr >= kRam && result.paddr < kRam + kRamBytes;
  const bool device = result.paddr >= kDevice && result.paddr < kDevice + core::kPageSize;
  if (!ram && !device) result.fault = core::Fault::kPage;
  if (refuse && refuse(vaddr, access)) result.fault = core::Fault::kAccess;
  return result;
}

void ProgramHart::raise_fault(core::Fault fault, core::Access access, uint64_t vaddr) {
  last_fault = fault;
  last_access = access;
  last_fault_address = vaddr;
  state().pc = kVector;
  state().trapped = 1;
}

void ProgramHart::take_interrupt() {
  interrupt = false;
  state().pc = interrupt_vector;
  state().trapped = 1;
  select_mode(1);
}

std::string ProgramHart::disassemble(std::span<const uint8_t>, uint64_t, unsigned& length) const {
  length = kInstructionBytes;
  return "ir";
}

ProgramMachine::ProgramMachine(const std::vector<std::string>& program, const core::InterpreterOptions& options)
    : hart(bus, clock), engine(core::make_interpreter(hart, options)) {
  bus.hart = &hart;
  bus.engine = engine.get();
  put(kRam, program);
  put(kVector, {fmt::format("jump {:#x}", kVector)});
  hart.state().pc = kRam;
}

void ProgramMachine::put(uint64_t address, const std::vector<std::string>& program) {
  for (const std::string& text : program) {
    const uint16_t number = hart.define(text);
    std::memcpy(bus.at(address), &number, sizeof(number));
    address += kInstructionBytes;
  }
}

core::StopReason ProgramMachine::run(uint64_t count, uint64_t budget) {
  core::StopReason reason = core::StopReason::kBudget;
  while (count > 0 && reason == core::StopReason::kBudget) {
    const core::RunResult result = engine->run(std::min(count, budget));
    reason = result.reason;
    count -= std::min(count, result.executed);
  }
  return reason;
}

std::vector<uint8_t> ProgramMachine::snapshot() {
  std::vector<uint8_t> bytes = bus.memory();
  const auto* state = reinterpret_cast<const uint8_t*>(&hart.state());
  for (const core::StateField& field : hart.layout().fields) {
    bytes.insert(bytes.end(), state + field.offset, state + field.offset + field.size_bytes);
  }
  const uint64_t count = hart.instruction_count();
  const auto* count_bytes = reinterpret_cast<const uint8_t*>(&count);
  bytes.insert(bytes.end(), count_bytes, count_bytes + sizeof(count));
  return bytes;
}

}  // namespace lockstep::test
