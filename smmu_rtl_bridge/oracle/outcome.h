// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "smmu_rtl_bridge/observer.h"
#include "smmu_rtl_bridge/oracle/versioned_memory.h"
#include "tlm_models/smmuv3/smmu.h"

namespace lockstep::smmu_rtl_bridge {

// An update of a descriptor that a translation makes.
struct DescriptorUpdate {
  uint64_t address = 0;
  uint64_t expected = 0;
  uint64_t desired = 0;
  bool operator==(const DescriptorUpdate&) const = default;
};

enum class Ends : uint8_t { kPass, kAbort, kZero, kStall };

// What was seen of memory to come to an outcome: bits of Outcome::seen.
inline constexpr unsigned kSawOldStreamEntry = 1u << 0;  // cached from before the access was accepted
inline constexpr unsigned kSawOldContext = 1u << 1;
inline constexpr unsigned kSawOldDescriptor = 1u << 2;
inline constexpr unsigned kSawChange = 1u << 3;       // changed between acceptance and answer
inline constexpr unsigned kSawNeighbour = 1u << 4;    // another descriptor of a contiguous group
inline constexpr unsigned kSawOldRegime = 1u << 5;    // tables of an older configuration with the same tags
inline constexpr unsigned kSawFaultCached = 1u << 6;  // not allowed: see Window::keep_faults

// One thing that may happen to an access. Stalls have STAG 0 in their record.
struct Outcome {
  Ends end = Ends::kAbort;
  bool privileged = false;
  bool instruction = false;
  bool recorded = false;
  bool may_merge = false;
  bool lacks_permission = false;  // F_PERMISSION, recorded or not
  uint64_t address = 0;
  Attributes attributes;
  tlm_models::smmuv3::EventRecord record{};
  std::optional<AtsAnswer> ats;
  std::vector<DescriptorUpdate> updates;
  unsigned seen = 0;
  // For counting, and no part of what is compared: where the last descriptor of a table is that it takes, 0 where it
  // takes none, and whether tables of both stages are among them.
  uint64_t last_descriptor = 0;
  bool two_stages = false;

  bool same_as(const Outcome& other) const;
};

// What an evaluation read, with what attributes.
struct Fetch {
  uint64_t address = 0;
  tlm_models::smmuv3::MemoryAttributes attributes;
};

// Structures that an access may have been translated with.
struct Structures {
  bool has_cd = false;
  Sequence until = kNever;  // when memory ceased to hold them
  tlm_models::smmuv3::StructureWords ste{};
  tlm_models::smmuv3::StructureWords cd{};
  tlm_models::smmuv3::TlbTag tag;  // of the translations that they make
};

}  // namespace lockstep::smmu_rtl_bridge
