# SPDX-License-Identifier: Apache-2.0
# Entry of every hart in M-mode (a0 = hart, a1 = device tree), the machine and supervisor trap entries, and the call
# of a function in a lower privilege mode.

#include "layout.h"

  .section .text.start, "ax"
  .globl _start
_start:
  .option push
  .option norelax
  la gp, __global_pointer$
  .option pop
  li t0, MAX_HARTS
  bgeu a0, t0, park

  # Each hart has its own stack, and its own stack for traps because a test may arrive with any sp.
  addi t1, a0, 1
  slli t1, t1, STACK_SHIFT
  la sp, stacks
  add sp, sp, t1
  la t2, trap_stacks
  add t2, t2, t1
  csrw mscratch, t2
  mv tp, a0

  la t0, machine_trap_entry
  csrw mtvec, t0
  csrw mie, zero
  csrw mip, zero
  # Lower modes may reach all of memory until a test says otherwise. Harts without PMP trap here and go on.
  la t0, 1f
  csrw mtvec, t0
  li t0, -1
  csrw pmpaddr0, t0
  li t0, 0x1f
  csrw pmpcfg0, t0
  .balign 4
1:
  la t0, machine_trap_entry
  csrw mtvec, t0
  li t0, MSTATUS_FS
  csrs mstatus, t0
  csrw fcsr, zero

  bnez a0, secondary
  la t0, __bss_start
  la t1, __bss_end
2:
  bgeu t0, t1, 3f
  sd zero, 0(t0)
  addi t0, t0, 8
  j 2b
3:
  la t0, device_tree
  sd a1, 0(t0)
  fence rw, rw
  la t0, released
  li t1, 1
  sw t1, 0(t0)
  call main
  # A test ends through the finisher; one that returns anyway has failed.
  li a0, 125
  call finish_with
park:
  wfi
  j park

secondary:
  la t0, released
4:
  lw t1, 0(t0)
  beqz t1, 4b
  fence rw, rw
  call secondary_main
  j park

# struct TrapFrame on the stack: x1..x31 in slots 1..31, then pc, status, cause, tval.
.macro SAVE_FRAME scratch, epc, status, cause, tval
  csrrw sp, \scratch, sp
  addi sp, sp, -FRAME_SIZE
  sd x1, 8(sp)
  .irp n, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
  sd x\n, 8*\n(sp)
  .endr
  addi t0, sp, FRAME_SIZE
  csrrw t0, \scratch, t0
  sd t0, 16(sp)
  csrr t0, \epc
  sd t0, 8*32(sp)
  csrr t0, \status
  sd t0, 8*33(sp)
  csrr t0, \cause
  sd t0, 8*34(sp)
  csrr t0, \tval
  sd t0, 8*35(sp)
  .option push
  .option norelax
  la gp, __global_pointer$
  .option pop
  mv a0, sp
.endm

.macro RESTORE_FRAME epc, status
  ld t0, 8*32(sp)
  csrw \epc, t0
  ld t0, 8*33(sp)
  csrw \status, t0
  ld x1, 8(sp)
  .irp n, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
  ld x\n, 8*\n(sp)
  .endr
  ld sp, 16(sp)
.endm

  .text
  .balign 4
  .globl machine_trap_entry
machine_trap_entry:
  SAVE_FRAME mscratch, mepc, mstatus, mcause, mtval
  call machine_trap
  RESTORE_FRAME mepc, mstatus
  mret

  .balign 4
  .globl supervisor_trap_entry
supervisor_trap_entry:
  SAVE_FRAME sscratch, sepc, sstatus, scause, stval
  call supervisor_trap
  RESTORE_FRAME sepc, sstatus
  sret

# long run_in_mode(long mode, long (*function)(long), long argument)
# The function returns into mode_return, which comes back to M-mode by an ecall that machine_trap knows.
  .globl run_in_mode
run_in_mode:
  addi sp, sp, -16
  sd ra, 0(sp)
  li t0, MSTATUS_MPP
  csrc mstatus, t0
  slli a0, a0, 11
  csrs mstatus, a0
  csrw mepc, a1
  mv a0, a2
  la ra, mode_return
  mret
  .globl mode_return
mode_return:
  li a7, ECALL_RETURN
  ecall
  .globl mode_resume
mode_resume:
  ld ra, 0(sp)
  addi sp, sp, 16
  ret

  .data
  .balign 8
released:
  .word 0
  .section .bss
  .balign 4096
stacks:
  .space MAX_HARTS << STACK_SHIFT
trap_stacks:
  .space MAX_HARTS << STACK_SHIFT
