// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace lockstep::core {

// Why a hart left the translated code that it was running; bits of StateHeader::exit_request.
enum ExitRequest : uint32_t {
  kExitNone = 0,
  kExitWaitForInterrupt = 1u << 0,   // WFI: sleep until an interrupt is pending
  kExitYield = 1u << 1,              // pause, WFE, yield: the hart's turn ends
  kExitStop = 1u << 2,               // the machine asks every hart to stop (power-off, snapshot, debugger)
  kExitInterruptsChanged = 1u << 3,  // an interrupt line or enable changed: look for an interrupt to take
};

// What every ISA's state begins with. An ISA derives its own plain struct from it, so that one base pointer with byte
// offsets reaches both (ir::Op::kGet and kSet). Only fields named by the ISA's StateLayout are guest state; the rest of
// the header belongs to the engine that runs the hart.
struct alignas(64) StateHeader {
  uint64_t pc = 0;                   // canonical at block boundaries, at exits and inside helpers that may trap
  int64_t budget = 0;                // instructions that may still begin in this run; taken at block entry
  uint64_t end_count = 0;            // the instruction count when the budget is used up
  uint64_t unbegun = 0;              // instructions of the current block behind the current one (set around helpers)
  uint32_t exit_request = 0;         // ExitRequest bits; looked at after MMIO and at every exit
  uint32_t trapped = 0;              // a helper or a memory access entered a trap: pc is the handler's
  uint32_t fp_flags = 0;             // accumulated IEEE exceptions: NX 1, UF 2, OF 4, DZ 8, NV 16
  uint32_t fp_rounding = 0;          // core::fp::RoundingMode for operations with the dynamic mode
  uint64_t reservation_valid = 0;    // load-reserved / exclusive monitor: size in bytes, or 0; see Hart::end_turn()
  uint64_t reservation_address = 0;  // physical address
};

// One named piece of guest state: what the IR's text form, the digests, snapshots and the debugger call it.
struct StateField {
  std::string_view name;
  uint32_t offset = 0;        // bytes from the start of StateHeader
  uint32_t size_bytes = 8;    // 1, 2, 4, 8, 16 or 32
  bool architectural = true;  // part of the final-state digest; false: engine-visible but derived
};

// The table of an ISA's state, in the order of its digest.
struct StateLayout {
  std::string_view isa;
  std::span<const StateField> fields;
  uint32_t size_bytes = 0;  // of the whole ISA struct, header included

  // The field with this name, or nullptr.
  const StateField* find(std::string_view name) const;
  // The field that begins at this offset, or nullptr.
  const StateField* at(uint32_t offset) const;
};

// Bytes behind the ISA's struct in which the interpreter keeps the temporaries of one block.
inline constexpr uint32_t kScratchBytes = 64 * 1024;

struct StateDeleter {
  void operator()(StateHeader* state) const;
};
using StatePtr = std::unique_ptr<StateHeader, StateDeleter>;

// Zeroed memory for a state of `size_bytes` and the scratch behind it, aligned to 64 bytes.
StatePtr allocate_state(uint32_t size_bytes);

}  // namespace lockstep::core
