// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

// Where things are in the machine that runs random programs, and which registers a program keeps for what.

namespace lockstep::isa::riscv64::random {

// Physical memory. The window of virtual addresses that a program with paging sees has the same order of pages.
inline constexpr uint64_t kRamBase = 0x8000'0000;
inline constexpr uint64_t kRamBytes = 256 << 10;
inline constexpr uint64_t kMachineHandler = kRamBase;
inline constexpr uint64_t kSupervisorHandler = kRamBase + 0x800;
inline constexpr uint64_t kLog = kRamBase + 0x1000;
inline constexpr uint64_t kSoundEntries = kRamBase + 0x3000;  // the window's last-level table without faults
// Two roots; two further levels lie behind each, the window's last one at the end.
inline constexpr uint64_t kRoots[] = {kRamBase + 0x4000, kRamBase + 0x8000};
inline constexpr uint64_t kMiddle = 0x1000, kMiddleOfIdentity = 0x3000, kLast = 0x2000;
inline constexpr uint64_t kText = kRamBase + 0x1'0000;
inline constexpr uint64_t kTextPages = 4;
inline constexpr uint64_t kData = kRamBase + 0x2'0000;
inline constexpr uint64_t kDataBytes = 0x8000;
inline constexpr uint64_t kOtherText = kText + 0x2'0000;  // the program once more, some of its constants changed

// A store here ends the program. Behind it lies a page of registers that answer with numbers. Portable programs store
// to an address at which no machine has anything; their handler then stores to kStop and goes on in the monitor
// (image.h).
inline constexpr uint64_t kStop = kRamBase + kRamBytes;
inline constexpr uint64_t kPortableStop = 0x1800'0000;
inline constexpr uint64_t kMonitor = kStop + 0x1'0000;
inline constexpr uint64_t kDevice = kStop + 0x1000;
inline constexpr uint64_t kDeviceLines = kDevice + 0x100;  // stores from here on change interrupt lines
inline constexpr uint64_t kPageBytes = 0x1000;
inline constexpr uint64_t kSuperpageBytes = 0x20'0000;

constexpr uint64_t page_index(uint64_t paddr) { return (paddr - kRamBase) / kPageBytes; }

// Words of the handlers' page of notes, by their offset from kLog.
inline constexpr unsigned kLogTraps = 0, kLogDigest = 8, kLogLast = 16, kLogWindow = 24, kLogSaved = 40;
// Behind them the last traps of portable programs, 32 bytes each: address, cause, value.
inline constexpr unsigned kLogList = 0x400, kLogTrapsKept = 32;

// Registers. The rest of the integer registers hold values; the trap handlers use t3 to t6 and restore them.
inline constexpr unsigned kZero = 0, kLink = 1, kOtherLink = 5;
inline constexpr unsigned kPointers[] = {2, 8, 9};  // near data
inline constexpr unsigned kDevicePointer = 3;
inline constexpr unsigned kCounters[] = {18, 22, 23};   // by the depth of the loop
inline constexpr unsigned kInnerCounters[] = {24, 25};  // the same inside functions
inline constexpr unsigned kLimit = 4;
inline constexpr unsigned kTables = 19;    // the program's entries in the last-level table
inline constexpr unsigned kRootSwap = 20;  // what turns satp into the other root's
inline constexpr unsigned kStopPointer = 21;
inline constexpr unsigned kScratch[] = {16, 17, 26};
inline constexpr unsigned kRecover = 27;  // where a failed fetch goes on
inline constexpr unsigned kHandlerRegisters[] = {28, 29, 30, 31};

// CSRs by number.
inline constexpr unsigned kCsrFflags = 0x001, kCsrFrm = 0x002, kCsrFcsr = 0x003, kCsrSstatus = 0x100, kCsrSie = 0x104,
                          kCsrStvec = 0x105, kCsrScounteren = 0x106, kCsrSscratch = 0x140, kCsrSepc = 0x141,
                          kCsrScause = 0x142, kCsrStval = 0x143, kCsrSip = 0x144, kCsrSatp = 0x180, kCsrMstatus = 0x300,
                          kCsrMedeleg = 0x302, kCsrMideleg = 0x303, kCsrMie = 0x304, kCsrMtvec = 0x305,
                          kCsrMcounteren = 0x306, kCsrMenvcfg = 0x30a, kCsrMscratch = 0x340, kCsrMepc = 0x341,
                          kCsrMcause = 0x342, kCsrMtval = 0x343, kCsrMip = 0x344, kCsrPmpcfg0 = 0x3a0,
                          kCsrPmpaddr0 = 0x3b0;

}  // namespace lockstep::isa::riscv64::random
