// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/smmuv3/bits.h"
#include "tlm_models/smmuv3/commands.h"
#include "tlm_models/smmuv3/smmu.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

constexpr unsigned kPageLog2 = 12;

// Address, range, granule and level; section "Range-based invalidation and level hint".
void set_address(TlbInvalidation& scope, const CommandWords& words, const Config& config, bool intermediate) {
  scope.by_address = true;
  scope.leaf_only = bit(words[1], 0);
  scope.first = field_in_place(words[1], intermediate ? 51 : 63, kPageLog2);
  scope.last = scope.first | ones(kPageLog2);
  const auto granule_code = static_cast<unsigned>(bits(words[1], 11, 10));
  if (granule_code == 0 || !config.range_invalidation) return;
  scope.granule_log2 = static_cast<uint8_t>(10 + 2 * granule_code);
  scope.level = static_cast<uint8_t>(bits(words[1], 9, 8));
  if (granule_code == 2 && scope.level == 1) scope.level = 0;
  const auto scale = static_cast<unsigned>(bits(words[0], 24, 20));
  const uint64_t granules = (bits(words[0], 16, 12) + 1) << scale;
  // The largest range is 2^(5 + 31 + 16) bytes; one that runs over the top ends there.
  const uint64_t last = scope.first + (granules << scope.granule_log2) - 1;
  scope.last = last < scope.first ? ~uint64_t{0} : last;
}

}  // namespace

void Smmu::invalidate(const TlbInvalidation& invalidation) {
  tlb_.invalidate(invalidation);
  walk_cache_.invalidate(invalidation);
  ++generation_;
}

uint16_t Smmu::ignored_vmid_bits() const {
  const auto wildcard = static_cast<unsigned>(bits(registers_.get(RegisterId::kCr0Ack), 8, 6));
  return static_cast<uint16_t>(wildcard <= 4 ? ones(wildcard) : 0);
}

void Smmu::execute_tlb_invalidation(const CommandWords& command) {
  const auto opcode = static_cast<Opcode>(command[0] & 0xff);
  const auto vmid = static_cast<uint16_t>(bits(command[0], 47, 32));
  const auto asid = static_cast<uint16_t>(bits(command[0], 63, 48));
  const bool e2h = registers_.get32(RegisterId::kCr2) & kCr2E2h;

  TlbInvalidation scope;
  scope.by_world = true;
  scope.world = StreamWorld::kEl1;
  const auto for_vmid = [&] {
    // Entries carry a VMID only where stage 2 exists.
    scope.by_vmid = config_.stage2;
    scope.vmid = vmid;
    scope.vmid_ignored = ignored_vmid_bits();
  };
  const auto for_asid = [&](bool spare_global) {
    scope.by_asid = true;
    scope.asid = asid;
    scope.spare_global = spare_global;
  };
  const auto for_virtual = [&] {
    scope.by_space = true;
    scope.space = TlbSpace::kVirtual;
  };

  switch (opcode) {
    case Opcode::kTlbiNhAll:
      for_virtual();
      for_vmid();
      break;
    case Opcode::kTlbiNhAsid:
      for_virtual();
      for_vmid();
      for_asid(true);
      break;
    case Opcode::kTlbiNhVa:
      for_virtual();
      for_vmid();
      for_asid(false);
      set_address(scope, command, config_, false);
      break;
    case Opcode::kTlbiNhVaa:
      for_virtual();
      for_vmid();
      set_address(scope, command, config_, false);
      break;
    case Opcode::kTlbiEl3All:
      scope.world = StreamWorld::kEl2;
      break;
    case Opcode::kTlbiEl3Va:
      scope.world = StreamWorld::kEl2;
      set_address(scope, command, config_, false);
      break;
    case Opcode::kTlbiEl2All:
      scope.world = StreamWorld::kEl2;
      invalidate(scope);
      scope.world = StreamWorld::kEl2E2h;
      break;
    case Opcode::kTlbiEl2Asid:
      scope.world = StreamWorld::kEl2E2h;
      for_asid(true);
      break;
    case Opcode::kTlbiEl2Va:
      scope.world = e2h ? StreamWorld::kEl2E2h : StreamWorld::kEl2;
      if (e2h) for_asid(false);
      set_address(scope, command, config_, false);
      break;
    case Opcode::kTlbiEl2Vaa:
      scope.world = e2h ? StreamWorld::kEl2E2h : StreamWorld::kEl2;
      set_address(scope, command, config_, false);
      break;
    case Opcode::kTlbiS12Vmall:
      for_vmid();
      break;
    case Opcode::kTlbiS2Ipa:
      scope.by_space = true;
      scope.space = TlbSpace::kIntermediate;
      for_vmid();
      set_address(scope, command, config_, true);
      break;
    case Opcode::kTlbiNsnhAll:
      break;
    default:
      return;
  }
  invalidate(scope);
}

void Smmu::broadcast(const BroadcastInvalidation& message) {
  using Scope = BroadcastInvalidation::Scope;
  if (!config_.broadcast || (registers_.get32(RegisterId::kCr2) & kCr2PrivateTlb)) return;
  const bool of_stage1_alone = message.scope == Scope::kVmalle1 || message.scope == Scope::kAside1 ||
                               message.scope == Scope::kVae1 || message.scope == Scope::kVaae1;
  const bool of_el2 =
      message.scope == Scope::kAlle2 || message.scope == Scope::kVae2 || (message.host && of_stage1_alone);
  if (of_el2 && !(config_.hypervisor && config_.stage1)) return;
  if (of_stage1_alone && !config_.stage1) return;
  if (message.scope == Scope::kIpas2e1 && !config_.stage2) return;

  TlbInvalidation scope;
  scope.by_world = true;
  scope.world = of_el2 ? (message.host ? StreamWorld::kEl2E2h : StreamWorld::kEl2) : StreamWorld::kEl1;
  const bool of_vmid = !of_el2 && message.scope != Scope::kAlle1;
  if (of_vmid) {
    // Without stage 2 everything has VMID 0.
    if (!config_.stage2 && message.vmid != 0) return;
    scope.by_vmid = true;
    scope.vmid = message.vmid;
    scope.vmid_ignored = ignored_vmid_bits();
  }
  if (of_stage1_alone || message.scope == Scope::kIpas2e1) {
    scope.by_space = true;
    scope.space = of_stage1_alone ? TlbSpace::kVirtual : TlbSpace::kIntermediate;
  }
  const bool host_address = message.scope == Scope::kVae2 && message.host;
  if (message.scope == Scope::kAside1 || message.scope == Scope::kVae1 || host_address) {
    scope.by_asid = true;
    scope.asid = message.asid;
    scope.spare_global = message.scope == Scope::kAside1;
    scope.spare_non_shared = true;
  }
  if (message.scope == Scope::kVae1 || message.scope == Scope::kVaae1 || message.scope == Scope::kIpas2e1 ||
      message.scope == Scope::kVae2) {
    scope.by_address = true;
    scope.first = message.first & ~ones(kPageLog2);
    scope.last = message.last | ones(kPageLog2);
    scope.leaf_only = message.leaf_only;
  }
  invalidate(scope);
  if (message.scope == Scope::kAlle2) {
    scope.world = message.host ? StreamWorld::kEl2 : StreamWorld::kEl2E2h;
    invalidate(scope);
  }
}

}  // namespace lockstep::tlm_models::smmuv3
