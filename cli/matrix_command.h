// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace CLI {
class App;
}

namespace lockstep::cli {

// Adds `lockstep matrix expand|explain|check` to the program. The chosen command runs while the line is parsed and
// leaves its exit status in exit_code, which must outlive the parse: 0 done, 1 output could not be written, 2 bad usage
// or a bad contract.
void add_matrix_command(CLI::App& root, int& exit_code);

}  // namespace lockstep::cli
