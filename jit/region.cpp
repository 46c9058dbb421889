// SPDX-License-Identifier: Apache-2.0
#include "jit/region.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <unordered_map>

#include "core/ir/builder.h"

namespace lockstep::jit {

using core::ir::Inst;
using core::ir::kNoValue;
using core::ir::Op;

namespace {

// Blocks that ran less than this part of the head's executions stay out.
constexpr uint64_t kRareness = 8;
// Straight runs of blocks become one up to this length.
constexpr unsigned kMaxMergedInstructions = 128;
constexpr uint64_t kLoopWeight = 8;
constexpr uint64_t kMaxWeight = uint64_t{1} << 40;

// Reads a unit's bytes where they lie, without the MMU: they were fetched before, and what is looked at here must not
// show in the TLB.
class RamReader : public core::CodeReader {
 public:
  RamReader(core::PhysicalBus& bus, const Unit& unit, const core::ir::Block& block)
      : bus_(bus), unit_(unit), block_(block) {}

  bool fetch16(uint64_t vaddr, uint16_t& bits) override { return read(vaddr, &bits, sizeof bits); }
  bool fetch8(uint64_t vaddr, uint8_t& byte) override { return read(vaddr, &byte, sizeof byte); }

 private:
  bool read(uint64_t vaddr, void* out, unsigned size_bytes) {
    const bool next_page = ((vaddr ^ unit_.pc) & core::kPageMask) != 0;
    if (next_page && (block_.guest_instructions > 0 || !unit_.spans_pages)) return false;
    const uint64_t paddr =
        (next_page ? unit_.second_ppage : unit_.paddr & core::kPageMask) | (vaddr & ~core::kPageMask);
    const core::RamWindow* window = bus_.window(paddr);
    if (window == nullptr || !window->contains(paddr, size_bytes)) return false;
    std::memcpy(out, window->host + (paddr - window->base), size_bytes);
    return true;
  }

  core::PhysicalBus& bus_;
  const Unit& unit_;
  const core::ir::Block& block_;
};

class Former {
 public:
  Former(core::Hart& hart, int32_t threshold, const std::function<const Unit*(uint64_t, uint64_t)>& find)
      : hart_(hart), threshold_(threshold), find_(find) {}

  Region form(const Unit& head) {
    gather(head);
    Region region;
    for (size_t k : layout()) {
      const Unit& unit = *units_[k];
      RegionBlock block;
      if (!decode(unit, block)) {
        if (&unit == &head) return {};
        continue;
      }
      if (&unit != &head) unit.each_first_range([&](const core::CodeRange& r) { region.inlined.push_back(r); });
      region.blocks.push_back(std::move(block));
    }
    merge(region.blocks);
    region.entries = region.blocks.front().weight;
    weigh_loops(region.blocks);
    return region;
  }

 private:
  uint64_t weight(const Unit& unit) const {
    const bool asked = unit.is_region || unit.profile.heat == BlockProfile::kNeverHot;
    const int32_t ran = asked ? threshold_ : threshold_ - std::max(unit.profile.heat, 0);
    return static_cast<uint64_t>(std::clamp(ran, 1, threshold_));
  }

  void successors(const Unit& unit, std::vector<const Unit*>& out) const {
    const auto add = [&](uint64_t pc, uint64_t paddr) {
      const Unit* found = find_(pc, paddr);
      if (found != nullptr && !found->interpreted && found->mapping[0] != 0) out.push_back(found);
    };
    for (const BlockProfile::Edge& edge : unit.profile.edges) {
      if (edge.pc != BlockProfile::kUnknown) add(edge.pc, edge.paddr);
    }
    if (unit.profile.targets == nullptr) return;
    for (uint64_t pc : *unit.profile.targets) {
      if (pc == BlockProfile::kUnknown) continue;
      const bool near = ((pc ^ unit.pc) & core::kPageMask) == 0;
      add(pc, near ? (unit.paddr & core::kPageMask) | (pc & ~core::kPageMask) : BlockProfile::kUnknown);
    }
  }

  void gather(const Unit& head) {
    const uint64_t least = std::max<uint64_t>(weight(head) / kRareness, 1);
    std::vector<const Unit*> waiting = {&head};
    unsigned instructions = 0;
    while (!waiting.empty() && units_.size() < kMaxRegionBlocks) {
      const auto heaviest = std::max_element(waiting.begin(), waiting.end(),
                                             [&](const Unit* a, const Unit* b) { return weight(*a) < weight(*b); });
      const Unit* unit = *heaviest;
      waiting.erase(heaviest);
      if (index_.contains(unit->pc)) continue;
      if (instructions + unit->guest_instructions > kMaxRegionInstructions) continue;
      instructions += unit->guest_instructions;
      index_[unit->pc] = units_.size();
      units_.push_back(unit);
      std::vector<const Unit*> next;
      successors(*unit, next);
      for (const Unit* successor : next) {
        if (weight(*successor) >= least && !index_.contains(successor->pc)) waiting.push_back(successor);
      }
    }
  }

  // A block is followed by the heaviest of its successors that has no place yet.
  std::vector<size_t> layout() const {
    std::vector<size_t> order;
    std::vector<bool> placed(units_.size());
    for (size_t first = 0; first < units_.size(); ++first) {
      for (size_t k = first; k < units_.size() && !placed[k];) {
        placed[k] = true;
        order.push_back(k);
        std::vector<const Unit*> next;
        successors(*units_[k], next);
        size_t best = units_.size();
        for (const Unit* unit : next) {
          const auto it = index_.find(unit->pc);
          if (it == index_.end() || placed[it->second]) continue;
          if (best == units_.size() || weight(*unit) > weight(*units_[best])) best = it->second;
        }
        k = best;
      }
    }
    return order;
  }

  bool decode(const Unit& unit, RegionBlock& out) const {
    out.paddr = unit.paddr;
    out.second_ppage = unit.second_ppage;
    out.spans_pages = unit.spans_pages;
    out.mapping = unit.mapping;
    out.weight = weight(unit);
    out.ir.pc = unit.pc;
    core::ir::Builder builder(out.ir);
    RamReader reader(hart_.bus(), unit, out.ir);
    hart_.translate_block(reader, unit.pc, kMaxBlockInstructions, builder);
    if (unit.profile.targets != nullptr) {
      for (uint64_t pc : *unit.profile.targets) {
        if (pc != BlockProfile::kUnknown && index_.contains(pc)) out.targets.push_back(pc);
      }
    }
    if (!unit.parts.empty()) {
      const CodePart& part = unit.parts.front().front();
      out.parts.push_back(part);
      out.covered = part.record == nullptr || part.record->complete();
    }
    return out.ir.code_bytes == unit.size_bytes && out.ir.guest_instructions == unit.guest_instructions;
  }

  // Joins blocks that only ever follow one another, so that what is known at the end of one is known in the next.
  static void merge(std::vector<RegionBlock>& blocks) {
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

  // Counts end when a block asks for the second tier, so that all of a region may have the same: what is in a loop is
  // taken to run more often by a constant for each loop around it.
  static void weigh_loops(std::vector<RegionBlock>& blocks) {
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

  // The blocks from which `back` is reached without passing `head`.
  static void add_loop(size_t head, size_t back, const std::vector<std::vector<size_t>>& predecessors,
                       std::set<size_t>& loop) {
    loop.insert(head);
    std::vector<size_t> waiting = {back};
    while (!waiting.empty()) {
      const size_t k = waiting.back();
      waiting.pop_back();
      if (!loop.insert(k).second) continue;
      waiting.insert(waiting.end(), predecessors[k].begin(), predecessors[k].end());
    }
  }

  static bool follows(const RegionBlock& first, const RegionBlock& second) {
    const Inst& end = first.ir.insts.back();
    return end.op == Op::kJump && end.imm == second.ir.pc && !first.spans_pages && !second.spans_pages &&
           ((first.ir.pc ^ second.ir.pc) & core::kPageMask) == 0 &&
           ((first.paddr ^ second.paddr) & core::kPageMask) == 0 &&
           first.ir.guest_instructions + second.ir.guest_instructions <= kMaxMergedInstructions;
  }

  static void append(RegionBlock& first, const RegionBlock& second) {
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

  core::Hart& hart_;
  int32_t threshold_;
  const std::function<const Unit*(uint64_t, uint64_t)>& find_;
  std::vector<const Unit*> units_;
  std::unordered_map<uint64_t, size_t> index_;
};

}  // namespace

Region form_region(const Unit& head, core::Hart& hart, int32_t threshold,
                   const std::function<const Unit*(uint64_t pc, uint64_t paddr)>& find) {
  return Former(hart, threshold, find).form(head);
}

}  // namespace lockstep::jit
