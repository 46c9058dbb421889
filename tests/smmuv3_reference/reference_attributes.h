// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/smmuv3_reference/reference.h"

namespace lockstep::smmuv3_reference {

// Memory attributes as chapter "Attribute Transformation" has them, for the reference alone.

// What the SMMU may put out: no hints where nothing is cached, devices and uncached memory outer shareable.
Attributes tidy(Attributes a);
Level weaker(const Level& a, const Level& b);
// Stage 2's four bits. Its hints are the neutral ones.
Attributes of_four_bits(int code, int sh);
Attributes of_mair(int byte, int sh);
Attributes combined(const Attributes& a, const Attributes& b);
// Stage 2 with FWB: 0b0xx device, 0b110 forces write-back, 0b101 (and the reserved 0b100) non-cacheable, 0b111 stage 1.
Attributes with_fwb(const Attributes& first, int code, int sh);

struct Overrides {
  bool mtcfg = false;
  int memattr = 0, alloccfg = 0, shcfg = 1;
};
Attributes replaced(const Attributes& input, const Overrides& o);

}  // namespace lockstep::smmuv3_reference
