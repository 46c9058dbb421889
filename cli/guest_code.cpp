// SPDX-License-Identifier: Apache-2.0
#include "cli/guest_code.h"

#include <algorithm>

#include "core/digest/digest.h"
#include "core/interpreter/memory_access.h"
#include "core/interpreter/mmu_code_reader.h"
#include "core/ir/builder.h"
#include "core/ir/text.h"

namespace lockstep::cli {
namespace {

constexpr unsigned kMaxInstructionBytes = 16;

}  // namespace

std::vector<uint8_t> code_at(core::Hart& hart, uint64_t pc, uint64_t length) {
  std::vector<uint8_t> bytes;
  while (bytes.size() < length) {
    const uint64_t at = pc + bytes.size();
    const core::Translation translation = hart.translate(at, core::Access::kFetch, true);
    if (translation.fault != core::Fault::kNone) break;
    const core::RamWindow* window = hart.bus().window(translation.paddr);
    if (window == nullptr) break;
    const uint64_t here = std::min<uint64_t>(length - bytes.size(), core::kPageSize - at % core::kPageSize);
    const uint8_t* from = window->host + (translation.paddr - window->base);
    bytes.insert(bytes.end(), from, from + here);
  }
  return bytes;
}

GuestInstruction instruction_at(core::Hart& hart, uint64_t pc, unsigned& length) {
  const std::vector<uint8_t> bytes = code_at(hart, pc, kMaxInstructionBytes);
  length = 0;
  GuestInstruction instruction{pc, {}, hart.disassemble(bytes, pc, length)};
  length = std::min(length, static_cast<unsigned>(bytes.size()));
  instruction.bytes = core::to_hex({bytes.data(), length});
  return instruction;
}

std::vector<GuestInstruction> instructions_at(core::Hart& hart, uint64_t pc, unsigned count) {
  std::vector<GuestInstruction> all;
  while (all.size() < count) {
    unsigned length = 0;
    GuestInstruction next = instruction_at(hart, pc, length);
    if (length == 0) break;
    pc += length;
    all.push_back(std::move(next));
  }
  return all;
}

std::string ir_at(core::Hart& hart, uint64_t pc, unsigned max_instructions) {
  core::ir::Block block;
  block.pc = pc;
  core::ir::Builder builder(block);
  core::MemoryAccess memory(hart);
  core::MmuCodeReader reader(memory, block);
  hart.translate_block(reader, pc, max_instructions, builder);
  if (block.guest_instructions == 0) return {};
  return core::ir::print(block, {&hart.layout(), hart.helpers()});
}

}  // namespace lockstep::cli
