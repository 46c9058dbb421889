// SPDX-License-Identifier: Apache-2.0
// What mixes promise of the answers on the model's core: how many are hits, misses and nested, and that the judge has
// one outcome for nearly all.
#include <gtest/gtest.h>

#include "smmu_rtl_bridge/campaign/run.h"
#include "smmu_rtl_bridge/tlm_device.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

RunCounts counts_of(const std::string& name, uint64_t seeds) {
  SeedOptions options;
  options.mix = *load_mix(name);
  RunCounts counts;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    const auto run = run_seed(make_core_device, seed, options, {});
    EXPECT_TRUE(run) << run.message();
    if (!run) break;
    EXPECT_TRUE(run->result.ok()) << name << " " << seed << ": " << run->result.rule << ": " << run->result.text;
    counts.add(run->result.counts);
  }
  return counts;
}

TEST(Shares, HitsAreHits) {
  const RunCounts counts = counts_of("hits", 30);
  EXPECT_GE(counts.hits * 100, counts.answers * 95);
  EXPECT_LE(counts.hits + counts.misses, counts.answers);
}

TEST(Shares, DefaultMissesAndNests) {
  const RunCounts counts = counts_of("default", 100);
  EXPECT_GE(counts.misses * 100, counts.answers * 30);
  EXPECT_GE(counts.nested * 100, counts.answers * 30);
}

TEST(Shares, OneOutcomeIsTheRule) {
  for (const NamedText& known : known_mixes()) {
    const RunCounts counts = counts_of(std::string(known.name), 100);
    EXPECT_LT(counts.several_outcomes * 100, counts.answers * 5) << known.name;
  }
}

// What is counted, on a script whose every access is known: a walk, the same page again, another page of a warm table,
// a page that nothing maps, a stream without tables.
TEST(Shares, CountWhatThePinsShow) {
  const auto script = parse_script(
      "smmu-script 1\nstream nested 5\nmap 5 0x1000 pa=0x90001000\nmap 5 0x2000 pa=0x90002000\nstream bypass 6\n"
      "access read 5 0x1008\nquiet\naccess write 5 0x1010\nquiet\naccess read 5 0x2000\nquiet\naccess read 5 0x3000\n"
      "quiet\naccess read 6 0x4000\n",
      "script");
  ASSERT_TRUE(script) << script.message();
  const auto run = run_script(make_core_device, *script, {});
  ASSERT_TRUE(run) << run.message();
  EXPECT_TRUE(run->ok()) << run->rule << ": " << run->text;
  EXPECT_EQ(run->counts.answers, 5u);
  EXPECT_EQ(run->counts.hits, 1u);
  EXPECT_EQ(run->counts.misses, 3u);
  EXPECT_EQ(run->counts.nested, 4u);
  EXPECT_EQ(run->counts.faults, 1u);
}

}  // namespace
}  // namespace lockstep::smmu_rtl_bridge
