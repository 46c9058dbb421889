// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/hart/state.h"
#include "core/ir/types.h"
#include "core/memory/bus.h"
#include "core/memory/tlb.h"
#include "core/time/virtual_clock.h"

namespace lockstep::core::ir {
class Builder;
}

namespace lockstep::core {

enum class Access : uint8_t { kLoad, kStore, kFetch };

// What went wrong with a memory access, before the ISA turns it into its own exception.
enum class Fault : uint8_t {
  kNone,
  kPage,        // no valid translation, or not with this permission
  kAccess,      // the physical address is refused (PMP, nothing there, bus error)
  kMisaligned,  // the access must be aligned and is not
};

// The answer of a hart's MMU for one address.
struct Translation {
  Fault fault = Fault::kNone;
  uint64_t paddr = 0;
  // log2 of the naturally aligned block around the address to which this answer applies (12, 21, 30, ...): the largest
  // one, where that is smaller than a page. Less than kPageBits: the answer may not be kept in the TLB, a naturally
  // aligned access that is larger than the block fails (Fault::kAccess), and a misaligned one that reaches out of it is
  // translated block by block.
  uint8_t block_bits = kPageBits;
};

class Hart;

// A function that the IR calls (ir::Op::kCall). Arguments and result are zero-extended values of up to 64 bits. It may
// read and write the state as its descriptor declares. A helper that takes a trap calls Hart methods that set
// `trapped`.
using HelperFunction = uint64_t (*)(Hart& hart, uint64_t a, uint64_t b, uint64_t c, uint64_t d);

// Effects of a helper; an engine keeps a guest register in a host register across a call only if these allow it.
enum HelperEffect : uint32_t {
  kHelperPure = 0,
  kHelperReadsState = 1u << 0,
  kHelperWritesState = 1u << 1,
  kHelperReadsMemory = 1u << 2,
  kHelperWritesMemory = 1u << 3,
  kHelperMayTrap = 1u << 4,    // the engine makes pc and the instruction count exact around the call
  kHelperReadsTime = 1u << 5,  // likewise for the count
};

// What a helper does, where an engine may do it itself instead of calling it. Every engine may also just call.
enum class HelperMeaning : uint8_t {
  kOther,
  kReadFpFlags,   // -> StateHeader::fp_flags, with those that operations raised up to here
  kWriteFpFlags,  // the low five bits of the argument become StateHeader::fp_flags
};

struct HelperDescriptor {
  std::string_view name;
  HelperFunction function = nullptr;
  uint32_t effects = 0;
  uint8_t arguments = 0;  // 0 to 4
  ir::Type result = ir::Type::kVoid;
  HelperMeaning meaning = HelperMeaning::kOther;
};

// Reads instruction bytes for the translator. The answer stays inside what the hart's MMU allows for fetches.
class CodeReader {
 public:
  virtual ~CodeReader() = default;
  // The 16 bits at `vaddr` (2-byte aligned). False when they cannot be fetched: the block ends before this
  // instruction, or, if it would be the first, the engine raises the fetch fault at `vaddr`.
  virtual bool fetch16(uint64_t vaddr, uint16_t& bits) = 0;
  // One byte, for ISAs with byte-aligned instructions. Same rule.
  virtual bool fetch8(uint64_t vaddr, uint8_t& byte) = 0;
};

// One guest hardware thread: an ISA's state and its rules, without a way to run. Engines run it.
class Hart {
 public:
  virtual ~Hart() = default;

  StateHeader& state() { return *state_; }
  const StateHeader& state() const { return *state_; }
  unsigned id() const { return id_; }
  PhysicalBus& bus() { return *bus_; }
  VirtualClock& clock() { return *clock_; }
  Tlb& tlb() { return tlb_; }

  // Other harts of the machine run at the same time, on threads of their own: engines make atomic operations and fences
  // those of the host. Set before the hart gets an engine.
  bool concurrent() const { return concurrent_; }
  void set_concurrent(bool concurrent) { concurrent_ = concurrent; }

  virtual const StateLayout& layout() const = 0;
  virtual std::span<const HelperDescriptor> helpers() const = 0;

  // Back to the reset state of the ISA; the machine then sets pc and boot arguments.
  virtual void reset() = 0;

  // Decodes the basic block at `pc` into IR, at most `max_instructions` guest instructions. Emits at least one
  // instruction unless the first one cannot be fetched, in which case it emits nothing.
  virtual void translate_block(CodeReader& code, uint64_t pc, unsigned max_instructions, ir::Builder& builder) = 0;

  // The privilege mode in which it runs: an index into the ISA's names of its modes. It changes only with traps and
  // with helpers that end a block.
  virtual unsigned privilege() const { return 0; }
  virtual std::span<const std::string_view> privilege_names() const {
    static constexpr std::string_view kOnly[] = {"all"};
    return kOnly;
  }

  // What a translated block depends on besides its bytes (privilege, FP enabled, ...). Blocks with different keys never
  // share code.
  virtual uint64_t code_key() const = 0;

  // Walks the page tables for one access that lies inside one page. Sets accessed and dirty bits as the ISA says. No
  // trap is taken here. `debug` walks change nothing and ignore permissions.
  virtual Translation translate(uint64_t vaddr, Access access, bool debug = false) = 0;

  // Enters the ISA's exception for a failed access of the instruction at state().pc; sets state().pc and `trapped`.
  virtual void raise_fault(Fault fault, Access access, uint64_t vaddr) = 0;

  // True when an enabled interrupt is pending and would be taken now.
  virtual bool interrupt_ready() const = 0;
  // Takes it: pc becomes the handler's. Only when interrupt_ready().
  virtual void take_interrupt() = 0;
  // True when WFI would end: an interrupt is pending and locally enabled, whatever the global enable says.
  virtual bool wakeup_pending() const = 0;

  // Level of an interrupt input; numbers are the ISA's (RISC-V: the mip bit). Marks kExitInterruptsChanged.
  virtual void set_interrupt(unsigned line, bool level) = 0;

  // The layout's fields were written from outside (snapshot, debugger): derived state, such as the TLB's contexts, is
  // made to match.
  virtual void state_restored() = 0;

  // One line of disassembly for the instruction at `bytes`, and its length.
  virtual std::string disassemble(std::span<const uint8_t> bytes, uint64_t pc, unsigned& length) const = 0;

  // Instructions begun since reset, exact inside helpers that may trap or read time.
  uint64_t instruction_count() const {
    const StateHeader& s = *state_;
    return s.end_count - static_cast<uint64_t>(s.budget) - s.unbegun;
  }
  // Instructions begun in the current turn: what virtual time is ahead by. `turn_start_count` is set by the scheduler.
  uint64_t executed_in_turn() const { return instruction_count() - turn_start_count_; }
  void begin_turn() { turn_start_count_ = instruction_count(); }
  // The same for a hart that slept through the turn's first `slept` instructions.
  void begin_turn_late(uint64_t slept) { turn_start_count_ = instruction_count() - slept; }
  // The one rule of store-conditional: it succeeds when the reservation is valid and was made for the same physical
  // address and size. A reservation ends with any store-conditional, trap or trap return, and with the hart's turn
  // where another hart or a device may have come between. Of a concurrent hart the memory must also still hold what was
  // read.
  void end_turn() { state_->reservation_valid = 0; }
  uint64_t reserved_value() const { return reserved_value_; }
  void set_reserved_value(uint64_t value) { reserved_value_ = value; }
  // For generated code, which notes there what it read.
  const uint64_t* reserved_value_place() const { return &reserved_value_; }

 protected:
  Hart(unsigned id, PhysicalBus& bus, VirtualClock& clock, uint32_t state_bytes)
      : id_(id), bus_(&bus), clock_(&clock), state_(allocate_state(state_bytes)) {}

  unsigned id_;
  PhysicalBus* bus_;
  VirtualClock* clock_;
  StatePtr state_;
  Tlb tlb_;
  uint64_t turn_start_count_ = 0;
  uint64_t reserved_value_ = 0;
  bool concurrent_ = false;
};

}  // namespace lockstep::core
