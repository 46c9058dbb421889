// SPDX-License-Identifier: Apache-2.0
#include "tests/core/interpreter/reference.h"

#include <array>
#include <cstring>
#include <vector>

#include "core/interpreter/memory_access.h"
#include "core/ir/fold.h"
#include "core/ir/fp_semantics.h"

namespace lockstep::test {

namespace {

using core::ir::Inst;
using core::ir::Op;
using core::ir::Type;

struct Bits {
  std::array<uint8_t, 32> byte = {};

  uint64_t u64(unsigned at = 0) const {
    uint64_t value;
    std::memcpy(&value, byte.data() + 8 * at, 8);
    return value;
  }
  static Bits of(uint64_t low, uint64_t high = 0) {
    Bits bits;
    std::memcpy(bits.byte.data(), &low, 8);
    std::memcpy(bits.byte.data() + 8, &high, 8);
    return bits;
  }
  uint64_t lane(unsigned bits, unsigned index) const {
    uint64_t value = 0;
    std::memcpy(&value, byte.data() + bits / 8 * index, bits / 8);
    return value;
  }
  void set_lane(unsigned bits, unsigned index, uint64_t value) {
    std::memcpy(byte.data() + bits / 8 * index, &value, bits / 8);
  }
};

class Evaluator {
 public:
  Evaluator(const core::ir::Block& block, TestHart& hart)
      : block_(block), hart_(hart), memory_(hart), base_(reinterpret_cast<uint8_t*>(&hart.state())) {}

  unsigned run(unsigned instructions) {
    values_.resize(block_.insts.size());
    unsigned begun = 0;
    for (size_t p = 0; p < block_.insts.size(); ++p) {
      const Inst& i = block_.insts[p];
      if (i.op == Op::kInsn) {
        hart_.state().pc = i.imm;
        if (begun == instructions) return begun;
        ++begun;
        continue;
      }
      if (core::ir::op_info(i.op).effect == core::ir::Effect::kEnd) {
        if (end(i)) return begun;
        continue;
      }
      if (!step(i, values_[p])) return begun;
      // Only the value's own bits exist.
      const unsigned bytes = core::ir::type_bytes(i.type);
      std::fill(values_[p].byte.begin() + bytes, values_[p].byte.end(), uint8_t{0});
      if (i.type == Type::kI1) values_[p].byte[0] &= 1;
    }
    return begun;
  }

 private:
  const Bits& arg(const Inst& i, unsigned a) const { return values_[i.args[a]]; }
  uint64_t num(const Inst& i, unsigned a) const { return arg(i, a).u64(); }

  // True when the block is left.
  bool end(const Inst& i) {
    uint64_t& pc = hart_.state().pc;
    switch (i.op) {
      case Op::kExitIf:
        if (!(num(i, 0) & 1)) return false;
        pc = i.imm;
        return true;
      case Op::kBranch:
        pc = num(i, 0) & 1 ? i.imm : i.imm2;
        return true;
      case Op::kJumpIndirect:
      case Op::kExitIndirect:
        pc = num(i, 0);
        return true;
      default:
        pc = i.imm;
        return true;
    }
  }

  // False when it trapped.
  bool step(const Inst& i, Bits& out) {
    const unsigned bytes = core::ir::type_bytes(i.type);
    switch (i.op) {
      case Op::kConst:
        out = Bits::of(i.imm);
        return true;
      case Op::kGet:
        std::memcpy(out.byte.data(), base_ + i.imm, bytes);
        return true;
      case Op::kSet:
        std::memcpy(base_ + i.imm, arg(i, 0).byte.data(), core::ir::type_bytes(i.operand_type));
        return true;
      case Op::kSelect:
        out = num(i, 0) & 1 ? arg(i, 1) : arg(i, 2);
        return true;
      case Op::kZext:
      case Op::kTrunc:
        out = arg(i, 0);
        return true;
      case Op::kSext: {
        const int64_t value = core::ir::sign_extend(i.operand_type, num(i, 0));
        out = Bits::of(static_cast<uint64_t>(value), value < 0 ? ~uint64_t{0} : 0);
        return true;
      }
      case Op::kLoad:
        return memory_.load(num(i, 0), bytes, i.imm, out.byte.data());
      case Op::kStore:
        return memory_.store(num(i, 0), core::ir::type_bytes(i.operand_type), i.imm, arg(i, 1).byte.data());
      case Op::kCas:
        return memory_.compare_and_swap(num(i, 0), bytes, i.imm, arg(i, 1).byte.data(), arg(i, 2).byte.data(),
                                        out.byte.data());
      case Op::kLoadReserved:
        return memory_.load_reserved(num(i, 0), bytes, i.imm, out.byte.data());
      case Op::kStoreConditional: {
        uint64_t failed = 0;
        const unsigned stored = core::ir::type_bytes(i.operand_type);
        if (!memory_.store_conditional(num(i, 0), stored, i.imm, arg(i, 1).byte.data(), failed)) return false;
        out = Bits::of(failed);
        return true;
      }
      case Op::kAtomicRmw: {
        uint64_t old = 0;
        if (!memory_.rmw(static_cast<core::ir::RmwOp>(i.imm2), num(i, 0), i.type, i.imm, num(i, 1), old)) return false;
        out = Bits::of(old);
        return true;
      }
      case Op::kDivWideU:
      case Op::kRemWideU: {
        const unsigned __int128 dividend = static_cast<unsigned __int128>(num(i, 0)) << 64 | num(i, 1);
        const uint64_t divisor = num(i, 2);
        const bool divides = i.op == Op::kDivWideU;
        if (num(i, 0) >= divisor) {
          out = Bits::of(divides ? ~uint64_t{0} : num(i, 1));
        } else {
          out = Bits::of(static_cast<uint64_t>(divides ? dividend / divisor : dividend % divisor));
        }
        return true;
      }
      case Op::kFence:
      case Op::kFenceTso:
        return true;
      default:
        break;
    }
    if (i.op >= Op::kConcat && i.op <= Op::kVFMa) {
      vector(i, out);
    } else if ((i.op >= Op::kFAdd && i.op <= Op::kUToF)) {
      out = Bits::of(floating(i));
    } else if (i.op >= Op::kAdc && i.op <= Op::kParity) {
      out = Bits::of(carry(i));
    } else if (i.operands == 1) {
      out = Bits::of(*core::ir::fold_unary(i.op, i.type, num(i, 0)));
    } else {
      const Type type = i.operand_type == Type::kVoid ? i.type : i.operand_type;
      out = Bits::of(*core::ir::fold_binary(i.op, type, num(i, 0), num(i, 1)));
    }
    return true;
  }

  // Carries worked out in 128 bits, signed and unsigned.
  uint64_t carry(const Inst& i) {
    const Type type = block_.insts[i.args[0]].type;
    if (i.op == Op::kParity) return __builtin_parityll(num(i, 0) & 0xff) == 0;
    const unsigned bits = core::ir::type_bits(type);
    const __int128 a = num(i, 0), b = num(i, 1), c = num(i, 2) & 1;
    const __int128 sa = core::ir::sign_extend(type, num(i, 0)), sb = core::ir::sign_extend(type, num(i, 1));
    const __int128 lowest = -(static_cast<__int128>(1) << (bits - 1)), highest = -lowest - 1;
    const auto outside = [&](__int128 v) { return v < lowest || v > highest; };
    switch (i.op) {
      case Op::kAdc:
        return static_cast<uint64_t>(a + b + c);
      case Op::kSbb:
        return static_cast<uint64_t>(a - b - c);
      case Op::kAddCarry:
        return (a + b + c) >> bits != 0;
      case Op::kAddOverflow:
        return outside(sa + sb + c);
      case Op::kSubBorrow:
        return a - b - c < 0;
      default:
        return outside(sa - sb - c);
    }
  }

  void vector(const Inst& i, Bits& out) {
    const auto lane_bits = static_cast<unsigned>(i.imm);
    const Type lane_type = lane_bits == 8    ? Type::kI8
                           : lane_bits == 16 ? Type::kI16
                           : lane_bits == 32 ? Type::kI32
                                             : Type::kI64;
    const unsigned operand_bytes = core::ir::type_bytes(block_.insts[i.args[0]].type);
    switch (i.op) {
      case Op::kConcat:
        out = arg(i, 0);
        std::memcpy(out.byte.data() + operand_bytes, arg(i, 1).byte.data(), operand_bytes);
        return;
      case Op::kLow:
        out = arg(i, 0);
        return;
      case Op::kHigh:
        std::memcpy(out.byte.data(), arg(i, 0).byte.data() + operand_bytes / 2, operand_bytes / 2);
        return;
      case Op::kVExtract:
        out = Bits::of(arg(i, 0).lane(lane_bits, static_cast<unsigned>(i.imm2)));
        return;
      case Op::kVInsert:
        out = arg(i, 0);
        out.set_lane(lane_bits, static_cast<unsigned>(i.imm2), num(i, 1));
        return;
      default:
        break;
    }
    for (unsigned l = 0; l < core::ir::type_bits(i.type) / lane_bits; ++l) {
      const uint64_t a = i.op == Op::kVSplat ? num(i, 0) : arg(i, 0).lane(lane_bits, l);
      const uint64_t b = i.operands > 1 ? arg(i, 1).lane(lane_bits, l) : 0;
      uint64_t value = a;
      switch (i.op) {
        case Op::kVAdd:
          value = a + b;
          break;
        case Op::kVSub:
          value = a - b;
          break;
        case Op::kVMul:
          value = a * b;
          break;
        case Op::kVAnd:
          value = a & b;
          break;
        case Op::kVOr:
          value = a | b;
          break;
        case Op::kVXor:
          value = a ^ b;
          break;
        case Op::kVEq:
          value = a == b ? ~uint64_t{0} : 0;
          break;
        case Op::kVGtS:
          value = core::ir::sign_extend(lane_type, a) > core::ir::sign_extend(lane_type, b) ? ~uint64_t{0} : 0;
          break;
        case Op::kVFAdd:
        case Op::kVFMul:
        case Op::kVFMa:
          value = floating(i, lane_type, a, b, i.operands > 2 ? arg(i, 2).lane(lane_bits, l) : 0);
          break;
        default:
          break;
      }
      out.set_lane(lane_bits, l, value);
    }
  }

  uint64_t floating(const Inst& i) {
    const uint64_t b = i.operands > 1 ? num(i, 1) : 0, c = i.operands > 2 ? num(i, 2) : 0;
    return floating(i, block_.insts[i.args[0]].type, num(i, 0), b, c);
  }
  uint64_t floating(const Inst& i, Type operand_type, uint64_t a, uint64_t b, uint64_t c) {
    core::StateHeader& state = hart_.state();
    return core::ir::run_fp(core::ir::fp_operation_of(i, operand_type), a, b, c, state.fp_rounding, state.fp_flags);
  }

  const core::ir::Block& block_;
  TestHart& hart_;
  core::MemoryAccess memory_;
  uint8_t* base_;
  std::vector<Bits> values_;
};

}  // namespace

unsigned run_reference(const core::ir::Block& block, TestHart& hart, unsigned instructions) {
  return Evaluator(block, hart).run(instructions);
}

}  // namespace lockstep::test
