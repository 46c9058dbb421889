// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace lockstep::core::gdb {

// One register as gdb knows it. Values travel in the target's byte order, which is little endian here.
struct Register {
  std::string name;         // gdb's name for it
  unsigned number = 0;      // gdb's number; a table is ordered by it
  unsigned size_bits = 64;  // a multiple of 8
  std::string type;         // of the target description: int, code_ptr, data_ptr, ieee_single, ieee_double, ...
  std::string feature;      // the feature that holds it: org.gnu.gdb.riscv.cpu, ...
  // Sent with every stop in the `g` packet. These are the first ones of a table; gdb asks for the others one by one.
  bool is_general = false;
};

struct Architecture {
  std::string name;  // BFD's: riscv:rv64
  std::vector<Register> registers;
  unsigned pc_number = 0;
};

// Why the machine stands still.
enum class StopKind : uint8_t {
  kPaused,      // it has not started yet, or stopped for no reason of its own
  kStep,        // the step that was asked for is done
  kBreakpoint,  // pc is at a breakpoint whose instruction has not begun
  kWatchpoint,  // the instruction before pc touched a watched address
  kInterrupt,   // the client asked for it
  kExited,      // the guest is gone
};

struct Stop {
  StopKind kind = StopKind::kPaused;
  unsigned hart = 0;           // the one that caused it
  uint64_t watch_address = 0;  // the address touched, for kWatchpoint
  uint8_t exit_code = 0;       // for kExited
};

enum class WatchKind : uint8_t { kWrite, kRead, kAccess };

struct Watch {
  uint64_t vaddr = 0;
  uint64_t size_bytes = 0;
  WatchKind kind = WatchKind::kWrite;
  bool operator==(const Watch&) const = default;
};

// What the stub needs of a machine. It is called only while every hart stands still. Harts count from 0.
class Target {
 public:
  virtual ~Target() = default;

  virtual const Architecture& architecture() const = 0;
  virtual unsigned hart_count() const = 0;

  // value.size() is the register's size. False: this hart lacks the register now, or refuses the write.
  virtual bool read_register(unsigned hart, const Register& reg, std::span<uint8_t> value) = 0;
  virtual bool write_register(unsigned hart, const Register& reg, std::span<const uint8_t> value) = 0;

  // Guest memory as the hart's current translation shows it, or physical where translation is off, without side
  // effects on devices, accessed bits or permissions. The answer is how many bytes from the start were done.
  virtual size_t read_memory(unsigned hart, uint64_t vaddr, std::span<uint8_t> bytes) = 0;
  virtual size_t write_memory(unsigned hart, uint64_t vaddr, std::span<const uint8_t> bytes) = 0;

  // Breakpoints stop before the instruction and change no guest memory. False: not possible.
  virtual bool set_breakpoint(uint64_t vaddr, bool on) = 0;
  virtual bool set_watchpoint(const Watch& watch, bool on) = 0;

  // One line for `info threads`.
  virtual std::string describe_hart(unsigned hart) const { return "hart " + std::to_string(hart); }

  // `monitor COMMAND` other than help; the answer is printed as it is.
  virtual Result<std::string> monitor(std::string_view command) {
    return Error{"Unknown monitor command '" + std::string(command) + "'. Try 'monitor help'."};
  }
  // Lines for `monitor help`, each ending with a newline.
  virtual std::string monitor_help() const { return {}; }
};

}  // namespace lockstep::core::gdb
