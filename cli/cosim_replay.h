// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/App.hpp>

namespace lockstep::cli {

// Adds `lockstep cosim replay-pins`.
void add_cosim_replay_command(CLI::App& cosim, int& exit_code);

}  // namespace lockstep::cli
