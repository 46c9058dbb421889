// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/mutation/work.h"

#include <memory>

#include "smmu_rtl_bridge/campaign/campaign.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

// Time may differ by so much without anything being wrong: another order of two things that come at once.
constexpr uint64_t kSlackPercent = 3;
constexpr uint64_t kSlackCycles = 40;

class ReadCounter : public Observer {
 public:
  explicit ReadCounter(uint64_t& reads) : reads_(reads) {}
  void device_read(uint64_t, const void*, size_t, const Attributes&, bool) override { ++reads_; }

 private:
  uint64_t& reads_;
};

}  // namespace

core::Result<Measured> measure(const DeviceFactory& factory, const Script& script, const RunOptions& options,
                               uint64_t silence_ms) {
  RunOptions counting = options;
  // Counted in the process that plays.
  const auto reads = std::make_shared<uint64_t>(0);
  counting.watchers.push_back([reads](const Features&) { return std::make_unique<ReadCounter>(*reads); });
  counting.collect = [reads] { return std::to_string(*reads); };
  auto result = run_script_isolated(factory, script, counting, silence_ms);
  if (!result) return result.error();
  Measured measured;
  measured.work.reads = result->collected.empty() ? 0 : std::stoull(result->collected);
  measured.work.cycles = result->counts.cycles;
  measured.result = std::move(*result);
  return measured;
}

std::string work_verdict(const Work& work, uint64_t reads_max, uint64_t cycles_max) {
  if (work.reads > reads_max) return "performance.reads";
  if (cycles_max != 0 && work.cycles > cycles_max) return "performance.cycles";
  return {};
}

Work allowance(const Work& work) {
  return {work.reads, work.cycles + work.cycles * kSlackPercent / 100 + kSlackCycles};
}

}  // namespace lockstep::smmu_rtl_bridge
