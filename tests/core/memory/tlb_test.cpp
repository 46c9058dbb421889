// SPDX-License-Identifier: Apache-2.0
#include "core/memory/tlb.h"

#include <gtest/gtest.h>

#include <set>

namespace lockstep::core {
namespace {

constexpr unsigned kLoad = 0, kStore = 1, kFetch = 2;
constexpr uint64_t kVaddr = 0x4000'1000, kPaddr = 0x8000'3000;

class TlbTest : public testing::Test {
 protected:
  TlbTest() { tlb_.select(1, 1, 1); }

  void fill(uint64_t vaddr, uint64_t paddr, unsigned access = kLoad, unsigned block_bits = kPageBits) {
    tlb_.fill(tlb_.data(), access, vaddr, paddr, block_bits, host(paddr), true);
  }
  static uint8_t* host(uint64_t paddr) {
    return reinterpret_cast<uint8_t*>(uint64_t{0x7f00'0000'0000} + (paddr & kPageMask));
  }
  bool fast(uint64_t vaddr, unsigned access = kLoad, unsigned size_bytes = 1) {
    return tlb_.data().hits(access, vaddr, size_bytes);
  }
  bool known(uint64_t vaddr, unsigned access = kLoad) {
    return tlb_.data().pages[access][tlb_index(vaddr)].vpage == (vaddr & kPageMask);
  }

  // As an access that misses asks.
  bool known_again(unsigned access, uint64_t vaddr) { return tlb_.known(tlb_.data(), access, vaddr) != nullptr; }

  Tlb tlb_;
};

TEST_F(TlbTest, NothingHitsBeforeItIsFilled) {
  for (uint64_t vaddr : {uint64_t{0}, kVaddr, ~uint64_t{0}, ~uint64_t{0} & kPageMask}) {
    for (unsigned access : {kLoad, kStore, kFetch}) {
      EXPECT_FALSE(fast(vaddr, access));
      EXPECT_FALSE(known(vaddr, access));
    }
  }
}

TEST_F(TlbTest, AFillServesItsKindOfAccessOnThatPage) {
  fill(kVaddr + 0x123, kPaddr + 0x123);
  EXPECT_TRUE(fast(kVaddr));
  EXPECT_TRUE(fast(kVaddr + 0xfff));
  EXPECT_FALSE(fast(kVaddr + 0x1000));
  EXPECT_FALSE(fast(kVaddr, kStore));
  EXPECT_TRUE(fast(kVaddr + 8, kLoad, 8));
  EXPECT_TRUE(fast(kVaddr + 1, kLoad, 8)) << "a misaligned access inside the page";
  EXPECT_FALSE(fast(kVaddr + 0xff9, kLoad, 8)) << "one that leaves the page";
  EXPECT_EQ(kVaddr + 0x10 + tlb_.data().addends[kLoad][tlb_index(kVaddr)],
            reinterpret_cast<uint64_t>(host(kPaddr)) + 0x10);
  EXPECT_EQ(tlb_.data().pages[kLoad][tlb_index(kVaddr)].ppage, kPaddr);
}

// Pages that want one place.
constexpr uint64_t kStride = uint64_t{kTlbEntries} << kPageBits;

TEST_F(TlbTest, PagesThatTakeTurnsInOnePlaceAreFoundAgain) {
  fill(kVaddr, kPaddr);
  fill(kVaddr + kStride, kPaddr + kPageSize);
  EXPECT_FALSE(fast(kVaddr));
  const uint64_t losses = tlb_.losses();
  EXPECT_TRUE(known_again(kLoad, kVaddr + 0x123));
  EXPECT_GT(tlb_.losses(), losses);
  EXPECT_TRUE(known(kVaddr));
  EXPECT_EQ(tlb_.data().pages[kLoad][tlb_index(kVaddr)].ppage, kPaddr);
  EXPECT_FALSE(fast(kVaddr)) << "whether RAM is there is looked at anew";
  EXPECT_FALSE(fast(kVaddr + kStride));
  EXPECT_TRUE(known_again(kLoad, kVaddr + kStride));
  EXPECT_EQ(tlb_.data().pages[kLoad][tlb_index(kVaddr)].ppage, kPaddr + kPageSize);
  EXPECT_FALSE(known_again(kStore, kVaddr)) << "of another kind of access";
}

TEST_F(TlbTest, TheLastVictimsAreKept) {
  for (unsigned k = 0; k <= kTlbVictims + 1; ++k) fill(kVaddr + k * kStride, kPaddr + k * kPageSize);
  EXPECT_FALSE(known_again(kLoad, kVaddr));
  for (unsigned k = 1; k <= kTlbVictims + 1; ++k) {
    EXPECT_TRUE(known_again(kLoad, kVaddr + k * kStride)) << k;
    EXPECT_EQ(tlb_.data().pages[kLoad][tlb_index(kVaddr)].ppage, kPaddr + k * kPageSize);
  }
}

TEST_F(TlbTest, FlushesReachVictims) {
  const auto replaced = [&] {
    fill(kVaddr, kPaddr);
    fill(kVaddr + kStride, kPaddr + kPageSize);
  };
  replaced();
  tlb_.flush_page(kVaddr);
  EXPECT_FALSE(known_again(kLoad, kVaddr));
  EXPECT_TRUE(fast(kVaddr + kStride));
  replaced();
  tlb_.flush_page(kVaddr, 2);
  EXPECT_TRUE(known_again(kLoad, kVaddr));
  replaced();
  tlb_.flush_asid(1);
  EXPECT_FALSE(known_again(kLoad, kVaddr));
  replaced();
  tlb_.flush_all();
  EXPECT_FALSE(known_again(kLoad, kVaddr));
  tlb_.fill(tlb_.data(), kLoad, kVaddr, kPaddr, 21, host(kPaddr), true);
  fill(kVaddr + kStride, kPaddr + kPageSize);
  tlb_.flush_page(kVaddr + 7 * kPageSize);
  EXPECT_FALSE(known_again(kLoad, kVaddr)) << "a large page goes with any address in it";
}

TEST_F(TlbTest, SlowEntriesOnlyTranslate) {
  fill(kVaddr, kPaddr);
  tlb_.fill(tlb_.data(), kLoad, kVaddr, kPaddr, kPageBits, nullptr, false);
  EXPECT_TRUE(known(kVaddr));
  EXPECT_FALSE(fast(kVaddr)) << "the fast half that was there is gone";
}

TEST_F(TlbTest, FetchMappingsHaveNumbersOfTheirOwn) {
  const auto number = [this](uint64_t vaddr) { return tlb_.data().mappings[tlb_index(vaddr)]; };
  EXPECT_EQ(number(kVaddr), kNoMapping);
  fill(kVaddr, kPaddr, kFetch);
  const uint32_t first = number(kVaddr);
  EXPECT_NE(first, kNoMapping);
  tlb_.flush_page(kVaddr);
  EXPECT_EQ(number(kVaddr), kNoMapping);
  fill(kVaddr, kPaddr + kPageSize, kFetch);
  EXPECT_NE(number(kVaddr), first) << "another page is mapped here now";
  fill(kVaddr, kPaddr, kFetch);
  EXPECT_EQ(number(kVaddr), first);
  tlb_.flush_all();
  EXPECT_EQ(number(kVaddr), kNoMapping);
}

TEST_F(TlbTest, IsDirectMapped) {
  fill(kVaddr, kPaddr);
  fill(kVaddr + kTlbEntries * kPageSize, kPaddr);
  EXPECT_FALSE(known(kVaddr));
  EXPECT_FALSE(fast(kVaddr));
}

TEST_F(TlbTest, FlushesOnePage) {
  for (unsigned access : {kLoad, kStore, kFetch}) fill(kVaddr, kPaddr, access);
  fill(kVaddr + kPageSize, kPaddr);
  tlb_.flush_page(kVaddr + kTlbEntries * kPageSize);
  EXPECT_TRUE(known(kVaddr)) << "another page with the same index";
  tlb_.flush_page(kVaddr + 0x7ff);
  for (unsigned access : {kLoad, kStore, kFetch}) {
    EXPECT_FALSE(known(kVaddr, access));
    EXPECT_FALSE(fast(kVaddr, access));
  }
  EXPECT_TRUE(fast(kVaddr + kPageSize));
}

TEST_F(TlbTest, AFlushInsideALargePageDropsAllOfIt) {
  constexpr uint64_t kLarge = 0x8020'0000;
  fill(kLarge + 0x5000, kPaddr, kLoad, 21);
  fill(kVaddr, kPaddr);
  tlb_.flush_page(kLarge + 0x20'0000);
  EXPECT_TRUE(known(kLarge + 0x5000)) << "behind it";
  tlb_.flush_page(kLarge + 0x1f'f000);
  EXPECT_FALSE(known(kLarge + 0x5000));
  EXPECT_FALSE(known(kVaddr)) << "the whole context goes";
  fill(kLarge + 0x5000, kPaddr);
  tlb_.flush_page(kLarge);
  EXPECT_TRUE(known(kLarge + 0x5000)) << "the range is forgotten with the context";
}

TEST_F(TlbTest, ABlockOfTheWholeAddressSpace) {
  fill(kVaddr, kPaddr, kLoad, 64);
  tlb_.flush_page(0);
  EXPECT_FALSE(known(kVaddr));
}

TEST_F(TlbTest, ContextsKeepTheirEntries) {
  fill(kVaddr, kPaddr);
  tlb_.select(2, 2, 2);
  EXPECT_FALSE(known(kVaddr));
  fill(kVaddr, kPaddr + kPageSize);
  tlb_.select(1, 1, 1);
  EXPECT_EQ(tlb_.data().pages[kLoad][tlb_index(kVaddr)].ppage, kPaddr);
  tlb_.select(2, 1, 2);
  EXPECT_EQ(tlb_.data().pages[kLoad][tlb_index(kVaddr)].ppage, kPaddr + kPageSize);
  EXPECT_EQ(tlb_.fetch().pages[kLoad][tlb_index(kVaddr)].ppage, kPaddr);
}

TEST_F(TlbTest, WithoutTagsASwitchEmptiesEverything) {
  tlb_.set_tagged(false);
  fill(kVaddr, kPaddr);
  tlb_.select(1, 1, 1);
  EXPECT_TRUE(known(kVaddr)) << "no switch";
  tlb_.select(2, 2, 2);
  tlb_.select(1, 1, 1);
  EXPECT_FALSE(known(kVaddr));
}

TEST_F(TlbTest, FlushesByAsid) {
  fill(kVaddr, kPaddr);
  tlb_.select(2, 2, 2);
  fill(kVaddr, kPaddr);
  tlb_.flush_asid(1);
  EXPECT_TRUE(known(kVaddr));
  tlb_.flush_page(kVaddr, 1);
  EXPECT_TRUE(known(kVaddr));
  tlb_.flush_page(kVaddr, 2);
  EXPECT_FALSE(known(kVaddr));
  tlb_.select(1, 1, 1);
  EXPECT_FALSE(known(kVaddr));
}

TEST_F(TlbTest, TheLeastRecentlyUsedContextIsReused) {
  for (uint64_t key = 1; key <= kTlbContexts; ++key) {
    tlb_.select(key, key, key);
    fill(kVaddr, key << 20);
  }
  tlb_.select(1, 1, 1);
  tlb_.select(100, 100, 100);  // in the place of 2
  fill(kVaddr, kPaddr);
  for (uint64_t key : {1u, 3u, 16u}) {
    tlb_.select(key, key, key);
    EXPECT_TRUE(known(kVaddr)) << key;
  }
  tlb_.select(2, 2, 2);
  EXPECT_FALSE(known(kVaddr)) << "nothing of the context that was there before";
}

TEST_F(TlbTest, ReuseNeverTakesTheContextThatIsBeingSelected) {
  // With all contexts taken, selecting two new ones must give two different ones.
  for (uint64_t key = 1; key <= kTlbContexts; ++key) tlb_.select(key, key, key);
  for (uint64_t key = 1000; key < 1200; key += 2) {
    tlb_.select(key, key + 1, 1);
    ASSERT_NE(&tlb_.data(), &tlb_.fetch());
    ASSERT_EQ(tlb_.data().key, key);
    ASSERT_EQ(tlb_.fetch().key, key + 1);
    tlb_.select(key + 1, key, 1);
    ASSERT_EQ(tlb_.data().key, key + 1);
    ASSERT_EQ(tlb_.fetch().key, key);
  }
}

TEST_F(TlbTest, DropsFastStoresOfAPhysicalPageInEveryContext) {
  fill(kVaddr, kPaddr, kStore);
  fill(kVaddr, kPaddr, kLoad);
  fill(kVaddr + kPageSize, kPaddr + kPageSize, kStore);
  tlb_.select(2, 2, 2);
  fill(kVaddr + 2 * kPageSize, kPaddr, kStore);
  tlb_.drop_fast_stores(kPaddr + 0x10);
  EXPECT_FALSE(fast(kVaddr + 2 * kPageSize, kStore));
  EXPECT_TRUE(known(kVaddr + 2 * kPageSize, kStore));
  tlb_.select(1, 1, 1);
  EXPECT_FALSE(fast(kVaddr, kStore));
  EXPECT_TRUE(fast(kVaddr, kLoad));
  EXPECT_TRUE(fast(kVaddr + kPageSize, kStore));
  tlb_.drop_all_fast_stores();
  EXPECT_FALSE(fast(kVaddr + kPageSize, kStore));
  EXPECT_TRUE(known(kVaddr + kPageSize, kStore));
}

TEST_F(TlbTest, FlushAllLeavesNothing) {
  fill(kVaddr, kPaddr);
  tlb_.select(2, 2, 2);
  fill(kVaddr, kPaddr);
  tlb_.flush_all();
  EXPECT_FALSE(known(kVaddr));
  tlb_.select(1, 1, 1);
  EXPECT_FALSE(known(kVaddr));
}

}  // namespace
}  // namespace lockstep::core
