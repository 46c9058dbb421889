// SPDX-License-Identifier: Apache-2.0
// Two of a kind whose numbers differ in one bit, for each bit there is: streams, substreams, ASIDs, VMIDs, input and
// intermediate addresses. Both are used, one changes, the narrowest command names it, both are used again. So each bit
// counts where a cache tells them apart, and where an invalidation finds them. With them, ranges of every size, and
// fields whose bits do not count.
#include <fmt/format.h>

#include <algorithm>

#include "smmu_rtl_bridge/bits.h"
#include "smmu_rtl_bridge/stimulus/directed/groups.h"
#include "smmu_rtl_bridge/stimulus/drawing.h"

namespace lockstep::smmu_rtl_bridge::directed {
namespace {

struct Granule {
  unsigned log2, code;
};
constexpr Granule kGranules[] = {{12, 0}, {14, 2}, {16, 1}};

class Neighbours {
 public:
  explicit Neighbours(std::vector<DirectedScript>& scripts) : scripts_(scripts), draw_(kSeed) {}

  void all() {
    for (unsigned bit = 0; bit < 16; ++bit) {
      streams(bit);
      asids(bit);
      vmids(bit);
      vmids_of_stage2(bit);
    }
    for (unsigned bit = 0; bit < 20; ++bit) substreams(bit);
    for (unsigned bit = 12; bit < 48; ++bit) {
      addresses(bit);
      intermediate_addresses(bit);
      blocks(bit);
    }
    for (unsigned bit = 12; bit < 48; ++bit) tables(bit);
    for (const Granule& granule : kGranules)
      for (unsigned scale = 0; scale < 31; ++scale)
        for (const bool stage2 : {false, true}) range(granule, scale, stage2);
    for (unsigned log2 = 1; log2 <= 16; ++log2) streams_of_a_range(log2, bits(16));
    ignored();
    full_event_queues();
    switched_off();
    // Ranges of more streams than there are, named by any of them.
    for (unsigned log2 = 17; log2 <= 32; ++log2) streams_of_a_range(log2, bits(log2));
  }

 private:
  static constexpr uint64_t kSeed = 20261122;
  static constexpr uint64_t kHere = 0x90000000, kThere = 0x91000000, kMoved = 0x92000000;

  void add(std::string name, const char* section, std::string lines) {
    const bool one_by_one = !name.starts_with("switched-off/");
    scripts_.push_back({"neighbours/" + std::move(name), section, {}, std::move(lines), {}, one_by_one});
  }
  uint64_t bits(unsigned count) { return draw_.any() & ones(count); }
  // Where no other tables are.
  uint64_t fresh_tables() {
    next_tables_ = next_tables_ == kTablesEnd ? kTables : next_tables_ + 0x40000;
    return next_tables_;
  }

  void streams(unsigned bit) {
    const uint64_t one = bits(16), other = one ^ uint64_t { 1 } << bit;
    add(fmt::format("stream/{}", bit), "Caching",
        fmt::format("setup STRTAB_BASE_CFG=16 STRTAB_BASE=0x20000000\nstream bypass {0:#x}\nstream s1 {1:#x}\n"
                    "map {1:#x} 0x1000 pa={2:#x}\naccess read {0:#x} 0x1000\nquiet\naccess read {1:#x} 0x1000\nquiet\n"
                    "access read {0:#x} 0x1000\naccess read {1:#x} 0x1000\nquiet\n"
                    "cd {1:#x} V=0\ncmd CFGI_CD sid={1:#x} ssid=0\nsync\naccess read {1:#x} 0x1000\nquiet\n"
                    "cd {1:#x} V=1\ncmd CFGI_CD_ALL sid={1:#x}\nsync\naccess read {1:#x} 0x1000\nquiet\n"
                    "stream abort {0:#x}\ncmd CFGI_STE sid={0:#x}\nsync\naccess read {0:#x} 0x1000\n"
                    "access read {1:#x} 0x1000\n",
                    one, other, kHere));
  }

  void substreams(unsigned bit) {
    const uint64_t one = std::max<uint64_t>(bits(20), 2), other = one ^ uint64_t { 1 } << bit;
    const unsigned format = bit % 3;
    std::string lines =
        fmt::format("stream s1 1 S1CDMax=20 S1DSS=0 S1Fmt={} S1ContextPtr={:#x}\n", format, 0x1'0000'0000);
    const uint64_t leaf1 = 0x1'8000'0000, leaf2 = 0x1'9000'0000;
    const unsigned split = format == 1 ? 6 : 10;
    const bool same_leaf = one >> split == other >> split;
    lines += fmt::format("cd 1.{:#x} ASID={}{}\n", one, 1, format ? fmt::format(" leaf={:#x}", leaf1) : "");
    lines +=
        fmt::format("cd 1.{:#x} ASID={}{}\n", other, 2, format && !same_leaf ? fmt::format(" leaf={:#x}", leaf2) : "");
    lines += fmt::format(
        "cd 1.{0:#x} TTB0=0x31000000\ncd 1.{1:#x} TTB0=0x32000000\nmap 1.{0:#x} 0x1000 pa={2:#x} "
        "tables={4:#x}\nmap 1.{1:#x} 0x1000 pa={3:#x} tables={5:#x}\n",
        one, other, kHere, kThere, fresh_tables(), fresh_tables());
    const std::string uses =
        fmt::format("access read 1.{0:#x} 0x1000\naccess read 1.{1:#x} 0x1000\nquiet\n", one, other);
    lines += uses + uses;
    for (const unsigned valid : {0, 1})
      lines +=
          fmt::format("cd 1.{0:#x} V={1}\ncmd CFGI_CD sid=1 ssid={0:#x} leaf={2}\nsync\n", one, valid, bit & 1) + uses;
    add(fmt::format("substream/{}", bit), "Caching", lines);
  }

  // Two streams that translate the same address by trees of their own; `changes` are commands for the first one's.
  void pair(const std::string& name, const std::string& first, const std::string& second, const char* of,
            const std::vector<std::string>& changes) {
    std::string lines = fmt::format(
        "{0}\n{1}\nmap 1{2} 0x1000 pa={3:#x} tables={5:#x}\nmap 2{2} 0x1000 pa={4:#x} "
        "tables={6:#x}\n",
        first, second, of, kHere, kThere, fresh_tables(), fresh_tables());
    const std::string uses = "access read 1 0x1000\naccess read 2 0x1000\nquiet\n";
    lines += uses + uses;
    uint64_t moved = kMoved;
    for (const std::string& commands : changes) {
      lines += fmt::format("map 1{} 0x1000 pa={:#x}\n{}sync\n", of, moved, commands) + uses;
      moved += 0x1000000;
    }
    add(name, "TLB tagging", lines);
  }

  void asids(unsigned bit) {
    const uint64_t one = bits(16), other = one ^ uint64_t { 1 } << bit;
    for (const unsigned el2 : {0, 1})
      pair(fmt::format("asid{}/{}", el2 ? "-el2" : "", bit),
           fmt::format("{}stream s1 1 STRW={}\ncd 1 ASID={:#x}", el2 ? "setup CR2=3\n" : "", el2 * 2, one),
           fmt::format("stream s1 2 STRW={}\ncd 2 ASID={:#x}", el2 * 2, other), "",
           {fmt::format("cmd TLBI_{}_VA asid={:#x} va=0x1000\n", el2 ? "EL2" : "NH", one),
            fmt::format("cmd TLBI_{}_ASID asid={:#x}\n", el2 ? "EL2" : "NH", one)});
  }
  void vmids(unsigned bit) {
    const uint64_t one = bits(16), other = one ^ uint64_t { 1 } << bit;
    pair(fmt::format("vmid/{}", bit), fmt::format("stream nested 1 S2VMID={:#x}\ncd 1 ASID=9", one),
         fmt::format("stream nested 2 S2VMID={:#x}\ncd 2 ASID=9", other), "",
         {fmt::format("cmd TLBI_NH_VA vmid={:#x} asid=9 va=0x1000\n", one),
          fmt::format("cmd TLBI_NH_VAA vmid={:#x} va=0x1000\n", one), fmt::format("cmd TLBI_NH_ALL vmid={:#x}\n", one),
          fmt::format("cmd TLBI_NH_ASID vmid={:#x} asid=9\n", one),
          fmt::format("cmd TLBI_S12_VMALL vmid={:#x}\n", one)});
  }
  void vmids_of_stage2(unsigned bit) {
    const uint64_t one = bits(16), other = one ^ uint64_t { 1 } << bit;
    pair(fmt::format("vmid-of-stage-2/{}", bit), fmt::format("stream s2 1 S2VMID={:#x}", one),
         fmt::format("stream s2 2 S2VMID={:#x}", other), "/s2",
         {fmt::format("cmd TLBI_S2_IPA vmid={:#x} va=0x1000\n", one),
          fmt::format("cmd TLBI_S12_VMALL vmid={:#x}\n", one)});
  }

  // Two pages of one space.
  void pages(const std::string& name, const char* section, std::string lines, const char* of, uint64_t one,
             uint64_t other, const std::vector<std::string>& changes) {
    lines += fmt::format("map 1{0} {1:#x} pa={3:#x} tables={5:#x}\nmap 1{0} {2:#x} pa={4:#x} tables={6:#x}\n", of, one,
                         other, kHere, kThere, fresh_tables(), fresh_tables());
    const std::string uses = fmt::format("access read 1 {:#x}\naccess read 1 {:#x}\nquiet\n", one | 8, other | 8);
    lines += uses + uses;
    uint64_t moved = kMoved;
    for (const std::string& command : changes) {
      lines += fmt::format("map 1{} {:#x} pa={:#x}\n{}sync\n", of, one, moved, command) + uses;
      moved += 0x1000000;
    }
    add(name, section, lines);
  }

  void addresses(unsigned bit) {
    for (const Granule& granule : kGranules) {
      if (bit < granule.log2) continue;
      const bool upper = draw_.chance(50);
      const uint64_t low = bits(48) & ~ones(granule.log2);
      const uint64_t one = upper ? low | ~ones(48) : low, other = one ^ uint64_t { 1 } << bit;
      const unsigned upper_code = granule.log2 == 12 ? 2 : granule.log2 == 14 ? 1 : 3;
      pages(fmt::format("address/{}K/{}", 1u << (granule.log2 - 10), bit), "TLB invalidation",
            fmt::format("stream s1 1\ncd 1 ASID=7 TG0={} TG1={} T0SZ=16 T1SZ=16 EPD1=0 TTB0=0x31000000 "
                        "TTB1=0x32000000\n",
                        granule.code, upper_code),
            "", one, other,
            {fmt::format("cmd TLBI_NH_VA asid=7 va={:#x}\n", one),
             fmt::format("cmd TLBI_NH_VA asid=7 va={:#x} tg={} ttl=3 leaf=1\n", one, granule.log2 / 2 - 5),
             fmt::format("cmd TLBI_NH_VAA va={:#x}\n", one)});
    }
  }
  void intermediate_addresses(unsigned bit) {
    const Granule& granule = kGranules[bit < 14 ? 0 : bit < 16 ? bit % 2 : bit % 3];
    const uint64_t one = bits(48) & ~ones(granule.log2), other = one ^ uint64_t { 1 } << bit;
    pages(fmt::format("intermediate/{}", bit), "TLB invalidation",
          fmt::format("stream s2 1 S2VMID=5 S2TG={} S2T0SZ=16 S2SL0=2 S2TTB=0x31000000\n", granule.code), "/s2", one,
          other,
          {fmt::format("cmd TLBI_S2_IPA vmid=5 va={:#x}\n", one),
           fmt::format("cmd TLBI_S2_IPA vmid=5 va={:#x} tg={} ttl=3\n", one, granule.log2 / 2 - 5)});
  }

  // Two blocks, or pages that are not the smallest: between where they are read, all lower bits differ as well.
  void blocks(unsigned bit) {
    struct Block {
      unsigned granule_code, level, log2;
    };
    constexpr Block kBlocks[] = {{0, 1, 30}, {0, 2, 21}, {1, 3, 16}};
    for (const Block& block : kBlocks) {
      if (bit < block.log2) continue;
      const uint64_t one = bits(48) & ~ones(block.log2), other = one ^ uint64_t { 1 } << bit;
      const uint64_t inside = bits(block.log2) & ~uint64_t{7}, across = inside ^ (ones(block.log2) & ~uint64_t{7});
      const std::string uses =
          fmt::format("access read 1 {:#x}\nquiet\naccess read 1 {:#x}\naccess write 1 {:#x}\nquiet\n", one | inside,
                      other | across, one | across);
      const std::string world = fmt::format(
          "stream s1 1\ncd 1 TG0={0} T0SZ=16 TTB0=0x31000000\nmap 1 {1:#x} level={3} pa=0x40000000 tables={4:#x}\n"
          "map 1 {2:#x} level={3} pa=0x80000000 tables={5:#x}\n",
          block.granule_code, one, other, block.level, fresh_tables(), fresh_tables());
      add(fmt::format("block/{}/{}", block.log2, bit), "TLB tagging", world + uses + uses);
      // From the beginning of one to the end of the other; and where one has not the first place of a set.
      const uint64_t aside = one ^ uint64_t { 1 } << (bit == 46 ? 45 : 46), end = ones(block.log2) & ~uint64_t{7};
      const std::string ends = fmt::format(
          "access read 1 {:#x}\nquiet\naccess read 1 {:#x}\nquiet\naccess read 1 {:#x}\naccess write 1 {:#x}\nquiet\n",
          one, other | end, one | end, other);
      add(fmt::format("block-ends/{}/{}", block.log2, bit), "TLB tagging", world + ends);
      add(fmt::format("block-behind/{}/{}", block.log2, bit), "TLB tagging",
          world +
              fmt::format("map 1 {0:#x} level={1} pa=0xc0000000 tables={2:#x}\naccess read 1 {0:#x}\nquiet\n", aside,
                          block.level, fresh_tables()) +
              ends);
    }
  }

  // Tables of stage 1 whose intermediate addresses differ in one bit, each where stage 2 says.
  void tables(unsigned bit) {
    const uint64_t one = (bits(46) & ~ones(14)) | uint64_t{1} << 33, other = one ^ uint64_t { 1 } << bit;
    std::string lines = "stream nested 1 S2T0SZ=16 S2SL0=2 S2TTB=0x31000000 S2VMID=5 identity=0\n";
    for (unsigned block = 0; block < 4; ++block)
      lines += fmt::format("map 1/s2 {:#x} level=1 tables=0x31100000\n", uint64_t{block} << 30);
    // Three tables below the root's for each of two regions.
    const auto place = [&](uint64_t table, uint64_t page) { return 0x50000000 + (table == one ? 0 : 0x100000) + page; };
    for (const uint64_t table : {one, other})
      for (const uint64_t page : {0, 0x1000, 0x2000})
        lines +=
            fmt::format("map 1/s2 {:#x} pa={:#x} tables={:#x}\n", table + page, place(table, page), fresh_tables());
    lines += "cd 1 T0SZ=25\n";
    lines +=
        fmt::format("map 1 0x1000 pa=0x1000 tables={:#x}\nmap 1 0x4000001000 pa=0x2000 tables={:#x}\n", one, other);
    for (const char* command : {"TLBI_NH_ALL vmid=5", "TLBI_S12_VMALL vmid=5", "TLBI_NH_VA vmid=5 asid=17 va=0x1000"})
      lines += fmt::format("access read 1 0x1000\nquiet\naccess read 1 0x4000001000\nquiet\ncmd {}\nsync\n", command);
    // Each of the second's goes elsewhere at stage 2, where there is nothing, and comes back; a command says so of that
    // page alone. Small caches still have its tables, as they were used last, but for one that the root's place is.
    for (const uint64_t page : {0x1000, 0}) {
      lines += "access read 1 0x1000\nquiet\naccess read 1 0x4000001000\nquiet\n";
      for (const uint64_t to : {uint64_t{0x90000000}, place(other, page)})
        lines += fmt::format(
            "map 1/s2 {0:#x} pa={1:#x}\ncmd TLBI_S2_IPA vmid=5 va={0:#x}\ncmd TLBI_NH_ALL vmid=5\nsync\n"
            "access read 1 0x4000001000\nquiet\n",
            other + page, to);
    }
    lines += "access read 1 0x1000\n";
    add(fmt::format("table/{}", bit), "Nested translation", lines);
  }

  // The first and the last page of a range, wherever it begins.
  void range(const Granule& granule, unsigned scale, bool stage2) {
    const unsigned unit = granule.log2 + scale;
    if (unit > 46) return;
    const uint64_t most = std::min<uint64_t>(32, uint64_t{1} << (47 - unit));
    const uint64_t count = scale == 0 ? 2 + draw_.below(most - 1) : 1 + draw_.below(most);
    const uint64_t size = count << unit;
    const bool upper = !stage2 && draw_.chance(50);
    const uint64_t room = (uint64_t{1} << 47) - size;
    const uint64_t low = std::min(bits(47), room) & ~ones(granule.log2);
    const uint64_t first = (upper ? ~ones(47) : 0) | low, last = first + size - (uint64_t{1} << granule.log2);
    const char* of = stage2 ? "/s2" : "";
    std::string lines;
    if (stage2) {
      lines = fmt::format("stream s2 1 S2VMID=5 S2TG={} S2T0SZ=16 S2SL0=2 S2TTB=0x31000000\n", granule.code);
    } else {
      lines = fmt::format(
          "stream s1 1\ncd 1 ASID=7 TG0={} TG1={} T0SZ=16 T1SZ=16 EPD1=0 TTB0=0x31000000 "
          "TTB1=0x32000000\n",
          granule.code,
          granule.log2 == 12   ? 2
          : granule.log2 == 14 ? 1
                               : 3);
    }
    std::vector<uint64_t> pages = {first, last};
    if (first == last) pages.pop_back();
    for (const uint64_t page : pages)
      lines += fmt::format("map 1{} {:#x} pa={:#x} tables={:#x}\n", of, page, kHere + (page == last ? 0x100000 : 0),
                           fresh_tables());
    std::string uses;
    for (const uint64_t page : pages) uses += fmt::format("access read 1 {:#x}\n", page);
    lines += uses + "quiet\n";
    for (const uint64_t page : pages) lines += fmt::format("unmap 1{} {:#x}\n", of, page);
    lines +=
        fmt::format("cmd {} va={:#x} tg={} scale={} num={}\nsync\n",
                    stage2 ? "TLBI_S2_IPA vmid=5" : "TLBI_NH_VA asid=7", first, granule.log2 / 2 - 5, scale, count - 1);
    add(fmt::format("range/{}{}K/{}", stage2 ? "stage-2-" : "", 1u << (granule.log2 - 10), scale),
        "Range-based invalidation and level hint", lines + uses);
  }

  // The streams of a range that have the lowest and the highest number; `named` says which range, and so does the same
  // with all bits turned over that do not count.
  void streams_of_a_range(unsigned log2, uint64_t named) {
    const uint64_t first = named & ~ones(log2), last = (first | ones(log2)) & ones(16);
    const auto changed = [&](uint64_t sid) {
      return fmt::format("cmd CFGI_STE_RANGE sid={:#x} range={}\nsync\n", sid, log2 - 1);
    };
    std::string lines = "setup STRTAB_BASE_CFG=16 STRTAB_BASE=0x20000000\n";
    lines += fmt::format("stream bypass {:#x}\nstream s1 {:#x}\nmap {:#x} 0x1000\n", first, last, last);
    const std::string uses = fmt::format("access read {:#x} 0x1000\naccess read {:#x} 0x1000\nquiet\n", first, last);
    lines += uses;
    lines += fmt::format("cd {:#x} V=0\n", last) + changed(named) + uses;
    lines += fmt::format("stream abort {:#x}\nstream bypass {:#x}\n", first, last) + changed(named ^ ones(log2)) + uses;
    add(fmt::format("range-of-streams/{}", log2), "Configuration structure invalidation", lines);
  }

  // Bits of structures and descriptors that say nothing, and pointers whose low bits are below their table.
  void ignored() {
    for (unsigned size = 16; size <= 39; ++size) {
      const Granule& granule = kGranules[size % 3];
      const unsigned stride = granule.log2 - 3, input = 64 - size;
      const unsigned levels = (input - 1 - granule.log2) / stride;
      const uint64_t below = (uint64_t{8} << (input - granule.log2 - levels * stride)) - 1;
      const uint64_t garbage = draw_.any() & below & ~uint64_t{15};
      const uint64_t ignored_bits = draw_.any() & 0x0780'0000'0000'0000;
      const uint64_t address = bits(std::min(input, 47u)) & ~ones(granule.log2);
      add(fmt::format("ignored/table-of-{}-bits", input), "CD, TTB0",
          fmt::format("stream s1 1\ncd 1 TG0={} T0SZ={} TTB0={:#x}\nmap 1 {:#x} pa={:#x} or={:#x} tables={:#x}\n"
                      "access read 1 {:#x}\naccess write 1 {:#x}\n",
                      granule.code, size, 0x31000000 | garbage, address, kHere, ignored_bits, fresh_tables(),
                      address | bits(9) << 3, address));
    }
    for (unsigned log2 = 1; log2 <= 20; ++log2)
      for (unsigned format = 0; format < 3; ++format) {
        const unsigned split = format == 1 ? 6 : 10;
        const unsigned own = format == 0 ? log2 + 6 : log2 > split ? log2 - split + 3 : 6;
        const uint64_t garbage = draw_.any() & ones(own) & ~uint64_t{63};
        const uint64_t substream = ones(log2) & (draw_.any() | uint64_t{1} << (log2 - 1));
        add(fmt::format("ignored/contexts-{}-{}", format, log2), "STE, S1ContextPtr",
            fmt::format("stream s1 1 S1CDMax={} S1Fmt={} S1DSS=0 S1ContextPtr={:#x}\ncd 1.{:#x}{}\n"
                        "map 1.{:#x} 0x1000 pa={:#x}\naccess read 1.{:#x} 0x1000\n",
                        log2, format, 0x1'0000'0000 | garbage, substream,
                        format ? fmt::format(" leaf={:#x}", 0x1'8000'0000) : "", substream, kHere, substream));
      }
  }

  // Records that find no room, again and again: OVFLG changes with the first one that is lost after software took
  // notice.
  void full_event_queues() {
    for (unsigned log2 = 0; log2 < 4; ++log2) {
      // Faults of addresses that differ, in a stream whose records are not merged.
      std::string lines = fmt::format("setup EVENTQ_BASE={:#x}\nstream s1 1\n", 0x6800000 | log2);
      for (unsigned round = 0; round < 3; ++round) {
        for (unsigned i = 0; i < (1u << log2) + 2; ++i) lines += fmt::format("access read 1 {:#x}\n", (i + 1) << 12);
        lines += "quiet\nread EVENTQ_PROD\nevents\naccess read 1 0\nquiet\nread EVENTQ_PROD\nread EVENTQ_CONS\n";
      }
      add(fmt::format("event-queue-full/{}", 1u << log2), "Event queue overflow", lines);
    }
  }

  // Messages that are on their way when their interrupt is switched off.
  void switched_off() {
    for (const char* slow : {"", "slow page 0x9ff00000 cycles=300\n"})
      for (const unsigned ticks : {5, 20, 40, 80, 160}) {
        const char* kind = *slow ? "slow" : "quick";
        add(fmt::format("switched-off/events/{}/{}", kind, ticks), "SMMU_IRQ_CTRL",
            fmt::format(
                "setup EVENTQ_IRQ_CFG0=0x9ff00000 EVENTQ_IRQ_CFG1=0x55\n{}access read 1 0\ntick {}\n"
                "write IRQ_CTRL 0\nread IRQ_CTRLACK\ntick 400\nquiet\nevents\nwrite IRQ_CTRL 5\naccess read 2 0\n"
                "quiet\n",
                slow, ticks));
        add(fmt::format("switched-off/errors/{}/{}", kind, ticks), "SMMU_IRQ_CTRL",
            fmt::format("setup GERROR_IRQ_CFG0=0x9ff00000 GERROR_IRQ_CFG1=0x55\n{}cmd RAW w0=0\ntick {}\n"
                        "write IRQ_CTRL 0\nread IRQ_CTRLACK\ntick 400\nquiet\nrecover\nwrite IRQ_CTRL 5\ncmd RAW w0=0\n"
                        "quiet\nrecover\n",
                        slow, ticks));
      }
  }

  static constexpr uint64_t kTables = 0x38000000, kTablesEnd = 0x3fc00000;
  std::vector<DirectedScript>& scripts_;
  Drawing draw_;
  uint64_t next_tables_ = kTables;
};

}  // namespace

void add_neighbours(std::vector<DirectedScript>& scripts) { Neighbours(scripts).all(); }

}  // namespace lockstep::smmu_rtl_bridge::directed
