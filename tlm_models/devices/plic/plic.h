// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <vector>

#include "tlm_models/kernel/device.h"
#include "tlm_models/kernel/irq_line.h"

namespace lockstep::tlm_models {

// RISC-V platform-level interrupt controller with SiFive's register layout. Each hart has two contexts: machine (2 * h)
// and supervisor (2 * h + 1). Sources are levels: a source is pending while its input is high and nobody has claimed
// it; a completed source whose input is still high is pending again.
class Plic : public Device {
 public:
  static constexpr uint64_t kSizeBytes = 0x600000;
  static constexpr unsigned kSources = 96;  // number 0 does not exist

  Plic(sc_core::sc_module_name name, unsigned harts);

  // Level of source 1 to kSources - 1.
  void set_source(unsigned source, bool level);
  // While the machine is built: only rising edges of the source count. One that comes between claim and completion is
  // pending after that.
  void make_edge_triggered(unsigned source) { edge_triggered_[source / 32] |= 1u << (source % 32); }
  IrqLine& context_irq(unsigned context) { return irqs_[context]; }
  unsigned contexts() const { return static_cast<unsigned>(irqs_.size()); }

  void reset() override;

 protected:
  void restore_extra(StateReader& reader) override;

 private:
  static constexpr unsigned kWords = kSources / 32;
  static constexpr uint64_t kPriorityMask = 7;

  bool edge_triggered(unsigned source) const { return (edge_triggered_[source / 32] >> (source % 32) & 1) != 0; }
  bool bit(RegisterId id, unsigned source) const {
    return ((registers_.get(id, source / 32) >> (source % 32)) & 1) != 0;
  }
  void set_bit(RegisterId id, unsigned source, bool on);
  // The source that the context would claim now; 0 when none.
  unsigned best(unsigned context) const;
  uint64_t claim(unsigned context);
  void complete(unsigned context, uint64_t source);
  void update();

  std::vector<IrqLine> irqs_;
  RegisterId priority_, pending_, enable_, threshold_;  // enable_: the first of kWords rows a context
  RegisterId claimed_, input_;
  std::array<uint32_t, kWords> edge_triggered_{};
};

}  // namespace lockstep::tlm_models
