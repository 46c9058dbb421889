// SPDX-License-Identifier: Apache-2.0
// The matrix command alone, so that its tests need no other part of the program.
#include <CLI/CLI.hpp>

#include "cli/matrix_command.h"

int main(int argc, char** argv) {
  CLI::App app("lockstep");
  app.require_subcommand(1);
  int exit_code = 0;
  lockstep::cli::add_matrix_command(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return exit_code;
}
