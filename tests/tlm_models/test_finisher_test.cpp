// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/devices/test_finisher/test_finisher.h"

#include <gtest/gtest.h>

#include "tests/tlm_models/bench.h"

namespace lockstep::tlm_models {
namespace {

TEST(TestFinisher, ThreeValuesEndTheRunAndOthersDoNothing) {
  testing::Bench bench;
  std::vector<std::pair<FinishKind, uint32_t>> seen;
  TestFinisher finisher("finisher", [&](FinishKind kind, uint32_t code) { seen.emplace_back(kind, code); });
  bench.add(finisher, testing::kTestDeviceBase, 0x1000);
  bench.advance();
  for (const uint64_t value : {0x5555u, 0x00073333u, 0x7777u, 0u, 0x1234u}) {
    bench.cpu.write(testing::kTestDeviceBase, value);
  }
  EXPECT_EQ(seen, (std::vector<std::pair<FinishKind, uint32_t>>{
                      {FinishKind::kPass, 0}, {FinishKind::kFail, 7}, {FinishKind::kReset, 0}}));
  EXPECT_EQ(bench.cpu.read(testing::kTestDeviceBase), 0u);
}

}  // namespace
}  // namespace lockstep::tlm_models
