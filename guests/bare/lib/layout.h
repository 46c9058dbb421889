// SPDX-License-Identifier: Apache-2.0
// Constants that the assembly and the C of the bare-metal guests share.
#ifndef GUESTS_BARE_LIB_LAYOUT_H
#define GUESTS_BARE_LIB_LAYOUT_H

#define MAX_HARTS 8
#define STACK_SHIFT 14
#define FRAME_SIZE 288
#define ECALL_RETURN 0x4c4b

#define MSTATUS_SIE 0x2
#define MSTATUS_MIE 0x8
#define MSTATUS_SPIE 0x20
#define MSTATUS_MPIE 0x80
#define MSTATUS_SPP 0x100
#define MSTATUS_MPP 0x1800
#define MSTATUS_FS 0x6000
#define MSTATUS_MPRV 0x20000
#define MSTATUS_SUM 0x40000
#define MSTATUS_MXR 0x80000
#define MSTATUS_TVM 0x100000
#define MSTATUS_TW 0x200000
#define MSTATUS_TSR 0x400000

#define FINISHER 0x100000
#define CLINT 0x2000000
#define PLIC 0xc000000
#define UART 0x10000000
#define RTC 0x101000
#define VIRTIO 0x10001000
#define SMMU 0x4000000
#define DMA_ENGINE 0x4020000

#endif
