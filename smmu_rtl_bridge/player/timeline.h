// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <ostream>
#include <string>

#include "smmu_rtl_bridge/observer.h"

namespace lockstep::smmu_rtl_bridge {

// Writes what happens at the pins, one happening a line, for a person to read.
class Timeline : public Observer {
 public:
  explicit Timeline(std::ostream& out) : out_(out) {}

  // A line of the script begins: what follows is its doing.
  void script_line(size_t number, const std::string& text);

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
  void forwarded(const ForwardedAccess& access) override;
  void finished_downstream(uint64_t id) override;
  void answered(uint64_t id, AccessEnd end) override;
  void ats_asked(const AtsQuestion& question) override;
  void ats_answered(const AtsAnswer& answer) override;
  void atc_invalidated(const AtcInvalidation& invalidation) override;
  void atc_invalidation_done(bool timed_out) override;
  void page_asked(const PageQuestion& question) override;
  void page_answered(const PageAnswer& answer) override;
  void pulsed(Wire wire) override;
  void quiet() override;

 private:
  std::ostream& out_;
};

}  // namespace lockstep::smmu_rtl_bridge
