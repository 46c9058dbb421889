// SPDX-License-Identifier: Apache-2.0
// Recorded pins: what was driven comes back clock by clock, another design is told from the one that was recorded, and
// any bytes in a file end with an error that names it. Coverage of several runs is added up.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "smmu_rtl_bridge/rtl_device.h"
#include "smmu_rtl_bridge/rtl_device/coverage_file.h"
#include "smmu_rtl_bridge/rtl_device/pin_trace.h"
#include "tests/core/seed.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

// Its outputs follow from all that was driven so far.
class Sum : public Design {
 public:
  explicit Sum(uint64_t wrong_at = ~uint64_t{0}) : wrong_at_(wrong_at) {}
  void clock(const DesignInputs& in, DesignOutputs& out) override {
    sum_ = sum_ * 31 + in.client.ar.address + in.registers.data + (in.reset ? 7 : 0) + offset_;
    if (++clocks_ == wrong_at_) ++sum_;
    out.client.r.data = sum_;
    out.client.r.valid = sum_ & 1;
    out.idle = sum_ & 2;
  }
  bool set(const std::string& name, uint64_t value) override {
    if (name != "offset") return false;
    offset_ = value;
    return true;
  }
  bool write_coverage(const std::string& path) override {
    std::ofstream(path) << coverage;
    return true;
  }
  std::string coverage;

 private:
  uint64_t sum_ = 0, clocks_ = 0, wrong_at_, offset_ = 0;
};

class PinTrace : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("lockstep-pins-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
    file = (folder_ / "pins").string();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // Two records of so many clocks.
  void record(unsigned clocks, uint64_t seed) {
    std::mt19937_64 random(seed);
    for (const uint64_t offset : {0, 5}) {
      auto design = record_pins(std::make_unique<Sum>(), "sum", file);
      EXPECT_TRUE(design->set("offset", offset));
      EXPECT_FALSE(design->set("nothing", 1));
      DesignInputs in;
      DesignOutputs out;
      for (unsigned i = 0; i < clocks; ++i) {
        in.reset = i < 3;
        if (random() % 3 == 0) in.client.ar.address = random();
        if (random() % 5 == 0) in.registers.data = static_cast<uint32_t>(random());
        design->clock(in, out);
      }
    }
  }
  core::Result<PinReplay> replay(uint64_t wrong_at = ~uint64_t{0}) {
    return replay_pins(
        file,
        [&](const std::string& name) -> core::Result<std::unique_ptr<Design>> {
          EXPECT_EQ(name, "sum");
          return std::unique_ptr<Design>(std::make_unique<Sum>(wrong_at));
        },
        1);
  }

  std::string file;
  std::filesystem::path folder_;
};

TEST_F(PinTrace, TheSameDesignHasTheSameOutputs) {
  constexpr unsigned kClocks = 3000;
  record(kClocks, test::seed());
  const auto result = replay();
  ASSERT_TRUE(result) << result.message();
  EXPECT_EQ(result->records, 2u);
  EXPECT_EQ(result->cycles, 2u * kClocks);
  EXPECT_EQ(result->differences, 0u);
}

TEST_F(PinTrace, AnotherDesignIsFoundOut) {
  record(500, test::seed());
  const auto result = replay(499);
  ASSERT_TRUE(result) << result.message();
  EXPECT_EQ(result->differences, 2u);
}

TEST_F(PinTrace, AnyBytesEndWithAnErrorThatNamesTheFile) {
  const uint64_t seed = test::seed();
  record(40, seed);
  std::ifstream stream(file, std::ios::binary);
  const std::string good{std::istreambuf_iterator<char>(stream), {}};
  std::mt19937_64 random(seed);
  for (unsigned i = 0; i < 300; ++i) {
    std::string bad = good;
    if (i % 3 == 0) bad.resize(random() % bad.size());
    for (unsigned changes = 0; i % 3 != 0 && changes < 1 + i % 7 && !bad.empty(); ++changes)
      bad[random() % bad.size()] = static_cast<char>(random());
    std::ofstream(file, std::ios::binary) << bad;
    const auto result = replay_pins(
        file, [](const std::string&) { return core::Result<std::unique_ptr<Design>>(std::make_unique<Sum>()); }, 1);
    if (!result) {
      EXPECT_NE(result.message().find(file), std::string::npos) << result.message();
    }
  }
  std::filesystem::remove(file);
  EXPECT_FALSE(replay());
}

TEST_F(PinTrace, AFileThatCannotBeWrittenIsNamedBeforeAnythingRuns) {
  RtlOptions options;
  options.make = [] { return std::make_unique<Sum>(); };
  options.record = (folder_ / "nowhere" / "pins").string();
  const auto factory = make_rtl_factory(options);
  ASSERT_FALSE(factory);
  EXPECT_NE(factory.message().find(options.record), std::string::npos) << factory.message();
}

TEST_F(PinTrace, CoverageOfRunsIsAddedUp) {
  Sum design;
  const std::string head = "# SystemC::Coverage-3\n";
  design.coverage = head + "C 'a' 1\nC 'b' 0\n";
  ASSERT_TRUE(add_coverage(design, file));
  ASSERT_TRUE(add_coverage(design, file));
  // Another order and another point.
  design.coverage = head + "C 'b' 5\nC 'a' 1\nC 'c' 2\n";
  ASSERT_TRUE(add_coverage(design, file));
  std::ifstream stream(file);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  EXPECT_EQ(text, head + "C 'a' 3\nC 'b' 5\nC 'c' 2\n");
}

}  // namespace
}  // namespace lockstep::smmu_rtl_bridge
