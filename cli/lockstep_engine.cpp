// SPDX-License-Identifier: Apache-2.0
#include "cli/lockstep_engine.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/engine/forwarding_engine.h"

namespace lockstep::cli {
namespace {

// A TLB is thirty times as large as a state: its hash joins that of every so many windows.
constexpr uint64_t kWindowsBetweenTlbs = 256;

// Instructions after which records go out although few have gathered, so that a side that says nothing hangs.
constexpr uint64_t kMaxUnsaid = 16'000'000;

uint64_t scatter(uint64_t x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

// Windows of block grain: most are short, so that a difference shows soon after it came, and most instructions are in
// long ones, because an engine may treat a budget that is shorter than a block in another way than whole blocks.
uint64_t block_window(uint64_t total) {
  constexpr uint64_t kUsual[] = {8, 8, 64, 64, 1024, 1024, 1024, 16384};
  const uint64_t draw = scatter(total);
  const uint64_t usual = kUsual[draw % std::size(kUsual)];
  return usual / 2 + (draw >> 8) % usual + 1;
}

class WindowedEngine final : public core::ForwardingEngine {
 public:
  WindowedEngine(core::Hart& hart, std::unique_ptr<core::Engine> engine, WindowRecorder& recorder)
      : ForwardingEngine(std::move(engine)), hart_(hart), recorder_(recorder) {}

  core::RunResult run(uint64_t budget) override {
    recorder_.begin_run(hart_);
    uint64_t executed = 0;
    while (true) {
      const core::RunResult result = inner().run(recorder_.window(hart_, budget - executed));
      executed += result.executed;
      recorder_.end_window(hart_, result);
      if (result.reason != core::StopReason::kBudget || executed >= budget) return {result.reason, executed};
    }
  }

 private:
  core::Hart& hart_;
  WindowRecorder& recorder_;
};

}  // namespace

std::unique_ptr<core::Engine> WindowRecorder::wrap(core::Hart& hart, std::unique_ptr<core::Engine> engine) {
  harts_.push_back(&hart);
  if (!state_hash_) state_hash_.emplace(hart.layout());
  return std::make_unique<WindowedEngine>(hart, std::move(engine), *this);
}

uint64_t WindowRecorder::state_hash() const {
  uint64_t hash = 0;
  for (const core::Hart* hart : harts_) hash = scatter(hash ^ (*state_hash_)(*hart));
  return hash;
}

uint64_t WindowRecorder::tlb_hash() const {
  uint64_t hash = 0;
  for (core::Hart* hart : harts_) hash = scatter(hash ^ core::quick_tlb_hash(hart->tlb()));
  return hash;
}

void WindowRecorder::add(const LockstepRecord& record) {
  buffer_.push_back(record);
  if (buffer_.size() >= kMaxBuffered || total_ - flushed_at_ > kMaxUnsaid) flush();
}

void WindowRecorder::flush() {
  if (!buffer_.empty()) sink_(buffer_);
  buffer_.clear();
  flushed_at_ = total_;
}

void WindowRecorder::probe(const ProbeRequest& request, Arrival arrival) {
  probe_ = request;
  arrival_ = std::move(arrival);
}

void WindowRecorder::begin_run(const core::Hart& hart) {
  // Harts have their turns in order, so one that does not come behind the last one is in a new round.
  if (hart.executed_in_turn() == 0 && (last_hart_ == ~0u || hart.id() <= last_hart_)) boundary_ = total_;
  last_hart_ = hart.id();
}

uint64_t WindowRecorder::window(const core::Hart& hart, uint64_t budget) const {
  uint64_t length = budget;
  if (grain_ == LockstepGrain::kInstruction) length = 1;
  if (grain_ == LockstepGrain::kBlock) length = std::min(budget, block_window(total_));
  // A turn may have several quanta.
  if (grain_ == LockstepGrain::kQuantum) length = std::min(budget, quantum_ - hart.executed_in_turn() % quantum_);
  if (!probe_) return length;
  const uint64_t left = probe_->target - std::min(probe_->target, total_);
  if (probe_->cut != 0 && total_ >= probe_->cut) return std::min(budget, left);
  if (probe_->cut > total_) length = std::min(length, probe_->cut - total_);
  if (probe_->exact) length = std::min(length, left);
  return length;
}

void WindowRecorder::end_window(core::Hart& hart, const core::RunResult& result) {
  total_ += result.executed;
  ++windows_;
  if (!probe_) {
    uint64_t hash = (*state_hash_)(hart) ^ scatter(static_cast<uint64_t>(result.reason) + 1);
    if (windows_ % kWindowsBetweenTlbs == 0) hash = scatter(hash ^ core::quick_tlb_hash(hart.tlb()));
    add({total_, hash, hart.id(), RecordKind::kWindow});
    return;
  }
  // A process that was copied from this one comes out of arrival_ too, with a target of its own.
  while (probe_ && total_ >= probe_->target) arrival_();
}

}  // namespace lockstep::cli
