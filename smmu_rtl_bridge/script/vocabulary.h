// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace lockstep::smmu_rtl_bridge {

// Where the names that scripts use lie in registers, structures and commands. Written from the architecture's tables
// alone: a device under test may be anybody's.

// A field of a structure or command made of 64-bit words. `in_place`: its value is an address whose bits keep their
// positions.
struct FieldRow {
  std::string_view name;
  uint8_t word;
  uint8_t low;
  uint8_t width;
  bool in_place = false;

  uint64_t mask() const { return (width == 64 ? ~uint64_t{0} : ((uint64_t{1} << width) - 1)) << low; }
  uint64_t get(const uint64_t* words) const { return in_place ? words[word] & mask() : (words[word] & mask()) >> low; }
  // Bits of the value that the field has no room for are lost.
  void set(uint64_t* words, uint64_t value) const {
    words[word] = (words[word] & ~mask()) | ((in_place ? value : value << low) & mask());
  }
};

using StructureWords = std::array<uint64_t, 8>;
using CommandWords = std::array<uint64_t, 2>;

std::span<const FieldRow> ste_fields();
std::span<const FieldRow> cd_fields();
// Null where there is none.
const FieldRow* find_ste_field(std::string_view name);
const FieldRow* find_cd_field(std::string_view name);

struct CommandName {
  std::string_view name;  // without CMD_
  uint8_t opcode;
};
std::span<const CommandName> command_names();
const CommandName* find_command(std::string_view name);
// The fields of all commands: a name means the same bits in each.
std::span<const FieldRow> command_fields();
const FieldRow* find_command_field(std::string_view name);

struct RegisterName {
  std::string_view name;  // without SMMU_
  uint32_t offset;
  uint8_t size_bytes;
};
std::span<const RegisterName> register_names();
const RegisterName* find_register(std::string_view name);
const RegisterName* find_register_at(uint32_t offset);

// Registers that the player uses by itself.
namespace register_offset {
inline constexpr uint32_t kIdr0 = 0x0, kIdr1 = 0x4, kIdr3 = 0xc, kIdr5 = 0x14, kCr0 = 0x20, kCr0Ack = 0x24, kCr1 = 0x28,
                          kCr2 = 0x2c, kGbpa = 0x44, kIrqCtrl = 0x50, kIrqCtrlAck = 0x54, kGerror = 0x60,
                          kGerrorN = 0x64, kStrtabBase = 0x80, kStrtabBaseCfg = 0x88, kCmdqBase = 0x90,
                          kCmdqProd = 0x98, kCmdqCons = 0x9c, kEventqBase = 0xa0, kPriqBase = 0xc0,
                          kEventqProd = 0x100a8, kEventqCons = 0x100ac, kPriqProd = 0x100c8, kPriqCons = 0x100cc;
}  // namespace register_offset

}  // namespace lockstep::smmu_rtl_bridge
