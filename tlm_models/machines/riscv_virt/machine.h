// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/engine/engine.h"
#include "core/hart/hart.h"
#include "core/memory/guest_ram.h"
#include "core/result.h"
#include "tlm_models/machines/riscv_virt/config.h"

namespace lockstep::tlm_models {

class DebugHook;

enum class MachineExit : uint8_t {
  kGuestPass,
  kGuestFail,
  kGuestReset,
  kMaxInstructions,
  kIdle,           // every hart waits and nothing can ever wake one
  kQuit,           // the user (Ctrl-A X) or the debugger ended the run
  kStopped,        // Machine::stop()
  kSnapshotPoint,  // RunRequest::stop_at_boundary was reached; run() carries on
};
std::string_view machine_exit_name(MachineExit exit);

struct RunRequest {
  // Totals over all harts since reset. The first is exact; the second ends the run at the first boundary of turns at or
  // after it, where a snapshot may be taken.
  uint64_t max_instructions = ~uint64_t{0};
  uint64_t stop_at_boundary = ~uint64_t{0};
};

struct MachineResult {
  MachineExit exit = MachineExit::kIdle;
  uint32_t code = 0;  // of kGuestFail
  uint64_t instructions = 0;
  uint64_t virtual_time_ns = 0;
};

// A whole RISC-V `virt` machine. SystemC has one simulation a process, so a process makes at most one Machine in its
// life; tests run one process a case.
class Machine {
 public:
  // Loads the images and builds everything. Fails with a message for the user. SystemC must not have been started.
  static core::Result<std::unique_ptr<Machine>> create(MachineConfig config);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // Runs until something of MachineExit happens; may be called again afterwards and goes on where it ended.
  MachineResult run(const RunRequest& request = {});

  // From inside run(), out of a device: ends it after the instruction that goes on.
  void stop();

  // The whole state in one file. Only at a boundary of turns: before the first run or after kSnapshotPoint. The TLBs
  // are emptied, in this machine too, so that it and a restored one go on alike.
  core::Status save_snapshot(const std::string& path);
  // Into a machine that has not run and was made with the same configuration (images apart).
  core::Status restore(const std::string& path);

  unsigned hart_count() const;
  core::Hart& hart(unsigned index);
  core::Engine& engine(unsigned index);
  // The hart whose turn it is.
  unsigned current_hart() const;
  core::GuestRam& ram();
  uint64_t total_instructions() const;
  uint64_t virtual_time_ns() const;

  // Observables: SHA-256 in hexadecimal of the console's bytes so far, of the harts' states and of RAM.
  std::string console_sha256() const;
  std::string state_sha256() const;
  std::string memory_sha256() const;
  // What the guest printed, up to 64 MiB of it.
  const std::string& console_text() const;

  // A debugger; nullptr removes it. `stop_first`: stopped() is called before the next instruction.
  void set_debug_hook(DebugHook* hook, bool stop_first);

  // One line of text an event, without the newline; an empty function turns the trace off.
  using TraceSink = std::function<void(const std::string& line)>;
  void trace_mmio(TraceSink sink);
  void trace_interrupts(TraceSink sink);

 private:
  struct Parts;
  explicit Machine(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace lockstep::tlm_models
