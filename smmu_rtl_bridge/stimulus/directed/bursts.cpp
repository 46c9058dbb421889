// SPDX-License-Identifier: Apache-2.0
// Bursts of every length: passed, answered with zeros, refused; and writes that do not fit the buffer of a device,
// several of them beside one another and beside others.
#include <fmt/format.h>

#include <numeric>

#include "smmu_rtl_bridge/stimulus/directed/groups.h"
#include "smmu_rtl_bridge/stimulus/drawing.h"

namespace lockstep::smmu_rtl_bridge::directed {
namespace {

constexpr uint64_t kSeed = 12;
// Of AXI4.
constexpr unsigned kBeatsMax = 256;
// That a device may have for writes under way.
constexpr unsigned kPlaces = 16;
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

// Up to the longest, in every place.
std::string long_beside_one_another(Drawing& draw) {
  std::string lines = kStreams;
  for (unsigned i = 0; i < 48; ++i) {
    const uint64_t stream = draw.between(1, 4);
    const uint64_t bytes = draw.pick({136u, 1024u, 1032u, 2040u, 2048u});
    lines +=
        fmt::format("access {} {} {:#x} size={}\n", draw.chance(50) ? "write" : "read", stream, 0x1000 + i * 8, bytes);
  }
  return lines + "quiet\n";
}

// A long write waits for its walk while the `older` ones before it end, and others take their places: it must not wait
// for these.
std::string ahead_of_those_that_end(unsigned older, unsigned bytes) {
  std::string lines =
      "stream bypass 1\nstream s1 2\nmap 2 0x1000 pa=0x90001000\nmap 2 0x2000 pa=0x90002000\n"
      "access read 2 0x1000\nquiet\nslow desc 2 0x2000 cycles=2000\nslow page 0x5000 cycles=300\n";
  unsigned place = 0;
  const auto write = [&](unsigned stream, uint64_t page) {
    lines += fmt::format("access write {} {:#x} size={}\n", stream, page + place++ % 28 * 0x90, bytes);
  };
  for (unsigned i = 0; i < older; ++i) write(1, 0x5000);
  write(2, 0x2000);
  lines += "tick 800\n";
  for (unsigned i = 0; i <= older; ++i) write(1, 0x6000);
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
  std::vector<unsigned> beats(16);
  std::iota(beats.begin(), beats.end(), 1);
  for (unsigned power = 16; power < kBeatsMax; power *= 2)
    beats.insert(beats.end(), {power + 1, 2 * power - 1, 2 * power});
  for (const unsigned count : beats)
    scripts.push_back(
        {fmt::format("bursts/{}-bytes", 8 * count), "Client transactions", {}, one_length(8 * count), {}, true});
  for (const unsigned bytes : {64, 128})
    for (unsigned beside = 1; beside <= 3; ++beside)
      scripts.push_back({fmt::format("bursts/{}-bytes-behind-misses-{}", bytes, beside),
                         "Client transactions",
                         {},
                         behind_misses(bytes, beside),
                         {}});
  for (const unsigned bytes : {64, 128})
    for (unsigned older = 0; older < kPlaces; ++older)
      scripts.push_back({fmt::format("bursts/{}-bytes-ahead-of-{}-that-end", bytes, older),
                         "Client transactions",
                         {},
                         ahead_of_those_that_end(older, bytes),
                         {}});
  for (unsigned i = 0; i < 12; ++i)
    scripts.push_back({fmt::format("bursts/beside-{}", i), "Client transactions", {}, beside_one_another(draw), {}});
  for (unsigned i = 0; i < 4; ++i)
    scripts.push_back(
        {fmt::format("bursts/long-beside-{}", i), "Client transactions", {}, long_beside_one_another(draw), {}});
}

}  // namespace lockstep::smmu_rtl_bridge::directed
