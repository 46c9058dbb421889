// SPDX-License-Identifier: Apache-2.0
// A small driver of the SMMUv3 and of the DMA engine behind it, for one stream at a time: registers, structures,
// tables, commands, events. Everything is polled; the guest has interrupt handlers of its own.
#ifndef GUESTS_BARE_LIB_SMMU_DRIVER_H
#define GUESTS_BARE_LIB_SMMU_DRIVER_H

#include "guest.h"

// Registers by offset.
enum {
  kIdr0 = 0x00,
  kIdr1 = 0x04,
  kIdr3 = 0x0c,
  kIdr5 = 0x14,
  kAidr = 0x1c,
  kCr0 = 0x20,
  kCr0Ack = 0x24,
  kCr1 = 0x28,
  kCr2 = 0x2c,
  kGbpa = 0x44,
  kIrqCtrl = 0x50,
  kIrqCtrlAck = 0x54,
  kGerror = 0x60,
  kGerrorN = 0x64,
  kStrtabBase = 0x80,
  kStrtabBaseCfg = 0x88,
  kCmdqBase = 0x90,
  kCmdqProd = 0x98,
  kCmdqCons = 0x9c,
  kEventqBase = 0xa0,
  kEventqProd = 0x100a8,
  kEventqCons = 0x100ac,
};
enum { kSmmuEnable = 1, kEventqEnable = 4, kCmdqEnable = 8 };

// Numbers of events.
enum {
  kBadStreamId = 0x02,
  kBadSte = 0x04,
  kStreamDisabled = 0x06,
  kBadSubstreamId = 0x08,
  kTranslation = 0x10,
  kPermission = 0x13,
};

// The DMA engine's registers.
enum {
  kSource = 0x00,
  kDestination = 0x08,
  kLength = 0x10,
  kStream = 0x14,
  kSubstream = 0x18,
  kFlags = 0x1c,
  kControl = 0x20,
  kStatus = 0x24,
  kError = 0x28,
  kErrorAddress = 0x30,
  kDone = 0x38,
  kStalls = 0x3c,
  kIgnored = 0x40,
  kInterruptEnable = 0x44,
  kInterruptStatus = 0x48,
};
enum { kPrivileged = 1, kInstruction = 2 };
enum { kBusy = 1, kStalled = 2, kEnded = 4, kFailed = 8 };
enum { kAborted = 1, kWhileWriting = 0x100 };

enum { kPage = 4096, kCommands = 64, kEvents = 32, kStreams = 64, kTables = 48 };
enum { kSpins = 200000 };

typedef uint64_t Words[8];

#define PAGED __attribute__((aligned(4096)))
static Words stream_table[kStreams] PAGED;
static Words second_stream_table[kStreams] PAGED;
static uint64_t stream_level1[8] PAGED;
static Words contexts[8] PAGED;
static uint64_t command_queue[kCommands][2] PAGED;
static uint64_t event_queue[kEvents][4] PAGED;
static uint64_t tables[kTables][512] PAGED;
static unsigned used_tables;

static inline uint64_t smmu32(uint64_t offset) { return read32(SMMU + offset); }
static inline uint64_t engine32(uint64_t offset) { return read32(DMA_ENGINE + offset); }

// Writes CR0 and waits for its acknowledgement.
static bool control(uint32_t value) {
  write32(SMMU + kCr0, value);
  for (int spin = 0; spin < kSpins; spin++)
    if (smmu32(kCr0Ack) == value) return true;
  return false;
}

static void put_command(uint64_t low, uint64_t high) {
  const uint64_t produced = smmu32(kCmdqProd);
  command_queue[produced % kCommands][0] = low;
  command_queue[produced % kCommands][1] = high;
  fence();
  write32(SMMU + kCmdqProd, (uint32_t)((produced + 1) % (2 * kCommands)));
}
static bool commands_done(void) {
  for (int spin = 0; spin < kSpins; spin++)
    if ((smmu32(kCmdqCons) & 0xfffff) == smmu32(kCmdqProd)) return true;
  return false;
}
enum {
  kCfgiSte = 0x03,
  kCfgiAll = 0x04,
  kTlbiNhVa = 0x12,
  kTlbiAll = 0x30,
  kResume = 0x44,
  kSync = 0x46,
};
static bool sync(void) {
  put_command(kSync, 0);
  return commands_done();
}
// Everything that was cached is old.
static bool forget_all(void) {
  put_command(kCfgiAll, 31);
  put_command(kTlbiAll, 0);
  return sync();
}
static bool resume(uint32_t stream, uint64_t tag, bool retry, bool abort) {
  put_command(kResume | (uint64_t)retry << 12 | (uint64_t)abort << 13 | (uint64_t)stream << 32, tag);
  return sync();
}

// The oldest event, or false.
static bool take_event(uint64_t event[4]) {
  const uint64_t consumed = smmu32(kEventqCons), produced = smmu32(kEventqProd);
  if (((consumed ^ produced) & (2 * kEvents - 1)) == 0) return false;
  fence();
  for (int i = 0; i < 4; i++) event[i] = event_queue[consumed % kEvents][i];
  const uint32_t next = (uint32_t)((consumed + 1) % (2 * kEvents));
  write32(SMMU + kEventqCons, next | (uint32_t)(produced & 0x80000000));
  return true;
}

// Fields of structures, numbered in bits from their start as the specification does.
static void set_field(Words words, unsigned high, unsigned low, uint64_t value) {
  const uint64_t ones = high - low == 63 ? ~0ull : (1ull << (high - low + 1)) - 1;
  words[low / 64] = (words[low / 64] & ~(ones << low % 64)) | (value & ones) << low % 64;
}

enum { kAbortAll = 0, kBypass = 4, kStage1 = 5, kStage2 = 6, kNested = 7 };
static void make_ste(Words ste, unsigned config) {
  memset(ste, 0, sizeof(Words));
  set_field(ste, 0, 0, 1);
  set_field(ste, 3, 1, config);
  set_field(ste, 64 + 45, 64 + 44, 1);  // shareability as it came
}
static void add_stage1(Words ste, unsigned contexts_log2) {
  ste[0] |= (uint64_t)contexts;
  set_field(ste, 63, 59, contexts_log2);
}
static void add_stage2(Words ste, const uint64_t* root) {
  set_field(ste, 128 + 15, 128, 7);        // VMID
  set_field(ste, 128 + 37, 128 + 32, 16);  // 48 bits of input
  set_field(ste, 128 + 39, 128 + 38, 2);   // from level 0
  set_field(ste, 128 + 45, 128 + 44, 3);   // inner shareable walks
  set_field(ste, 128 + 50, 128 + 48, 5);   // 48 bits of output
  set_field(ste, 128 + 51, 128 + 51, 1);   // AArch64
  set_field(ste, 128 + 58, 128 + 58, 1);   // record faults
  ste[3] = (uint64_t)root;
}
static void make_cd(Words cd, const uint64_t* root, uint16_t asid, bool stall) {
  memset(cd, 0, sizeof(Words));
  set_field(cd, 5, 0, 16);   // 48 bits of input
  set_field(cd, 30, 30, 1);  // no TTB1
  set_field(cd, 31, 31, 1);
  set_field(cd, 34, 32, 5);  // 48 bits of output
  set_field(cd, 41, 41, 1);  // AArch64
  set_field(cd, 44, 44, stall);
  set_field(cd, 45, 45, 1);  // record
  set_field(cd, 46, 46, 1);  // abort
  set_field(cd, 63, 48, asid);
  cd[1] = (uint64_t)root;
  cd[3] = 0xff;  // attribute 0: write-back
}

// Leaves of 4 KiB. Stage 1: not global, inner shareable, accessed; stage 2: all may be done, write-back.
enum { kUnprivileged = 1 << 6, kReadOnly = 1 << 7 };
static const uint64_t kStage1Leaf = 3 | 1 << 10 | 3 << 8 | 1 << 11;
static const uint64_t kStage2Leaf = 3 | 1 << 10 | 3 << 8 | 3 << 6 | 0xf << 2;
static const uint64_t kExecuteNever = 3ull << 53;

static uint64_t* new_table(void) {
  if (used_tables == kTables) {
    print("out of tables\n");
    finish_with(2);
  }
  uint64_t* table = tables[used_tables++];
  memset(table, 0, kPage);
  return table;
}
static void map(uint64_t* root, uint64_t input, uint64_t leaf) {
  uint64_t* table = root;
  for (unsigned shift = 39; shift > 12; shift -= 9) {
    uint64_t* entry = &table[input >> shift & 511];
    if (!*entry) *entry = (uint64_t)new_table() | 3;
    table = (uint64_t*)(*entry & 0xfffffffff000);
  }
  table[input >> 12 & 511] = leaf;
  fence();
}
static void map_stage1(uint64_t* root, uint64_t input, const void* output, uint64_t flags) {
  map(root, input, (uint64_t)output | kStage1Leaf | flags);
}
static void map_stage2(uint64_t* root, uint64_t input, const void* output) {
  map(root, input, (uint64_t)output | kStage2Leaf);
}

// Starts a copy of the engine.
static void start_copy(uint64_t source, uint64_t destination, uint32_t bytes, uint32_t flags) {
  fence();
  write64(DMA_ENGINE + kSource, source);
  write64(DMA_ENGINE + kDestination, destination);
  write32(DMA_ENGINE + kLength, bytes);
  write32(DMA_ENGINE + kFlags, flags);
  write32(DMA_ENGINE + kControl, 1);
}
// Waits for its end, or for a stall; its status.
static uint64_t copy_status(void) {
  for (int spin = 0; spin < kSpins; spin++) {
    const uint64_t status = engine32(kStatus);
    if (status & (kEnded | kStalled)) return status;
  }
  return 0;
}
static uint64_t copy(uint64_t source, uint64_t destination, uint32_t bytes, uint32_t flags) {
  start_copy(source, destination, bytes, flags);
  return copy_status();
}

#endif
