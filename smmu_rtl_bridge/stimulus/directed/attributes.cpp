// SPDX-License-Identifier: Apache-2.0
// Memory types of all kinds: as clients give them, as entries override them, as both stages have them; of messages, and
// of tables and contexts that lie where stage 2 says.
#include <fmt/format.h>

#include "smmu_rtl_bridge/stimulus/directed/groups.h"
#include "smmu_rtl_bridge/stimulus/drawing.h"

namespace lockstep::smmu_rtl_bridge::directed {
namespace {

constexpr unsigned kScripts = 16;
constexpr uint64_t kSeed = 7;

class Attributes {
 public:
  explicit Attributes(std::vector<DirectedScript>& scripts) : scripts_(scripts), draw_(kSeed) {}

  void all() {
    for (unsigned i = 0; i < kScripts; ++i) {
      overrides(i);
      both_stages(i);
      types(i);
    }
    for (unsigned memattr = 0; memattr < 16; ++memattr)
      for (const unsigned forced : {0, 1}) fetches(memattr, forced);
    messages();
    for (unsigned privilege = 0; privilege < 4; ++privilege)
      for (unsigned instruction = 0; instruction < 4; ++instruction) privileges(privilege, instruction);
  }

 private:
  void add(std::string name, const char* section, std::string lines) {
    scripts_.push_back({"attributes/" + std::move(name), section, {}, std::move(lines), {}, true});
  }
  // A device, or any two nibbles of normal memory.
  uint64_t type() {
    if (draw_.chance(20)) return draw_.below(4) << 2;
    return draw_.between(1, 15) << 4 | draw_.between(1, 15);
  }
  std::string accesses(const char* stream, uint64_t address) {
    std::string lines;
    for (unsigned i = 0; i < 12; ++i)
      lines += fmt::format("access {} {} {:#x} type={:#x} sh={}\n", i % 2 == 0 ? "read" : "write", stream,
                           address + 8 * i, type(), draw_.pick({0u, 2u, 3u}));
    return lines;
  }

  // As clients give them and as the entry says, where the access goes on, and in the record where it does not.
  void privileges(unsigned privilege, unsigned instruction) {
    std::string lines = fmt::format("stream s1 1 PRIVCFG={} INSTCFG={}\nmap 1 0x1000 ap=1\n", privilege, instruction);
    for (const uint64_t page : {0x1000, 0x2000})
      for (const char* word : {"read", "write", "exec"})
        for (const char* who : {"", " priv"}) lines += fmt::format("access {} 1 {:#x}{}\nquiet\n", word, page, who);
    add(fmt::format("privileges/{}-{}", privilege, instruction), "STE, PRIVCFG", lines + "events\n");
  }

  void types(unsigned number) {
    uint64_t value = 0;
    for (unsigned index = 0; index < 8; ++index) value |= type() << 8 * index;
    std::string lines = fmt::format("stream s1 1\ncd 1 MAIR={:#x}\n", value);
    for (unsigned index = 0; index < 8; ++index)
      lines += fmt::format("map 1 {0:#x} attr={1} sh={2}\naccess read 1 {0:#x}\naccess write 1 {0:#x}\n",
                           (index + 1) << 12, index, draw_.below(4));
    add(fmt::format("types/{}", number), "Memory attribute indirection", lines);
  }

  void overrides(unsigned number) {
    const auto fields = [&] {
      return fmt::format("MTCFG={} MemAttr={} ALLOCCFG={} SHCFG={}", number & 1, draw_.below(16),
                         draw_.chance(60) ? draw_.between(8, 15) : 0, draw_.below(4));
    };
    const uint64_t gbpa = draw_.below(16) | (number & 1) << 4 | draw_.below(16) << 8 | draw_.below(4) << 12;
    std::string lines =
        fmt::format("setup CR0=12 GBPA={:#x}\nstream bypass 1 {}\nstream s1 2 {}\n", gbpa, fields(), fields());
    lines += fmt::format("cd 2 MAIR={:#x}\n", type() | type() << 8 | type() << 16 | type() << 24);
    for (unsigned page = 1; page <= 4; ++page)
      lines += fmt::format("map 2 {:#x} attr={} sh={}\n", page << 12, page - 1, draw_.below(4));
    lines += accesses("1", 0x5000) + "quiet\nwrite CR0 13\n" + accesses("1", 0x5000);
    for (unsigned page = 1; page <= 4; ++page) lines += accesses("2", page << 12);
    add(fmt::format("overrides/{}", number), "Attribute Transformation", lines);
  }

  void both_stages(unsigned memattr) {
    std::string lines;
    for (const unsigned forced : {0, 1}) {
      const unsigned stream = forced + 1;
      lines += fmt::format("stream nested {0} S2FWB={1}\ncd {0} MAIR={2:#x}\n", stream, forced,
                           type() | type() << 8 | type() << 16 | type() << 24);
      lines += fmt::format("map {}/s2 0x100000000 memattr={} sh={}\n", stream, memattr, draw_.below(4));
      for (unsigned page = 1; page <= 4; ++page)
        lines +=
            fmt::format("map {} {:#x} pa=0x100000000 attr={} sh={}\n", stream, page << 12, page - 1, draw_.below(4));
    }
    for (const char* stream : {"1", "2"})
      for (unsigned page = 1; page <= 4; ++page) lines += accesses(stream, page << 12);
    add(fmt::format("both-stages/{}", memattr), "Attribute Transformation", lines);
  }

  // Contexts and tables of stage 1 in pages that stage 2 gives this type.
  void fetches(unsigned memattr, unsigned forced) {
    std::string lines = fmt::format(
        "stream nested 1 S2FWB={} S1ContextPtr=0x100000000 S1CIR={} S1COR={} S1CSH={} S2IR0={} S2OR0={} S2SH0={}\n",
        forced, draw_.below(4), draw_.below(4), draw_.below(4), draw_.below(4), draw_.below(4), draw_.below(4));
    for (const uint64_t page : {0x100000000, 0x100010000, 0x100020000, 0x100021000})
      lines +=
          fmt::format("map 1/s2 {:#x} pa={:#x} memattr={} sh={}\n", page, page - 0xc0000000, memattr, draw_.below(4));
    lines +=
        fmt::format("cd 1 TTB0=0x100010000 IR0={} OR0={} SH0={}\n", draw_.below(4), draw_.below(4), draw_.below(4));
    lines += "map 1 0x1000 pa=0x90000000 tables=0x100020000\naccess read 1 0x1000\nquiet\naccess read 1 0x2000\n";
    add(fmt::format("fetches/{}{}", forced ? "forced-" : "", memattr), "Memory accesses of the SMMU", lines);
  }

  void messages() {
    std::string lines;
    for (unsigned memattr = 0; memattr < 16; ++memattr)
      for (unsigned sh = 0; sh < 4; ++sh)
        lines += fmt::format("sync cs=1 msi_addr={:#x} msi_data={:#x} mattr={} msh={}\n", 0x9ff00000 + 4 * memattr,
                             draw_.any() & 0xffffffff, memattr, sh);
    add("messages/sync", "Message Signaled Interrupts", lines);
    for (unsigned memattr = 0; memattr < 16; ++memattr)
      add(fmt::format("messages/{}", memattr), "Message Signaled Interrupts",
          fmt::format("setup EVENTQ_IRQ_CFG0=0x9ff00000 EVENTQ_IRQ_CFG1=0x55 EVENTQ_IRQ_CFG2={:#x} "
                      "GERROR_IRQ_CFG0=0x9ff00010 GERROR_IRQ_CFG1=0xaa GERROR_IRQ_CFG2={:#x}\naccess read 1 0\nquiet\n"
                      "cmd RAW w0=0\nquiet\nrecover\n",
                      memattr | draw_.below(4) << 4, (15 - memattr) | draw_.below(4) << 4));
  }

  std::vector<DirectedScript>& scripts_;
  Drawing draw_;
};

}  // namespace

void add_attributes(std::vector<DirectedScript>& scripts) { Attributes(scripts).all(); }

}  // namespace lockstep::smmu_rtl_bridge::directed
