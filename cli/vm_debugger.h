// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/gdb/gdb_server.h"
#include "core/gdb/gdb_target.h"
#include "core/result.h"
#include "tlm_models/machines/riscv_virt/machine.h"
#include "tlm_models/vcpu/hart_scheduler.h"

namespace lockstep::cli {

// gdb on a running machine: the stub's view of harts and memory, and the scheduler's view of the debugger. The machine
// stands still until the client lets it go.
class Debugger : public core::gdb::Target, public tlm_models::DebugHook {
 public:
  // Listens on "[HOST]:PORT" (loopback only) and stops the machine before its next instruction.
  static core::Result<std::unique_ptr<Debugger>> listen(const std::string& address, tlm_models::Machine& machine);
  ~Debugger() override;

  uint16_t port() const { return server_->port(); }
  // Tells the client that the guest has ended.
  void report_exit(int status);

  const core::gdb::Architecture& architecture() const override { return architecture_; }
  unsigned hart_count() const override { return machine_.hart_count(); }
  bool read_register(unsigned hart, const core::gdb::Register& reg, std::span<uint8_t> value) override;
  bool write_register(unsigned hart, const core::gdb::Register& reg, std::span<const uint8_t> value) override;
  size_t read_memory(unsigned hart, uint64_t vaddr, std::span<uint8_t> bytes) override;
  size_t write_memory(unsigned hart, uint64_t vaddr, std::span<const uint8_t> bytes) override;
  bool set_breakpoint(uint64_t vaddr, bool on) override;
  bool set_watchpoint(const core::gdb::Watch& watch, bool on) override;
  core::Result<std::string> monitor(std::string_view command) override;
  std::string monitor_help() const override;

  bool interrupt_requested() override;
  tlm_models::DebugAction stopped(unsigned hart, core::StopReason reason) override;

 private:
  explicit Debugger(tlm_models::Machine& machine);
  uint8_t* location(unsigned hart, uint64_t vaddr, size_t& available, uint64_t& paddr);

  tlm_models::Machine& machine_;
  core::gdb::Architecture architecture_;
  std::unique_ptr<core::gdb::Server> server_;
  std::optional<unsigned> step_hart_;  // the hart whose step the client waits for
  bool interrupted_ = false;
  bool first_stop_ = true;
};

}  // namespace lockstep::cli
