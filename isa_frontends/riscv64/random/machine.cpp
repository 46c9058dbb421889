// SPDX-License-Identifier: Apache-2.0
#include "isa_frontends/riscv64/random/machine.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "isa_frontends/riscv64/random/layout.h"

namespace lockstep::isa::riscv64::random {

uint64_t RandomHart::time() {
  const uint64_t now = Hart64::time();
  const uint64_t drawn = clock().latest_read_ns() * 0x9e37'79b9'7f4a'7c15;
  set_interrupt(static_cast<unsigned>(1 + 2 * ((drawn >> 32) % 6)), drawn >> 63);
  return now;
}

RandomMachine::RandomMachine(const EngineFactory& factory, const HartFactory& hart_factory)
    : memory_(kRamBytes),
      flags_(kRamBytes >> core::kPageBits),
      ram_{kRamBase, kRamBytes, memory_.data(), flags_.data(), true},
      made_hart_(hart_factory(*this, clock_)),
      hart_(*made_hart_),
      engine_(factory(hart_)) {}

bool RandomMachine::read(uint64_t paddr, unsigned size_bytes, uint64_t& value) {
  if (portable_ || paddr < kDevice || paddr >= kDevice + kPageBytes) return false;
  device_digest_ = std::rotl(device_digest_ ^ (paddr + size_bytes), 23) * 0x9e37'79b9'7f4a'7c15;
  value = size_bytes == 8 ? device_digest_ : device_digest_ & ((uint64_t{1} << 8 * size_bytes) - 1);
  return true;
}

bool RandomMachine::write(uint64_t paddr, unsigned size_bytes, uint64_t value) {
  if (paddr >= kStop && paddr < kStop + kPageBytes) {
    ended_ = true;
    hart_.state().exit_request |= core::kExitStop;
    return true;
  }
  if (portable_ || paddr < kDevice || paddr >= kDevice + kPageBytes) return false;
  device_digest_ = std::rotl(device_digest_ ^ value, 29) + paddr + size_bytes;
  if (paddr >= kDeviceLines) hart_.set_interrupt(static_cast<unsigned>(1 + 2 * ((value >> 1) % 6)), value & 1);
  return true;
}

void RandomMachine::ram_written(uint64_t paddr, uint64_t size_bytes) {
  uint8_t& page = flags_[(paddr - kRamBase) >> core::kPageBits];
  if ((page & core::kPageHasCode) && !engine_->invalidate_code(paddr, size_bytes)) page = 0;
}

void RandomMachine::page_has_code(uint64_t paddr) {
  uint8_t& page = flags_[(paddr - kRamBase) >> core::kPageBits];
  if (page & core::kPageHasCode) return;
  page |= core::kPageHasCode;
  hart_.tlb().drop_fast_stores(paddr & core::kPageMask);
}

uint64_t RandomMachine::memory_word(uint64_t paddr) const {
  uint64_t word = 0;
  std::memcpy(&word, memory_.data() + (paddr - kRamBase), sizeof word);
  return word;
}

void RandomMachine::load(const RandomProgram& program, const InitialState& state) {
  portable_ = program.portable;
  ended_ = false;
  device_digest_ = program.seed;
  engine_->invalidate_all_code();
  std::fill(memory_.begin(), memory_.end(), 0);
  std::fill(flags_.begin(), flags_.end(), 0);
  for (const InitialState::Piece& piece : state.memory) {
    std::copy(piece.bytes.begin(), piece.bytes.end(),
              memory_.begin() + static_cast<ptrdiff_t>(piece.address - kRamBase));
  }
  hart_.reset();
  State64& s = hart_.s();
  s.budget = 0;
  s.end_count = s.unbegun = 0;
  s.exit_request = s.trapped = 0;
  clock_ = core::VirtualClock();
  std::copy(std::begin(state.x), std::end(state.x), s.x);
  std::copy(std::begin(state.f), std::end(state.f), s.f);
  for (const auto& [number, value] : state.csrs) write_csr_debug(hart_, number, value);
  s.privilege = state.privilege;
  s.pc = state.pc;
  hart_.state_restored();
  hart_.tlb().flush_all();
}

}  // namespace lockstep::isa::riscv64::random
