// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "smmu_rtl_bridge/player/player.h"
#include "smmu_rtl_bridge/stimulus/generator.h"
#include "smmu_rtl_bridge/stimulus/mix.h"
#include "smmu_rtl_bridge/tlm_device.h"
#include "tests/core/seed.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

TEST(Mix, AllThatComeWithTheProgramAreRead) {
  EXPECT_GE(known_mixes().size(), 8u);
  for (const NamedText& known : known_mixes()) {
    const auto mix = load_mix(std::string(known.name));
    ASSERT_TRUE(mix) << mix.message();
    EXPECT_EQ(mix->name, known.name);
  }
}

TEST(Mix, ErrorsNameFileAndLine) {
  const auto complaint = [](const char* text) {
    const auto mix = parse_mix(text, "m.mix", "m");
    return mix ? "" : mix.message();
  };
  EXPECT_EQ(complaint("# fine\naccesses = 5\n\nholes=100 # also\n"), "");
  EXPECT_EQ(complaint("accesses = 5\nacceses = 5\n"),
            "m.mix:2: a mix has no 'acceses'; docs/cosim.md lists what it has.");
  EXPECT_EQ(complaint("holes = 101\n"), "m.mix:1: holes is a number from 0 to 100.");
  EXPECT_EQ(complaint("holes\n"), "m.mix:1: a mix has lines 'name = number'.");
  EXPECT_EQ(complaint("stage1=0\nstage2=0\nnested=0\nbypass=0\nabort=0\n"),
            "m.mix: stage1, stage2, nested, bypass and abort are all 0; streams must be something.");
  EXPECT_EQ(load_mix("no-such-mix").message().substr(0, 66),
            "mix 'no-such-mix' is neither a file that can be read nor one of at");
}

// A seed's script is the same every time, prints and parses to itself, and any model plays it to its end.
TEST(Stimulus, SeedsBecomeScriptsThatPlay) {
  const uint64_t first = test::seed();
  for (const NamedText& known : known_mixes()) {
    const auto mix = load_mix(std::string(known.name));
    uint64_t accesses = 0, faults = 0;
    constexpr uint64_t kSeeds = 25;
    for (uint64_t seed = first; seed < first + kSeeds; ++seed) {
      const std::vector<Setting> settings = draw_device(seed, *mix);
      Player player({});
      const auto device = make_core_device(settings, player);
      ASSERT_TRUE(device) << seed << ": " << device.message();
      Script script = generate(seed, *mix, Player::read_features(**device));
      ASSERT_EQ(script, generate(seed, *mix, Player::read_features(**device)));
      script.settings = settings;
      const auto again = parse_script(print(script), "again");
      ASSERT_TRUE(again) << again.message();
      for (size_t i = 0; i < script.lines.size(); ++i)
        ASSERT_EQ(again->lines[i], script.lines[i]) << print(script.lines[i]);
      ASSERT_EQ(*again, script);
      const PlayResult result = player.play(**device, script);
      ASSERT_TRUE(result.ok()) << known.name << " " << seed << ": " << result.rule << ": " << result.text;
      accesses += result.accesses;
      faults += result.faults;
    }
    EXPECT_GT(accesses, kSeeds * mix->accesses * 9 / 10) << known.name;
    EXPECT_LT(faults, accesses * 4 / 5) << known.name;
    std::printf("  %-14s %llu accesses, %llu faults\n", std::string(known.name).c_str(),
                static_cast<unsigned long long>(accesses), static_cast<unsigned long long>(faults));
  }
}

}  // namespace
}  // namespace lockstep::smmu_rtl_bridge
