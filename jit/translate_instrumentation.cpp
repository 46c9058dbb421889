// SPDX-License-Identifier: Apache-2.0
#include "jit/translator.h"

// What code tells of itself where somebody asks (core/engine/instrumentation.h): a cell for each block that has begun
// or run to its end, and the loads and stores. Nothing of it is emitted otherwise.

namespace lockstep::jit {

using core::MemoryBuffer;
using core::MemoryRecord;

namespace {

// Stands where the distance of a cell will be written; it needs all four bytes of a displacement.
constexpr int32_t kNoCellYet = 0x7ffffff;

uint64_t address_of(const MemoryBuffer* buffer) { return reinterpret_cast<uint64_t>(buffer); }

}  // namespace

void Translator::write_cell(size_t block, uint32_t begun, bool entry) {
  CellSite site;
  Mem cell = asmjit::x86::ptr(asmjit::x86::rip, kNoCellYet);
  uint32_t behind_address = 0;
  if (input_.coverage == core::Coverage::kCounted) {
    cell.setSize(8);
    a_.inc(cell);
  } else {
    cell.setSize(1);
    a_.mov(cell, 1);
    behind_address = 1;  // the constant
  }
  site.end_at = static_cast<uint32_t>(a_.offset());
  site.address_at = site.end_at - behind_address - 4;
  site.block = static_cast<uint16_t>(block);
  site.begun = static_cast<uint16_t>(begun);
  site.entry = entry;
  unit_.cells.push_back(site);
}

// The registers are free where a block begins.
void Translator::look_at_buffer() {
  using asmjit::x86::rax;
  using asmjit::x86::rcx;
  a_.mov(rax, address_of(input_.accesses));
  a_.mov(rcx, asmjit::x86::ptr(rax, offsetof(MemoryBuffer, next)));
  a_.cmp(rcx, asmjit::x86::ptr(rax, offsetof(MemoryBuffer, limit)));
  a_.jae(full_buffers_[current_]);
}

void Translator::begin_record(int base, int32_t displacement, unsigned size_bytes, bool store, int a, int b) {
  const auto field = [&](size_t offset, uint32_t bytes) {
    Mem at = asmjit::x86::ptr(gp(a), static_cast<int32_t>(offset));
    at.setSize(bytes);
    return at;
  };
  a_.mov(gp(a), address_of(input_.accesses));
  a_.mov(gp(a), field(offsetof(MemoryBuffer, next), 8));
  a_.mov(field(offsetof(MemoryRecord, pc), 4), static_cast<uint32_t>(insn_pc_));
  a_.mov(field(offsetof(MemoryRecord, pc) + 4, 4), static_cast<uint32_t>(insn_pc_ >> 32));
  a_.lea(gp(b), asmjit::x86::ptr(gp(base), displacement));
  a_.mov(field(offsetof(MemoryRecord, vaddr), 8), gp(b));
  a_.mov(field(offsetof(MemoryRecord, size_bytes), 4), size_bytes);
  a_.mov(field(offsetof(MemoryRecord, is_store), 4), store ? 1 : 0);
}

void Translator::end_record(const asmjit::Operand& value) {
  const int buffer = temporary();
  const int record = temporary();
  a_.mov(gp(buffer), address_of(input_.accesses));
  a_.mov(gp(record), asmjit::x86::ptr(gp(buffer), offsetof(MemoryBuffer, next)));
  Mem to = asmjit::x86::ptr(gp(record), offsetof(MemoryRecord, value));
  to.setSize(8);
  if (value.isImm()) {
    a_.mov(to, value.as<asmjit::Imm>());
  } else if (asmjit::x86::Reg::isXmm(value)) {
    a_.vmovq(to, value.as<Xmm>());
  } else {
    a_.mov(to, value.as<Gp>());
  }
  Mem next = asmjit::x86::ptr(gp(buffer), offsetof(MemoryBuffer, next));
  next.setSize(8);
  a_.add(next, static_cast<int32_t>(sizeof(MemoryRecord)));
}

// For what C++ does in the middle of a block.
void Translator::note_pc() {
  Mem low = header(offsetof(core::StateHeader, pc));
  Mem high = header(offsetof(core::StateHeader, pc) + 4);
  low.setSize(4);
  high.setSize(4);
  a_.mov(low, static_cast<uint32_t>(insn_pc_));
  a_.mov(high, static_cast<uint32_t>(insn_pc_ >> 32));
}

}  // namespace lockstep::jit
