// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/engine/report.h"
#include "core/hart/hart.h"

namespace lockstep::core {

enum class StopReason : uint8_t {
  kBudget,            // all of the budget has begun, or of a concurrent hart most of it
  kWaitForInterrupt,  // WFI with nothing pending
  kYield,             // the hart gave up its turn
  kStop,              // the machine asked for a stop (kExitStop)
  kBreakpoint,        // state().pc is a breakpoint; its instruction has not begun
  kWatchpoint,        // the instruction before state().pc touched a watched address
};

struct RunResult {
  StopReason reason = StopReason::kBudget;
  uint64_t executed = 0;  // instructions begun in this run, at most the budget
};

struct Watchpoint {
  uint64_t vaddr = 0;
  uint64_t size_bytes = 0;
  bool on_read = false;
  bool on_write = false;
};

// Runs one hart. All deterministic engines leave the same state, count and TLB contents behind for the same budget.
// Interrupts are taken when run() begins and directly after the instruction that changed them.
class Engine {
 public:
  virtual ~Engine() = default;

  virtual std::string_view name() const = 0;

  // Begins at most `budget` instructions (at least 1). kBudget comes at exactly so many, unless the hart is concurrent.
  virtual RunResult run(uint64_t budget) = 0;

  // Bytes in [paddr, paddr + size), inside one page, changed: blocks made from them are dropped. Answers whether blocks
  // from that page remain. Safe from inside run().
  virtual bool invalidate_code(uint64_t paddr, uint64_t size_bytes) = 0;
  virtual void invalidate_all_code() = 0;

  // What the engine made of the guest code at `pc`, as text for people; empty where it has nothing to show.
  virtual std::string describe_code([[maybe_unused]] uint64_t pc) const { return {}; }

  // Counters of its work and, where it was made to take one, a profile.
  virtual EngineReport report() { return {}; }

  virtual void set_breakpoint(uint64_t vaddr, bool on) = 0;
  virtual void set_watchpoint(const Watchpoint& watchpoint, bool on) = 0;
  // Hit by the last run that ended with kWatchpoint.
  virtual uint64_t watchpoint_address() const = 0;

  // Called before each instruction begins when set (nullptr turns it off); for `--trace exec`.
  using InstructionHook = void (*)(void* context, Hart& hart);
  virtual void set_instruction_hook(InstructionHook hook, void* context) = 0;
};

}  // namespace lockstep::core
