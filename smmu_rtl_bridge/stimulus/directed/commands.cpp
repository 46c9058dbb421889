// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "smmu_rtl_bridge/stimulus/directed/groups.h"

namespace lockstep::smmu_rtl_bridge::directed {
namespace {

// A command that is illegal, and where.
struct Illegal {
  const char* name;
  const char* command;
  std::vector<Setting> settings;
};

const std::vector<Illegal>& illegal() {
  static const std::vector<Illegal> kRows = {
      {"cfgi-ste-ssec", "CFGI_STE sid=1 ssec=1", {}},
      {"cfgi-ste-range-ssec", "CFGI_STE_RANGE range=31 ssec=1", {}},
      {"cfgi-cd-ssec", "CFGI_CD sid=1 ssec=1", {}},
      {"cfgi-cd-all-ssec", "CFGI_CD_ALL sid=1 ssec=1", {}},
      {"prefetch-config-ssec", "PREFETCH_CONFIG sid=1 ssec=1", {}},
      {"prefetch-addr-ssec", "PREFETCH_ADDR sid=1 ssec=1", {}},
      {"resume-ssec", "RESUME sid=1 ssec=1", {}},
      {"stall-term-ssec", "STALL_TERM sid=1 ssec=1", {}},
      {"cfgi-cd-without-stage1", "CFGI_CD sid=1", {{"stage1", "0"}}},
      {"tlbi-nh-all-without-stage1", "TLBI_NH_ALL", {{"stage1", "0"}}},
      {"tlbi-nh-va-without-stage1", "TLBI_NH_VA", {{"stage1", "0"}}},
      {"tlbi-s12-vmall-without-stage2", "TLBI_S12_VMALL", {{"stage2", "0"}}},
      {"tlbi-s2-ipa-without-stage2", "TLBI_S2_IPA", {{"stage2", "0"}}},
      {"tlbi-el2-all-without-el2", "TLBI_EL2_ALL", {{"hypervisor", "0"}}},
      {"tlbi-el2-va-without-el2", "TLBI_EL2_VA", {{"hypervisor", "0"}}},
      {"tlbi-el3-all", "TLBI_EL3_ALL", {}},
      {"tlbi-el3-va", "TLBI_EL3_VA", {}},
      {"atc-inv-without-ats", "ATC_INV sid=1", {{"ats", "0"}, {"pri", "0"}}},
      {"atc-inv-span", "ATC_INV sid=1 span=53", {}},
      {"pri-resp-without-pri", "PRI_RESP sid=1", {{"pri", "0"}}},
      {"pri-resp-code", "PRI_RESP sid=1 code=3", {}},
      {"resume-without-stalls", "RESUME sid=1", {{"stall_model", "1"}}},
      {"stall-term-without-stalls", "STALL_TERM sid=1", {{"stall_model", "1"}}},
      {"sync-cs", "SYNC cs=3", {}},
      {"tlbi-nh-va-empty-range", "TLBI_NH_VA tg=1", {}},
      {"tlbi-nh-vaa-empty-range", "TLBI_NH_VAA tg=2", {}},
      {"tlbi-el2-va-empty-range", "TLBI_EL2_VA tg=3", {}},
      {"tlbi-el2-vaa-empty-range", "TLBI_EL2_VAA tg=1", {}},
      {"tlbi-s2-ipa-empty-range", "TLBI_S2_IPA tg=1", {}},
      {"tlbi-16k-level-1", "TLBI_NH_VA tg=2 ttl=1", {}},
  };
  return kRows;
}

// One stream with a page that is used, changed, invalidated and used again.
struct Invalidation {
  const char* name;
  const char* stream;
  const char* map;    // what lies there first
  const char* again;  // and later
  const char* command;
  const char* address;
};
constexpr const char* kStage1 = "map 1 0x400000 pa=0x90000000";
constexpr const char* kStage1Other = "map 1 0x400000 pa=0x91000000";
constexpr const char* kStage2 = "map 1/s2 0x400000 pa=0x90000000";
constexpr const char* kStage2Other = "map 1/s2 0x400000 pa=0x91000000";
constexpr Invalidation kInvalidations[] = {
    {"nh-all", "stream s1 1", kStage1, kStage1Other, "TLBI_NH_ALL", "0x400000"},
    {"nh-asid", "stream s1 1\ncd 1 ASID=7", kStage1, kStage1Other, "TLBI_NH_ASID asid=7", "0x400000"},
    {"nh-va", "stream s1 1\ncd 1 ASID=7", kStage1, kStage1Other, "TLBI_NH_VA asid=7 va=0x400000", "0x400000"},
    {"nh-va-leaf", "stream s1 1\ncd 1 ASID=7", kStage1, kStage1Other, "TLBI_NH_VA asid=7 va=0x400000 leaf=1",
     "0x400000"},
    {"nh-va-level", "stream s1 1\ncd 1 ASID=7", kStage1, kStage1Other, "TLBI_NH_VA asid=7 va=0x400000 tg=1 ttl=3",
     "0x400000"},
    {"nh-va-range", "stream s1 1\ncd 1 ASID=7", kStage1, kStage1Other,
     "TLBI_NH_VA asid=7 va=0x3f0000 tg=1 num=15 scale=1", "0x400000"},
    {"nh-vaa", "stream s1 1\ncd 1 ASID=7", kStage1, kStage1Other, "TLBI_NH_VAA va=0x400000", "0x400000"},
    {"nsnh-all", "stream s1 1", kStage1, kStage1Other, "TLBI_NSNH_ALL", "0x400000"},
    {"nh-va-of-a-block", "stream s1 1\ncd 1 ASID=7", "map 1 0x400000 pa=0x90000000 level=2",
     "map 1 0x400000 pa=0x91000000 level=2", "TLBI_NH_VA asid=7 va=0x5ff000", "0x408000"},
    {"nh-va-of-a-global-page", "stream s1 1\ncd 1 ASID=7", "map 1 0x400000 pa=0x90000000 ng=0",
     "map 1 0x400000 pa=0x91000000 ng=0", "TLBI_NH_VA asid=9 va=0x400000", "0x400000"},
    {"el2-all", "stream s1 1 STRW=2", kStage1, kStage1Other, "TLBI_EL2_ALL", "0x400000"},
    {"el2-va", "stream s1 1 STRW=2", kStage1, kStage1Other, "TLBI_EL2_VA va=0x400000", "0x400000"},
    {"el2-vaa", "stream s1 1 STRW=2", kStage1, kStage1Other, "TLBI_EL2_VAA va=0x400000", "0x400000"},
    {"el2-e2h-asid", "setup CR2=3\nstream s1 1 STRW=2\ncd 1 ASID=7", kStage1, kStage1Other, "TLBI_EL2_ASID asid=7",
     "0x400000"},
    {"el2-e2h-va", "setup CR2=3\nstream s1 1 STRW=2\ncd 1 ASID=7", kStage1, kStage1Other,
     "TLBI_EL2_VA asid=7 va=0x400000", "0x400000"},
    {"s12-vmall", "stream s2 1 S2VMID=5", kStage2, kStage2Other, "TLBI_S12_VMALL vmid=5", "0x400000"},
    {"s2-ipa", "stream s2 1 S2VMID=5", kStage2, kStage2Other, "TLBI_S2_IPA vmid=5 va=0x400000", "0x400000"},
    {"s2-ipa-range", "stream s2 1 S2VMID=5", kStage2, kStage2Other,
     "TLBI_S2_IPA vmid=5 va=0x3f0000 tg=1 num=15 scale=1", "0x400000"},
    {"s2-nsnh-all", "stream s2 1 S2VMID=5", kStage2, kStage2Other, "TLBI_NSNH_ALL", "0x400000"},
};

// Configuration that changes, and each command that must make the change seen.
struct Configuration {
  const char* name;
  const char* command;
  bool entry;
};
constexpr Configuration kConfigurations[] = {
    {"cfgi-ste", "CFGI_STE sid=1", true},
    {"cfgi-ste-leaf", "CFGI_STE sid=1 leaf=1", true},
    {"cfgi-ste-range", "CFGI_STE_RANGE sid=0 range=0", true},
    {"cfgi-all", "CFGI_STE_RANGE range=31", true},
    {"cfgi-cd", "CFGI_CD sid=1 ssid=0", false},
    {"cfgi-cd-leaf", "CFGI_CD sid=1 ssid=0 leaf=1", false},
    {"cfgi-cd-all", "CFGI_CD_ALL sid=1", false},
    {"cfgi-ste-takes-contexts", "CFGI_STE sid=1", false},
    {"cfgi-all-takes-contexts", "CFGI_STE_RANGE range=31", false},
};

}  // namespace

void add_commands(std::vector<DirectedScript>& scripts) {
  const auto add = [&](std::string name, std::string section, std::vector<Setting> settings, std::string lines,
                       std::vector<unsigned> events = {}) {
    scripts.push_back({std::move(name), std::move(section), std::move(settings), std::move(lines), std::move(events)});
  };
  constexpr const char* kRecovery = "sync\nread CMDQ_CONS\nread GERROR\nrecover\nsync\nread CMDQ_CONS\n";
  for (const Illegal& row : illegal())
    add(fmt::format("cerror-ill/{}", row.name), "Command queue errors", row.settings,
        fmt::format("cmd {}\ncmd CFGI_STE sid=1\n{}", row.command, kRecovery));
  for (const unsigned opcode : {0x00, 0x07, 0x08, 0x14, 0x24, 0x29, 0x31, 0x42, 0x43, 0x47, 0x50,
                                0x51, 0x52, 0x53, 0x55, 0x58, 0x5a, 0x60, 0x70, 0x73, 0x80, 0xff})
    add(fmt::format("cerror-ill/opcode-{:02x}", opcode), "Command queue errors", {},
        fmt::format("cmd RAW w0=0x{:x}\n{}", opcode, kRecovery));
  add("cerror-abt", "Command queue errors", {},
      fmt::format("read CMDQ_CONS\nbreak cmdq\ncmd CFGI_STE sid=1\nsync\nread GERROR\nmend cmdq\nrecover\nsync\n"));
  add("cerror-atc-inv-sync", "Command queue errors", {}, fmt::format("atc timeout\ncmd ATC_INV sid=1\n{}", kRecovery));
  for (const char* signal : {"cs=0", "cs=1", "cs=2", "cs=1 msi_addr=0x9ff00000 msi_data=0x12345678 mattr=15 msh=3"})
    add(fmt::format("sync/{}", std::string(signal).substr(0, 4) + (std::string(signal).size() > 4 ? "-message" : "")),
        "CMD_SYNC", {}, fmt::format("sync {}\n", signal));
  add("sync/message-to-nowhere", "SMMU_GERROR", {},
      "break page 0x9ff00000\nsync cs=1 msi_addr=0x9ff00000\nread GERROR\nrecover\nsync\n");
  add("cmdq/wraps", "SMMU circular queues", {},
      "setup CMDQ_BASE=0x6000001\ncmd CFGI_STE sid=1\ncmd CFGI_STE sid=2\ncmd CFGI_STE sid=3\ncmd CFGI_STE sid=4\n"
      "cmd CFGI_STE sid=5\nsync\nread CMDQ_CONS\n");
  add("cmdq/one-entry", "SMMU circular queues", {},
      "setup CMDQ_BASE=0x6000000\ncmd CFGI_STE sid=1\ncmd CFGI_STE sid=2\nsync\nread CMDQ_CONS\n");
  add("cmdq/largest", "SMMU circular queues", {}, "setup CMDQ_BASE=0x10000013\ncmd CFGI_STE sid=1\nsync\n");
  add("cmdq/index-that-lies", "SMMU circular queues", {},
      "setup CMDQ_BASE=0x6000004\nwrite CMDQ_PROD 0x1f\nread CMDQ_CONS\nread GERROR\nwrite CMDQ_PROD 3\nquiet\n");
  add("cmdq/batch", "Command queue", {},
      "cmd CFGI_STE sid=1 hold\ncmd TLBI_NSNH_ALL hold\ncmd CFGI_STE_RANGE range=31 hold\nsync\n");
  add("prefetch/config", "CMD_PREFETCH_CONFIG", {},
      "stream bypass 1\ncmd PREFETCH_CONFIG sid=1\nsync\naccess read 1 0\n");
  add("prefetch/faults-are-silent", "CMD_PREFETCH_CONFIG", {}, "cmd PREFETCH_CONFIG sid=1\nsync\nquiet\n");
  add("prefetch/address", "CMD_PREFETCH_ADDR", {},
      "stream s1 1\nmap 1 0x1000\ncmd PREFETCH_ADDR sid=1 va=0x1000\nsync\naccess read 1 0x1000\n");

  for (const Invalidation& row : kInvalidations) {
    const std::string world = fmt::format("{}\n{}\n", row.stream, row.map);
    const std::string use = fmt::format("access read 1 {}\n", row.address);
    const std::string gone =
        fmt::format("unmap 1{} 0x400000{}\n", std::string(row.map).find("/s2") != std::string::npos ? "/s2" : "",
                    std::string(row.map).find("level=2") != std::string::npos ? " level=2" : "");
    add(fmt::format("tlbi/{}", row.name), "TLB invalidation", {},
        fmt::format("{}{}quiet\n{}cmd {}\nsync\n{}{}", world, use, gone, row.command, use, use), {0x10, 0x10});
    add(fmt::format("tlbi-then-map/{}", row.name), "TLB invalidation", {},
        fmt::format("{}{}quiet\n{}cmd {}\nsync\n{}\n{}", world, use, gone, row.command, row.again, use));
    add(fmt::format("tlbi-without-break/{}", row.name), "Break-before-make", {},
        fmt::format("{}{}quiet\n{}\n{}cmd {}\nsync\n{}", world, use, row.again, use, row.command, use));
  }
  for (const Configuration& row : kConfigurations) {
    add(fmt::format("cfgi/{}", row.name), "Configuration structure invalidation", {},
        fmt::format("stream s1 1\nmap 1 0x1000\naccess read 1 0x1000\nquiet\n{}\ncmd {}\nsync\naccess read 1 0x1000\n",
                    row.entry ? "stream bypass 1" : "cd 1 V=0", row.command),
        row.entry ? std::vector<unsigned>{} : std::vector<unsigned>{0x0a});
  }
  // What the queue has consumed is seen only while it is off; then it is full.
  add("queue-paused-full", "SMMU_CR0", {{"command_queue_log2", "2"}},
      "cmd TLBI_NSNH_ALL\nwrite CR0 0\ncmd TLBI_NSNH_ALL\ncmd TLBI_NSNH_ALL\ncmd TLBI_NSNH_ALL\nsync\n"
      "write CR0 8\ncmd CFGI_STE sid=1\nquiet\n");
  // Registers.
  add("registers/read-only", "Memory map and registers", {},
      "write IDR0 0xffffffff\nread IDR0\nwrite AIDR 5\nread AIDR\nwrite GERROR 0xff\nread GERROR\nwrite STATUSR 1\n"
      "read STATUSR\nwrite CR0ACK 0\nread CR0ACK\n");
  add("registers/reserved", "Memory map and registers", {},
      "write 0x1000 0xffffffff\nread 0x1000\nwrite 0x5c 1\nread 0x5c\nread 0x1fff8\nread 0x8000\n");
  add("registers/guarded", "Memory map and registers", {},
      "write STRTAB_BASE 0x1000\nread STRTAB_BASE\nwrite CR2 0\nread CR2\nwrite CMDQ_BASE 0\nread CMDQ_BASE\n"
      "write EVENTQ_PROD 5\nread EVENTQ_PROD\nwrite CMDQ_CONS 5\nread CMDQ_CONS\n");
  add("registers/messages", "SMMU_EVENTQ_IRQ_CFG0", {},
      "setup EVENTQ_IRQ_CFG0=0x9ff00000 EVENTQ_IRQ_CFG1=0x55 EVENTQ_IRQ_CFG2=0xf\naccess read 1 0\nquiet\n", {0x04});
  add("registers/messages-off", "SMMU_IRQ_CTRL", {},
      "setup IRQ_CTRL=0 EVENTQ_IRQ_CFG0=0x9ff00000 EVENTQ_IRQ_CFG1=0x55\naccess read 1 0\nquiet\n", {0x04});
  add("registers/message-to-nowhere", "SMMU_GERROR", {},
      "setup EVENTQ_IRQ_CFG0=0x9ff00000\nbreak page 0x9ff00000\naccess read 1 0\nread GERROR\nrecover\n", {0x04});
}

}  // namespace lockstep::smmu_rtl_bridge::directed
