// SPDX-License-Identifier: Apache-2.0
#include "isa_frontends/riscv64/csr.h"

#include <fmt/format.h>

#include <vector>

#include "isa_frontends/riscv64/hart64.h"

namespace lockstep::isa::riscv64 {
namespace {

// --- Masks -----------------------------------------------------------------------------------------------------------

constexpr uint64_t kAllBits = ~uint64_t{0};
constexpr uint64_t kSstatusMask = kStatusSie | kStatusSpie | kStatusSpp | kStatusFs | kStatusSum | kStatusMxr;
constexpr uint64_t kMstatusMask =
    kSstatusMask | kStatusMie | kStatusMpie | kStatusMpp | kStatusMprv | kStatusTvm | kStatusTw | kStatusTsr;
constexpr uint64_t kSupervisorInterrupts =
    1u << kSupervisorSoftware | 1u << kSupervisorTimer | 1u << kSupervisorExternal;
constexpr uint64_t kAllInterrupts =
    kSupervisorInterrupts | 1u << kMachineSoftware | 1u << kMachineTimer | 1u << kMachineExternal;
constexpr uint64_t kDelegableExceptions = 0xb3ff;  // all but machine-mode ecall and the reserved causes
constexpr uint64_t kCounterMask = 0xffff'ffff;
constexpr uint64_t kInhibitCycle = 1, kInhibitInstret = 4;
constexpr uint64_t kPmpAddressMask = (uint64_t{1} << 54) - 1;

constexpr uint64_t extension(char letter) { return uint64_t{1} << (letter - 'a'); }
constexpr uint64_t kMisa = uint64_t{2} << 62 | extension('i') | extension('m') | extension('a') | extension('f') |
                           extension('d') | extension('c') | extension('b') | extension('s') | extension('u');

// --- Plain registers -------------------------------------------------------------------------------------------------

uint64_t read_zero(Hart64&) { return 0; }

template <uint64_t kValue>
uint64_t read_constant(Hart64&) {
  return kValue;
}

template <uint64_t State64::*kField>
uint64_t read_field(Hart64& hart) {
  return hart.s().*kField;
}

template <uint64_t State64::*kField, uint64_t kMask = kAllBits>
void write_field(Hart64& hart, uint64_t value) {
  hart.s().*kField = value & kMask;
}

// --- Floating point
// ----------------------------------------------------------------------------------------------------

void mark_fp_dirty(Hart64& hart) { hart.s().mstatus |= kStatusFs; }

uint64_t read_fflags(Hart64& hart) { return hart.s().fp_flags; }
uint64_t read_frm(Hart64& hart) { return hart.s().fp_rounding; }
uint64_t read_fcsr(Hart64& hart) { return hart.s().fp_rounding << 5 | hart.s().fp_flags; }

void write_fflags(Hart64& hart, uint64_t value) {
  hart.s().fp_flags = value & 31;
  mark_fp_dirty(hart);
}
void write_frm(Hart64& hart, uint64_t value) {
  hart.s().fp_rounding = value & 7;
  mark_fp_dirty(hart);
}
void write_fcsr(Hart64& hart, uint64_t value) {
  write_fflags(hart, value);
  write_frm(hart, value >> 5);
}

// --- Status
// ------------------------------------------------------------------------------------------------------------

uint64_t read_mstatus(Hart64& hart) {
  const uint64_t status = hart.s().mstatus;
  return status | kStatusUxl | kStatusSxl | ((status & kStatusFs) == kStatusFs ? kStatusSd : 0);
}
uint64_t read_sstatus(Hart64& hart) { return read_mstatus(hart) & (kSstatusMask | kStatusUxl | kStatusSd); }

void write_status(Hart64& hart, uint64_t value, uint64_t mask) {
  if ((value & kStatusMpp) == uint64_t{2} << kStatusMppShift) mask &= ~kStatusMpp;  // there is no such mode
  hart.s().mstatus = (hart.s().mstatus & ~mask) | (value & mask);
  hart.select_contexts();
}
void write_mstatus(Hart64& hart, uint64_t value) { write_status(hart, value, kMstatusMask); }
void write_sstatus(Hart64& hart, uint64_t value) { write_status(hart, value, kSstatusMask); }

// --- Traps
// -------------------------------------------------------------------------------------------------------------

// Direct or vectored; other modes do not exist.
template <uint64_t State64::*kField>
void write_tvec(Hart64& hart, uint64_t value) {
  hart.s().*kField = value & ~uint64_t{2};
}

uint64_t read_mip(Hart64& hart) { return hart.pending(); }
void write_mip(Hart64& hart, uint64_t value) { hart.s().mip_software = value & kSupervisorInterrupts; }

uint64_t read_sip(Hart64& hart) { return hart.pending() & hart.s().mideleg; }
void write_sip(Hart64& hart, uint64_t value) {
  const uint64_t mask = (1u << kSupervisorSoftware) & hart.s().mideleg;
  hart.s().mip_software = (hart.s().mip_software & ~mask) | (value & mask);
}

uint64_t read_sie(Hart64& hart) { return hart.s().mie & hart.s().mideleg; }
void write_sie(Hart64& hart, uint64_t value) {
  const uint64_t mask = hart.s().mideleg;
  hart.s().mie = (hart.s().mie & ~mask) | (value & mask);
}

// --- Memory
// ------------------------------------------------------------------------------------------------------------

void write_satp(Hart64& hart, uint64_t value) {
  const uint64_t mode = value >> 60;
  if (mode != 0 && mode != 8 && mode != 9) return;  // Bare, Sv39, Sv48: a write with another mode has no effect
  hart.s().satp = value;
  hart.select_contexts();
}

void write_menvcfg(Hart64& hart, uint64_t value) {
  const uint64_t mask = kEnvFiom | (hart.options().svadu ? kEnvAdue : 0);
  const uint64_t before = hart.s().menvcfg;
  hart.s().menvcfg = value & mask;
  if ((before ^ hart.s().menvcfg) & kEnvAdue) hart.tlb().flush_all();
}

template <unsigned kIndex>
uint64_t read_pmpcfg(Hart64& hart) {
  return hart.s().pmpcfg[kIndex];
}

template <unsigned kIndex>
void write_pmpcfg(Hart64& hart, uint64_t value) {
  const uint64_t before = hart.s().pmpcfg[kIndex];
  uint64_t after = 0;
  for (unsigned shift = 0; shift < 64; shift += 8) {
    const uint64_t old_byte = before >> shift & 0xff;
    uint64_t byte = value >> shift & 0x9f;
    if (old_byte & 0x80) byte = old_byte;                       // locked until reset
    if ((byte & 3) == 2) byte = (byte & ~3u) | (old_byte & 3);  // W without R is reserved: the permissions stay
    after |= byte << shift;
  }
  hart.s().pmpcfg[kIndex] = after;
  if (after != before) hart.pmp_changed();
}

uint8_t pmp_config(Hart64& hart, unsigned index) {
  return static_cast<uint8_t>(hart.s().pmpcfg[index / 8] >> (index % 8 * 8));
}

template <unsigned kIndex>
uint64_t read_pmpaddr(Hart64& hart) {
  return hart.s().pmpaddr[kIndex];
}

template <unsigned kIndex>
void write_pmpaddr(Hart64& hart, uint64_t value) {
  if (pmp_config(hart, kIndex) & 0x80) return;
  if constexpr (kIndex + 1 < kPmpEntries) {
    // The base of a locked top-of-range entry is locked with it.
    if ((pmp_config(hart, kIndex + 1) & 0x98) == 0x88) return;
  }
  value &= kPmpAddressMask;
  if (hart.s().pmpaddr[kIndex] == value) return;
  hart.s().pmpaddr[kIndex] = value;
  hart.pmp_changed();
}

// --- Counters
// ----------------------------------------------------------------------------------------------------------

uint64_t read_cycle(Hart64& hart) { return hart.cycles(); }
uint64_t read_instret(Hart64& hart) { return hart.retired(); }
uint64_t read_time(Hart64& hart) { return hart.time(); }

// What a running counter's offset is added to, as the next instruction finds it.
uint64_t next_cycle_base(Hart64& hart) { return hart.instruction_count(); }
uint64_t next_instret_base(Hart64& hart) { return hart.instruction_count() - hart.s().not_retired; }

void write_mcycle(Hart64& hart, uint64_t value) {
  const bool stopped = hart.s().mcountinhibit & kInhibitCycle;
  hart.s().mcycle_offset = stopped ? value : value - next_cycle_base(hart);
}
void write_minstret(Hart64& hart, uint64_t value) {
  const bool stopped = hart.s().mcountinhibit & kInhibitInstret;
  hart.s().minstret_offset = stopped ? value : value - next_instret_base(hart);
}

void write_mcountinhibit(Hart64& hart, uint64_t value) {
  State64& state = hart.s();
  value &= kInhibitCycle | kInhibitInstret;
  const uint64_t changed = state.mcountinhibit ^ value;
  if (changed & kInhibitCycle) {
    state.mcycle_offset += value & kInhibitCycle ? next_cycle_base(hart) : -next_cycle_base(hart);
  }
  if (changed & kInhibitInstret) {
    state.minstret_offset += value & kInhibitInstret ? next_instret_base(hart) : -next_instret_base(hart);
  }
  state.mcountinhibit = value;
}

uint64_t read_mhartid(Hart64& hart) { return hart.id(); }
void ignore_write(Hart64&, uint64_t) {}

// --- The table
// ---------------------------------------------------------------------------------------------------------

#define PMPADDR(n) \
  { 0x3b0 + (n), "pmpaddr" #n, read_pmpaddr<n>, write_pmpaddr<n> }

const Csr kCsrs[] = {
    {0x001, "fflags", read_fflags, write_fflags},
    {0x002, "frm", read_frm, write_frm},
    {0x003, "fcsr", read_fcsr, write_fcsr},
    {0xc00, "cycle", read_cycle, nullptr},
    {0xc01, "time", read_time, nullptr},
    {0xc02, "instret", read_instret, nullptr},

    {0x100, "sstatus", read_sstatus, write_sstatus},
    {0x104, "sie", read_sie, write_sie},
    {0x105, "stvec", read_field<&State64::stvec>, write_tvec<&State64::stvec>},
    {0x106, "scounteren", read_field<&State64::scounteren>, write_field<&State64::scounteren, kCounterMask>},
    {0x10a, "senvcfg", read_field<&State64::senvcfg>, write_field<&State64::senvcfg, kEnvFiom>},
    {0x140, "sscratch", read_field<&State64::sscratch>, write_field<&State64::sscratch>},
    {0x141, "sepc", read_field<&State64::sepc>, write_field<&State64::sepc, ~uint64_t{1}>},
    {0x142, "scause", read_field<&State64::scause>, write_field<&State64::scause>},
    {0x143, "stval", read_field<&State64::stval>, write_field<&State64::stval>},
    {0x144, "sip", read_sip, write_sip},
    {0x180, "satp", read_field<&State64::satp>, write_satp},

    {0xf11, "mvendorid", read_zero, nullptr},
    {0xf12, "marchid", read_zero, nullptr},
    {0xf13, "mimpid", read_zero, nullptr},
    {0xf14, "mhartid", read_mhartid, nullptr},
    {0xf15, "mconfigptr", read_zero, nullptr},
    {0x300, "mstatus", read_mstatus, write_mstatus},
    {0x301, "misa", read_constant<kMisa>, ignore_write},
    {0x302, "medeleg", read_field<&State64::medeleg>, write_field<&State64::medeleg, kDelegableExceptions>},
    {0x303, "mideleg", read_field<&State64::mideleg>, write_field<&State64::mideleg, kSupervisorInterrupts>},
    {0x304, "mie", read_field<&State64::mie>, write_field<&State64::mie, kAllInterrupts>},
    {0x305, "mtvec", read_field<&State64::mtvec>, write_tvec<&State64::mtvec>},
    {0x306, "mcounteren", read_field<&State64::mcounteren>, write_field<&State64::mcounteren, kCounterMask>},
    {0x30a, "menvcfg", read_field<&State64::menvcfg>, write_menvcfg},
    {0x320, "mcountinhibit", read_field<&State64::mcountinhibit>, write_mcountinhibit},
    {0x340, "mscratch", read_field<&State64::mscratch>, write_field<&State64::mscratch>},
    {0x341, "mepc", read_field<&State64::mepc>, write_field<&State64::mepc, ~uint64_t{1}>},
    {0x342, "mcause", read_field<&State64::mcause>, write_field<&State64::mcause>},
    {0x343, "mtval", read_field<&State64::mtval>, write_field<&State64::mtval>},
    {0x344, "mip", read_mip, write_mip},
    {0x3a0, "pmpcfg0", read_pmpcfg<0>, write_pmpcfg<0>},
    {0x3a2, "pmpcfg2", read_pmpcfg<1>, write_pmpcfg<1>},
    PMPADDR(0),
    PMPADDR(1),
    PMPADDR(2),
    PMPADDR(3),
    PMPADDR(4),
    PMPADDR(5),
    PMPADDR(6),
    PMPADDR(7),
    PMPADDR(8),
    PMPADDR(9),
    PMPADDR(10),
    PMPADDR(11),
    PMPADDR(12),
    PMPADDR(13),
    PMPADDR(14),
    PMPADDR(15),
    // No triggers: tselect and the type in tdata1 stay zero.
    {0x7a0, "tselect", read_zero, ignore_write},
    {0x7a1, "tdata1", read_zero, ignore_write},
    {0x7a2, "tdata2", read_zero, ignore_write},
    {0x7a3, "tdata3", read_zero, ignore_write},
    {0xb00, "mcycle", read_cycle, write_mcycle},
    {0xb02, "minstret", read_instret, write_minstret},
};

// The table by number, with the performance counters that count nothing.
struct Index {
  Index() {
    constexpr unsigned kFirst = 3, kLast = 31;
    names.reserve(3 * (kLast - kFirst + 1));
    counters.reserve(3 * (kLast - kFirst + 1));
    const auto add_counter = [this](unsigned number, std::string name, bool writable) {
      names.push_back(std::move(name));
      counters.push_back({static_cast<uint16_t>(number), names.back(), read_zero, writable ? ignore_write : nullptr});
    };
    for (unsigned n = kFirst; n <= kLast; ++n) {
      add_counter(0xc00 + n, fmt::format("hpmcounter{}", n), false);
      add_counter(0xb00 + n, fmt::format("mhpmcounter{}", n), true);
      add_counter(0x320 + n, fmt::format("mhpmevent{}", n), true);
    }
    by_number.resize(4096, nullptr);
    for (const Csr& csr : kCsrs) by_number[csr.number] = &csr;
    for (const Csr& csr : counters) by_number[csr.number] = &csr;
  }

  std::vector<std::string> names;
  std::vector<Csr> counters;
  std::vector<const Csr*> by_number;
};

}  // namespace

const Csr* find_csr(unsigned number) {
  static const Index index;
  return number < index.by_number.size() ? index.by_number[number] : nullptr;
}

std::string csr_name(unsigned number) {
  const Csr* csr = find_csr(number);
  return csr != nullptr ? std::string(csr->name) : fmt::format("0x{:x}", number);
}

uint64_t Hart64::cycles() const {
  // An instruction that reads the counter does not count itself.
  return s().mcycle_offset + (s().mcountinhibit & kInhibitCycle ? 0 : instruction_count() - 1);
}

uint64_t Hart64::retired() const {
  return s().minstret_offset + (s().mcountinhibit & kInhibitInstret ? 0 : instruction_count() - 1 - s().not_retired);
}

uint64_t Hart64::time() { return clock_->read_counter_ns(executed_in_turn()) / kNsPerTick; }

std::optional<uint64_t> read_csr_debug(core::Hart& hart, unsigned number) {
  const Csr* csr = find_csr(number);
  if (csr == nullptr) return std::nullopt;
  // Reading `time` for the guest would move the clock's floor, which a debugger must not.
  if (csr->read == read_time) return hart.clock().at(hart.executed_in_turn()) / kNsPerTick;
  return csr->read(static_cast<Hart64&>(hart));
}

bool write_csr_debug(core::Hart& hart, unsigned number, uint64_t value) {
  const Csr* csr = find_csr(number);
  if (csr == nullptr || csr->write == nullptr) return false;
  auto& hart64 = static_cast<Hart64&>(hart);
  csr->write(hart64, value);
  hart64.interrupts_changed();
  return true;
}

}  // namespace lockstep::isa::riscv64
