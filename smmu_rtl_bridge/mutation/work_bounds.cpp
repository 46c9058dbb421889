// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "smmu_rtl_bridge/bits.h"
#include "smmu_rtl_bridge/mutation/work.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

// Input addresses that differ from the first in the index of one level.
constexpr uint64_t kInput = 0x123456789000;
constexpr uint64_t kOther[] = {uint64_t{1} << 39, uint64_t{1} << 30, uint64_t{1} << 21, uint64_t{1} << 12};
constexpr const char* kHead = "smmu-script 1\n";
// Memory takes a hundred clocks.
constexpr const char* kSlowMemory = "settings memory_base=100\n";

std::string mapping(unsigned stream, uint64_t address, uint64_t page, unsigned level = 3) {
  return fmt::format("map {} {:#x} pa={:#x} level={}\n", stream, address, 0x80000000 + page * 0x200000, level);
}
std::string reading(unsigned stream, uint64_t address) {
  return fmt::format("access read {} {:#x}\n", stream, address);
}

// One access after another, each with one pointer more than the one before, the last with a hit.
std::string pointers(const char* stream) {
  std::string text = std::string(kHead) + "stream " + stream + " 1\ncd 1 T0SZ=16\n" + mapping(1, kInput, 0);
  uint64_t page = 1;
  for (const uint64_t other : kOther) text += mapping(1, kInput ^ other, page++);
  text += reading(1, kInput) + "quiet\n";
  for (const uint64_t other : {kOther[1], kOther[2], kOther[3], uint64_t{0}})
    text += reading(1, kInput ^ other) + "quiet\n";
  return text;
}

// As many pages as the TLB has places, twice.
std::string tlb_size() {
  constexpr uint64_t kPages = 128;
  std::string text = std::string(kHead) + "stream s1 1\n";
  for (uint64_t page = 0; page < kPages; ++page) text += mapping(1, page << 12, page);
  for (unsigned again = 0; again < 2; ++again)
    for (uint64_t page = 0; page < kPages; ++page) text += reading(1, page << 12) + "quiet\n";
  return text;
}

// As many other pages as a TLB has places take those of the first.
std::string replacement(uint64_t pages) {
  std::string text = std::string(kHead) + "stream s1 1\n";
  for (uint64_t page = 0; page < 2 * pages; ++page) text += mapping(1, page << 12, page);
  for (uint64_t page = 0; page < pages; ++page) text += reading(1, page << 12) + "quiet\n";
  for (unsigned again = 0; again < 2; ++again)
    for (uint64_t page = pages; page < 2 * pages; ++page) text += reading(1, page << 12) + "quiet\n";
  return text;
}

// A page that allows more than the TLB knows is walked for once more, and then known.
std::string upgraded() {
  std::string text = std::string(kHead) +
                     "stream s1 1\nmap 1 0x1000 pa=0x90001000 ap=3\naccess read 1 0x1000\nquiet\n"
                     "map 1 0x1000 pa=0x90001000 ap=1\n";
  for (unsigned i = 0; i < 3; ++i) text += fmt::format("access write 1 {:#x}\nquiet\n", 0x1000 + 8 * i);
  return text;
}

// The same where each bit of address, ASID and VMID is set.
std::string upgraded_at_the_top() {
  constexpr uint64_t kTop = 0xffff'ffff'f000;
  std::string text = std::string(kHead) + "stream nested 1 S2VMID=0xffff\ncd 1 ASID=0xffff T0SZ=16\n" +
                     fmt::format("map 1 {:#x} pa=0x90001000 ap=3\n", kTop) + reading(1, kTop) + "quiet\n" +
                     fmt::format("map 1 {:#x} pa=0x90001000 ap=1\n", kTop);
  for (unsigned i = 0; i < 3; ++i) text += fmt::format("access write 1 {:#x}\nquiet\n", kTop + 8 * i);
  return text + reading(1, kTop) + "quiet\n";
}

// The same where others have the first places of its set, and keep them.
std::string upgraded_beside(unsigned others, uint64_t asid, bool aset, uint64_t page) {
  const auto other = [&](unsigned i) { return page ^ uint64_t { 1 } << (40 + i); };
  std::string text = kHead + fmt::format("stream s1 1\ncd 1 ASID={:#x} ASET={:d} T0SZ=16\n", asid, aset);
  std::string uses;
  for (unsigned i = 0; i < others; ++i) {
    text += mapping(1, other(i), i + 1);
    uses += reading(1, other(i)) + "quiet\n";
  }
  text += fmt::format("map 1 {:#x} pa=0x90001000 ap=3\n", page) + uses + reading(1, page) + "quiet\n" +
          fmt::format("map 1 {:#x} pa=0x90001000 ap=1\n", page);
  for (unsigned i = 0; i < 3; ++i) text += fmt::format("access write 1 {:#x}\nquiet\n", page + 8 * i);
  return text + uses;
}

// Streams, or substreams of one, twice each.
std::string configuration(bool substreams) {
  constexpr unsigned kMany = 16;
  std::string text = std::string(kHead) + (substreams ? "stream s1 1 S1CDMax=6\n" : "");
  for (unsigned i = 1; i <= kMany; ++i)
    text += substreams ? fmt::format("cd 1.{0} ASID={0}\nmap 1.{0} 0x1000 pa=0x90001000\n", i)
                       : fmt::format("stream s1 {0}\ncd {0} ASID={0}\nmap {0} 0x1000 pa=0x90001000\n", i);
  for (unsigned again = 0; again < 2; ++again)
    for (unsigned i = 1; i <= kMany; ++i)
      text += fmt::format("access read {}{} 0x1000\nquiet\n", substreams ? "1." : "", i);
  return text;
}

// What an invalidation does not name is a hit afterwards.
std::string spared(const char* streams, const char* command) {
  return std::string(kHead) + streams +
         "map 1 0x1000 pa=0x90001000\nmap 2 0x2000 pa=0x90002000\naccess read 1 0x1000\naccess read 2 0x2000\nquiet\n"
         "cmd " +
         command + "\nsync\naccess read 2 0x2000\nquiet\n";
}

// Nor does one that names something a bit away from what stream 2 has: `command` takes the number. The page is a hit,
// and the one beside it needs one descriptor.
std::string spared_by_bits(const std::string& streams, const char* command, uint64_t known, unsigned first_bit,
                           unsigned bits, uint64_t page = 0x2000) {
  const uint64_t beside = page ^ 0x1000;
  std::string text = kHead + streams +
                     fmt::format("map 2 {:#x} pa=0x90001000\nmap 2 {:#x} pa=0x90002000\n", page, beside) +
                     reading(2, page) + "quiet\n";
  for (unsigned bit = first_bit; bit < first_bit + bits; ++bit)
    text += "cmd " + fmt::format(fmt::runtime(command), known ^ uint64_t{1} << bit) + " hold\n";
  return text + "sync\n" + reading(2, page) + "quiet\n" + reading(2, beside) + "quiet\n";
}

// One block, read where addresses inside differ in one bit, and at its end.
std::string block(unsigned level) {
  std::string text = std::string(kHead) + "stream s1 1\n" + fmt::format("map 1 0 pa=0 level={}\n", level);
  const unsigned log2 = level == 1 ? 30 : 21;
  for (unsigned bit = 12; bit < log2; ++bit) text += reading(1, uint64_t{1} << bit) + "quiet\n";
  return text + reading(1, (uint64_t{1} << log2) - 8) + "quiet\n";
}

// A group of pages or blocks with the contiguous hint, as large as the TLB has entries for: one walk for all of it,
// wherever in its first page it is read.
std::string contiguous(unsigned granule_code, unsigned level, unsigned page_log2, unsigned group_log2, uint64_t input,
                       uint64_t output, uint64_t inside) {
  std::string text = std::string(kHead) + fmt::format("stream s1 1\ncd 1 TG0={} T0SZ=16\n", granule_code);
  for (uint64_t page = 0; page < uint64_t{1} << group_log2; ++page)
    text += fmt::format("map 1 {:#x} pa={:#x} level={} cont\n", input + (page << page_log2),
                        output + (page << page_log2), level);
  text += reading(1, input + inside) + "quiet\n";
  for (unsigned bit = 12; bit < page_log2 + group_log2; ++bit)
    text += reading(1, input + (uint64_t{1} << bit)) + "quiet\n";
  return text + reading(1, input + (uint64_t{1} << (page_log2 + group_log2)) - 8) + "quiet\n";
}

// A miss, and hits of other IDs behind it while memory takes long.
std::string hits_pass_misses() {
  constexpr uint64_t kFar = uint64_t{1} << 30;
  std::string text = std::string(kHead) + "settings memory_base=1000\nstream s1 1\n" + mapping(1, 0x1000, 1) +
                     mapping(1, kFar, 2) + mapping(1, 2 * kFar, 3) + reading(1, 0x1000) + "quiet\n";
  // The second miss comes when the hits behind the first are through, and walks beside it.
  for (unsigned again = 0; again < 2; ++again) {
    text += reading(1, (again == 0 ? kFar : 2 * kFar) + 0x800 * (again + 1) - 8);
    for (uint64_t hit = 0; hit < 12; ++hit) text += reading(1, 0x1000 + 8 * (hit + 12 * again));
  }
  return text + "quiet\n";
}

// Walks that share no table of the last two levels. No two accesses that are alike in direction and place in the page
// are under way together.
std::string walks_at_a_time() {
  std::string text = std::string(kHead) + kSlowMemory + "stream s1 1\n";
  for (uint64_t page = 0; page < 25; ++page) text += mapping(1, page << 30, page);
  text += reading(1, 0) + "quiet\n";
  for (uint64_t page = 1; page < 25; ++page) text += reading(1, (page << 30) + 8 * page);
  return text + "quiet\n";
}

// Several accesses to one page that nothing is known of.
std::string merged_misses() {
  std::string text = std::string(kHead) + kSlowMemory + "stream s1 1\n" + mapping(1, 0x1000, 1) +
                     mapping(1, 0x2000, 2) + reading(1, 0x1000) + "quiet\n";
  for (unsigned i = 0; i < 8; ++i) text += reading(1, 0x2000 + 8 * i);
  return text + "quiet\n";
}

// Two accesses to a page that nothing is known of, behind so many walks for others.
std::string merged_behind(unsigned ahead, uint64_t page) {
  std::string text = std::string(kHead) + kSlowMemory + "stream s1 1\ncd 1 T0SZ=16\n" + mapping(1, page, 0);
  const auto other = [&](unsigned i) { return page ^ uint64_t { i + 1 } << 39; };
  for (unsigned i = 0; i <= ahead; ++i) text += mapping(1, other(i), i + 1);
  text += reading(1, other(ahead)) + "quiet\n";
  // Reads and writes, as a device may have places of their own for each.
  for (unsigned i = 0; i < ahead; ++i)
    text += fmt::format("access {} 1 {:#x}\n", i % 2 == 0 ? "read" : "write", other(i) + 0x800 + 8 * i);
  return text + fmt::format("access read 1 {:#x}\naccess write 1 {:#x}\nquiet\n", page, page + 8);
}

// Writes that need no memory pass one that does, which has the first place or the second; what they reach is slow.
std::string writes_pass(unsigned beside, bool second) {
  constexpr uint64_t kFar = uint64_t{1} << 30;
  std::string text = std::string(kHead) + "settings client_ids=256\nstream s1 1\n" + mapping(1, 0x1000, 1) +
                     mapping(1, 0x2000, 2) + mapping(1, kFar, 3) +
                     "access write 1 0x1000\naccess write 1 0x2008\nquiet\n" +
                     fmt::format("slow desc 1 {:#x} cycles=4000\nslow page 0x80400000 cycles=4000\n", kFar);
  if (second) text += "access write 1 0x1000\n";
  text += fmt::format("access write 1 {:#x}\n", kFar + 8);
  if (second) text += "tick 100\n";
  for (unsigned i = 0; i < beside; ++i) text += fmt::format("access write 1 {:#x}\n", 0x2010 + 8 * i);
  return text + "quiet\n";
}

// What clients reach takes one at a time. One access has so many before it, and many come after it; it has its turn
// before most of these, and what its client asks then walks beside them.
std::string in_turn(const char* word, unsigned ahead) {
  constexpr uint64_t kFar = uint64_t{1} << 30;
  std::string text = std::string(kHead) + "settings downstream_room=1 client_ids=256\nstream bypass 1\nstream s1 2\n" +
                     mapping(2, 0x1000, 1) + mapping(2, kFar, 2) + reading(2, 0x1000) +
                     "access read 1 0x6000\nquiet\n" +
                     fmt::format("slow desc 2 {:#x} cycles=1000\nslow page 0x6000 cycles=200\n", kFar);
  unsigned place = 0;
  const auto access = [&] { text += fmt::format("access {} 1 {:#x}\n", word, 0x6000 + 8 * ++place); };
  for (unsigned i = 0; i < ahead; ++i) access();
  text += fmt::format("access {} 1 0x6000\n", word);
  for (unsigned i = 0; i < 8; ++i) access();
  return text + fmt::format("access {} 2 {:#x}\nquiet\n", word, kFar);
}

std::string commands() {
  std::string text =
      std::string(kHead) + kSlowMemory + "stream s1 1\n" + mapping(1, 0x1000, 1) + reading(1, 0x1000) + "quiet\n";
  for (unsigned i = 0; i < 16; ++i) text += "cmd TLBI_NH_VA asid=9 va=0x5000 hold\n";
  return text + "sync\n";
}

// Hits, one a turn: what a lookup takes.
std::string hits(const char* settings) {
  std::string text =
      std::string(kHead) + settings + "stream s1 1\n" + mapping(1, 0x1000, 1) + reading(1, 0x1000) + "quiet\n";
  for (unsigned i = 0; i < 28; ++i) text += reading(1, 0x1000 + 8 * i);
  return text + "quiet\n";
}

// Those in which each bit of a number is to be met as 0 and as 1.
void add_of_both_values(std::vector<WorkBound>& bounds) {
  for (const bool odd : {false, true}) {
    const auto add = [&](const char* name, const char* what, std::string script, uint64_t reads, uint64_t clocks) {
      bounds.push_back({fmt::format("{}-{}", name, odd ? "odd" : "even"), what, std::move(script), reads, clocks});
    };
    const uint64_t number = odd ? 0x5555 : 0xaaaa;
    const uint64_t page = odd ? 0x5555'5555'5000 : 0xaaaa'aaaa'a000;
    const char* const streams = "stream s1 2\ncd 2 ASID=9 T0SZ=16\n";
    add("spared/address-bits", "a page one bit away is still known",
        spared_by_bits(streams, "TLBI_NH_VA asid=9 va={:#x}", page, 21, 27, page), 15, 2480);
    add("spared/leaf-bits", "the same by leaves",
        spared_by_bits(streams, "TLBI_NH_VA asid=9 va={:#x} leaf=1", page, 12, 36, page), 18, 3150);
    add("spared/asid-bits", "an ASID one bit away",
        spared_by_bits(fmt::format("stream s1 2\ncd 2 ASID={:#x}\n", number), "TLBI_NH_ASID asid={:#x}", number, 0, 16),
        12, 1655);
    add("spared/vmid-bits", "a VMID one bit away",
        spared_by_bits(fmt::format("stream nested 2 S2VMID={:#x}\n", number), "TLBI_S12_VMALL vmid={:#x}", number, 0,
                       16),
        18, 1722);
    for (const unsigned others : {0, 1, 3})
      add(fmt::format("tlb/upgraded-beside-{}", others).c_str(), "new permissions take the place of the old ones",
          upgraded_beside(others, number, odd, page), 8 + 4 * others, 465 + 67 * others);
    struct Group {
      const char* name;
      unsigned granule_code, level, page_log2, group_log2;
      uint64_t reads, clocks;
    };
    for (const Group& group : {Group{"4k-pages", 0, 3, 12, 4, 7, 490}, Group{"16k-pages", 2, 3, 14, 7, 7, 580},
                               Group{"64k-pages", 1, 3, 16, 5, 6, 572}, Group{"32m-blocks", 2, 2, 25, 5, 6, 735}})
      add(fmt::format("contiguous/{}", group.name).c_str(), "one walk for the group",
          contiguous(group.granule_code, group.level, group.page_log2, group.group_log2,
                     odd ? 0x5555'4000'0000 : 0xaaaa'8000'0000, odd ? 0x25'4000'0000 : 0x1a'8000'0000,
                     number * 0x1'0001 & ones(group.page_log2) & ~uint64_t{7}),
          group.reads, group.clocks);
  }
}

// Those of each place that a design, small or large, may have for something.
void add_of_each_place(std::vector<WorkBound>& bounds) {
  for (const uint64_t pages : {8, 16, 32, 64})
    bounds.push_back({fmt::format("tlb/replacement-{}", pages), "what came last stays", replacement(pages),
                      5 + 2 * pages, 362 + 79 * pages});
  for (unsigned ahead = 0; ahead <= 8; ++ahead)
    bounds.push_back({fmt::format("misses/merged-behind-{}", ahead), "one walk for both",
                      merged_behind(ahead, 0x5555'5555'5000), 11 + 4 * ahead, ahead < 8 ? 1680u : 2080u});
  for (const unsigned beside : {3, 15})
    for (const bool second : {false, true})
      bounds.push_back({fmt::format("writes/{}-pass-{}", beside, second ? "second" : "first"),
                        "what needs no memory does not wait for it", writes_pass(beside, second), 12, 4840});
  for (const char* word : {"read", "write"})
    for (unsigned ahead = 0; ahead < 16; ++ahead)
      bounds.push_back({fmt::format("in-turn/{}-behind-{}", word, ahead),
                        "none has to wait until all others are through", in_turn(word, ahead), 10, 2331 + 211 * ahead});
}

}  // namespace

const std::vector<WorkBound>& work_bounds() {
  // Reads count commands (a read for up to four), structures (one each) and descriptors, and there may be none more.
  // Clocks are those of the design with a twentieth to spare.
  static const std::vector<WorkBound> kBounds = [] {
    std::vector<WorkBound> bounds = {
        {"pointers/stage-1", "4, 3, 2, 1 and 0 descriptors", pointers("s1"), 13, 530},
        {"pointers/nested", "with stage 2 of tables known from one another", pointers("nested"), 25, 660},
        {"tlb/size", "each page is walked for once", tlb_size(), 133, 6550},
        {"tlb/replacement", "what came last stays", replacement(128), 261, 10440},
        {"tlb/upgraded", "its new permissions take the place of the old ones", upgraded(), 7, 0},
        {"tlb/upgraded-at-the-top", "the same with high numbers", upgraded_at_the_top(), 15, 560},
        {"configuration/streams", "each entry and context descriptor is read once", configuration(false), 97, 2030},
        {"configuration/substreams", "the same of substreams", configuration(true), 82, 1780},
        {"spared/address", "the other page is still known",
         spared("stream s1 1\nstream s1 2\n", "TLBI_NH_VA va=0x1000"), 13, 590},
        {"spared/asid", "the other ASID is still known",
         spared("stream s1 1\nstream s1 2\ncd 1 ASID=1\ncd 2 ASID=2\n", "TLBI_NH_ASID asid=1"), 13, 590},
        {"spared/vmid", "the other VMID is still known",
         spared("stream nested 1 S2VMID=1\nstream nested 2 S2VMID=2\n", "TLBI_S12_VMALL vmid=1"), 23, 700},
        {"spared/stream", "the other stream is still known", spared("stream s1 1\nstream s1 2\n", "CFGI_STE sid=1"), 13,
         590},
        {"spared/stream-below", "and one with a lower number", spared("stream s1 1\nstream s1 2\n", "CFGI_STE sid=3"),
         13, 590},
        {"spared/stream-bits", "a stream one bit away", spared_by_bits("stream s1 2\n", "CFGI_STE sid={:#x}", 2, 0, 32),
         16, 2850},
        {"spared/substream-bits", "a substream one bit away",
         spared_by_bits("stream s1 2\n", "CFGI_CD sid=2 ssid={:#x}", 0, 0, 20), 13, 1960},
        {"block/2-mib", "one walk for all pages of a block", block(2), 5, 550},
        {"block/1-gib", "the same", block(1), 4, 700},
        {"misses/hits-pass", "hits of other IDs do not wait for memory", hits_pass_misses(), 12, 10000},
        {"misses/eight", "eight walks at a time", walks_at_a_time(), 78, 2250},
        {"misses/merged", "one walk for all that miss the same page", merged_misses(), 7, 1220},
        {"commands/bursts", "up to four commands a read", commands(), 11, 2350},
        {"hits/lookup", "a lookup takes six clocks", hits(""), 6, 610},
        {"hits/downstream", "accesses overlap downstream", hits("settings downstream_latency=100\n"), 6, 790},
    };
    add_of_both_values(bounds);
    add_of_each_place(bounds);
    return bounds;
  }();
  return kBounds;
}

}  // namespace lockstep::smmu_rtl_bridge
