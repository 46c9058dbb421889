// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/stimulus/directed/crosses.h"

#include <fmt/format.h>

#include "smmu_rtl_bridge/stimulus/directed/groups.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

using Scripts = std::vector<DirectedScript>;

// The identity of stage 2 of stream 1: four blocks of 1 GiB. Contexts lie in the first, and these scripts put tables of
// stage 1 into the last.
constexpr uint64_t kIdentity = 0x3010'0000;
constexpr uint64_t kTables = 0xc000'0000;
constexpr uint64_t kEverything = 0x7fd;

void add(Scripts& scripts, std::string name, const char* section, std::string lines,
         std::vector<Setting> settings = {}) {
  scripts.push_back({"cross/" + std::move(name), section, std::move(settings), std::move(lines), {}});
}

std::string each_access(const char* where) {
  std::string lines;
  for (const char* kind : {"read", "write", "exec"})
    lines += fmt::format("access {} {}\naccess {} {} priv\n", kind, where, kind, where);
  return lines;
}

void add_registers(Scripts& scripts) {
  std::string lines;
  for (const char* name : {"IDR0", "IDR1", "IDR2", "IDR3", "IDR4", "IDR5", "IIDR", "AIDR", "AGBPA", "STATUSR", "CR0ACK",
                           "IRQ_CTRLACK", "GERROR"})
    lines += fmt::format("write {} 0xffffffff\nread {}\n", name, name);
  add(scripts, "registers/read-only", "Memory map and registers", lines);

  lines = "write CR1 0xffffffff\nread CR1\nwrite CR2 0xffffffff\nread CR2\n";
  for (const char* name :
       {"GERROR_IRQ_CFG0", "GERROR_IRQ_CFG1", "GERROR_IRQ_CFG2", "EVENTQ_IRQ_CFG0", "EVENTQ_IRQ_CFG1",
        "EVENTQ_IRQ_CFG2", "PRIQ_IRQ_CFG0", "PRIQ_IRQ_CFG1", "PRIQ_IRQ_CFG2", "STRTAB_BASE", "STRTAB_BASE_CFG",
        "CMDQ_BASE", "EVENTQ_BASE", "PRIQ_BASE", "EVENTQ_PROD", "PRIQ_PROD", "CMDQ_CONS"})
    lines += fmt::format("write {} 0x14\nread {}\n", name, name);
  add(scripts, "registers/guarded", "Memory map and registers", lines);

  lines = "write IRQ_CTRL 0xfffffff8\nread IRQ_CTRL\nwrite GERRORN 0xfffffe02\nread GERRORN\n";
  for (const char* source : {"GERROR", "EVENTQ", "PRIQ"}) {
    const uint64_t low = std::string_view(source) == "GERROR"   ? 0x68
                         : std::string_view(source) == "EVENTQ" ? 0xb0
                                                                : 0xd0;
    lines += fmt::format(
        "write {0}_IRQ_CFG0 0xfff0000000000003\nwrite {1:#x} 0x9ff00000\nwrite {2:#x} 0\nread {0}_IRQ_CFG0\n"
        "write {0}_IRQ_CFG1 0x55\nwrite {0}_IRQ_CFG2 0x7fffffff\nread {0}_IRQ_CFG2\nwrite {0}_IRQ_CFG2 0\n",
        source, low, low + 4);
  }
  lines += "write PRIQ_IRQ_CFG2 0x80000000\nwrite PRIQ_IRQ_CFG2 0\n";
  add(scripts, "registers/interrupts", "Memory map and registers", "setup IRQ_CTRL=0\n" + lines);

  lines = "quiet\nwrite CR0 0\n";
  for (const char* value : {"0xf", "0", "0xf", "0"}) lines += fmt::format("write CR2 {}\nread CR2\n", value);
  lines += "write CR1 0xfffff000\nwrite CR1 0xfff\nread CR1\n";
  for (const uint64_t offset : {0x80, 0x90, 0xa0, 0xc0})
    lines += fmt::format("write {:#x} 0x1000000\nwrite {:#x} 0\n", offset, offset + 4);
  for (const char* name : {"STRTAB_BASE", "CMDQ_BASE", "EVENTQ_BASE", "PRIQ_BASE"})
    lines += fmt::format("write {0} 0xbff000000100001f\nread {0}\n", name);
  for (const char* name : {"CMDQ_PROD", "CMDQ_CONS", "EVENTQ_PROD", "EVENTQ_CONS", "PRIQ_PROD", "PRIQ_CONS"})
    lines += fmt::format("write {0} 0x7ff00001\nread {0}\nwrite {0} 0\n", name);
  for (const char* value : {"0x20188", "0x101c8", "0x10208", "0x10288", "0x3f", "0xfffc0008"})
    lines += fmt::format("write STRTAB_BASE_CFG {}\nread STRTAB_BASE_CFG\n", value);
  lines += "write CR0 0xfffffc00 nowait\nread CR0\nwrite CR0 0x1c0\nread CR0\nwrite CR0 0\n";
  add(scripts, "registers/off", "Memory map and registers", lines);
  add(scripts, "registers/controls-fall", "SMMU_CR0",
      "setup CR0=0x1f\nquiet\nwrite CR0 0xf\nwrite CR0 0xd\nwrite CR0 0x9\nwrite CR0 0x1\nwrite CR0 0\nread CR0\n"
      "read CR0ACK\n");
  add(scripts, "registers/size-of-the-stream-table", "SMMU_STRTAB_BASE_CFG",
      "setup STRTAB_BASE_CFG=0x3e\naccess read 1 0\n", {{"stream_id_bits", "6"}});
}

void add_commands(Scripts& scripts) {
  std::string lines = "setup CR0=0xc\n";
  for (const char* command : {"PREFETCH_CONFIG sid=1",
                              "PREFETCH_ADDR sid=1",
                              "CFGI_STE sid=1",
                              "CFGI_STE_RANGE range=31",
                              "CFGI_CD sid=1",
                              "CFGI_CD_ALL sid=1",
                              "TLBI_NH_ALL",
                              "TLBI_NH_ASID",
                              "TLBI_NH_VA",
                              "TLBI_NH_VAA",
                              "TLBI_EL2_ALL",
                              "TLBI_EL2_ASID",
                              "TLBI_EL2_VA",
                              "TLBI_EL2_VAA",
                              "TLBI_S12_VMALL",
                              "TLBI_S2_IPA",
                              "TLBI_NSNH_ALL",
                              "ATC_INV sid=1",
                              "PRI_RESP sid=1",
                              "RESUME sid=1",
                              "STALL_TERM sid=1"})
    lines += fmt::format("cmd {}\nsync\n", command);
  add(scripts, "commands/while-off", "Commands", lines);
  for (const char* command : {"TLBI_NH_VA", "TLBI_NH_VAA", "TLBI_EL2_VA", "TLBI_EL2_VAA", "TLBI_S2_IPA"}) {
    lines.clear();
    for (const unsigned num : {0, 7, 31})
      for (const unsigned scale : {0, 5, 31})
        lines += fmt::format("cmd {} tg=1 ttl=3 num={} scale={} va=0x1000\n", command, num, scale);
    for (const unsigned granule : {1, 2, 3})
      for (const unsigned level : {0, 1, 2, 3})
        for (const unsigned leaf : {0, 1})
          lines += fmt::format("cmd {} tg={} ttl={} leaf={} num=1 scale=1\n", command, granule, level, leaf);
    add(scripts, fmt::format("commands/ranges/{}", command), "Range-based invalidation and level hint",
        lines + "sync\n");
  }
}

// Stage 2 refuses a fetch of the SMMU's own.
void add_nested_faults(Scripts& scripts) {
  struct Fault {
    const char* name;
    uint64_t bits;
    const char* fields;
  };
  constexpr Fault kFaults[] = {{"translation", 0, ""},
                               {"address-size", 0x1'0000'0000 | kEverything, " S2PS=0"},
                               {"access-flag", kEverything & ~uint64_t{0x400}, ""},
                               {"permission", kEverything & ~uint64_t{0xc0}, ""},
                               {"protected", kEverything & ~uint64_t{0x3c}, " S2PTW=1"}};
  constexpr unsigned kSizes[] = {16, 25, 34, 45};  // T0SZ whose walk starts at each level
  for (const Fault& fault : kFaults) {
    const auto block = [&](unsigned index) {
      const uint64_t value = fault.bits == 0 ? 0 : fault.bits | index * uint64_t{0x4000'0000};
      return fmt::format("poke {:#x} value={:#x}\n", kIdentity + 8 * index, value);
    };
    for (const unsigned stalls : {0, 1}) {
      const std::string stream = fmt::format("stream nested 1{} S2S={}", fault.fields, stalls);
      add(scripts, fmt::format("nested/{}/context/{}", fault.name, stalls ? "stall" : "no-stall"), "Two stages",
          fmt::format("{}\ncd 1 T0SZ=25\n{}{}quiet\n", stream, block(0), each_access("1 0x1000")));
      for (unsigned level = 0; level < 4; ++level)
        add(scripts, fmt::format("nested/{}/table-L{}/{}", fault.name, level, stalls ? "stall" : "no-stall"),
            "Two stages",
            fmt::format("{}\ncd 1 T0SZ={} TTB0={:#x}\n{}{}quiet\n", stream, kSizes[level], kTables, block(3),
                        each_access("1 0x1000")));
    }
    add(scripts, fmt::format("nested/{}/context-level-1", fault.name), "Two stages",
        fmt::format("stream nested 1 S1CDMax=8 S1Fmt=1{}\ncd 1.3\n{}access read 1.3 0\n", fault.fields, block(0)));
  }
  for (unsigned level = 0; level < 4; ++level)
    add(scripts, fmt::format("nested/bus-error/table-L{}", level), "Two stages",
        fmt::format("stream nested 1 S2TTB=0x80000000 identity=0\nmap 1/s2 0x10010000 pa=0x10010000\n"
                    "cd 1 T0SZ={} TTB0={:#x}\nbreak desc 1/s2 {:#x} level=2\naccess read 1 0\n",
                    kSizes[level], kTables, kTables));
}

// A walk that ends at the first descriptor it reads: at each level that a walk can start at.
void add_walk_faults(Scripts& scripts) {
  struct Start {
    const char* name;
    unsigned code;   // of the granule, as TG0 and S2TG have it
    unsigned size1;  // T0SZ
    unsigned size2;  // S2T0SZ
    unsigned start2;
    bool last;
  };
  constexpr Start kStarts[] = {
      {"4K/L0", 0, 16, 20, 2, false},  {"4K/L1", 0, 25, 25, 1, false}, {"4K/L2", 0, 34, 34, 0, false},
      {"4K/L3", 0, 45, 43, 3, true},   {"16K/L0", 2, 16, 0, 0, false}, {"16K/L1", 2, 17, 24, 2, false},
      {"16K/L2", 2, 30, 30, 1, false}, {"16K/L3", 2, 40, 40, 0, true}, {"64K/L1", 1, 21, 20, 2, false},
      {"64K/L2", 1, 30, 30, 1, false}, {"64K/L3", 1, 36, 36, 0, true},
  };
  // Without 52-bit addresses there is no block at level 1 of 64 KiB tables.
  const std::vector<Setting> settings = {{"oas_bits", "48"}, {"va52", "0"}};
  for (const Start& start : kStarts) {
    struct Value {
      const char* name;
      uint64_t value;
    };
    const Value values[] = {
        {"invalid", 0}, {"reserved", 1}, {"address-size", start.last ? 0x1'0000'0703u : 0x1'0000'0003u}};
    for (const Value& value : values) {
      add(scripts, fmt::format("walk/stage1/{}/{}", start.name, value.name), "Translation table walks",
          fmt::format("stream s1 1\ncd 1 TG0={} T0SZ={} IPS=0 TTB0=0x80000000\npoke 0x80000000 value={:#x}\n"
                      "access read 1 0\n",
                      start.code, start.size1, value.value),
          settings);
      if (start.size2 == 0) continue;
      add(scripts, fmt::format("walk/stage2/{}/{}", start.name, value.name), "Translation table walks",
          fmt::format("stream s2 1 S2TG={} S2T0SZ={} S2SL0={} S2PS=0 S2TTB=0x80000000\npoke 0x80000000 value={:#x}\n"
                      "access read 1 0\n",
                      start.code, start.size2, start.start2, value.value),
          settings);
    }
    add(scripts, fmt::format("walk/stage1/{}/bus-error", start.name), "Translation table walks",
        fmt::format("stream s1 1\ncd 1 TG0={} T0SZ={} TTB0=0x80000000\nbreak page 0x80000000\naccess read 1 0\n",
                    start.code, start.size1),
        settings);
  }
  struct Tables {
    unsigned code;
    unsigned start;
    unsigned single;  // S2T0SZ with one table
  };
  for (const Tables& t : {Tables{0, 3, 43}, Tables{0, 0, 34}, Tables{0, 1, 25}, Tables{2, 0, 39}, Tables{2, 1, 28},
                          Tables{1, 0, 35}, Tables{1, 1, 22}})
    for (unsigned more = 0; more < 5; ++more)
      add(scripts, fmt::format("walk/side-by-side/{}-{}-{}", t.code, t.start, 1u << more), "STE, S2SL0",
          fmt::format("stream s2 1 S2TG={0} S2T0SZ={1} S2SL0={2} S2TTB=0x80000000\naccess read 1 0\n"
                      "access read 1 {3:#x}\n",
                      t.code, t.single - more, t.start, (uint64_t{1} << (64 - t.single + more)) - 0x1000));
}

void add_regimes(Scripts& scripts) {
  for (const unsigned aset : {0, 1})
    for (const char* half : {"0x1000", "0xffffff8000001000"})
      add(scripts, fmt::format("regime/global/ASET-{}/{}", aset, half), "CD, ASET",
          fmt::format("setup CR2=3\nstream s1 1 STRW=2\ncd 1 EPD1=0 ASET={0}\nmap 1 {1} ng=0\naccess read 1 {1}\n"
                      "cmd TLBI_EL2_ASID asid=17\nsync\naccess read 1 {1}\ncmd TLBI_EL2_VA asid=99 va={1}\nsync\n"
                      "access read 1 {1}\n",
                      aset, half));
  add(scripts, "regime/EL2-E2H/64K-big", "STE, STRW",
      "setup CR2=3\nstream s1 1 STRW=2\ncd 1 EPD1=0 ENDI=1 TG1=3 T1SZ=21 TTB1=0x80000000\n"
      "poke 0x80000000 value=0x4107000000000000\naccess read 1 0xfffff80000000000\n");
  add(scripts, "regime/contiguous/4K-L1", "Contiguous bit",
      "stream s1 1\nmap 1 0 level=1 cont pa=0\naccess read 1 0\nstream s2 2\nmap 2/s2 0 level=1 cont pa=0\n"
      "access read 2 0\n");
  for (unsigned memattr = 0; memattr < 16; ++memattr)
    for (const char* forced : {"0", "1"})
      add(scripts, fmt::format("attributes/non-cacheable/{}-{}", memattr, forced), "Attribute Transformation",
          fmt::format("stream nested 1 S2FWB={}\ncd 1 MAIR=0x44\nmap 1 0 pa={:#x} attr=0\npoke {:#x} value={:#x}\n"
                      "access read 1 0\n",
                      forced, kTables, kIdentity + 24, kTables | 0x7c1 | memattr << 2));
  struct Update {
    unsigned code, size, start, level;
  };
  for (const Update& u : {Update{0, 25, 1, 1}, Update{0, 25, 1, 2}, Update{0, 25, 1, 3}, Update{2, 30, 1, 2},
                          Update{2, 30, 1, 3}, Update{1, 20, 2, 1}, Update{1, 30, 1, 2}, Update{1, 30, 1, 3}})
    for (const char* kind : {"read", "write"})
      for (const unsigned af : {0, 1})
        add(scripts, fmt::format("httu/{}-L{}-{}-{}", u.code, u.level, kind, af), "Hardware update",
            fmt::format("stream s2 1 S2TG={} S2T0SZ={} S2SL0={} S2HA=1 S2HD=1 S2TTB=0x80000000\n"
                        "map 1/s2 0 level={} af={} s2ap=1 dbm=1 pa=0\naccess {} 1 0\n",
                        u.code, u.size, u.start, u.level, af, kind));
  add(scripts, "httu/table-update", "Hardware update",
      fmt::format("stream nested 1 S2HA=1 S2HD=1\ncd 1 HA=1 HD=1 TTB0={0:#x}\npoke {0:#x} value=0x341\n"
                  "poke {1:#x} value={2:#x}\naccess write 1 0\n",
                  kTables, kIdentity + 24, kTables | 0x800000000077d));
  for (const unsigned split : {6, 8, 10})
    for (const unsigned span : {1, 3, 31})
      add(scripts, fmt::format("stream-table/split-{}-span-{}", split, span), "Level 1 Stream Table Descriptor",
          fmt::format("setup STRTAB_BASE_CFG={:#x}\nstream bypass 0 span={}\naccess read 0 0\naccess read 9 0\n",
                      0x10000 | split << 6 | 12, span));
  add(scripts, "ste/stage2-absent", "STE, Config", "stream s2 1\naccess read 1 0\n", {{"stage2", "0"}});
  add(scripts, "contexts/reserved-format", "STE, S1Fmt",
      "stream s1 1 S1Fmt=3 S1CDMax=2 S1DSS=2\ncd 1\ncd 1.1\naccess read 1.1 0\naccess read 1 0\n");
}

void add_invalidations(Scripts& scripts) {
  for (const char* command :
       {"TLBI_NH_ALL vmid=5", "TLBI_NH_ASID vmid=5 asid=17", "TLBI_NH_VA vmid=5 asid=17 va=0x1000",
        "TLBI_NH_VAA vmid=5 va=0x1000", "TLBI_S12_VMALL vmid=5"})
    add(scripts,
        fmt::format("invalidation/VMW/{}", std::string_view(command).substr(0, std::string_view(command).find(' '))),
        "SMMU_CR0, VMW",
        fmt::format("setup CR0=0x4f\nstream s1 1 S2VMID=4\nmap 1 0x1000\naccess read 1 0x1000\nquiet\nunmap 1 0x1000\n"
                    "cmd {}\nsync\naccess read 1 0x1000\n",
                    command));
  add(scripts, "invalidation/VMW/TLBI_S2_IPA", "SMMU_CR0, VMW",
      "setup CR0=0x4f\nstream s2 1 S2VMID=4\nmap 1/s2 0x1000\naccess read 1 0x1000\nquiet\nunmap 1/s2 0x1000\n"
      "cmd TLBI_S2_IPA vmid=5 va=0x1000\nsync\naccess read 1 0x1000\n");
  add(scripts, "invalidation/other-VMID", "CMD_TLBI_NH_ASID",
      "stream s1 1 S2VMID=4\nmap 1 0x1000\naccess read 1 0x1000\ncmd TLBI_NH_ASID vmid=9 asid=17\nsync\n"
      "access read 1 0x1000\n");
}

void add_queues(Scripts& scripts) {
  // Events while there is no queue for them.
  add(scripts, "events/queue-off", "Event queue",
      "setup CR0=0x1b\nstream s1 1\nbreak ste 1\naccess read 1 0\nmend ste 1\naccess read 0xffff0000 0\n"
      "stream s1 2\nbreak cd 2\naccess read 2 0\nmend cd 2\ncd 2 V=0\naccess read 2 0\naccess read 2.1 0\n"
      "stream s1 3 S1CDMax=2 S1DSS=0\naccess read 3 0\naccess read 3 0 translated\nats 3 0\n"
      "stream s1 4\naccess read 4 0\nmap 4 0 pa=0 af=0\naccess read 4 0\nmap 4 0x200000 ap=2\naccess write 4 0x200000\n"
      "cd 5\nstream s1 5\ncd 5 IPS=0\nmap 5 0 pa=0x100000000\naccess read 5 0\nstream s1 6\nbreak desc 6 0 level=1\n"
      "access read 6 0\nstream s1 7 S1ContextPtr=0x10\nstream s1 8 STRW=1\naccess read 8 0\n");
  add(scripts, "stall/queue-off", "Stall model",
      "setup CR0=0xb\nstream s1 1\ncd 1 S=1\naccess read 1 0\nquiet\nwrite CR0 0xf\nquiet\nresume retry 1\n");
  add(scripts, "stall/abort-and-retry", "CMD_RESUME",
      "stream s1 1\ncd 1 S=1\naccess read 1 0\nquiet\ncmd RESUME sid=1 resp=3 stag=0\nsync\ncmd STALL_TERM "
      "sid=1\nsync\n"
      "stream s2 2 S2S=1\naccess read 2 0\nquiet\ncmd RESUME sid=2 resp=3 stag=0\nsync\ncmd STALL_TERM sid=2\nsync\n");
  for (const char* control : {"0x2", "0xa"}) {
    const std::string setup = fmt::format("setup CR2={}\n", control);
    const auto one = [&](const char* name, const char* lines) {
      add(scripts, fmt::format("ats/errors/{}-{}", name, control), "Responses to ATS Translation Requests",
          setup + "stream s1 1 EATS=1\n" + lines);
    };
    one("ste", "break ste 1\nats 1 0\n");
    one("stream", "ats 0xffff0000 0\n");
    one("cd", "break cd 1\nats 1 0\n");
    one("walk", "map 1 0\nbreak desc 1 0 level=1\nats 1 0\n");
  }
  add(scripts, "ats/bypass", "STE, EATS", "stream bypass 1 EATS=1\nats 1 0\n");
  add(scripts, "ats/three-pending", "CMD_ATC_INV",
      "stream s1 1 EATS=1\natc later\ncmd ATC_INV sid=1 hold\ncmd ATC_INV sid=1 hold\ncmd ATC_INV sid=1 hold\nsync\n");
  for (const char* control : {"0xd", "0xe"})
    add(scripts, fmt::format("pri/CR0-{}", control), "Page request queue",
        fmt::format("setup CR0={}\nstream s1 1 EATS=1\npage 1 0 read group=1\npage 1 0 read last group=1\n", control));
  add(scripts, "messages/PRIQ-to-nowhere", "SMMU_GERROR",
      "setup PRIQ_IRQ_CFG0=0x9ff00000\nbreak page 0x9ff00000\nstream s1 1 EATS=1\npage 1 0 read last group=1\nquiet\n"
      "read GERROR\nrecover\nread GERRORN\n");
  add(scripts, "messages/GERROR-to-nowhere", "SMMU_GERROR",
      "setup GERROR_IRQ_CFG0=0x9ff00000\nbreak page 0x9ff00000\ncmd RAW w0=0\nquiet\nread GERROR\nrecover\nsync\n"
      "read GERRORN\n");
}

// Rules of which each needs a world of its own.
void add_rules(Scripts& scripts) {
  const std::vector<Setting> small = {{"oas_bits", "40"}, {"va52", "0"}};
  add(scripts, "rules/table-bases-are-aligned", "CD, TTB0",
      "stream s1 1\ncd 1 TTB0=0x80000fc0\npoke 0x80000000 value=0x741\naccess read 1 0\n"
      "stream s2 2 S2TTB=0x90000fc0\npoke 0x90000000 value=0x7fd\naccess read 2 0\n");
  add(scripts, "rules/merging-is-for-one-page", "Event record merging",
      "stream s1 1 MEV=1\naccess read 1 0x1000\naccess read 1 0x2000\naccess read 1 0x2008\nquiet\n");
  add(scripts, "rules/merging-wants-MEV", "Event record merging",
      "stream s1 1 MEV=0\naccess read 1 0x1000\naccess read 1 0x1000\nquiet\n");
  add(scripts, "rules/merging-is-for-one-stream", "Event record merging",
      "stream s1 1 MEV=1\nstream s1 2 MEV=1\naccess read 1 0x1000\naccess read 2 0x1000\nquiet\n");
  add(scripts, "rules/TTB1-means-nothing-in-EL2", "CD, TTB1",
      "stream s1 1 STRW=2\ncd 1 EPD1=0 T1SZ=63 TG1=0\nmap 1 0x1000\naccess read 1 0x1000\n");
  add(scripts, "rules/EPD0-means-nothing-in-EL2", "CD, EPD0",
      "stream s1 1 STRW=2\ncd 1 EPD0=1\nmap 1 0x1000\naccess read 1 0x1000\n");
  add(scripts, "rules/overflow-toggles-once", "Event queue overflow",
      "setup EVENTQ_BASE=0x6800000\nstream s1 1\naccess read 1 0x1000\naccess read 1 0x2000\naccess read 1 0x3000\n"
      "read EVENTQ_PROD\nevents\nread EVENTQ_PROD\naccess read 1 0x1000\nread EVENTQ_PROD\n");
  // With time between, so that a device that takes some shows each step.
  add(scripts, "rules/overflow-stays-until-acknowledged", "Event queue overflow",
      "setup EVENTQ_BASE=0x6800000\nstream s1 1\naccess read 1 0x1000\naccess read 1 0x2000\ntick 500\n"
      "read EVENTQ_PROD\naccess read 1 0x3000\ntick 500\nread EVENTQ_PROD\n");
  add(scripts, "rules/atomic-that-lacks-read", "Event records",
      "stream s2 1\nmap 1/s2 0 s2ap=2\naccess atomic 1 0\nstream s2 2\nmap 2/s2 0 s2ap=1\naccess atomic 2 0\n");
  add(scripts, "rules/IPS-beyond-OAS", "CD, IPS",
      "stream s1 1\ncd 1 IPS=5\nmap 1 0 pa=0x10000000000\naccess read 1 0\n", small);
  add(scripts, "rules/S2PS-beyond-OAS", "STE, S2PS",
      "stream s2 1 S2PS=5\nmap 1/s2 0 pa=0x10000000000\naccess read 1 0\n", small);
  add(scripts, "rules/S2T0SZ-beyond-IAS", "STE, S2T0SZ", "stream s2 1 S2T0SZ=20 S2SL0=1\naccess read 1 0\n", small);
  for (const unsigned granule : {0, 1, 2})
    add(scripts, fmt::format("rules/start-level-below-44-bits/{}", granule), "STE, S2SL0",
        fmt::format("stream s2 1 S2TG={} S2SL0=2 S2T0SZ=24 S2TTB=0x80000000\naccess read 1 0\n", granule), small);
  add(scripts, "rules/TTB-beyond-IPS", "CD, TTB0", "stream s1 1\ncd 1 IPS=0 TTB0=0x100000000\naccess read 1 0\n");
  for (const char* fields : {"HD=1", "HA=1", "HA=1 HD=1"})
    for (const unsigned dbm : {0, 1})
      add(scripts, fmt::format("rules/dirty-wants-both/{}-{}", fields, dbm), "Hardware update of dirty state",
          fmt::format("stream s1 1\ncd 1 {}\nmap 1 0 ap=3 dbm={}\naccess read 1 0\naccess write 1 0\n", fields, dbm));
  add(scripts, "rules/range-of-16K-without-level-1", "Range-based invalidation and level hint",
      "cmd TLBI_NH_VA tg=2 ttl=1\nquiet\nread CMDQ_CONS\nrecover\nsync\n");
  add(scripts, "rules/PPAR", "PRI queue overflow",
      "setup PRIQ_BASE=0x7000000\nstream s1 1 EATS=1 S1CDMax=2 PPAR=0\npage 1.1 0 read last group=1\n"
      "page 1.1 0 read last group=2\npage 1.1 0 read group=3\n");
  for (const char* size : {"T0SZ=14", "T0SZ=48", "T0SZ=47"})
    add(scripts, fmt::format("rules/64K/{}", size), "CD, T0SZ",
        fmt::format("stream s1 1\ncd 1 TG0=1 {}\naccess read 1 0\n", size), {{"va52", "0"}});
  add(scripts, "rules/S2T0SZ-too-large", "STE, S2T0SZ",
      "stream s2 1 S2TG=0 S2SL0=3 S2T0SZ=49\naccess read 1 0\nstream s2 2 S2TG=1 S2SL0=0 S2T0SZ=48\naccess read 2 0\n");
  add(scripts, "rules/top-byte-of-each-half", "CD, TBI",
      "stream s1 1\ncd 1 TBI0=1 TBI1=0 EPD1=0\nmap 1 0x1000\nmap 1 0xffffff8000001000\naccess read 1 "
      "0x5500000000001000\n"
      "access read 1 0xffffff8000001000\naccess read 1 0x55ffff8000001000\ncd 1 TBI1=1 TBI0=0\ncmd CFGI_CD "
      "sid=1\nsync\n"
      "access read 1 0x55ffff8000001000\naccess read 1 0x5500000000001000\n");
  add(scripts, "rules/contexts-of-a-stream-are-apart", "CMD_CFGI_CD_ALL",
      "stream s1 1 S1CDMax=4 S1DSS=1\ncd 1.1\ncd 1.2\nmap 1.1 0x1000 pa=0x80001000\nmap 1.2 0x1000 pa=0x90001000\n"
      "access read 1.1 0x1000\naccess read 1.2 0x1000\nquiet\ncd 1.1 V=0\ncd 1.2 V=0\ncmd CFGI_CD_ALL sid=1\nsync\n"
      "access read 1.1 0x1000\naccess read 1.2 0x1000\n");
  add(scripts, "rules/CFGI_CD-of-a-substream", "CMD_CFGI_CD",
      "stream s1 1 S1CDMax=4 S1DSS=1\ncd 1.2\nmap 1.2 0x1000\naccess read 1.2 0x1000\nquiet\ncd 1.2 V=0\n"
      "cmd CFGI_CD sid=1 ssid=2\nsync\naccess read 1.2 0x1000\n");
  add(scripts, "rules/CFGI_STE_RANGE-reaches-all", "CMD_CFGI_STE_RANGE",
      "stream bypass 4\nstream bypass 7\naccess read 4 0\naccess read 7 0\nquiet\nstream 4 V=0\nstream 7 V=0\n"
      "cmd CFGI_STE_RANGE sid=5 range=1\nsync\naccess read 4 0\naccess read 7 0\n");
  add(scripts, "rules/CFGI_STE-reaches-contexts", "CMD_CFGI_STE",
      "stream s1 1\nmap 1 0x1000\naccess read 1 0x1000\nquiet\ncd 1 V=0\ncmd CFGI_STE sid=1 leaf=0\nsync\n"
      "access read 1 0x1000\n");
  add(scripts, "rules/GBPA-wants-Update", "SMMU_GBPA",
      "setup CR0=0xc\nwrite GBPA 0x00100000\nread GBPA\naccess read 1 0\nwrite GBPA 0x80101000\nread GBPA\naccess read "
      "1 0\n"
      "write GBPA 0x80001f15\naccess read 1 0\n");
  add(scripts, "rules/RESUME-and-STALL_TERM-name-a-stream", "CMD_RESUME",
      "stream s1 1\ncd 1 S=1\nstream s1 2\ncd 2 S=1\naccess read 1 0x1000\naccess read 2 0x1000\nquiet\n"
      "cmd RESUME sid=2 resp=0 stag=0\nsync\nquiet\ncmd STALL_TERM sid=1\nsync\nquiet\nresume terminate 2\n");
  add(scripts, "rules/terminate-gives-zero", "CMD_RESUME",
      "stream s1 1\ncd 1 S=1\naccess read 1 0x1000\nquiet\nresume terminate 1\naccess read 1 0x1000\nquiet\n"
      "resume abort 1\n");
  add(scripts, "rules/terminate-must-abort", "CMD_RESUME",
      "stream s1 1\ncd 1 S=1 A=1\naccess read 1 0x1000\nquiet\nresume terminate 1\n", {{"terminate_abort_only", "1"}});
  add(scripts, "rules/off-terminates-stalls", "SMMU_CR0, SMMUEN",
      "stream s1 1\ncd 1 S=1\naccess read 1 0x1000\nquiet\nwrite CR0 0xe\nquiet\n");
}

// What tells small mistakes of a device from what is right.
void add_distinctions(Scripts& scripts) {
  const auto rule = [&](const char* name, const char* section, std::string lines, std::vector<Setting> settings = {}) {
    add(scripts, fmt::format("rules/{}", name), section, std::move(lines), std::move(settings));
  };
  rule("S1DSS-means-nothing-without-a-table", "STE, S1DSS",
       "stream s1 1 S1DSS=1\nmap 1 0x1000 pa=0x80005000\naccess read 1 0x1000\n");
  rule("S2FWB-without-the-feature", "STE, S2FWB",
       "stream s2 1 S2FWB=1\nmap 1/s2 0 memattr=9\nmap 1/s2 0x1000 memattr=6\naccess read 1 0\naccess read 1 0x1000\n",
       {{"force_write_back", "0"}});
  rule("S2FWB-over-devices", "STE, S2FWB",
       "stream s2 1 S2FWB=1\nmap 1/s2 0 memattr=6\naccess read 1 0 type=0\naccess read 1 0 type=0x44\n");
  for (const unsigned memattr : {4, 9})
    rule(memattr == 4 ? "S2PTW-with-S2FWB/normal" : "S2PTW-with-S2FWB/device", "STE, S2PTW",
         fmt::format("stream nested 1 S2FWB=1 S2PTW=1\ncd 1 TTB0={:#x}\npoke {:#x} value={:#x}\naccess read 1 0\n",
                     kTables, kIdentity + 24, kTables | 0x7c1 | memattr << 2));
  std::string lines = "stream s2 1\n";
  for (const uint64_t never : {0, 1, 2, 3})
    lines += fmt::format("map 1/s2 {0:#x} or={1:#x}\naccess exec 1 {0:#x}\naccess exec 1 {0:#x} priv\n", never << 12,
                         never << 53);
  rule("execute-never-of-stage2", "Stage 2 XN[1:0]", lines);
  rule("ENDI-without-tables", "CD, ENDI", "stream s1 1\ncd 1 ENDI=1 EPD0=1 EPD1=1\naccess read 1 0\n",
       {{"table_endianness", "2"}});
  rule("HAD-of-a-kept-pointer", "CD, HAD0",
       "stream s1 1\nmap 1 0\npointer 1 0 ap=1\naccess read 1 0\ncd 1 HAD0=1\ncmd CFGI_STE_RANGE\nsync\naccess atomic "
       "1 0\n");
  rule("span-beyond-the-split", "Level 1 Stream Table Descriptor",
       "setup STRTAB_BASE_CFG=0x1018c\nstream bypass 0 span=9\naccess read 0 0\n");
  rule("clean-pages-are-marked-after-a-read", "Hardware update of dirty state",
       "stream s2 1 S2HA=1 S2HD=1\nmap 1/s2 0 s2ap=1 dbm=1\naccess read 1 0\naccess write 1 0\n"
       "stream nested 2 S2HA=1 S2HD=1 S2TTB=0x90000000 identity=1\nmap 2 0 pa=0xc0000000\n"
       "poke 0x90000018 value=0x80000c000077d\naccess read 2 0\naccess write 2 0\n");
  rule("ATS-marks-what-it-may-write", "ATS and hardware update",
       fmt::format("stream nested 1 EATS=1 S2HA=1 S2HD=1\nmap 1 0 ap=3 pa={0:#x}\npoke {1:#x} value={2:#x}\nats 1 0\n",
                   kTables, kIdentity + 24, kTables | 0x800000000077d));
  rule("ATS-without-write-marks-nothing", "ATS and hardware update",
       "stream s1 1 EATS=1\ncd 1 HA=1 HD=1\nmap 1 0 ap=3 dbm=1\nats 1 0 nowrite\nats 1 0\n");
  rule("ATS-that-grants-nothing-updates-nothing", "ATS and hardware update",
       "stream nested 1 EATS=1 S2HA=1 S2TTB=0x90000000 identity=1\nmap 1 0 pa=0xc0000000\n"
       "poke 0x90000018 value=0xc00003bd\nats 1 0 nowrite\naccess write 1 0\n");
  rule("ATS-execute-wants-read", "Responses to ATS Translation Requests",
       fmt::format("stream nested 1 EATS=1 S1CDMax=2 S1DSS=1\ncd 1.1\nmap 1.1 0 pa={0:#x}\npoke {1:#x} value={2:#x}\n"
                   "ats 1.1 0 exec priv\nats 1.1 0 exec\n",
                   kTables, kIdentity + 24, kTables | 0x7bd));
  rule("ATS-of-the-privileged", "Responses to ATS Translation Requests",
       "stream s1 1 EATS=1 S1CDMax=2 S1DSS=1\ncd 1.1\nmap 1.1 0 ap=0\nats 1.1 0 priv\nats 1.1 0\n");
  rule("ATS-of-a-split-stage", "Split-stage ATS",
       fmt::format("setup CR0=0x1f\nstream nested 1 EATS=2\nmap 1 0x1000 pa={:#x}\npoke {:#x} value=0x1400007fd\n"
                   "ats 1 0x1000\naccess read 1 {:#x} translated\n",
                   kTables + 0x1000, kIdentity + 24, kTables + 0x1000));
  rule("updates-of-tables-mark-their-pages", "Hardware update of dirty state",
       "stream nested 1 S2HA=1 S2HD=1 S2TTB=0x90000000 identity=1\ncd 1 HA=1 TTB0=0xc0000000\n"
       "map 1 0 tables=0xc0100000\nmap 1 0x1000 af=0\npoke 0x90000018 value=0x80000c000077d\naccess read 1 0\n"
       "access read 1 0x1000\n");
  rule("stalls-wait-for-the-event-queue", "Stall model",
       "stream s1 1\ncd 1 S=1\nquiet\nwrite CR0 0xb\naccess read 1 0x1000\nwrite CR0 0xf\nquiet\nquiet\n"
       "resume terminate 1\nsync\n");
  rule("commands-wait-for-their-queue", "Command queue",
       "quiet\nwrite CR0 7\ncmd CFGI_STE sid=1\ncmd CFGI_STE sid=2\nwrite CR0 0xf\nquiet\nread CMDQ_CONS\n");
  rule("an-active-error-is-not-raised-again", "SMMU_GERROR",
       "setup EVENTQ_IRQ_CFG0=0x9ff00000\nbreak page 0x9ff00000\nstream s1 1\naccess read 1 0\nquiet\naccess read 1 0\n"
       "quiet\nread GERROR\nrecover\nread GERROR\n");
  // Records of these are lost to a queue whose error nobody has acknowledged.
  const char* lost[][2] = {{"ste", "break ste 1\ncmd CFGI_STE sid=1\nsync\naccess read 1 0\n"},
                           {"cd", "break cd 1\ncmd CFGI_STE sid=1\nsync\naccess read 1 0\n"},
                           {"walk", "break desc 1 0 level=3\naccess read 1 0\n"},
                           {"ats", "ats 3 0\n"}};
  for (const auto& [what, what_follows] : lost)
    rule(
        (std::string("lost-to-an-aborted-queue-") + what).c_str(), "Event queue",
        std::string("setup CR2=10\nstream s1 1\nstream s1 3\nmap 1 0\nbreak evtq\naccess read 1 0x123456000\nquiet\n") +
            what_follows);
  rule("ATC-timeout-has-its-own-error", "CMD_ATC_INV",
       "stream s1 1 EATS=1\natc timeout\ncmd ATC_INV sid=1\nsync\nread GERROR\nread CMDQ_CONS\natc done\nrecover\n"
       "sync\n");
  rule("pointers-go-without-Leaf", "CMD_TLBI_NH_VA",
       "stream s1 1 S2VMID=5\ncd 1\nmap 1 0\nmap 1 0x1000\naccess write 1 0\nquiet\npointer 1 0 level=1 ap=2\n"
       "cmd TLBI_NH_VA vmid=5 asid=17 va=0\nsync\naccess write 1 0\naccess write 1 0x1000\n");
  rule("PRI-overflow", "PRI queue overflow",
       "setup PRIQ_BASE=0x7000000\nstream s1 1 EATS=1\npage 1 0 read last group=1\npage 1 0 read last group=2\n"
       "write PRIQ_CONS 1\npage 1 0 read last group=3\nread PRIQ_PROD\n");
  rule("EL1-and-EL2-are-apart", "STE, STRW",
       "stream s1 1 STRW=2 S2VMID=0\ncd 1 ASID=0\nstream s1 2 S2VMID=0\ncd 2 ASID=0\nmap 1 0x1000 pa=0x80001000 "
       "tables=0x30000000\n"
       "map 2 0x1000 pa=0x90001000 tables=0x38000000\naccess read 1 0x1000\naccess read 2 0x1000\naccess read 1 "
       "0x1000\n",
       {{"stage2", "0"}});
  rule("ranges-reach-their-last-granule", "Range-based invalidation and level hint",
       "stream s1 1\nmap 1 0x1000\nmap 1 0x2000\naccess read 1 0x1000\naccess read 1 0x2000\nquiet\nunmap 1 0x1000\n"
       "unmap 1 0x2000\ncmd TLBI_NH_VA asid=17 va=0x1000 tg=1 ttl=3 num=1\nsync\n"
       "access read 1 0x1000\naccess read 1 0x2000\n",
       {{"stage2", "0"}});
  rule("pointers-to-tables-have-a-VMID", "TLB tagging",
       "stream nested 1 S2VMID=5\ncd 1 ASID=9\nstream nested 2 S2VMID=6\ncd 2 ASID=9\nmap 1 0x1000 pa=0x80001000\n"
       "map 2 0x2000 pa=0x90002000\naccess read 1 0x1000\naccess read 2 0x2000\n");
  rule("pointers-to-whole-tables-go", "CMD_TLBI_NH_VA",
       "stream s1 1 S2VMID=5\ncd 1 TG0=2 T0SZ=28\nmap 1 0\nmap 1 0x800000\nmap 1 0x804000\naccess read 1 0\n"
       "access read 1 0x800000\nquiet\nunmap 1 0 level=2\ncmd TLBI_NH_VA vmid=5 asid=17 va=0\n"
       "cmd TLBI_NH_VA vmid=5 asid=17 va=0x804000 leaf\nsync\naccess read 1 0x804000\n");
  rule("a-stream-table-is-aligned", "SMMU_STRTAB_BASE",
       "setup STRTAB_BASE=0x1000040 STRTAB_BASE_CFG=8\nstream bypass 1\nstream bypass 2\naccess read 1 0\naccess read "
       "2 0\n");
  rule("a-queue-is-aligned", "SMMU_EVENTQ_BASE", "setup EVENTQ_BASE=0x6800027\naccess read 1 0\n");
  rule("E2H-without-a-hypervisor", "SMMU_CR2", "quiet\nwrite CR0 0\nwrite CR2 0xf\nread CR2\n", {{"hypervisor", "0"}});
  rule("queues-have-a-limit", "SMMU_CMDQ_BASE",
       "setup CMDQ_BASE=0x600001f\ncmd CFGI_STE sid=1\ncmd CFGI_STE sid=2\ncmd CFGI_STE sid=3\ncmd CFGI_STE "
       "sid=4\nsync\n"
       "sync\n",
       {{"command_queue_log2", "2"}});
}

}  // namespace

const std::vector<DirectedScript>& cross_scripts() {
  static const Scripts kScripts = [] {
    Scripts scripts;
    add_registers(scripts);
    add_commands(scripts);
    add_nested_faults(scripts);
    add_walk_faults(scripts);
    add_regimes(scripts);
    add_invalidations(scripts);
    add_queues(scripts);
    add_rules(scripts);
    add_distinctions(scripts);
    directed::add_scattered(scripts);
    directed::add_wide(scripts);
    directed::add_neighbours(scripts);
    directed::add_attributes(scripts);
    directed::add_bursts(scripts);
    directed::add_waiting(scripts);
    return scripts;
  }();
  return kScripts;
}

}  // namespace lockstep::smmu_rtl_bridge
