// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/lockstep_narrow.h"

namespace lockstep::cli {

// What can be done with a difference.
struct Reproducer {
  std::string file;     // the snapshot, or empty
  uint64_t at = 0;      // instructions
  std::string problem;  // why there is none
  std::string command;  // that goes on from it
  bool shown = false;   // the command shows the difference
};

std::string difference_text(const Narrowed& narrowed, const Reproducer& reproducer,
                            const std::array<std::string, 2>& engines);
nlohmann::json difference_json(const Narrowed& narrowed, const Reproducer& reproducer);

}  // namespace lockstep::cli
