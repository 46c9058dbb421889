// SPDX-License-Identifier: Apache-2.0
// The design keeps its own assertions of performance, and they leave no room: whoever makes it read more breaks one.
#include "smmu_rtl_bridge/mutation/work.h"

#include <gtest/gtest.h>

#include "smmu_rtl_bridge/rtl_device.h"
#include "smmu_rtl_bridge/rtl_device/load.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

constexpr uint64_t kSilenceMs = 600'000;

TEST(Work, TheDesignNeedsWhatIsAllowedAndNoReadLess) {
  RtlOptions options;
  options.file = design_path("smmu", "plain");
  const auto factory = make_rtl_factory(options);
  ASSERT_TRUE(factory) << factory.message();
  for (const WorkBound& bound : work_bounds()) {
    const auto script = parse_script(bound.script, bound.name);
    ASSERT_TRUE(script) << script.message();
    const auto measured = measure(DeviceFactory(*factory), *script, {}, kSilenceMs);
    ASSERT_TRUE(measured) << measured.message();
    EXPECT_TRUE(measured->result.ok()) << bound.name << ": " << measured->result.text;
    std::printf("%-26s %5zu reads %6zu clocks, at most %zu and %zu\n", bound.name.c_str(),
                static_cast<size_t>(measured->work.reads), static_cast<size_t>(measured->work.cycles),
                static_cast<size_t>(bound.reads_max), static_cast<size_t>(bound.cycles_max));
    EXPECT_EQ(measured->work.reads, bound.reads_max) << bound.name;
    EXPECT_EQ(work_verdict(measured->work, bound.reads_max, bound.cycles_max), "") << bound.name;
  }
}

TEST(Work, AVerdictNamesWhatWasTooMuch) {
  EXPECT_EQ(work_verdict({10, 100}, 10, 100), "");
  EXPECT_EQ(work_verdict({11, 100}, 10, 100), "performance.reads");
  EXPECT_EQ(work_verdict({10, 101}, 10, 100), "performance.cycles");
  EXPECT_EQ(work_verdict({10, 101}, 10, 0), "");
}

TEST(Work, AnotherDeviceGetsTimeToSpareAndNoReads) {
  const Work allowed = allowance({50, 1000});
  EXPECT_EQ(allowed.reads, 50u);
  EXPECT_GT(allowed.cycles, 1000u);
  EXPECT_LT(allowed.cycles, 1100u);
}

}  // namespace
}  // namespace lockstep::smmu_rtl_bridge
