// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/ir/fp_control.h"
#include "core/ir/types.h"

// The intermediate representation between the frontends and the engines. A block is a straight list of instructions in
// single-assignment form, with side exits (kExitIf) and one end. Guest state is read and written by offset (kGet,
// kSet); at every kInsn marker, faulting operation and exit, the state in memory is what the guest's architecture says.

namespace lockstep::core::ir {

enum class Op : uint8_t {
#define IR_OP(name, text, operands, signature, effect) name,
#include "core/ir/opcodes.def"
#undef IR_OP
  kCount
};

enum class Signature : uint8_t { kNone, kSame, kCompare, kConvert, kFree };
enum class Effect : uint8_t { kPure, kState, kMemory, kFp, kCall, kEnd };

struct OpInfo {
  std::string_view text;
  uint8_t operands;
  Signature signature;
  Effect effect;
};
inline constexpr std::array<OpInfo, static_cast<size_t>(Op::kCount)> kOps = {{
#define IR_OP(name, text, operands, signature, effect) {text, operands, Signature::signature, Effect::effect},
#include "core/ir/opcodes.def"
#undef IR_OP
}};
constexpr const OpInfo& op_info(Op op) { return kOps[static_cast<size_t>(op)]; }

// Index of the instruction that made the value, inside its block.
using Value = uint32_t;
inline constexpr Value kNoValue = ~Value{0};

// imm of memory operations.
enum MemFlags : uint64_t {
  kMemPlain = 0,
  kMemBigEndian = 1u << 0,
  kMemAligned = 1u << 1,  // a misaligned address raises Fault::kMisaligned
  kMemAcquire = 1u << 2,
  kMemRelease = 1u << 3,
  kMemAtomic = 1u << 4,  // single-copy atomic as seen by other harts
};

enum class RmwOp : uint8_t { kSwap, kAdd, kAnd, kOr, kXor, kMinS, kMaxS, kMinU, kMaxU };
std::string_view rmw_name(RmwOp op);

struct Inst {
  Op op = Op::kConst;
  Type type = Type::kVoid;          // of the result
  Type operand_type = Type::kVoid;  // where it differs from type: kSet, kStore, comparisons, conversions
  uint8_t operands = 0;
  std::array<Value, 4> args = {kNoValue, kNoValue, kNoValue, kNoValue};
  uint64_t imm = 0;
  uint64_t imm2 = 0;
};

struct Block {
  uint64_t pc = 0;                  // address of the first guest instruction
  uint64_t code_bytes = 0;          // bytes of guest code covered, contiguous from pc
  unsigned guest_instructions = 0;  // number of kInsn markers
  std::vector<Inst> insts;
};

}  // namespace lockstep::core::ir
