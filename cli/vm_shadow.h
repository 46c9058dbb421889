// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/vm_options.h"
#include "core/result.h"
#include "smmu_rtl_bridge/rtl_module.h"
#include "smmu_rtl_bridge/shadow/shadow.h"

namespace lockstep::tlm_models {
class Machine;
}

namespace lockstep::cli {

// Of a run whose design and shadow differ: beyond the codes that a guest can end with.
inline constexpr int kExitShadowDiffers = 126;

// Cycles of the design that a waveform is written of.
struct ShadowWindow {
  uint64_t from = 0, to = 0;
  std::string file;
};

// `lockstep vm run --smmu rtl --shadow`: the model beside the design of one machine, what is told of a difference, and
// how the machine is stopped by one.
class ShadowRun : public smmu_rtl_bridge::RtlModuleWatcher {
 public:
  // `window`: the run of a difference again, for its waveform. Errors are the user's.
  static core::Result<std::shared_ptr<ShadowRun>> create(const VmOptions& options,
                                                         const std::optional<ShadowWindow>& window);
  ~ShadowRun() override;

  // The design, watched by `run`.
  static core::Result<smmu_rtl_bridge::RtlModuleFactory> module_factory(const std::shared_ptr<ShadowRun>& run);
  // What a difference stops.
  void set_machine(tlm_models::Machine* machine) { machine_ = machine; }

  uint64_t differences() const;
  // Of the design's clock, when the first one showed.
  uint64_t difference_cycle() const { return difference_cycle_; }
  std::string verdict() const;  // of the first difference, in one line
  std::string summary() const;  // counts, in one line
  nlohmann::json json() const;
  core::Status write_timeline(const std::string& file) const;

  void connected(ReadPage read_page, std::function<uint64_t()> cycles) override;
  const std::vector<smmu_rtl_bridge::Observer*>& observers() override { return observers_; }
  bool over() const override { return stops_ && !differences_.empty(); }

 private:
  class TailText;
  ShadowRun() = default;
  void found(const smmu_rtl_bridge::ShadowDifference& difference);

  smmu_rtl_bridge::RtlOptions design_;
  bool stops_ = true;
  std::unique_ptr<smmu_rtl_bridge::Shadow> shadow_;
  std::unique_ptr<TailText> tail_;
  std::unique_ptr<std::ostream> text_;
  std::unique_ptr<smmu_rtl_bridge::Observer> timeline_, notes_;
  std::vector<smmu_rtl_bridge::Observer*> observers_;
  std::function<uint64_t()> cycles_;
  tlm_models::Machine* machine_ = nullptr;
  std::vector<smmu_rtl_bridge::ShadowDifference> differences_;
  uint64_t broken_promises_ = 0;
  uint64_t difference_cycle_ = 0;
};

// Runs the machine of a difference once more, on the design's variant with waveforms, in a process that was made before
// this one had threads and SystemC.
class ShadowReplay {
 public:
  // Runs a machine and returns when its shadow is over: in the other process.
  using Run = std::function<core::Result<uint64_t>(const ShadowWindow& window)>;
  static core::Result<std::unique_ptr<ShadowReplay>> prepare(Run run);
  ~ShadowReplay();
  // Fails where the run does not show the difference in the same cycle again.
  core::Status write_waveform(uint64_t cycle, const std::string& file);

 private:
  ShadowReplay() = default;
  int to_child_ = -1, from_child_ = -1, child_ = -1;
};

}  // namespace lockstep::cli
