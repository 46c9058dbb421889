// SPDX-License-Identifier: Apache-2.0
// Mutant 0 is the design, to the cycle; and a few mutants are found and shrunk, the sound design is not.
#include "smmu_rtl_bridge/mutation/hunt.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "smmu_rtl_bridge/mutation/mutants.h"
#include "smmu_rtl_bridge/rtl_device.h"
#include "smmu_rtl_bridge/rtl_device/load.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

constexpr uint64_t kSilenceMs = 600'000;

DeviceFactory factory_of(const std::string& design, unsigned mutant, std::ostream* pins = nullptr) {
  RtlOptions options;
  options.file = design_path(design, "plain");
  options.pins = pins;
  const auto factory = make_rtl_factory(options);
  EXPECT_TRUE(factory) << factory.message();
  return [factory = *factory, mutant](std::vector<Setting> settings, Surroundings& surroundings) {
    if (mutant != 0) settings.push_back({"mutant", std::to_string(mutant)});
    return factory(settings, surroundings);
  };
}

// All handshakes of some seeds, with their cycles.
std::string pins_of(const std::string& design) {
  std::ostringstream pins;
  for (const char* name : {"default", "faults", "commands"}) {
    const auto mix = load_mix(name);
    EXPECT_TRUE(mix);
    SeedOptions seed;
    seed.mix = *mix;
    seed.draw = [](uint64_t number, const Mix&) { return draw_rtl_device(number); };
    for (uint64_t number = 1; number <= 2; ++number) {
      const auto run = run_seed(factory_of(design, 0, &pins), number, seed, {});
      EXPECT_TRUE(run) << run.message();
      if (run) {
        EXPECT_TRUE(run->result.ok()) << design << ": " << run->result.text;
      }
    }
  }
  return pins.str();
}

TEST(Hunt, PlantedMutantZeroIsTheDesign) {
  const std::string pins = pins_of("smmu");
  EXPECT_GT(pins.size(), 100'000u);
  EXPECT_TRUE(pins == pins_of("smmu_planted"));
}

TEST(Hunt, DrawnMutantZeroIsTheDesign) {
  if (!std::filesystem::exists(design_path("smmu_drawn_few", "plain"))) GTEST_SKIP() << "Yosys is not installed";
  const std::string pins = pins_of("smmu_small");
  EXPECT_TRUE(pins == pins_of("smmu_drawn_few"));
  // All of them take long to draw and are there only where somebody has built them, to hunt them.
  if (std::filesystem::exists(design_path("smmu_drawn", "plain"))) {
    EXPECT_TRUE(pins == pins_of("smmu_drawn"));
  }
}

class Canaries : public testing::Test {
 protected:
  Hunted hunted(const std::string& design, unsigned mutant, uint64_t accesses) {
    Quarry quarry;
    quarry.planted = factory_of(design, mutant);
    quarry.sound = factory_of(design, 0);
    quarry.draw = [](uint64_t number, const Mix&) { return draw_rtl_device(number); };
    quarry.adapt = for_pins;
    quarry.has_clock = true;
    HuntOptions options;
    options.mixes = {"default", "faults"};
    options.seeds_a_turn = 2;
    options.accesses_max = accesses;
    options.silence_ms = options.candidate_silence_ms = kSilenceMs;
    const auto result = hunt(quarry, options);
    EXPECT_TRUE(result) << result.message();
    return result ? *result : Hunted();
  }
};

TEST_F(Canaries, TheSoundDesignLives) { EXPECT_FALSE(hunted("smmu_planted", 0, 1500).killed); }

TEST_F(Canaries, SomeOfEachClassAreKilled) {
  const auto mutants =
      load_mutants(std::filesystem::path(design_path("smmu_planted", "plain")).replace_extension(".mutants"));
  ASSERT_TRUE(mutants) << mutants.message();
  const char* kNames[] = {"competing faults: a permission wins over an access flag",
                          "access flag: that of stage 2 is told as stage 1's", "events: PnU is what came in"};
  for (const char* name : kNames) {
    const auto mutant = std::find_if(mutants->begin(), mutants->end(), [&](const Mutant& m) { return m.name == name; });
    ASSERT_NE(mutant, mutants->end()) << name;
    const Hunted found = hunted("smmu_planted", mutant->number, 20'000);
    EXPECT_TRUE(found.killed) << name;
    EXPECT_LE(found.lines, 12u) << name;
    EXPECT_GT(found.accesses, 0u);
  }
}

}  // namespace
}  // namespace lockstep::smmu_rtl_bridge
