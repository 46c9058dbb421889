// SPDX-License-Identifier: Apache-2.0
#include "core/ir/fp_semantics.h"
#include "jit/translator.h"

// Floating point on the host's units. MXCSR holds the guest's rounding mode and gathers its flags: the host raises the
// five IEEE exceptions as RISC-V does, tininess after rounding included. What differs is a NaN result, which RISC-V
// makes canonical; it goes to core/ir's definition of the operation, which also knows that inf * 0 + NaN is invalid.
// Operations that name another rounding mode than the guest's current one, minimum and maximum, unsigned conversions
// and other rules than RISC-V's are calls.

namespace lockstep::jit {

using core::ir::FpControl;

namespace {
constexpr uint32_t kMaxHostRounding = 3;
}

bool Translator::emit_float(const Inst& i) {
  const FpControl control = FpControl::unpack(i.imm);
  const bool plain = control.rule == core::ir::FpRule::kRiscv && !control.flush_inputs && !control.flush_results;
  const bool any_rounding = i.op == Op::kFEq || i.op == Op::kFLt || i.op == Op::kFLe;
  const bool same_rounding = input_.rounding <= kMaxHostRounding &&
                             (control.rounding == core::ir::kRoundDynamic || control.rounding == input_.rounding);
  const Type from = inst(i.args[0]).type;
  const bool is_double = from == Type::kI64;
  if (!plain || input_.rounding > kMaxHostRounding) return emit_float_call(i);
  switch (i.op) {
    case Op::kFAdd:
    case Op::kFSub:
    case Op::kFMul:
    case Op::kFDiv:
    case Op::kFSqrt:
      return same_rounding ? emit_float_arithmetic(i, is_double) : emit_float_call(i);
    case Op::kFMa:
      return same_rounding && input_.host.fma ? emit_float_arithmetic(i, is_double) : emit_float_call(i);
    case Op::kFEq:
    case Op::kFLt:
    case Op::kFLe:
      return any_rounding ? emit_float_compare(i, is_double) : emit_float_call(i);
    case Op::kFCvt:
      return same_rounding || i.type == Type::kI64 ? emit_float_arithmetic(i, is_double) : emit_float_call(i);
    case Op::kSToF:
      return same_rounding ? emit_from_integer(i) : emit_float_call(i);
    case Op::kFToS:
      if (control.rounding != 1 && !same_rounding) return emit_float_call(i);
      return emit_to_integer(i, is_double, control.rounding == 1 || input_.rounding == 1);
    default:
      return emit_float_call(i);
  }
}

bool Translator::emit_float_arithmetic(const Inst& i, bool is_double) {
  FloatPath path{a_.new_label(), a_.new_label(), kNone, {kNone, kNone, kNone}, 0, false, i.type == Type::kI64};
  for (unsigned k = 0; k < i.operands; ++k) path.operands[k] = use_vector(i.args[k]);
  // A NaN that comes out of these is the canonical one, and the host has raised what there is to raise. Of a fused
  // operation the operands are asked once more, so that they must not be overwritten.
  path.canonical = i.op != Op::kFMa;
  if (path.canonical) {
    for (unsigned k = 0; k < i.operands; ++k) consume(i.args[k]);
  }
  const int d = define_vector(path.canonical ? path.operands[0] : kNone);
  const Xmm to = vec(d), a = vec(path.operands[0]);
  const Xmm b = i.operands > 1 ? vec(path.operands[1]) : a;
  switch (i.op) {
    case Op::kFAdd:
      is_double ? a_.vaddsd(to, a, b) : a_.vaddss(to, a, b);
      break;
    case Op::kFSub:
      is_double ? a_.vsubsd(to, a, b) : a_.vsubss(to, a, b);
      break;
    case Op::kFMul:
      is_double ? a_.vmulsd(to, a, b) : a_.vmulss(to, a, b);
      break;
    case Op::kFDiv:
      is_double ? a_.vdivsd(to, a, b) : a_.vdivss(to, a, b);
      break;
    case Op::kFSqrt:
      is_double ? a_.vsqrtsd(to, a, a) : a_.vsqrtss(to, a, a);
      break;
    case Op::kFCvt:
      is_double ? a_.vcvtsd2ss(to, a, a) : a_.vcvtss2sd(to, a, a);
      break;
    default:
      a_.vmovaps(to, a);
      is_double ? a_.vfmadd213sd(to, b, vec(path.operands[2])) : a_.vfmadd213ss(to, b, vec(path.operands[2]));
  }
  i.type == Type::kI64 ? a_.vucomisd(to, to) : a_.vucomiss(to, to);
  a_.jp(path.entry);
  a_.bind(path.done);
  path.result = d;
  path.descriptor = static_cast<uint32_t>(core::ir::fp_operation_of(i, inst(i.args[0]).type).pack());
  float_paths_.push_back(path);
  if (!path.canonical) {
    for (unsigned k = 0; k < i.operands; ++k) consume(i.args[k]);
  }
  return true;
}

// Ones above the single.
bool Translator::emit_box(const Inst& i) {
  const Value zext = i.args[0];
  const Value single = inst(zext).args[0];
  const int a = use_vector(single);
  const int ones = allocate(true);
  consume(single);
  consume(zext);
  consume(i.args[1]);
  const int d = define_vector(a);
  a_.vpcmpeqd(vec(ones), vec(ones), vec(ones));
  a_.vblendps(vec(d), vec(ones), vec(a), 1);
  return true;
}

// The low half as it is, unless the upper one is not all ones.
bool Translator::emit_unbox(const Inst& i) {
  const Value compare = i.args[0];
  const Value raw = inst(compare).args[0];
  FloatPath path{a_.new_label(), a_.new_label(), kNone, {kNone, kNone, kNone}, 0, true, false};
  const int a = use_vector(raw);
  const int upper = temporary();
  consume(raw);
  consume(inst(compare).args[1]);
  for (unsigned k = 0; k < 3; ++k) consume(i.args[k]);
  path.result = allocate(true);
  set_register(index_, path.result);
  a_.vpextrd(gp32(upper), vec(a), 1);
  a_.vmovaps(vec(path.result), vec(a));
  a_.cmp(gp32(upper), -1);
  a_.jne(path.entry);
  a_.bind(path.done);
  float_paths_.push_back(path);
  return true;
}

bool Translator::emit_float_compare(const Inst& i, bool is_double) {
  const int a = use_vector(i.args[0]);
  const int b = use_vector(i.args[1]);
  const int d = allocate(false);
  if (i.op == Op::kFEq) {
    const int ordered = temporary();
    is_double ? a_.vucomisd(vec(a), vec(b)) : a_.vucomiss(vec(a), vec(b));
    a_.setnp(gp(ordered).r8());
    a_.sete(gp(d).r8());
    a_.and_(gp(d).r8(), gp(ordered).r8());
  } else {
    // Turned round, so that "above" is false for unordered operands.
    is_double ? a_.vcomisd(vec(b), vec(a)) : a_.vcomiss(vec(b), vec(a));
    if (i.op == Op::kFLt) {
      a_.seta(gp(d).r8());
    } else {
      a_.setae(gp(d).r8());
    }
  }
  a_.movzx(gp32(d), gp(d).r8());
  consume(i.args[0]);
  consume(i.args[1]);
  set_register(index_, d);
  return true;
}

bool Translator::emit_from_integer(const Inst& i) {
  const int a = use(i.args[0]);
  const bool wide = inst(i.args[0]).type == Type::kI64;
  const int d = define_vector();
  a_.vxorps(vec(d), vec(d), vec(d));
  const Gp from = wide ? gp(a) : gp32(a);
  i.type == Type::kI64 ? a_.vcvtsi2sd(vec(d), vec(d), from) : a_.vcvtsi2ss(vec(d), vec(d), from);
  consume(i.args[0]);
  return true;
}

// The host answers the most negative integer, and raises invalid alone, for what does not fit; the definition then
// gives the answer.
bool Translator::emit_to_integer(const Inst& i, bool is_double, bool truncate) {
  FloatPath path{a_.new_label(), a_.new_label(), kNone, {kNone, kNone, kNone}, 0, false, is_double};
  path.operands[0] = use_vector(i.args[0]);
  const int d = allocate(false);
  const int limit = temporary();
  const Xmm from = vec(path.operands[0]);
  const Gp to = sized(d, i.type);
  if (truncate) {
    is_double ? a_.vcvttsd2si(to, from) : a_.vcvttss2si(to, from);
  } else {
    is_double ? a_.vcvtsd2si(to, from) : a_.vcvtss2si(to, from);
  }
  a_.mov(sized(limit, i.type), to);
  a_.neg(sized(limit, i.type));
  a_.jo(path.entry);
  a_.bind(path.done);
  path.result = d;
  path.descriptor = static_cast<uint32_t>(core::ir::fp_operation_of(i, inst(i.args[0]).type).pack());
  float_paths_.push_back(path);
  consume(i.args[0]);
  set_register(index_, d);
  return true;
}

void Translator::finish_float(const FloatPath& path) {
  a_.bind(path.entry);
  if (path.canonical) {
    // 0x7ff8000000000000 and 0x7fc00000.
    const Xmm d = vec(path.result);
    a_.vpcmpeqd(d, d, d);
    if (path.is_double) {
      a_.vpsllq(d, d, 52);
      a_.vpsrlq(d, d, 1);
    } else {
      a_.vpslld(d, d, 23);
      a_.vpsrld(d, d, 1);
    }
    a_.jmp(path.done);
    return;
  }
  for (size_t k = 0; k < path.operands.size(); ++k) {
    if (path.operands[k] != kNone) a_.vmovq(frame(offsetof(Frame, operand) + 8 * k), vec(path.operands[k]));
  }
  describe(path.descriptor);
  call(input_.thunks.fp);
  const Mem result = frame(offsetof(Frame, operand));
  if (path.result >= kFirstXmm) {
    a_.vmovq(vec(path.result), result);
  } else {
    a_.mov(gp(path.result), result);
  }
  a_.jmp(path.done);
}

bool Translator::emit_float_call(const Inst& i) {
  for (unsigned k = 0; k < i.operands; ++k) {
    const Mem to = frame(offsetof(Frame, operand) + 8 * k);
    if (places_[resolve(i.args[k])].reg >= kFirstXmm) {
      a_.vmovq(to, vec(use_vector(i.args[k])));
    } else {
      a_.mov(to, gp(use(i.args[k])));
    }
  }
  for (unsigned k = 0; k < i.operands; ++k) consume(i.args[k]);
  describe(static_cast<uint32_t>(core::ir::fp_operation_of(i, inst(i.args[0]).type).pack()));
  call(input_.thunks.fp);
  if (places_[index_].uses == 0) return true;
  const int d = define();
  a_.mov(gp(d), frame(offsetof(Frame, operand)));
  return true;
}

}  // namespace lockstep::jit
