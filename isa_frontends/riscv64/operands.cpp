// SPDX-License-Identifier: Apache-2.0
// The operand tokens of instructions.def: which fields of a word they name, and how they are written.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "isa_frontends/riscv64/csr.h"
#include "isa_frontends/riscv64/instruction_table.h"

namespace lockstep::isa::riscv64 {
namespace {

// `width` bits of the word from bit `low`.
constexpr uint32_t field(uint32_t bits, unsigned low, unsigned width) { return bits >> low & ((1u << width) - 1); }

// The same moved to bit `to` of an immediate.
constexpr uint32_t put(uint32_t bits, unsigned low, unsigned width, unsigned to) {
  return field(bits, low, width) << to;
}

constexpr int64_t sign_extend(uint32_t value, unsigned width) {
  return static_cast<int64_t>(static_cast<uint64_t>(value) << (64 - width)) >> (64 - width);
}

constexpr const char* kX[32] = {"zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
                                "a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
                                "s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"};
constexpr const char* kF[32] = {"ft0", "ft1", "ft2", "ft3", "ft4",  "ft5",  "ft6", "ft7", "fs0",  "fs1", "fa0",
                                "fa1", "fa2", "fa3", "fa4", "fa5",  "fa6",  "fa7", "fs2", "fs3",  "fs4", "fs5",
                                "fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11"};
constexpr const char* kRounding[8] = {"rne", "rtz", "rdn", "rup", "rmm", "unknown", "unknown", ""};

struct Context {
  uint32_t bits;
  uint64_t pc;
};

using Format = std::string (*)(const Operands& o, const Context& c);

std::string rd_name(const Operands& o, const Context&) { return kX[o.rd]; }
std::string rs1_name(const Operands& o, const Context&) { return kX[o.rs1]; }
std::string rs2_name(const Operands& o, const Context&) { return kX[o.rs2]; }
std::string frd_name(const Operands& o, const Context&) { return kF[o.rd]; }
std::string frs1_name(const Operands& o, const Context&) { return kF[o.rs1]; }
std::string frs2_name(const Operands& o, const Context&) { return kF[o.rs2]; }
std::string frs3_name(const Operands& o, const Context&) { return kF[o.rs3]; }
std::string decimal(const Operands& o, const Context&) { return fmt::format("{}", o.imm); }
std::string hexadecimal(const Operands& o, const Context&) { return fmt::format("0x{:x}", o.imm); }
std::string upper(const Operands& o, const Context&) { return fmt::format("0x{:x}", o.imm >> 12 & 0xfffff); }
std::string target(const Operands& o, const Context& c) { return fmt::format("0x{:x}", c.pc + o.imm); }

std::string fence_set(uint32_t set) {
  std::string text;
  for (unsigned i = 0; i < 4; ++i) {
    if (set & (8u >> i)) text += "iorw"[i];
  }
  return text.empty() ? "unknown" : text;
}

struct Token {
  std::string_view name;
  OperandDecoder decode;
  Format format;
};

uint8_t low_register(uint32_t bits, unsigned low) { return static_cast<uint8_t>(8 + field(bits, low, 3)); }

void decode_rd(uint32_t bits, Operands& o) { o.rd = field(bits, 7, 5); }
void decode_rs1(uint32_t bits, Operands& o) { o.rs1 = field(bits, 15, 5); }
void decode_rs2(uint32_t bits, Operands& o) { o.rs2 = field(bits, 20, 5); }

constexpr Token kTokens[] = {
    {"rd", decode_rd, rd_name},
    {"rs1", decode_rs1, rs1_name},
    {"rs2", decode_rs2, rs2_name},
    {"frd", decode_rd, frd_name},
    {"frs1", decode_rs1, frs1_name},
    {"frs2", decode_rs2, frs2_name},
    {"frs3", [](uint32_t bits, Operands& o) { o.rs3 = field(bits, 27, 5); }, frs3_name},
    {"rm", [](uint32_t bits, Operands& o) { o.rm = field(bits, 12, 3); },
     [](const Operands& o, const Context&) { return std::string(kRounding[o.rm]); }},
    // Of conversions that are always exact.
    {"rm_exact", [](uint32_t bits, Operands& o) { o.rm = field(bits, 12, 3); },
     [](const Operands& o, const Context&) { return std::string(o.rm == 0 ? "" : kRounding[o.rm]); }},
    {"i12", [](uint32_t bits, Operands& o) { o.imm = sign_extend(field(bits, 20, 12), 12); }, decimal},
    {"s12", [](uint32_t bits, Operands& o) { o.imm = sign_extend(put(bits, 25, 7, 5) | field(bits, 7, 5), 12); },
     decimal},
    {"b12",
     [](uint32_t bits, Operands& o) {
       o.imm = sign_extend(put(bits, 31, 1, 12) | put(bits, 7, 1, 11) | put(bits, 25, 6, 5) | put(bits, 8, 4, 1), 13);
     },
     target},
    {"u20", [](uint32_t bits, Operands& o) { o.imm = sign_extend(bits & 0xffff'f000, 32); }, upper},
    {"j20",
     [](uint32_t bits, Operands& o) {
       o.imm =
           sign_extend(put(bits, 31, 1, 20) | put(bits, 12, 8, 12) | put(bits, 20, 1, 11) | put(bits, 21, 10, 1), 21);
     },
     target},
    {"shamt6", [](uint32_t bits, Operands& o) { o.imm = field(bits, 20, 6); }, hexadecimal},
    {"shamt5", [](uint32_t bits, Operands& o) { o.imm = field(bits, 20, 5); }, hexadecimal},
    {"csr", [](uint32_t bits, Operands& o) { o.imm = field(bits, 20, 12); },
     [](const Operands& o, const Context&) { return csr_name(static_cast<unsigned>(o.imm)); }},
    {"zimm", decode_rs1, [](const Operands& o, const Context&) { return fmt::format("{}", o.rs1); }},
    {"pred", [](uint32_t, Operands&) {},
     [](const Operands&, const Context& c) { return fence_set(field(c.bits, 24, 4)); }},
    {"succ", [](uint32_t, Operands&) {},
     [](const Operands&, const Context& c) { return fence_set(field(c.bits, 20, 4)); }},
    {"aqrl",
     [](uint32_t bits, Operands& o) {
       o.acquire = field(bits, 26, 1) != 0;
       o.release = field(bits, 25, 1) != 0;
     },
     nullptr},

    // Compressed formats: a final p means the three-bit registers x8 to x15.
    {"rd_rs1", [](uint32_t bits, Operands& o) { o.rd = o.rs1 = field(bits, 7, 5); }, rd_name},
    {"crs1", [](uint32_t bits, Operands& o) { o.rs1 = field(bits, 7, 5); }, rs1_name},
    {"crs2", [](uint32_t bits, Operands& o) { o.rs2 = field(bits, 2, 5); }, rs2_name},
    {"cfrs2", [](uint32_t bits, Operands& o) { o.rs2 = field(bits, 2, 5); }, frs2_name},
    {"rdp_low", [](uint32_t bits, Operands& o) { o.rd = low_register(bits, 2); }, rd_name},
    {"frdp_low", [](uint32_t bits, Operands& o) { o.rd = low_register(bits, 2); }, frd_name},
    {"rdp_rs1p", [](uint32_t bits, Operands& o) { o.rd = o.rs1 = low_register(bits, 7); }, rd_name},
    {"rs1p", [](uint32_t bits, Operands& o) { o.rs1 = low_register(bits, 7); }, rs1_name},
    {"rs2p", [](uint32_t bits, Operands& o) { o.rs2 = low_register(bits, 2); }, rs2_name},
    {"frs2p", [](uint32_t bits, Operands& o) { o.rs2 = low_register(bits, 2); }, frs2_name},
    {"sp", [](uint32_t, Operands& o) { o.rs1 = 2; }, rs1_name},
    {"ra", [](uint32_t, Operands& o) { o.rd = 1; }, nullptr},
    {"ci6", [](uint32_t bits, Operands& o) { o.imm = sign_extend(put(bits, 12, 1, 5) | field(bits, 2, 5), 6); },
     decimal},
    {"cu6", [](uint32_t bits, Operands& o) { o.imm = put(bits, 12, 1, 5) | field(bits, 2, 5); }, hexadecimal},
    {"clui", [](uint32_t bits, Operands& o) { o.imm = sign_extend(put(bits, 12, 1, 17) | put(bits, 2, 5, 12), 18); },
     upper},
    {"c16sp",
     [](uint32_t bits, Operands& o) {
       o.imm = sign_extend(
           put(bits, 12, 1, 9) | put(bits, 3, 2, 7) | put(bits, 5, 1, 6) | put(bits, 2, 1, 5) | put(bits, 6, 1, 4), 10);
     },
     decimal},
    {"c4spn",
     [](uint32_t bits, Operands& o) {
       o.imm = put(bits, 7, 4, 6) | put(bits, 11, 2, 4) | put(bits, 5, 1, 3) | put(bits, 6, 1, 2);
     },
     decimal},
    {"clw", [](uint32_t bits, Operands& o) { o.imm = put(bits, 5, 1, 6) | put(bits, 10, 3, 3) | put(bits, 6, 1, 2); },
     decimal},
    {"cld", [](uint32_t bits, Operands& o) { o.imm = put(bits, 5, 2, 6) | put(bits, 10, 3, 3); }, decimal},
    {"clwsp", [](uint32_t bits, Operands& o) { o.imm = put(bits, 2, 2, 6) | put(bits, 12, 1, 5) | put(bits, 4, 3, 2); },
     decimal},
    {"cldsp", [](uint32_t bits, Operands& o) { o.imm = put(bits, 2, 3, 6) | put(bits, 12, 1, 5) | put(bits, 5, 2, 3); },
     decimal},
    {"cswsp", [](uint32_t bits, Operands& o) { o.imm = put(bits, 7, 2, 6) | put(bits, 9, 4, 2); }, decimal},
    {"csdsp", [](uint32_t bits, Operands& o) { o.imm = put(bits, 7, 3, 6) | put(bits, 10, 3, 3); }, decimal},
    {"cj",
     [](uint32_t bits, Operands& o) {
       o.imm = sign_extend(put(bits, 12, 1, 11) | put(bits, 8, 1, 10) | put(bits, 9, 2, 8) | put(bits, 6, 1, 7) |
                               put(bits, 7, 1, 6) | put(bits, 2, 1, 5) | put(bits, 11, 1, 4) | put(bits, 3, 3, 1),
                           12);
     },
     target},
    {"cb",
     [](uint32_t bits, Operands& o) {
       o.imm = sign_extend(
           put(bits, 12, 1, 8) | put(bits, 5, 2, 6) | put(bits, 2, 1, 5) | put(bits, 10, 2, 3) | put(bits, 3, 2, 1), 9);
     },
     target},
};

constexpr bool is_token_char(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }

// The token that `text` begins with; `text` moves behind it. A row with an unknown token would be a mistake in the
// table, which the table's test finds: it decodes as nothing.
const Token* next_token(std::string_view& text) {
  size_t length = 0;
  while (length < text.size() && is_token_char(text[length])) ++length;
  const std::string_view name = text.substr(0, length);
  text.remove_prefix(length);
  const auto* token =
      std::find_if(std::begin(kTokens), std::end(kTokens), [&](const Token& t) { return t.name == name; });
  return token == std::end(kTokens) ? nullptr : token;
}

}  // namespace

bool operands_known(std::string_view text) {
  size_t tokens = 0;
  while (!text.empty()) {
    if (!is_token_char(text.front())) {
      text.remove_prefix(1);
    } else if (next_token(text) == nullptr || ++tokens > Row::kOperandsMax) {
      return false;
    }
  }
  return true;
}

void find_decoders(Row& row) {
  size_t count = 0;
  for (std::string_view text = row.operands; !text.empty() && count < Row::kOperandsMax;) {
    if (!is_token_char(text.front())) {
      text.remove_prefix(1);
    } else if (const Token* token = next_token(text)) {
      row.decoders[count++] = token->decode;
    }
  }
}

Operands decode_operands(const Row& row, uint32_t bits) {
  Operands operands;
  for (const OperandDecoder decode : row.decoders) {
    if (decode == nullptr) break;
    decode(bits, operands);
  }
  return operands;
}

std::string format_instruction(const Row& row, uint32_t bits, uint64_t pc) {
  const Operands operands = decode_operands(row, bits);
  if (row.name == "illegal") {
    return row.length == 2 ? fmt::format(".2byte\t0x{:x}", bits & 0xffff) : fmt::format(".4byte\t0x{:x}", bits);
  }
  std::string text(row.name);
  if (operands.acquire) text += ".aq";
  if (operands.release) text += operands.acquire ? "rl" : ".rl";
  if (!row.operands.empty()) text += '\t';
  for (std::string_view rest = row.operands; !rest.empty();) {
    const char c = rest.front();
    if (!is_token_char(c)) {
      if (c != '{' && c != '}') text += c;
      rest.remove_prefix(1);
    } else if (const Token* token = next_token(rest); token != nullptr && token->format != nullptr) {
      const std::string operand = token->format(operands, {bits, pc});
      // The dynamic rounding mode goes without saying, and without its comma.
      if (operand.empty()) text.pop_back();
      text += operand;
    }
  }
  return text;
}

}  // namespace lockstep::isa::riscv64
