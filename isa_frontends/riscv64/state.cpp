// SPDX-License-Identifier: Apache-2.0
#include "isa_frontends/riscv64/state.h"

#pragma GCC diagnostic ignored "-Winvalid-offsetof"

namespace lockstep::isa::riscv64 {
namespace {

#define X(n) \
  { "x" #n, x_offset(n), 8, true }
#define F(n) \
  { "f" #n, f_offset(n), 8, true }
#define FIELD(name) \
  { #name, offsetof(State64, name), sizeof(State64::name), true }
#define ELEMENT(name, n) \
  { #name #n, static_cast < uint32_t>(offsetof(State64, name) + 8 * (n)), 8, true }
#define DERIVED(name) \
  { #name, offsetof(State64, name), sizeof(State64::name), false }

constexpr core::StateField kFields[] = {
    FIELD(pc),
    X(0),
    X(1),
    X(2),
    X(3),
    X(4),
    X(5),
    X(6),
    X(7),
    X(8),
    X(9),
    X(10),
    X(11),
    X(12),
    X(13),
    X(14),
    X(15),
    X(16),
    X(17),
    X(18),
    X(19),
    X(20),
    X(21),
    X(22),
    X(23),
    X(24),
    X(25),
    X(26),
    X(27),
    X(28),
    X(29),
    X(30),
    X(31),
    F(0),
    F(1),
    F(2),
    F(3),
    F(4),
    F(5),
    F(6),
    F(7),
    F(8),
    F(9),
    F(10),
    F(11),
    F(12),
    F(13),
    F(14),
    F(15),
    F(16),
    F(17),
    F(18),
    F(19),
    F(20),
    F(21),
    F(22),
    F(23),
    F(24),
    F(25),
    F(26),
    F(27),
    F(28),
    F(29),
    F(30),
    F(31),
    FIELD(fp_flags),
    FIELD(fp_rounding),
    FIELD(privilege),
    FIELD(mstatus),
    FIELD(medeleg),
    FIELD(mideleg),
    FIELD(mie),
    FIELD(mip_software),
    FIELD(interrupt_lines),
    FIELD(mtvec),
    FIELD(mcounteren),
    FIELD(mcountinhibit),
    FIELD(mscratch),
    FIELD(mepc),
    FIELD(mcause),
    FIELD(mtval),
    FIELD(menvcfg),
    FIELD(stvec),
    FIELD(scounteren),
    FIELD(sscratch),
    FIELD(sepc),
    FIELD(scause),
    FIELD(stval),
    FIELD(senvcfg),
    FIELD(satp),
    ELEMENT(pmpcfg, 0),
    ELEMENT(pmpcfg, 1),
    ELEMENT(pmpaddr, 0),
    ELEMENT(pmpaddr, 1),
    ELEMENT(pmpaddr, 2),
    ELEMENT(pmpaddr, 3),
    ELEMENT(pmpaddr, 4),
    ELEMENT(pmpaddr, 5),
    ELEMENT(pmpaddr, 6),
    ELEMENT(pmpaddr, 7),
    ELEMENT(pmpaddr, 8),
    ELEMENT(pmpaddr, 9),
    ELEMENT(pmpaddr, 10),
    ELEMENT(pmpaddr, 11),
    ELEMENT(pmpaddr, 12),
    ELEMENT(pmpaddr, 13),
    ELEMENT(pmpaddr, 14),
    ELEMENT(pmpaddr, 15),
    FIELD(mcycle_offset),
    FIELD(minstret_offset),
    FIELD(not_retired),
    DERIVED(reservation_valid),
    DERIVED(reservation_address),
};

}  // namespace

const core::StateLayout& state_layout() {
  static constexpr core::StateLayout kLayout{"riscv64", kFields, sizeof(State64)};
  return kLayout;
}

}  // namespace lockstep::isa::riscv64
