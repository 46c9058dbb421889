// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

namespace lockstep::cli {

// `lockstep cosim coverage`: what files of functional coverage reached together.
void add_cosim_coverage_command(CLI::App& cosim, int& exit_code);

}  // namespace lockstep::cli
