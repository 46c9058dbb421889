// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/rtl_device/axi_memory.h"

#include <algorithm>

namespace lockstep::smmu_rtl_bridge {
namespace {

constexpr unsigned kDicePerPort = 4;

}  // namespace

AxiMemory::AxiMemory(Handler& handler, const Timing& timing, uint64_t seed, unsigned channel)
    : handler_(handler),
      timing_(timing),
      latency_(seed, channel * kDicePerPort),
      order_(seed, channel * kDicePerPort + 1),
      stall_(seed, channel * kDicePerPort + 2),
      early_(seed, channel * kDicePerPort + 3) {}

void AxiMemory::reset() {
  count_ = 0;
  reads_.clear();
  writes_.clear();
  write_data_.clear();
}

void AxiMemory::fetch(AxiBurst& burst) {
  if (burst.fetched) return;
  handler_.read(burst);
  burst.response = response_of(burst);
  burst.fetched = true;
}

uint8_t AxiMemory::response_of(const AxiBurst& burst) {
  if (!burst.failed) return kAxiOkay;
  return order_.chance(timing_.decode_errors, ++count_) ? kAxiDecodeError : kAxiSlaveError;
}

template <typename Usable>
AxiBurst* AxiMemory::pick(uint64_t cycle, std::deque<AxiBurst>& bursts, Usable usable) {
  AxiBurst* chosen = nullptr;
  uint64_t candidates = 0;
  for (size_t i = 0; i < bursts.size(); ++i) {
    AxiBurst& burst = bursts[i];
    const bool first_of_its_id = std::none_of(bursts.begin(), bursts.begin() + static_cast<std::ptrdiff_t>(i),
                                              [&](const AxiBurst& b) { return b.address.id == burst.address.id; });
    if (first_of_its_id && usable(burst) && burst.ready_at <= cycle) {
      ++candidates;
      // Each candidate with the same chance.
      if (!chosen || order_.up_to(candidates - 1, cycle * AxiMemory::kBurstsMax + i) == 0) chosen = &burst;
    }
    if (!timing_.disorder && !burst.slow) break;
  }
  return chosen;
}

void AxiMemory::update_busy(uint64_t cycle, const AxiManagerPins& manager, AxiSubordinatePins& pins) {
  if (manager.ar.valid && pins.ar_ready) {
    AxiBurst burst(manager.ar, false);
    burst.ready_at = due(cycle);
    handler_.taken(burst);
    if (burst.early || early_.chance(timing_.early, cycle)) fetch(burst);
    reads_.push_back(std::move(burst));
  }
  if (manager.aw.valid && pins.aw_ready) {
    AxiBurst burst(manager.aw, true);
    burst.ready_at = due(cycle);
    handler_.taken(burst);
    writes_.push_back(std::move(burst));
  }
  if (manager.w.valid && pins.w_ready) write_data_.push_back(manager.w);
  while (!write_data_.empty()) {
    const auto open = std::find_if(writes_.begin(), writes_.end(), [](const AxiBurst& b) { return b.done < b.beats; });
    if (open == writes_.end()) break;
    open->data[open->done] = write_data_.front().data;
    open->strobe[open->done] = write_data_.front().strobe;
    ++open->done;
    write_data_.pop_front();
  }
  if (!reads_.empty() || pins.r.valid) answer_reads(cycle, manager, pins);
  if (!writes_.empty() || pins.b.valid) answer_writes(cycle, manager, pins);
  pins.ar_ready = reads_.size() < room() && !stall_.chance(timing_.stall, cycle * kChannels);
  pins.aw_ready = writes_.size() < room() && !stall_.chance(timing_.stall, cycle * kChannels + 1);
  pins.w_ready = write_data_.size() < kBurstsMax && !stall_.chance(timing_.stall, cycle * kChannels + 2);
}

void AxiMemory::answer_reads(uint64_t cycle, const AxiManagerPins& manager, AxiSubordinatePins& pins) {
  if (pins.r.valid && !manager.r_ready) return;
  pins.r = {};
  AxiBurst* burst = pick(cycle, reads_, [](const AxiBurst&) { return true; });
  if (!burst) return;
  fetch(*burst);
  pins.r.valid = true;
  pins.r.id = burst->address.id;
  pins.r.data = burst->failed ? 0 : burst->data[burst->done];
  pins.r.response = burst->response;
  pins.r.last = ++burst->done == burst->beats;
  if (!pins.r.last) return;
  const auto found =
      std::find_if(reads_.begin(), reads_.end(), [&](const AxiBurst& candidate) { return &candidate == burst; });
  reads_.erase(found);
}

void AxiMemory::answer_writes(uint64_t cycle, const AxiManagerPins& manager, AxiSubordinatePins& pins) {
  if (pins.b.valid && !manager.b_ready) return;
  pins.b = {};
  AxiBurst* burst = pick(cycle, writes_, [](const AxiBurst& b) { return b.done == b.beats; });
  if (!burst) return;
  handler_.write(*burst);
  pins.b.valid = true;
  pins.b.id = burst->address.id;
  pins.b.response = response_of(*burst);
  const auto found =
      std::find_if(writes_.begin(), writes_.end(), [&](const AxiBurst& candidate) { return &candidate == burst; });
  writes_.erase(found);
}

}  // namespace lockstep::smmu_rtl_bridge
