// SPDX-License-Identifier: Apache-2.0
// Everything where it can be: random stimulus keeps its structures near the bottom of memory, where no high bit of an
// address, index or identifier is ever set. Here all of them are drawn from their whole width, once and for all.
#include <fmt/format.h>

#include "smmu_rtl_bridge/stimulus/directed/groups.h"
#include "smmu_rtl_bridge/stimulus/drawing.h"

namespace lockstep::smmu_rtl_bridge::directed {
namespace {

constexpr unsigned kScripts = 48;
constexpr unsigned kAddressBits = 48;

class Scattered {
 public:
  explicit Scattered(unsigned number) : number_(number), draw_(number) {}

  std::string text() {
    begin();
    const uint64_t stream = bits(16);
    const unsigned kind = number_ % 3;
    const bool stage1 = kind != 1, stage2 = kind != 0;
    const uint64_t context = stage1 && draw_.chance(60) ? bits(10) : 0;
    std::string name = fmt::format("{:#x}", stream);
    text_ += fmt::format("stream {} {}", kind == 0 ? "s1" : kind == 1 ? "s2" : "nested", name);
    if (two_level_) put("leaf", address(14));
    put("S2VMID", bits(16));
    if (stage2) put("S2TTB", address(16));
    if (stage1 && stage2) text_ += " identity=1";
    // Structures of a nested stream are in the first 4 GiB of intermediate addresses, which stage 2 maps onto
    // themselves.
    const unsigned width = stage1 && stage2 ? 32 : kAddressBits;
    if (stage1) put("S1ContextPtr", address(16, width));
    if (context != 0) text_ += " S1CDMax=10";
    text_ += "\n";
    if (context != 0) name += fmt::format(".{}", context);
    if (stage1) {
      text_ += fmt::format("cd {} IPS=5 T0SZ=16 T1SZ=16 TG1=2", name);
      put("ASID", bits(16));
      put("TTB0", address(12, width));
      put("TTB1", address(12, width));
      put("MAIR", draw_.any() | 0x4040404040404040);
      text_ += "\n";
    }
    std::string uses;
    uint64_t input = 0;
    for (unsigned i = 0; i < kPages; ++i) {
      // Input addresses of stage 2 alone end below its default size.
      input = address(12, stage1 ? 47 : 38);
      if (stage1 && draw_.chance(30)) input |= 0xffff'0000'0000'0000;
      text_ += fmt::format("map {}{} {:#x}", name, stage1 ? "" : "/s2", input);
      put("pa", address(12, width));
      put("tables", address(16, width));
      text_ += i + 1 == kPages ? " af=0\n" : "\n";
      const uint64_t offset = bits(9) << 3;
      uses += fmt::format("access {} {} {:#x}\n", i % 2 == 0 ? "read" : "write", name, input | offset);
    }
    text_ += uses + "quiet\n" + uses;
    text_ += fmt::format("access read {} {:#x}\n", name, bits(37));
    text_ += fmt::format("access read {:#x} 0\n", bits(16));
    text_ += "sync cs=1";
    put("msi_addr", address(2));
    put("msi_data", bits(32));
    command("CFGI_STE", {{"sid", 16}});
    command("CFGI_CD", {{"sid", 16}, {"ssid", 20}});
    command("TLBI_NH_VA", {{"vmid", 16}, {"asid", 16}, {"va", 48}});
    command("TLBI_S2_IPA", {{"vmid", 16}, {"va", 48}});
    text_ += "\nsync\n" + uses;
    text_ += fmt::format("cmd RAW w0={:#x}\nquiet\nread GERROR\nread CMDQ_CONS\nread EVENTQ_PROD\nrecover\n",
                         bits(32) << 32 | 0xff);
    return text_;
  }

 private:
  struct Operand {
    const char* name;
    unsigned bits;
  };

  // Queues begin a few places before the end of one of their rounds.
  void begin() {
    two_level_ = draw_.chance(50);
    text_ = fmt::format("setup CR2=2 STRTAB_BASE_CFG={:#x}", two_level_ ? 0x10210 : 16);
    put("STRTAB_BASE", address(22));
    queue("CMDQ", 4);
    queue("EVENTQ", 5);
    put("EVENTQ_IRQ_CFG0", address(2));
    put("EVENTQ_IRQ_CFG1", bits(32));
    put("GERROR_IRQ_CFG0", address(2));
    text_ += "\n";
  }
  void queue(const char* name, unsigned entry_log2) {
    const uint64_t log2 = draw_.between(3, 19);
    text_ += fmt::format(" {}_BASE={:#x}", name, address(log2 + entry_log2) | log2);
    const uint64_t round = bits(1) << log2, before_end = bits(2);
    const uint64_t index = round | ((uint64_t{1} << log2) - 1 - before_end);
    text_ += fmt::format(" {0}_PROD={1:#x} {0}_CONS={1:#x}", name, index);
  }
  void put(const char* field, uint64_t value) { text_ += fmt::format(" {}={:#x}", field, value); }
  void command(const char* name, std::initializer_list<Operand> operands) {
    text_ += fmt::format("\ncmd {}", name);
    for (const Operand& operand : operands) put(operand.name, bits(operand.bits));
  }

  uint64_t bits(unsigned count) { return draw_.any() & ((uint64_t{1} << count) - 1); }
  uint64_t address(uint64_t zeros, unsigned width = kAddressBits) {
    return bits(width) & ~((uint64_t{1} << zeros) - 1);
  }

  static constexpr unsigned kPages = 4;
  unsigned number_;
  Drawing draw_;
  bool two_level_ = false;
  std::string text_;
};

}  // namespace

void add_scattered(std::vector<DirectedScript>& scripts) {
  for (unsigned i = 0; i < kScripts; ++i)
    scripts.push_back({fmt::format("scattered/{}", i), "Memory map and registers", {}, Scattered(i).text(), {}});
}

}  // namespace lockstep::smmu_rtl_bridge::directed
