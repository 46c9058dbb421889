// SPDX-License-Identifier: Apache-2.0
// Accesses that wait for walks: several for one, while others take every place that a device may have for what is
// missing. And a CMD_SYNC that waits for accesses.
#include <fmt/format.h>

#include "smmu_rtl_bridge/stimulus/directed/groups.h"

namespace lockstep::smmu_rtl_bridge::directed {
namespace {

constexpr unsigned kPlaces = 8;

// The first `ahead` miss pages of their own, the rest one page; then all again, which is known now.
std::string behind(unsigned ahead, const char* first, const char* second, uint64_t page) {
  std::string lines = "stream s1 1\ncd 1 T0SZ=16\n";
  for (unsigned i = 0; i < ahead; ++i)
    lines += fmt::format("map 1 {:#x} pa={:#x}\n", uint64_t{i + 1} << 39, 0x90000000 + (i << 12));
  lines += fmt::format("map 1 {:#x} pa=0x98000000\n", page);
  for (unsigned again = 0; again < 2; ++again) {
    for (unsigned i = 0; i < ahead; ++i)
      lines += fmt::format("access {} 1 {:#x}\n", first, (uint64_t{i + 1} << 39) + 0x800 + 8 * i);
    for (unsigned i = 0; i < 6; ++i) lines += fmt::format("access {} 1 {:#x}\n", second, page + 8 * i);
    lines += "quiet\n";
  }
  return lines;
}

// A CMD_SYNC for what is slow downstream when its page goes.
std::string sync_for(const char* word) {
  return fmt::format(
      "stream s1 1\nmap 1 0x1000 pa=0x90000000\nmap 1 0x2000 pa=0x90001000\naccess read 1 0x1000\nquiet\n"
      "slow page 0x90000000 cycles=2000\naccess {} 1 0x1000 size=64\nunmap 1 0x1000\ncmd TLBI_NH_ALL\nsync\n"
      "access read 1 0x2000\nquiet\n",
      word);
}

}  // namespace

void add_waiting(std::vector<DirectedScript>& scripts) {
  for (const char* word : {"read", "write"})
    scripts.push_back({fmt::format("waiting/sync-for-{}", word), "CMD_SYNC", {}, sync_for(word), {}, true});
  for (unsigned ahead = 0; ahead <= kPlaces; ++ahead)
    for (const char* first : {"read", "write"})
      for (const char* second : {"read", "write"})
        for (const uint64_t page : {0x55'5555'5000, 0x2a'aaaa'a000})
          scripts.push_back({fmt::format("waiting/{}-{}s/{}/{:#x}", ahead, first, second, page),
                             "Client transactions",
                             {},
                             behind(ahead, first, second, page),
                             {}});
}

}  // namespace lockstep::smmu_rtl_bridge::directed
