// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "smmu_rtl_bridge/coverage/database.h"
#include "smmu_rtl_bridge/observer.h"
#include "tlm_models/smmuv3/config.h"

namespace lockstep::smmu_rtl_bridge::coverage {

// Functional coverage: says of everything that happens at a device's pins which points of the plan it is. What no pin
// shows (levels, granules, rules that are broken) it takes from the core without caches, on memory as the pins have
// shown it.
class Collector final : public Observer {
 public:
  // The features are those that the device's ID registers tell. The database outlives the collector.
  Collector(const tlm_models::smmuv3::Config& config, Database& database);
  ~Collector() override;

  void software_wrote(uint64_t address, const void* data, size_t size_bytes) override;
  void page_broken(uint64_t page, bool broken) override;
  void register_written(uint32_t offset, unsigned size_bytes, uint64_t value) override;
  void register_read(uint32_t offset, unsigned size_bytes, uint64_t value) override;
  void device_read(uint64_t address, const void* data, size_t size_bytes, const Attributes& attributes,
                   bool failed) override;
  void device_wrote(uint64_t address, const void* data, size_t size_bytes, const Attributes& attributes,
                    bool failed) override;
  void device_exchanged(uint64_t address, uint64_t expected, uint64_t desired, const Attributes& attributes, bool done,
                        bool failed) override;
  void accepted(const ClientAccess& access) override;
  void answered(uint64_t id, AccessEnd end) override;
  void ats_asked(const AtsQuestion& question) override;
  void ats_answered(const AtsAnswer& answer) override;
  void atc_invalidated(const AtcInvalidation& invalidation) override;
  void atc_invalidation_done(bool timed_out) override;
  void page_asked(const PageQuestion& question) override;
  void page_answered(const PageAnswer& answer) override;
  void pulsed(Wire wire) override;
  void quiet() override;
  void finished() override;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace lockstep::smmu_rtl_bridge::coverage
