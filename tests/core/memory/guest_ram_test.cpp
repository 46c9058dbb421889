// SPDX-License-Identifier: Apache-2.0
#include "core/memory/guest_ram.h"

#include <gtest/gtest.h>

#include <array>
#include <utility>
#include <vector>

namespace lockstep::core {
namespace {

constexpr uint64_t kBase = 0x8000'0000;

GuestRam make(uint64_t pages = 8) { return GuestRam::create(kBase, pages * kPageSize).value(); }

TEST(GuestRam, RefusesWhatIsNotWholePages) {
  for (const auto& [base, size] : {std::pair<uint64_t, uint64_t>{kBase, 0}, {kBase + 1, kPageSize}, {kBase, 100}}) {
    const Result<GuestRam> ram = GuestRam::create(base, size);
    ASSERT_FALSE(ram.ok());
    EXPECT_NE(ram.message().find("whole number of 4 KiB pages"), std::string::npos) << ram.message();
  }
}

TEST(GuestRam, SaysHowToAskForLess) {
  const Result<GuestRam> ram = GuestRam::create(0, uint64_t{1} << 62);
  ASSERT_FALSE(ram.ok());
  EXPECT_NE(ram.message().find("--memory"), std::string::npos) << ram.message();
}

TEST(GuestRam, ComesZeroedAndGivesItsBytes) {
  GuestRam ram = make();
  EXPECT_EQ(ram.base(), kBase);
  EXPECT_EQ(ram.size_bytes(), 8 * kPageSize);
  EXPECT_EQ(ram.numa_nodes(), 1u);
  const std::span<uint8_t> all = ram.bytes(kBase, ram.size_bytes());
  ASSERT_EQ(all.size(), ram.size_bytes());
  for (uint8_t byte : all) ASSERT_EQ(byte, 0);
  EXPECT_EQ(ram.bytes(kBase + 8, 8).data(), ram.host() + 8);
}

TEST(GuestRam, HasNoBytesOutside) {
  GuestRam ram = make();
  EXPECT_TRUE(ram.bytes(kBase - 1, 1).empty());
  EXPECT_TRUE(ram.bytes(kBase + ram.size_bytes(), 1).empty());
  EXPECT_TRUE(ram.bytes(kBase + ram.size_bytes() - 1, 2).empty());
  EXPECT_TRUE(ram.bytes(kBase, ~uint64_t{0}).empty());
  EXPECT_TRUE(ram.bytes(~uint64_t{0}, 8).empty());
  EXPECT_FALSE(ram.window().contains(kBase + 8, ~uint64_t{0} - 4));
}

TEST(GuestRam, TracksDirtyPages) {
  GuestRam ram = make();
  EXPECT_FALSE(ram.tracking());
  EXPECT_TRUE(ram.page_dirty(0)) << "without tracking nothing is known to be clean";
  ram.start_tracking();
  EXPECT_TRUE(ram.tracking());
  const std::array<uint8_t, 4> data = {1, 2, 3, 4};
  ram.write(kBase + 2 * kPageSize - 2, data);  // across pages 1 and 2
  ram.note_write(kBase + 5 * kPageSize, 1);
  ram.note_write(kBase + 6 * kPageSize, 0);
  ram.write(kBase + 7 * kPageSize, {});
  std::vector<unsigned> dirty;
  for (unsigned page = 0; page < 8; ++page) {
    if (ram.page_dirty(page)) dirty.push_back(page);
  }
  EXPECT_EQ(dirty, (std::vector<unsigned>{1, 2, 5}));
  EXPECT_EQ(ram.bytes(kBase + 2 * kPageSize, 2)[1], 4);
  ram.start_tracking();
  EXPECT_FALSE(ram.page_dirty(1)) << "starting again makes every page clean";
}

TEST(GuestRam, TellsListenersAboutCodePagesByPage) {
  GuestRam ram = make();
  std::vector<std::pair<uint64_t, uint64_t>> heard;
  bool first_has_code = true, second_has_code = false;
  ram.add_code_write_listener([&](uint64_t paddr, uint64_t size_bytes) {
    heard.emplace_back(paddr, size_bytes);
    return first_has_code;
  });
  unsigned second_calls = 0;
  ram.add_code_write_listener([&](uint64_t, uint64_t) {
    ++second_calls;
    return second_has_code;
  });
  uint8_t* flags = ram.window().page_flags;
  flags[1] = flags[2] = kPageHasCode;
  ram.note_write(kBase, kPageSize);
  EXPECT_TRUE(heard.empty()) << "no code there";
  ram.note_write(kBase + kPageSize - 1, kPageSize + 2);
  EXPECT_EQ(heard,
            (std::vector<std::pair<uint64_t, uint64_t>>{{kBase + kPageSize, kPageSize}, {kBase + 2 * kPageSize, 1}}));
  EXPECT_EQ(second_calls, 2u) << "everybody hears, also when the first still has code";
  EXPECT_EQ(flags[1], kPageHasCode);
  first_has_code = false;
  second_has_code = true;
  ram.note_write(kBase + kPageSize, 1);
  EXPECT_EQ(flags[1], kPageHasCode);
  second_has_code = false;
  ram.note_write(kBase + kPageSize, 1);
  EXPECT_EQ(flags[1], 0) << "nobody has code from it any more";
  heard.clear();
  ram.note_write(kBase + kPageSize, 1);
  EXPECT_TRUE(heard.empty());
}

TEST(GuestRam, MovesWithItsFlags) {
  GuestRam first = make();
  first.start_tracking();
  GuestRam second = std::move(first);
  EXPECT_TRUE(second.tracking());
  EXPECT_FALSE(second.page_dirty(3));
  second.note_write(kBase + 3 * kPageSize, 1);
  EXPECT_TRUE(second.page_dirty(3));
  EXPECT_EQ(second.window().page_flags[2], kPageTracked);
  EXPECT_EQ(first.host(), nullptr);
}

}  // namespace
}  // namespace lockstep::core
