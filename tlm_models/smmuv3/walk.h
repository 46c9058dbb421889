// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "tlm_models/smmuv3/context_descriptor.h"
#include "tlm_models/smmuv3/event.h"
#include "tlm_models/smmuv3/memory_port.h"
#include "tlm_models/smmuv3/tlb.h"

namespace lockstep::tlm_models::smmuv3 {

// A descriptor that changes at every attempt to update it would otherwise hold the walk for ever.
inline constexpr unsigned kUpdateAttempts = 16;

// What an access must be allowed. An instruction fetch needs execute alone; an atomic access needs read and write.
struct AccessNeed {
  bool read = true;
  bool write = false;
  bool execute = false;
  bool privileged = false;
  // An ATS translation request: permissions are gathered and nothing is refused for lack of them. `write` then says
  // that write access is asked for, which is what marks a page dirty.
  bool gather = false;

  PermissionMask mask() const {
    const auto of_level =
        static_cast<PermissionMask>((read ? kRead : 0) | (write ? kWrite : 0) | (execute ? kExecute : 0));
    return privileged ? static_cast<PermissionMask>(of_level << kPrivilegedShift) : of_level;
  }
};

// Why a translation failed: what an event record needs besides the transaction itself.
struct Fault {
  EventType type = EventType::kNone;
  FaultClass fault_class = FaultClass::kInput;
  bool stage2 = false;
  bool table_read = false;
  bool lacks_only_read = false;  // of an atomic access
  uint64_t ipa = 0;
  uint64_t fetch_address = 0;

  explicit operator bool() const { return type != EventType::kNone; }
};

// The regime that a transaction is translated in. `cd` is null where stage 1 is bypassed.
struct Regime {
  const Ste* ste = nullptr;
  const ContextDescriptor* cd = nullptr;
  bool stage2 = false;
  TlbTag tag;                      // of the address that goes in
  bool secure_fetch_only = false;  // S_CR0.SIF: no instruction comes from non-secure memory
};

// Result of stage 2 for one address.
struct Stage2Translation {
  Fault fault;
  uint64_t output = 0;
  uint8_t size_log2 = 0;
  uint8_t level = 0;
  PermissionMask permissions = 0;  // with pages that may still be marked dirty counted as writable
  bool clean = false;              // a write must first mark the page dirty
  uint8_t memattr = 0;
  uint8_t shareability = 0;
};

// Attributes of an access by intermediate address, combined with those of the page that stage 2 found for it.
MemoryAttributes through_stage2(const MemoryAttributes& attributes, const Stage2Config& stage2,
                                const Stage2Translation& translation);

// Result of all stages that are on.
struct Translation {
  Fault fault;
  uint64_t output = 0;
  uint64_t ipa = 0;                  // result of stage 1
  PermissionMask permissions = 0;    // of all stages together
  bool no_access_at_stage1 = false;  // of a gathering walk: stage 2 was not asked
  TlbEntry entry;                    // what may be kept; its size is what the result holds for
};

// VMSAv8-64 table walks of stage 1, stage 2 and both, with hardware updates of access flag and dirty state. Knows the
// caches of table pointers and of stage 2 results, but not the TLB of whole translations.
class Walker {
 public:
  Walker(const Config& config, CountedMemory& memory, Tlb& tlb, WalkCache& walk_cache)
      : config_(config), memory_(memory), tlb_(tlb), walk_cache_(walk_cache) {}

  Translation translate(const Regime& regime, uint64_t address, const AccessNeed& need);
  // An access of the SMMU itself to an intermediate address, or the second half of a translation. `fresh`: nothing that
  // is kept counts.
  Stage2Translation translate_stage2(const Ste& ste, uint64_t ipa, const AccessNeed& need, FaultClass fault_class,
                                     bool fresh = false);

 private:
  enum class Step : uint8_t { kDone, kAgain };

  Step stage1(const Regime& regime, uint64_t address, const AccessNeed& need, bool fresh, Translation& result);
  Step stage2_walk(const Stage2Config& stage2, uint64_t ipa, const AccessNeed& need, FaultClass fault_class,
                   Stage2Translation& result);

  const Config& config_;
  CountedMemory& memory_;
  Tlb& tlb_;
  WalkCache& walk_cache_;
};

}  // namespace lockstep::tlm_models::smmuv3
