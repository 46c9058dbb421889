// SPDX-License-Identifier: Apache-2.0
#include "core/memory/tlb.h"
#include "jit/translator.h"

namespace lockstep::jit {

using asmjit::x86::rax;
using asmjit::x86::rcx;
using asmjit::x86::rdx;
using core::StateHeader;

namespace {

constexpr int kCallClobbers[] = {0, 1, 2, 6, 7, 8, 9, 10, 11};
constexpr int kArguments[] = {6, 2, 1, 8};  // behind RDI, which is the hart

}  // namespace

void Translator::set_pc(uint64_t pc) {
  Mem to = header(offsetof(StateHeader, pc));
  if (fits32(pc)) {
    to.setSize(8);
    a_.mov(to, static_cast<int64_t>(pc));
  } else {
    a_.mov(rax, static_cast<int64_t>(pc));
    a_.mov(to, rax);
  }
}

void Translator::leave(Leave how) {
  a_.mov(asmjit::x86::eax, static_cast<uint32_t>(how));
  a_.jmp(reinterpret_cast<uint64_t>(input_.thunks.leave));
  relocate_last(Relocation::Kind::kThunk);
}

// `what`: an object that begins at a multiple of eight bytes.
void Translator::leave(Leave how, const void* what, Relocation::Kind kind, size_t index) {
  move_address(rax, reinterpret_cast<uint64_t>(what), kind, index, how);
  a_.jmp(reinterpret_cast<uint64_t>(input_.thunks.leave));
  relocate_last(Relocation::Kind::kThunk);
}

bool Translator::emit_call(const Inst& i) {
  const core::HelperDescriptor& helper = input_.helpers[i.imm];
  if (helper.meaning != core::HelperMeaning::kOther) return emit_fp_flags(i, helper.meaning);
  flush();
  for (unsigned k = 0; k < i.operands; ++k) {
    if (is_const(i.args[k])) continue;
    int reg = use(i.args[k]);
    switch (inst(i.args[k]).type) {
      case Type::kI64:
        break;
      case Type::kI32: {
        const int clean = temporary();
        a_.mov(gp32(clean), gp32(reg));
        reg = clean;
        break;
      }
      default:
        return false;
    }
    a_.mov(frame(offsetof(Frame, gpr) + 8 * k), gp(reg));
  }
  for (unsigned k = 0; k < i.operands; ++k) consume(i.args[k]);
  for (int reg : kCallClobbers) evict(reg);
  for (int reg = kFirstXmm; reg < kRegisters; ++reg) evict(reg);
  set_pc(insn_pc_);
  a_.mov(header(offsetof(StateHeader, budget)), asmjit::x86::r15);
  Mem unbegun = header(offsetof(StateHeader, unbegun));
  unbegun.setSize(8);
  a_.mov(unbegun, static_cast<int32_t>(block_->guest_instructions - begun_));
  move_address(asmjit::x86::rdi, reinterpret_cast<uint64_t>(&input_.hart), Relocation::Kind::kHart);
  for (unsigned k = 0; k < i.operands; ++k) {
    if (is_const(i.args[k])) {
      move_const(kArguments[k], imm(i.args[k]));
    } else {
      a_.mov(gp(kArguments[k]), frame(offsetof(Frame, gpr) + 8 * k));
    }
  }
  move_address(rax, reinterpret_cast<uint64_t>(helper.function), Relocation::Kind::kHelper, i.imm);
  call(input_.thunks.call);
  SideExit trapped{a_.new_label(), 0, block_->guest_instructions - begun_, true};
  Mem flag = header(offsetof(StateHeader, trapped));
  flag.setSize(4);
  a_.cmp(flag, 0);
  a_.jne(trapped.entry);
  add_side_exit(trapped);
  a_.mov(unbegun, 0);
  if (helper.effects & core::kHelperWritesState) drop_bindings();
  if (i.type != Type::kVoid) set_register(index_, 0);
  check_exit_request_ = true;
  return true;
}

bool Translator::emit_fp_flags(const Inst& i, core::HelperMeaning meaning) {
  Mem flags = header(offsetof(StateHeader, fp_flags));
  flags.setSize(4);
  if (meaning == core::HelperMeaning::kReadFpFlags) {
    call(input_.thunks.merge_flags);
    a_.mov(gp32(define()), flags);
    return true;
  }
  // What operations raised up to here goes with the old flags.
  const int value = use(i.args[0]);
  const int low = temporary();
  consume(i.args[0]);
  a_.mov(gp32(low), gp32(value));
  a_.and_(gp32(low), 31);
  a_.mov(flags, gp32(low));
  a_.ldmxcsr(frame(offsetof(Frame, guest_mxcsr)));
  return true;
}

bool Translator::emit_exit_if(const Inst& i) {
  SideExit exit{a_.new_label(), i.imm, block_->guest_instructions - begun_, false};
  const asmjit::x86::CondCode condition = test_condition(i.args[0]);
  note_dirty(exit);
  a_.j(condition, exit.entry);
  add_side_exit(exit);
  return true;
}

bool Translator::emit_end(const Inst& i) {
  // A helper of the last instruction may have asked to leave.
  const bool look = check_exit_request_;
  if (look && (i.op == Op::kBranch || i.op == Op::kJumpIndirect)) return false;
  switch (i.op) {
    case Op::kJump:
      if (look) {
        flush();
        set_pc(i.imm);
        leave(Leave::kExit);
      } else {
        settle();
        edge_here(i.imm);
      }
      return true;
    case Op::kBranch: {
      settle();
      if (is_const(i.args[0])) {
        edge_here(imm(i.args[0]) & 1 ? i.imm : i.imm2);
        return true;
      }
      const asmjit::x86::CondCode condition = test_condition(i.args[0]);
      const auto follows = [&](uint64_t pc) { return find_block(pc) == static_cast<int>(current_) + 1; };
      if (follows(i.imm)) {
        a_.j(asmjit::x86::negateCond(condition), edge(i.imm2));
        edge_here(i.imm);
      } else {
        a_.j(condition, edge(i.imm));
        edge_here(i.imm2);
      }
      return true;
    }
    case Op::kJumpIndirect:
      settle();
      // Passes have made a jump of what they know; what they do not know is no edge to one of the region's blocks.
      if (is_const(i.args[0]) && find_block(imm(i.args[0])) == kNone) {
        edge_here(imm(i.args[0]));
      } else {
        emit_indirect(i);
      }
      return true;
    case Op::kExit:
      flush();
      set_pc(i.imm);
      leave(Leave::kExit);
      return true;
    case Op::kExitIndirect: {
      flush();
      const int target = use(i.args[0]);
      a_.mov(header(offsetof(StateHeader, pc)), gp(target));
      leave(Leave::kExit);
      return true;
    }
    default:
      return false;
  }
}

// To an address that is known only when the jump is taken: the places to which it went so far, then the table.
void Translator::emit_indirect(const Inst& i) {
  const int target = use(i.args[0]);
  if (target != 0) a_.mov(rax, gp(target));
  if (input_.profiled) {
    unit_.profile.targets = std::make_shared<BlockProfile::Targets>();
    unit_.profile.targets->fill(BlockProfile::kUnknown);
    a_.mov(asmjit::x86::ecx, asmjit::x86::eax);
    a_.shr(asmjit::x86::ecx, 1);
    a_.and_(asmjit::x86::ecx, static_cast<int32_t>(BlockProfile::kTargets - 1));
    move_address(rdx, reinterpret_cast<uint64_t>(unit_.profile.targets->data()), Relocation::Kind::kTargets);
    a_.mov(asmjit::x86::ptr(rdx, rcx, 3), rax);
  }
  for (uint64_t pc : region_block_->targets) {
    move_const(1, pc);
    a_.cmp(rax, rcx);
    a_.je(edge(pc));
  }
  store_pins();
  const HostAssembler::Label miss = a_.new_label();
  a_.mov(asmjit::x86::ecx, asmjit::x86::eax);
  a_.and_(asmjit::x86::ecx, static_cast<int32_t>((kJumpEntries - 1) << 1));
  a_.mov(rdx, frame(offsetof(Frame, jumps)));
  static_assert(sizeof(JumpEntry) == 16);
  a_.lea(rdx, asmjit::x86::ptr(rdx, rcx, 3));
  a_.cmp(asmjit::x86::ptr(rdx, offsetof(JumpEntry, pc)), rax);
  a_.jne(miss);
  a_.jmp(asmjit::x86::qword_ptr(rdx, offsetof(JumpEntry, code)));
  a_.bind(miss);
  a_.mov(header(offsetof(StateHeader, pc)), rax);
  leave(Leave::kExit);
}

void Translator::finish() {
  a_.comment("; cold");
  finish_edges();
  for (const SlowPath& slow : slow_paths_) finish_slow(slow);
  for (const FloatPath& path : float_paths_) finish_float(path);
  for (const SideExit& exit : side_exits_) {
    a_.bind(exit.entry);
    if (exit.unbegun != 0 && tells_coverage(input_.blocks[exit.block])) write_cell(exit.block, exit.begun, false);
    if (exit.trapped) {
      Mem unbegun = header(offsetof(StateHeader, unbegun));
      unbegun.setSize(8);
      Mem flag = header(offsetof(StateHeader, trapped));
      flag.setSize(4);
      a_.mov(unbegun, 0);
      a_.mov(flag, 0);
    } else {
      for (const auto& [word, w] : std::span(side_words_).subspan(exit.first_word, exit.words)) store_word(word, w);
      set_pc(exit.pc);
    }
    a_.add(asmjit::x86::r15, static_cast<int32_t>(exit.unbegun));
    leave(Leave::kExit);
  }
  for (const PendingLink& pending : pending_links_) {
    a_.bind(pending.stub);
    unit_.links[pending.link].stub_at = static_cast<uint32_t>(a_.offset());
    leave(Leave::kLink, &unit_.links[pending.link], Relocation::Kind::kLink, pending.link);
  }
  unit_.hand_overs.assign(hand_overs_.begin(), hand_overs_.end());
  unit_.homes.assign(state_homes_.begin(), state_homes_.end());
}

}  // namespace lockstep::jit
