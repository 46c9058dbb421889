// SPDX-License-Identifier: Apache-2.0
#include "isa_frontends/riscv64/hart64.h"

#include <cstring>

namespace lockstep::isa::riscv64 {

Hart64::Hart64(unsigned id, core::PhysicalBus& bus, core::VirtualClock& clock, const HartOptions& options)
    : core::Hart(id, bus, clock, sizeof(State64)), options_(options) {
  reset();
}

void Hart64::reset() {
  State64& state = s();
  for (const core::StateField& field : layout().fields) {
    std::memset(reinterpret_cast<uint8_t*>(&state) + field.offset, 0, field.size_bytes);
  }
  state.privilege = kMachine;
  pmp_changed();
  select_contexts();
}

void Hart64::state_restored() {
  pmp_changed();
  select_contexts();
  interrupts_changed();
}

void Hart64::translate_block(core::CodeReader& code, uint64_t pc, unsigned max_instructions,
                             core::ir::Builder& builder) {
  const InstructionTable& table = InstructionTable::get();
  const uint64_t page = pc & core::kPageMask;
  Translator translator{builder, CodeKey::of(s())};
  for (unsigned count = 0;; ++count) {
    if (count > 0 && (count >= max_instructions || (pc & core::kPageMask) != page)) break;
    uint16_t low = 0, high = 0;
    if (!code.fetch16(pc, low)) break;
    const bool compressed = is_compressed(low);
    if (!compressed && !code.fetch16(pc + 2, high)) break;

    translator.pc = pc;
    translator.next_pc = pc + (compressed ? 2 : 4);
    translator.bits = low | static_cast<uint32_t>(high) << 16;
    builder.insn(pc, compressed ? 2 : 4);
    if (const Row* row = table.find(translator.bits)) {
      row->semantics(translator, decode_operands(*row, translator.bits));
    } else {
      translator.illegal();
    }
    pc = translator.next_pc;
    if (builder.ended()) return;
  }
  if (builder.block().guest_instructions > 0) builder.jump(pc);
}

std::string Hart64::disassemble(std::span<const uint8_t> bytes, uint64_t pc, unsigned& length) const {
  length = 0;
  if (bytes.size() < 2) return "";
  uint32_t bits = bytes[0] | static_cast<uint32_t>(bytes[1]) << 8;
  length = is_compressed(static_cast<uint16_t>(bits)) ? 2 : 4;
  if (bytes.size() < length) {
    length = static_cast<unsigned>(bytes.size());
    return "";
  }
  if (length == 4) bits |= static_cast<uint32_t>(bytes[2]) << 16 | static_cast<uint32_t>(bytes[3]) << 24;
  static constexpr Row kUnknown16{"illegal", "", "", nullptr, 0, 0, 2};
  static constexpr Row kUnknown32{"illegal", "", "", nullptr, 0, 0, 4};
  const Row* row = InstructionTable::get().find(bits);
  return format_instruction(row != nullptr ? *row : length == 2 ? kUnknown16 : kUnknown32, bits, pc);
}

std::unique_ptr<core::Hart> make_hart(unsigned id, core::PhysicalBus& bus, core::VirtualClock& clock,
                                      const HartOptions& options) {
  return std::make_unique<Hart64>(id, bus, clock, options);
}

}  // namespace lockstep::isa::riscv64
