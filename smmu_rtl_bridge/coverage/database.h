// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "smmu_rtl_bridge/coverage/plan.h"

namespace lockstep::smmu_rtl_bridge::coverage {

// How often each point of the plan was met, over any number of runs.
class Database {
 public:
  Database() : counts_(Plan::instance().points().size()) {}

  void hit(std::string_view name);
  // Of the files that hold coverage of this plan.
  static std::string_view plan_name();
  uint64_t count(size_t point) const { return counts_[point]; }
  uint64_t runs = 0;
  // Names that a collector met and the plan lacks: a test keeps this empty.
  const std::map<std::string, uint64_t>& unplanned() const { return unplanned_; }

  void merge(const Database& other);

  size_t reached() const;
  // Reached points among all of them, exclusions counted as holes.
  double percent() const;

  // A text file: a line a reached point with its count. Points of a plan that changed since are refused by name.
  std::string text() const;
  static core::Result<Database> parse(std::string_view text, const std::string& name);
  core::Status save(const std::string& path) const;
  static core::Result<Database> load(const std::string& path);

 private:
  std::vector<uint64_t> counts_;
  std::map<std::string, uint64_t> unplanned_;
};

struct TreeOptions {
  unsigned depth = 2;      // levels of the tree that are shown
  bool holes = false;      // names every point that was not met
  std::string below = "";  // only this part of the tree
};
// The plan as a tree with what was reached of each branch.
std::string tree(const Database& database, const TreeOptions& options);
// The same for scripts: totals, chapters and holes.
std::string json(const Database& database);
// docs/smmu-coverage.md.
std::string document();
// `lockstep cosim coverage`: what files of several runs reached together.
core::Result<Database> load_all(std::span<const std::string> paths);

}  // namespace lockstep::smmu_rtl_bridge::coverage
