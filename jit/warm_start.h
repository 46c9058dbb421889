// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/hart/hart.h"
#include "core/interpreter/memory_access.h"
#include "jit/code_archive.h"
#include "jit/host_features.h"
#include "jit/region_plan.h"
#include "jit/unit.h"

namespace lockstep::jit {

// Code of earlier runs for one hart: found by address, taken where the guest's bytes are the same as then.
class WarmStart {
 public:
  WarmStart(core::Hart& hart, core::MemoryAccess& memory, std::shared_ptr<CodeArchive> archive)
      : hart_(hart), memory_(memory), archive_(std::move(archive)) {}

  // A unit that has no place yet. `code` lasts as long as the archive.
  struct Found {
    std::unique_ptr<Unit> unit;
    std::span<const uint8_t> code;
    std::vector<PlannedPage> pages;
  };

  // The block at `pc`, which was fetched from `fetch`. The MMU is asked what decoding the block would ask it.
  std::optional<Found> block(uint64_t pc, uint64_t code_key, const core::MemoryAccess::Fetch& fetch);
  // There may be a region that begins with a block here.
  bool has_region(uint64_t pc, uint64_t code_key) const { return archive_->has(pc, code_key, true); }
  // The region that begins with this unit's block, if all its pages are mapped for fetches now. `joint_checks`: false
  // asks for one without.
  std::optional<Found> region(const Unit& head, bool joint_checks);

  // Keeps the code of a unit for later runs; the guest's bytes are still what it was made from.
  void keep(const Unit& unit, std::span<const uint8_t> code, const RegionPlan& plan, bool joint_checks);

 private:
  const uint8_t* ram(const core::CodeRange& range) const;
  bool same_bytes(const RegionPlan& plan, const ArchivedUnit& archived) const;

  core::Hart& hart_;
  core::MemoryAccess& memory_;
  std::shared_ptr<CodeArchive> archive_;
};

// What generated code depends on beside the guest: this program, the instruction sets of the host that it uses, the
// ISA's state and helpers, and `profiled`. Fails where the program cannot be told from another build.
core::Result<std::string> code_identity(const core::Hart& hart, const HostFeatures& host, bool profiled);

}  // namespace lockstep::jit
