// SPDX-License-Identifier: Apache-2.0
#include "tests/core/ir_proof/random_block.h"

#include <cstring>
#include <vector>

#include "core/ir/builder.h"

namespace lockstep::test {

namespace {

using core::ir::Builder;
using core::ir::Op;
using core::ir::Type;
using core::ir::Value;

constexpr unsigned kMaxInstructions = 4;
constexpr unsigned kMaxOperations = 24;  // a guest instruction
constexpr Type kIntegers[] = {Type::kI8, Type::kI16, Type::kI32, Type::kI64};

class RandomBlock {
 public:
  RandomBlock(std::mt19937_64& random, const StateLayout& layout) : random_(random), layout_(layout), b_(block_) {}

  core::ir::Block make() {
    const unsigned instructions = 1 + below(kMaxInstructions);
    for (unsigned i = 0; i < instructions; ++i) {
      b_.insn(kMemoryBase + 4 * i, 4);
      for (unsigned n = below(kMaxOperations); n > 0; --n) operation();
      write_back();
      if (below(6) == 0) b_.exit_if(value(Type::kI1), kMemoryBase + 0x100);
    }
    end();
    return block_;
  }

 private:
  uint64_t below(uint64_t bound) { return random_() % bound; }
  template <typename T, size_t n>
  T one_of(const T (&choices)[n]) {
    return choices[below(n)];
  }
  Type integer() { return one_of(kIntegers); }

  // A number with many zeros or ones, or near a boundary, more often than chance would have it.
  uint64_t number() {
    constexpr uint64_t kEdges[] = {0,
                                   1,
                                   0x7f,
                                   0x80,
                                   0x7fff,
                                   0x8000,
                                   0x7fffffff,
                                   0x80000000,
                                   0x7fffffffffffffff,
                                   0x8000000000000000,
                                   ~uint64_t{0},
                                   0x3ff0000000000000,
                                   0x7ff8000000000000};
    return below(2) ? one_of(kEdges) : random_();
  }

  // An earlier value of this type, or a new one.
  Value value(Type type) {
    std::vector<Value> known;
    for (Value v = 0; v < block_.insts.size(); ++v) {
      if (block_.insts[v].type == type) known.push_back(v);
    }
    if (!known.empty() && below(4) != 0) return known[below(known.size())];
    if (type == Type::kI1) return b_.compare(Op::kLtU, value(Type::kI32), value(Type::kI32));
    if (core::ir::is_wide(type)) return wide(type);
    return below(3) == 0 ? b_.constant(type, number()) : b_.get(type, field(core::ir::type_bytes(type)).offset);
  }

  Value wide(Type type) {
    if (type == Type::kV256) return b_.concat(type, value(Type::kV128), value(Type::kV128));
    if (type == Type::kV128 && below(2)) return b_.get(type, field(16).offset);
    return b_.concat(type, value(Type::kI64), value(Type::kI64));
  }

  // A field of at least `bytes` that a block may use freely.
  const StateField& field(unsigned bytes) {
    for (;;) {
      const StateField& candidate = layout_.fields[below(layout_.fields.size())];
      if (candidate.architectural && candidate.size_bytes >= bytes && candidate.offset >= sizeof(core::StateHeader)) {
        return candidate;
      }
    }
  }

  // Mostly inside memory and behind the code; sometimes anywhere, so that faults are seen.
  Value address() {
    const Value any = value(Type::kI64);
    if (below(20) == 0) return any;
    const Value offset = b_.and_(any, b_.i64(0x7fff));
    return b_.add(offset, b_.i64(kMemoryBase + 0x1000));
  }

  void operation() {
    switch (below(10)) {
      case 0:
      case 1:
      case 2:
        integer_operation();
        break;
      case 3:
        comparison();
        break;
      case 4:
        conversion();
        break;
      case 5:
        carry();
        break;
      case 6:
        vector();
        break;
      case 7:
        floating_point();
        break;
      case 8:
        memory();
        break;
      default:
        write_back();
        break;
    }
  }

  void integer_operation() {
    constexpr Op kBinary[] = {Op::kAdd,  Op::kSub,  Op::kMul,  Op::kMulHighU, Op::kMulHighS, Op::kMulHighSU,
                              Op::kDivU, Op::kDivS, Op::kRemU, Op::kRemS,     Op::kAnd,      Op::kOr,
                              Op::kXor,  Op::kShl,  Op::kShr,  Op::kSar,      Op::kRotL,     Op::kRotR,
                              Op::kMinU, Op::kMinS, Op::kMaxU, Op::kMaxS};
    constexpr Op kUnary[] = {Op::kNot, Op::kClz, Op::kCtz, Op::kPopcnt, Op::kBswap, Op::kBitrev, Op::kOrcB};
    constexpr Op kLogic[] = {Op::kAnd, Op::kOr, Op::kXor};
    const Type type = integer();
    switch (below(7)) {
      case 3: {
        const Value high = value(Type::kI64);
        const Value low = value(Type::kI64);
        b_.divide_wide(below(2) ? Op::kDivWideU : Op::kRemWideU, high, low, value(Type::kI64));
        break;
      }
      case 0:
        b_.unary(one_of(kUnary), value(type));
        break;
      case 1: {
        const Value condition = value(Type::kI1);
        const Value then_value = value(type);
        b_.select(condition, then_value, value(type));
        break;
      }
      case 2: {
        const Value left = value(Type::kI1);
        b_.binary(one_of(kLogic), left, value(Type::kI1));
        break;
      }
      default: {
        const Value left = value(type);
        b_.binary(one_of(kBinary), left, value(type));
        break;
      }
    }
  }

  void comparison() {
    constexpr Op kCompare[] = {Op::kEq, Op::kNe, Op::kLtU, Op::kLtS, Op::kGeU, Op::kGeS};
    const Type type = integer();
    const Value left = value(type);
    b_.compare(one_of(kCompare), left, value(type));
  }

  void conversion() {
    const Type narrow = one_of({Type::kI1, Type::kI8, Type::kI16, Type::kI32});
    switch (below(4)) {
      case 0:
        b_.zext(Type::kI64, value(narrow));
        break;
      case 1:
        b_.sext(Type::kI64, value(narrow));
        break;
      case 2:
        b_.trunc(narrow, value(Type::kI64));
        break;
      default:
        b_.zext(Type::kI128, value(Type::kI64));
        break;
    }
  }

  void carry() {
    constexpr Op kOps[] = {Op::kAdc, Op::kSbb, Op::kAddCarry, Op::kAddOverflow, Op::kSubBorrow, Op::kSubOverflow};
    const Type type = integer();
    if (below(7) == 0) {
      b_.parity(value(type));
      return;
    }
    const Value left = value(type);
    const Value right = value(type);
    b_.carry_op(one_of(kOps), left, right, value(Type::kI1));
  }

  void vector() {
    constexpr Op kOps[] = {Op::kVAdd, Op::kVSub, Op::kVMul, Op::kVAnd, Op::kVOr, Op::kVXor, Op::kVEq, Op::kVGtS};
    const Type type = one_of({Type::kV128, Type::kV256});
    const Type lane = integer();
    const unsigned lane_bits = core::ir::type_bits(lane);
    const unsigned lanes = core::ir::type_bits(type) / lane_bits;
    switch (below(7)) {
      case 0:
        b_.vsplat(type, value(lane));
        break;
      case 1:
        b_.vextract(lane, value(type), static_cast<unsigned>(below(lanes)));
        break;
      case 2: {
        const Value whole = value(type);
        b_.vinsert(whole, value(lane), static_cast<unsigned>(below(lanes)));
        break;
      }
      case 3:
        b_.half(below(2) ? Op::kLow : Op::kHigh, value(one_of({Type::kI128, Type::kV128, Type::kV256})));
        break;
      default: {
        const Value left = value(type);
        b_.vector(one_of(kOps), lane_bits, left, value(type));
        break;
      }
    }
  }

  void floating_point() {
    constexpr Op kArithmetic[] = {Op::kFAdd, Op::kFSub, Op::kFMul, Op::kFDiv};
    constexpr Op kConversions[] = {Op::kFToS, Op::kFToU, Op::kSToF, Op::kUToF};
    const Type type = one_of({Type::kI32, Type::kI64});
    const uint64_t rounding = control();
    const Value a = value(type);
    switch (below(9)) {
      case 0:
        b_.fp_unary(Op::kFSqrt, a, rounding);
        break;
      case 1: {
        const Value b = value(type);
        b_.fp_fma(a, b, value(type), rounding);
        break;
      }
      case 2:
        b_.fp_binary(below(2) ? Op::kFMin : Op::kFMax, a, value(type), control());
        break;
      case 3:
        b_.fp_compare(one_of({Op::kFEq, Op::kFLt, Op::kFLe}), a, value(type), control());
        break;
      case 4:
        b_.fp_class(a);
        break;
      case 5:
        b_.fp_convert(Op::kFCvt, type == Type::kI32 ? Type::kI64 : Type::kI32, a, rounding);
        break;
      case 6:
        b_.fp_convert(one_of(kConversions), one_of({Type::kI32, Type::kI64}), a, rounding);
        break;
      case 7:
        lanes();
        break;
      default:
        b_.fp_binary(one_of(kArithmetic), a, value(type), rounding);
        break;
    }
  }

  // Any rounding mode under any rules.
  uint64_t control() {
    core::ir::FpControl control;
    control.rounding = below(6) == 5 ? core::ir::kRoundDynamic : below(5);
    control.rule = static_cast<core::ir::FpRule>(below(4));
    if (control.rule != core::ir::FpRule::kRiscv) {
      control.flush_inputs = below(2);
      control.flush_results = below(2);
    }
    return control.pack();
  }

  void lanes() {
    const Type type = one_of({Type::kV128, Type::kV256});
    const unsigned lane_bits = below(2) ? 32 : 64;
    const Value a = value(type);
    const Value b = value(type);
    if (below(3) == 0) {
      b_.fp_vector(Op::kVFMa, lane_bits, {a, b, value(type)}, control());
    } else {
      b_.fp_vector(below(2) ? Op::kVFAdd : Op::kVFMul, lane_bits, {a, b}, control());
    }
  }

  void memory() {
    const Type type = integer();
    const uint64_t flags = below(4) == 0   ? core::ir::kMemBigEndian
                           : below(8) == 0 ? core::ir::kMemAligned
                                           : core::ir::kMemPlain;
    const Value at = address();
    switch (below(8)) {
      case 0:
        b_.atomic_rmw(static_cast<core::ir::RmwOp>(below(9)), at, value(type), core::ir::kMemAtomic);
        break;
      case 1: {
        const Value expected = value(type);
        b_.cas(at, expected, value(type), core::ir::kMemAtomic);
        break;
      }
      case 2:
        b_.load_reserved(below(3) ? type : Type::kI128, at, core::ir::kMemAligned);
        break;
      case 3:
        b_.store_conditional(at, value(below(3) ? type : Type::kI128), core::ir::kMemAligned);
        break;
      case 4:
        b_.store(at, value(one_of({Type::kV128, Type::kV256, Type::kI128})), 0);
        break;
      case 5:
        b_.load(one_of({Type::kV128, Type::kV256, Type::kI128}), at, 0);
        break;
      case 6:
        b_.store(at, value(type), flags);
        break;
      default:
        b_.load(type, at, flags);
        break;
    }
  }

  // What no state field takes in would be lost to the comparison.
  void write_back() {
    const Type type = one_of({Type::kI1, Type::kI8, Type::kI16, Type::kI32, Type::kI64, Type::kI64, Type::kV128});
    const Value v = value(type);
    b_.set(field(core::ir::type_bytes(type)).offset, v);
  }

  void end() {
    switch (below(3)) {
      case 0:
        b_.jump(kMemoryBase + 0x200);
        break;
      case 1:
        b_.branch(value(Type::kI1), kMemoryBase + 0x300, kMemoryBase + 0x400);
        break;
      default:
        b_.exit_indirect(b_.and_(value(Type::kI64), b_.i64(0x800007fc)));
        break;
    }
  }

  // initializer_list picks its element type here, where an array reference would not bind.
  Type one_of(std::initializer_list<Type> choices) { return choices.begin()[below(choices.size())]; }
  Op one_of(std::initializer_list<Op> choices) { return choices.begin()[below(choices.size())]; }

  std::mt19937_64& random_;
  const StateLayout& layout_;
  core::ir::Block block_;
  Builder b_;
};

}  // namespace

core::ir::Block random_block(std::mt19937_64& random, const StateLayout& layout) {
  return RandomBlock(random, layout).make();
}

void randomise(std::mt19937_64& random, TestHart& hart) {
  for (const StateField& field : hart.layout().fields) {
    if (field.offset < sizeof(core::StateHeader)) continue;
    for (unsigned i = 0; i < field.size_bytes; ++i) {
      // Flags hold 0 or 1 in every ISA.
      hart.field(field)[i] = static_cast<uint8_t>(field.size_bytes == 1 ? random() & 1 : random());
    }
  }
  hart.state().fp_rounding = static_cast<uint32_t>(random() % 5);
  for (size_t at = core::kPageSize; at < kMemoryBytes; at += 8) {
    const uint64_t word = random();
    std::memcpy(hart.memory().data() + at, &word, sizeof(word));
  }
}

}  // namespace lockstep::test
