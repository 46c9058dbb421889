// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/lockstep_wire.h"
#include "core/digest/quick_hash.h"
#include "core/engine/engine.h"

namespace lockstep::cli {

enum class LockstepGrain : uint8_t { kInstruction, kBlock, kQuantum };

// Cuts the runs of all harts of a machine into windows and says where each ended. The same machine is cut alike
// whatever its engine: a window's length follows from the instructions begun so far and the budget.
class WindowRecorder {
 public:
  // What to do with records; called with at most kMaxBuffered of them.
  using Sink = std::function<void(const std::vector<LockstepRecord>&)>;
  // A probe is at its target: machine and engine stand between two windows. May set another target.
  using Arrival = std::function<void()>;
  static constexpr size_t kMaxBuffered = 2048;

  // `quantum`: instructions in one, for windows of that grain.
  WindowRecorder(LockstepGrain grain, uint64_t quantum, Sink sink)
      : grain_(grain), quantum_(quantum), sink_(std::move(sink)) {
    buffer_.reserve(kMaxBuffered);
  }

  // Makes `engine` one that this recorder cuts; the recorder must outlive it.
  std::unique_ptr<core::Engine> wrap(core::Hart& hart, std::unique_ptr<core::Engine> engine);

  const std::vector<core::Hart*>& harts() const { return harts_; }
  uint64_t total() const { return total_; }
  void set_total(uint64_t total) { total_ = total; }
  uint64_t windows() const { return windows_; }
  uint64_t boundary() const { return boundary_; }
  unsigned last_hart() const { return last_hart_; }

  // The states of all harts.
  uint64_t state_hash() const;
  uint64_t tlb_hash() const;

  void add(const LockstepRecord& record);
  void flush();

  // From now on nothing is recorded; `arrival` is called when the target is reached.
  void probe(const ProbeRequest& request, Arrival arrival);
  // The machine ended: there is no target any more.
  void end_probe() { probe_.reset(); }

  // For the wrapped engines.
  void begin_run(const core::Hart& hart);
  uint64_t window(const core::Hart& hart, uint64_t budget) const;
  void end_window(core::Hart& hart, const core::RunResult& result);

 private:
  LockstepGrain grain_;
  uint64_t quantum_;
  Sink sink_;
  Arrival arrival_;
  std::optional<ProbeRequest> probe_;
  std::vector<core::Hart*> harts_;
  std::optional<core::StateHash> state_hash_;
  std::vector<LockstepRecord> buffer_;
  uint64_t total_ = 0;
  uint64_t flushed_at_ = 0;
  uint64_t windows_ = 0;
  uint64_t boundary_ = 0;
  unsigned last_hart_ = ~0u;
};

}  // namespace lockstep::cli
