// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "smmu_rtl_bridge/rtl_device.h"

namespace lockstep::tlm_models::smmuv3 {
class SmmuDevice;
}

namespace lockstep::smmu_rtl_bridge {

// Somebody who watches a design in a machine, at its pins.
class RtlModuleWatcher {
 public:
  // A page of 4 KiB of the memory that the design reaches; false is a bus error.
  using ReadPage = std::function<bool(uint64_t page, void* data)>;
  virtual ~RtlModuleWatcher() = default;
  // The design is in its machine. Reading memory has no effect there; `cycles` are those of the design's clock.
  virtual void connected(ReadPage read_page, std::function<uint64_t()> cycles) = 0;
  // Told of everything but what software does to memory. After register accesses that may set the command queue going,
  // and after each access of a requester, the design is given time until it is at rest, and Observer::quiet() comes.
  virtual const std::vector<Observer*>& observers() = 0;
  // The last thing that matters has happened: nothing more is told.
  virtual bool over() const = 0;
};

// An SMMU in RTL behind the TLM-2.0 sockets of the model, for a machine. The design's clock runs inside calls alone: a
// register access until the design is idle again, a requester's access until it is answered. So simulated time stands
// still, and a run is as repeatable as with the model. Accesses are cut in pieces of 64 bytes; DMI is never granted.
// What the design breaks (a promise of its pins, or that it comes to rest) ends all further accesses with bus errors,
// and `complain` is called with it, once: "hang", or the rule of the pins, and what happened.
struct RtlModuleOptions {
  RtlOptions design;  // of its waveform, cycles after the watcher is done are recorded too, up to kCyclesAfter
  std::function<void(const std::string& rule, const std::string& text)> complain;
  std::shared_ptr<RtlModuleWatcher> watcher;  // may be null
};
inline constexpr uint64_t kCyclesAfter = 200;

using RtlModuleFactory = std::function<std::unique_ptr<tlm_models::smmuv3::SmmuDevice>(const char* name)>;

// An error names the file and what to do.
core::Result<RtlModuleFactory> make_rtl_module_factory(const RtlModuleOptions& options);

}  // namespace lockstep::smmu_rtl_bridge
