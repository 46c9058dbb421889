// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/coverage/plan.h"

#include <stdexcept>

namespace lockstep::smmu_rtl_bridge::coverage {

std::span<const Exclusion> exclusions() { return {}; }

Plan::Plan() {
  Planner planner(*this);
  plan_registers(planner);
  plan_commands(planner);
  plan_events(planner);
  plan_configuration(planner);
  plan_walks(planner);
  plan_access(planner);
  plan_invalidation(planner);
  plan_stalls(planner);
  plan_ats(planner);
  plan_interrupts(planner);
}

const Plan& Plan::instance() {
  static const Plan kPlan;
  return kPlan;
}

size_t Plan::find(std::string_view name) const {
  const auto place = places_.find(name);
  return place == places_.end() ? kNone : place->second;
}

const char* Plan::chapter_text(std::string_view chapter) {
  struct Text {
    const char* chapter;
    const char* text;
  };
  static constexpr Text kTexts[] = {
      {"registers", "each register read and written, reserved bits set, guarded writes, what each field does"},
      {"commands", "each opcode with its fields, with each illegality, in each state of the queue"},
      {"events", "each record by class, stage and access, and what became of it"},
      {"illegal", "each ILLEGAL condition of stream table entries and context descriptors, alone"},
      {"structures", "stream tables and context tables of each format, substreams and their default"},
      {"regimes", "StreamWorlds, halves, granules, leaves, endianness of both stages"},
      {"walks", "start levels, input sizes, concatenated tables, faults at each level and stage"},
      {"httu", "hardware updates of access flag and dirty state"},
      {"permissions", "what descriptors permit and what was asked"},
      {"attributes", "memory types of both stages, their combination, overrides, attributes of walks"},
      {"invalidation", "each invalidation and what had been used before it"},
      {"stalls", "stalled transactions and what ended them"},
      {"ats", "translation requests, translated transactions, ATC invalidations"},
      {"pri", "page requests, their queue, their responses"},
      {"interrupts", "wires and messages of each source, global errors"},
  };
  for (const Text& text : kTexts)
    if (chapter == text.chapter) return text.text;
  return "";
}

void Planner::add(const std::string& name) {
  const auto [place, fresh] = plan_.places_.emplace(name, plan_.points_.size());
  if (!fresh) throw std::logic_error("a point of the coverage plan has two places: " + name);
  plan_.points_.push_back({name, nullptr});
}

void Planner::cross(const std::string& root, const std::vector<Axis>& axes,
                    const std::function<bool(const std::vector<std::string>&)>& possible) {
  std::vector<std::string> values(axes.size());
  const std::function<void(size_t)> choose = [&](size_t axis) {
    if (axis == axes.size()) {
      if (possible && !possible(values)) return;
      std::string name = root;
      for (const std::string& value : values) name += "/" + value;
      add(name);
      return;
    }
    for (const std::string& value : axes[axis]) {
      values[axis] = value;
      choose(axis + 1);
    }
  };
  choose(0);
}

}  // namespace lockstep::smmu_rtl_bridge::coverage
