// SPDX-License-Identifier: Apache-2.0
#include "tests/jit/assembler.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <map>
#include <optional>

#include "isa_frontends/riscv64/csr.h"
#include "isa_frontends/riscv64/instruction_table.h"
#include "isa_frontends/riscv64/random/encoder.h"

namespace lockstep::jit {

namespace {

using isa::riscv64::InstructionTable;
using isa::riscv64::Operands;
using isa::riscv64::Row;

std::optional<unsigned> register_number(std::string_view name, bool is_float) {
  static constexpr std::string_view kIntegers =
      "zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6 ";
  static constexpr std::string_view kFloats =
      "ft0 ft1 ft2 ft3 ft4 ft5 ft6 ft7 fs0 fs1 fa0 fa1 fa2 fa3 fa4 fa5 fa6 fa7 fs2 fs3 fs4 fs5 fs6 fs7 fs8 fs9 fs10 "
      "fs11 ft8 ft9 ft10 ft11 ";
  std::string_view rest = is_float ? kFloats : kIntegers;
  for (unsigned n = 0; !rest.empty(); ++n) {
    const size_t end = rest.find(' ');
    if (rest.substr(0, end) == name) return n;
    rest.remove_prefix(end + 1);
  }
  return std::nullopt;
}

std::optional<int64_t> number(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const bool hex = text.starts_with("0x");
  if (hex) text.remove_prefix(2);
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : 10);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return static_cast<int64_t>(negative ? 0 - value : value);
}

// Puts one operand where its token says. Answers false when the text does not fit.
bool set_operand(std::string_view token, std::string_view text, uint64_t pc, Operands& o) {
  if (token == "rm" || token == "rm_exact") {
    static constexpr std::string_view kModes[] = {"rne", "rtz", "rdn", "rup", "rmm"};
    const auto* mode = std::find(std::begin(kModes), std::end(kModes), text);
    o.rm = static_cast<uint8_t>(mode - kModes);
    return mode != std::end(kModes);
  }
  if (token == "csr") {
    for (unsigned n = 0; n < 4096; ++n) {
      if (isa::riscv64::csr_name(n) != text) continue;
      o.imm = n;
      return true;
    }
    return false;
  }
  const bool names_register = token.find("rd") != token.npos || token.find("rs") != token.npos || token == "sp";
  if (names_register) {
    const bool is_float = token.starts_with('f') || token.starts_with("cf");
    const auto n = register_number(text, is_float);
    if (!n) return false;
    const auto reg = static_cast<uint8_t>(*n);
    if (token.find("rd") != token.npos) o.rd = reg;
    if (token.find("rs1") != token.npos || token == "sp") o.rs1 = reg;
    if (token.find("rs2") != token.npos) o.rs2 = reg;
    if (token.find("rs3") != token.npos) o.rs3 = reg;
    return true;
  }
  const auto value = number(text);
  if (!value) return false;
  if (token == "zimm") {
    o.rs1 = static_cast<uint8_t>(*value);
  } else if (token == "u20" || token == "clui") {
    o.imm = static_cast<int32_t>(static_cast<uint32_t>(*value) << 12);
  } else if (token == "b12" || token == "j20" || token == "cj" || token == "cb") {
    o.imm = *value - static_cast<int64_t>(pc);
  } else {
    o.imm = *value;
  }
  return true;
}

bool is_token_char(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }

std::optional<Operands> parse_operands(const Row& row, std::string_view text, uint64_t pc) {
  Operands operands;
  operands.rm = 7;
  for (std::string_view form = row.operands; !form.empty();) {
    const char c = form.front();
    if (c == '{') {
      form.remove_prefix(form.find('}') + 1);
      continue;
    }
    if (!is_token_char(c)) {
      // The dynamic rounding mode goes without saying.
      if (text.empty() && (form == ",rm" || form == ",rm_exact")) {
        if (form == ",rm_exact") operands.rm = 0;
        return operands;
      }
      if (!text.starts_with(c)) return std::nullopt;
      text.remove_prefix(1);
      form.remove_prefix(1);
      continue;
    }
    const auto* end = std::find_if_not(form.begin(), form.end(), is_token_char);
    const std::string_view token(form.begin(), end);
    form.remove_prefix(token.size());
    const size_t length = std::min(text.find_first_of(",()"), text.size());
    if (!set_operand(token, text.substr(0, length), pc, operands)) return std::nullopt;
    text.remove_prefix(length);
  }
  if (!text.empty()) return std::nullopt;
  return operands;
}

struct Found {
  unsigned row;
  bool acquire = false, release = false;
};

std::optional<Found> find_row(std::string_view name) {
  const auto rows = InstructionTable::get().rows();
  const auto index = [&](std::string_view wanted) -> std::optional<unsigned> {
    for (unsigned k = 0; k < rows.size(); ++k) {
      if (rows[k].name == wanted) return k;
    }
    return std::nullopt;
  };
  if (const auto row = index(name)) return Found{*row};
  for (const auto& [suffix, acquire, release] :
       {std::tuple{".aqrl", true, true}, {".aq", true, false}, {".rl", false, true}}) {
    if (!name.ends_with(suffix)) continue;
    if (const auto row = index(name.substr(0, name.size() - std::string_view(suffix).size()))) {
      return Found{*row, acquire, release};
    }
  }
  return std::nullopt;
}

struct Line {
  std::string text;
  std::optional<Found> row;  // nothing: a label alone
  uint64_t pc = 0;
};

core::Error refused(std::string_view text, std::string_view why) {
  return core::Error{fmt::format("'{}': {}.", text, why)};
}

}  // namespace

core::Result<Assembled> assemble(const std::vector<std::string>& lines, uint64_t pc) {
  const auto rows = InstructionTable::get().rows();
  std::vector<Line> parsed;
  std::multimap<char, uint64_t> labels;
  Assembled out;
  out.end = pc;
  for (std::string_view text : lines) {
    if (text.size() >= 2 && std::isdigit(static_cast<unsigned char>(text[0])) && text[1] == ':') {
      labels.emplace(text[0], out.end);
      text.remove_prefix(std::min(text.find_first_not_of(' ', 2), text.size()));
    }
    if (text.empty()) continue;
    const std::string_view name = text.substr(0, text.find(' '));
    const auto row = find_row(name);
    if (!row) return refused(text, "there is no instruction of this name in instructions.def");
    parsed.push_back({std::string(text), row, out.end});
    out.end += rows[row->row].length;
  }
  for (const Line& line : parsed) {
    std::string resolved = line.text;
    const size_t size = resolved.size();
    if (size > 2 && (resolved[size - 1] == 'b' || resolved[size - 1] == 'f') &&
        std::isdigit(static_cast<unsigned char>(resolved[size - 2])) &&
        (resolved[size - 3] == ',' || resolved[size - 3] == ' ')) {
      const bool back = resolved[size - 1] == 'b';
      std::optional<uint64_t> target;
      const auto [first, last] = labels.equal_range(resolved[size - 2]);
      for (auto it = first; it != last; ++it) {
        if (back && it->second <= line.pc) target = it->second;
        if (!back && it->second > line.pc && !target) target = it->second;
      }
      if (!target) return refused(line.text, "its label is not there");
      resolved = fmt::format("{}{:#x}", resolved.substr(0, size - 2), *target);
    }
    const Row& row = rows[line.row->row];
    const size_t space = resolved.find(' ');
    const std::string_view operand_text = space == resolved.npos ? "" : std::string_view(resolved).substr(space + 1);
    auto operands = parse_operands(row, operand_text, line.pc);
    if (!operands) return refused(line.text, fmt::format("operands are written '{}'", row.operands));
    operands->acquire = line.row->acquire;
    operands->release = line.row->release;
    const uint32_t word = isa::riscv64::random::encode(line.row->row, *operands);
    const Row* decoded = InstructionTable::get().find(word);
    std::string disassembled = decoded == nullptr ? "nothing" : format_instruction(*decoded, word, line.pc);
    std::replace(disassembled.begin(), disassembled.end(), '\t', ' ');
    if (disassembled != resolved) return refused(line.text, fmt::format("its word means '{}'", disassembled));
    out.instructions.push_back({line.text, line.pc, word, row.length});
  }
  return out;
}

}  // namespace lockstep::jit
