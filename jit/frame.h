// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/hart/state.h"
#include "core/memory/tlb.h"

// What generated code and the engine agree on: registers, the stack frame that all generated code of one run shares,
// and what comes back when it is left.
//
//   rbp  the hart's state, plus kStateBias
//   r14  the data context of the TLB, plus core::kTlbContextBias
//   r15  StateHeader::budget
//   rsp  Frame
//   MXCSR  the guest's rounding mode; the flags that the guest's operations raised since it was last read
//
// All other registers are free for values.
namespace lockstep::jit {

class Runtime;

// Brings more of the state in reach of an 8-bit displacement.
inline constexpr int kStateBias = 128;

// Where a jump to an address that is known only when it is taken goes; `code` compares the mapping of the page itself.
struct JumpEntry {
  uint64_t pc = ~uint64_t{0};
  const uint8_t* code = nullptr;
};
inline constexpr unsigned kJumpEntryBits = 14;
inline constexpr unsigned kJumpEntries = 1u << kJumpEntryBits;

struct Frame {
  static constexpr unsigned kSpills = 448;

  Runtime* runtime;
  core::TlbContext* fetch;
  JumpEntry* jumps;
  uint64_t data;  // with its bias
  uint32_t guest_mxcsr;
  uint32_t host_mxcsr;
  uint32_t saved_mxcsr;
  // What a register-preserving call works on: a memory access or an operation without host code.
  uint32_t descriptor;
  uint64_t address;
  uint64_t lost;        // the last slow access made the TLB lose an entry: bit 1
  uint64_t operand[3];  // the first takes the result
  uint64_t gpr[16];
  uint64_t xmm[16];  // low halves
  uint64_t spill[kSpills];
};
static_assert(sizeof(Frame) % 16 == 8);

// How generated code was left; in the low bits of the answer, whose other bits are an address.
enum class Leave : uint64_t {
  kLink,      // an unlinked jump to a constant address: Link*
  kExit,      // state().pc is next; look for interrupts
  kHandOver,  // the interpreter must do the instruction at state().pc
  kBudget,    // the block at state().pc does not fit the budget
  kHot,       // the block at state().pc has run often: Unit*
  kMoved,     // the code for state().pc was made from another page than the one that is mapped there now
  kStale,     // a region found a page of its code mapped in another way: Unit*; state().pc is next
};
inline constexpr uint64_t kLeaveMask = 7;

// Frame::descriptor of atomic operations.
enum class AtomicKind : uint8_t { kLoadReserved, kStoreConditional, kRmw };
struct AtomicDescriptor {
  AtomicKind kind;
  uint8_t op;     // ir::RmwOp
  uint8_t type;   // ir::Type
  uint8_t flags;  // ir::MemFlags
};
static_assert(sizeof(AtomicDescriptor) == sizeof(uint32_t));

}  // namespace lockstep::jit
