// SPDX-License-Identifier: Apache-2.0
#include "core/digest/quick_hash.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <vector>

namespace lockstep::core {
namespace {

TEST(QuickHash, EveryBitAndTheLengthCount) {
  for (const size_t size : {1, 8, 9, 31, 32, 33, 40, 100}) {
    std::vector<uint8_t> bytes(size, 0x5a);
    std::set<uint64_t> seen = {quick_hash(bytes.data(), size), quick_hash(bytes.data(), size, 1)};
    for (size_t bit = 0; bit < 8 * size; ++bit) {
      bytes[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
      seen.insert(quick_hash(bytes.data(), size));
      bytes[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    }
    EXPECT_EQ(seen.size(), 2 + 8 * size) << size;
  }
  const std::vector<uint8_t> zeros(64);
  std::set<uint64_t> lengths;
  for (size_t size = 1; size <= zeros.size(); ++size) lengths.insert(quick_hash(zeros.data(), size));
  EXPECT_EQ(lengths.size(), zeros.size());
}

TEST(QuickHash, SwappedWordsAreSeen) {
  const uint64_t one[] = {1, 2, 3, 4, 5, 6, 7, 8}, other[] = {5, 2, 3, 4, 1, 6, 7, 8},
                 lanes[] = {2, 1, 3, 4, 5, 6, 7, 8};
  EXPECT_NE(quick_hash(one, sizeof one), quick_hash(other, sizeof other));
  EXPECT_NE(quick_hash(one, sizeof one), quick_hash(lanes, sizeof lanes));
}

TEST(QuickHash, PagesAreThoseThatAreNotZero) {
  auto ram = GuestRam::create(0x8000'0000, uint64_t{64} << 20);
  ASSERT_TRUE(ram);
  EXPECT_TRUE(quick_page_hashes(*ram).empty());
  ram->host()[3 * kPageSize] = 1;
  ram->host()[3 * kPageSize] = 0;  // backed by the host, and zero
  ram->host()[5 * kPageSize + 7] = 1;
  ram->host()[16383 * kPageSize + 4095] = 2;
  const std::vector<PageHash> pages = quick_page_hashes(*ram);
  ASSERT_EQ(pages.size(), 2u);
  EXPECT_EQ(pages[0].page, 5u);
  EXPECT_EQ(pages[1].page, 16383u);
  EXPECT_EQ(pages, quick_page_hashes(*ram));
  ram->host()[5 * kPageSize + 7] = 3;
  const std::vector<PageHash> changed = quick_page_hashes(*ram);
  ASSERT_EQ(changed.size(), 2u);
  EXPECT_NE(changed[0], pages[0]);
  EXPECT_EQ(changed[1], pages[1]);
}

TEST(QuickHash, ATlbIsWhatItMapsNotWhereTheHostHasIt) {
  auto first = std::make_unique<Tlb>(), second = std::make_unique<Tlb>();
  EXPECT_EQ(quick_tlb_hash(*first), quick_tlb_hash(*second));
  std::vector<uint8_t> here(kPageSize), there(kPageSize);
  first->fill(first->data(), 0, 0x5000, 0x8000'5000, kPageBits, here.data(), true);
  EXPECT_NE(quick_tlb_hash(*first), quick_tlb_hash(*second));
  second->fill(second->data(), 0, 0x5000, 0x8000'5000, kPageBits, there.data(), true);
  EXPECT_EQ(quick_tlb_hash(*first), quick_tlb_hash(*second));
  second->fill(second->data(), 0, 0x5000, 0x8000'6000, kPageBits, there.data(), true);
  EXPECT_NE(quick_tlb_hash(*first), quick_tlb_hash(*second));
}

// An engine whose code cache was full has dropped its code of a page that another engine still watches.
TEST(QuickHash, WhichPagesAreWrittenSlowlyDoesNotCount) {
  auto first = std::make_unique<Tlb>(), second = std::make_unique<Tlb>();
  std::vector<uint8_t> page(kPageSize);
  for (Tlb* tlb : {first.get(), second.get()}) {
    tlb->fill(tlb->data(), 1, 0x5000, 0x8000'5000, kPageBits, page.data(), true);
  }
  second->drop_fast_stores(0x8000'5000);
  EXPECT_EQ(quick_tlb_hash(*first), quick_tlb_hash(*second));
  second->flush_all();
  EXPECT_NE(quick_tlb_hash(*first), quick_tlb_hash(*second));
}

}  // namespace
}  // namespace lockstep::core
