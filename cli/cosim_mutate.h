// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

namespace lockstep::cli {

// `lockstep cosim mutate`: whether co-simulation finds bugs that were planted in a design in RTL.
void add_cosim_mutate_command(CLI::App& cosim, int& exit_code);

}  // namespace lockstep::cli
