// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace lockstep::farm {

// What of a console counts for the behavioural grade: kernel timestamps ("[    0.123456] ") and carriage returns are
// taken away, then lines are kept and dropped by the patterns of JobSpec. Error: a pattern is not an ECMAScript
// pattern.
core::Result<std::string> behavioural_console(std::string_view console, const std::vector<std::string>& keep_lines,
                                              const std::vector<std::string>& drop_lines);

}  // namespace lockstep::farm
