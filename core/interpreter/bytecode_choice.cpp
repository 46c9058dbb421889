// SPDX-License-Identifier: Apache-2.0
#include "core/interpreter/bytecode_choice.h"

namespace lockstep::core {

using ir::Op;
using ir::Type;

bool has_word_form(Op op) {
  return op == Op::kAdd || op == Op::kSub || op == Op::kMul || op == Op::kShl || op == Op::kShr || op == Op::kSar;
}

Bytecode compare_code(Op op) {
  switch (op) {
    case Op::kEq:
      return Bytecode::k_eq_rr;
    case Op::kNe:
      return Bytecode::k_ne_rr;
    case Op::kLtU:
      return Bytecode::k_ltu_rr;
    case Op::kLtS:
      return Bytecode::k_lts_rr;
    case Op::kGeU:
      return Bytecode::k_geu_rr;
    default:
      return Bytecode::k_ges_rr;
  }
}

Bytecode branch_code(Op op) {
  switch (op) {
    case Op::kEq:
      return Bytecode::k_beq_rr;
    case Op::kNe:
      return Bytecode::k_bne_rr;
    case Op::kLtU:
      return Bytecode::k_bltu_rr;
    case Op::kLtS:
      return Bytecode::k_blts_rr;
    case Op::kGeU:
      return Bytecode::k_bgeu_rr;
    default:
      return Bytecode::k_bges_rr;
  }
}

Bytecode word_code(Op op) {
  switch (op) {
    case Op::kAdd:
      return Bytecode::k_addw_rr;
    case Op::kSub:
      return Bytecode::k_subw_rr;
    case Op::kMul:
      return Bytecode::k_mulw_rr;
    case Op::kShl:
      return Bytecode::k_shlw_rr;
    case Op::kShr:
      return Bytecode::k_shrw_rr;
    default:
      return Bytecode::k_sarw_rr;
  }
}

Bytecode binary_code(Op op, Type type, bool& both) {
  both = true;
  switch (op) {
    case Op::kAdd:
      return Bytecode::k_add_rr;
    case Op::kSub:
      return Bytecode::k_sub_rr;
    case Op::kMul:
      return Bytecode::k_mul_rr;
    case Op::kAnd:
      return Bytecode::k_and_rr;
    case Op::kOr:
      return Bytecode::k_or_rr;
    case Op::kXor:
      return Bytecode::k_xor_rr;
    default:
      break;
  }
  if (type != Type::kI64) return Bytecode::kCount;
  switch (op) {
    case Op::kShl:
      return Bytecode::k_shl_rr;
    case Op::kShr:
      return Bytecode::k_shr_rr;
    case Op::kSar:
      return Bytecode::k_sar_rr;
    case Op::kRotL:
      return Bytecode::k_rotl_rr;
    case Op::kRotR:
      return Bytecode::k_rotr_rr;
    default:
      break;
  }
  both = false;
  switch (op) {
    case Op::kMulHighU:
      return Bytecode::k_mulhu_rr;
    case Op::kMulHighS:
      return Bytecode::k_mulhs_rr;
    case Op::kMulHighSU:
      return Bytecode::k_mulhsu_rr;
    case Op::kDivU:
      return Bytecode::k_divu_rr;
    case Op::kDivS:
      return Bytecode::k_divs_rr;
    case Op::kRemU:
      return Bytecode::k_remu_rr;
    case Op::kRemS:
      return Bytecode::k_rems_rr;
    case Op::kMinU:
      return Bytecode::k_minu_rr;
    case Op::kMinS:
      return Bytecode::k_mins_rr;
    case Op::kMaxU:
      return Bytecode::k_maxu_rr;
    case Op::kMaxS:
      return Bytecode::k_maxs_rr;
    default:
      return Bytecode::kCount;
  }
}

Bytecode unary_code(Op op, Type type) {
  if (op == Op::kNot) return Bytecode::k_not;
  if (type != Type::kI64) return Bytecode::kCount;
  switch (op) {
    case Op::kClz:
      return Bytecode::k_clz;
    case Op::kCtz:
      return Bytecode::k_ctz;
    case Op::kPopcnt:
      return Bytecode::k_popcnt;
    case Op::kBswap:
      return Bytecode::k_bswap;
    case Op::kOrcB:
      return Bytecode::k_orcb;
    default:
      return Bytecode::kCount;
  }
}

Bytecode fp_code(Op op, Type type) {
  const bool wide = type == Type::kI64;
  switch (op) {
    case Op::kFAdd:
      return wide ? Bytecode::k_fadd64 : Bytecode::k_fadd32;
    case Op::kFSub:
      return wide ? Bytecode::k_fsub64 : Bytecode::k_fsub32;
    case Op::kFMul:
      return wide ? Bytecode::k_fmul64 : Bytecode::k_fmul32;
    case Op::kFDiv:
      return wide ? Bytecode::k_fdiv64 : Bytecode::k_fdiv32;
    case Op::kFMa:
      return wide ? Bytecode::k_fma64 : Bytecode::k_fma32;
    case Op::kFEq:
      return wide ? Bytecode::k_feq64 : Bytecode::k_feq32;
    case Op::kFLt:
      return wide ? Bytecode::k_flt64 : Bytecode::k_flt32;
    case Op::kFLe:
      return wide ? Bytecode::k_fle64 : Bytecode::k_fle32;
    default:
      return Bytecode::k_fp_any;
  }
}

}  // namespace lockstep::core
