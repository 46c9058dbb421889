// SPDX-License-Identifier: Apache-2.0
#include <bit>

#include "core/hart/state.h"
#include "core/ir/fold.h"
#include "core/memory/tlb.h"
#include "jit/translator.h"

// Atomic operations: plain ones of the host where harts take turns, locked ones where they run beside one another
// (docs/jit.md).
namespace lockstep::jit {

using core::StateHeader;
using core::TlbContext;
using core::ir::RmwOp;

namespace {

constexpr int kRax = 0;

constexpr int32_t biased(size_t offset) {
  return static_cast<int32_t>(offset) - static_cast<int32_t>(core::kTlbContextBias);
}

}  // namespace

// As translate_address(), for one that must be aligned: the bits below its size stay in what is compared, so that a
// misaligned one misses. `physical`: the register that has the physical address then, where that is asked for.
Translator::Mem Translator::translate_aligned(Value address, unsigned size_bytes, bool store, int* physical) {
  const int base = use(address);
  consume(address);
  const int index = temporary();
  const int page = temporary();
  const int addend = physical != nullptr ? temporary() : index;
  const size_t kind = store ? 1 : 0;
  SlowPath slow{.entry = a_.new_label(),
                .retry = a_.new_label(),
                .hand_over = 0,
                .base = base,
                .displacement = 0,
                .index = index,
                .page = page,
                .thunk = (store ? input_.thunks.slow_store : input_.thunks.slow_load)[std::countr_zero(size_bytes)],
                .low = 0,
                .high = 0,
                .guarded = any_group_begun(),
                .aligned = size_bytes,
                .split = 0};
  const auto entry = [&](size_t array, unsigned shift) {
    return asmjit::x86::ptr(asmjit::x86::r14, gp(index), shift, biased(array));
  };
  a_.bind(slow.retry);
  take_index(index, base);
  a_.mov(gp(page), gp(base));
  a_.and_(gp(page), static_cast<int32_t>(core::kPageMask | (size_bytes - 1)));
  a_.cmp(gp(page), entry(offsetof(TlbContext, tags) + kind * sizeof(TlbContext::tags[0]), 3));
  a_.jne(slow.entry);
  a_.mov(gp(addend), entry(offsetof(TlbContext, addends) + kind * sizeof(TlbContext::addends[0]), 3));
  if (physical != nullptr) {
    // What is left of the address without its page, in the physical page.
    static_assert(sizeof(core::TlbPage) == 16);
    a_.xor_(gp(page), gp(base));
    a_.add(gp32(index), gp32(index));
    a_.add(
        gp(page),
        entry(offsetof(TlbContext, pages) + kind * sizeof(TlbContext::pages[0]) + offsetof(core::TlbPage, ppage), 3));
    *physical = page;
  }
  slow.hand_over = note_hand_over();
  slow.split = note_hand_over();
  slow_paths_.push_back(slow);
  Mem to = asmjit::x86::ptr(gp(base), gp(addend));
  to.setSize(size_bytes);
  return to;
}

bool Translator::emit_atomic(const Inst& i) {
  if (i.imm & core::ir::kMemBigEndian) return false;
  const Type type = i.op == Op::kStoreConditional ? i.operand_type : i.type;
  if (core::ir::type_bits(type) < 8) return false;
  // The memory trace of these is written by the one place that knows what they read and wrote.
  if (input_.accesses != nullptr || core::ir::type_bits(type) < 32) return call_atomic(i, type);
  // Where the host compares and swaps, it does so with RAX.
  const bool concurrent = input_.hart.concurrent();
  if (concurrent && i.op != Op::kLoadReserved) {
    evict(kRax);
    lock(kRax);
  }
  switch (i.op) {
    case Op::kLoadReserved:
      emit_load_reserved(i, type);
      break;
    case Op::kStoreConditional:
      emit_store_conditional(i, type);
      break;
    default:
      if (concurrent) {
        emit_locked_rmw(i, type);
      } else {
        emit_plain_rmw(i, type);
      }
  }
  return true;
}

// Where another hart may write in between, what was read is kept for the store.
void Translator::emit_load_reserved(const Inst& i, Type type) {
  const unsigned size_bytes = core::ir::type_bytes(type);
  const bool concurrent = input_.hart.concurrent();
  if (concurrent && (i.imm & core::ir::kMemRelease)) fence();
  int physical = kNone;
  const Mem from = translate_aligned(i.args[0], size_bytes, false, &physical);
  const int d = places_[index_].uses > 0 ? define() : temporary();
  load_old(d, type, from);
  Mem valid = header(offsetof(StateHeader, reservation_valid));
  valid.setSize(8);
  a_.mov(valid, size_bytes);
  a_.mov(header(offsetof(StateHeader, reservation_address)), gp(physical));
  if (concurrent) {
    const int kept = temporary();
    a_.mov(reserved_value(kept), gp(d));
  }
}

void Translator::emit_store_conditional(const Inst& i, Type type) {
  const unsigned size_bytes = core::ir::type_bytes(type);
  const int value = use(i.args[1]);
  int physical = kNone;
  const Mem to = translate_aligned(i.args[0], size_bytes, true, &physical);
  consume(i.args[1]);
  const int failed = places_[index_].uses > 0 ? define() : temporary();
  const HostAssembler::Label done = a_.new_label();
  Mem valid = header(offsetof(StateHeader, reservation_valid));
  valid.setSize(8);
  a_.mov(gp32(failed), 1);
  a_.cmp(valid, size_bytes);
  a_.mov(valid, 0);  // it ends in any case
  a_.jne(done);
  a_.cmp(header(offsetof(StateHeader, reservation_address)), gp(physical));
  a_.jne(done);
  if (input_.hart.concurrent()) {
    a_.mov(gp(kRax), reserved_value(kRax));
    a_.lock().cmpxchg(to, sized(value, type));
    a_.jne(done);
  } else {
    a_.mov(to, sized(value, type));
  }
  a_.xor_(gp32(failed), gp32(failed));
  a_.bind(done);
}

void Translator::emit_plain_rmw(const Inst& i, Type type) {
  const auto op = static_cast<RmwOp>(i.imm2);
  const bool wanted = places_[index_].uses > 0;
  const bool orders = op >= RmwOp::kMinS;
  const asmjit::Operand value = atomic_operand(i.args[1], type, !orders);
  const Mem to = translate_aligned(i.args[0], core::ir::type_bytes(type), true, nullptr);
  consume(i.args[1]);
  const int old = wanted ? define() : orders ? temporary() : kNone;
  if (old != kNone) load_old(old, type, to);
  if (orders) {
    const int chosen = temporary();
    choose(op, sized(chosen, type), sized(old, type), value.as<Gp>());
    a_.mov(to, sized(chosen, type));
  } else {
    a_.emit(host_instruction(op), to, value);
  }
}

void Translator::emit_locked_rmw(const Inst& i, Type type) {
  const auto op = static_cast<RmwOp>(i.imm2);
  const bool wanted = places_[index_].uses > 0;
  const bool orders = op >= RmwOp::kMinS;
  const asmjit::Operand value = atomic_operand(i.args[1], type, !orders);
  const Mem to = translate_aligned(i.args[0], core::ir::type_bytes(type), true, nullptr);
  consume(i.args[1]);
  const Gp rax = sized(kRax, type);
  if (op == RmwOp::kSwap || (op == RmwOp::kAdd && wanted)) {
    a_.emit(asmjit::x86::Inst::kIdMov, rax, value);
    if (op == RmwOp::kSwap) {
      a_.xchg(to, rax);
    } else {
      a_.lock().xadd(to, rax);
    }
  } else if (!orders && !wanted) {
    a_.lock();
    a_.emit(host_instruction(op), to, value);
  } else {
    const int after = temporary();
    const HostAssembler::Label again = a_.new_label();
    a_.mov(rax, to);
    a_.bind(again);
    if (orders) {
      choose(op, sized(after, type), rax, value.as<Gp>());
    } else {
      a_.mov(sized(after, type), rax);
      a_.emit(host_instruction(op), sized(after, type), value);
    }
    a_.lock().cmpxchg(to, sized(after, type));
    a_.jne(again);
  }
  if (wanted) set_register(index_, kRax);
}

// A register, or, where it may be, a constant that an instruction can have.
asmjit::Operand Translator::atomic_operand(Value v, Type type, bool may_be_constant) {
  if (may_be_constant && is_const(v)) {
    const auto value = static_cast<int64_t>(core::ir::sign_extend(type, imm(v)));
    if (fits32(static_cast<uint64_t>(value))) return asmjit::imm(value);
  }
  return sized(use(v), type);
}

void Translator::load_old(int to, Type type, const Mem& from) {
  if (places_[index_].wide_load && places_[index_].imm != 0) {
    a_.movsxd(gp(to), from);
  } else {
    a_.mov(sized(to, type), from);
  }
}

uint32_t Translator::host_instruction(RmwOp op) {
  switch (op) {
    case RmwOp::kSwap:
      return asmjit::x86::Inst::kIdMov;
    case RmwOp::kAnd:
      return asmjit::x86::Inst::kIdAnd;
    case RmwOp::kOr:
      return asmjit::x86::Inst::kIdOr;
    case RmwOp::kXor:
      return asmjit::x86::Inst::kIdXor;
    default:
      return asmjit::x86::Inst::kIdAdd;
  }
}

// The smaller or the larger one.
void Translator::choose(RmwOp op, const Gp& to, const Gp& left, const Gp& right) {
  a_.mov(to, left);
  a_.cmp(left, right);
  switch (op) {
    case RmwOp::kMinS:
      a_.cmovg(to, right);
      break;
    case RmwOp::kMaxS:
      a_.cmovl(to, right);
      break;
    case RmwOp::kMinU:
      a_.cmova(to, right);
      break;
    default:
      a_.cmovb(to, right);
  }
}

// Where the hart keeps what a load-reserved read; its address goes through `reg`.
Translator::Mem Translator::reserved_value(int reg) {
  const auto hart = reinterpret_cast<uint64_t>(&input_.hart);
  move_address(gp(reg), hart, Relocation::Kind::kHart);
  const uint64_t offset = reinterpret_cast<uint64_t>(input_.hart.reserved_value_place()) - hart;
  return asmjit::x86::ptr(gp(reg), static_cast<int32_t>(offset));
}

bool Translator::call_atomic(const Inst& i, Type type) {
  AtomicDescriptor descriptor{};
  descriptor.kind = i.op == Op::kLoadReserved       ? AtomicKind::kLoadReserved
                    : i.op == Op::kStoreConditional ? AtomicKind::kStoreConditional
                                                    : AtomicKind::kRmw;
  if (descriptor.kind == AtomicKind::kRmw) descriptor.op = static_cast<uint8_t>(i.imm2);
  descriptor.type = static_cast<uint8_t>(type);
  descriptor.flags = static_cast<uint8_t>(i.imm);
  const int address = use(i.args[0]);
  a_.mov(frame(offsetof(Frame, address)), gp(address));
  consume(i.args[0]);
  if (i.operands > 1) {
    const int value = use(i.args[1]);
    a_.mov(frame(offsetof(Frame, operand)), gp(value));
    consume(i.args[1]);
  }
  describe(std::bit_cast<uint32_t>(descriptor));
  if (input_.accesses != nullptr) note_pc();
  call(input_.thunks.atomic);
  returns_here(note_hand_over());
  if (places_[index_].uses == 0) return true;
  const int d = define();
  a_.mov(gp(d), frame(offsetof(Frame, operand)));
  return true;
}

}  // namespace lockstep::jit
