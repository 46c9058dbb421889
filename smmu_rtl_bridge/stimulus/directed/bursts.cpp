// SPDX-License-Identifier: Apache-2.0
// Bursts of every length: passed, answered with zeros, refused; and writes that do not fit the buffer of a device,
// several of them beside one another and beside others.
#include <fmt/format.h>

#include "smmu_rtl_bridge/stimulus/directed/groups.h"
#include "smmu_rtl_bridge/stimulus/drawing.h"

namespace lockstep::smmu_rtl_bridge::directed {
namespace {

constexpr uint64_t kSeed = 12;
// 1 bypasses, 2 translates one page, 3 is refused, 4 reads zeros.
constexpr const char* kStreams =
    "stream bypass 1\nstream s1 2\nmap 2 0x1000 pa=0x90001000\nstream abort 3\nstream s1 4\ncd 4 A=0 R=1\n";

std::string one_length(unsigned bytes) {
  std::string lines = kStreams;
  for (const char* word : {"read", "write"})
    for (unsigned stream = 1; stream <= 4; ++stream)
      for (const unsigned offset : {0u, 4u})
        lines += fmt::format("access {} {} {:#x} size={}\nquiet\n", word, stream, 0x1100 + offset, bytes);
  return lines;
}

// No two of one direction begin at the same place of a page.
std::string beside_one_another(Drawing& draw) {
  std::string lines = kStreams;
  for (unsigned i = 0; i < 40; ++i) {
    const uint64_t stream = draw.between(1, 4);
    const uint64_t bytes = draw.pick({8u, 64u, 72u, 120u, 128u});
    lines += fmt::format("access {} {} {:#x} size={}\n", draw.chance(70) ? "write" : "read", stream,
                         0x1000 + (i % 24) * 0x88, bytes);
  }
  return lines + "quiet\n";
}

// Long writes that need no walk behind long ones that do, in every slot that a device may have for them.
std::string behind_misses(unsigned bytes, unsigned beside) {
  std::string lines = "stream bypass 1\nstream s1 2\n";
  for (unsigned i = 0; i < 24; ++i) lines += fmt::format("map 2 {:#x} pa={:#x}\n", i << 21, 0x90000000 + (i << 12));
  unsigned place = 0;
  const auto write = [&](unsigned stream, uint64_t page) {
    lines += fmt::format("access write {} {:#x} size={}\n", stream, page + place++ % 28 * 0x90, bytes);
  };
  for (unsigned i = 0; i < 24; ++i) {
    write(2, uint64_t{i} << 21);
    for (unsigned k = 0; k < beside; ++k) write(1, 0x5000);
  }
  return lines + "quiet\n";
}

}  // namespace

void add_bursts(std::vector<DirectedScript>& scripts) {
  Drawing draw(kSeed);
  for (unsigned bytes = 8; bytes <= 128; bytes += 8)
    scripts.push_back({fmt::format("bursts/{}-bytes", bytes), "Client transactions", {}, one_length(bytes), {}, true});
  for (const unsigned bytes : {64, 128})
    for (unsigned beside = 1; beside <= 3; ++beside)
      scripts.push_back({fmt::format("bursts/{}-bytes-behind-misses-{}", bytes, beside),
                         "Client transactions",
                         {},
                         behind_misses(bytes, beside),
                         {}});
  for (unsigned i = 0; i < 12; ++i)
    scripts.push_back({fmt::format("bursts/beside-{}", i), "Client transactions", {}, beside_one_another(draw), {}});
}

}  // namespace lockstep::smmu_rtl_bridge::directed
