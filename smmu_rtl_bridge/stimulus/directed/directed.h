// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "smmu_rtl_bridge/script/features.h"
#include "smmu_rtl_bridge/script/script.h"

namespace lockstep::smmu_rtl_bridge {

// A short script for one rule of the specification that has a name.
struct DirectedScript {
  std::string name;     // "ste/S1CDMax-too-large"
  std::string section;  // of the specification
  // Settings that a model needs for the rule to matter; a device without them passes the script all the same.
  std::vector<Setting> settings;
  std::string lines;
  // The events that a device with these settings records, by number, in order: what the script is for.
  std::vector<unsigned> events;
  // Nothing is under way beside anything else, so that slow memory and slow clients show nothing more.
  bool one_by_one = false;
};

// Illegal stream table entries and context descriptors, command errors, each type of event, bus errors at each fetch,
// queues, stalls, ATS and PRI, messages, bypass, invalidation of each kind.
const std::vector<DirectedScript>& directed_scripts();

// As a script; parsing it cannot fail, which a test sees to.
Script script_of(const DirectedScript& directed);

}  // namespace lockstep::smmu_rtl_bridge
