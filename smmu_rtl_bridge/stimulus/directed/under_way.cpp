// SPDX-License-Identifier: Apache-2.0
// Two things at once: faults of one descriptor that compete, fetches that fail and are mended, and changes of memory,
// configuration and control that walks, accesses and records meet while they are under way.
#include <fmt/format.h>

#include "smmu_rtl_bridge/stimulus/directed/groups.h"

namespace lockstep::smmu_rtl_bridge::directed {
namespace {

using Scripts = std::vector<DirectedScript>;

// Far more than a walk takes, far less than what counts as hanging.
constexpr unsigned kSlowCycles = 400;
constexpr unsigned kFaultFetch = 0x0b, kFaultTranslation = 0x10, kFaultSize = 0x11, kFaultAccess = 0x12,
                   kFaultPermission = 0x13;

void add(Scripts& scripts, std::string name, const char* section, std::string lines,
         std::vector<unsigned> events = {}) {
  scripts.push_back({std::move(name), section, {}, std::move(lines), std::move(events)});
}

// All combinations of what a leaf can lack, at each stage. Section "Fault models, recording and reporting": what the
// walk comes to first is told.
void add_competing(Scripts& scripts) {
  struct Stage {
    const char* name;
    const char* stream;
    const char* map;      // with its input address
    const char* beyond;   // the output that is too large
    const char* refused;  // what gives no permission to write
    const char* table;    // whose page is broken
  };
  constexpr Stage kStages[] = {
      {"stage1", "stream s1 1\ncd 1 IPS=0", "map 1 0x1000", " pa=0x100000000", " ap=3", "desc 1 0x1000"},
      {"stage2", "stream s2 1 S2PS=0", "map 1/s2 0x1000", " pa=0x100000000", " s2ap=1", "desc 1/s2 0x1000"},
      {"nested", "stream nested 1 S2PS=0\nmap 1 0x1000 pa=0x100001000", "map 1/s2 0x100001000", " pa=0x100000000",
       " s2ap=1", "desc 1/s2 0x100001000"},
  };
  for (const Stage& stage : kStages)
    for (unsigned faults = 3; faults < 32; ++faults) {
      const auto has = [&](unsigned one) { return (faults >> one & 1) != 0; };
      if ((faults & (faults - 1)) == 0) continue;
      const unsigned event = has(4)   ? kFaultFetch
                             : has(3) ? kFaultTranslation
                             : has(2) ? kFaultSize
                             : has(1) ? kFaultAccess
                                      : kFaultPermission;
      add(scripts, fmt::format("competing/{}/{}", stage.name, faults), "Fault models, recording and reporting",
          fmt::format("{}\n{}{}{}{}{}\n{}access write 1 0x1000\n", stage.stream, stage.map, has(0) ? stage.refused : "",
                      has(1) ? " af=0" : "", has(2) ? stage.beyond : " pa=0x90001000", has(3) ? " flip=0" : "",
                      has(4) ? fmt::format("break {}\n", stage.table) : ""),
          {event});
    }
}

// What could not be fetched is asked for again by the next access, which finds what is there then.
void add_mended(Scripts& scripts) {
  struct Fetch {
    const char* name;
    const char* world;
    const char* access;
    const char* broken;
    unsigned event;
  };
  constexpr Fetch kFetches[] = {
      {"ste", "stream s1 1\nmap 1 0x1000", "1 0x1000", "ste 1", 0x03},
      {"l1ste", "setup STRTAB_BASE_CFG=0x1018a\nstream s1 0x41\nmap 0x41 0x1000", "0x41 0x1000", "l1ste 0x41", 0x03},
      {"cd", "stream s1 1\nmap 1 0x1000", "1 0x1000", "cd 1", 0x09},
      {"cd-of-a-nested-stream", "stream nested 1\nmap 1 0x1000", "1 0x1000", "cd 1", 0x09},
      {"l1cd", "stream s1 1 S1CDMax=8 S1Fmt=2\ncd 1.5\nmap 1.5 0x1000", "1.5 0x1000", "l1cd 1.5", 0x09},
      {"desc-1", "stream s1 1\nmap 1 0x1000", "1 0x1000", "desc 1 0x1000 level=1", 0x0b},
      {"desc-2", "stream s1 1\nmap 1 0x1000", "1 0x1000", "desc 1 0x1000 level=2", 0x0b},
      {"desc-3", "stream s1 1\nmap 1 0x1000", "1 0x1000", "desc 1 0x1000 level=3", 0x0b},
      {"desc-of-stage-2", "stream s2 1\nmap 1/s2 0x1000", "1 0x1000", "desc 1/s2 0x1000 level=3", 0x0b},
      {"desc-of-a-nested-stream", "stream nested 1\nmap 1 0x1000", "1 0x1000", "desc 1 0x1000 level=3", 0x0b},
  };
  for (const Fetch& fetch : kFetches)
    add(scripts, fmt::format("mended/{}", fetch.name), "Caching",
        fmt::format("{0}\nbreak {1}\naccess read {2}\nquiet\naccess write {2}\nquiet\nmend {1}\naccess read {2}\n"
                    "quiet\naccess write {2}\n",
                    fetch.world, fetch.broken, fetch.access),
        {fetch.event, fetch.event});
}

// A change, its command and CMD_SYNC while a walk waits for memory at each step on its way: nothing of what it brings
// may be used by an access that comes afterwards.
void add_raced(Scripts& scripts) {
  struct Race {
    const char* name;
    const char* world;
    const char* slow;
    const char* change;
    const char* command;
    unsigned event = 0;    // of each access afterwards
    bool of_reads = true;  // or of writes alone
  };
  constexpr const char* kStage1 = "stream s1 1\nmap 1 0x1000 pa=0x90001000";
  constexpr const char* kStage2 = "stream s2 1 S2VMID=5\nmap 1/s2 0x1000 pa=0x90001000";
  constexpr const char* kNested =
      "stream nested 1 S2VMID=5\nmap 1 0x1000 pa=0x100001000\n"
      "map 1/s2 0x100001000 pa=0x90001000";
  constexpr const char* kMoved = "map 1 0x1000 pa=0x91001000";
  constexpr const char* kMoved2 = "map 1/s2 0x1000 pa=0x91001000";
  constexpr const char* kMovedNested = "map 1/s2 0x100001000 pa=0x91001000";
  constexpr Race kRaces[] = {
      {"leaf/by-address", kStage1, "desc 1 0x1000", kMoved, "TLBI_NH_VA asid=17 va=0x1000"},
      {"leaf/by-asid", kStage1, "desc 1 0x1000", kMoved, "TLBI_NH_ASID asid=17"},
      {"leaf/all", kStage1, "desc 1 0x1000", kMoved, "TLBI_NSNH_ALL"},
      {"leaf/from-level-2", kStage1, "desc 1 0x1000 level=2", kMoved, "TLBI_NH_VA asid=17 va=0x1000"},
      {"leaf/from-level-1", kStage1, "desc 1 0x1000 level=1", kMoved, "TLBI_NH_VA asid=17 va=0x1000"},
      {"table/level-1", kStage1, "desc 1 0x1000 level=1", "pointer 1 0x1000 level=1 ap=2",
       "TLBI_NH_VA asid=17 va=0x1000", kFaultPermission, false},
      {"table/level-2", kStage1, "desc 1 0x1000 level=2", "pointer 1 0x1000 level=2 ap=2",
       "TLBI_NH_VA asid=17 va=0x1000", kFaultPermission, false},
      {"table/level-2-then-leaf", kStage1, "desc 1 0x1000", "pointer 1 0x1000 level=2 ap=2",
       "TLBI_NH_VA asid=17 va=0x1000", kFaultPermission, false},
      {"stage-2/by-address", kStage2, "desc 1/s2 0x1000", kMoved2, "TLBI_S2_IPA vmid=5 va=0x1000"},
      {"stage-2/all", kStage2, "desc 1/s2 0x1000", kMoved2, "TLBI_S12_VMALL vmid=5"},
      {"nested/all", kNested, "desc 1 0x1000", kMovedNested, "TLBI_S12_VMALL vmid=5"},
      {"nested/stage-2-leaf", kNested, "desc 1/s2 0x100001000", kMovedNested, "TLBI_S12_VMALL vmid=5"},
      {"ste", kStage1, "ste 1", "stream bypass 1", "CFGI_STE sid=1"},
      {"ste/all", kStage1, "ste 1", "stream bypass 1", "CFGI_STE_RANGE range=31"},
      {"cd", kStage1, "cd 1", "cd 1 V=0", "CFGI_CD sid=1", 0x0a},
      {"cd/all", kStage1, "cd 1", "cd 1 V=0", "CFGI_CD_ALL sid=1", 0x0a},
  };
  for (const Race& race : kRaces)
    for (const unsigned ticks : {30, 90})
      add(scripts, fmt::format("raced/{}/{}", race.name, ticks), "TLB invalidation",
          fmt::format("{}\nslow {} cycles={}\naccess read 1 0x1000\ntick {}\n{}\ncmd {}\nsync\naccess read 1 0x1008\n"
                      "access write 1 0x1010\nquiet\naccess read 1 0x1018\naccess write 1 0x1020\n",
                      race.world, race.slow, kSlowCycles, ticks, race.change, race.command),
          std::vector<unsigned>(race.event == 0 ? 0
                                : race.of_reads ? 4
                                                : 2,
                                race.event));
}

// Control that changes while walks wait for memory: what is acknowledged is over.
void add_switched(Scripts& scripts) {
  constexpr const char* kWorlds[][2] = {
      {"stage-1", "stream s1 1\nmap 1 0x1000\n"},
      {"nested", "stream nested 1\nmap 1 0x1000\n"},
  };
  for (const auto& [name, world] : kWorlds)
    for (const char* slow : {"ste 1", "cd 1", "desc 1 0x1000 level=1", "desc 1 0x1000 level=2"})
      add(scripts, fmt::format("switched/{}/{}", name, slow), "SMMU_CR0",
          fmt::format("{}slow {} cycles={}\naccess read 1 0x1000\naccess write 1 0x1008\ntick 60\nwrite CR0 12\n"
                      "stream abort 1\nquiet\naccess read 1 0x1010\n",
                      world, slow, kSlowCycles));
}

// A record on its way to memory, and a CMD_SYNC behind the access that it is of.
void add_recorded(Scripts& scripts) {
  for (const char* signal : {"cs=0", "cs=1", "cs=2", "cs=1 msi_addr=0x9ff00000 msi_data=7"})
    for (const unsigned ticks : {20, 60, 200})
      add(scripts,
          fmt::format("recorded/{}{}/{}", std::string(signal).substr(0, 4),
                      std::string(signal).size() > 4 ? "-message" : "", ticks),
          "CMD_SYNC",
          fmt::format("slow evtq cycles={}\naccess read 1 0x1000\ntick {}\nsync {}\nquiet\n", kSlowCycles, ticks,
                      signal),
          {0x04});
}

// A leaf of a group stands for all of it: an invalidation of one page must take it away wherever it was used.
void add_groups(Scripts& scripts) {
  struct Granule {
    const char* name;
    unsigned code, shift, group_log2;
  };
  for (const Granule& granule : {Granule{"4K", 0, 12, 4}, Granule{"16K", 2, 14, 7}, Granule{"64K", 1, 16, 5}})
    for (const bool stage2 : {false, true})
      for (const uint64_t other : {uint64_t{1}, (uint64_t{1} << granule.group_log2) - 1}) {
        const uint64_t first = 0x4000000, page = first + (other << granule.shift);
        const std::string world = stage2 ? fmt::format("stream s2 1 S2VMID=5 S2TG={} S2SL0=1\n", granule.code)
                                         : fmt::format("stream s1 1\ncd 1 ASID=7 TG0={}\n", granule.code);
        const char* of = stage2 ? "/s2" : "";
        const std::string command =
            stage2 ? fmt::format("TLBI_S2_IPA vmid=5 va={:#x}", page) : fmt::format("TLBI_NH_VA asid=7 va={:#x}", page);
        add(scripts,
            fmt::format("group/{}/{}/{}", granule.name, stage2 ? "stage-2" : "stage-1", other == 1 ? "second" : "last"),
            "Contiguous bit",
            fmt::format("{0}map 1{1} {2:#x} pa=0x90000000 cont\naccess read 1 {2:#x}\nquiet\n"
                        "map 1{1} {2:#x} pa=0x98000000 cont\ncmd {3}\nsync\naccess read 1 {4:#x}\n",
                        world, of, first, command, page));
      }
}

// The first level of stage 2 may be several tables side by side, of which the address has the upper bits.
void add_side_by_side(Scripts& scripts) {
  struct Shape {
    const char* name;
    unsigned code, sl0, shift, stride;
  };
  constexpr Shape kShapes[] = {{"4K-1", 0, 1, 30, 9},   {"4K-2", 0, 0, 21, 9},   {"16K-2", 2, 1, 25, 11},
                               {"16K-3", 2, 0, 14, 11}, {"64K-2", 1, 1, 29, 13}, {"64K-3", 1, 0, 16, 13}};
  for (const Shape& shape : kShapes)
    for (unsigned more = 1; more <= 4; ++more) {
      const unsigned bits = shape.shift + shape.stride + more;
      if (bits > 44 || bits < 25) continue;
      const uint64_t high = uint64_t{1} << (bits - 1);
      for (const bool nested : {false, true}) {
        // What a nested stream has in memory lies low.
        if (nested && (bits <= 33 || shape.shift < 25)) continue;
        std::string lines = fmt::format("stream {} 1 S2T0SZ={} S2SL0={} S2TG={}\n", nested ? "nested" : "s2", 64 - bits,
                                        shape.sl0, shape.code);
        std::string uses;
        for (unsigned table = 0; table < 1u << more; table += nested ? (1u << more) - 1 : 1) {
          const uint64_t at = (uint64_t{table} << (shape.shift + shape.stride)) | (nested ? 0x100000000 : 0x10000);
          lines += fmt::format("map 1/s2 {:#x} pa={:#x}\n", at, 0x90000000 + uint64_t{table} * 0x10000);
          if (nested) lines += fmt::format("map 1 {:#x} pa={:#x}\n", 0x1000 * (table + 1), at);
          uses += fmt::format("access read 1 {:#x}\n", nested ? 0x1000 * (table + 1) : at);
        }
        uses += nested ? std::string() : fmt::format("access read 1 {:#x}\n", high << 1);
        add(scripts, fmt::format("side-by-side/{}/{}/{}", nested ? "nested" : "stage-2", shape.name, 1u << more),
            "STE, S2SL0", lines + uses, nested ? std::vector<unsigned>{} : std::vector<unsigned>{kFaultTranslation});
      }
    }
}

// A command queue that software fills to the brim, and what wakes software that waits for room.
void add_full(Scripts& scripts) {
  for (unsigned log2 = 0; log2 < 4; ++log2) {
    std::string lines = fmt::format("setup CMDQ_BASE={:#x}\nsync cs=2\nquiet\n", 0x6000000 + log2);
    for (unsigned round = 0; round < 5; ++round) {
      for (unsigned i = 0; i < 1u << log2; ++i)
        lines += fmt::format("cmd CFGI_STE sid={}{}\n", i, i + 1 < 1u << log2 ? " hold" : "");
      lines += "quiet\nread CMDQ_CONS\nread CMDQ_PROD\n";
    }
    add(scripts, fmt::format("cmdq/full/{}", 1u << log2), "SMMU_IDR0, SEV", lines + "sync cs=2\nquiet\n");
  }
  // The same of events: the producer index goes round, and does not leave the queue.
  std::string lines = "setup EVENTQ_BASE=0x6800001\n";
  std::vector<unsigned> events;
  for (unsigned round = 0; round < 5; ++round) {
    lines += fmt::format("access read {} 0\nquiet\nread EVENTQ_PROD\n", round + 1);
    events.push_back(0x04);
  }
  add(scripts, "evtq/goes-round", "SMMU circular queues", lines, events);
}

}  // namespace

void add_under_way(Scripts& scripts) {
  add_competing(scripts);
  add_mended(scripts);
  add_raced(scripts);
  add_switched(scripts);
  add_recorded(scripts);
  add_groups(scripts);
  add_side_by_side(scripts);
  add_full(scripts);
}

}  // namespace lockstep::smmu_rtl_bridge::directed
