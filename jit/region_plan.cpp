// SPDX-License-Identifier: Apache-2.0
#include "jit/region_plan.h"

#include <algorithm>
#include <unordered_map>

namespace lockstep::jit {

namespace {

// Blocks that ran less than this part of the head's executions stay out.
constexpr uint64_t kRareness = 8;

class Planner {
 public:
  Planner(int32_t threshold, const std::function<const Unit*(uint64_t, uint64_t)>& find)
      : threshold_(threshold), find_(find) {}

  RegionPlan plan(const Unit& head) {
    gather(head);
    for (size_t k : layout()) {
      const Unit& unit = *units_[k];
      PlannedBlock block{unit.pc, unit.size_bytes, unit.guest_instructions, unit.spans_pages, weight(unit), {}};
      if (unit.profile.targets != nullptr) {
        for (uint64_t pc : *unit.profile.targets) {
          if (pc != BlockProfile::kUnknown && index_.contains(pc)) block.targets.push_back(pc);
        }
      }
      plan_.blocks.push_back(std::move(block));
    }
    return std::move(plan_);
  }

 private:
  uint64_t weight(const Unit& unit) const {
    const bool asked = unit.is_region || unit.profile.heat == BlockProfile::kNeverHot;
    const int32_t ran = asked ? threshold_ : unit.profile.first_heat - std::max(unit.profile.heat, 0);
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
      if (index_.contains(unit->pc) || !takes_pages_of(*unit)) continue;
      if (instructions + unit->guest_instructions > kMaxRegionInstructions) continue;
      instructions += unit->guest_instructions;
      add_page(unit->pc, unit->paddr, unit->mapping[0]);
      if (unit->spans_pages) add_page(unit->pc + core::kPageSize, unit->second_ppage, unit->mapping[1]);
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

  bool takes_page(uint64_t vaddr, uint64_t paddr, uint32_t mapping) const {
    const PlannedPage* page = plan_.page(vaddr);
    return page == nullptr || (page->ppage == (paddr & core::kPageMask) && page->mapping == mapping);
  }
  bool takes_pages_of(const Unit& unit) const {
    return takes_page(unit.pc, unit.paddr, unit.mapping[0]) &&
           (!unit.spans_pages || takes_page(unit.pc + core::kPageSize, unit.second_ppage, unit.mapping[1]));
  }
  void add_page(uint64_t vaddr, uint64_t paddr, uint32_t mapping) {
    if (plan_.page(vaddr) == nullptr) {
      plan_.pages.push_back({vaddr & core::kPageMask, paddr & core::kPageMask, mapping});
    }
  }

  int32_t threshold_;
  const std::function<const Unit*(uint64_t, uint64_t)>& find_;
  RegionPlan plan_;
  std::vector<const Unit*> units_;
  std::unordered_map<uint64_t, size_t> index_;
};

}  // namespace

const PlannedPage* RegionPlan::page(uint64_t vaddr) const {
  const auto it = std::find_if(pages.begin(), pages.end(),
                               [&](const PlannedPage& p) { return p.vpage == (vaddr & core::kPageMask); });
  return it == pages.end() ? nullptr : &*it;
}

uint64_t RegionPlan::paddr(uint64_t vaddr) const {
  const PlannedPage* found = page(vaddr);
  return found == nullptr ? 0 : found->ppage | (vaddr & ~core::kPageMask);
}

RegionPlan plan_of(const Unit& unit) {
  return plan_region(unit, 1, [](uint64_t, uint64_t) { return nullptr; });
}

RegionPlan plan_region(const Unit& head, int32_t threshold,
                       const std::function<const Unit*(uint64_t pc, uint64_t paddr)>& find) {
  return Planner(threshold, find).plan(head);
}

}  // namespace lockstep::jit
