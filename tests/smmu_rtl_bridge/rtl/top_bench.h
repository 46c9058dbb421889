// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "Vsmmu_top.h"
#include "tests/smmu_rtl_bridge/rtl/bench.h"
#include "tests/smmu_rtl_bridge/rtl/bench_memory.h"

namespace lockstep::smmu_rtl_bridge::rtl_test {

// A client's transaction and what became of it.
struct Offer {
  uint64_t address = 0;
  uint32_t id = 0;
  uint32_t sid = 0;
  bool write = false;
  unsigned beats = 1;
  bool privileged = false;
  bool instruction = false;
  bool ssv = false;
  uint32_t ssid = 0;
  uint32_t mair = 0xff;
  uint32_t sh = 3;
  bool translated = false;
  bool atomic = false;

  bool accepted = false;
  bool forwarded = false;
  bool answered = false;
  uint64_t out_address = 0;
  uint32_t out_user = 0;
  uint32_t out_prot = 0;
  uint32_t response = 0;
  uint64_t data = 0;  // of the first beat
  uint64_t accepted_at = 0, forwarded_at = 0, answered_at = 0;
};

// Stage 2 of entries: 4 KiB, 48 bits in and out, first table of level 0.
struct Second {
  uint64_t table = 0;
  uint64_t vmid = 1;
  uint64_t t0sz = 16, sl0 = 2, tg = 0;
};

// smmu_top at its pins, with clients, memory behind it, and software that fills tables. Downstream, a read gives each
// beat its own address; IDs return in any order, and each ID in its order.
class TopTest : public ModuleTest<Vsmmu_top> {
 protected:
  explicit TopTest(unsigned latency = 20, unsigned held_up = 20)
      : memory(random, latency, held_up), downstream_latency(latency), held_up_percent(held_up) {
    top->psel = 0;
    top->penable = 0;
    reset_module();
  }

  // ---- One clock.
  void cycle() {
    memory.drive(*top);
    drive_clients();
    drive_downstream();
    settle();
    sample_downstream();
    sample_clients();
    memory.sample(*top);
    pulses[0] += top->irq_eventq;
    pulses[1] += top->irq_cmd_sync;
    pulses[2] += top->irq_gerror;
    pulses[3] += top->evt_sev;
    idle_ = top->idle;
    edge();
    ++now;
  }
  bool run_until(const std::function<bool()>& over, unsigned limit = 50'000) {
    for (unsigned i = 0; i < limit; ++i) {
      if (over()) return true;
      cycle();
    }
    ADD_FAILURE() << "nothing more happens";
    return false;
  }
  bool settle_down() {
    return run_until([&] { return idle_ && offers_open == 0 && memory.idle() && reads_.empty() && writes_.empty(); });
  }

  // ---- Registers.
  uint32_t access(uint32_t offset, bool write, uint32_t value) {
    top->psel = 1;
    top->penable = 0;
    top->pwrite = write;
    top->paddr = offset;
    top->pwdata = value;
    top->pstrb = write ? 15 : 0;
    cycle();
    top->penable = 1;
    uint32_t result = 0;
    for (unsigned wait = 0; wait < 1000; ++wait) {
      settle();
      const bool ready = top->pready;
      result = top->prdata;
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

  // ---- Clients: offers live in a deque, so that references to them stay.
  Offer& offer(const Offer& wanted) {
    offers.push_back(wanted);
    Offer* made = &offers.back();
    (wanted.write ? pending_writes_ : pending_reads_).push_back(made);
    ++offers_open;
    return *made;
  }
  Offer done(const Offer& wanted) {
    Offer& made = offer(wanted);
    run_until([&] { return made.answered; });
    return made;
  }
  // Where a read of the address comes out; all ones where it does not.
  uint64_t out(uint32_t sid, uint64_t address, bool write = false) {
    const Offer made = done({.address = address, .sid = sid, .write = write});
    return made.forwarded ? made.out_address : ~uint64_t{0};
  }

  // ---- Software.
  static constexpr uint64_t kStreams = 0x100000, kCommands = 0x200000, kEvents = 0x210000;
  static constexpr uint64_t kContexts = 0x300000;
  static constexpr unsigned kStreamsLog2 = 8;

  void enable() {
    write64(0x80, kStreams);
    write32(0x88, kStreamsLog2);
    write32(0x28, 0xd75);
    write64(0x90, kCommands | 8);
    write64(0xa0, kEvents | 8);
    write32(0x2c, 2);  // record streams that do not exist
    write32(0x50, 5);
    write32(0x20, 0xd);
    run_until([&] { return (read32(0x24) & 0xd) == 0xd; });
  }
  void structure(uint64_t address, std::array<uint64_t, 8> words) {
    for (unsigned i = 0; i < 8; ++i) memory.set_word(address + 8 * i, words[i]);
  }
  void ste(uint32_t sid, unsigned config, uint64_t descriptors, const Second& second = {}, uint64_t cd_max = 0,
           uint64_t format = 0, uint64_t dss = 0) {
    structure(kStreams + 64 * sid,
              {1 | uint64_t{config} << 1 | format << 4 | descriptors | cd_max << 59, dss | uint64_t{1} << 44,
               second.vmid | second.t0sz << 32 | second.sl0 << 38 | second.tg << 46 | uint64_t{5} << 48 |
                   uint64_t{1} << 51 | uint64_t{1} << 58,
               second.table, 0, 0, 0, 0});
  }
  // A context descriptor for TTB0, 4 KiB, 48 bits; faults abort and are recorded.
  void cd(uint64_t address, uint64_t table, uint64_t asid = 1, uint64_t tsz = 16, uint64_t tg = 0) {
    structure(address, {tsz | tg << 6 | 1 << 30 | uint64_t{1} << 31 | uint64_t{5} << 32 | uint64_t{1} << 41 |
                            uint64_t{1} << 45 | uint64_t{1} << 46 | asid << 48,
                        table, 0, 0xff440400, 0, 0, 0, 0});
  }
  // Maps a page; tables are made where there are none. Levels count from the first.
  void map(uint64_t root, uint64_t input, uint64_t output, unsigned granule, unsigned first, unsigned last,
           uint64_t leaf_bits) {
    const unsigned stride = granule - 3;
    uint64_t table = root;
    for (unsigned level = first;; ++level) {
      const unsigned shift = granule + (3 - level) * stride;
      const uint64_t mask = level == first ? ~uint64_t{0} >> (16 + shift) : (uint64_t{1} << stride) - 1;
      const uint64_t place = table + ((input >> shift & mask) << 3);
      if (level == last) {
        memory.set_word(place, output | leaf_bits | (last == 3 ? 3 : 1));
        return;
      }
      if (!(memory.word(place) & 1)) {
        memory.set_word(place, next_table_ | 3);
        next_table_ += uint64_t{1} << granule;
      }
      table = memory.word(place) & 0xfffffffff000;
    }
  }
  static constexpr uint64_t kLeaf1 = 0x740;   // AF, inner shareable, unprivileged read and write, global
  static constexpr uint64_t kLeaf1n = 0xf40;  // the same with nG
  static constexpr uint64_t kLeaf2 = 0x7fc;   // AF, inner shareable, read and write, write-back
  void map1(uint64_t root, uint64_t input, uint64_t output) { map(root, input, output, 12, 0, 3, kLeaf1n); }
  void map2(uint64_t root, uint64_t input, uint64_t output) { map(root, input, output, 12, 0, 3, kLeaf2); }

  void command(uint64_t first, uint64_t second = 0) {
    memory.set_word(kCommands + 16 * (commands_ % 256), first);
    memory.set_word(kCommands + 16 * (commands_ % 256) + 8, second);
    ++commands_;
  }
  void sync() {
    command(0x46);
    write32(0x98, commands_ % 512);
    run_until([&] { return (read32(0x9c) & 0x1ff) == commands_ % 512; });
  }
  using Record = std::array<uint64_t, 4>;
  std::vector<Record> events() {
    settle_down();
    std::vector<Record> result;
    const uint32_t produced = read32(0x100a8) & 0x1ff;
    for (; consumed_ != produced; consumed_ = (consumed_ + 1) % 512) {
      Record record{};
      for (unsigned i = 0; i < 4; ++i) record[i] = memory.word(kEvents + 32 * (consumed_ % 256) + 8 * i);
      result.push_back(record);
    }
    write32(0x100ac, produced);
    return result;
  }
  // Reads of one beat since the log was cleared: descriptors.
  size_t descriptor_reads() const {
    size_t count = 0;
    for (const BenchMemory::Access& access : memory.log) count += !access.write && access.size_bytes == 8;
    return count;
  }

  BenchMemory memory;
  std::deque<Offer> offers;
  size_t offers_open = 0;
  uint64_t now = 0;
  std::array<unsigned, 4> pulses{};
  std::vector<const Offer*> forwarded_order;
  unsigned downstream_latency;
  unsigned held_up_percent;
  bool fail_downstream = false;

 private:
  struct Down {
    Offer* offer;
    unsigned beats;
    unsigned done;
    uint64_t at;
    uint64_t address;
  };
  bool held_up() { return random() % 100 < held_up_percent; }

  static void put_user(VlWide<3>& user, const Offer& offer) {
    user[0] = offer.sid;
    user[1] =
        offer.ssid | uint32_t{offer.ssv} << 20 | offer.mair << 21 | offer.sh << 29 | uint32_t{offer.translated} << 31;
    user[2] = offer.atomic;
  }
  static uint32_t prot(const Offer& offer) { return uint32_t{offer.privileged} | 2 | uint32_t{offer.instruction} << 2; }

  void drive_clients() {
    if (!ar_ && !pending_reads_.empty() && !held_up()) {
      ar_ = pending_reads_.front();
      pending_reads_.pop_front();
    }
    top->s_arvalid = ar_ != nullptr;
    if (ar_) {
      top->s_arid = static_cast<uint8_t>(ar_->id);
      top->s_araddr = ar_->address;
      top->s_arlen = static_cast<uint8_t>(ar_->beats - 1);
      top->s_arsize = 3;
      top->s_arburst = 1;
      top->s_arprot = static_cast<uint8_t>(prot(*ar_));
      put_user(top->s_aruser, *ar_);
    }
    if (!aw_ && !pending_writes_.empty() && !held_up()) {
      aw_ = pending_writes_.front();
      pending_writes_.pop_front();
      for (unsigned i = 0; i < aw_->beats; ++i) data_.push_back({aw_->address + 8 * i, i + 1 == aw_->beats});
    }
    top->s_awvalid = aw_ != nullptr;
    if (aw_) {
      top->s_awid = static_cast<uint8_t>(aw_->id);
      top->s_awaddr = aw_->address;
      top->s_awlen = static_cast<uint8_t>(aw_->beats - 1);
      top->s_awsize = 3;
      top->s_awburst = 1;
      top->s_awprot = static_cast<uint8_t>(prot(*aw_));
      put_user(top->s_awuser, *aw_);
    }
    if (!w_ && !data_.empty() && !held_up()) w_ = true;
    top->s_wvalid = w_;
    if (w_) {
      top->s_wdata = data_.front().first;
      top->s_wstrb = 0xff;
      top->s_wlast = data_.front().second;
    }
    top->s_rready = !held_up();
    top->s_bready = !held_up();
  }
  void sample_clients() {
    const auto take = [&](Offer*& channel, std::map<uint32_t, std::deque<Offer*>>& open) {
      channel->accepted = true;
      channel->accepted_at = now;
      open[channel->id].push_back(channel);
      channel = nullptr;
    };
    if (ar_ && top->s_arready) take(ar_, open_reads_);
    if (aw_ && top->s_awready) take(aw_, open_writes_);
    if (w_ && top->s_wready) {
      data_.pop_front();
      w_ = false;
    }
    const auto end = [&](std::map<uint32_t, std::deque<Offer*>>& open, uint32_t id, uint32_t response) {
      ASSERT_FALSE(open[id].empty()) << "an answer for nobody";
      Offer& over = *open[id].front();
      open[id].pop_front();
      over.answered = true;
      over.answered_at = now;
      over.response = response;
      --offers_open;
    };
    if (top->s_rvalid && top->s_rready) {
      ASSERT_FALSE(open_reads_[top->s_rid].empty()) << "data for nobody";
      Offer& over = *open_reads_[top->s_rid].front();
      unsigned& beat = beats_[top->s_rid];
      if (beat == 0) over.data = top->s_rdata;
      if (over.forwarded && top->s_rresp == 0) {
        EXPECT_EQ(top->s_rdata, over.out_address + 8 * beat) << "data of another read";
      }
      ++beat;
      EXPECT_EQ(bool(top->s_rlast), beat == over.beats);
      if (top->s_rlast) {
        beat = 0;
        end(open_reads_, top->s_rid, top->s_rresp);
      }
    }
    if (top->s_bvalid && top->s_bready) end(open_writes_, top->s_bid, top->s_bresp);
  }

  // The offer that an address downstream stands for: the oldest of its ID that was not forwarded.
  Offer* forward(std::map<uint32_t, std::deque<Offer*>>& open, uint32_t id, uint64_t address, uint32_t user,
                 uint32_t protection) {
    for (Offer* candidate : open[id]) {
      if (candidate->forwarded || (candidate->address ^ address) & 0xfff) continue;
      candidate->forwarded = true;
      candidate->forwarded_at = now;
      candidate->out_address = address;
      candidate->out_user = user;
      candidate->out_prot = protection;
      forwarded_order.push_back(candidate);
      return candidate;
    }
    ADD_FAILURE() << "goes downstream for nobody";
    return nullptr;
  }
  void drive_downstream() {
    top->m_arready = !held_up();
    top->m_awready = !held_up();
    top->m_wready = !held_up();
    if (!answer_ && !held_up()) {
      std::vector<uint32_t> ready;
      for (auto& [id, queue] : reads_)
        if (!queue.empty() && queue.front().at <= now) ready.push_back(id);
      if (!ready.empty()) {
        answer_id_ = ready[random() % ready.size()];
        answer_ = true;
      }
    }
    top->m_rvalid = answer_;
    if (answer_) {
      const Down& down = reads_[answer_id_].front();
      top->m_rid = static_cast<uint8_t>(answer_id_);
      top->m_rdata = down.address + 8 * down.done;
      top->m_rresp = fail_downstream ? 3 : 0;
      top->m_rlast = down.done + 1 == down.beats;
    }
    if (!response_ && !held_up()) {
      for (auto& [id, queue] : writes_)
        if (!queue.empty() && queue.front().done == queue.front().beats && queue.front().at <= now) {
          response_id_ = id;
          response_ = true;
          if (random() % 2) break;
        }
    }
    top->m_bvalid = response_;
    top->m_bid = static_cast<uint8_t>(response_id_);
    top->m_bresp = fail_downstream ? 2 : 0;
  }
  void sample_downstream() {
    if (top->m_arvalid && top->m_arready) {
      Offer* made = forward(open_reads_, top->m_arid, top->m_araddr, top->m_aruser, top->m_arprot);
      reads_[top->m_arid].push_back(
          {made, top->m_arlen + 1u, 0, now + 1 + random() % (downstream_latency + 1), top->m_araddr});
    }
    if (top->m_awvalid && top->m_awready) {
      Offer* made = forward(open_writes_, top->m_awid, top->m_awaddr, top->m_awuser, top->m_awprot);
      writes_[top->m_awid].push_back(
          {made, top->m_awlen + 1u, 0, now + 1 + random() % (downstream_latency + 1), top->m_awaddr});
      write_order_.push_back(&writes_[top->m_awid].back());
    }
    if (top->m_wvalid && top->m_wready) beats_down_.push_back({top->m_wdata, bool(top->m_wlast)});
    while (!beats_down_.empty() && !write_order_.empty()) {
      Down& down = *write_order_.front();
      if (down.offer) {
        EXPECT_EQ(beats_down_.front().first, down.offer->address + 8 * down.done) << "W is not in AW's order";
      }
      ++down.done;
      EXPECT_EQ(beats_down_.front().second, down.done == down.beats);
      if (down.done == down.beats) write_order_.pop_front();
      beats_down_.pop_front();
    }
    if (top->m_rvalid && top->m_rready) {
      auto& queue = reads_[answer_id_];
      if (++queue.front().done == queue.front().beats) queue.pop_front();
      if (queue.empty()) reads_.erase(answer_id_);
      answer_ = false;
    }
    if (top->m_bvalid && top->m_bready) {
      auto& queue = writes_[response_id_];
      queue.pop_front();
      if (queue.empty()) writes_.erase(response_id_);
      response_ = false;
    }
  }

  uint64_t next_table_ = 0x10000000;
  uint32_t commands_ = 0;
  uint32_t consumed_ = 0;
  bool idle_ = false;
  std::deque<Offer*> pending_reads_, pending_writes_;
  Offer* ar_ = nullptr;
  Offer* aw_ = nullptr;
  bool w_ = false;
  std::deque<std::pair<uint64_t, bool>> data_;
  std::map<uint32_t, std::deque<Offer*>> open_reads_, open_writes_;
  std::map<uint32_t, unsigned> beats_;
  std::map<uint32_t, std::deque<Down>> reads_, writes_;
  std::deque<Down*> write_order_;
  std::deque<std::pair<uint64_t, bool>> beats_down_;
  bool answer_ = false;
  uint32_t answer_id_ = 0;
  bool response_ = false;
  uint32_t response_id_ = 0;
};

}  // namespace lockstep::smmu_rtl_bridge::rtl_test
