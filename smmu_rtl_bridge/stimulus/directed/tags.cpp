// SPDX-License-Identifier: Apache-2.0
// Two of a kind that differ in one thing alone, so that a cache which does not look at it mixes them up; and what comes
// twice before the first is over. Mutants of the design in RTL survived without them.
#include <fmt/format.h>

#include "smmu_rtl_bridge/stimulus/directed/groups.h"

namespace lockstep::smmu_rtl_bridge::directed {
namespace {

struct Pair {
  const char* name;
  const char* first;   // of stream 1
  const char* second;  // of stream 2
};
constexpr Pair kPairs[] = {
    {"vmid", "stream nested 1 S2VMID=1\ncd 1 ASID=1", "stream nested 2 S2VMID=2\ncd 2 ASID=1"},
    {"vmid-of-stage-2", "stream s2 1 S2VMID=1", "stream s2 2 S2VMID=2"},
    {"asid", "stream s1 1\ncd 1 ASID=1", "stream s1 2\ncd 2 ASID=2"},
    {"aset", "stream s1 1\ncd 1 ASID=1 ASET=0", "stream s1 2\ncd 2 ASID=1 ASET=1"},
    {"world", "stream s1 1 STRW=0\ncd 1 ASID=1", "stream s1 2 STRW=2\ncd 2 ASID=1"},
};

}  // namespace

void add_tags(std::vector<DirectedScript>& scripts) {
  const auto add = [&](std::string name, const char* section, std::string lines, std::vector<unsigned> events = {}) {
    scripts.push_back({std::move(name), section, {}, std::move(lines), std::move(events)});
  };
  // Their tables are apart, and so are their pages; the address is the same.
  for (const Pair& pair : kPairs) {
    const bool stage2 = std::string(pair.first).find("stream s2") != std::string::npos;
    const char* of = stage2 ? "/s2" : "";
    add(fmt::format("tags/{}", pair.name), "Caching",
        fmt::format("{0}\n{1}\nmap 1{2} 0x1000 pa=0x90001000\nmap 2{2} 0x1000 pa=0x90002000 tables=0x50000000\n"
                    "access read 1 0x1000\nquiet\naccess read 2 0x1000\nquiet\naccess read 1 0x1000\n",
                    pair.first, pair.second, of));
  }
  // The last page of a range, for each granule.
  constexpr const char* kGranules[] = {"0", "2", "1"};
  for (unsigned i = 0; i < 3; ++i) {
    const unsigned shift = 12 + 2 * i;
    const uint64_t last = 0x4000000 + (uint64_t{3} << shift);
    add(fmt::format("tlbi-range/last-page-{}", uint64_t{1} << (shift - 10)), "TLB invalidation",
        fmt::format("stream s1 1\ncd 1 ASID=7 TG0={0}\nmap 1 {1:#x} pa=0x90000000\naccess read 1 {1:#x}\nquiet\n"
                    "unmap 1 {1:#x}\ncmd TLBI_NH_VA asid=7 va=0x4000000 tg={2} num=3\nsync\naccess read 1 {1:#x}\n",
                    kGranules[i], last, i + 1),
        {0x10});
  }
  add("answers/bus-error-of-a-write", "Client transactions",
      "stream s1 1\nmap 1 0x1000 pa=0x90001000\nbreak page 0x90001000\naccess write 1 0x1000\nquiet\n");
  add("registers/error-while-one-is-active", "SMMU_GERROR",
      "break page 0x9ff00000\nsync cs=1 msi_addr=0x9ff00000\ntick 200\nread GERROR\nsync cs=1 msi_addr=0x9ff00000\n"
      "tick 200\nread GERROR\n");
  std::string messages;
  for (unsigned i = 0; i < 4; ++i)
    messages += fmt::format("cmd SYNC cs=1 msi_addr={:#x} msi_data={} hold\n", 0x9ff00000 + 4 * i, i + 1);
  add("sync/messages-one-behind-another", "CMD_SYNC", messages + "sync\nquiet\n");
}

}  // namespace lockstep::smmu_rtl_bridge::directed
