// SPDX-License-Identifier: Apache-2.0
#include "jit/install_log.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "tests/core/seed.h"

namespace lockstep::jit {
namespace {

const std::string kTitle = "lockstep jit installs 1\n";

Install install() {
  Install one;
  one.count = 500;
  one.asked_count = 400;
  one.code_key = 0x6;
  one.joint_checks = true;
  one.plan.pages = {{0x1000, 0x80001000, 3}, {0x2000, 0x80005000, 4}};
  one.plan.blocks = {{0x1ffc, 4, 2, false, 100, {}}, {0x1ffe, 4, 1, true, 90, {0x1ffc}}};
  return one;
}

TEST(InstallLog, WhatIsPrintedIsRead) {
  const std::string text = kTitle + print_install(0, install()) + print_install(2, install());
  const auto list = parse_installs(text, "log");
  ASSERT_TRUE(list.ok()) << list.error().message;
  ASSERT_EQ(list->size(), 2u);
  EXPECT_EQ(print_install(2, list->at(2).front()), print_install(2, install()));
}

TEST(InstallLog, ErrorsNameTheLine) {
  const auto message = [](const std::string& text) {
    const auto list = parse_installs(text, "log");
    return list.ok() ? std::string() : list.error().message;
  };
  EXPECT_NE(message("something\n").find("log:1: not a log of installs"), std::string::npos);
  EXPECT_NE(message(kTitle + "page 0x1000 0x2000 1\n").find("log:2: "), std::string::npos);
  EXPECT_NE(message(kTitle + "install 0 5 9 0x6 1\n").find("log:2: "), std::string::npos) << "asked for afterwards";
  EXPECT_NE(message(kTitle + "install 0 5 5 0x6 1\n").find("has no block"), std::string::npos);
  EXPECT_NE(message(kTitle + "install 0 5 5 0x6 1\nblock 0x1000 4 2 0 1\n").find("log:3: "), std::string::npos)
      << "in no page";
  EXPECT_NE(message(kTitle + print_install(0, install()) + "install 0 7 5 0x6 1\n").find("log:7: "), std::string::npos)
      << "back in time";
}

// Anything may stand in a log: what is read is a plan that can be carried out, or an error.
TEST(InstallLogFuzz, EveryPlanThatIsReadHoldsTogether) {
  const uint64_t seed = test::from_environment("LOCKSTEP_SEED", 1);
  SCOPED_TRACE("LOCKSTEP_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  const std::string whole = kTitle + print_install(0, install()) + print_install(1, install());
  constexpr std::string_view kBytes = "0123456789abcdefx \n-blockpageinstall\xff";
  unsigned read = 0;
  for (unsigned round = 0; round < 100'000; ++round) {
    std::string text = whole;
    for (unsigned k = 0; k <= random() % 3; ++k) {
      const size_t at = kTitle.size() + random() % (text.size() - kTitle.size());
      const char byte = kBytes[random() % kBytes.size()];
      switch (random() % 3) {
        case 0:
          text[at] = byte;
          break;
        case 1:
          text.insert(at, 1, byte);
          break;
        default:
          text.erase(at, random() % 12);
      }
    }
    const auto list = parse_installs(text, "log");
    if (!list) continue;
    ++read;
    for (const auto& [hart, installs] : *list) {
      for (const Install& one : installs) {
        ASSERT_FALSE(one.plan.blocks.empty());
        ASSERT_LE(one.asked_count, one.count);
        for (const PlannedBlock& block : one.plan.blocks) {
          one.plan.each_range(block, [&](const core::CodeRange& range) {
            ASSERT_GT(range.size_bytes, 0u);
            ASSERT_EQ(range.ppage(), (range.paddr + range.size_bytes - 1) & core::kPageMask);
          });
        }
      }
    }
  }
  EXPECT_GT(read, 1000u) << "some changes do no harm";
}

}  // namespace
}  // namespace lockstep::jit
