// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace lockstep::jit {

struct Unit;

// Something in generated code that depends on where the code and what it refers to lie. Translators write code as if it
// ran at Thunks::nominal_base; the same bytes serve another address, engine and process once these are rewritten.
struct Relocation {
  enum class Kind : uint8_t {
    kThunk,    // 4 bytes, the displacement of a call or jump
    kMapping,  // 4 bytes, the mapping number of page `index` of RegionPlan::pages
    kUnit,     // 8 bytes, Unit* with a Leave in its low bits; all others are addresses too
    kLink,     // &Unit::links[index], likewise
    kHeat,     // &BlockProfile::heat
    kTargets,  // BlockProfile::targets
    kHart,     // core::Hart*
    kHelper,   // the function of the hart's helper `index`
  };
  uint32_t at = 0;  // offset in the code
  Kind kind = Kind::kThunk;
  uint8_t leave = 0;  // of kUnit and kLink
  uint16_t index = 0;

  constexpr size_t size_bytes() const { return kind <= Kind::kMapping ? 4 : 8; }
};

}  // namespace lockstep::jit
