// SPDX-License-Identifier: Apache-2.0
#include "cli/vm_debugger.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/gdb/gdb_riscv64.h"
#include "isa_frontends/riscv64/riscv64.h"

namespace lockstep::cli {

using core::StopReason;
using core::gdb::HartAction;
using core::gdb::Request;
using core::gdb::Stop;
using core::gdb::StopKind;
using tlm_models::DebugAction;

namespace {

constexpr core::gdb::RiscvCsr kCsrs[] = {
    {"sstatus", 0x100},  {"sie", 0x104},     {"stvec", 0x105},      {"scounteren", 0x106}, {"senvcfg", 0x10a},
    {"sscratch", 0x140}, {"sepc", 0x141},    {"scause", 0x142},     {"stval", 0x143},      {"sip", 0x144},
    {"satp", 0x180},     {"mstatus", 0x300}, {"misa", 0x301},       {"medeleg", 0x302},    {"mideleg", 0x303},
    {"mie", 0x304},      {"mtvec", 0x305},   {"mcounteren", 0x306}, {"menvcfg", 0x30a},    {"mscratch", 0x340},
    {"mepc", 0x341},     {"mcause", 0x342},  {"mtval", 0x343},      {"mip", 0x344},        {"mcycle", 0xb00},
    {"minstret", 0xb02}, {"mhartid", 0xf14},
};

// Where a general register of gdb lives in the hart's state, or nullptr.
const core::StateField* state_field(core::Hart& hart, unsigned number) {
  if (number < core::gdb::kRiscvPcNumber) return hart.layout().find(fmt::format("x{}", number));
  if (number == core::gdb::kRiscvPcNumber) return hart.layout().find("pc");
  if (number >= core::gdb::kRiscvFloatBase && number < core::gdb::kRiscvFloatBase + 32) {
    return hart.layout().find(fmt::format("f{}", number - core::gdb::kRiscvFloatBase));
  }
  return nullptr;
}

}  // namespace

Debugger::Debugger(tlm_models::Machine& machine)
    : machine_(machine), architecture_(core::gdb::riscv64_architecture(kCsrs)) {}

Debugger::~Debugger() { machine_.set_debug_hook(nullptr, false); }

core::Result<std::unique_ptr<Debugger>> Debugger::listen(const std::string& address, tlm_models::Machine& machine) {
  auto parsed = core::gdb::parse_listen_address(address);
  if (!parsed) return parsed.error();
  std::unique_ptr<Debugger> debugger(new Debugger(machine));
  auto server = core::gdb::Server::listen(*parsed, *debugger);
  if (!server) return server.error();
  debugger->server_ = std::move(*server);
  machine.set_debug_hook(debugger.get(), true);
  return debugger;
}

void Debugger::report_exit(int status) {
  Stop stop;
  stop.kind = StopKind::kExited;
  stop.exit_code = static_cast<uint8_t>(status);
  server_->report_stop(stop);
}

bool Debugger::read_register(unsigned hart, const core::gdb::Register& reg, std::span<uint8_t> value) {
  core::Hart& h = machine_.hart(hart);
  std::fill(value.begin(), value.end(), uint8_t{0});
  if (const core::StateField* field = state_field(h, reg.number); field != nullptr) {
    const auto* base = reinterpret_cast<const uint8_t*>(&h.state());
    std::memcpy(value.data(), base + field->offset, std::min<size_t>(value.size(), field->size_bytes));
    return true;
  }
  if (reg.number == 0) return true;
  std::optional<uint64_t> number;
  if (reg.number == core::gdb::kRiscvPrivilegeNumber) {
    const core::StateField* field = h.layout().find("priv");
    if (field == nullptr) return false;
    number = 0;
    std::memcpy(&*number, reinterpret_cast<const uint8_t*>(&h.state()) + field->offset, field->size_bytes);
  } else if (reg.number >= core::gdb::kRiscvCsrBase) {
    number = isa::riscv64::read_csr_debug(h, reg.number - core::gdb::kRiscvCsrBase);
  }
  if (!number) return false;
  std::memcpy(value.data(), &*number, std::min(value.size(), sizeof *number));
  return true;
}

bool Debugger::write_register(unsigned hart, const core::gdb::Register& reg, std::span<const uint8_t> value) {
  core::Hart& h = machine_.hart(hart);
  if (reg.number == 0) return true;  // x0 takes any value and keeps none
  if (const core::StateField* field = state_field(h, reg.number); field != nullptr) {
    auto* base = reinterpret_cast<uint8_t*>(&h.state());
    std::memcpy(base + field->offset, value.data(), std::min<size_t>(value.size(), field->size_bytes));
    h.state_restored();
    return true;
  }
  if (reg.number < core::gdb::kRiscvCsrBase || reg.number == core::gdb::kRiscvPrivilegeNumber) return false;
  uint64_t number = 0;
  std::memcpy(&number, value.data(), std::min(value.size(), sizeof number));
  if (!isa::riscv64::write_csr_debug(h, reg.number - core::gdb::kRiscvCsrBase, number)) return false;
  h.state_restored();
  return true;
}

uint8_t* Debugger::location(unsigned hart, uint64_t vaddr, size_t& available, uint64_t& paddr) {
  core::Hart& h = machine_.hart(hart);
  const core::Translation translation = h.translate(vaddr, core::Access::kLoad, true);
  if (translation.fault != core::Fault::kNone) return nullptr;
  paddr = translation.paddr;
  const core::RamWindow* window = h.bus().window(paddr);
  if (window == nullptr) return nullptr;
  available = std::min<size_t>(available, core::kPageSize - vaddr % core::kPageSize);
  return window->host + (paddr - window->base);
}

size_t Debugger::read_memory(unsigned hart, uint64_t vaddr, std::span<uint8_t> bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    size_t piece = bytes.size() - done;
    uint64_t paddr = 0;
    const uint8_t* from = location(hart, vaddr + done, piece, paddr);
    if (from == nullptr) break;
    std::memcpy(bytes.data() + done, from, piece);
    done += piece;
  }
  return done;
}

size_t Debugger::write_memory(unsigned hart, uint64_t vaddr, std::span<const uint8_t> bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    size_t piece = bytes.size() - done;
    uint64_t paddr = 0;
    uint8_t* to = location(hart, vaddr + done, piece, paddr);
    if (to == nullptr || !machine_.ram().window().contains(paddr, piece)) break;
    machine_.ram().write(paddr, bytes.subspan(done, piece));
    done += piece;
  }
  return done;
}

bool Debugger::set_breakpoint(uint64_t vaddr, bool on) {
  for (unsigned i = 0; i < machine_.hart_count(); ++i) machine_.engine(i).set_breakpoint(vaddr, on);
  return true;
}

bool Debugger::set_watchpoint(const core::gdb::Watch& watch, bool on) {
  const core::Watchpoint point{watch.vaddr, watch.size_bytes, watch.kind != core::gdb::WatchKind::kWrite,
                               watch.kind != core::gdb::WatchKind::kRead};
  for (unsigned i = 0; i < machine_.hart_count(); ++i) machine_.engine(i).set_watchpoint(point, on);
  return true;
}

core::Result<std::string> Debugger::monitor(std::string_view command) {
  if (command == "time") {
    return fmt::format("{} instructions, {} ns of virtual time\n", machine_.total_instructions(),
                       machine_.virtual_time_ns());
  }
  if (command == "digest") {
    return fmt::format("state  {}\nmemory {}\n", machine_.state_sha256(), machine_.memory_sha256());
  }
  return Target::monitor(command);
}

std::string Debugger::monitor_help() const {
  return "time    instructions begun and virtual time\ndigest  SHA-256 of the harts' state and of memory\n";
}

bool Debugger::interrupt_requested() {
  interrupted_ = server_->poll();
  return interrupted_;
}

DebugAction Debugger::stopped(unsigned hart, StopReason reason) {
  Stop stop;
  stop.hart = hart;
  if (reason == StopReason::kBreakpoint) {
    stop.kind = StopKind::kBreakpoint;
  } else if (reason == StopReason::kWatchpoint) {
    stop.kind = StopKind::kWatchpoint;
    stop.watch_address = machine_.engine(hart).watchpoint_address();
  } else if (interrupted_) {
    stop.kind = StopKind::kInterrupt;
  } else if (first_stop_) {
    stop.kind = StopKind::kPaused;
  } else {
    // One instruction of this hart is done; if another one's step was asked for, its turn will come.
    if (step_hart_ && *step_hart_ != hart) return DebugAction::kStep;
    stop.kind = StopKind::kStep;
  }
  if (!first_stop_) server_->report_stop(stop);
  first_stop_ = false;
  interrupted_ = false;
  step_hart_.reset();
  const std::optional<Request> request = server_->wait();
  if (!request || request->kind == Request::Kind::kKill) return DebugAction::kQuit;
  if (request->kind == Request::Kind::kDetach) return DebugAction::kContinue;
  for (unsigned i = 0; i < request->actions.size(); ++i) {
    if (request->actions[i] == HartAction::kStep) step_hart_ = i;
  }
  return step_hart_ ? DebugAction::kStep : DebugAction::kContinue;
}

}  // namespace lockstep::cli
