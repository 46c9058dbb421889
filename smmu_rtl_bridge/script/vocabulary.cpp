// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/script/vocabulary.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

// clang-format off
constexpr FieldRow kSte[] = {
    {"V", 0, 0, 1}, {"Config", 0, 1, 3}, {"S1Fmt", 0, 4, 2}, {"S1ContextPtr", 0, 6, 46, true}, {"S1CDMax", 0, 59, 5},
    {"S1DSS", 1, 0, 2}, {"S1CIR", 1, 2, 2}, {"S1COR", 1, 4, 2}, {"S1CSH", 1, 6, 2}, {"DRE", 1, 12, 1},
    {"CONT", 1, 13, 4}, {"DCP", 1, 17, 1}, {"PPAR", 1, 18, 1}, {"MEV", 1, 19, 1}, {"S2FWB", 1, 25, 1},
    {"S1STALLD", 1, 27, 1}, {"EATS", 1, 28, 2}, {"STRW", 1, 30, 2}, {"MemAttr", 1, 32, 4}, {"MTCFG", 1, 36, 1},
    {"ALLOCCFG", 1, 37, 4}, {"SHCFG", 1, 44, 2}, {"NSCFG", 1, 46, 2}, {"PRIVCFG", 1, 48, 2}, {"INSTCFG", 1, 50, 2},
    {"S2VMID", 2, 0, 16}, {"S2T0SZ", 2, 32, 6}, {"S2SL0", 2, 38, 2}, {"S2IR0", 2, 40, 2}, {"S2OR0", 2, 42, 2},
    {"S2SH0", 2, 44, 2}, {"S2TG", 2, 46, 2}, {"S2PS", 2, 48, 3}, {"S2AA64", 2, 51, 1}, {"S2ENDI", 2, 52, 1},
    {"S2AFFD", 2, 53, 1}, {"S2PTW", 2, 54, 1}, {"S2HD", 2, 55, 1}, {"S2HA", 2, 56, 1}, {"S2S", 2, 57, 1},
    {"S2R", 2, 58, 1}, {"S2TTB", 3, 4, 48, true},
};
constexpr FieldRow kCd[] = {
    {"T0SZ", 0, 0, 6}, {"TG0", 0, 6, 2}, {"IR0", 0, 8, 2}, {"OR0", 0, 10, 2}, {"SH0", 0, 12, 2}, {"EPD0", 0, 14, 1},
    {"ENDI", 0, 15, 1}, {"T1SZ", 0, 16, 6}, {"TG1", 0, 22, 2}, {"IR1", 0, 24, 2}, {"OR1", 0, 26, 2},
    {"SH1", 0, 28, 2}, {"EPD1", 0, 30, 1}, {"V", 0, 31, 1}, {"IPS", 0, 32, 3}, {"AFFD", 0, 35, 1}, {"WXN", 0, 36, 1},
    {"UWXN", 0, 37, 1}, {"TBI0", 0, 38, 1}, {"TBI1", 0, 39, 1}, {"PAN", 0, 40, 1}, {"AA64", 0, 41, 1},
    {"HD", 0, 42, 1}, {"HA", 0, 43, 1}, {"S", 0, 44, 1}, {"R", 0, 45, 1}, {"A", 0, 46, 1}, {"ASET", 0, 47, 1},
    {"ASID", 0, 48, 16}, {"NSCFG0", 1, 0, 1}, {"HAD0", 1, 1, 1}, {"TTB0", 1, 4, 48, true}, {"NSCFG1", 2, 0, 1},
    {"HAD1", 2, 1, 1}, {"TTB1", 2, 4, 48, true}, {"MAIR", 3, 0, 64}, {"AMAIR", 4, 0, 64},
};
constexpr CommandName kCommands[] = {
    {"PREFETCH_CONFIG", 0x01}, {"PREFETCH_ADDR", 0x02}, {"CFGI_STE", 0x03}, {"CFGI_STE_RANGE", 0x04},
    {"CFGI_CD", 0x05}, {"CFGI_CD_ALL", 0x06}, {"TLBI_NH_ALL", 0x10}, {"TLBI_NH_ASID", 0x11}, {"TLBI_NH_VA", 0x12},
    {"TLBI_NH_VAA", 0x13}, {"TLBI_EL3_ALL", 0x18}, {"TLBI_EL3_VA", 0x1a}, {"TLBI_EL2_ALL", 0x20},
    {"TLBI_EL2_ASID", 0x21}, {"TLBI_EL2_VA", 0x22}, {"TLBI_EL2_VAA", 0x23}, {"TLBI_S12_VMALL", 0x28},
    {"TLBI_S2_IPA", 0x2a}, {"TLBI_NSNH_ALL", 0x30}, {"ATC_INV", 0x40}, {"PRI_RESP", 0x41}, {"RESUME", 0x44},
    {"STALL_TERM", 0x45}, {"SYNC", 0x46}, {"RAW", 0x00},
};
constexpr FieldRow kCommandFields[] = {
    {"sid", 0, 32, 32}, {"ssid", 0, 12, 20}, {"ssv", 0, 11, 1}, {"ssec", 0, 10, 1}, {"global", 0, 9, 1},
    {"leaf", 1, 0, 1}, {"range", 1, 0, 5}, {"vmid", 0, 32, 16}, {"asid", 0, 48, 16}, {"va", 1, 12, 52, true},
    {"num", 0, 12, 5}, {"scale", 0, 20, 5}, {"ttl", 1, 8, 2}, {"tg", 1, 10, 2}, {"span", 1, 0, 6},
    {"group", 1, 0, 9}, {"code", 1, 12, 2}, {"stag", 1, 0, 16}, {"resp", 0, 12, 2}, {"cs", 0, 12, 2},
    {"msh", 0, 22, 2}, {"mattr", 0, 24, 4}, {"msi_data", 0, 32, 32}, {"msi_addr", 1, 2, 50, true},
    {"w0", 0, 0, 64}, {"w1", 1, 0, 64},
};
constexpr RegisterName kRegisters[] = {
    {"IDR0", 0x0, 4}, {"IDR1", 0x4, 4}, {"IDR2", 0x8, 4}, {"IDR3", 0xc, 4}, {"IDR4", 0x10, 4}, {"IDR5", 0x14, 4},
    {"IIDR", 0x18, 4}, {"AIDR", 0x1c, 4}, {"CR0", 0x20, 4}, {"CR0ACK", 0x24, 4}, {"CR1", 0x28, 4}, {"CR2", 0x2c, 4},
    {"STATUSR", 0x40, 4}, {"GBPA", 0x44, 4}, {"AGBPA", 0x48, 4}, {"IRQ_CTRL", 0x50, 4}, {"IRQ_CTRLACK", 0x54, 4},
    {"GERROR", 0x60, 4}, {"GERRORN", 0x64, 4}, {"GERROR_IRQ_CFG0", 0x68, 8}, {"GERROR_IRQ_CFG1", 0x70, 4},
    {"GERROR_IRQ_CFG2", 0x74, 4}, {"STRTAB_BASE", 0x80, 8}, {"STRTAB_BASE_CFG", 0x88, 4}, {"CMDQ_BASE", 0x90, 8},
    {"CMDQ_PROD", 0x98, 4}, {"CMDQ_CONS", 0x9c, 4}, {"EVENTQ_BASE", 0xa0, 8}, {"EVENTQ_IRQ_CFG0", 0xb0, 8},
    {"EVENTQ_IRQ_CFG1", 0xb8, 4}, {"EVENTQ_IRQ_CFG2", 0xbc, 4}, {"PRIQ_BASE", 0xc0, 8}, {"PRIQ_IRQ_CFG0", 0xd0, 8},
    {"PRIQ_IRQ_CFG1", 0xd8, 4}, {"PRIQ_IRQ_CFG2", 0xdc, 4}, {"EVENTQ_PROD", 0x100a8, 4}, {"EVENTQ_CONS", 0x100ac, 4},
    {"PRIQ_PROD", 0x100c8, 4}, {"PRIQ_CONS", 0x100cc, 4},
};
// clang-format on

template <typename Rows>
auto find(const Rows& rows, std::string_view name) -> decltype(&rows[0]) {
  for (const auto& row : rows)
    if (row.name == name) return &row;
  return nullptr;
}

}  // namespace

std::span<const FieldRow> ste_fields() { return kSte; }
std::span<const FieldRow> cd_fields() { return kCd; }
const FieldRow* find_ste_field(std::string_view name) { return find(kSte, name); }
const FieldRow* find_cd_field(std::string_view name) { return find(kCd, name); }

std::span<const CommandName> command_names() { return kCommands; }
const CommandName* find_command(std::string_view name) { return find(kCommands, name); }
std::span<const FieldRow> command_fields() { return kCommandFields; }
const FieldRow* find_command_field(std::string_view name) { return find(kCommandFields, name); }

std::span<const RegisterName> register_names() { return kRegisters; }
const RegisterName* find_register(std::string_view name) { return find(kRegisters, name); }
const RegisterName* find_register_at(uint32_t offset) {
  for (const RegisterName& row : kRegisters)
    if (offset >= row.offset && offset < row.offset + row.size_bytes) return &row;
  return nullptr;
}

}  // namespace lockstep::smmu_rtl_bridge
