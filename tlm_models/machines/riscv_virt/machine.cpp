// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/machines/riscv_virt/machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "core/digest/digest.h"
#include "tlm_models/machines/riscv_virt/boot.h"
#include "tlm_models/machines/riscv_virt/memory_map.h"
#include "tlm_models/machines/riscv_virt/parts.h"

namespace lockstep::tlm_models {
namespace {

using namespace riscv_virt;

// Of a machine with several harts, whose reservations end with their turns: a loop of LR and SC that has to succeed in
// the end has up to 16 instructions (unprivileged ISA, "Eventual Success of Store-Conditional Instructions"), and a
// turn may begin inside of one.
constexpr uint64_t kLeastSharedQuantum = 32;

core::Status check(const MachineConfig& config) {
  if (config.harts < 1 || config.harts > kMaxHarts) {
    return core::Error{fmt::format("riscv-virt has 1 to {} harts, not {}", kMaxHarts, config.harts)};
  }
  if (config.memory_bytes < kMinMemoryBytes || config.memory_bytes > kMaxMemoryBytes ||
      config.memory_bytes % core::kPageSize != 0) {
    return core::Error{
        fmt::format("--memory must be 1 MiB to 64 GiB in whole pages, not {} bytes", config.memory_bytes)};
  }
  if (config.ns_per_instruction == 0 || config.quantum_ns < config.ns_per_instruction ||
      config.quantum_ns > 1'000'000'000) {
    return core::Error{fmt::format("a quantum of {} ns does not fit: at least one instruction ({} ns), at most 1 s",
                                   config.quantum_ns, config.ns_per_instruction)};
  }
  if (config.harts > 1 && config.quantum_ns / config.ns_per_instruction < kLeastSharedQuantum) {
    return core::Error{fmt::format(
        "a quantum of {} ns does not fit several harts: at least {} instructions ({} ns), so that a loop of LR and SC "
        "comes to its end in one turn",
        config.quantum_ns, kLeastSharedQuantum, kLeastSharedQuantum * config.ns_per_instruction)};
  }
  if (config.smmu.present && config.smmu.atsu && !config.smmu.mmu)
    return core::Error{"--smmu-atsu on needs --smmu-mmu on: what is not translated needs no translation service"};
  assert(config.make_hart && config.make_engine);
  return {};
}

MachineExit to_exit(EndReason reason) {
  switch (reason) {
    case EndReason::kGuestPass:
      return MachineExit::kGuestPass;
    case EndReason::kGuestFail:
      return MachineExit::kGuestFail;
    case EndReason::kGuestReset:
      return MachineExit::kGuestReset;
    case EndReason::kMaxInstructions:
      return MachineExit::kMaxInstructions;
    case EndReason::kIdle:
      return MachineExit::kIdle;
    case EndReason::kQuit:
      return MachineExit::kQuit;
    case EndReason::kStopped:
      return MachineExit::kStopped;
    case EndReason::kSnapshotPoint:
      return MachineExit::kSnapshotPoint;
  }
  return MachineExit::kIdle;
}

}  // namespace

std::string_view machine_exit_name(MachineExit exit) {
  switch (exit) {
    case MachineExit::kGuestPass:
      return "guest-pass";
    case MachineExit::kGuestFail:
      return "guest-fail";
    case MachineExit::kGuestReset:
      return "guest-reset";
    case MachineExit::kMaxInstructions:
      return "max-instructions";
    case MachineExit::kIdle:
      return "idle";
    case MachineExit::kQuit:
      return "quit";
    case MachineExit::kStopped:
      return "stopped";
    case MachineExit::kSnapshotPoint:
      return "snapshot-point";
  }
  return "error";
}

Machine::Machine(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Machine::~Machine() = default;

core::Result<std::unique_ptr<Machine>> Machine::create(MachineConfig config) {
  if (const auto checked = check(config); !checked.ok()) return checked.error();
  const auto numa = config.numa_interleave ? core::GuestRam::Numa::kInterleave : core::GuestRam::Numa::kDefault;
  auto ram = core::GuestRam::create(kRamBase, config.memory_bytes, numa);
  if (!ram.ok()) return ram.error();
  auto rom = core::GuestRam::create(kRomBase, kRomBytes);
  if (!rom.ok()) return rom.error();
  // Images come before the first module is made: a mistake of the user then leaves SystemC untouched.
  auto boot = load_boot_image(config, *ram);
  if (!boot.ok()) return boot.error();
  rom->write(kRomBase, boot->reset_code);

  auto parts = std::make_unique<Parts>(std::move(config), std::move(*ram), std::move(*rom));
  parts->tohost_address = boot->tohost_address;
  parts->add_harts();
  if (const auto added = parts->add_virtio_devices(); !added.ok()) return added.error();
  parts->add_smmu();
  if (const auto connected = parts->connect(); !connected.ok()) return connected.error();
  return std::unique_ptr<Machine>(new Machine(std::move(parts)));
}

MachineResult Machine::run(const RunRequest& request) {
  parts_->started = true;
  const RunEnd end = parts_->scheduler.run({request.max_instructions, request.stop_at_boundary});
  parts_->console.flush();
  return {to_exit(end.reason), end.code, total_instructions(), virtual_time_ns()};
}

void Machine::stop() { parts_->scheduler.request_end(EndReason::kStopped); }

unsigned Machine::hart_count() const { return static_cast<unsigned>(parts_->vcpus.size()); }
core::Hart& Machine::hart(unsigned index) { return parts_->vcpus[index]->hart(); }
core::Engine& Machine::engine(unsigned index) { return parts_->vcpus[index]->engine(); }
unsigned Machine::current_hart() const { return std::min(parts_->scheduler.current_hart(), hart_count() - 1); }
core::GuestRam& Machine::ram() { return parts_->ram_memory.ram(); }
uint64_t Machine::total_instructions() const { return parts_->scheduler.total_instructions(); }
uint64_t Machine::virtual_time_ns() const { return parts_->scheduler.virtual_time_ns(); }

std::string Machine::console_sha256() const { return parts_->console.sha256(); }
const std::string& Machine::console_text() const { return parts_->console.text(); }

std::string Machine::state_sha256() const {
  std::vector<const core::Hart*> harts;
  for (const auto& vcpu : parts_->vcpus) harts.push_back(&vcpu->hart());
  return core::state_digest(harts);
}

std::string Machine::memory_sha256() const { return core::memory_digest(parts_->ram_memory.ram()); }

void Machine::set_debug_hook(DebugHook* hook, bool stop_first) {
  parts_->scheduler.set_debug_hook(hook);
  if (hook != nullptr && stop_first) parts_->scheduler.stop_for_debugger();
}

void Machine::trace_mmio(TraceSink sink) {
  for (const auto& [name, device] : parts_->devices()) {
    if (!sink) {
      device->set_trace({});
      continue;
    }
    device->set_trace([sink](const MmioEvent& event) {
      sink(fmt::format("{} {} {}+{:#x} {} {} {:#x}", event.now_ns, event.is_write ? "write" : "read", event.device,
                       event.offset, event.register_name.empty() ? "-" : event.register_name, event.size_bytes,
                       event.value));
    });
  }
}

void Machine::trace_interrupts(TraceSink sink) {
  if (!sink) {
    parts_->interrupt_trace = {};
    return;
  }
  parts_->interrupt_trace = [this, sink](const std::string& line) {
    sink(fmt::format("{} {} {}", virtual_time_ns(), total_instructions(), line));
  };
}

}  // namespace lockstep::tlm_models
