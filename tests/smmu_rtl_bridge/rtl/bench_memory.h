// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <vector>

namespace lockstep::smmu_rtl_bridge::rtl_test {

// A subordinate for the pins p_* of a verilated module: answers of different IDs in any order and with beats mixed,
// every channel held up at random. Pages can answer with bus errors.
class BenchMemory {
 public:
  struct Access {
    bool write = false;
    uint32_t id = 0;
    uint64_t address = 0;
    unsigned size_bytes = 0;  // of the whole burst
    uint32_t user = 0;
    bool failed = false;
    std::vector<uint8_t> data;
  };

  BenchMemory(std::mt19937_64& random, unsigned latency_max, unsigned held_up_percent)
      : random_(random), latency_max_(latency_max), held_up_percent_(held_up_percent) {}

  std::map<uint64_t, uint8_t> bytes;
  std::set<uint64_t> broken_pages;
  std::optional<unsigned> failing_beat;  // of reads from broken pages; none: all of them
  std::vector<Access> log;
  size_t reads_open_max = 0;
  unsigned latency_min = 0;  // of reads, in clocks

  uint64_t word(uint64_t address) const {
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; ++i) {
      const auto found = bytes.find(address + i);
      if (found != bytes.end()) value |= uint64_t{found->second} << (8 * i);
    }
    return value;
  }
  void set_word(uint64_t address, uint64_t value) {
    for (unsigned i = 0; i < 8; ++i) bytes[address + i] = static_cast<uint8_t>(value >> (8 * i));
  }

  // Before the clock edge: what the subordinate drives.
  template <typename Top>
  void drive(Top& top) {
    top.p_arready = !held_up();
    top.p_awready = !held_up();
    top.p_wready = !held_up();
    if (!answer_valid_ && !held_up()) choose_read();
    top.p_rvalid = answer_valid_;
    if (answer_valid_) {
      const Read& read = reads_[answer_].front();
      top.p_rid = answer_;
      const bool failed = read.failed && (!failing_beat || *failing_beat == read.done);
      top.p_rdata = failed ? random_() : word(read.address + 8 * read.done);
      top.p_rresp = failed ? 2 + read.decode : 0;
      top.p_rlast = read.done + 1 == read.beats;
    }
    if (!response_valid_ && !held_up()) choose_write();
    top.p_bvalid = response_valid_;
    if (response_valid_) {
      top.p_bid = writes_over_[response_].id;
      top.p_bresp = writes_over_[response_].failed ? 2 : 0;
    }
  }

  // Before the clock edge, with outputs settled: what is taken.
  template <typename Top>
  void sample(Top& top) {
    ++now_;
    if (top.p_rvalid && top.p_rready) {
      Read& read = reads_[answer_].front();
      if (++read.done == read.beats) reads_[answer_].pop_front();
      answer_valid_ = false;
    }
    if (top.p_bvalid && top.p_bready) {
      writes_over_.erase(writes_over_.begin() + static_cast<long>(response_));
      response_valid_ = false;
    }
    if (top.p_arvalid && top.p_arready) {
      Read read;
      read.address = top.p_araddr;
      read.beats = top.p_arlen + 1u;
      read.at = now_ + 1 + latency_min + random_() % (latency_max_ + 1);
      read.failed = broken_pages.count(read.address >> 12) != 0;
      read.decode = random_() % 2;
      reads_[top.p_arid].push_back(read);
      log.push_back({false, top.p_arid, read.address, read.beats * 8, top.p_aruser, read.failed, {}});
      size_t open = 0;
      for (const auto& [id, queue] : reads_) open += queue.size();
      reads_open_max = std::max(reads_open_max, open);
    }
    if (top.p_awvalid && top.p_awready)
      addresses_.push_back({top.p_awid, top.p_awaddr, top.p_awlen + 1u, 1u << top.p_awsize, top.p_awuser});
    if (top.p_wvalid && top.p_wready) beats_.push_back({top.p_wdata, top.p_wstrb, bool(top.p_wlast)});
    while (!addresses_.empty() && beats_.size() >= addresses_.front().beats) write();
  }

  bool idle() const {
    for (const auto& [id, queue] : reads_)
      if (!queue.empty()) return false;
    return addresses_.empty() && beats_.empty() && writes_over_.empty();
  }
  // A burst whose beats end elsewhere than its length says, or strobes outside its bytes.
  unsigned protocol_errors = 0;

 private:
  struct Read {
    uint64_t address = 0;
    unsigned beats = 0;
    unsigned done = 0;
    uint64_t at = 0;
    bool failed = false;
    unsigned decode = 0;
  };
  struct Address {
    uint32_t id;
    uint64_t address;
    unsigned beats;
    unsigned size_bytes;
    uint32_t user;
  };
  struct Beat {
    uint64_t data;
    uint8_t strobe;
    bool last;
  };
  struct Over {
    uint32_t id;
    bool failed;
    uint64_t at;
  };

  bool held_up() { return random_() % 100 < held_up_percent_; }

  void choose_read() {
    std::vector<uint32_t> ready;
    for (const auto& [id, queue] : reads_)
      if (!queue.empty() && queue.front().at <= now_) ready.push_back(id);
    if (ready.empty()) return;
    answer_ = ready[random_() % ready.size()];
    answer_valid_ = true;
  }
  void choose_write() {
    for (size_t i = 0; i < writes_over_.size(); ++i)
      if (writes_over_[i].at <= now_) {
        response_ = i;
        response_valid_ = true;
        if (random_() % 2) break;
      }
  }
  void write() {
    const Address address = addresses_.front();
    addresses_.pop_front();
    Access access{true,
                  address.id,
                  address.address,
                  address.beats * address.size_bytes,
                  address.user,
                  broken_pages.count(address.address >> 12) != 0,
                  {}};
    for (unsigned i = 0; i < address.beats; ++i) {
      const Beat beat = beats_.front();
      beats_.pop_front();
      if (beat.last != (i + 1 == address.beats)) ++protocol_errors;
      const uint64_t at = address.address + i * address.size_bytes;
      for (unsigned lane = 0; lane < 8; ++lane) {
        const bool inside = lane >= (at & 7) && lane < (at & 7) + address.size_bytes;
        const bool strobe = beat.strobe >> lane & 1;
        if (strobe && !inside) ++protocol_errors;
        if (!inside) continue;
        const auto value = static_cast<uint8_t>(beat.data >> (8 * lane));
        access.data.push_back(value);
        if (strobe && !access.failed) bytes[(at & ~uint64_t{7}) + lane] = value;
      }
    }
    writes_over_.push_back({address.id, access.failed, now_ + 1 + random_() % (latency_max_ + 1)});
    log.push_back(access);
  }

  std::mt19937_64& random_;
  unsigned latency_max_;
  unsigned held_up_percent_;
  uint64_t now_ = 0;
  std::map<uint32_t, std::deque<Read>> reads_;
  std::deque<Address> addresses_;
  std::deque<Beat> beats_;
  std::vector<Over> writes_over_;
  bool answer_valid_ = false;
  uint32_t answer_ = 0;
  bool response_valid_ = false;
  size_t response_ = 0;
};

}  // namespace lockstep::smmu_rtl_bridge::rtl_test
