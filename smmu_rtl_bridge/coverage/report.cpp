// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <sstream>

#include "smmu_rtl_bridge/coverage/database.h"

namespace lockstep::smmu_rtl_bridge::coverage {
namespace {

// A branch of the plan; children in the plan's order.
struct Branch {
  std::string name;
  size_t points = 0;
  size_t reached = 0;
  std::vector<std::unique_ptr<Branch>> children;

  Branch& child(std::string_view child_name) {
    for (const auto& c : children)
      if (c->name == child_name) return *c;
    children.push_back(std::make_unique<Branch>());
    children.back()->name = child_name;
    return *children.back();
  }
};

void insert(Branch& root, std::string_view name, bool reached) {
  Branch* at = &root;
  for (;;) {
    ++at->points;
    at->reached += reached;
    if (name.empty()) return;
    const size_t slash = name.find('/');
    at = &at->child(name.substr(0, slash));
    name = slash == std::string_view::npos ? std::string_view{} : name.substr(slash + 1);
  }
}

double percent(size_t part, size_t whole) {
  return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

bool is_below(std::string_view name, std::string_view root) {
  return root.empty() || (name.starts_with(root) && (name.size() == root.size() || name[root.size()] == '/'));
}

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

}  // namespace

std::string tree(const Database& database, const TreeOptions& options) {
  const auto points = Plan::instance().points();
  Branch root;
  root.name = "plan";
  for (size_t i = 0; i < points.size(); ++i)
    if (is_below(points[i].name, options.below)) insert(root, points[i].name, database.count(i) != 0);
  std::ostringstream out;
  const std::function<void(const Branch&, unsigned)> show = [&](const Branch& branch, unsigned level) {
    char figures[64];
    std::snprintf(figures, sizeof figures, "%6.1f %%  %5zu/%-5zu ", percent(branch.reached, branch.points),
                  branch.reached, branch.points);
    out << figures << std::string(2 * size_t{level}, ' ') << branch.name << "\n";
    if (level == options.depth) return;
    // A branch of single points says no more than its figure.
    for (const auto& child : branch.children)
      if (level + 1 < options.depth || !child->children.empty()) show(*child, level + 1);
  };
  show(root, 0);
  if (options.holes) {
    out << "holes:\n";
    for (size_t i = 0; i < points.size(); ++i) {
      if (database.count(i) != 0 || !is_below(points[i].name, options.below)) continue;
      out << "  " << points[i].name;
      if (points[i].exclusion) out << "  (excluded: " << points[i].exclusion->name << ")";
      out << "\n";
    }
  }
  return out.str();
}

std::string json(const Database& database) {
  const auto points = Plan::instance().points();
  std::map<std::string, std::pair<size_t, size_t>> chapters;
  std::ostringstream holes;
  for (size_t i = 0; i < points.size(); ++i) {
    auto& [reached, all] = chapters[points[i].name.substr(0, points[i].name.find('/'))];
    ++all;
    reached += database.count(i) != 0;
    if (database.count(i) == 0) holes << (holes.tellp() == 0 ? "" : ",") << quoted(points[i].name);
  }
  std::ostringstream out;
  out << "{\"runs\":" << database.runs << ",\"points\":" << points.size() << ",\"reached\":" << database.reached()
      << ",\"chapters\":{";
  bool first = true;
  for (const auto& [name, figures] : chapters) {
    out << (first ? "" : ",") << quoted(name) << ":{\"points\":" << figures.second << ",\"reached\":" << figures.first
        << "}";
    first = false;
  }
  out << "},\"holes\":[" << holes.str() << "]}";
  return out.str();
}

std::string document() {
  const auto points = Plan::instance().points();
  std::ostringstream out;
  out << "<!-- SPDX-License-Identifier: Apache-2.0 -->\n"
         "# Functional coverage of SMMUs\n\n"
         "What verification of an SMMUv3 must have seen, whatever the device under test: "
      << points.size()
      << " points, generated from\nthe tables of registers, commands, events, ILLEGAL conditions and regimes in "
         "`smmu_rtl_bridge/coverage/`. This file is\nwritten from them by\n\n"
         "    LOCKSTEP_UPDATE_DOCUMENT=1 build/release/tests/smmu_rtl_bridge/coverage/smmu_coverage_plan_test\n\n"
         "`lockstep cosim smmu --coverage FILE` collects, `lockstep cosim coverage FILE...` merges files and shows the "
         "tree. A\ncollector watches the pins alone; levels, granules and broken rules it takes from the model's core, "
         "run without caches\non the memory that the pins have shown.\n\n"
         "Names are ways in a tree. Braces list what a place in the name takes, one point each.\n";
  // Points that differ in their last part are one line.
  std::vector<std::pair<std::string, std::vector<std::string>>> lines;
  std::map<std::string, size_t> places;
  for (const Point& point : points) {
    const size_t slash = point.name.rfind('/');
    const std::string root = point.name.substr(0, slash);
    const auto [place, fresh] = places.emplace(root, lines.size());
    if (fresh) lines.push_back({root, {}});
    lines[place->second].second.push_back(point.name.substr(slash + 1));
  }
  std::string chapter;
  std::map<std::string, size_t> sizes;
  for (const Point& point : points) ++sizes[point.name.substr(0, point.name.find('/'))];
  std::vector<std::string> order;
  for (const auto& [root, leaves] : lines) {
    const std::string name = root.substr(0, root.find('/'));
    if (std::find(order.begin(), order.end(), name) == order.end()) order.push_back(name);
  }
  for (const std::string& name : order) {
    out << "\n## " << name << ": " << sizes[name] << " points\n\n" << Plan::chapter_text(name) << "\n\n";
    for (const auto& [root, leaves] : lines) {
      if (root.substr(0, root.find('/')) != name) continue;
      out << "- `" << root << "/";
      if (leaves.size() > 1) out << "{";
      for (size_t i = 0; i < leaves.size(); ++i) out << (i ? "," : "") << leaves[i];
      if (leaves.size() > 1) out << "}";
      out << "`\n";
    }
  }
  out << "\n## Exclusions\n\n";
  if (exclusions().empty()) out << "None: every point can be reached by some device.\n";
  for (const Exclusion& exclusion : exclusions()) out << "- `" << exclusion.name << "`: " << exclusion.reason << "\n";
  return out.str();
}

}  // namespace lockstep::smmu_rtl_bridge::coverage
