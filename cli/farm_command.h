// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace CLI {
class App;
}

namespace lockstep::cli {

// Adds `lockstep farm`. When one of its subcommands has been parsed and run, `exit_code` is what the program should end
// with: 0 all cells pass or are skipped, 1 a cell or a group is FAIL, 2 bad usage or input, 3 ERROR, MISS or
// unfinished.
void add_farm_command(CLI::App& root, int& exit_code);

}  // namespace lockstep::cli
