// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <charconv>
#include <map>

#include "core/ir/fold.h"
#include "core/ir/text.h"

namespace lockstep::core::ir {

namespace {

// Text blocks are tests and reproducers; a longer one is a mistake or an attack.
constexpr size_t kMaxLines = 100'000;

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto at = text.find(separator);
    parts.push_back(trim(text.substr(0, at)));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

bool parse_number(std::string_view text, uint64_t& value) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  int base = 10;
  if (text.starts_with("0x")) {
    base = 16;
    text.remove_prefix(2);
  }
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (code != std::errc() || end != text.data() + text.size()) return false;
  if (negative) value = 0 - value;
  return true;
}

bool parse_type(std::string_view text, Type& type) {
  for (int t = static_cast<int>(Type::kI1); t <= static_cast<int>(Type::kV256); ++t) {
    if (type_name(static_cast<Type>(t)) == text) {
      type = static_cast<Type>(t);
      return true;
    }
  }
  return false;
}

bool parse_op(std::string_view text, Op& op) {
  for (int o = 0; o < static_cast<int>(Op::kCount); ++o) {
    if (op_info(static_cast<Op>(o)).text == text) {
      op = static_cast<Op>(o);
      return true;
    }
  }
  return false;
}

class Parser {
 public:
  explicit Parser(const Names& names) : names_(names) {}

  Result<Block> parse(std::string_view text) {
    size_t line_number = 0;
    while (!text.empty()) {
      const auto end = text.find('\n');
      std::string_view line = text.substr(0, end);
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
      line = trim(line.substr(0, line.find('#') == 0 ? 0 : line.find(" #")));
      if (++line_number > kMaxLines) return Error{fmt::format("line {}: more than {} lines", line_number, kMaxLines)};
      if (line.empty()) continue;
      if (std::string error = parse_line(line); !error.empty()) {
        return Error{fmt::format("line {}: {}", line_number, error)};
      }
    }
    if (!seen_block_) return Error{"line 1: expected `block ADDRESS`"};
    if (Status status = verify(block_, names_); !status) return status.error();
    return std::move(block_);
  }

 private:
  // Each returns an empty string, or what is wrong.
  std::string parse_line(std::string_view line) {
    if (line.starts_with("block ")) {
      if (seen_block_) return "a second `block`";
      seen_block_ = true;
      return parse_number(trim(line.substr(6)), block_.pc) ? "" : "`block` needs an address";
    }
    if (!seen_block_) return "expected `block ADDRESS` first";
    if (line.starts_with("insn ")) return parse_insn(trim(line.substr(5)));
    std::string_view result;
    if (line.starts_with('%')) {
      const auto equals = line.find('=');
      if (equals == std::string_view::npos) return "expected `%NAME = OPERATION`";
      result = trim(line.substr(0, equals));
      line = trim(line.substr(equals + 1));
    }
    const auto space = line.find(' ');
    Inst inst;
    if (std::string error = parse_mnemonic(line.substr(0, space), !result.empty(), inst); !error.empty()) return error;
    std::vector<std::string_view> operands;
    if (space != std::string_view::npos) operands = split(line.substr(space + 1), ',');
    if (std::string error = parse_operands(operands, inst); !error.empty()) return error;
    if (result.empty() != (inst.type == Type::kVoid)) {
      return result.empty() ? "the result needs a name" : "this operation has no result";
    }
    if (inst.op == Op::kConst) inst.imm = mask_to(inst.type, inst.imm);
    block_.insts.push_back(inst);
    if (result.empty()) return "";
    const bool fresh = values_.emplace(result, static_cast<Value>(block_.insts.size() - 1)).second;
    return fresh ? "" : fmt::format("`{}` is defined twice", result);
  }

  std::string parse_insn(std::string_view rest) {
    const auto space = rest.find(' ');
    Inst inst;
    inst.op = Op::kInsn;
    if (space == std::string_view::npos || !parse_number(rest.substr(0, space), inst.imm) ||
        !parse_number(trim(rest.substr(space + 1)), inst.imm2)) {
      return "`insn` needs an address and a length";
    }
    block_.insts.push_back(inst);
    ++block_.guest_instructions;
    block_.code_bytes = inst.imm + inst.imm2 - block_.pc;
    return "";
  }

  std::string parse_mnemonic(std::string_view text, bool has_result, Inst& inst) {
    const std::vector<std::string_view> parts = split(text, '.');
    if (!parse_op(parts[0], inst.op)) return fmt::format("unknown operation `{}`", parts[0]);
    size_t next = 1;
    if (inst.op == Op::kAtomicRmw) {
      bool found = false;
      for (int r = 0; next < parts.size() && r <= static_cast<int>(RmwOp::kMaxU); ++r) {
        if (rmw_name(static_cast<RmwOp>(r)) != parts[next]) continue;
        inst.imm2 = static_cast<uint64_t>(r);
        found = true;
      }
      if (!found) return "`rmw` needs one of swap, add, and, or, xor, mins, maxs, minu, maxu";
      ++next;
    }
    if (has_result) {
      if (next >= parts.size() || !parse_type(parts[next], inst.type)) return "expected the result's type";
      ++next;
    }
    if (next < parts.size() && parse_type(parts[next], inst.operand_type)) ++next;
    for (; next < parts.size(); ++next) {
      if (parts[next] == "be") {
        inst.imm |= kMemBigEndian;
      } else if (parts[next] == "aligned") {
        inst.imm |= kMemAligned;
      } else if (parts[next] == "acquire") {
        inst.imm |= kMemAcquire;
      } else if (parts[next] == "release") {
        inst.imm |= kMemRelease;
      } else if (parts[next] == "atomic") {
        inst.imm |= kMemAtomic;
      } else {
        return fmt::format("unknown suffix `.{}`", parts[next]);
      }
      if (op_info(inst.op).effect != Effect::kMemory) return fmt::format("`.{}` is for memory operations", parts[next]);
    }
    return "";
  }

  std::string parse_operands(const std::vector<std::string_view>& operands, Inst& inst) {
    unsigned numbers = 0;
    for (size_t i = 0; i < operands.size(); ++i) {
      const std::string_view text = operands[i];
      uint64_t number = 0;
      if (text.starts_with('%')) {
        const auto value = values_.find(std::string(text));
        if (value == values_.end()) return fmt::format("`{}` has not been defined", text);
        if (inst.operands == inst.args.size()) return "too many operands";
        inst.args[inst.operands++] = value->second;
      } else if (const auto control = parse_fp_control(text)) {
        (op_info(inst.op).signature == Signature::kSame && is_wide(inst.type) ? inst.imm2 : inst.imm) = *control;
      } else if (text.starts_with('@') && parse_number(text.substr(1), number)) {
        inst.imm = number;
      } else if (parse_number(text, number)) {
        if (numbers > 1) return "too many numbers";
        (numbers++ == 0 ? inst.imm : inst.imm2) = number;
      } else if (i == 0 && inst.op == Op::kCall) {
        if (!find_helper(text, inst.imm)) return fmt::format("unknown helper `{}`", text);
      } else if (i == 0 && (inst.op == Op::kGet || inst.op == Op::kSet)) {
        const StateField* field = names_.layout ? names_.layout->find(text) : nullptr;
        if (field == nullptr) return fmt::format("unknown state field `{}`", text);
        inst.imm = field->offset;
      } else {
        return fmt::format("cannot read operand `{}`", text);
      }
    }
    return "";
  }

  bool find_helper(std::string_view name, uint64_t& index) const {
    for (size_t i = 0; i < names_.helpers.size(); ++i) {
      if (names_.helpers[i].name != name) continue;
      index = i;
      return true;
    }
    return false;
  }

  const Names& names_;
  Block block_;
  bool seen_block_ = false;
  std::map<std::string, Value> values_;
};

}  // namespace

Result<Block> parse(std::string_view text, const Names& names) { return Parser(names).parse(text); }

}  // namespace lockstep::core::ir
