// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "smmu_rtl_bridge/campaign/run.h"
#include "smmu_rtl_bridge/oracle/judge.h"
#include "tests/smmuv3_reference/reference.h"

namespace lockstep::smmu_rtl_bridge {

// What was compared, over all runs.
struct ReferenceCounts {
  uint64_t one = 0;         // the judge has one outcome: device, judge and reference are the same
  uint64_t several = 0;     // it has several: the reference's is one of them
  uint64_t undecided = 0;   // it gave up counting them: nothing was compared
  uint64_t translated = 0;  // marked by ATS, which the reference does not know
  uint64_t ended = 0;       // by software, before anything was translated
  uint64_t held = 0;        // to the end, because no stall became free
  uint64_t again = 0;       // compared a second time, when software had ended their stall
  uint64_t passed = 0, updated = 0;
  std::map<unsigned, uint64_t> faults;  // by type of event

  void add(const ReferenceCounts& other);
  std::string to_text() const;
  bool add_text(const std::string& text);
};

// The reference walker of tests/smmuv3_reference as a second opinion on each access of a script. It has no caches, so
// it answers by what memory and registers are when an access is accepted, or, where software ended a stall, when it
// goes on. That must be among the judge's outcomes, and where the judge has one, it must be what the device does.
class ReferenceOpinion : public SecondOpinion {
 public:
  ReferenceOpinion(Device& device, Judge& judge, ReferenceCounts& counts);
  ~ReferenceOpinion() override;

  const std::string& difference() const override { return difference_; }

  void software_wrote(uint64_t address, const void* data, size_t size_bytes) override;
  void page_broken(uint64_t page, bool broken) override;
  void register_written(uint32_t offset, unsigned size_bytes, uint64_t value) override;
  void register_write_done(uint32_t offset) override;
  void device_wrote(uint64_t address, const void* data, size_t size_bytes, const Attributes& attributes,
                    bool failed) override;
  void device_exchanged(uint64_t address, uint64_t expected, uint64_t desired, const Attributes& attributes, bool done,
                        bool failed) override;
  void accepted(const ClientAccess& access) override;
  void forwarded(const ForwardedAccess& access) override;
  void answered(uint64_t id, AccessEnd end) override;

 private:
  using Updates = std::vector<std::pair<uint64_t, uint64_t>>;
  struct Page {
    std::array<uint8_t, 4096> bytes{};
    bool broken = false;
  };
  struct Access {
    ClientAccess access;
    smmuv3_reference::Answer answer;
    Updates updates;
    uint64_t asked_at = 0;  // software_did_
    bool told = false;
    bool one = false;      // the judge had one outcome
    bool stalled = false;  // and what it told was that of the stall
    bool forwarded = false;
    ForwardedAccess seen;
  };

  void ask(Access& access);
  void told(uint64_t id, const std::vector<Outcome>& outcomes, bool decided);
  void check_device(const Access& access, AccessEnd end);
  void differ(const Access& access, const std::string& what);
  Page& page(uint64_t address);
  void write(uint64_t address, const void* data, size_t size_bytes);
  bool read(uint64_t address, unsigned size_bytes, uint8_t* data);
  uint32_t get(uint32_t offset) const;

  Device& device_;
  ReferenceCounts& counts_;
  std::unordered_map<uint64_t, std::unique_ptr<Page>> pages_;
  smmuv3_reference::Registers registers_;
  bool registers_known_ = false;
  uint64_t software_did_ = 0;   // how often software wrote to memory or registers
  Updates* updates_ = nullptr;  // of the access that the reference is asked for
  smmuv3_reference::Memory memory_;
  std::unordered_map<uint64_t, Access> open_;
  std::string difference_;
};

}  // namespace lockstep::smmu_rtl_bridge
