// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "core/ir/text.h"

namespace lockstep::core::ir {

namespace {

class Verifier {
 public:
  Verifier(const Block& block, const Names& names) : block_(block), names_(names) {}

  Status run() {
    if (block_.insts.empty()) return Error{"the block is empty"};
    if (block_.insts[0].op != Op::kInsn) return Error{"%0: a block begins with `insn`"};
    for (index_ = 0; index_ < block_.insts.size(); ++index_) {
      if (std::string problem = check(block_.insts[index_]); !problem.empty()) {
        return Error{fmt::format("%{} ({}): {}", index_, op_info(block_.insts[index_].op).text, problem)};
      }
    }
    return {};
  }

 private:
  Type arg_type(const Inst& inst, unsigned arg) const { return block_.insts[inst.args[arg]].type; }

  // Each returns an empty string, or what is wrong.
  std::string check(const Inst& inst) const {
    const OpInfo& info = op_info(inst.op);
    const bool last = index_ + 1 == block_.insts.size();
    const bool end = info.effect == Effect::kEnd && inst.op != Op::kExitIf;
    if (last && !end) return "the last instruction must be a jump, a branch or an exit";
    if (!last && end) return "instructions behind the end of the block";
    if (inst.op != Op::kCall && inst.operands != info.operands) {
      return fmt::format("needs {} operands and has {}", info.operands, inst.operands);
    }
    for (unsigned a = 0; a < inst.operands; ++a) {
      if (inst.args[a] >= index_) return fmt::format("operand {} is used before it is defined", a);
      if (arg_type(inst, a) == Type::kVoid) return fmt::format("operand {} has no value", a);
    }
    switch (info.signature) {
      case Signature::kNone:
        return check_none(inst);
      case Signature::kSame:
        return check_same(inst);
      case Signature::kCompare:
        return check_compare(inst);
      case Signature::kConvert:
        return check_convert(inst);
      case Signature::kFree:
        return check_free(inst);
    }
    return "";
  }

  std::string check_none(const Inst& inst) const {
    if (inst.type != Type::kVoid) return "has no result";
    if (inst.op == Op::kSet) {
      if (arg_type(inst, 0) != inst.operand_type) return "the value's type is not the one written";
      return check_offset(inst.imm, inst.operand_type);
    }
    if ((inst.op == Op::kBranch || inst.op == Op::kExitIf) && arg_type(inst, 0) != Type::kI1) return "needs an i1";
    if ((inst.op == Op::kJumpIndirect || inst.op == Op::kExitIndirect) && arg_type(inst, 0) != Type::kI64) {
      return "needs an i64 target";
    }
    if (inst.op == Op::kInsn && (inst.imm2 == 0 || inst.imm2 > 15)) return "an instruction has 1 to 15 bytes";
    return "";
  }

  std::string check_offset(uint64_t offset, Type type) const {
    if (names_.layout == nullptr) return "";
    const StateField* field = names_.layout->at(static_cast<uint32_t>(offset));
    if (offset > UINT32_MAX || field == nullptr) return fmt::format("no state field begins at offset {:#x}", offset);
    if (type_bytes(type) > field->size_bytes) return fmt::format("field {} is narrower than the access", field->name);
    return "";
  }

  std::string check_same(const Inst& inst) const {
    for (unsigned a = 0; a < inst.operands; ++a) {
      if (arg_type(inst, a) != inst.type) return fmt::format("operand {} is not {}", a, type_name(inst.type));
    }
    const bool vector = inst.op >= Op::kVAdd && inst.op <= Op::kVFMa;
    if (vector) {
      if (inst.type != Type::kV128 && inst.type != Type::kV256) return "needs a vector type";
      const bool fp = inst.op >= Op::kVFAdd;
      if (inst.imm != 8 && inst.imm != 16 && inst.imm != 32 && inst.imm != 64) return "lanes have 8, 16, 32 or 64 bits";
      if (fp && inst.imm < 32) return "floating-point lanes have 32 or 64 bits";
      return fp ? check_fp_control(inst.imm2) : "";
    }
    if (inst.op >= Op::kFAdd && inst.op <= Op::kFMax) {
      if (inst.type != Type::kI32 && inst.type != Type::kI64) return "floating point needs i32 or i64 patterns";
      return check_fp_control(inst.imm);
    }
    if (!is_scalar(inst.type)) return "needs a scalar type";
    const bool logic = inst.op >= Op::kAnd && inst.op <= Op::kNot;
    if (inst.type == Type::kI1 && !logic) return "i1 has only and, or, xor and not";
    return "";
  }

  std::string check_compare(const Inst& inst) const {
    if (inst.type != Type::kI1) return "gives an i1";
    const bool carry = inst.op >= Op::kAddCarry && inst.op <= Op::kSubOverflow;
    for (unsigned a = 0; a < inst.operands; ++a) {
      const Type want = carry && a == 2 ? Type::kI1 : inst.operand_type;
      if (arg_type(inst, a) != want) return fmt::format("operand {} is not {}", a, type_name(want));
    }
    if (!is_scalar(inst.operand_type)) return "compares scalars";
    if (inst.op < Op::kFEq || inst.op > Op::kFLe) return "";
    if (type_bits(inst.operand_type) < 32) return "needs i32 or i64 patterns";
    return check_fp_control(inst.imm);
  }

  std::string check_convert(const Inst& inst) const {
    if (arg_type(inst, 0) != inst.operand_type) return "the operand's type is not the one named";
    const unsigned from = type_bits(inst.operand_type);
    const unsigned to = type_bits(inst.type);
    const auto float_like = [](Type type) { return type == Type::kI32 || type == Type::kI64; };
    switch (inst.op) {
      case Op::kZext:
      case Op::kSext:
        if (!is_scalar(inst.operand_type) || !(is_scalar(inst.type) || inst.type == Type::kI128))
          return "extends scalars";
        return to > from ? "" : "must widen";
      case Op::kTrunc:
        if (!is_scalar(inst.type) || !is_scalar(inst.operand_type)) return "cuts scalars";
        return to < from ? "" : "must narrow";
      case Op::kFClass:
        return inst.type == Type::kI64 && float_like(inst.operand_type) ? "" : "gives i64 from i32 or i64";
      default:
        if (!float_like(inst.type) || !float_like(inst.operand_type)) return "converts between i32 and i64 patterns";
        if (inst.op == Op::kFCvt && from == to) return "converts to the same format";
        return check_fp_control(inst.imm);
    }
  }

  std::string check_memory(const Inst& inst, Type type) const {
    if (arg_type(inst, 0) != Type::kI64) return "the address must be i64";
    if (type == Type::kVoid || type == Type::kI1) return "memory has no such type";
    constexpr uint64_t kFlags = kMemBigEndian | kMemAligned | kMemAcquire | kMemRelease | kMemAtomic;
    if (inst.imm & ~kFlags) return fmt::format("unknown memory flags {:#x}", inst.imm & ~kFlags);
    return "";
  }

  std::string check_free(const Inst& inst) const {
    switch (inst.op) {
      case Op::kConst:
        return is_scalar(inst.type) ? "" : "constants are scalars; build vectors from them";
      case Op::kGet:
        if (inst.type == Type::kVoid) return "needs a type";
        return check_offset(inst.imm, inst.type);
      case Op::kSelect:
        if (arg_type(inst, 0) != Type::kI1) return "the condition must be i1";
        return arg_type(inst, 1) == inst.type && arg_type(inst, 2) == inst.type ? "" : "both values must have its type";
      case Op::kAdc:
      case Op::kSbb:
        if (!is_scalar(inst.type) || inst.type == Type::kI1) return "needs a scalar type";
        if (arg_type(inst, 2) != Type::kI1) return "the carry must be i1";
        return arg_type(inst, 0) == inst.type && arg_type(inst, 1) == inst.type ? "" : "both values must have its type";
      case Op::kDivWideU:
      case Op::kRemWideU:
        for (unsigned a = 0; a < 3; ++a) {
          if (arg_type(inst, a) != Type::kI64) return "divides i64 pairs by i64";
        }
        return inst.type == Type::kI64 ? "" : "gives i64";
      case Op::kConcat: {
        const Type half = inst.type == Type::kV256 ? Type::kV128 : Type::kI64;
        if (!is_wide(inst.type)) return "gives i128, v128 or v256";
        return arg_type(inst, 0) == half && arg_type(inst, 1) == half ? "" : "operands are halves of the result";
      }
      case Op::kLow:
      case Op::kHigh: {
        if (!is_wide(arg_type(inst, 0))) return "needs a wide operand";
        const Type half = arg_type(inst, 0) == Type::kV256 ? Type::kV128 : Type::kI64;
        return inst.type == half ? "" : "the result is half of the operand";
      }
      case Op::kVSplat:
        return check_lane(inst.type, arg_type(inst, 0), inst.imm, 0);
      case Op::kVExtract:
        return check_lane(arg_type(inst, 0), inst.type, inst.imm, inst.imm2);
      case Op::kVInsert:
        if (arg_type(inst, 0) != inst.type) return "the vector must have the result's type";
        return check_lane(inst.type, arg_type(inst, 1), inst.imm, inst.imm2);
      case Op::kLoad:
        return check_memory(inst, inst.type);
      case Op::kStore:
        if (inst.type != Type::kVoid) return "has no result";
        if (arg_type(inst, 1) != inst.operand_type) return "the value's type is not the one stored";
        return check_memory(inst, inst.operand_type);
      case Op::kLoadReserved:
        if (!is_scalar(inst.type) && inst.type != Type::kI128) return "goes up to i128";
        return check_memory(inst, inst.type);
      case Op::kStoreConditional:
        if (inst.type != Type::kI64) return "gives an i64";
        if (arg_type(inst, 1) != inst.operand_type) return "the value's type is not the one stored";
        if (!is_scalar(inst.operand_type) && inst.operand_type != Type::kI128) return "goes up to i128";
        return check_memory(inst, inst.operand_type);
      case Op::kAtomicRmw:
        if (!is_scalar(inst.type) || arg_type(inst, 1) != inst.type) return "works on scalars";
        if (inst.imm2 > static_cast<uint64_t>(RmwOp::kMaxU)) return "unknown operation";
        return check_memory(inst, inst.type);
      case Op::kCas:
        if (arg_type(inst, 1) != inst.type || arg_type(inst, 2) != inst.type) return "both values must have its type";
        if (inst.type == Type::kV128 || inst.type == Type::kV256) return "goes up to i128";
        return check_memory(inst, inst.type);
      case Op::kCall:
        return check_call(inst);
      default:
        return "not a known operation";
    }
  }

  static std::string check_lane(Type vector, Type scalar, uint64_t lane_bits, uint64_t lane) {
    if (vector != Type::kV128 && vector != Type::kV256) return "needs a vector type";
    if (!is_scalar(scalar) || scalar == Type::kI1 || type_bits(scalar) != lane_bits) return "the scalar is not a lane";
    return lane < type_bits(vector) / lane_bits ? "" : fmt::format("the vector has no lane {}", lane);
  }

  std::string check_call(const Inst& inst) const {
    for (unsigned a = 0; a < inst.operands; ++a) {
      if (!is_scalar(arg_type(inst, a))) return "arguments are scalars";
    }
    if (names_.helpers.empty()) return "";
    if (inst.imm >= names_.helpers.size()) return fmt::format("no helper {}", inst.imm);
    const HelperDescriptor& helper = names_.helpers[inst.imm];
    if (helper.arguments != inst.operands) return fmt::format("{} takes {} arguments", helper.name, helper.arguments);
    return helper.result == inst.type ? "" : fmt::format("{} gives {}", helper.name, type_name(helper.result));
  }

  const Block& block_;
  const Names& names_;
  size_t index_ = 0;
};

}  // namespace

Status verify(const Block& block, const Names& names) { return Verifier(block, names).run(); }

}  // namespace lockstep::core::ir
