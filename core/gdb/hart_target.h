// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/engine/engine.h"
#include "core/gdb/gdb_target.h"
#include "core/hart/hart.h"
#include "core/memory/bus.h"

namespace lockstep::core::gdb {

// Where an ISA's hart keeps the registers of its Architecture.
struct RegisterAccess {
  // The name of the StateLayout field that holds the register, or empty where it is not a plain field.
  std::function<std::string(const Register&)> field;
  // For the others. Nothing or false: no such register, or it cannot be written.
  std::function<std::optional<uint64_t>(Hart&, const Register&)> read;
  std::function<bool(Hart&, const Register&, uint64_t)> write;
};

struct DebuggedHart {
  Hart* hart = nullptr;
  Engine* engine = nullptr;
};

// A machine of harts and engines as a gdb target. Memory is RAM and ROM only, so that looking never touches a device.
// It adds the monitor commands harts, translate and physical.
class HartTarget : public Target {
 public:
  // All harts see the same bus. The harts and engines must outlive the target.
  HartTarget(std::vector<DebuggedHart> harts, Architecture architecture, RegisterAccess access);

  // What the run that just ended means to a debugger; nothing where the machine may run on.
  std::optional<Stop> stop_after(unsigned hart, const RunResult& result) const;

  const Architecture& architecture() const override { return architecture_; }
  unsigned hart_count() const override { return static_cast<unsigned>(harts_.size()); }
  bool read_register(unsigned hart, const Register& reg, std::span<uint8_t> value) override;
  bool write_register(unsigned hart, const Register& reg, std::span<const uint8_t> value) override;
  size_t read_memory(unsigned hart, uint64_t vaddr, std::span<uint8_t> bytes) override;
  size_t write_memory(unsigned hart, uint64_t vaddr, std::span<const uint8_t> bytes) override;
  bool set_breakpoint(uint64_t vaddr, bool on) override;
  bool set_watchpoint(const Watch& watch, bool on) override;
  Result<std::string> monitor(unsigned hart, std::string_view command) override;
  std::string monitor_help() const override;

 private:
  // The bytes of RAM or ROM at vaddr up to the end of its page, at most `length`; empty where there are none.
  struct Stretch {
    uint8_t* host = nullptr;
    uint64_t paddr = 0;
    size_t length = 0;
    bool is_writable = false;
  };
  Stretch find_memory(unsigned hart, uint64_t vaddr, size_t length);

  std::vector<DebuggedHart> harts_;
  Architecture architecture_;
  RegisterAccess access_;
  bool is_physical_ = false;  // addresses are physical, by `monitor physical on`
};

}  // namespace lockstep::core::gdb
