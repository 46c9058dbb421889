// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "core/ir/text.h"

namespace lockstep::core::ir {

namespace {

std::string field_name(const Names& names, uint64_t offset) {
  const StateField* field = names.layout ? names.layout->at(static_cast<uint32_t>(offset)) : nullptr;
  return field ? std::string(field->name) : fmt::format("@{:#x}", offset);
}

std::string mem_flags(uint64_t flags) {
  std::string text;
  if (flags & kMemBigEndian) text += ".be";
  if (flags & kMemAligned) text += ".aligned";
  if (flags & kMemAcquire) text += ".acquire";
  if (flags & kMemRelease) text += ".release";
  if (flags & kMemAtomic) text += ".atomic";
  return text;
}

// The mnemonic with its type suffixes: "add.i64", "zext.i64.i32", "rmw.add.i32.aligned", ...
std::string mnemonic(const Inst& inst) {
  std::string text(op_info(inst.op).text);
  if (inst.op == Op::kAtomicRmw) text += fmt::format(".{}", rmw_name(static_cast<RmwOp>(inst.imm2)));
  if (inst.type != Type::kVoid) text += fmt::format(".{}", type_name(inst.type));
  if (inst.operand_type != Type::kVoid) text += fmt::format(".{}", type_name(inst.operand_type));
  if (op_info(inst.op).effect == Effect::kMemory) text += mem_flags(inst.imm);
  return text;
}

bool has_lane_bits(Op op) { return op >= Op::kVSplat && op <= Op::kVFMa; }
bool has_fp_control(Op op) { return op >= Op::kFAdd && op <= Op::kUToF && op != Op::kFClass; }

}  // namespace

std::string print(const Block& block, const Names& names) {
  std::string out = fmt::format("block {:#x}\n", block.pc);
  for (size_t i = 0; i < block.insts.size(); ++i) {
    const Inst& inst = block.insts[i];
    out += "  ";
    if (inst.type != Type::kVoid) out += fmt::format("%{} = ", i);
    std::vector<std::string> operands;
    switch (inst.op) {
      case Op::kInsn:
        out += fmt::format("insn {:#x} {}\n", inst.imm, inst.imm2);
        continue;
      case Op::kCall:
        operands.push_back(inst.imm < names.helpers.size() ? std::string(names.helpers[inst.imm].name)
                                                           : fmt::format("@{}", inst.imm));
        break;
      case Op::kGet:
      case Op::kSet:
        operands.push_back(field_name(names, inst.imm));
        break;
      case Op::kConst:
        operands.push_back(fmt::format("{:#x}", inst.imm));
        break;
      default:
        break;
    }
    for (unsigned a = 0; a < inst.operands; ++a) operands.push_back(fmt::format("%{}", inst.args[a]));
    switch (inst.op) {
      case Op::kJump:
      case Op::kExit:
      case Op::kExitIf:
        operands.push_back(fmt::format("{:#x}", inst.imm));
        break;
      case Op::kBranch:
        operands.push_back(fmt::format("{:#x}", inst.imm));
        operands.push_back(fmt::format("{:#x}", inst.imm2));
        break;
      default:
        if (has_lane_bits(inst.op)) {
          operands.push_back(fmt::format("{}", inst.imm));
          if (inst.op == Op::kVExtract || inst.op == Op::kVInsert) operands.push_back(fmt::format("{}", inst.imm2));
          if (inst.op >= Op::kVFAdd) operands.push_back(print_fp_control(inst.imm2));
        } else if (has_fp_control(inst.op)) {
          operands.push_back(print_fp_control(inst.imm));
        }
        break;
    }
    out += fmt::format("{}{}{}\n", mnemonic(inst), operands.empty() ? "" : " ", fmt::join(operands, ", "));
  }
  return out;
}

}  // namespace lockstep::core::ir
