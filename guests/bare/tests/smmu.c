// SPDX-License-Identifier: Apache-2.0
// The SMMUv3 and the DMA engine behind it, programmed as a driver would: one line a check. What the ID registers say is
// absent is not tried; without an SMMU there is nothing to check.
#include "smmu_driver.h"

enum { kBytes = 3 * kPage, kStreamId = 5 };
static const uint64_t kInput = 0x123456000000, kInputTarget = 0x7000000000;

static uint8_t from[4 * kPage] PAGED, to[4 * kPage] PAGED, other[kPage] PAGED;
static bool has_stage1, has_stage2, has_stalls, has_messages, has_wires;

static bool verdict(const char* what, bool ok) {
  check_true(ok, what, __FILE__, __LINE__);
  print("%s %s\n", ok ? "PASS" : "FAIL", what);
  return ok;
}
static void same(const char* what, uint64_t got, uint64_t wanted) {
  print("%s %s\n", check_equal(got, wanted, what, __FILE__, __LINE__) ? "PASS" : "FAIL", what);
}

static void fresh_data(uint64_t seed) {
  for (unsigned i = 0; i < sizeof from; i += 8) *(uint64_t*)&from[i] = next_random(&seed);
  memset(to, 0xee, sizeof to);
  fence();
}
static bool copied(uint64_t offset, uint64_t bytes) { return memcmp(to + offset, from + offset, bytes) == 0; }
static bool untouched(void) {
  for (unsigned i = 0; i < sizeof to; i++)
    if (to[i] != 0xee) return false;
  return true;
}

static void set_ste(Words ste) {
  memcpy(stream_table[kStreamId], ste, sizeof(Words));
  fence();
  put_command(kCfgiSte | (uint64_t)kStreamId << 32, 1);
  forget_all();
}

// An event of a fault, as its record has to be.
static void same_event(const char* what, const uint64_t event[4], unsigned type, uint64_t second, uint64_t address,
                       uint64_t ipa) {
  const bool ok =
      event[0] == (type | (uint64_t)kStreamId << 32) && event[1] == second && event[2] == address && event[3] == ipa;
  if (!ok) print("  event %lx %lx %lx %lx\n", event[0], event[1], event[2], event[3]);
  verdict(what, ok);
}
static uint64_t access_bits(bool privileged, bool instruction, bool read) {
  return (uint64_t)privileged << 33 | (uint64_t)instruction << 34 | (uint64_t)read << 35 | 2ull << 40;
}

static void identification(void) {
  section("identification");
  const uint64_t idr0 = smmu32(kIdr0);
  has_stage2 = idr0 & 1;
  has_stage1 = idr0 >> 1 & 1;
  has_messages = idr0 >> 13 & 1;
  has_stalls = (idr0 >> 24 & 3) != 1;
  has_wires = device_tree_names("interrupt-names", "eventq");
  print("stage 1 %d, stage 2 %d, ATS %lu, PRI %lu, stalls %d, messages %d, wires %d, ranges %lu\n", has_stage1,
        has_stage2, idr0 >> 10 & 1, idr0 >> 16 & 1, has_stalls, has_messages, has_wires, smmu32(kIdr3) >> 10 & 1);
  same("architecture is SMMUv3.2", smmu32(kAidr), 2);
  same("nothing is enabled after reset", smmu32(kCr0Ack), 0);
  verdict("two words are read at once", read64(SMMU + kIdr0) == (smmu32(kIdr1) << 32 | idr0));
  write64(SMMU + kStrtabBase, (uint64_t)stream_table);
  write32(SMMU + kStrtabBase + 4, 0x12);
  same("a register of 64 bits is written in halves", read64(SMMU + kStrtabBase),
       0x1200000000 | ((uint64_t)stream_table & 0xffffffff));
  write32(SMMU + kIdr0, 0);
  same("ID registers are read-only", smmu32(kIdr0), idr0);
  same("a byte of a register is an access fault",
       CAUSE_OF("lbu t0, 0(%0)" ::"r"(SMMU + kIdr0)
                : "t0", "memory"),
       kLoadAccess);
  same("without a register there is zero", smmu32(0x700), 0);
}

static void disabled(void) {
  section("disabled");
  fresh_data(1);
  verdict("a copy passes", copy((uint64_t)from, (uint64_t)to, kBytes, 0) == kEnded && copied(0, kBytes));
  write32(SMMU + kGbpa, 1u << 31 | 1u << 20 | 1u << 12);
  fresh_data(2);
  same("with GBPA.ABORT it fails", copy((uint64_t)from, (uint64_t)to, kBytes, 0), kEnded | kFailed);
  same("as an abort while reading", engine32(kError), kAborted);
  verdict("nothing was written", untouched());
  write32(SMMU + kGbpa, 1u << 31 | 1u << 12);
}

static void start_smmu(void) {
  section("queues and stream table");
  write32(SMMU + kCr1, 0xd75);
  write32(SMMU + kCr2, 2 | (uint32_t)(smmu32(kCr2) & 4));  // C_BAD_STREAMID is recorded
  write64(SMMU + kStrtabBase, (uint64_t)stream_table);
  write32(SMMU + kStrtabBaseCfg, 6);
  write64(SMMU + kCmdqBase, (uint64_t)command_queue | 6);
  write64(SMMU + kEventqBase, (uint64_t)event_queue | 5);
  write32(SMMU + kCmdqProd, 0);
  write32(SMMU + kCmdqCons, 0);
  write32(SMMU + kEventqProd, 0);
  write32(SMMU + kEventqCons, 0);
  verdict("queues are enabled", control(kCmdqEnable | kEventqEnable));
  verdict("caches are emptied", forget_all());
  verdict("translation is enabled", control(kSmmuEnable | kCmdqEnable | kEventqEnable));
  write64(SMMU + kStrtabBase, 0);
  same("the stream table cannot be changed now", read64(SMMU + kStrtabBase), (uint64_t)stream_table);
  write32(DMA_ENGINE + kStream, kStreamId);
}

static void streams(void) {
  section("bypass, abort and bad streams");
  uint64_t event[4];
  Words ste;
  make_ste(ste, kBypass);
  set_ste(ste);
  fresh_data(3);
  verdict("a bypassing stream's copy passes",
          copy((uint64_t)from, (uint64_t)to, kBytes, 0) == kEnded && copied(0, kBytes));
  make_ste(ste, kAbortAll);
  set_ste(ste);
  same("an aborting stream's copy fails", copy((uint64_t)from, (uint64_t)to, kBytes, 0), kEnded | kFailed);
  verdict("without an event", !take_event(event));
  memset(ste, 0, sizeof ste);
  set_ste(ste);
  same("a stream without an entry fails", copy((uint64_t)from, (uint64_t)to, kBytes, 0), kEnded | kFailed);
  verdict("with an event", take_event(event));
  same_event("C_BAD_STE", event, kBadSte, 0, 0, 0);
  write32(DMA_ENGINE + kStream, kStreams);
  same("a stream beyond the table fails", copy((uint64_t)from, (uint64_t)to, kBytes, 0), kEnded | kFailed);
  verdict("with an event", take_event(event));
  verdict("C_BAD_STREAMID", event[0] == (kBadStreamId | (uint64_t)kStreams << 32));
  write32(DMA_ENGINE + kStream, kStreamId);
}

static uint64_t* stage1_root;

static void stage1(void) {
  section("stage 1");
  uint64_t event[4];
  Words ste;
  stage1_root = new_table();
  for (unsigned i = 0; i < 3; i++) {
    map_stage1(stage1_root, kInput + i * kPage, from + i * kPage, kUnprivileged | kReadOnly);
    map_stage1(stage1_root, kInputTarget + i * kPage, to + i * kPage, kUnprivileged | kExecuteNever);
  }
  make_cd(contexts[0], stage1_root, 9, false);
  make_ste(ste, kStage1);
  add_stage1(ste, 0);
  set_ste(ste);
  fresh_data(4);
  verdict("a copy is translated", copy(kInput, kInputTarget, kBytes, 0) == kEnded && copied(0, kBytes));
  fresh_data(5);
  verdict("and again", copy(kInput + 8, kInputTarget + 8, kBytes - 16, 0) == kEnded && copied(8, kBytes - 16));
  same("no event so far", take_event(event), 0);

  same("a page that is not mapped fails", copy(kInput + kBytes, kInputTarget, 64, 0), kEnded | kFailed);
  same("as an abort while reading", engine32(kError), kAborted);
  same("at its address", read64(DMA_ENGINE + kErrorAddress), kInput + kBytes);
  verdict("with an event", take_event(event));
  same_event("F_TRANSLATION of a read", event, kTranslation, access_bits(false, false, true), kInput + kBytes, 0);

  same("a write to a read-only page fails", copy(kInputTarget, kInput + 0x20, 64, 0), kEnded | kFailed);
  same("as an abort while writing", engine32(kError), kAborted | kWhileWriting);
  verdict("with an event", take_event(event));
  same_event("F_PERMISSION of a write", event, kPermission, access_bits(false, false, false), kInput + 0x20, 0);

  same("a fetch of instructions that are none fails", copy(kInputTarget, kInputTarget, 64, kInstruction),
       kEnded | kFailed);
  verdict("with an event", take_event(event));
  same_event("F_PERMISSION of a fetch", event, kPermission, access_bits(false, true, true), kInputTarget, 0);

  map_stage1(stage1_root, kInput + 16 * kPage, other, 0);
  same("an unprivileged access to a privileged page fails", copy(kInput + 16 * kPage, kInputTarget, 64, 0),
       kEnded | kFailed);
  verdict("with an event", take_event(event));
  same_event("F_PERMISSION without privilege", event, kPermission, access_bits(false, false, true), kInput + 16 * kPage,
             0);
  same("a privileged one passes", copy(kInput + 16 * kPage, kInputTarget, 64, kPrivileged), kEnded);
  verdict("without an event", !take_event(event));
}

static void remapping(void) {
  section("remapping");
  fresh_data(6);
  memset(other, 0x55, sizeof other);
  same("a copy before", copy(kInput, kInputTarget, 64, 0), kEnded);
  // Break, invalidate, make.
  map(stage1_root, kInput, 0);
  put_command(kTlbiNhVa | 9ull << 48, kInput | 1);
  verdict("CMD_TLBI_NH_VA and CMD_SYNC", sync());
  same("the page is gone", copy(kInput, kInputTarget, 64, 0), kEnded | kFailed);
  uint64_t event[4];
  verdict("with an event", take_event(event));
  map_stage1(stage1_root, kInput, other, kUnprivileged);
  same("a copy after", copy(kInput, kInputTarget, 64, 0), kEnded);
  verdict("has what the page maps to now", memcmp(to, other, 64) == 0);
  map_stage1(stage1_root, kInput, from, kUnprivileged | kReadOnly);
  forget_all();
}

static void substreams(void) {
  section("substreams");
  uint64_t event[4];
  Words ste;
  uint64_t* root = new_table();
  map_stage1(root, kInput, other, kUnprivileged);
  map_stage1(root, kInputTarget, to, kUnprivileged);
  make_cd(contexts[3], root, 10, false);
  make_ste(ste, kStage1);
  add_stage1(ste, 2);
  set_field(ste, 64 + 1, 64, 2);  // without a substream: descriptor 0
  set_ste(ste);
  fresh_data(7);
  memset(other, 0x33, sizeof other);
  write32(DMA_ENGINE + kSubstream, 1u << 31 | 3);
  verdict("substream 3 has tables of its own",
          copy(kInput, kInputTarget, 64, 0) == kEnded && memcmp(to, other, 64) == 0);
  write32(DMA_ENGINE + kSubstream, 0);
  verdict("no substream has those of descriptor 0", copy(kInput, kInputTarget, 64, 0) == kEnded && copied(0, 64));
  write32(DMA_ENGINE + kSubstream, 1u << 31 | 4);
  same("a substream beyond the table fails", copy(kInput, kInputTarget, 64, 0), kEnded | kFailed);
  verdict("with an event", take_event(event));
  verdict("C_BAD_SUBSTREAMID", event[0] == (kBadSubstreamId | 4ull << 12 | (uint64_t)kStreamId << 32));
  write32(DMA_ENGINE + kSubstream, 1u << 31);
  same("substream 0 is not to be named", copy(kInput, kInputTarget, 64, 0), kEnded | kFailed);
  verdict("with an event", take_event(event));
  same_event("F_STREAM_DISABLED", event, kStreamDisabled, 0, 0, 0);
  write32(DMA_ENGINE + kSubstream, 0);
}

static uint64_t* stage2_root;

static void stage2(void) {
  section("stage 2");
  uint64_t event[4];
  Words ste;
  stage2_root = new_table();
  for (unsigned i = 0; i < 3; i++) {
    map_stage2(stage2_root, kInput + i * kPage, from + i * kPage);
    map_stage2(stage2_root, kInputTarget + i * kPage, to + i * kPage);
  }
  make_ste(ste, kStage2);
  add_stage2(ste, stage2_root);
  set_ste(ste);
  fresh_data(8);
  verdict("a copy is translated", copy(kInput, kInputTarget, kBytes, 0) == kEnded && copied(0, kBytes));
  same("a page that is not mapped fails", copy(kInput + kBytes + 8, kInputTarget, 64, 0), kEnded | kFailed);
  verdict("with an event", take_event(event));
  same_event("F_TRANSLATION at stage 2", event, kTranslation, access_bits(false, false, true) | 1ull << 39,
             kInput + kBytes + 8, kInput + kBytes);
}

static void nested(void) {
  section("both stages");
  uint64_t event[4];
  Words ste;
  // Stage 1 gives intermediate addresses that stage 2 maps; its tables and descriptors lie where they lie.
  const uint64_t ipa = 0x40000000;
  uint64_t* root = new_table();
  for (unsigned i = 0; i < 3; i++) {
    map(root, kInput + i * kPage, (ipa + i * kPage) | kStage1Leaf | kUnprivileged);
    map(root, kInputTarget + i * kPage, (ipa + (16 + i) * kPage) | kStage1Leaf | kUnprivileged);
  }
  map(root, kInput + 3 * kPage, (ipa + 3 * kPage) | kStage1Leaf | kUnprivileged);
  uint64_t* root2 = new_table();
  for (unsigned i = 0; i < 3; i++) {
    map_stage2(root2, ipa + i * kPage, from + i * kPage);
    map_stage2(root2, ipa + (16 + i) * kPage, to + i * kPage);
  }
  map_stage2(root2, (uint64_t)contexts, contexts);
  for (unsigned i = 0; i < kTables; i++) map_stage2(root2, (uint64_t)tables[i], tables[i]);
  make_cd(contexts[0], root, 11, false);
  make_ste(ste, kNested);
  add_stage1(ste, 0);
  add_stage2(ste, root2);
  set_ste(ste);
  fresh_data(9);
  verdict("a copy is translated twice", copy(kInput, kInputTarget, kBytes, 0) == kEnded && copied(0, kBytes));
  same("an intermediate page that is not mapped fails", copy(kInput + 3 * kPage + 4, kInputTarget, 64, 0),
       kEnded | kFailed);
  verdict("with an event", take_event(event));
  same_event("F_TRANSLATION at stage 2 of both", event, kTranslation, access_bits(false, false, true) | 1ull << 39,
             kInput + 3 * kPage + 4, ipa + 3 * kPage);
}

static void two_level_table(void) {
  section("a stream table of two levels");
  // Streams 0 to 63 have one table of the second level, and nobody has the next 64.
  memcpy(second_stream_table, stream_table, sizeof stream_table);
  make_ste(second_stream_table[kStreamId], kBypass);
  memset(stream_level1, 0, sizeof stream_level1);
  stream_level1[0] = (uint64_t)second_stream_table | 7;
  fence();
  control(kCmdqEnable | kEventqEnable);
  write64(SMMU + kStrtabBase, (uint64_t)stream_level1);
  write32(SMMU + kStrtabBaseCfg, 1 << 16 | 6 << 6 | 9);
  forget_all();
  control(kSmmuEnable | kCmdqEnable | kEventqEnable);
  fresh_data(10);
  verdict("a stream of the first part passes",
          copy((uint64_t)from, (uint64_t)to, kBytes, 0) == kEnded && copied(0, kBytes));
  write32(DMA_ENGINE + kStream, 64 + kStreamId);
  same("one of a part that is not there fails", copy((uint64_t)from, (uint64_t)to, 64, 0), kEnded | kFailed);
  uint64_t event[4];
  verdict("with an event", take_event(event));
  verdict("C_BAD_STREAMID", event[0] == (kBadStreamId | (64ull + kStreamId) << 32));
  write32(DMA_ENGINE + kStream, kStreamId);
  control(kCmdqEnable | kEventqEnable);
  write64(SMMU + kStrtabBase, (uint64_t)stream_table);
  write32(SMMU + kStrtabBaseCfg, 6);
  forget_all();
  control(kSmmuEnable | kCmdqEnable | kEventqEnable);
}

static bool stalled_event(uint64_t event[4], uint64_t address, bool read, uint64_t* tag) {
  if (!take_event(event)) return false;
  *tag = event[1] & 0xffff;
  return event[0] == (kTranslation | (uint64_t)kStreamId << 32) && event[2] == address &&
         (event[1] & ~0xffffull) == (access_bits(false, false, read) | 1ull << 31);
}

static void stalls(void) {
  section("stalls");
  uint64_t event[4], tag = 0;
  Words ste;
  uint64_t* root = new_table();
  map_stage1(root, kInput, from, kUnprivileged);
  map_stage1(root, kInputTarget, to, kUnprivileged);
  make_cd(contexts[0], root, 12, true);
  make_ste(ste, kStage1);
  add_stage1(ste, 0);
  set_ste(ste);
  fresh_data(11);
  same("a copy into a page that is not mapped waits", copy(kInput, kInputTarget + kPage - 64, 128, 0),
       kBusy | kStalled);
  verdict("F_TRANSLATION with STALL", stalled_event(event, kInputTarget + kPage, false, &tag));
  same("what came before is copied", engine32(kDone), 64);
  map_stage1(root, kInputTarget + kPage, to + kPage, kUnprivileged);
  verdict("CMD_RESUME with retry", resume(kStreamId, tag, true, false));
  same("the copy goes on to its end", copy_status(), kEnded);
  verdict("with all data", memcmp(to + kPage - 64, from, 128) == 0);
  same("after one stall", engine32(kStalls), 1);

  same("a read of a page that is not mapped waits", copy(kInput + kPage, kInputTarget, 64, 0), kBusy | kStalled);
  verdict("F_TRANSLATION with STALL", stalled_event(event, kInput + kPage, true, &tag));
  verdict("CMD_RESUME of another stream changes nothing",
          resume(kStreamId + 1, tag, false, true) && engine32(kStatus) == (kBusy | kStalled));
  verdict("CMD_RESUME with retry, and no page yet", resume(kStreamId, tag, true, false));
  same("it waits again", copy_status(), kBusy | kStalled);
  verdict("with another event", stalled_event(event, kInput + kPage, true, &tag));
  verdict("CMD_RESUME with abort", resume(kStreamId, tag, false, true));
  same("the copy fails", copy_status(), kEnded | kFailed);
  same("as an abort while reading", engine32(kError), kAborted);
  same("one access stalled, for all that", engine32(kStalls), 1);

  memset(to, 0xee, sizeof to);
  same("a third copy waits", copy(kInput + kPage, kInputTarget, 64, 0), kBusy | kStalled);
  verdict("with an event", stalled_event(event, kInput + kPage, true, &tag));
  verdict("CMD_RESUME that ends it without an abort", resume(kStreamId, tag, false, false));
  same("the copy ends", copy_status(), kEnded);
  same("one access was ignored", engine32(kIgnored), 1);
  bool zero = true;
  for (unsigned i = 0; i < 64; i++) zero &= to[i] == 0;
  verdict("it read zero", zero);
}

static void command_errors(void) {
  section("command errors");
  const uint64_t place = smmu32(kCmdqProd);
  put_command(0xff, 0);
  put_command(kSync, 0);
  same("CMDQ_ERR is active", (smmu32(kGerror) ^ smmu32(kGerrorN)) & 1, 1);
  same("as CERROR_ILL", smmu32(kCmdqCons) >> 24 & 0x7f, 1);
  same("at the command", smmu32(kCmdqCons) & 0xfffff, place);
  same("what comes after waits", (smmu32(kCmdqCons) & 0xfffff) == smmu32(kCmdqProd), 0);
  command_queue[place % kCommands][0] = kTlbiAll;
  fence();
  write32(SMMU + kGerrorN, (uint32_t)smmu32(kGerror));
  verdict("the corrected command and the next are consumed", commands_done());
  same("no error is active", smmu32(kGerror) ^ smmu32(kGerrorN), 0);
}

// Interrupts through the PLIC: how often each source came.
enum { kFirstSource = 64, kEventqSource = 64, kSyncSource = 66, kGerrorSource = 67, kEngineSource = 68, kSources = 5 };
static volatile unsigned taken[kSources];
static uint64_t claim(void) { return PLIC + 0x200004; }

static void take_external(uint64_t cause) {
  if (cause != (INTERRUPT | 11)) finish_with(3);
  for (uint32_t source; (source = read32(claim()));) {
    if (source >= kFirstSource && source < kFirstSource + kSources) taken[source - kFirstSource]++;
    if (source == kEngineSource) write32(DMA_ENGINE + kInterruptStatus, 1);
    write32(claim(), source);
  }
}
static bool came(unsigned source, unsigned times) {
  for (int spin = 0; spin < kSpins / 100 && taken[source - kFirstSource] < times; spin++) __asm__ volatile("nop");
  return taken[source - kFirstSource] == times;
}

static void interrupts(void) {
  section("interrupts");
  static volatile uint32_t message;
  uint64_t event[4];
  Words ste;
  machine_interrupt = take_external;
  for (uint64_t source = kFirstSource; source < kFirstSource + kSources; source++) write32(PLIC + 4 * source, 1);
  write32(PLIC + 0x2008, 0x1f);
  write32(PLIC + 0x200000, 0);
  csr_write(mie, 1 << 11);
  csr_set(mstatus, MSTATUS_MIE);
  make_ste(ste, kBypass);
  set_ste(ste);

  write32(DMA_ENGINE + kInterruptEnable, 1);
  start_copy((uint64_t)from, (uint64_t)to, 64, 0);
  verdict("the end of a copy interrupts", came(kEngineSource, 1));
  write32(DMA_ENGINE + kInterruptEnable, 0);

  write32(SMMU + kIrqCtrl, 5);
  same("IRQ_CTRL is acknowledged", smmu32(kIrqCtrlAck), 5);
  memset(ste, 0, sizeof ste);
  set_ste(ste);
  copy((uint64_t)from, (uint64_t)to, 64, 0);
  if (has_wires) {
    verdict("an event interrupts", came(kEventqSource, 1));
    copy((uint64_t)from, (uint64_t)to, 64, 0);
    same("a second one in the queue does not", came(kEventqSource, 1), 1);
  }
  while (take_event(event)) verdict("the event is there", (event[0] & 0xff) == kBadSte);

  message = 0;
  put_command(kSync | 1 << 12 | 3 << 22 | 0xfull << 24 | 0x5ca1ab1eull << 32, has_messages ? (uint64_t)&message : 0);
  verdict("CMD_SYNC that signals is consumed", commands_done());
  if (has_messages) same("its message is written", message, 0x5ca1ab1e);
  if (has_wires) verdict("it interrupts", came(kSyncSource, 1));

  put_command(0xff, 0);
  if (has_wires) verdict("a global error interrupts", came(kGerrorSource, 1));
  command_queue[smmu32(kCmdqCons) % kCommands][0] = kTlbiAll;
  fence();
  write32(SMMU + kGerrorN, (uint32_t)smmu32(kGerror));
  verdict("commands go on", sync());
  if (!has_wires) verdict("nobody interrupted", !taken[0] && !taken[2] && !taken[3]);
  write32(SMMU + kIrqCtrl, 0);
  csr_clear(mstatus, MSTATUS_MIE);
}

// Without stages of translation, what asks for them is ILLEGAL.
static void no_translation(void) {
  section("no translation");
  for (unsigned config = kStage1; config <= kNested; config++) {
    uint64_t event[4] = {0};
    Words ste;
    make_ste(ste, config);
    set_ste(ste);
    same("a stream that wants it fails", copy((uint64_t)from, (uint64_t)to, 64, 0), kEnded | kFailed);
    verdict("with an event", take_event(event));
    same_event("C_BAD_STE", event, kBadSte, 0, 0, 0);
  }
}

int main(void) {
  if (!device_tree_names("compatible", "arm,smmu-v3")) {
    print("no SMMU in this machine: nothing to check\n");
    finish("smmu");
  }
  identification();
  disabled();
  start_smmu();
  streams();
  if (has_stage1) {
    stage1();
    remapping();
    substreams();
  }
  if (has_stage2) stage2();
  if (has_stage1 && has_stage2) nested();
  two_level_table();
  if (has_stage1 && has_stalls) stalls();
  if (!has_stage1 && !has_stage2) no_translation();
  command_errors();
  interrupts();
  verdict("translation is disabled again", control(0));
  finish("smmu");
}
