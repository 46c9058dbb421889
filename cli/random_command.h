// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace CLI {
class App;
}

namespace lockstep::cli {

// Adds `lockstep random`. exit_code: 0 the engines agree, 1 they differ, 2 bad usage or input.
void add_random_command(CLI::App& root, int& exit_code);

}  // namespace lockstep::cli
