// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "jit/listing.h"
#include "jit/region.h"
#include "jit/unit.h"
#include "tests/isa_frontends/riscv64/bare_machine.h"
#include "tests/jit/assembler.h"

namespace lockstep::jit {

// A few guest instructions through both tiers, on the way that the engine takes: every block in the first, one region
// in the second. A jump back to its beginning is put behind the pattern. The region of a loop of several instructions
// begins with the loop. Others have a jump to them before, where the region begins, so that they are the body of a loop
// and what they use is worth a register.
class TranslatedPattern {
 public:
  static core::Result<std::unique_ptr<TranslatedPattern>> make(const std::vector<std::string>& lines);

  const Assembled& assembled() const { return assembled_; }

  HostFeatures host = HostFeatures::all();  // for which code is written

  // The code is one hart's of several that run beside one another.
  void set_concurrent() { machine_.hart.set_concurrent(true); }

  // By block, in the order of addresses. Nothing where a block has no host code.
  std::vector<std::optional<Listing>> first_tier();
  std::optional<Listing> second_tier();

  const std::vector<RegionBlock>& blocks() const { return blocks_; }
  const Region& region() const { return region_; }

  std::string print_block(size_t index);
  std::string print_pins();
  // What the passes make of the region, as passes::trace() tells it.
  std::string trace_passes();
  // IR, pins and host code of one block, and of the region.
  std::string describe_block(size_t index);
  std::string describe_region();

  // How many of the blocks end with the jump that was put behind the pattern.
  size_t closing_jumps(const std::vector<RegionBlock>& blocks) const;

 private:
  TranslatedPattern();
  void form_blocks();
  Unit& add_unit(uint64_t pc);
  Region region_of(const Unit& unit, bool alone);
  Translator::Input input(std::span<const RegionBlock> blocks, std::span<const Pin> pins, bool first_tier);

  isa::riscv64::BareMachine machine_;
  Thunks thunks_ = listing_thunks();
  Assembled assembled_;
  std::map<uint64_t, std::unique_ptr<Unit>> units_;
  std::vector<RegionBlock> blocks_;
  Region decoded_, region_;  // before and behind the passes
  std::vector<Pin> pins_;
};

}  // namespace lockstep::jit
