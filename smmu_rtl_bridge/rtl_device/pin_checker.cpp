// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/rtl_device/pin_checker.h"

#include <algorithm>

namespace lockstep::smmu_rtl_bridge {
namespace {

constexpr uint64_t kPageBytes = 4096;
constexpr uint8_t kIncrementing = 1;

}  // namespace

void AxiChecker::reset() { *this = AxiChecker(port_); }

void AxiChecker::fail(PinBreach& breach, const char* rule, std::string text) const {
  if (breach.rule) return;
  breach.rule = rule;
  breach.text = std::string(port_) + " port: " + std::move(text);
}

void AxiChecker::check_burst(const AxiAddress& address, const char* channel, PinBreach& breach) const {
  const unsigned beats = address.length + 1u;
  const std::string name(channel);
  if (address.burst != kIncrementing) return fail(breach, "pins.burst", name + " with a burst that is not INCR");
  if (address.size > 3) return fail(breach, "pins.burst", name + " with beats of more than 8 bytes");
  const uint64_t first = address.address & ~((uint64_t{1} << address.size) - 1);
  if ((address.address & (kPageBytes - 1)) + (first + (uint64_t{beats} << address.size) - address.address) > kPageBytes)
    fail(breach, "pins.burst", name + " crosses a boundary of 4 KiB");
}

void AxiChecker::watch_busy(const AxiManagerPins& manager, const AxiSubordinatePins& subordinate, PinBreach& breach) {
  // What waits stays as it is.
  const auto stable = [&](auto& waiting, bool ready, const auto& now, const char* channel) {
    if (waiting.valid && !(now == waiting))
      fail(breach, "pins.unstable",
           std::string(channel) + (now.valid ? " changes" : " goes away") + " before it is taken");
    if (now.valid && !ready) {
      waiting = now;
    } else {
      waiting.valid = false;
    }
  };
  stable(ar_, subordinate.ar_ready, manager.ar, "AR");
  stable(aw_, subordinate.aw_ready, manager.aw, "AW");
  stable(w_, subordinate.w_ready, manager.w, "W");
  stable(r_, manager.r_ready, subordinate.r, "R");
  stable(b_, manager.b_ready, subordinate.b, "B");

  // Answers first: a request cannot be answered in the cycle in which it is taken.
  if (subordinate.r.valid) {
    const auto found =
        std::find_if(reads_.begin(), reads_.end(), [&](const Burst& b) { return b.id == subordinate.r.id; });
    if (found == reads_.end()) {
      fail(breach, "pins.unasked", "R with ID " + std::to_string(subordinate.r.id) + ", which nothing was asked with");
    } else if (subordinate.r.last != (found->beats == 1)) {
      fail(breach, "pins.last",
           "RLAST is " + std::to_string(subordinate.r.last) + " with " + std::to_string(found->beats) +
               " beats to come");
    } else if (manager.r_ready && --found->beats == 0) {
      reads_.erase(found);
      --outstanding_;
    }
  }
  if (subordinate.b.valid) {
    const auto found = std::find(writes_.begin(), writes_.end(), subordinate.b.id);
    if (found == writes_.end()) {
      fail(breach, "pins.unasked", "B with ID " + std::to_string(subordinate.b.id) + ", which no complete write has");
    } else if (manager.b_ready) {
      writes_.erase(found);
      --outstanding_;
    }
  }
  if (manager.ar.valid) {
    check_burst(manager.ar, "AR", breach);
    if (subordinate.ar_ready) {
      reads_.push_back({manager.ar.id, manager.ar.length + 1u});
      ++outstanding_;
    }
  }
  if (manager.aw.valid) {
    check_burst(manager.aw, "AW", breach);
    if (subordinate.aw_ready) {
      write_addresses_.push_back({manager.aw.id, manager.aw.length + 1u});
      ++outstanding_;
    }
  }
  if (manager.w.valid && subordinate.w_ready) {
    ++beats_;
    if (beats_ > kBeatsMax) fail(breach, "pins.last", "W without WLAST");
    if (manager.w.last) {
      early_data_.push_back(beats_);
      beats_ = 0;
    }
  }
  while (!early_data_.empty() && !write_addresses_.empty()) {
    if (early_data_.front() != write_addresses_.front().beats)
      fail(breach, "pins.last",
           "WLAST after " + std::to_string(early_data_.front()) + " beats of " +
               std::to_string(write_addresses_.front().beats));
    writes_.push_back(write_addresses_.front().id);
    early_data_.pop_front();
    write_addresses_.pop_front();
  }
}

void ApbChecker::watch_busy(const ApbRequest& request, const ApbAnswer& answer, PinBreach& breach) {
  const auto fail = [&](const char* text) {
    if (breach.rule) return;
    breach.rule = "pins.apb";
    breach.text = std::string("registers port: ") + text;
  };
  const bool was_waiting = before_.select && !was_ready_;
  if (request.enable && !request.select) fail("PENABLE without PSEL");
  if (was_waiting && !request.enable) fail("PSEL is not followed by PENABLE");
  if (request.select && request.enable && !was_waiting) fail("PENABLE without a setup phase");
  if (was_waiting && (request.address != before_.address || request.write != before_.write ||
                      (request.write && (request.data != before_.data || request.strobe != before_.strobe))))
    fail("the request changes before it is answered");
  before_ = request;
  was_ready_ = request.select && request.enable && answer.ready;
}

}  // namespace lockstep::smmu_rtl_bridge
