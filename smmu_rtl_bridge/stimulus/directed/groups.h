// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "smmu_rtl_bridge/stimulus/directed/directed.h"

namespace lockstep::smmu_rtl_bridge::directed {

void add_structures(std::vector<DirectedScript>& scripts);
void add_events(std::vector<DirectedScript>& scripts);
void add_commands(std::vector<DirectedScript>& scripts);
void add_scattered(std::vector<DirectedScript>& scripts);
void add_tags(std::vector<DirectedScript>& scripts);
void add_under_way(std::vector<DirectedScript>& scripts);
// Of those whose outcome the judge alone says.
void add_attributes(std::vector<DirectedScript>& scripts);
void add_bursts(std::vector<DirectedScript>& scripts);
void add_neighbours(std::vector<DirectedScript>& scripts);
void add_waiting(std::vector<DirectedScript>& scripts);
void add_wide(std::vector<DirectedScript>& scripts);

}  // namespace lockstep::smmu_rtl_bridge::directed
