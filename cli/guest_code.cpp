// SPDX-License-Identifier: Apache-2.0
#include "cli/guest_code.h"

#include <algorithm>
#include <vector>

#include "core/digest/digest.h"
#include "core/interpreter/memory_access.h"
#include "core/interpreter/mmu_code_reader.h"
#include "core/ir/builder.h"
#include "core/ir/text.h"

namespace lockstep::cli {
namespace {

constexpr unsigned kMaxInstructionBytes = 16;

// At most `length` bytes at `pc` as the hart would fetch them; fewer where a page cannot be read.
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

}  // namespace

GuestInstruction instruction_at(core::Hart& hart, uint64_t pc, unsigned& length) {
  const std::vector<uint8_t> bytes = code_at(hart, pc, kMaxInstructionBytes);
  length = 0;
  GuestInstruction instruction{pc, {}, hart.disassemble(bytes, pc, length)};
  length = std::min(length, static_cast<unsigned>(bytes.size()));
  instruction.bytes = core::to_hex({bytes.data(), length});
  return instruction;
}

std::string ir_at(core::Hart& hart, uint64_t pc, unsigned max_instructions) {
  core::ir::Block block;
  block.pc = pc;
  core::ir::Builder builder(block);
  core::MemoryAccess memory(hart);
  core::MmuCodeReader reader(hart, memory, block);
  hart.translate_block(reader, pc, max_instructions, builder);
  if (block.guest_instructions == 0) return {};
  return core::ir::print(block, {&hart.layout(), hart.helpers()});
}

}  // namespace lockstep::cli
