// SPDX-License-Identifier: Apache-2.0
// Each wide field at two values that are each other's complement: addresses of all structures, identifiers, indices of
// queues, messages, records. A bit that is stuck, or wired to another, is seen by what the device reads, writes or
// answers.
#include <fmt/format.h>

#include "smmu_rtl_bridge/bits.h"
#include "smmu_rtl_bridge/stimulus/directed/groups.h"

namespace lockstep::smmu_rtl_bridge::directed {
namespace {

constexpr uint64_t kPatterns[] = {0x5555'5555'5555'5555, 0xaaaa'aaaa'aaaa'aaaa};
constexpr unsigned kAddressBits = 48;

// A pattern as an address of this alignment that every device with 48 bits reaches.
uint64_t place(uint64_t pattern, unsigned alignment_log2) {
  return pattern & ones(kAddressBits) & ~ones(alignment_log2);
}

class Wide {
 public:
  explicit Wide(std::vector<DirectedScript>& scripts) : scripts_(scripts) {}

  void all() {
    for (const uint64_t pattern : kPatterns) {
      registers(pattern);
      stream_tables(pattern);
      contexts(pattern);
      tables(pattern);
      queues(pattern);
      messages(pattern);
      identifiers(pattern);
      records(pattern);
      pages(pattern);
      commands(pattern);
      beyond(pattern);
    }
    for (unsigned code = 0; code < 6; ++code) output_sizes(code);
    sizes();
    corners();
  }

 private:
  void add(const char* name, uint64_t pattern, const char* section, std::string lines) {
    add_wide_enough(fmt::format("{}/{:x}", name, pattern & 0xff), section, std::move(lines));
  }
  void add_wide_enough(const std::string& name, const char* section, std::string lines) {
    scripts_.push_back({"wide/" + name, section, {{"oas_bits", "48"}, {"va52", "0"}}, std::move(lines), {}});
  }

  // Whatever can be written, while nothing is switched on; software reads back what is there.
  void registers(uint64_t pattern) {
    std::string lines = "setup CR0=0 IRQ_CTRL=0\nquiet\n";
    for (const char* name : {"STRTAB_BASE", "STRTAB_BASE_CFG", "CMDQ_BASE", "EVENTQ_BASE", "CMDQ_PROD", "CMDQ_CONS",
                             "EVENTQ_PROD", "EVENTQ_CONS", "GERROR_IRQ_CFG0", "GERROR_IRQ_CFG1", "GERROR_IRQ_CFG2",
                             "EVENTQ_IRQ_CFG0", "EVENTQ_IRQ_CFG1", "EVENTQ_IRQ_CFG2", "CR1"})
      lines += fmt::format("write {0} {1:#x}\nread {0}\nwrite {0} {2:#x}\nread {0}\n", name, pattern, ~pattern);
    lines += fmt::format("write GBPA {:#x}\nread GBPA\nwrite GBPA {:#x}\nread GBPA\n",
                         0x8000'0000 | (pattern & 0xfffff), 0x8000'0000 | (~pattern & 0xfffff));
    // Beyond what there is.
    for (const uint64_t offset : {0x4000, 0x8020, 0x1'8020, 0x2'0000, 0x3'fffc})
      lines += fmt::format("write {0:#x} {1:#x} size=4\nread {0:#x} size=4\n", offset, pattern & ones(32));
    add("registers", pattern, "Memory map and registers", lines);
  }

  void stream_tables(uint64_t pattern) {
    const auto id = static_cast<uint32_t>(pattern & 0xffff);
    add("stream-table", pattern, "SMMU_STRTAB_BASE",
        fmt::format("setup STRTAB_BASE={:#x} STRTAB_BASE_CFG=16\nstream bypass {:#x}\naccess read {:#x} {:#x}\n"
                    "access write {:#x} {:#x}\n",
                    place(pattern, 22), id, id, place(pattern, 0), id, place(pattern, 0)));
    for (const unsigned split : {6, 8, 10})
      add(split == 6   ? "stream-table-2-6"
          : split == 8 ? "stream-table-2-8"
                       : "stream-table-2-10",
          pattern, "Level 1 Stream Table Descriptor",
          fmt::format("setup STRTAB_BASE={:#x} STRTAB_BASE_CFG={:#x}\nstream bypass {:#x} leaf={:#x}\n"
                      "access read {:#x} {:#x}\n",
                      place(~pattern, 16), 0x10010 | split << 6, id, place(pattern, split + 6), id, place(pattern, 3)));
    for (const char* gone : {"l1ste", "ste"})
      add(fmt::format("{}-of-two-levels-gone", gone).c_str(), pattern, "F_STE_FETCH",
          fmt::format("setup STRTAB_BASE={:#x} STRTAB_BASE_CFG=0x10210\nstream bypass {:#x} leaf={:#x}\n"
                      "break {} {:#x}\naccess read {:#x} 0\n",
                      place(~pattern, 11), id, place(pattern, 14), gone, id, id));
    add("stream-table-gone", pattern, "F_STE_FETCH",
        fmt::format(
            "setup STRTAB_BASE={:#x} STRTAB_BASE_CFG=16\nstream bypass {:#x}\nbreak ste {:#x}\naccess read {:#x} "
            "0\n",
            place(pattern, 22), id, id, id));
  }

  void contexts(uint64_t pattern) {
    const uint32_t substream = static_cast<uint32_t>(pattern) & 0xfffff;
    for (const unsigned format : {0, 1, 2}) {
      const unsigned align = format == 0 ? 26 : 17;
      const std::string where = fmt::format("1.{:#x}", substream);
      const std::string table =
          fmt::format("stream s1 1 S1CDMax=20 S1Fmt={} S1DSS=0 S1ContextPtr={:#x}\n", format, place(pattern, align));
      const std::string leaf = format ? fmt::format(" leaf={:#x}", place(~pattern, 16)) : std::string();
      add(format == 0   ? "contexts-linear"
          : format == 1 ? "contexts-4K"
                        : "contexts-64K",
          pattern, "CD, tables",
          fmt::format(
              "{0}cd {1}{2} ASID={3:#x} MAIR={4:#x}\nmap {1} 0x1000 attr=1\naccess read {1} 0x1000\n"
              "access write {1} 0x1000 priv\nbreak cd {1}\ncmd CFGI_CD sid=1 ssid={5:#x}\nsync\naccess read {1} "
              "0x1000\n",
              table, where, leaf, pattern & 0xffff, pattern, substream));
      if (format)
        add(format == 1 ? "contexts-4K-gone" : "contexts-64K-gone", pattern, "F_CD_FETCH",
            fmt::format("{0}cd {1}{2}\nbreak l1cd {1}\naccess read {1} 0x1000\n", table, where, leaf));
    }
  }

  // Trees, tables and what they lead to, in both halves and all granules.
  void tables(uint64_t pattern) {
    struct Shape {
      const char* name;
      unsigned code0, code1, granule;
    };
    for (const Shape& shape : {Shape{"4K", 0, 2, 12}, Shape{"16K", 2, 1, 14}, Shape{"64K", 1, 3, 16}}) {
      const uint64_t low = place(pattern, 12), high = 0xffff'0000'0000'0000 | place(~pattern, 12);
      std::string lines =
          fmt::format("stream s1 1\ncd 1 TG0={} TG1={} T0SZ=16 T1SZ=16 EPD1=0 TTB0={:#x} TTB1={:#x} ASID={:#x}\n",
                      shape.code0, shape.code1, place(pattern, 16), place(~pattern, 16), pattern & 0xffff);
      lines += fmt::format("map 1 {:#x} pa={:#x} tables={:#x}\nmap 1 {:#x} pa={:#x} tables={:#x}\n", low,
                           place(~pattern, shape.granule), place(pattern, 18), high, place(pattern, shape.granule),
                           place(~pattern, 18));
      for (const uint64_t address : {low, high})
        lines += fmt::format(
            "access read 1 {0:#x}\naccess write 1 {0:#x}\naccess read 1 {1:#x}\nbreak desc 1 {0:#x}\n"
            "cmd TLBI_NH_VA asid={2:#x} va={0:#x}\nsync\naccess read 1 {0:#x}\nmend desc 1 {0:#x}\n",
            address, address ^ 1 << 17, pattern & 0xffff);
      add(fmt::format("stage1-{}", shape.name).c_str(), pattern, "VMSAv8-64 stage 1", lines);

      const unsigned start = shape.granule == 12 ? 2 : 1 + (shape.granule == 16);
      std::string second = fmt::format("stream s2 1 S2TG={} S2T0SZ=16 S2SL0={} S2TTB={:#x} S2VMID={:#x}\n", shape.code0,
                                       start, place(pattern, 18), pattern & 0xffff);
      second += fmt::format("map 1/s2 {:#x} pa={:#x} tables={:#x}\n", low, place(~pattern, shape.granule),
                            place(~pattern, 18));
      second += fmt::format(
          "access read 1 {0:#x}\naccess write 1 {0:#x}\naccess read 1 {1:#x}\nbreak desc 1/s2 {0:#x}\n"
          "cmd TLBI_S2_IPA vmid={2:#x} va={0:#x}\nsync\naccess read 1 {0:#x}\n",
          low, low ^ 1 << 17, pattern & 0xffff);
      add(fmt::format("stage2-{}", shape.name).c_str(), pattern, "VMSAv8-64 stage 2", second);
    }
    // Blocks, whose pages reach the TLB with an address between.
    std::string lines =
        fmt::format("stream s1 1\ncd 1 T0SZ=16 TTB0={:#x} ASID={:#x}\n", place(pattern, 16), pattern & 0xffff);
    for (const unsigned level : {1, 2})
      lines +=
          fmt::format("map 1 {0:#x} level={1} pa={2:#x} tables={3:#x}\naccess read 1 {0:#x}\naccess read 1 {4:#x}\n",
                      place(level == 1 ? pattern : ~pattern, 3), level, place(~pattern, 30), place(pattern, 18),
                      place(level == 1 ? pattern : ~pattern, 3) ^ 0xff000);
    add("blocks", pattern, "VMSAv8-64 stage 1", lines);
  }

  // Structures of a nested stream: contexts, tables and pages lie where stage 2 says.
  static std::string nested(uint64_t pattern) {
    std::string lines = fmt::format("stream nested 1 identity=0 S2T0SZ=16 S2SL0=2 S2TTB={:#x} S2VMID={:#x}\n",
                                    place(pattern, 18), pattern & 0xffff);
    for (const uint64_t low : {0x0000'0000, 0x4000'0000}) lines += fmt::format("map 1/s2 {:#x} level=1\n", low);
    for (const uint64_t at : {place(pattern, 30), place(~pattern, 30)})
      lines +=
          fmt::format("map 1/s2 {0:#x} level=1 pa={1:#x} tables={2:#x}\n", at, place(~at, 30), place(at, 18) + 0x8000);
    return lines;
  }

  void pages(uint64_t pattern) {
    const uint64_t address = place(pattern, 12);
    std::string lines = nested(pattern);
    lines += fmt::format("cd 1 T0SZ=16 ASID={:#x}\n", pattern & 0xffff);
    lines += fmt::format("map 1 {0:#x} pa={1:#x} tables={2:#x}\naccess read 1 {0:#x}\naccess write 1 {0:#x} priv\n",
                         address, place(pattern, 12), place(~pattern, 18));
    lines += fmt::format("access read 1 {:#x}\n", address ^ 0x3000);
    add("nested", pattern, "Nested translation", lines);
  }

  void queues(uint64_t pattern) {
    add("command-queue", pattern, "SMMU_CMDQ_BASE",
        fmt::format("setup CMDQ_BASE={0:#x} CMDQ_PROD={1:#x} CMDQ_CONS={1:#x}\nstream bypass 1\naccess read 1 0\n"
                    "cmd CFGI_STE sid=1\ncmd TLBI_NSNH_ALL\nsync\nread CMDQ_CONS\n",
                    place(pattern, 23) | 19, pattern & 0xfffff));
    add("command-queue-gone", pattern, "Command queue errors",
        fmt::format("setup CMDQ_BASE={:#x}\nbreak cmdq\ncmd CFGI_STE sid=1\nquiet\nread GERROR\nread CMDQ_CONS\nmend "
                    "cmdq\nrecover\n",
                    place(pattern, 16) | 4));
    add("event-queue", pattern, "SMMU_EVENTQ_BASE",
        fmt::format("setup EVENTQ_BASE={0:#x} EVENTQ_PROD={1:#x} EVENTQ_CONS={1:#x}\naccess read 1 {2:#x}\n"
                    "access write 2 {2:#x}\nquiet\nread EVENTQ_PROD\nevents\n",
                    place(pattern, 24) | 19, pattern & 0xfffff, pattern));
    add("event-queue-gone", pattern, "SMMU_GERROR",
        fmt::format("setup EVENTQ_BASE={:#x}\nbreak evtq\naccess read 1 0\nquiet\nread GERROR\nmend evtq\nrecover\n",
                    place(pattern, 16) | 4));
    // The index of each wraps.
    add("queues-wrap", pattern, "SMMU circular queues",
        fmt::format("setup CMDQ_BASE={0:#x} EVENTQ_BASE={1:#x} CMDQ_PROD=0xfffff CMDQ_CONS=0xfffff EVENTQ_PROD=0xfffff "
                    "EVENTQ_CONS=0xfffff\naccess read 1 0\nquiet\nevents\ncmd CFGI_STE sid=1\nsync\nread CMDQ_CONS\n",
                    place(pattern, 23) | 19, place(~pattern, 24) | 19));
  }

  void messages(uint64_t pattern) {
    const uint64_t here = place(pattern, 2), there = place(~pattern, 2);
    add("messages", pattern, "Message Signaled Interrupts",
        fmt::format("setup EVENTQ_IRQ_CFG0={:#x} EVENTQ_IRQ_CFG1={:#x} EVENTQ_IRQ_CFG2={:#x} GERROR_IRQ_CFG0={:#x} "
                    "GERROR_IRQ_CFG1={:#x} GERROR_IRQ_CFG2={:#x}\naccess read 1 0\nquiet\n"
                    "sync cs=1 msi_addr={:#x} msi_data={:#x} mattr={} msh=2\nquiet\n"
                    "cmd RAW w0=0\nquiet\nrecover\n",
                    here, pattern & ones(32), pattern & 0x3f, there, ~pattern & ones(32), ~pattern & 0x3f, here,
                    pattern & ones(32), pattern & 15));
  }

  // Streams and substreams that nobody has configured, in both directions.
  void identifiers(uint64_t pattern) {
    std::string lines;
    for (const uint64_t word : {pattern, ~pattern})
      for (const char* kind : {"read", "write", "exec", "atomic"})
        lines += fmt::format("access {} {:#x}.{:#x} {:#x} type={:#x}\n", kind, word & ones(32), word & 0xfffff, word,
                             word & 0xff);
    add("identifiers", pattern, "C_BAD_STREAMID", lines);
    add("asid-and-vmid", pattern, "TLB tagging",
        fmt::format("stream s1 1 S2VMID={0:#x}\ncd 1 ASID={0:#x}\nstream s1 2 S2VMID={1:#x}\ncd 2 ASID={1:#x}\n"
                    "map 1 0x1000\nmap 2 0x1000\naccess read 1 0x1000\naccess read 2 0x1000\nquiet\n"
                    "cmd TLBI_NH_ASID vmid={0:#x} asid={0:#x}\ncmd TLBI_NH_VA vmid={1:#x} asid={1:#x} va=0x1000\n"
                    "cmd TLBI_S12_VMALL vmid={1:#x}\nsync\naccess read 1 0x1000\naccess read 2 0x1000\n",
                    pattern & 0xffff, ~pattern & 0xffff));
  }

  // Faults at stage 2, whose records have the intermediate address and the one that could not be fetched.
  void records(uint64_t pattern) {
    const uint64_t hole = place(pattern, 12) ^ uint64_t { 1 } << 40;
    add("record-of-stage2", pattern, "F_TRANSLATION",
        nested(pattern) +
            fmt::format("cd 1 T0SZ=16\nmap 1 {0:#x} pa={1:#x}\naccess read 1 {0:#x}\naccess write 1 {0:#x} "
                        "priv\n",
                        place(~pattern, 12), hole));
    add("record-of-a-table", pattern, "F_TRANSLATION",
        nested(pattern) + fmt::format("cd 1 T0SZ=16 TTB0={:#x}\naccess read 1 {:#x}\n", hole, place(pattern, 12)));
    add("record-of-a-context", pattern, "F_TRANSLATION",
        fmt::format("stream nested 1 identity=0 S2T0SZ=16 S2SL0=2 S1ContextPtr={:#x}\naccess read 1 {:#x}\n", hole,
                    place(pattern, 12)));
    add("record-of-a-broken-table", pattern, "F_WALK_EABT",
        nested(pattern) +
            fmt::format("break desc 1/s2 {0:#x} level=1\ncd 1 T0SZ=16 TTB0={0:#x}\naccess read 1 0x1000\n",
                        place(pattern, 30)));
    add("record-of-a-size", pattern, "F_ADDR_SIZE",
        fmt::format("stream s1 1\nstream s2 2 S2PS=2\ncd 1 IPS=2\nmap 1 0x1000 pa={0:#x}\naccess read 1 0x1000\n"
                    "map 2/s2 0x1000 pa={0:#x}\naccess read 2 0x1000\n",
                    place(pattern, 12)));
  }

  // Structures above the largest address, whose records have what is below it.
  void beyond(uint64_t pattern) {
    const auto id = static_cast<uint32_t>(pattern & 0xffff);
    const uint64_t above = pattern & ones(52);
    add("stream-table-beyond", pattern, "F_STE_FETCH",
        fmt::format("setup STRTAB_BASE={:#x} STRTAB_BASE_CFG=16\naccess read {:#x} 0\n", above & ~ones(22), id));
    for (const unsigned split : {6, 8, 10}) {
      add(fmt::format("stream-table-2-{}-beyond", split).c_str(), pattern, "F_STE_FETCH",
          fmt::format("setup STRTAB_BASE={:#x} STRTAB_BASE_CFG={:#x}\naccess read {:#x} 0\n", above & ~ones(16),
                      0x10010 | split << 6, id));
      add(fmt::format("stream-table-2-{}-leads-beyond", split).c_str(), pattern, "F_STE_FETCH",
          fmt::format("setup STRTAB_BASE_CFG={:#x}\nstream bypass {:#x} l1={:#x}\naccess read {:#x} 0\n",
                      0x10010 | split << 6, id, (above & ~ones(split + 6)) | (split + 1), id));
    }
    const uint32_t substream = static_cast<uint32_t>(pattern) & 0xfffff;
    for (const unsigned format : {1, 2})
      add(fmt::format("contexts-{}-lead-beyond", format).c_str(), pattern, "C_BAD_SUBSTREAMID",
          fmt::format("stream s1 1 S1CDMax=20 S1Fmt={} S1DSS=0\ncd 1.{:#x} l1={:#x}\naccess read 1.{:#x} 0\n", format,
                      substream, (above & ~ones(16)) | 1, substream));
  }

  // The last page and the last tables that each output size lets be, and the first that it does not.
  void output_sizes(unsigned code) {
    constexpr unsigned kBits[] = {32, 36, 40, 42, 44, 48};
    const uint64_t end = uint64_t{1} << kBits[code];
    struct Stage {
      const char* name;
      const char* field;
      const char* of;
    };
    for (const Stage& stage : {Stage{"stage1", "s1 {0}\ncd {0} ASID={0} IPS={1}", ""},
                               Stage{"stage2", "s2 {0} S2VMID={0} S2PS={1}", "/s2"}}) {
      std::string lines;
      unsigned stream = 0;
      const auto map = [&](uint64_t page, uint64_t tables) {
        ++stream;
        lines +=
            "stream " + fmt::format(fmt::runtime(stage.field), stream, code) + "\n" +
            fmt::format("map {0}{1} 0x1000 pa={2:#x} tables={3:#x}\naccess read {0} 0x1000\naccess write {0} 0x1000\n",
                        stream, stage.of, page, tables);
      };
      constexpr uint64_t kTables = 0x31000000, kTablesSize = 0x40000;
      map(end - 0x1000, kTables);
      map(0x90000000, end - kTablesSize);
      if (kBits[code] < kAddressBits) {
        map(end, kTables + kTablesSize);
        map(0x90000000, end);
      }
      add_wide_enough(fmt::format("output-size/{}/{}", stage.name, code), "Address sizes", lines);
    }
  }

  void commands(uint64_t pattern) {
    const uint64_t w0 = pattern & ~ones(32), low = pattern & 0xfff000;
    std::string lines;
    for (const char* name : {"CFGI_STE", "CFGI_CD", "CFGI_CD_ALL", "TLBI_NH_VA", "TLBI_NH_VAA", "TLBI_EL2_VA",
                             "TLBI_EL2_VAA", "TLBI_S2_IPA", "TLBI_NH_ASID", "TLBI_EL2_ASID", "TLBI_S12_VMALL"}) {
      const bool by_address = std::string_view(name).ends_with("VA") || std::string_view(name).ends_with("IPA") ||
                              std::string_view(name).ends_with("VAA");
      lines += fmt::format("cmd {} sid={:#x} ssid={:#x}{}\n", name, w0 >> 32, low >> 12,
                           by_address ? fmt::format(" va={:#x} tg=1 ttl=3", pattern & ~ones(12)) : std::string());
    }
    for (const unsigned granule : {1, 2, 3})
      for (const unsigned scale : {0, 10, 21, 31})
        lines += fmt::format("cmd TLBI_NH_VA asid={:#x} va={:#x} tg={} num={} scale={}\n", pattern & 0xffff,
                             pattern & ~ones(12), granule, pattern & 31, scale);
    for (const unsigned range : {1, 7, 15, 30})
      lines += fmt::format("cmd CFGI_STE_RANGE sid={:#x} range={}\n", w0 >> 32, range);
    add("commands", pattern, "Commands", lines + "sync\nread CMDQ_CONS\n");
  }

  void add_plain(const std::string& name, const char* section, std::string lines) {
    scripts_.push_back({"wide/" + name, section, {}, std::move(lines), {}});
  }

  // Queues of every size that there is.
  void sizes() {
    for (unsigned log2 = 0; log2 < 20; ++log2)
      add_plain(fmt::format("queue-sizes/{}", log2), "SMMU circular queues",
                fmt::format("setup CMDQ_BASE={:#x} EVENTQ_BASE={:#x}\naccess read 1 0\nquiet\nevents\naccess read 2 0\n"
                            "cmd CFGI_STE sid=1\nsync\nread CMDQ_CONS\nread EVENTQ_PROD\n",
                            0x10000000 | log2, 0x20000000 | log2));
  }

  void corners() {
    for (const unsigned at : {0x40, 0x80, 0xc0, 0x200, 0x800})
      add_plain(
          fmt::format("context-at/{:x}", at), "STE, S1ContextPtr",
          fmt::format("stream s1 1 S1ContextPtr={:#x}\ncd 1\nmap 1 0x1000\naccess read 1 0x1000\n", 0x10000000 + at));
    for (const unsigned substream : {0x55555, 0xaaaaa, 0xfffff})
      add_plain(
          fmt::format("record-of-a-level-1-context/{:x}", substream), "F_TRANSLATION",
          fmt::format("stream nested 1 S1CDMax=20 S1Fmt=1 S1DSS=0 S1ContextPtr=0x700000000000\naccess read 1.{:#x} 0\n",
                      substream));
    add_plain(
        "marks-of-writes", "F_TRANSL_FORBIDDEN",
        "setup CR0=0x1d\nstream s1 1\nmap 1 0x1000\naccess write 1 0x1000 inst\naccess write 1 0x1000 translated\n");
    add_plain(
        "messages-that-fail", "SMMU_GERROR",
        "setup EVENTQ_IRQ_CFG0=0x9ff00000 GERROR_IRQ_CFG0=0x9ff00008\nbreak page 0x9ff00000\naccess read 1 0\nquiet\n"
        "read GERROR\nrecover\nquiet\nread GERRORN\nread GERROR\nrecover\nread GERRORN\n");
    std::string lines;
    for (unsigned i = 0; i < 24; ++i) lines += "cmd TLBI_NSNH_ALL hold\n";
    add_plain("many-commands", "Command queue", lines + "sync\nread CMDQ_CONS\n");
    lines.clear();
    for (unsigned i = 0; i < 6; ++i)
      lines += fmt::format("cmd SYNC cs=1 msi_addr={:#x} msi_data={} hold\n", 0x9ff00000 + 8 * i, i);
    add_plain("many-messages", "CMD_SYNC", lines + "sync cs=1 msi_addr=0x9ff00100\nread CMDQ_CONS\n");
    // The last of four commands that are fetched at once waits, and the buffer fills behind it.
    lines = "stream bypass 1\naccess read 1 0\n";
    for (unsigned i = 0; i < 20; ++i) lines += i == 3 ? "cmd SYNC hold\n" : "cmd CFGI_STE sid=2 hold\n";
    add_plain("commands-behind-a-sync-that-waits", "CMD_SYNC", lines + "sync\nread CMDQ_CONS\n");
    add_plain("largest-range", "Range-based invalidation and level hint",
              "cmd TLBI_NH_VA tg=3 num=31 scale=31\ncmd TLBI_NH_VA tg=2 num=31 scale=31\nsync\n");
    for (const unsigned granule : {1, 2})
      add_plain(fmt::format("start-level-3/{}", granule), "STE, S2SL0",
                fmt::format("stream s2 1 S2TG={} S2SL0=3\naccess read 1 0\n", granule));
    // Queues and interrupts that are switched off while they have something to do.
    add_plain("off-while-busy", "SMMU_CR0",
              "setup EVENTQ_IRQ_CFG0=0x9ff00000\naccess read 1 0\nwrite IRQ_CTRL 0\naccess read 1 0\nwrite CR0 0x9\n"
              "cmd TLBI_NSNH_ALL hold\ncmd TLBI_NSNH_ALL\nwrite CR0 1\nquiet\nread CR0ACK\nread IRQ_CTRLACK\n");
    add_plain("errors-off-while-busy", "SMMU_IRQ_CTRL",
              "setup GERROR_IRQ_CFG0=0x9ff00000\ncmd RAW w0=0\nwrite IRQ_CTRL 0\nquiet\nread IRQ_CTRLACK\nrecover\n");
    // The same, some time later each: on a device that takes time, a message is under way in one of them.
    std::string events = "setup EVENTQ_IRQ_CFG0=0x9ff00000\n", errors = "setup GERROR_IRQ_CFG0=0x9ff00000\n";
    for (unsigned ticks = 10; ticks <= 120; ticks += 10) {
      constexpr const char* kOffAndOn = "tick {}\nwrite IRQ_CTRL 0\nquiet\n{}\nwrite IRQ_CTRL 5\n";
      events += "access read 1 0\n" + fmt::format(kOffAndOn, ticks, "events");
      errors += "cmd RAW w0=0\n" + fmt::format(kOffAndOn, ticks, "recover");
    }
    add_plain("messages-off-while-busy/events", "SMMU_IRQ_CTRL", events);
    add_plain("messages-off-while-busy/errors", "SMMU_IRQ_CTRL", errors);
    // Clients reach nothing.
    add_plain("nothing-downstream", "Bus errors of clients",
              "stream bypass 1\nbreak page 0x9ff00000\naccess read 1 0x9ff00000\naccess write 1 0x9ff00008\n"
              "access atomic 1 0x9ff00010\n");
    // Software that writes less than a word.
    add_plain("small-writes", "Memory map and registers",
              "write GBPA 0x15 size=1\nread GBPA\nwrite CR1 0x5 size=2\nread CR1\nread CR0 size=1\n");
  }

  std::vector<DirectedScript>& scripts_;
};

}  // namespace

void add_wide(std::vector<DirectedScript>& scripts) { Wide(scripts).all(); }

}  // namespace lockstep::smmu_rtl_bridge::directed
