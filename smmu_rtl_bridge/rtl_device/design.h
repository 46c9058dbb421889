// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "smmu_rtl_bridge/observer.h"
#include "smmu_rtl_bridge/rtl_device/pins.h"

namespace lockstep::smmu_rtl_bridge {

// A design under test, one clock cycle at a time.
class Design {
 public:
  virtual ~Design() = default;

  // One cycle: the inputs are driven, `outputs` is what stands at the pins once all has settled, then the clock edge
  // comes. A handshake has happened where valid and ready of both sides are set.
  virtual void clock(const DesignInputs& inputs, DesignOutputs& outputs) = 0;
  // Whether it has an `idle` output. Without one, the bench goes by silence.
  virtual bool has_idle() const { return true; }
  // A setting of the design's own, as in `settings mutant=3`; false: it has none of this name. Before the first clock.
  virtual bool set(const std::string& /*name*/, uint64_t /*value*/) { return false; }
  // What an assertion in the design has to say, or what else stopped it; empty: nothing.
  virtual std::string complaint() { return {}; }

  // Waveforms of a design that was built for them: cycles are written while recording is on. False: it was not, or the
  // file cannot be written.
  virtual bool open_waveform(const std::string& /*path*/) { return false; }
  virtual void record(bool /*on*/) {}
  // Raw coverage points of a design that was built for them, in Verilator's format.
  virtual bool write_coverage(const std::string& /*path*/) { return false; }
};

// What a file with a design (a shared object made by lockstep_rtl_design() in CMake) offers under the name
// "lockstep_rtl_design". The number goes up when Design or pins change, so that an old file is refused.
inline constexpr uint32_t kDesignInterface = 1;
struct DesignFile {
  uint32_t interface = kDesignInterface;
  const char* name = "";
  const char* variant = "";  // "plain", "trace" or "coverage"
  Design* (*make)() = nullptr;
};

}  // namespace lockstep::smmu_rtl_bridge
