// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "cli/farm_command.h"
#include "cli/matrix_command.h"
#include "cli/vm_command.h"

namespace {

constexpr int kBadUsage = 2;
constexpr int kInternalError = 3;

int run(int argc, char** argv) {
  CLI::App app{
      "Lockstep: does every combination of features, every engine and every implementation behave the same, and how "
      "fast is each?",
      "lockstep"};
  app.set_version_flag("--version", "lockstep " LOCKSTEP_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Start here:\n"
      "  lockstep vm run --help            boot a guest\n"
      "  lockstep matrix explain default   what the feature matrix is made of\n"
      "  lockstep farm run                 run the matrix on this machine");
  int exit_code = 0;
  lockstep::cli::add_vm_command(app, exit_code);
  lockstep::cli::add_matrix_command(app, exit_code);
  lockstep::cli::add_farm_command(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kBadUsage;
  }
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "lockstep: internal error: %s\n", error.what());
    return kInternalError;
  }
}
