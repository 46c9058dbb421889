// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <deque>
#include <vector>

#include "Vsmmu_control.h"
#include "smmu_rtl_bridge/oracle/config_from_registers.h"
#include "tests/smmu_rtl_bridge/rtl/bench.h"
#include "tests/smmu_rtl_bridge/rtl/bench_memory.h"
#include "tlm_models/smmuv3/registers.h"

namespace lockstep::smmu_rtl_bridge::rtl_test {

// inv_t of smmu_pkg.sv.
struct Invalidation {
  uint32_t kind = 0, sid_first = 0, sid_last = 0, ssid = 0, worlds = 0;
  bool virt = false, intermediate = false, by_vmid = false;
  uint32_t vmid = 0, vmid_ignored = 0;
  bool by_asid = false;
  uint32_t asid = 0;
  bool spare_global = false, by_address = false;
  uint64_t first = 0, last = 0;
  uint32_t tg = 0, ttl = 0;
  bool leaf = false;
  bool operator==(const Invalidation&) const = default;
};

// The control half with a translation half of the bench's: it takes invalidations, quiesces and synchronises after
// random times, and offers event records.
class ControlTest : public ModuleTest<Vsmmu_control> {
 protected:
  using Record = std::array<uint64_t, 4>;

  ControlTest() : memory(random, 20, 30) { reset_module(); }

  // ---- What the bench does in each clock cycle.
  void cycle() {
    top->inv_ready = chance(ready_percent);
    top->sync_ready = top->sync_valid && sync_wait_ == 0;
    top->quiesce_done = quiesced_;
    top->evt_valid = !records.empty() && record_wait_ == 0;
    if (!records.empty())
      for (unsigned i = 0; i < 8; ++i)
        top->evt_rec[i] = static_cast<uint32_t>(records.front()[i / 2] >> (32 * (i % 2)));
    memory.drive(*top);
    settle();
    pulses_events += top->irq_eventq;
    pulses_syncs += top->irq_cmd_sync;
    pulses_errors += top->irq_gerror;
    pulses_sev += top->evt_sev;
    if (top->inv_valid && top->inv_ready) invalidations.push_back(taken());
    if (top->sync_valid && top->sync_ready) ++syncs;
    if (top->sync_valid && sync_wait_ > 0 && !hold_sync) --sync_wait_;
    if (!top->sync_valid || top->sync_ready) sync_wait_ = 1 + random() % wait_max;
    if (top->evt_valid && top->evt_ready) {
      records.pop_front();
      record_wait_ = random() % wait_max;
    } else if (record_wait_ > 0) {
      --record_wait_;
    }
    if (top->quiesce_req && !quiesced_) {
      if (!hold_quiescence && quiesce_wait_-- == 0) quiesced_ = true;
    } else if (!top->quiesce_req) {
      if (quiesced_ && chance(50)) quiesced_ = false;
      quiesce_wait_ = random() % wait_max;
    }
    memory.sample(*top);
    idle_ = top->idle;
    edge();
    ++cycles;
  }
  void run(unsigned count) {
    for (unsigned i = 0; i < count; ++i) cycle();
  }
  // Until nothing goes on, in the device as around it.
  bool settle_down(unsigned limit = 20'000) {
    for (unsigned i = 0; i < limit; ++i) {
      cycle();
      if (idle_ && records.empty() && memory.idle() && !top->inv_valid && !top->sync_valid) return true;
    }
    ADD_FAILURE() << "never idle";
    return false;
  }

  uint32_t access(uint32_t offset, bool write, uint32_t value, uint32_t strobes = 0xf) {
    top->psel = 1;
    top->penable = 0;
    top->pwrite = write;
    top->paddr = offset;
    top->pwdata = value;
    top->pstrb = write ? strobes : 0;
    cycle();
    top->penable = 1;
    uint32_t result = 0;
    for (unsigned wait = 0;; ++wait) {
      if (wait > 100) {
        ADD_FAILURE() << "APB without an end";
        break;
      }
      settle();
      const bool ready = top->pready;
      result = top->prdata;
      apb_error = top->pslverr;
      cycle();
      if (ready) break;
    }
    top->psel = 0;
    top->penable = 0;
    return result;
  }
  void write32(uint32_t offset, uint32_t value) { access(offset, true, value); }
  void write64(uint32_t offset, uint64_t value) {
    write32(offset, static_cast<uint32_t>(value));
    write32(offset + 4, static_cast<uint32_t>(value >> 32));
  }
  uint32_t read32(uint32_t offset) { return access(offset, false, 0); }
  uint64_t read64(uint32_t offset) { return read32(offset) | uint64_t{read32(offset + 4)} << 32; }

  // ---- Registers by their offsets.
  static constexpr uint32_t kCr0 = 0x20, kCr0Ack = 0x24, kCr1 = 0x28, kCr2 = 0x2c, kGbpa = 0x44, kIrqCtrl = 0x50,
                            kIrqCtrlAck = 0x54, kGerror = 0x60, kGerrorN = 0x64, kGerrorCfg0 = 0x68, kStrtabBase = 0x80,
                            kCmdqBase = 0x90, kCmdqProd = 0x98, kCmdqCons = 0x9c, kEventqBase = 0xa0,
                            kEventqCfg0 = 0xb0, kEventqProd = 0x100a8, kEventqCons = 0x100ac;
  static constexpr uint64_t kCommands = 0x100000, kEvents = 0x200000, kMessages = 0x300000;

  void set_up(unsigned command_log2, unsigned event_log2) {
    write32(kCr1, 0x575);  // write-back, inner shareable
    write64(kCmdqBase, kCommands | command_log2);
    write64(kEventqBase, kEvents | event_log2);
    write32(kCmdqProd, 0);
    write32(kCmdqCons, 0);
    write32(kEventqProd, 0);
    write32(kEventqCons, 0);
    write32(kIrqCtrl, 5);
    write32(kCr0, 0xc);
    settle_down();
    command_mask_ = (2u << command_log2) - 1;
    command_slots_ = 1u << command_log2;
    produced_ = 0;
  }
  // Writes a command; ring() tells the device.
  void put(uint64_t low, uint64_t high) {
    const uint64_t at = kCommands + (produced_ % command_slots_) * 16;
    memory.set_word(at, low);
    memory.set_word(at + 8, high);
    produced_ = (produced_ + 1) & command_mask_;
  }
  void ring() { write32(kCmdqProd, produced_); }
  void reset_command_queue() {
    write32(kCr0, 0x8 ^ read32(kCr0));
    settle_down();
    write32(kCmdqProd, 0);
    write32(kCmdqCons, 0);
    write32(kGerrorN, read32(kGerror));
    write32(kCr0, 0x8 | read32(kCr0));
    settle_down();
    produced_ = 0;
  }

  tlm_models::smmuv3::Config model_config() {
    const auto config = config_from_id_registers(
        {read32(0), read32(4), read32(8), read32(12), read32(16), read32(20), read32(24), read32(28)});
    EXPECT_TRUE(config) << config.error().message;
    return *config;
  }

  BenchMemory memory;
  std::vector<Invalidation> invalidations;
  std::deque<Record> records;
  unsigned ready_percent = 50;
  unsigned wait_max = 8;
  bool hold_sync = false;
  bool hold_quiescence = false;
  unsigned syncs = 0;
  unsigned pulses_events = 0, pulses_syncs = 0, pulses_errors = 0, pulses_sev = 0;
  uint64_t cycles = 0;
  bool apb_error = false;

 private:
  uint64_t field(unsigned bits) {
    uint64_t value = 0;
    for (unsigned i = 0; i < bits; ++i, ++place_) value |= uint64_t{top->inv[place_ / 32] >> (place_ % 32) & 1} << i;
    return value;
  }
  // From the last field to the first.
  Invalidation taken() {
    place_ = 0;
    Invalidation inv;
    inv.leaf = field(1);
    inv.ttl = field(2);
    inv.tg = field(2);
    inv.last = field(64);
    inv.first = field(64);
    inv.by_address = field(1);
    inv.spare_global = field(1);
    inv.asid = field(16);
    inv.by_asid = field(1);
    inv.vmid_ignored = field(16);
    inv.vmid = field(16);
    inv.by_vmid = field(1);
    inv.intermediate = field(1);
    inv.virt = field(1);
    inv.worlds = field(3);
    inv.ssid = field(20);
    inv.sid_last = field(32);
    inv.sid_first = field(32);
    inv.kind = field(2);
    return inv;
  }

  unsigned place_ = 0;
  unsigned sync_wait_ = 1;
  unsigned quiesce_wait_ = 0;
  unsigned record_wait_ = 0;
  bool quiesced_ = false;
  bool idle_ = false;
  uint32_t produced_ = 0, command_mask_ = 1, command_slots_ = 1;
};

}  // namespace lockstep::smmu_rtl_bridge::rtl_test
