// SPDX-License-Identifier: Apache-2.0
#include "core/memory/backed_pages.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>

namespace lockstep::core {
namespace {

constexpr uint64_t kPages = 10'000;

TEST(BackedPages, AreThoseThatWereWritten) {
  auto ram = GuestRam::create(0x8000'0000, kPages * kPageSize);
  ASSERT_TRUE(ram);
  madvise(ram->host(), ram->size_bytes(), MADV_NOHUGEPAGE);  // a large page backs its neighbours too
  EXPECT_EQ(std::ranges::count(backed_pages(*ram), true), 0);
  for (const uint64_t page : {uint64_t{0}, uint64_t{4095}, uint64_t{4096}, kPages - 1}) {
    ram->host()[page * kPageSize + 17] = 1;
  }
  const std::vector<bool> backed = backed_pages(*ram);
  ASSERT_EQ(backed.size(), kPages);
  EXPECT_EQ(std::ranges::count(backed, true), 4);
  EXPECT_TRUE(backed[0] && backed[4095] && backed[4096] && backed[kPages - 1]);
}

}  // namespace
}  // namespace lockstep::core
