// SPDX-License-Identifier: Apache-2.0
#include "jit/region.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <unordered_map>

#include "core/ir/builder.h"

namespace lockstep::jit {

using core::ir::Inst;
using core::ir::Op;

namespace {

// Straight runs of blocks become one up to this length.
constexpr unsigned kMaxMergedInstructions = 128;
constexpr uint64_t kLoopWeight = 8;
constexpr uint64_t kMaxWeight = uint64_t{1} << 40;

// Reads a block's bytes where they lie, without the MMU: they were fetched before, and what is looked at here must not
// show in the TLB.
class RamReader : public core::CodeReader {
 public:
  RamReader(core::PhysicalBus& bus, const RegionPlan& plan, const PlannedBlock& planned, const core::ir::Block& block)
      : bus_(bus), plan_(plan), planned_(planned), block_(block) {}

  bool fetch16(uint64_t vaddr, uint16_t& bits) override { return read(vaddr, &bits, sizeof bits); }
  bool fetch8(uint64_t vaddr, uint8_t& byte) override { return read(vaddr, &byte, sizeof byte); }

 private:
  bool read(uint64_t vaddr, void* out, unsigned size_bytes) {
    const bool next_page = ((vaddr ^ planned_.pc) & core::kPageMask) != 0;
    if (next_page && (block_.guest_instructions > 0 || !planned_.spans_pages)) return false;
    const uint64_t paddr = plan_.paddr(vaddr);
    const core::RamWindow* window = bus_.window(paddr);
    if (window == nullptr || !window->contains(paddr, size_bytes)) return false;
    std::memcpy(out, window->host + (paddr - window->base), size_bytes);
    return true;
  }

  core::PhysicalBus& bus_;
  const RegionPlan& plan_;
  const PlannedBlock& planned_;
  const core::ir::Block& block_;
};

bool decode(const RegionPlan& plan, const PlannedBlock& planned, core::Hart& hart, RegionBlock& out) {
  out.spans_pages = planned.spans_pages;
  out.weight = planned.weight;
  out.targets = planned.targets;
  if (planned.part.size > 0) {
    out.parts = {planned.part};
    out.covered = planned.part.record == nullptr || planned.part.record->complete();
  }
  out.ir.pc = planned.pc;
  core::ir::Builder builder(out.ir);
  RamReader reader(hart.bus(), plan, planned, out.ir);
  hart.translate_block(reader, planned.pc, kMaxBlockInstructions, builder);
  return out.ir.code_bytes == planned.size_bytes && out.ir.guest_instructions == planned.guest_instructions;
}

bool follows(const RegionBlock& first, const RegionBlock& second) {
  const Inst& end = first.ir.insts.back();
  return end.op == Op::kJump && end.imm == second.ir.pc && !first.spans_pages && !second.spans_pages &&
         ((first.ir.pc ^ second.ir.pc) & core::kPageMask) == 0 &&
         first.ir.guest_instructions + second.ir.guest_instructions <= kMaxMergedInstructions;
}

void append(RegionBlock& first, const RegionBlock& second) {
  std::vector<Inst>& insts = first.ir.insts;
  insts.pop_back();
  const auto shift = static_cast<core::ir::Value>(insts.size());
  for (Inst i : second.ir.insts) {
    for (unsigned k = 0; k < i.operands; ++k) i.args[k] += shift;
    insts.push_back(i);
  }
  for (CodePart part : second.parts) {
    part.first += first.ir.guest_instructions;
    first.parts.push_back(part);
  }
  first.covered &= second.covered;
  first.ir.guest_instructions += second.ir.guest_instructions;
  first.targets = second.targets;
}

// Joins blocks that only ever follow one another, so that what is known at the end of one is known in the next.
void merge(std::vector<RegionBlock>& blocks) {
  std::unordered_map<uint64_t, unsigned> entries;
  for (const RegionBlock& block : blocks) {
    const Inst& end = block.ir.insts.back();
    if (end.op == Op::kJump || end.op == Op::kBranch) ++entries[end.imm];
    if (end.op == Op::kBranch) ++entries[end.imm2];
    for (uint64_t pc : block.targets) ++entries[pc];
  }
  std::vector<RegionBlock> merged;
  for (RegionBlock& block : blocks) {
    if (!merged.empty() && entries[block.ir.pc] == 1 && follows(merged.back(), block)) {
      append(merged.back(), block);
    } else {
      merged.push_back(std::move(block));
    }
  }
  blocks = std::move(merged);
}

// The blocks from which `back` is reached without passing `head`.
void add_loop(size_t head, size_t back, const std::vector<std::vector<size_t>>& predecessors, std::set<size_t>& loop) {
  loop.insert(head);
  std::vector<size_t> waiting = {back};
  while (!waiting.empty()) {
    const size_t k = waiting.back();
    waiting.pop_back();
    if (!loop.insert(k).second) continue;
    waiting.insert(waiting.end(), predecessors[k].begin(), predecessors[k].end());
  }
}

// Counts end when a block asks for the second tier, so that all of a region may have the same: what is in a loop is
// taken to run more often by a constant for each loop around it.
void weigh_loops(std::vector<RegionBlock>& blocks) {
  std::unordered_map<uint64_t, size_t> index;
  for (size_t k = 0; k < blocks.size(); ++k) index[blocks[k].ir.pc] = k;
  std::vector<std::vector<size_t>> successors(blocks.size()), predecessors(blocks.size());
  const auto add = [&](size_t from, uint64_t pc) {
    const auto to = index.find(pc);
    if (to == index.end()) return;
    successors[from].push_back(to->second);
    predecessors[to->second].push_back(from);
  };
  for (size_t k = 0; k < blocks.size(); ++k) {
    const Inst& end = blocks[k].ir.insts.back();
    if (end.op == Op::kJump || end.op == Op::kBranch) add(k, end.imm);
    if (end.op == Op::kBranch) add(k, end.imm2);
    for (uint64_t pc : blocks[k].targets) add(k, pc);
  }
  // A depth-first walk finds the edges that go back to a block on the way here: the heads of loops.
  enum class Visit : uint8_t { kNew, kOnPath, kDone };
  std::vector<Visit> visits(blocks.size(), Visit::kNew);
  std::vector<std::set<size_t>> loops(blocks.size());  // by head: the blocks inside
  struct Step {
    size_t block;
    size_t next = 0;
  };
  std::vector<Step> path = {{0}};
  visits[0] = Visit::kOnPath;
  while (!path.empty()) {
    Step& step = path.back();
    if (step.next == successors[step.block].size()) {
      visits[step.block] = Visit::kDone;
      path.pop_back();
      continue;
    }
    const size_t to = successors[step.block][step.next++];
    if (visits[to] == Visit::kNew) {
      visits[to] = Visit::kOnPath;
      path.push_back({to});
    } else if (visits[to] == Visit::kOnPath) {
      add_loop(to, step.block, predecessors, loops[to]);
    }
  }
  for (const std::set<size_t>& loop : loops) {
    for (size_t k : loop) blocks[k].weight = std::min(blocks[k].weight * kLoopWeight, kMaxWeight);
  }
}

}  // namespace

Region form_region(const RegionPlan& plan, core::Hart& hart) {
  Region region;
  region.pages = plan.pages;
  for (const PlannedBlock& planned : plan.blocks) {
    RegionBlock block;
    if (!decode(plan, planned, hart, block)) return {};
    region.blocks.push_back(std::move(block));
  }
  merge(region.blocks);
  region.entries = region.blocks.front().weight;
  weigh_loops(region.blocks);
  return region;
}

}  // namespace lockstep::jit
