// SPDX-License-Identifier: Apache-2.0
#include "tests/jit/translated_pattern.h"

#include <algorithm>

#include "core/ir/builder.h"
#include "core/ir/text.h"
#include "jit/passes/passes.h"
#include "jit/passes/trace.h"

namespace lockstep::jit {

namespace {

using core::ir::Op;
using isa::riscv64::kRamBase;

constexpr int32_t kThreshold = 4000;
constexpr uint64_t kPattern = kRamBase + 4;

class BusReader : public core::CodeReader {
 public:
  explicit BusReader(isa::riscv64::FlatBus& bus) : bus_(bus) {}
  bool fetch16(uint64_t vaddr, uint16_t& bits) override {
    bits = bus_.peek<uint16_t>(vaddr);
    return true;
  }
  bool fetch8(uint64_t vaddr, uint8_t& byte) override {
    byte = bus_.peek<uint8_t>(vaddr);
    return true;
  }

 private:
  isa::riscv64::FlatBus& bus_;
};

// `jal zero` from one address to another.
uint32_t jump(uint64_t from, uint64_t to) {
  const auto d = static_cast<uint32_t>(to - from);
  return (d >> 20 & 1) << 31 | (d >> 1 & 0x3ff) << 21 | (d >> 11 & 1) << 20 | (d >> 12 & 0xff) << 12 | 0x6f;
}

uint64_t last_instruction(const core::ir::Block& block) {
  const auto last =
      std::find_if(block.insts.rbegin(), block.insts.rend(), [](const auto& i) { return i.op == Op::kInsn; });
  return last->imm;
}

}  // namespace

TranslatedPattern::TranslatedPattern() {
  machine_.hart.s().mstatus |= isa::riscv64::kStatusFs;
  machine_.hart.state_restored();
}

core::Result<std::unique_ptr<TranslatedPattern>> TranslatedPattern::make(const std::vector<std::string>& lines) {
  auto assembled = assemble(lines, kPattern);
  if (!assembled) return assembled.error();
  std::unique_ptr<TranslatedPattern> pattern(new TranslatedPattern());
  pattern->assembled_ = std::move(*assembled);
  for (const AssembledInstruction& i : pattern->assembled_.instructions) {
    if (i.length == 2) {
      pattern->machine_.bus.poke<uint16_t>(i.pc, static_cast<uint16_t>(i.word));
    } else {
      pattern->machine_.bus.poke<uint32_t>(i.pc, i.word);
    }
  }
  const uint64_t end = pattern->assembled_.end;
  pattern->machine_.bus.poke<uint32_t>(kRamBase, jump(kRamBase, kPattern));
  pattern->machine_.bus.poke<uint32_t>(end, jump(end, kPattern));
  pattern->form_blocks();
  return pattern;
}

void TranslatedPattern::form_blocks() {
  std::vector<uint64_t> waiting = {kRamBase};
  std::vector<uint64_t> returns;
  for (const AssembledInstruction& i : assembled_.instructions) {
    const bool calls = i.text.starts_with("jal ra") || i.text.starts_with("jalr ra") || i.text.starts_with("c.jalr");
    if (calls) returns.push_back(i.pc + i.length);
  }
  while (!waiting.empty()) {
    const uint64_t pc = waiting.back();
    waiting.pop_back();
    if (pc < kRamBase || pc > assembled_.end || units_.contains(pc)) continue;
    Unit& unit = add_unit(pc);
    for (const BlockProfile::Edge& edge : unit.profile.edges) waiting.push_back(edge.pc);
    if (unit.profile.targets == nullptr) continue;
    for (size_t k = 0; k < std::min(returns.size(), unit.profile.targets->size()); ++k) {
      (*unit.profile.targets)[k] = returns[k];
      waiting.push_back(returns[k]);
    }
  }
  for (const auto& [pc, unit] : units_) {
    if (pc != kRamBase) blocks_.push_back(std::move(region_of(*unit, true).blocks.front()));
  }
  const bool begins_with_loop = std::any_of(blocks_.begin(), blocks_.end(), [&](const RegionBlock& block) {
    const core::ir::Inst& end = block.ir.insts.back();
    return assembled_.instructions.size() > 1 && end.op == Op::kBranch && (end.imm == kPattern || end.imm2 == kPattern);
  });
  region_ = region_of(*units_.at(begins_with_loop ? kPattern : kRamBase), false);
  decoded_ = region_;
  passes::optimise(region_,
                   {.layout = machine_.hart.layout(), .helpers = machine_.hart.helpers(), .joint_checks = true});
  pins_ = choose_pins(region_, (machine_.hart.layout().size_bytes + 7) / 8);
}

Unit& TranslatedPattern::add_unit(uint64_t pc) {
  core::ir::Block block;
  block.pc = pc;
  core::ir::Builder builder(block);
  BusReader reader(machine_.bus);
  machine_.hart.translate_block(reader, pc, kMaxBlockInstructions, builder);
  auto unit = std::make_unique<Unit>();
  unit->pc = unit->paddr = pc;
  unit->code_key = machine_.hart.code_key();
  unit->mapping[0] = 1;
  unit->profile.first_heat = kThreshold;
  unit->size_bytes = static_cast<uint32_t>(block.code_bytes);
  unit->guest_instructions = block.guest_instructions;
  const core::ir::Inst& end = block.insts.back();
  if (end.op == Op::kJump || end.op == Op::kBranch) unit->profile.edges[0] = {end.imm, end.imm};
  if (end.op == Op::kBranch) unit->profile.edges[1] = {end.imm2, end.imm2};
  if (end.op == Op::kJumpIndirect) {
    unit->profile.targets = std::make_shared<BlockProfile::Targets>();
    unit->profile.targets->fill(BlockProfile::kUnknown);
  }
  return *(units_[pc] = std::move(unit));
}

Region TranslatedPattern::region_of(const Unit& unit, bool alone) {
  const auto find = [&](uint64_t pc, uint64_t) -> const Unit* {
    const auto it = units_.find(pc);
    return alone || it == units_.end() ? nullptr : it->second.get();
  };
  return form_region(plan_region(unit, kThreshold, find), machine_.hart);
}

Translator::Input TranslatedPattern::input(std::span<const RegionBlock> blocks, std::span<const Pin> pins,
                                           bool first_tier) {
  return {.blocks = blocks,
          .pages = region_.pages,
          .pins = pins,
          .profiled = first_tier,
          .joint_checks = !first_tier,
          .helpers = machine_.hart.helpers(),
          .hart = machine_.hart,
          .thunks = thunks_,
          .rounding = 0,
          .state_words = (machine_.hart.layout().size_bytes + 7) / 8,
          .host = host};
}

std::vector<std::optional<Listing>> TranslatedPattern::first_tier() {
  std::vector<std::optional<Listing>> listings;
  for (const RegionBlock& block : blocks_) listings.push_back(list_code(input({&block, 1}, {}, true)));
  return listings;
}

std::optional<Listing> TranslatedPattern::second_tier() { return list_code(input(region_.blocks, pins_, false)); }

std::string TranslatedPattern::print_block(size_t index) {
  return core::ir::print(blocks_[index].ir, {.layout = &machine_.hart.layout(), .helpers = machine_.hart.helpers()});
}

std::string TranslatedPattern::print_pins() { return jit::print_pins(pins_, machine_.hart.layout()); }

std::string TranslatedPattern::describe_block(size_t index) {
  return print_block(index) + describe_translation(input({&blocks_[index], 1}, {}, true));
}

std::string TranslatedPattern::trace_passes() {
  Region region = decoded_;
  return passes::trace(region,
                       {.layout = machine_.hart.layout(), .helpers = machine_.hart.helpers(), .joint_checks = true});
}

std::string TranslatedPattern::describe_region() {
  const core::ir::Names names{.layout = &machine_.hart.layout(), .helpers = machine_.hart.helpers()};
  return print_blocks(decoded_.blocks, names) + trace_passes() +
         describe_translation(input(region_.blocks, pins_, false));
}

size_t TranslatedPattern::closing_jumps(const std::vector<RegionBlock>& blocks) const {
  return static_cast<size_t>(std::count_if(blocks.begin(), blocks.end(), [&](const RegionBlock& block) {
    return last_instruction(block.ir) == assembled_.end;
  }));
}

}  // namespace lockstep::jit
