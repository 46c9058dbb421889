// SPDX-License-Identifier: Apache-2.0
// Traps are recorded and execution goes on: after the instruction, or, where that cannot be (a fetch that failed), at
// the caller.
#include "guest.h"

volatile Trap machine_traps[MAX_HARTS];
volatile Trap supervisor_traps[MAX_HARTS];
volatile InterruptHandler machine_interrupt;
volatile InterruptHandler supervisor_interrupt;
static uint8_t supervisor_stacks[MAX_HARTS][1 << STACK_SHIFT] __attribute__((aligned(16)));

static void record(volatile Trap* trap, const TrapFrame* frame) {
  trap->cause = frame->cause;
  trap->pc = frame->pc;
  trap->tval = frame->tval;
  trap->status = frame->status;
  trap->count++;
}

static void step_over(TrapFrame* frame) {
  switch (frame->cause) {
    case kFetchMisaligned:
    case kFetchAccess:
    case kFetchPage:
      frame->pc = frame->x[1];
      break;
    default:
      // Guests map their code at its physical address, so the instruction can be read in any mode.
      frame->pc += (*(uint16_t*)frame->pc & 3) == 3 ? 4 : 2;
  }
}

static void unexpected(const TrapFrame* frame, const char* mode) {
  print("FAIL unexpected %s interrupt: cause 0x%lx pc 0x%lx\n", mode, frame->cause, frame->pc);
  finish_with(3);
}

void machine_trap(TrapFrame* frame) {
  const bool from_lower = (frame->status & MSTATUS_MPP) != MSTATUS_MPP;
  if (frame->cause & INTERRUPT) {
    if (!machine_interrupt) unexpected(frame, "machine");
    record(&machine_traps[hart_id()], frame);
    machine_interrupt(frame->cause);
    return;
  }
  if (from_lower && (frame->cause == kEcallUser || frame->cause == kEcallSupervisor) && frame->x[17] == ECALL_RETURN) {
    frame->pc = (uint64_t)mode_resume;
    frame->status |= MSTATUS_MPP;
    return;
  }
  record(&machine_traps[hart_id()], frame);
  step_over(frame);
}

void supervisor_trap(TrapFrame* frame) {
  if (frame->cause & INTERRUPT) {
    if (!supervisor_interrupt) unexpected(frame, "supervisor");
    record(&supervisor_traps[hart_id()], frame);
    supervisor_interrupt(frame->cause);
    return;
  }
  record(&supervisor_traps[hart_id()], frame);
  step_over(frame);
}

void supervisor_setup(void) {
  csr_write(stvec, supervisor_trap_entry);
  csr_write(sscratch, supervisor_stacks[hart_id()] + sizeof supervisor_stacks[0]);
}

__attribute__((weak)) void secondary_main(uint64_t hart) { (void)hart; }
