// SPDX-License-Identifier: Apache-2.0
#include "core/interpreter/wide.h"

#include <array>
#include <bit>
#include <cassert>
#include <cstring>

#include "core/ir/fold.h"
#include "core/ir/fp_semantics.h"

namespace lockstep::core {

namespace {

using ir::Op;
using ir::Type;

Op described_op(uint64_t description) { return static_cast<Op>(description & 0xff); }
Type described_type(uint64_t description) { return static_cast<Type>(description >> 8 & 0xff); }

// The widest value: little-endian units of 64 bits.
struct Bits {
  std::array<uint64_t, 4> unit = {};

  uint64_t lane(unsigned bits, unsigned index) const {
    const unsigned at = bits * index;
    const uint64_t value = unit[at / 64] >> at % 64;
    return bits == 64 ? value : value & ((uint64_t{1} << bits) - 1);
  }
  void set_lane(unsigned bits, unsigned index, uint64_t value) {
    const unsigned at = bits * index;
    const uint64_t mask = bits == 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1;
    unit[at / 64] = (unit[at / 64] & ~(mask << at % 64)) | (value & mask) << at % 64;
  }
};

uint64_t lane_integer(Op op, unsigned bits, uint64_t a, uint64_t b) {
  const Type type = bits == 8 ? Type::kI8 : bits == 16 ? Type::kI16 : bits == 32 ? Type::kI32 : Type::kI64;
  switch (op) {
    case Op::kVAdd:
      return *ir::fold_binary(Op::kAdd, type, a, b);
    case Op::kVSub:
      return *ir::fold_binary(Op::kSub, type, a, b);
    case Op::kVMul:
      return *ir::fold_binary(Op::kMul, type, a, b);
    case Op::kVAnd:
      return a & b;
    case Op::kVOr:
      return a | b;
    case Op::kVXor:
      return a ^ b;
    case Op::kVEq:
      return a == b ? ~uint64_t{0} : 0;
    default:
      assert(op == Op::kVGtS);
      return *ir::fold_binary(Op::kLtS, type, b, a) ? ~uint64_t{0} : 0;
  }
}

}  // namespace

uint64_t run_scalar1(uint64_t description, uint64_t a) {
  return *ir::fold_unary(described_op(description), described_type(description), a);
}

uint64_t run_scalar2(uint64_t description, uint64_t a, uint64_t b) {
  return *ir::fold_binary(described_op(description), described_type(description), a, b);
}

uint64_t run_scalar3(uint64_t description, uint64_t a, uint64_t b, uint64_t c) {
  const Type type = described_type(description);
  const Op op = described_op(description);
  if (op == Op::kDivWideU || op == Op::kRemWideU) {
    const unsigned __int128 dividend = static_cast<unsigned __int128>(a) << 64 | b;
    if (a >= c) return op == Op::kDivWideU ? ~uint64_t{0} : b;
    return static_cast<uint64_t>(op == Op::kDivWideU ? dividend / c : dividend % c);
  }
  const unsigned bits = ir::type_bits(type);
  a = ir::mask_to(type, a);
  b = ir::mask_to(type, b);
  c &= 1;
  const unsigned __int128 sum = static_cast<unsigned __int128>(a) + b + c;
  const uint64_t difference = ir::mask_to(type, a - b - c);
  switch (op) {
    case Op::kAdc:
      return ir::mask_to(type, static_cast<uint64_t>(sum));
    case Op::kSbb:
      return difference;
    case Op::kAddCarry:
      return static_cast<uint64_t>(sum >> bits) & 1;
    case Op::kAddOverflow: {
      const uint64_t s = static_cast<uint64_t>(sum);
      return (~(a ^ b) & (a ^ s)) >> (bits - 1) & 1;
    }
    case Op::kSubBorrow:
      return static_cast<unsigned __int128>(a) < static_cast<unsigned __int128>(b) + c;
    case Op::kSubOverflow:
      return ((a ^ b) & (a ^ difference)) >> (bits - 1) & 1;
    default:
      assert(op == Op::kParity);
      return (std::popcount(a & 0xff) & 1) == 0;
  }
}

bool run_wide(const WideOp& op, StateHeader& state, MemoryAccess& memory) {
  auto* base = reinterpret_cast<uint8_t*>(&state);
  const ir::Inst& inst = op.inst;
  Bits in[3];
  for (unsigned a = 0; a < inst.operands && a < 3; ++a) {
    const unsigned units = (ir::type_bits(op.arg_types[a]) + 63) / 64;
    std::memcpy(in[a].unit.data(), base + size_t{op.args[a]} * 8, size_t{units} * 8);
    if (ir::type_bits(op.arg_types[a]) < 64) in[a].unit[0] = ir::mask_to(op.arg_types[a], in[a].unit[0]);
  }
  Bits out;
  const unsigned bytes = ir::type_bytes(inst.type);
  const auto lane_bits = static_cast<unsigned>(inst.imm);
  switch (inst.op) {
    case Op::kGet:
      std::memcpy(out.unit.data(), base + inst.imm, bytes);
      break;
    case Op::kSet:
      std::memcpy(base + inst.imm, in[0].unit.data(), ir::type_bytes(inst.operand_type));
      return true;
    case Op::kSelect:
      out = in[0].unit[0] & 1 ? in[1] : in[2];
      break;
    case Op::kZext:
      out.unit[0] = in[0].unit[0];
      break;
    case Op::kSext:
      out.unit[0] = static_cast<uint64_t>(ir::sign_extend(inst.operand_type, in[0].unit[0]));
      out.unit[1] = static_cast<int64_t>(out.unit[0]) < 0 ? ~uint64_t{0} : 0;
      break;
    case Op::kConcat: {
      const unsigned half = ir::type_bits(inst.type) / 128;
      for (unsigned u = 0; u < half; ++u) {
        out.unit[u] = in[0].unit[u];
        out.unit[half + u] = in[1].unit[u];
      }
      break;
    }
    case Op::kLow:
      out = in[0];
      break;
    case Op::kHigh: {
      const unsigned half = ir::type_bits(inst.type) / 64;
      for (unsigned u = 0; u < half; ++u) out.unit[u] = in[0].unit[half + u];
      break;
    }
    case Op::kVSplat:
      for (unsigned l = 0; l < ir::type_bits(inst.type) / lane_bits; ++l) out.set_lane(lane_bits, l, in[0].unit[0]);
      break;
    case Op::kVExtract:
      out.unit[0] = in[0].lane(lane_bits, static_cast<unsigned>(inst.imm2));
      break;
    case Op::kVInsert:
      out = in[0];
      out.set_lane(lane_bits, static_cast<unsigned>(inst.imm2), in[1].unit[0]);
      break;
    case Op::kVAdd:
    case Op::kVSub:
    case Op::kVMul:
    case Op::kVAnd:
    case Op::kVOr:
    case Op::kVXor:
    case Op::kVEq:
    case Op::kVGtS:
      for (unsigned l = 0; l < ir::type_bits(inst.type) / lane_bits; ++l) {
        out.set_lane(lane_bits, l,
                     lane_integer(inst.op, lane_bits, in[0].lane(lane_bits, l), in[1].lane(lane_bits, l)));
      }
      break;
    case Op::kVFAdd:
    case Op::kVFMul:
    case Op::kVFMa: {
      const ir::FpOperation lane = ir::fp_operation_of(inst, Type::kVoid);
      for (unsigned l = 0; l < ir::type_bits(inst.type) / lane_bits; ++l) {
        out.set_lane(lane_bits, l,
                     ir::run_fp(lane, in[0].lane(lane_bits, l), in[1].lane(lane_bits, l), in[2].lane(lane_bits, l),
                                state.fp_rounding, state.fp_flags));
      }
      break;
    }
    case Op::kLoad:
      if (!memory.load(in[0].unit[0], bytes, inst.imm, out.unit.data())) return false;
      break;
    case Op::kStore:
      return memory.store(in[0].unit[0], ir::type_bytes(inst.operand_type), inst.imm, in[1].unit.data());
    case Op::kLoadReserved:
      if (!memory.load_reserved(in[0].unit[0], bytes, inst.imm, out.unit.data())) return false;
      break;
    case Op::kStoreConditional:
      if (!memory.store_conditional(in[0].unit[0], ir::type_bytes(inst.operand_type), inst.imm, in[1].unit.data(),
                                    out.unit[0])) {
        return false;
      }
      break;
    case Op::kCas:
      if (!memory.compare_and_swap(in[0].unit[0], bytes, inst.imm, in[1].unit.data(), in[2].unit.data(),
                                   out.unit.data())) {
        return false;
      }
      break;
    default:
      assert(false && "an operation that the lowering does not send here");
  }
  if (ir::type_bits(inst.type) < 64) out.unit[0] = ir::mask_to(inst.type, out.unit[0]);
  const unsigned units = (ir::type_bits(inst.type) + 63) / 64;
  std::memcpy(base + size_t{op.d} * 8, out.unit.data(), size_t{units} * 8);
  return true;
}

}  // namespace lockstep::core
