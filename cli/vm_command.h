// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace CLI {
class App;
}

namespace lockstep::cli {

// Adds `lockstep vm run|snapshot|restore` to the program. The chosen command runs while the line is parsed and leaves
// its exit status in exit_code: the guest's own (0 when it powered off), 2 bad usage or input, 3 internal error, 124
// the instruction limit was reached.
void add_vm_command(CLI::App& root, int& exit_code);

}  // namespace lockstep::cli
