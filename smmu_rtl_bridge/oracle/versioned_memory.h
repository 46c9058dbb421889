// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

namespace lockstep::smmu_rtl_bridge {

using Sequence = uint64_t;
inline constexpr Sequence kNever = ~Sequence{0};

// What an aligned piece of memory was for a while: from the change that made it until the one that ended it.
struct Snapshot {
  Sequence from = 0;
  Sequence until = kNever;
  bool broken = false;  // answers bus errors
  std::array<uint64_t, 8> words{};
};

// Memory whose 8-byte words keep what they were, with the sequence numbers of their changes. Where nothing was written
// it reads as zero.
class VersionedMemory {
 public:
  static constexpr uint64_t kPageLog2 = 12;

  void write(uint64_t address, const void* data, size_t size_bytes, Sequence now);
  void set_broken(uint64_t page, bool broken, Sequence now);
  // What a device read where nobody wrote: that is how it always was.
  void learn(uint64_t address, const void* data, size_t size_bytes);
  // From here on what is in memory was always there.
  void forget_history();
  // Nothing before may be seen any more.
  void set_floor(Sequence floor) { floor_ = floor; }

  // The fast way: false if the piece has a history since the floor, and `words` then holds nothing. 1 to 8 words,
  // inside one page.
  bool read_steady(uint64_t address, unsigned words, uint64_t* out);
  // The words themselves where none of them has a history since the floor; null otherwise, or where nobody ever wrote.
  const uint64_t* steady_words(uint64_t address, unsigned words);
  // What it was between the floor and now, the oldest first.
  void snapshots(uint64_t address, unsigned words, std::vector<Snapshot>& out);
  // Whether any word of the page ever had the bit set that leaves have their contiguous hint in.
  bool may_have_hint(uint64_t address, bool big_endian);
  // Grows with each change in a page that somebody has read. What does not count: that a history is forgotten, and that
  // a page comes into being that read as zeros before, which are no structure or descriptor that lets anything pass.
  uint64_t changes() const { return changes_; }
  uint64_t now(uint64_t address);
  bool broken_now(uint64_t address);

 private:
  struct Change {
    Sequence at = 0;  // the word was `before` until then
    uint64_t before = 0;
  };
  struct Page {
    std::array<uint64_t, 512> words{};
    std::array<uint8_t, 64> written{};  // a bit a word
    std::array<uint64_t, 8> changed{};  // a bit a word that has a history
    std::unordered_map<unsigned, std::vector<Change>> history;
    std::vector<std::pair<Sequence, bool>> breaks;
    bool broken = false;
    bool asked = false;  // somebody has read it
    bool hint_little = false;
    bool hint_big = false;
  };

  Page* find(uint64_t address);
  Page* ask(uint64_t address);
  bool has_history(Page& page, unsigned first, unsigned words);
  Page& make(uint64_t address);

  std::unordered_map<uint64_t, std::unique_ptr<Page>> pages_;
  static constexpr size_t kNear = 256;
  std::array<std::pair<uint64_t, Page*>, kNear> near_{};
  Sequence floor_ = 0;
  uint64_t changes_ = 0;
  std::vector<Sequence> times_;
};

}  // namespace lockstep::smmu_rtl_bridge
