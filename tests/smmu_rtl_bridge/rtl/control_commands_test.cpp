// SPDX-License-Identifier: Apache-2.0
#include "tests/smmu_rtl_bridge/rtl/control_bench.h"

namespace lockstep::smmu_rtl_bridge::rtl_test {
namespace {

constexpr uint32_t kTlb = 0, kSte = 1, kCd = 2, kCdAll = 3;
constexpr uint32_t kEl1 = 1, kEl2 = 2, kEl2E2h = 4;
constexpr uint64_t kSync = 0x46;
constexpr uint32_t kGerrorCommand = 1, kGerrorEventAbort = 4, kGerrorMsiCommand = 0x10, kGerrorMsiEvent = 0x20,
                   kGerrorMsiGerror = 0x80;

class Commands : public ControlTest {
 protected:
  void all(uint64_t low, uint64_t high) {
    put(low, high);
    ring();
    settle_down();
  }
  unsigned error() { return read32(kCmdqCons) >> 24 & 0x7f; }
  uint32_t consumed() { return read32(kCmdqCons) & 0xfffff; }
  uint32_t errors_active() { return read32(kGerror) ^ read32(kGerrorN); }
  size_t command_reads() const {
    size_t count = 0;
    for (const auto& access : memory.log) count += !access.write && access.id == 16;
    return count;
  }
  std::vector<BenchMemory::Access> writes() const {
    std::vector<BenchMemory::Access> result;
    for (const auto& access : memory.log)
      if (access.write) result.push_back(access);
    return result;
  }
};

// Another reading of the specification's tables of commands, from their fields and not from the design.
bool expected_of(uint64_t low, uint64_t high, bool e2h, Invalidation& inv, bool& sync) {
  const auto take = [](uint64_t word, unsigned top, unsigned bottom) {
    return word >> bottom & (top - bottom == 63 ? ~uint64_t{0} : (uint64_t{1} << (top - bottom + 1)) - 1);
  };
  const auto opcode = static_cast<unsigned>(low & 0xff);
  inv = {};
  sync = opcode == 0x46;
  if (sync) return take(low, 13, 12) != 3;
  const bool ssec = take(low, 10, 10);
  const auto sid = static_cast<uint32_t>(low >> 32);
  const auto asid = static_cast<uint32_t>(take(low, 63, 48)), vmid = static_cast<uint32_t>(take(low, 47, 32));
  const auto in_vmid = [&] {
    inv.by_vmid = true;
    inv.vmid = vmid;
  };
  const auto in_asid = [&] {
    inv.by_asid = true;
    inv.asid = asid;
  };
  const auto address = [&](unsigned top) {
    inv.by_address = true;
    inv.leaf = take(high, 0, 0);
    inv.first = take(high, top, 12) << 12;
    inv.last = inv.first | 0xfff;
    inv.tg = static_cast<uint32_t>(take(high, 11, 10));
    inv.ttl = static_cast<uint32_t>(take(high, 9, 8));
    if (inv.tg == 0) {
      inv.ttl = 0;
      return true;
    }
    if (inv.tg == 2 && inv.ttl == 1) inv.ttl = 0;
    const uint64_t num = take(low, 16, 12), scale = take(low, 24, 20);
    const unsigned granule = inv.tg == 1 ? 12 : inv.tg == 2 ? 14 : 16;
    const unsigned __int128 end =
        static_cast<unsigned __int128>(inv.first) + (static_cast<unsigned __int128>(num + 1) << (scale + granule));
    inv.last = end > ~uint64_t{0} ? ~uint64_t{0} : static_cast<uint64_t>(end - 1);
    return inv.ttl != 0 || num != 0 || scale != 0;
  };
  inv.virt = true;
  switch (opcode) {
    case 0x01:
    case 0x02:
      return !ssec;
    case 0x03:
      inv.kind = kSte;
      inv.sid_first = inv.sid_last = sid;
      return !ssec;
    case 0x04: {
      inv.kind = kSte;
      const uint64_t span = uint64_t{1} << (take(high, 4, 0) + 1);
      inv.sid_first = static_cast<uint32_t>(sid & ~(span - 1));
      inv.sid_last = static_cast<uint32_t>(sid | (span - 1));
      return !ssec;
    }
    case 0x05:
      inv.kind = kCd;
      inv.sid_first = inv.sid_last = sid;
      inv.ssid = static_cast<uint32_t>(take(low, 31, 12));
      return !ssec;
    case 0x06:
      inv.kind = kCdAll;
      inv.sid_first = inv.sid_last = sid;
      return !ssec;
    case 0x10:
      inv.worlds = kEl1;
      in_vmid();
      return true;
    case 0x11:
      inv.worlds = kEl1;
      in_vmid();
      in_asid();
      inv.spare_global = true;
      return true;
    case 0x12:
      inv.worlds = kEl1;
      in_vmid();
      in_asid();
      return address(63);
    case 0x13:
      inv.worlds = kEl1;
      in_vmid();
      return address(63);
    case 0x20:
      inv.worlds = kEl2 | kEl2E2h;
      return true;
    case 0x21:
      inv.worlds = kEl2E2h;
      in_asid();
      inv.spare_global = true;
      return true;
    case 0x22:
      inv.worlds = e2h ? kEl2E2h : kEl2;
      if (e2h) in_asid();
      return address(63);
    case 0x23:
      inv.worlds = e2h ? kEl2E2h : kEl2;
      return address(63);
    case 0x28:
      inv.worlds = kEl1;
      inv.intermediate = true;
      in_vmid();
      return true;
    case 0x2a:
      inv.worlds = kEl1;
      inv.virt = false;
      inv.intermediate = true;
      in_vmid();
      return address(51);
    case 0x30:
      inv.worlds = kEl1;
      inv.intermediate = true;
      return true;
    default:
      return false;
  }
}

// Fields that do not count for this kind are not compared.
Invalidation relevant(Invalidation inv) {
  Invalidation result;
  result.kind = inv.kind;
  if (inv.kind != kTlb) {
    result.sid_first = inv.sid_first;
    result.sid_last = inv.sid_last;
    result.ssid = inv.kind == kCd ? inv.ssid : 0;
    return result;
  }
  result = inv;
  result.sid_first = result.sid_last = result.ssid = result.vmid_ignored = 0;
  if (!inv.by_vmid) result.vmid = 0;
  if (!inv.by_asid) result.asid = 0;
  if (!inv.by_address) {
    result.first = result.last = 0;
    result.tg = result.ttl = 0;
    result.leaf = false;
  }
  return result;
}

TEST_F(Commands, EachOpcodeWithRandomFieldsIsCarriedOutOrIllegal) {
  set_up(4, 4);
  unsigned legal_ones = 0;
  for (unsigned turn = 0; turn < 8; ++turn) {
    for (unsigned opcode = 0; opcode < 256; ++opcode) {
      const bool e2h = turn & 1;
      if (opcode == 0) write32(kCr2, e2h);
      uint64_t low = (random() & ~uint64_t{0xff}) | opcode, high = random();
      if (chance(70)) low &= ~uint64_t{0x400};
      if (chance(30)) low &= ~uint64_t{0x1f1f000};
      if (chance(30)) high &= ~uint64_t{0x300};
      if (opcode == kSync) high = 0;
      invalidations.clear();
      syncs = 0;
      Invalidation expected;
      bool sync = false;
      const bool legal = expected_of(low, high, e2h, expected, sync);
      const uint32_t before = consumed();
      all(low, high);
      ASSERT_EQ(error(), legal ? 0u : 1u) << std::hex << low << " " << high;
      ASSERT_EQ(errors_active(), legal ? 0u : kGerrorCommand);
      ASSERT_EQ(syncs, legal && sync ? 1u : 0u);
      ASSERT_EQ(invalidations.size(), legal && !sync && opcode > 2 ? 1u : 0u) << std::hex << low << " " << high;
      if (!invalidations.empty()) {
        ASSERT_TRUE(relevant(invalidations[0]) == relevant(expected)) << std::hex << low << " " << high;
      }
      if (!legal) {
        ASSERT_EQ(consumed(), before);
        reset_command_queue();
      }
      legal_ones += legal;
    }
  }
  EXPECT_GT(legal_ones, 80u);
}

TEST_F(Commands, WildcardsOfVmidsComeFromTheAcknowledgedRegister) {
  set_up(4, 4);
  for (uint32_t vmw = 0; vmw < 8; ++vmw) {
    write32(kCr0, 0xc | vmw << 6);
    settle_down();
    invalidations.clear();
    all(0x28, 0);
    ASSERT_EQ(invalidations.size(), 1u);
    EXPECT_EQ(invalidations[0].vmid_ignored, vmw <= 4 ? (1u << vmw) - 1 : 0u);
  }
}

TEST_F(Commands, AreReadInBurstsInsideTheQueue) {
  for (const unsigned log2 : {0u, 1u, 2u, 3u, 6u}) {
    write32(kCr0, 0);
    settle_down();
    set_up(log2, 2);
    const unsigned size = 1u << log2;
    unsigned count = 0;
    memory.log.clear();
    invalidations.clear();
    for (unsigned turn = 0; turn < 40; ++turn) {
      const unsigned some = 1 + static_cast<unsigned>(random() % size);
      for (unsigned i = 0; i < some; ++i) put(uint64_t{count + i} << 32 | 0x03, 0);
      count += some;
      ring();
      ASSERT_TRUE(settle_down());
    }
    ASSERT_EQ(invalidations.size(), count);
    for (unsigned i = 0; i < count; ++i) ASSERT_EQ(invalidations[i].sid_first, i);
    for (const auto& access : memory.log) {
      ASSERT_GE(access.address, kCommands);
      ASSERT_LE(access.address + access.size_bytes, kCommands + 16 * size);
      ASSERT_EQ(access.address % access.size_bytes, 0u);
    }
    if (log2 == 6) {
      EXPECT_LE(command_reads() * 2, count);
    }
  }
}

TEST_F(Commands, AfterAnErrorWhatWasReadAheadIsReadAgain) {
  set_up(4, 4);
  put(0x03, 0);
  put(0xff, 0);
  put(uint64_t{1} << 32 | 0x03, 0);
  ring();
  settle_down();
  EXPECT_EQ(error(), 1u);
  EXPECT_EQ(consumed(), 1u);
  EXPECT_EQ(pulses_errors, 1u);
  invalidations.clear();
  memory.set_word(kCommands + 16, kSync);
  memory.set_word(kCommands + 32, uint64_t{2} << 32 | 0x03);
  write32(kGerrorN, kGerrorCommand);
  settle_down();
  EXPECT_EQ(error(), 0u);
  EXPECT_EQ(consumed(), 3u);
  ASSERT_EQ(invalidations.size(), 1u);
  EXPECT_EQ(invalidations[0].sid_first, 2u);
}

TEST_F(Commands, ThatCannotBeReadAreCerrorAbt) {
  set_up(4, 4);
  memory.broken_pages = {kCommands >> 12};
  all(kSync, 0);
  EXPECT_EQ(error(), 2u);
  EXPECT_EQ(consumed(), 0u);
  memory.broken_pages.clear();
  write32(kGerrorN, kGerrorCommand);
  settle_down();
  EXPECT_EQ(error(), 0u);
  EXPECT_EQ(consumed(), 1u);
}

TEST_F(Commands, OfOneBurstAreJudgedEachByItsOwnWords) {
  for (unsigned beat = 0; beat < 8; ++beat) {
    write32(kCr0, 0);
    settle_down();
    write32(kGerrorN, read32(kGerror));
    set_up(4, 4);
    invalidations.clear();
    memory.broken_pages = {kCommands >> 12};
    memory.failing_beat = beat;
    for (unsigned i = 0; i < 4; ++i) put(uint64_t{i} << 32 | 0x03, 0);
    ring();
    settle_down();
    EXPECT_EQ(error(), 2u);
    EXPECT_EQ(consumed(), beat / 2);
    EXPECT_EQ(invalidations.size(), beat / 2);
    memory.broken_pages.clear();
  }
}

TEST_F(Commands, SyncIsOverWithItsHandshakeAndNotBefore) {
  set_up(4, 4);
  hold_sync = true;
  put(0x30, 0);
  put(kSync | 1 << 12, 0);
  put(0x30, 0);
  ring();
  run(500);
  EXPECT_EQ(consumed(), 1u);
  EXPECT_EQ(invalidations.size(), 1u);
  EXPECT_EQ(pulses_syncs, 0u);
  EXPECT_FALSE(top->idle);
  hold_sync = false;
  settle_down();
  EXPECT_EQ(consumed(), 3u);
  EXPECT_EQ(pulses_syncs, 1u);
}

TEST_F(Commands, SyncSignalsByMessageByWireAndByEvent) {
  set_up(4, 4);
  // Inner and outer write-back, inner shareable.
  all(kSync | 1 << 12 | 3 << 22 | 15 << 24 | uint64_t{0xcafe} << 32, kMessages + 4);
  EXPECT_EQ(pulses_syncs, 1u);
  ASSERT_EQ(writes().size(), 1u);
  EXPECT_EQ(writes()[0].address, kMessages + 4);
  EXPECT_EQ(writes()[0].size_bytes, 4u);
  EXPECT_EQ(writes()[0].user, 0x3ffu);
  EXPECT_EQ(memory.word(kMessages + 0) >> 32, 0xcafeu);
  all(kSync | 1 << 12, 0);
  EXPECT_EQ(pulses_syncs, 2u);
  EXPECT_EQ(writes().size(), 1u);
  EXPECT_EQ(pulses_sev, 0u);
  all(kSync | 2 << 12, kMessages);
  EXPECT_EQ(pulses_sev, 1u);
  EXPECT_EQ(pulses_syncs, 2u);
  EXPECT_EQ(writes().size(), 1u);
  memory.broken_pages = {kMessages >> 12};
  all(kSync | 1 << 12, kMessages);
  EXPECT_EQ(errors_active(), kGerrorMsiCommand);
  EXPECT_EQ(consumed(), 4u);
  EXPECT_EQ(pulses_errors, 1u);
}

TEST_F(Commands, SendAnEventWhenAFullQueueHasRoomAgain) {
  set_up(2, 4);
  for (unsigned i = 0; i < 4; ++i) put(0x30, 0);
  ring();
  settle_down();
  EXPECT_EQ(pulses_sev, 1u);
}

TEST_F(Commands, SwitchingOffWaitsForWhatGoesOn) {
  set_up(4, 4);
  hold_sync = true;
  put(kSync, 0);
  put(0x30, 0);
  ring();
  run(300);
  write32(kCr0, 0x4);
  run(200);
  EXPECT_EQ(read32(kCr0Ack), 0xcu);
  // Locked until then.
  write32(kCmdqCons, 7);
  hold_sync = false;
  settle_down();
  EXPECT_EQ(read32(kCr0Ack), 0x4u);
  EXPECT_EQ(consumed(), 1u);
  EXPECT_TRUE(invalidations.empty());
  write32(kCmdqCons, 7);
  EXPECT_EQ(consumed(), 7u);
}

TEST_F(Commands, IndicesThatMakeNoSenseStopTheQueue) {
  set_up(2, 4);
  write32(kCmdqProd, 6);
  run(300);
  EXPECT_TRUE(top->idle);
  EXPECT_EQ(command_reads(), 0u);
  for (unsigned i = 0; i < 4; ++i) memory.set_word(kCommands + 16 * i, 0x30);
  write32(kCmdqProd, 4);
  settle_down();
  EXPECT_EQ(consumed(), 4u);
  EXPECT_EQ(invalidations.size(), 4u);
}

TEST_F(Commands, ControlIsAcknowledgedWhenTranslationIsQuiet) {
  set_up(4, 4);
  hold_quiescence = true;
  write32(kCr0, 0xd);
  run(100);
  EXPECT_EQ(read32(kCr0Ack), 0xcu);
  // A field on its way keeps the value that it was given first.
  write32(kCr0, 0xc);
  EXPECT_EQ(read32(kCr0), 0xdu);
  write32(kStrtabBase, 0x1000);
  EXPECT_EQ(read32(kStrtabBase), 0u);
  write32(kGbpa, 0x80100000);
  write32(kGbpa, 0x80000000);
  EXPECT_EQ(read32(kGbpa), 0x80100000u);
  EXPECT_FALSE(top->idle);
  hold_quiescence = false;
  settle_down();
  EXPECT_EQ(read32(kCr0Ack), 0xdu);
  EXPECT_EQ(read32(kGbpa), 0x00100000u);
  write32(kGbpa, 0x00001000);  // without Update
  EXPECT_EQ(read32(kGbpa), 0x00100000u);
}

TEST_F(Commands, InterruptsAreAcknowledgedOffWhenNoMessageIsOnItsWay) {
  set_up(4, 4);
  write32(kIrqCtrl, 0);
  settle_down();
  write64(kEventqCfg0, kMessages);
  write32(kEventqCfg0 + 8, 0x1234);
  write32(kIrqCtrl, 4);
  records.push_back({1, 2, 3, 4});
  unsigned seen_on_the_way = 0;
  for (unsigned i = 0; i < 400 && writes().size() < 2; ++i) {
    cycle();
    if (pulses_events != 0 && seen_on_the_way == 0) {
      write32(kIrqCtrl, 0);
      seen_on_the_way = memory.word(kMessages) == 0x1234 ? 2 : 1;
      while (read32(kIrqCtrlAck) != 0) ASSERT_LT(cycles, 100'000u);
      EXPECT_EQ(memory.word(kMessages), 0x1234u);
    }
  }
  EXPECT_NE(seen_on_the_way, 0u);
  EXPECT_EQ(read32(kIrqCtrlAck), 0u);
}

class Events : public Commands {};

TEST_F(Events, AreThereBeforeTheirIndex) {
  set_up(4, 3);
  for (unsigned i = 0; i < 200; ++i) records.push_back({i, i + 1000, ~uint64_t{i}, random()});
  const auto all_records = records;
  uint32_t taken = 0;
  unsigned interrupts = 0;
  while (taken < 200) {
    ASSERT_LT(cycles, 200'000u);
    const uint32_t produced = read32(kEventqProd);
    ASSERT_EQ(produced >> 31, 0u);
    for (; taken % 16 != produced; ++taken)
      for (unsigned word = 0; word < 4; ++word)
        ASSERT_EQ(memory.word(kEvents + taken % 8 * 32 + 8 * word), all_records[taken][word]);
    // No record is lost here, because the bench does not offer more than there is room for.
    write32(kEventqCons, taken % 16);
    interrupts += pulses_events;
    wait_max = 120;
  }
  EXPECT_GT(pulses_events, 0u);
  EXPECT_EQ(memory.protocol_errors, 0u);
}

// Software reads PROD, writes it to CONS and waits for an interrupt unless PROD has moved since: whenever a record
// comes, one of both must tell of it.
TEST_F(Events, NoRecordIsLeftWithoutAnInterrupt) {
  set_up(4, 3);
  wait_max = 40;
  uint32_t seen = 0;
  for (unsigned turn = 0; turn < 400; ++turn) {
    records.push_back({turn, 0, 0, 0});
    records.push_back({turn, 1, 0, 0});
    run(static_cast<unsigned>(random() % 50));
    const unsigned before = pulses_events;
    const uint32_t told = read32(kEventqProd);
    seen = told;
    write32(kEventqCons, seen);
    const uint32_t again = read32(kEventqProd);
    settle_down();
    if (again == told && read32(kEventqProd) != told) {
      ASSERT_NE(pulses_events, before) << "turn " << turn;
    }
    write32(kEventqCons, read32(kEventqProd));
  }
}

TEST_F(Events, OverflowIsToldOnceUntilItIsAcknowledged) {
  set_up(4, 1);
  for (unsigned i = 0; i < 5; ++i) records.push_back({i, 0, 0, 0});
  settle_down();
  EXPECT_EQ(read32(kEventqProd), 0x80000002u);
  EXPECT_EQ(pulses_events, 1u);
  write32(kEventqCons, 0x80000002);
  records.push_back({7, 0, 0, 0});
  settle_down();
  EXPECT_EQ(read32(kEventqProd), 0x80000003u);
  records.push_back({8, 0, 0, 0});
  records.push_back({9, 0, 0, 0});
  settle_down();
  EXPECT_EQ(read32(kEventqProd), 0x00000000u);
  EXPECT_EQ(memory.word(kEvents), 7u);
  EXPECT_EQ(memory.word(kEvents + 32), 8u);
}

TEST_F(Events, ABusErrorStopsTheQueueUntilItIsAcknowledged) {
  set_up(4, 2);
  memory.broken_pages = {kEvents >> 12};
  records.push_back({1, 0, 0, 0});
  records.push_back({2, 0, 0, 0});
  settle_down();
  EXPECT_EQ(read32(kEventqProd), 0u);
  EXPECT_EQ(errors_active(), kGerrorEventAbort);
  EXPECT_EQ(pulses_events, 0u);
  EXPECT_EQ(pulses_errors, 1u);
  memory.broken_pages.clear();
  records.push_back({3, 0, 0, 0});
  settle_down();
  EXPECT_EQ(read32(kEventqProd), 0u);
  write32(kGerrorN, kGerrorEventAbort);
  records.push_back({4, 0, 0, 0});
  settle_down();
  EXPECT_EQ(read32(kEventqProd), 1u);
  EXPECT_EQ(memory.word(kEvents), 4u);
}

TEST_F(Events, FailedMessagesAreErrorsOfTheirSource) {
  set_up(4, 2);
  write32(kIrqCtrl, 0);
  settle_down();
  write64(kEventqCfg0, kMessages + 8);
  write64(kGerrorCfg0, kMessages + 0x1000);
  write32(kIrqCtrl, 5);
  memory.broken_pages = {kMessages >> 12, (kMessages >> 12) + 1};
  records.push_back({1, 0, 0, 0});
  settle_down();
  EXPECT_EQ(errors_active(), kGerrorMsiEvent | kGerrorMsiGerror);
  EXPECT_EQ(pulses_errors, 1u);
  EXPECT_EQ(pulses_events, 1u);
}

TEST_F(Events, ASyncWaitsForTheRecordThatIsOnItsWay) {
  set_up(4, 4);
  wait_max = 1;
  for (unsigned turn = 0; turn < 60; ++turn) {
    const uint32_t before = read32(kEventqProd);
    write32(kEventqCons, before);
    put(kSync, 0);
    ring();
    run(static_cast<unsigned>(random() % 60));
    records.push_back({turn, 0, 0, 0});
    bool given = false;
    const uint32_t place = consumed();
    for (unsigned i = 0; i < 2000; ++i) {
      const unsigned before_syncs = syncs;
      cycle();
      if (records.empty() && syncs == before_syncs) given = given || syncs == turn;
      if (syncs == turn + 1) break;
    }
    while (consumed() == place && place != (turn + 1) % 32) ASSERT_LT(cycles, 300'000u);
    // What was given to the queue before the handshake is in memory when the command is consumed.
    if (given) {
      EXPECT_NE(read32(kEventqProd), before);
    }
    settle_down();
  }
}

}  // namespace
}  // namespace lockstep::smmu_rtl_bridge::rtl_test
