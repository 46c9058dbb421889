// SPDX-License-Identifier: Apache-2.0
#include "tests/smmuv3_reference/reference_attributes.h"

#include <algorithm>

namespace lockstep::smmuv3_reference {
namespace {

Attributes device(int type) {
  Attributes a;
  a.device = true;
  a.device_type = type;
  a.shareability = 2;
  a.inner = a.outer = Level{1, false, false, false};
  return a;
}

void tidy(Level& level) {
  if (level.policy == 1) level.read_allocate = level.write_allocate = level.transient = false;
  if (!level.read_allocate && !level.write_allocate) level.transient = false;
}

int shareability(int code) { return code == 1 ? 0 : code; }

int both_shareabilities(int a, int b) {
  for (int strong : {2, 3})
    if (a == strong || b == strong) return strong;
  return 0;
}

Level of_mair_nibble(int n) {
  if (n == 4) return {1, false, false, false};
  const int kind = n / 4;
  // 00RW write-through transient, 01RW write-back transient, 10RW write-through, 11RW write-back.
  int rw = n % 4;
  if (n == 0) rw = 3;
  return {kind == 1 || kind == 3 ? 3 : 2, rw >= 2, rw % 2 == 1, kind < 2};
}

}  // namespace

Attributes tidy(Attributes a) {
  if (a.device) return device(a.device_type);
  tidy(a.inner);
  tidy(a.outer);
  if (a.inner.policy == 1 && a.outer.policy == 1) a.shareability = 2;
  return a;
}

// Stage 2's four bits. Its hints are the neutral ones.

Attributes of_four_bits(int code, int sh) {
  const int outer = code / 4, inner = code % 4;
  if (outer == 0) return device(inner);
  if (inner == 0) return device(0);
  Attributes a;
  a.outer.policy = outer;
  a.inner.policy = inner;
  a.shareability = shareability(sh);
  return a;
}

Attributes of_mair(int byte, int sh) {
  if (byte < 16) return device(byte / 4);
  Attributes a;
  a.outer = of_mair_nibble(byte / 16);
  a.inner = of_mair_nibble(byte % 16);
  a.shareability = shareability(sh);
  return tidy(a);
}

Level weaker(const Level& a, const Level& b) {
  return {std::min(a.policy, b.policy), a.read_allocate && b.read_allocate, a.write_allocate && b.write_allocate,
          a.transient || b.transient};
}

Attributes combined(const Attributes& a, const Attributes& b) {
  if (a.device && b.device) return device(std::min(a.device_type, b.device_type));
  if (a.device) return device(a.device_type);
  if (b.device) return device(b.device_type);
  Attributes c;
  c.inner = weaker(a.inner, b.inner);
  c.outer = weaker(a.outer, b.outer);
  c.shareability = both_shareabilities(a.shareability, b.shareability);
  return tidy(c);
}

// Stage 2 with FWB: 0b0xx device, 0b110 forces write-back, 0b101 (and the reserved 0b100) non-cacheable, 0b111 stage 1.

Attributes with_fwb(const Attributes& first, int code, int sh) {
  code %= 8;
  const int shared = both_shareabilities(first.shareability, shareability(sh));
  if (code < 4) return device(first.device ? std::min(first.device_type, code) : code);
  Attributes a = first;
  if (code == 6) {
    a.device = false;
    a.device_type = 0;
    for (auto level : {&Attributes::inner, &Attributes::outer}) {
      const Level before = first.*level;
      a.*level = Level{};
      if (!first.device && before.policy != 1) {
        (a.*level) = before;
        (a.*level).policy = 3;
      }
    }
  } else if (code < 6 && !first.device) {
    a.inner.policy = a.outer.policy = 1;
  }
  a.shareability = shared;
  return tidy(a);
}

Attributes replaced(const Attributes& input, const Overrides& o) {
  Attributes a = input;
  if (o.mtcfg) {
    a = of_four_bits(o.memattr, 0);
    if (!a.device) {
      a.shareability = input.shareability;
      // A level that had no hints gets the defaults: allocate on both, not transient.
      for (auto level : {&Attributes::inner, &Attributes::outer}) {
        if (input.device || (input.*level).policy == 1) continue;
        const int policy = (a.*level).policy;
        a.*level = input.*level;
        (a.*level).policy = policy;
      }
    }
  }
  if (o.alloccfg >= 8)
    for (auto level : {&Attributes::inner, &Attributes::outer}) {
      (a.*level).read_allocate = o.alloccfg & 4;
      (a.*level).write_allocate = o.alloccfg & 2;
      (a.*level).transient = o.alloccfg & 1;
    }
  if (o.shcfg != 1) a.shareability = o.shcfg;
  return a;
}

}  // namespace lockstep::smmuv3_reference
