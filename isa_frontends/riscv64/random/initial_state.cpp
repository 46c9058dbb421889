// SPDX-License-Identifier: Apache-2.0
#include "isa_frontends/riscv64/random/initial_state.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "isa_frontends/riscv64/random/assembler.h"
#include "isa_frontends/riscv64/random/handler.h"
#include "isa_frontends/riscv64/random/layout.h"
#include "isa_frontends/riscv64/random/random_source.h"
#include "isa_frontends/riscv64/state.h"

namespace lockstep::isa::riscv64::random {
namespace {

constexpr uint64_t kValues[] = {0,
                                1,
                                ~uint64_t{0},
                                0x7fff'ffff,
                                0xffff'ffff'8000'0000,
                                uint64_t{1} << 63,
                                ~(uint64_t{1} << 63),
                                0x7ff0'0000'0000'0000,
                                0x7ff8'0000'0000'0000,
                                0x7ff0'0000'0000'0001,
                                0x0010'0000'0000'0000,
                                0x000f'ffff'ffff'ffff,
                                0x3ff0'0000'0000'0000,
                                0xffff'ffff'3f80'0000,
                                0xffff'ffff'7f80'0000,
                                0xffff'ffff'7f80'0001,
                                0xffff'ffff'0080'0000,
                                0xffff'ffff'007f'ffff,
                                0xffff'fffe'3f80'0000};
// Low, in the middle, at both ends of what Sv39 can name, and where physical memory is.
constexpr uint64_t kWindows[] = {
    kRamBase, 0x20'0000, 0x12'3460'0000, 0x3f'ffc0'0000, 0xffff'ffc0'0000'0000, 0xffff'ffff'ffa0'0000};

enum Entry : uint64_t {
  kV = 1,
  kR = 2,
  kW = 4,
  kX = 8,
  kU = 16,
  kG = 32,
  kA = 64,
  kD = 128,
  kAll = kV | kR | kW | kX | kA | kD,
};
constexpr uint64_t kSv39 = uint64_t{8} << 60;
constexpr unsigned kAsidShift = 44;

uint64_t value(RandomSource& random) { return random.one_in(2) ? random.pick(kValues) : random.next(); }
uint64_t entry(uint64_t paddr, uint64_t bits) { return paddr >> 12 << 10 | bits; }

std::vector<uint8_t> bytes_of(std::span<const uint32_t> words) {
  std::vector<uint8_t> bytes;
  for (uint32_t word : words) {
    for (unsigned i = 0; i < word_bytes(word); ++i) bytes.push_back(static_cast<uint8_t>(word >> 8 * i));
  }
  return bytes;
}

uint64_t window_of(const RandomProgram& program) {
  return program.paging ? RandomSource(program.seed ^ 0x77).pick(kWindows) : kRamBase;
}

class Maker {
 public:
  explicit Maker(const RandomProgram& program)
      : program_(program), random_(~program.seed), window_(window_of(program)) {
    for (uint64_t i = 0; i < kTextPages; ++i) text_pages_[i] = i;
    // M-mode finds the program where the memory is.
    if (program.paging && window_ != kRamBase) shuffle(text_pages_);
  }

  InitialState make() {
    registers();
    status();
    data();
    text();
    put(kMachineHandler, bytes_of(handler_words(program_, false)));
    put(kSupervisorHandler, bytes_of(handler_words(program_, true)));
    put_words(kLog + kLogWindow, {{window_ >> 21}});
    if (program_.paging) tables();
    return std::move(state_);
  }

 private:
  void shuffle(std::span<uint64_t> items) {
    for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[random_.below(i)]);
  }
  void put(uint64_t address, std::vector<uint8_t> bytes) { state_.memory.push_back({address, std::move(bytes)}); }
  void put_words(uint64_t address, std::span<const uint64_t> words) {
    std::vector<uint8_t> bytes(8 * words.size());
    std::memcpy(bytes.data(), words.data(), bytes.size());
    put(address, std::move(bytes));
  }
  void put_words(uint64_t address, std::initializer_list<uint64_t> words) {
    put_words(address, std::span(words.begin(), words.size()));
  }
  void csr(unsigned number, uint64_t value) { state_.csrs.emplace_back(number, value); }
  uint64_t virtual_of(uint64_t paddr) const { return window_ + (paddr - kRamBase); }

  void registers() {
    for (unsigned i = 1; i < 32; ++i) state_.x[i] = value(random_);
    for (uint64_t& f : state_.f) f = value(random_);
    for (unsigned pointer : kPointers) {
      const uint64_t alias = program_.paging && random_.one_in(4) ? kSuperpageBytes : 0;
      state_.x[pointer] = virtual_of(kData) + alias + kPageBytes * random_.between(1, 6) - random_.below(64);
      if (program_.aligned) state_.x[pointer] &= ~uint64_t{7};
    }
    state_.pc = entry_address(program_);
    state_.x[kRecover] = state_.pc;
    state_.x[kTables] = virtual_of(kRoots[0] + kLast) + 8 * page_index(kText);
    state_.x[kDevicePointer] = virtual_of(kDevice) + 8 * random_.below(64);
    state_.x[kStopPointer] = program_.portable && !program_.paging ? kPortableStop : virtual_of(kStop);
  }

  void status() {
    // S-mode alone changes its own page tables.
    constexpr Privilege kModes[] = {kMachine, kSupervisor, kUser},
                        kPagedModes[] = {kMachine, kSupervisor, kSupervisor, kUser};
    state_.privilege = program_.paging ? random_.pick(kPagedModes) : random_.pick(kModes);
    // Without paging all modes see the same addresses, and so they do where the window is the memory's own place.
    const bool machine_fits = !program_.paging || (window_ == kRamBase && !program_.portable);
    if (state_.privilege == kMachine && !machine_fits) state_.privilege = kSupervisor;
    uint64_t status = kStatusMpie;
    if (!program_.portable) status |= random_.next() & (kStatusSie | kStatusMie | kStatusSpie);
    status |= random_.next() & (program_.portable ? kStatusMxr : kStatusSum | kStatusMxr);
    const uint64_t fs = program_.portable ? kFsDirty : random_.between(1, 3);
    status |= random_.one_in(40) ? 0 : fs << kStatusFsShift;
    csr(kCsrFcsr, random_.below(random_.one_in(8) && !program_.portable ? 6 : 5) << 5);
    csr(kCsrMtvec, kMachineHandler | (program_.portable ? 0 : random_.below(2)));
    csr(kCsrStvec, kSupervisorHandler | (program_.portable ? 0 : random_.below(2)));
    csr(kCsrMscratch, kLog + kLogSaved);
    csr(kCsrSscratch, kLog + kLogSaved + 64);
    csr(kCsrMepc, state_.pc);
    if (random_.one_in(2)) {
      // A store that the bus refuses is never left to S-mode: it may be the program's last.
      // Nor is what cannot happen, where implementations may keep the bit or not.
      const uint64_t possible = program_.portable ? 0xb3fe : 0xb3ff;
      csr(kCsrMedeleg, random_.next() & (possible & ~uint64_t{1 << kStoreAccess}));
      csr(kCsrMideleg, random_.next() & 0x222);
    }
    if (!program_.portable) {
      csr(kCsrMenvcfg, random_.one_in(3) ? kEnvAdue : 0);
      csr(kCsrMie, random_.next() & 0xaaa);
      csr(kCsrMcounteren, random_.next() & 7);
      csr(kCsrScounteren, random_.next() & 7);
    }
    protection();
    csr(kCsrMstatus, status);
  }

  // Everything is allowed; now and then a part of a page is not.
  void protection() {
    constexpr uint64_t kEverything = ~uint64_t{0} >> 10, kNapot = 0x18;
    if (program_.portable) {
      // What lies behind the memory differs from machine to machine.
      csr(kCsrPmpaddr0, kRamBase >> 2 | ((kRamBytes >> 3) - 1));
      csr(kCsrPmpcfg0, kNapot | 7);
      return;
    }
    if (!random_.one_in(6)) {
      csr(kCsrPmpaddr0, kEverything);
      csr(kCsrPmpcfg0, kNapot | 7);
      return;
    }
    const unsigned log_bytes = static_cast<unsigned>(random_.between(3, 13));
    const uint64_t block = (kData + random_.below(kDataBytes)) >> log_bytes << log_bytes;
    csr(kCsrPmpaddr0, block >> 2 | ((uint64_t{1} << (log_bytes - 3)) - 1));
    csr(kCsrPmpaddr0 + 1, kEverything);
    csr(kCsrPmpcfg0, (kNapot | 7) << 8 | kNapot | random_.below(2) << 7 | random_.below(2));
  }

  void data() {
    std::vector<uint64_t> words(kDataBytes / 8);
    for (uint64_t& word : words) word = value(random_);
    put_words(kData, words);
  }

  void text() {
    std::vector<uint8_t> image(kTextPages * kPageBytes), other(image.size());
    const auto fill = [&](std::vector<uint8_t>& to, std::span<const uint32_t> words) {
      const std::vector<uint8_t> bytes = bytes_of(words);
      const size_t room = to.size() - program_.start;
      std::copy_n(bytes.begin(), std::min(bytes.size(), room), to.begin() + static_cast<ptrdiff_t>(program_.start));
    };
    fill(image, program_.words);
    std::vector<uint32_t> changed = program_.words;
    for (uint32_t& word : changed) {
      // Another constant in some of the instructions that add or combine one.
      const Row* row = InstructionTable::get().find(word);
      if (row == nullptr || word_bytes(word) == 2 || (word & 0x7f) != 0x13 || (word >> 12 & 3) == 1) continue;
      const auto rd = word >> 7 & 31;
      if (RandomSource(program_.seed ^ word).one_in(2) && rd >= 6 && rd <= 15 && rd != 8 && rd != 9)
        word ^= 0x0150'0000;
    }
    fill(other, changed);
    for (uint64_t i = 0; i < kTextPages; ++i) {
      const auto page = [&](const std::vector<uint8_t>& from) {
        const auto first = from.begin() + static_cast<ptrdiff_t>(i * kPageBytes);
        return std::vector<uint8_t>(first, first + kPageBytes);
      };
      put(kText + kPageBytes * text_pages_[i], page(image));
      if (program_.paging) put(kOtherText + kPageBytes * text_pages_[i], page(other));
    }
  }

  uint64_t leaf(uint64_t paddr) {
    const uint64_t user = state_.privilege == kUser ? uint64_t{kU} : 0;
    uint64_t bits = kAll | user;
    if (random_.one_in(8)) bits |= kG;
    if (!random_.one_in(3)) return entry(paddr, bits);
    switch (random_.below(program_.portable ? 6 : 9)) {
      case 0:
        return 0;
      case 1:
        return entry(paddr, bits & ~kV);
      case 2:
        return entry(paddr, bits & ~(kW | kD));
      case 3:
        return entry(paddr, bits & ~kX);
      case 4:
        return entry(paddr, bits ^ kU);
      case 5:
        return entry(paddr, bits & ~kR);  // reserved, since it may be written
      case 6:
        return entry(paddr, bits & ~kA);
      case 7:
        return entry(paddr, bits & ~kD);
      default:
        return entry(paddr, bits) | uint64_t{1} << (54 + random_.below(10));
    }
  }

  void tables() {
    const uint64_t top = window_ >> 30 & 511, middle = window_ >> 21 & 511;
    const uint64_t stop_page = program_.portable ? kPortableStop : kStop;
    std::array<uint64_t, 512> sound{};
    const auto every = [&](std::array<uint64_t, 512>& table, const auto& make) {
      for (uint64_t i = 0; i < kTextPages; ++i) {
        table[page_index(kText) + i] = make(kText + kPageBytes * text_pages_[i]);
      }
      std::array<uint64_t, kDataBytes / kPageBytes> order;
      for (uint64_t i = 0; i < order.size(); ++i) order[i] = i;
      shuffle(order);
      for (uint64_t i = 0; i < order.size(); ++i) table[page_index(kData) + i] = make(kData + kPageBytes * order[i]);
    };
    every(sound, [](uint64_t paddr) { return entry(paddr, kAll); });
    sound[page_index(kStop)] = entry(stop_page, kAll & ~kX);
    if (!program_.portable) sound[page_index(kDevice)] = entry(kDevice, kAll & ~kX);
    put_words(kSoundEntries, sound);
    const uint64_t asids[] = {random_.below(4), random_.below(4)};
    for (unsigned root = 0; root < 2; ++root) {
      std::array<uint64_t, 512> highest{}, second{}, identity{}, last{};
      highest[top] = entry(kRoots[root] + kMiddle, kV);
      second[middle] = entry(kRoots[root] + kLast, kV);
      if (middle < 511) {
        const bool is_user = (state_.privilege == kUser) != random_.one_in(8);
        const uint64_t user = is_user ? uint64_t{kU} : 0;
        const uint64_t misaligned = random_.one_in(16) ? kPageBytes : 0;
        second[middle + 1] = entry(kRamBase + misaligned, (kAll & ~kX) | user);
      }
      // The handlers of S-mode stay where they are.
      if (window_ != kRamBase) {
        identity[0] = entry(kRamBase, kAll);
        const bool whole = random_.one_in(2);
        highest[kRamBase >> 30] = whole ? entry(kRamBase, kAll | kG) : entry(kRoots[root] + kMiddleOfIdentity, kV);
      }
      for (uint64_t i = 0; i < page_index(kText); ++i) last[i] = entry(kRamBase + kPageBytes * i, kAll);
      for (uint64_t i = 0; i < kTextPages; ++i) {
        last[page_index(kOtherText) + i] = entry(kOtherText + kPageBytes * text_pages_[i], kAll & ~kX);
      }
      every(last, [this](uint64_t paddr) { return leaf(paddr); });
      last[page_index(kStop)] = sound[page_index(kStop)] | (state_.privilege == kUser ? uint64_t{kU} : 0);
      last[page_index(kDevice)] = sound[page_index(kDevice)];
      put_words(kRoots[root], highest);
      put_words(kRoots[root] + kMiddle, second);
      put_words(kRoots[root] + kLast, last);
      put_words(kRoots[root] + kMiddleOfIdentity, identity);
    }
    const auto satp = [&](unsigned root) { return kSv39 | asids[root] << kAsidShift | kRoots[root] >> 12; };
    csr(kCsrSatp, satp(0));
    state_.x[kRootSwap] = satp(0) ^ satp(1);
  }

  const RandomProgram& program_;
  RandomSource random_;
  uint64_t window_;
  std::array<uint64_t, kTextPages> text_pages_;
  InitialState state_;
};

}  // namespace

uint64_t entry_address(const RandomProgram& program) { return window_of(program) + (kText - kRamBase) + program.start; }

InitialState initial_state(const RandomProgram& program) { return Maker(program).make(); }

}  // namespace lockstep::isa::riscv64::random
