// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <utility>

namespace lockstep::tlm_models {

// A level-sensitive interrupt wire. The sink hears every change of level at once, inside the call that caused it:
// interrupts that an MMIO access changes are seen directly after the instruction, as the rules of virtual time ask.
class IrqLine {
 public:
  using Sink = std::function<void(bool level)>;

  void connect(Sink sink) { sink_ = std::move(sink); }
  void set(bool level) {
    if (level == level_) return;
    level_ = level;
    if (sink_) sink_(level);
  }
  bool level() const { return level_; }
  // Takes the level from a snapshot. The sink's own state is restored by its owner, so it is not told.
  void restore(bool level) { level_ = level; }

 private:
  Sink sink_;
  bool level_ = false;
};

}  // namespace lockstep::tlm_models
