// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/stimulus/directed/directed.h"

#include "smmu_rtl_bridge/stimulus/directed/groups.h"

namespace lockstep::smmu_rtl_bridge {

const std::vector<DirectedScript>& directed_scripts() {
  static const std::vector<DirectedScript> kScripts = [] {
    std::vector<DirectedScript> scripts;
    directed::add_structures(scripts);
    directed::add_events(scripts);
    directed::add_commands(scripts);
    directed::add_tags(scripts);
    directed::add_under_way(scripts);
    return scripts;
  }();
  return kScripts;
}

Script script_of(const DirectedScript& directed) {
  auto script = parse_script("smmu-script 1\n" + directed.lines, directed.name);
  Script result = script ? std::move(*script) : Script();
  result.settings = directed.settings;
  return result;
}

}  // namespace lockstep::smmu_rtl_bridge
