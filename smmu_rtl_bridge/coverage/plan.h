// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace lockstep::smmu_rtl_bridge::coverage {

// Why a point of the plan cannot be reached: the points keep their place in the plan and count as holes in the figure
// before exclusions.
struct Exclusion {
  const char* name;
  const char* reason;
};
std::span<const Exclusion> exclusions();

// Something that verification must have seen, named by its way in a tree: "events/F_TRANSLATION/stage1-IN/read/...".
struct Point {
  std::string name;
  const Exclusion* exclusion = nullptr;
};

// All points, generated from the tables of registers, commands, events, ILLEGAL conditions and regimes.
class Plan {
 public:
  static constexpr size_t kNone = ~size_t{0};
  static const Plan& instance();

  std::span<const Point> points() const { return points_; }
  // The place of a point, or kNone.
  size_t find(std::string_view name) const;
  // What a chapter, the first part of a name, is about.
  static const char* chapter_text(std::string_view chapter);

 private:
  friend class Planner;
  Plan();
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::vector<Point> points_;
  std::unordered_map<std::string, size_t, Hash, std::equal_to<>> places_;
};

using Axis = std::vector<std::string>;

// What chapters add their points with.
class Planner {
 public:
  explicit Planner(Plan& plan) : plan_(plan) {}
  void add(const std::string& name);
  // All combinations of one value of each axis below `root` for which `possible` holds.
  void cross(const std::string& root, const std::vector<Axis>& axes,
             const std::function<bool(const std::vector<std::string>&)>& possible = {});

 private:
  Plan& plan_;
};

// The chapters; each lies beside the code that collects it, so that both read the same tables.
void plan_registers(Planner& planner);
void plan_commands(Planner& planner);
void plan_events(Planner& planner);
void plan_configuration(Planner& planner);
void plan_walks(Planner& planner);
void plan_access(Planner& planner);
void plan_invalidation(Planner& planner);
void plan_stalls(Planner& planner);
void plan_ats(Planner& planner);
void plan_interrupts(Planner& planner);

}  // namespace lockstep::smmu_rtl_bridge::coverage
