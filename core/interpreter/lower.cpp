// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cassert>

#include "core/interpreter/bytecode_choice.h"
#include "core/interpreter/code_block.h"
#include "core/interpreter/selection.h"
#include "core/ir/fold.h"
#include "core/ir/fp_semantics.h"

// Lowering: IR values become slots. A value read from an aligned 8-byte state field is that field; a value that is only
// written to such a field is made there; everything else lives in the scratch area behind the ISA's state. Cells stay
// in program order and no store to the state is dropped, so that a block may be cut at any guest instruction.

namespace lockstep::core {

namespace {

using ir::Inst;
using ir::Op;
using ir::Type;
using ir::Value;
using Operands = Selection::Operands;

constexpr unsigned kMaxSlots = kScratchBytes / 8;

class Lowering {
 public:
  Lowering(const ir::Block& block, const StateLayout& layout, std::span<const HelperDescriptor> helpers,
           const LoweringOptions& options, const void* const* handlers, CodeBlock& out)
      : block_(block),
        helpers_(helpers),
        options_(options),
        handlers_(handlers),
        out_(out),
        plan_(block, helpers, options.fusion),
        slot_(plan_.homes()) {
    zero_slot_ = static_cast<uint16_t>((layout.size_bytes + 7) / 8);
    next_slot_ = zero_slot_ + 1u;
    first_slot_ = next_slot_;
  }

  bool run() {
    out_.cells.reserve(block_.insts.size());
    for (position_ = 0; position_ < block_.insts.size(); ++position_) {
      if (plan_.needed(position_)) emit(block_.insts[position_]);
      if (overflow_) return false;
      release();
    }
    return true;
  }

 private:
  const Inst& inst(Value v) const { return block_.insts[v]; }
  bool is_const(Value v) const { return plan_.is_const(v); }

  uint16_t allocate(unsigned units) {
    if (units == 1 && !free_.empty()) {
      const uint16_t slot = free_.back();
      free_.pop_back();
      return slot;
    }
    if (next_slot_ - first_slot_ + units > kMaxSlots - 8) {
      overflow_ = true;
      return zero_slot_;
    }
    const uint16_t slot = static_cast<uint16_t>(next_slot_);
    next_slot_ += units;
    return slot;
  }

  // The slot of an operand. Constants are made on demand.
  uint16_t use(Value v) {
    if (slot_[v] != kNoSlot) return slot_[v];
    const Inst& i = inst(v);
    if (i.op == Op::kConst) {
      if (i.imm == 0) return zero_slot_;
      slot_[v] = allocate(1);
      emit_cell(Bytecode::k_movi, slot_[v], 0, 0, 0, i.imm);
      live_.push_back(v);
      return slot_[v];
    }
    assert(i.op == Op::kZext || i.op == Op::kSext);
    return use(plan_.operands(v).args[0]);
  }

  // The slot that the instruction at the current position writes.
  uint16_t define() {
    if (slot_[position_] == kNoSlot) {
      slot_[position_] = allocate((ir::type_bits(inst(static_cast<Value>(position_)).type) + 63) / 64);
      live_.push_back(static_cast<Value>(position_));
    }
    return slot_[position_];
  }

  // Gives back the slots of values that are used no more. An alias (a clean widening) keeps its source alive.
  void release() {
    for (size_t k = 0; k < live_.size();) {
      const Value v = live_[k];
      if (lifetime(v) <= position_) {
        if (ir::type_bits(inst(v).type) <= 64) free_.push_back(slot_[v]);
        live_[k] = live_.back();
        live_.pop_back();
      } else {
        ++k;
      }
    }
  }

  size_t lifetime(Value v) {
    size_t end = std::max<size_t>(plan_.last_use(v), v);
    if (alias_end_.size() > v) end = std::max<size_t>(end, alias_end_[v]);
    return end;
  }

  void alias(Value source) {
    if (alias_end_.size() <= source) alias_end_.resize(block_.insts.size(), 0);
    alias_end_[source] =
        std::max(alias_end_[source], std::max(plan_.last_use(static_cast<Value>(position_)), alias_end_[position_]));
    slot_[position_] = use(source);
  }

  Cell& emit_cell(Bytecode code, uint16_t d, uint16_t a, uint16_t b, uint16_t c, uint64_t imm) {
    Cell cell;
    cell.handler = handlers_[static_cast<size_t>(code)];
    cell.d = d;
    cell.a = a;
    cell.b = b;
    cell.c = c;
    cell.imm = imm;
    out_.cells.push_back(cell);
    return out_.cells.back();
  }

  static Bytecode next(Bytecode code) { return static_cast<Bytecode>(static_cast<unsigned>(code) + 1); }

  uint16_t guest_index() const { return static_cast<uint16_t>(out_.instructions.size() - 1); }

  // rr or ri form of a cell that has both.
  void emit_two(Bytecode rr, uint16_t d, Value a, Value b, Type type) {
    if (is_const(b)) {
      const uint16_t left = use(a);
      emit_cell(next(rr), d, left, 0, 0, ir::mask_to(type, inst(b).imm));
    } else {
      const uint16_t left = use(a);
      const uint16_t right = use(b);
      emit_cell(rr, d, left, right, 0, 0);
    }
  }

  static uint64_t describe(Op op, Type type) { return static_cast<uint64_t>(op) | static_cast<uint64_t>(type) << 8; }

  void emit(const Inst& i) {
    const Operands& o = plan_.operands(position_);
    switch (i.op) {
      case Op::kInsn:
        out_.instructions.push_back({i.imm, static_cast<uint32_t>(out_.cells.size())});
        return emit_coverage();
      case Op::kConst:
      case Op::kTrunc:
        return;  // made where it is used
      case Op::kGet:
        return emit_get(i);
      case Op::kSet:
        return emit_set(i);
      case Op::kSelect: {
        if (ir::type_bits(i.type) > 64) return emit_wide(i, o);
        const uint16_t c = use(o.args[0]);
        const uint16_t a = use(o.args[1]);
        const uint16_t b = use(o.args[2]);
        emit_cell(Bytecode::k_select, define(), c, a, b, 0);
        return;
      }
      case Op::kZext:
      case Op::kSext:
        return emit_extend(i, o);
      case Op::kLoad:
        return emit_load(i, o);
      case Op::kStore:
        return emit_store(i, o);
      case Op::kLoadReserved: {
        if (ir::is_wide(i.type)) return emit_wide(i, o);
        const uint16_t a = use(o.args[0]);
        emit_cell(Bytecode::k_load_reserved, define(), a, static_cast<uint16_t>(ir::type_bytes(i.type)), guest_index(),
                  i.imm);
        return;
      }
      case Op::kStoreConditional: {
        if (ir::is_wide(i.operand_type)) return emit_wide(i, o);
        const uint16_t a = use(o.args[0]);
        const uint16_t b = use(o.args[1]);
        emit_cell(Bytecode::k_store_conditional, define(), a, b, guest_index(),
                  i.imm | static_cast<uint64_t>(ir::type_bytes(i.operand_type)) << 32);
        return;
      }
      case Op::kAtomicRmw: {
        const uint16_t a = use(o.args[0]);
        const uint16_t b = use(o.args[1]);
        emit_cell(Bytecode::k_rmw, define(), a, b, guest_index(),
                  i.imm | i.imm2 << 32 | static_cast<uint64_t>(i.type) << 40);
        return;
      }
      case Op::kCas:
        return emit_wide(i, o);
      case Op::kFenceTso:
        return;  // the host orders all but stores before loads, and the compiler moves nothing across a cell
      case Op::kFence:
        emit_cell(Bytecode::k_fence, 0, 0, 0, 0, 0);
        return;
      case Op::kCall:
        return emit_call(i, o);
      case Op::kExitIf:
        emit_cell(Bytecode::k_exit_if, 0, use(o.args[0]), 0, guest_index(), i.imm);
        return;
      case Op::kJump:
        out_.links[0].pc = i.imm;
        emit_cell(Bytecode::k_jump, 0, 0, 0, 0, 0);
        return;
      case Op::kJumpIndirect:
        emit_cell(Bytecode::k_jump_ind, 0, use(o.args[0]), 0, 0, 0);
        return;
      case Op::kBranch:
        out_.links[0].pc = i.imm;
        out_.links[1].pc = i.imm2;
        if (o.fused != Op::kCount) {
          emit_two(branch_code(o.fused), 0, o.args[0], o.args[1], Type::kI64);
        } else {
          emit_cell(Bytecode::k_btrue, 0, use(o.args[0]), 0, 0, 0);
        }
        return;
      case Op::kExit:
        emit_cell(Bytecode::k_exit, 0, 0, 0, 0, i.imm);
        return;
      case Op::kExitIndirect:
        emit_cell(Bytecode::k_exit_ind, 0, use(o.args[0]), 0, 0, 0);
        return;
      default:
        return emit_operation(i, o);
    }
  }

  void emit_coverage() {
    if (out_.record == nullptr) return;
    const uint16_t index = guest_index();
    if (options_.coverage == Coverage::kCounted) {
      emit_cell(Bytecode::k_count, 0, 0, 0, 0, reinterpret_cast<uint64_t>(&out_.record->alone[index]));
    } else if (out_.record->reached <= index) {
      emit_cell(Bytecode::k_cover, static_cast<uint16_t>(index + 1), 0, 0, 0, reinterpret_cast<uint64_t>(out_.record));
    }
  }

  void emit_get(const Inst& i) {
    if (slot_[position_] != kNoSlot) return;
    if (ir::type_bits(i.type) > 64) return emit_wide(i, plan_.operands(position_));
    Bytecode code = Bytecode::k_get64;
    if (ir::type_bytes(i.type) == 1) code = Bytecode::k_get8;
    if (ir::type_bytes(i.type) == 2) code = Bytecode::k_get16;
    if (ir::type_bytes(i.type) == 4) code = Bytecode::k_get32;
    emit_cell(code, define(), 0, 0, 0, i.imm);
  }

  void emit_set(const Inst& i) {
    const Value v = plan_.operands(position_).args[0];
    if (ir::type_bits(i.operand_type) > 64) return emit_wide(i, plan_.operands(position_));
    const bool whole = i.operand_type == Type::kI64 && i.imm % 8 == 0;
    if (whole) {
      const auto field = static_cast<uint16_t>(i.imm / 8);
      if (slot_[v] == field) return;  // made in place, or written back unchanged
      if (is_const(v)) {
        emit_cell(Bytecode::k_movi, field, 0, 0, 0, inst(v).imm);
      } else {
        emit_cell(Bytecode::k_mov, field, use(v), 0, 0, 0);
      }
      return;
    }
    Bytecode code = Bytecode::k_set64;
    if (ir::type_bytes(i.operand_type) == 1) code = Bytecode::k_set8;
    if (ir::type_bytes(i.operand_type) == 2) code = Bytecode::k_set16;
    if (ir::type_bytes(i.operand_type) == 4) code = Bytecode::k_set32;
    // A flag is stored as 0 or 1 whatever the bits above it are.
    uint16_t from = use(v);
    if (i.operand_type == Type::kI1) {
      const uint16_t clean = allocate(1);
      emit_cell(Bytecode::k_zext1, clean, from, 0, 0, 0);
      free_.push_back(clean);
      from = clean;
    }
    emit_cell(code, 0, from, 0, 0, i.imm);
  }

  void emit_extend(const Inst& i, const Operands& o) {
    if (ir::type_bits(i.type) > 64) return emit_wide(i, o);
    if (i.op == Op::kSext && o.fused != Op::kCount && o.fused != Op::kLoad) {
      emit_two_word(o);
      return;
    }
    const Value source = o.args[0];
    if (plan_.is_alias(static_cast<Value>(position_))) return alias(source);
    Bytecode code;
    switch (i.operand_type) {
      case Type::kI1:
        code = Bytecode::k_zext1;
        break;
      case Type::kI8:
        code = i.op == Op::kZext ? Bytecode::k_zext8 : Bytecode::k_sext8;
        break;
      case Type::kI16:
        code = i.op == Op::kZext ? Bytecode::k_zext16 : Bytecode::k_sext16;
        break;
      default:
        code = i.op == Op::kZext ? Bytecode::k_zext32 : Bytecode::k_sext32;
        break;
    }
    const uint16_t a = use(source);
    emit_cell(code, define(), a, 0, 0, 0);
    if (i.op == Op::kSext && i.operand_type == Type::kI1) {
      emit_cell(Bytecode::k_sub_rr, slot_[position_], zero_slot_, slot_[position_], 0, 0);
    }
  }

  void emit_two_word(const Operands& o) {
    const Bytecode rr = word_code(o.fused);
    if (is_const(o.args[1])) {
      const uint16_t a = use(o.args[0]);
      emit_cell(next(rr), define(), a, 0, 0, ir::mask_to(Type::kI32, inst(o.args[1]).imm));
    } else {
      const uint16_t a = use(o.args[0]);
      const uint16_t b = use(o.args[1]);
      emit_cell(rr, define(), a, b, 0, 0);
    }
  }

  void emit_load(const Inst& i, const Operands& o) {
    const unsigned bytes = ir::type_bytes(i.type);
    const bool plain = Selection::is_plain(i);
    if (bytes > 8) return emit_wide(i, o);
    const uint16_t a = use(o.args[0]);
    const bool extend = plan_.is_extended_load(static_cast<Value>(position_));
    if (!plain || options_.watched_memory) {
      const uint16_t to = define();
      emit_cell(Bytecode::k_load_any, to, a, static_cast<uint16_t>(bytes), guest_index(), i.imm);
      // imm holds the flags, so the displacement needs a cell of its own.
      if (o.displacement != 0) patch_displacement(a, o.displacement);
      if (extend) {
        const Bytecode code = bytes == 1 ? Bytecode::k_sext8 : bytes == 2 ? Bytecode::k_sext16 : Bytecode::k_sext32;
        emit_cell(code, to, to, 0, 0, 0);
      }
      return;
    }
    Bytecode code = Bytecode::k_ld64;
    if (bytes == 1) code = extend ? Bytecode::k_lds8 : Bytecode::k_ldu8;
    if (bytes == 2) code = extend ? Bytecode::k_lds16 : Bytecode::k_ldu16;
    if (bytes == 4) code = extend ? Bytecode::k_lds32 : Bytecode::k_ldu32;
    emit_cell(code, define(), a, 0, guest_index(), o.displacement);
  }

  void patch_displacement(uint16_t address, uint64_t displacement) {
    const Cell access = out_.cells.back();
    out_.cells.pop_back();
    const uint16_t sum = allocate(1);
    emit_cell(Bytecode::k_add_ri, sum, address, 0, 0, displacement);
    out_.cells.push_back(access);
    out_.cells.back().a = sum;
    free_.push_back(sum);
  }

  void emit_store(const Inst& i, const Operands& o) {
    const unsigned bytes = ir::type_bytes(i.operand_type);
    const bool plain = Selection::is_plain(i);
    if (bytes > 8) return emit_wide(i, o);
    const uint16_t a = use(o.args[0]);
    const uint16_t b = use(o.args[1]);
    if (!plain || options_.watched_memory) {
      emit_cell(Bytecode::k_store_any, static_cast<uint16_t>(bytes), a, b, guest_index(), i.imm);
      if (o.displacement != 0) patch_displacement(a, o.displacement);
      return;
    }
    Bytecode code = Bytecode::k_st64;
    if (bytes == 1) code = Bytecode::k_st8;
    if (bytes == 2) code = Bytecode::k_st16;
    if (bytes == 4) code = Bytecode::k_st32;
    emit_cell(code, 0, a, b, guest_index(), o.displacement);
  }

  void emit_call(const Inst& i, const Operands& o) {
    uint16_t args[4] = {zero_slot_, zero_slot_, zero_slot_, zero_slot_};
    for (unsigned a = 0; a < o.count; ++a) {
      args[a] = use(o.args[a]);
      const Type type = inst(i.args[a]).type;
      if (!is_const(o.args[a]) || inst(o.args[a]).imm != ir::mask_to(type, inst(o.args[a]).imm)) {
        if (ir::type_bits(type) < 64) args[a] = clean_copy(args[a], type);
      }
    }
    const uint16_t d = i.type == Type::kVoid ? zero_slot_ : define();
    const bool has_result = i.type != Type::kVoid;
    emit_cell(Bytecode::k_call, d, has_result, 0, guest_index(), reinterpret_cast<uint64_t>(helpers_[i.imm].function));
    Cell arguments;
    arguments.handler = nullptr;
    arguments.d = args[0];
    arguments.a = args[1];
    arguments.b = args[2];
    arguments.c = args[3];
    out_.cells.push_back(arguments);
  }

  uint16_t clean_copy(uint16_t slot, Type type) {
    Bytecode code = Bytecode::k_zext32;
    if (type == Type::kI1) code = Bytecode::k_zext1;
    if (type == Type::kI8) code = Bytecode::k_zext8;
    if (type == Type::kI16) code = Bytecode::k_zext16;
    const uint16_t clean = allocate(1);
    emit_cell(code, clean, slot, 0, 0, 0);
    return clean;
  }

  void emit_operation(const Inst& i, const Operands& o) {
    const ir::OpInfo& info = ir::op_info(i.op);
    if (info.effect == ir::Effect::kFp) return emit_fp(i, o);
    bool wide = ir::type_bits(i.type) > 64;
    for (unsigned a = 0; a < i.operands; ++a) wide |= ir::type_bits(inst(i.args[a]).type) > 64;
    if (wide) return emit_wide(i, o);
    if (Selection::is_integer_compare(i.op)) {
      if (i.operand_type == Type::kI64) {
        // define() first would hide an operand that shares the state field: operands are read by slot in one cell.
        const uint16_t a = use(o.args[0]);
        if (is_const(o.args[1])) {
          emit_cell(next(compare_code(i.op)), define(), a, 0, 0, inst(o.args[1]).imm);
        } else {
          const uint16_t b = use(o.args[1]);
          emit_cell(compare_code(i.op), define(), a, b, 0, 0);
        }
        return;
      }
      const uint16_t a = use(o.args[0]);
      const uint16_t b = use(o.args[1]);
      emit_cell(Bytecode::k_scalar2, define(), a, b, 0, describe(i.op, i.operand_type));
      return;
    }
    if (i.op == Op::kFClass) {
      const uint16_t a = use(o.args[0]);
      emit_cell(Bytecode::k_fp_any, define(), a, 0, 0, ir::fp_operation_of(i, i.operand_type).pack());
      return;
    }
    if (o.count == 3 || i.op == Op::kParity) {
      const uint16_t a = use(o.args[0]);
      const uint16_t b = o.count == 3 ? use(o.args[1]) : zero_slot_;
      const uint16_t c = o.count == 3 ? use(o.args[2]) : zero_slot_;
      emit_cell(Bytecode::k_scalar3, define(), a, b, c, describe(i.op, inst(i.args[0]).type));
      return;
    }
    if (o.count == 1) {
      const Bytecode code = unary_code(i.op, i.type);
      const uint16_t a = use(o.args[0]);
      if (code == Bytecode::kCount) {
        emit_cell(Bytecode::k_scalar1, define(), a, 0, 0, describe(i.op, i.type));
      } else {
        emit_cell(code, define(), a, 0, 0, 0);
      }
      return;
    }
    bool both = false;
    const Bytecode code = binary_code(i.op, i.type, both);
    const uint16_t a = use(o.args[0]);
    if (both && code != Bytecode::kCount && is_const(o.args[1])) {
      emit_cell(next(code), define(), a, 0, 0, inst(o.args[1]).imm);
      return;
    }
    const uint16_t b = use(o.args[1]);
    if (code == Bytecode::kCount) {
      emit_cell(Bytecode::k_scalar2, define(), a, b, 0, describe(i.op, i.type));
    } else {
      emit_cell(code, define(), a, b, 0, 0);
    }
  }

  void emit_fp(const Inst& i, const Operands& o) {
    if (ir::type_bits(i.type) > 64) return emit_wide(i, o);
    const bool compare = i.op >= Op::kFEq && i.op <= Op::kFLe;
    // The cells of their own have RISC-V's rules.
    const bool riscv = ir::FpControl::unpack(i.imm).rule == ir::FpRule::kRiscv;
    const Bytecode code = riscv ? fp_code(i.op, compare ? i.operand_type : i.type) : Bytecode::k_fp_any;
    const uint16_t a = use(o.args[0]);
    const uint16_t b = o.count > 1 ? use(o.args[1]) : zero_slot_;
    const uint16_t c = o.count > 2 ? use(o.args[2]) : zero_slot_;
    uint64_t imm = i.imm;
    if (code == Bytecode::k_fp_any) {
      imm = ir::fp_operation_of(i, inst(i.args[0]).type).pack();
    }
    emit_cell(code, define(), a, b, c, imm);
  }

  void emit_wide(const Inst& i, const Operands& o) {
    WideOp wide;
    wide.inst = i;
    for (unsigned a = 0; a < i.operands; ++a) {
      // Foldings are for the narrow forms: a wide operation reads what the IR says.
      wide.args[a] = use(o.args[a]);
      wide.arg_types[a] = inst(i.args[a]).type;
    }
    if (o.displacement != 0) {
      const uint16_t sum = allocate(1);
      emit_cell(Bytecode::k_add_ri, sum, wide.args[0], 0, 0, o.displacement);
      wide.args[0] = sum;
    }
    wide.d = i.type == Type::kVoid ? zero_slot_ : define();
    out_.wide.push_back(wide);
    emit_cell(Bytecode::k_wide, 0, 0, 0, out_.instructions.empty() ? uint16_t{0} : guest_index(), out_.wide.size() - 1);
  }

  const ir::Block& block_;
  std::span<const HelperDescriptor> helpers_;
  const LoweringOptions options_;
  const void* const* handlers_;
  CodeBlock& out_;
  const Selection plan_;

  std::vector<uint16_t> slot_;  // of each value, once it has one
  std::vector<uint32_t> alias_end_;
  std::vector<uint16_t> free_;
  std::vector<Value> live_;
  uint16_t zero_slot_ = 0;
  uint32_t next_slot_ = 0;
  uint32_t first_slot_ = 0;
  size_t position_ = 0;
  bool overflow_ = false;
};

}  // namespace

bool lower(const ir::Block& block, const StateLayout& layout, std::span<const HelperDescriptor> helpers,
           const LoweringOptions& options, const void* const* handlers, CodeBlock& out) {
  out.cells.clear();
  out.instructions.clear();
  out.wide.clear();
  return Lowering(block, layout, helpers, options, handlers, out).run();
}

}  // namespace lockstep::core
