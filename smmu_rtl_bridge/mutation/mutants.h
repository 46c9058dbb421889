// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace lockstep::smmu_rtl_bridge {

inline constexpr std::string_view kMutantKinds[] = {"drawn", "hand", "performance"};

// One bug that a design has inside, and that the setting `mutant=NUMBER` switches on.
struct Mutant {
  unsigned number = 0;   // from 1
  std::string kind;      // of kMutantKinds
  std::string name;      // one line
  std::string argument;  // why no pin can tell it from the design; empty: one can
};

// The list beside a design, made with it (cmake/LockstepMutants.cmake): a line "number|kind|name|argument" for each. An
// error names the file and the line.
core::Result<std::vector<Mutant>> load_mutants(const std::string& path);
core::Result<std::vector<Mutant>> parse_mutants(const std::string& text, const std::string& path);

}  // namespace lockstep::smmu_rtl_bridge
