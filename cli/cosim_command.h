// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace CLI {
class App;
}

namespace lockstep::cli {

// `lockstep cosim ...`: SMMUs under test, judged at their pins.
void add_cosim_command(CLI::App& root, int& exit_code);

}  // namespace lockstep::cli
