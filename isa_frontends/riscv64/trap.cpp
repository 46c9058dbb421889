// SPDX-License-Identifier: Apache-2.0
// Exceptions, interrupts and returns (privileged specification 1.12, sections 3.1.6 to 3.1.9, 3.3.2, 4.1).
#include <array>

#include "isa_frontends/riscv64/hart64.h"

namespace lockstep::isa::riscv64 {

void Hart64::enter_trap(uint64_t cause, uint64_t tval, bool to_supervisor) {
  State64& state = s();
  const bool interrupt = (cause & kCauseInterrupt) != 0;
  uint64_t vector = 0;
  if (to_supervisor) {
    state.scause = cause;
    state.sepc = state.pc;
    state.stval = tval;
    uint64_t status = state.mstatus & ~(kStatusSpie | kStatusSpp | kStatusSie);
    if (state.mstatus & kStatusSie) status |= kStatusSpie;
    if (state.privilege == kSupervisor) status |= kStatusSpp;
    state.mstatus = status;
    state.privilege = kSupervisor;
    vector = state.stvec;
  } else {
    state.mcause = cause;
    state.mepc = state.pc;
    state.mtval = tval;
    uint64_t status = state.mstatus & ~(kStatusMpie | kStatusMpp | kStatusMie);
    if (state.mstatus & kStatusMie) status |= kStatusMpie;
    status |= state.privilege << kStatusMppShift;
    state.mstatus = status;
    state.privilege = kMachine;
    vector = state.mtvec;
  }
  state.pc = vector & ~uint64_t{3};
  if (interrupt && (vector & 1)) state.pc += 4 * (cause & 63);
  state.trapped = 1;
  state.reservation_valid = 0;
  select_contexts();
}

void Hart64::raise_exception(uint64_t cause, uint64_t tval) {
  ++s().not_retired;
  enter_trap(cause, tval, s().privilege != kMachine && (s().medeleg >> cause & 1));
}

void Hart64::raise_fault(core::Fault fault, core::Access access, uint64_t vaddr) {
  // By kind of access: load, store, fetch.
  constexpr Cause kPage[] = {kLoadPage, kStorePage, kFetchPage};
  constexpr Cause kAccess[] = {kLoadAccess, kStoreAccess, kFetchAccess};
  constexpr Cause kMisaligned[] = {kLoadMisaligned, kStoreMisaligned, kFetchMisaligned};
  const auto index = static_cast<unsigned>(access);
  switch (fault) {
    case core::Fault::kPage:
      return raise_exception(kPage[index], vaddr);
    case core::Fault::kMisaligned:
      return raise_exception(kMisaligned[index], vaddr);
    case core::Fault::kAccess:
    case core::Fault::kNone:
      return raise_exception(kAccess[index], vaddr);
  }
}

int Hart64::next_interrupt() const {
  const State64& state = s();
  const uint64_t candidates = pending() & state.mie;
  if (candidates == 0) return -1;
  uint64_t enabled = 0;
  if (state.privilege != kMachine || (state.mstatus & kStatusMie)) enabled = candidates & ~state.mideleg;
  if (enabled == 0) {
    const bool supervisor_enabled =
        state.privilege == kUser || (state.privilege == kSupervisor && (state.mstatus & kStatusSie));
    if (supervisor_enabled) enabled = candidates & state.mideleg;
  }
  constexpr std::array<int, 6> kByPriority = {kMachineExternal,    kMachineSoftware,    kMachineTimer,
                                              kSupervisorExternal, kSupervisorSoftware, kSupervisorTimer};
  for (int number : kByPriority) {
    if (enabled >> number & 1) return number;
  }
  return -1;
}

void Hart64::take_interrupt() {
  const int number = next_interrupt();
  if (number < 0) return;
  const bool to_supervisor = s().privilege != kMachine && (s().mideleg >> number & 1);
  enter_trap(kCauseInterrupt | static_cast<uint64_t>(number), 0, to_supervisor);
}

void Hart64::set_interrupt(unsigned line, bool level) {
  const uint64_t bit = uint64_t{1} << (line & 63);
  const uint64_t lines = level ? s().interrupt_lines | bit : s().interrupt_lines & ~bit;
  if (lines == s().interrupt_lines) return;
  s().interrupt_lines = lines;
  interrupts_changed();
}

uint64_t Hart64::machine_return() {
  State64& state = s();
  uint64_t status = state.mstatus;
  state.privilege = (status & kStatusMpp) >> kStatusMppShift;
  status = (status & kStatusMpie) ? status | kStatusMie : status & ~kStatusMie;
  status |= kStatusMpie;
  status &= ~kStatusMpp;  // U, the least privileged mode there is
  if (state.privilege != kMachine) status &= ~kStatusMprv;
  state.mstatus = status;
  state.reservation_valid = 0;
  select_contexts();
  return state.mepc;
}

uint64_t Hart64::supervisor_return() {
  State64& state = s();
  uint64_t status = state.mstatus;
  state.privilege = (status & kStatusSpp) ? kSupervisor : kUser;
  status = (status & kStatusSpie) ? status | kStatusSie : status & ~kStatusSie;
  status |= kStatusSpie;
  status &= ~(kStatusSpp | kStatusMprv);
  state.mstatus = status;
  state.reservation_valid = 0;
  select_contexts();
  return state.sepc;
}

}  // namespace lockstep::isa::riscv64
