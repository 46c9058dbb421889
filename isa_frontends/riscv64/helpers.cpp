// SPDX-License-Identifier: Apache-2.0
// The functions that translated code calls.
#include "isa_frontends/riscv64/csr.h"
#include "isa_frontends/riscv64/hart64.h"

namespace lockstep::isa::riscv64 {
namespace {

using core::Hart;

Hart64& hart64(Hart& hart) { return static_cast<Hart64&>(hart); }

// True when privilege and enables let the instruction `bits` access this CSR; otherwise the trap was taken.
bool csr_allowed(Hart64& hart, unsigned number, const Csr* csr, bool write) {
  const State64& state = hart.s();
  bool allowed = csr != nullptr && state.privilege >= (number >> 8 & 3) && !(write && number >> 10 == 3);
  if (number <= 0x003) allowed = allowed && (state.mstatus & kStatusFs);
  if (number == 0x180 && state.privilege == kSupervisor) allowed = allowed && !(state.mstatus & kStatusTvm);
  if (number >= 0xc00 && number < 0xc20) {
    const uint64_t bit = uint64_t{1} << (number & 31);
    if (state.privilege < kMachine) allowed = allowed && (state.mcounteren & bit);
    if (state.privilege < kSupervisor) allowed = allowed && (state.scounteren & bit);
  }
  return allowed;
}

uint64_t raise_exception(Hart& hart, uint64_t cause, uint64_t tval, uint64_t, uint64_t) {
  hart64(hart).raise_exception(cause, tval);
  return 0;
}

uint64_t raise_illegal(Hart& hart, uint64_t bits, uint64_t, uint64_t, uint64_t) {
  hart64(hart).raise_illegal(static_cast<uint32_t>(bits));
  return 0;
}

uint64_t ecall(Hart& hart, uint64_t, uint64_t, uint64_t, uint64_t) {
  hart64(hart).raise_exception(kEcallUser + hart64(hart).s().privilege, 0);
  return 0;
}

uint64_t mret(Hart& hart, uint64_t bits, uint64_t, uint64_t, uint64_t) {
  Hart64& h = hart64(hart);
  if (h.s().privilege == kMachine) return h.machine_return();
  h.raise_illegal(static_cast<uint32_t>(bits));
  return 0;
}

uint64_t sret(Hart& hart, uint64_t bits, uint64_t, uint64_t, uint64_t) {
  Hart64& h = hart64(hart);
  const uint64_t privilege = h.s().privilege;
  if (privilege == kMachine || (privilege == kSupervisor && !(h.s().mstatus & kStatusTsr))) {
    return h.supervisor_return();
  }
  h.raise_illegal(static_cast<uint32_t>(bits));
  return 0;
}

uint64_t wfi(Hart& hart, uint64_t bits, uint64_t, uint64_t, uint64_t) {
  Hart64& h = hart64(hart);
  const uint64_t privilege = h.s().privilege;
  if (privilege == kUser || (privilege == kSupervisor && (h.s().mstatus & kStatusTw))) {
    h.raise_illegal(static_cast<uint32_t>(bits));
  } else if (!h.wakeup_pending()) {
    h.s().exit_request |= core::kExitWaitForInterrupt;
  }
  return 0;
}

uint64_t pause(Hart& hart, uint64_t, uint64_t, uint64_t, uint64_t) {
  hart.state().exit_request |= core::kExitYield;
  return 0;
}

uint64_t sfence_vma(Hart& hart, uint64_t vaddr, uint64_t asid, uint64_t given, uint64_t bits) {
  Hart64& h = hart64(hart);
  const uint64_t privilege = h.s().privilege;
  if (privilege == kUser || (privilege == kSupervisor && (h.s().mstatus & kStatusTvm))) {
    h.raise_illegal(static_cast<uint32_t>(bits));
    return 0;
  }
  asid &= 0xffff;
  switch (given) {
    case 0:
      h.tlb().flush_all();
      break;
    case 1:
      h.tlb().flush_page(vaddr);
      break;
    case 2:
      h.tlb().flush_asid(asid);
      break;
    default:
      h.tlb().flush_page(vaddr, asid);
      break;
  }
  return 0;
}

uint64_t csr_read(Hart& hart, uint64_t number, uint64_t bits, uint64_t, uint64_t) {
  Hart64& h = hart64(hart);
  const Csr* csr = find_csr(static_cast<unsigned>(number));
  if (csr_allowed(h, static_cast<unsigned>(number), csr, false)) return csr->read(h);
  h.raise_illegal(static_cast<uint32_t>(bits));
  return 0;
}

uint64_t csr_write(Hart& hart, uint64_t access, uint64_t operand, uint64_t bits, uint64_t) {
  Hart64& h = hart64(hart);
  const unsigned number = access & 0xfff;
  const auto op = static_cast<CsrOp>(access >> 12 & 3);
  const Csr* csr = find_csr(number);
  if (!csr_allowed(h, number, csr, true)) {
    h.raise_illegal(static_cast<uint32_t>(bits));
    return 0;
  }
  const bool wanted = access >> 14 & 1;
  const uint64_t old = wanted || op != CsrOp::kWrite ? csr->read(h) : 0;
  // The interrupt inputs are part of what mip shows, not of what csrrs writes back into the software bits.
  const uint64_t base = number == 0x344 ? h.s().mip_software : old;
  const uint64_t value = op == CsrOp::kWrite ? operand : op == CsrOp::kSet ? base | operand : base & ~operand;
  if (csr->write != nullptr) csr->write(h, value);
  return old;
}

uint64_t mark_fp_dirty(Hart& hart, uint64_t, uint64_t, uint64_t, uint64_t) {
  hart64(hart).s().mstatus |= kStatusFs;
  return 0;
}

uint64_t read_fflags(Hart& hart, uint64_t, uint64_t, uint64_t, uint64_t) { return hart.state().fp_flags; }

uint64_t write_fflags(Hart& hart, uint64_t flags, uint64_t, uint64_t, uint64_t) {
  hart.state().fp_flags = flags & 31;
  return 0;
}

using core::HelperMeaning;
using core::ir::Type;
constexpr uint32_t kState = core::kHelperReadsState | core::kHelperWritesState;
constexpr uint32_t kTrap = kState | core::kHelperMayTrap;

// In the order of enum Helper.
constexpr core::HelperDescriptor kHelpers[] = {
    {"raise_exception", raise_exception, kTrap, 2, Type::kVoid},
    {"raise_illegal", raise_illegal, kTrap, 1, Type::kVoid},
    {"ecall", ecall, kTrap, 0, Type::kVoid},
    {"mret", mret, kTrap, 1, Type::kI64},
    {"sret", sret, kTrap, 1, Type::kI64},
    {"wfi", wfi, kTrap, 1, Type::kVoid},
    {"pause", pause, kState, 0, Type::kVoid},
    {"sfence_vma", sfence_vma, kTrap, 4, Type::kVoid},
    {"csr_read", csr_read, kTrap | core::kHelperReadsTime, 2, Type::kI64},
    {"csr_write", csr_write, kTrap | core::kHelperReadsTime, 3, Type::kI64},
    {"mark_fp_dirty", mark_fp_dirty, kState, 0, Type::kVoid},
    {"read_fflags", read_fflags, core::kHelperReadsState, 0, Type::kI64, HelperMeaning::kReadFpFlags},
    {"write_fflags", write_fflags, kState, 1, Type::kVoid, HelperMeaning::kWriteFpFlags},
};
static_assert(std::size(kHelpers) == kHelperCount);

}  // namespace

std::span<const core::HelperDescriptor> Hart64::helpers() const { return kHelpers; }

}  // namespace lockstep::isa::riscv64
