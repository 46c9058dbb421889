// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "cli/cosim_command.h"
#include "cli/farm_command.h"
#include "cli/matrix_command.h"
#include "cli/random_command.h"
#include "cli/vm_command.h"
#include "matrix/load_error.h"

namespace {

constexpr int kBadUsage = 2;
constexpr int kInternalError = 3;

std::string full_name(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  if (parent == nullptr || parent->get_parent() == nullptr) return command.get_name();
  return full_name(*parent) + " " + command.get_name();
}

// The command that the line had chosen when it stopped making sense.
CLI::App& chosen_command(CLI::App& app) {
  CLI::App* command = &app;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().back();
  return *command;
}

// The first word of the line that this command does not know, or an empty one.
std::string unknown_word(const CLI::App& command, int argc, char** argv) {
  const std::vector<std::string> left_over = command.remaining();
  // CLI11 lists what is left over in an order of its own; a person reads from the left.
  for (int i = 1; i < argc; ++i) {
    for (const std::string& word : left_over) {
      if (word == argv[i]) return word;
    }
  }
  return left_over.empty() ? "" : left_over.front();
}

// Says which word is not known, and the nearest one that is. False when something else is wrong with the line.
bool report_unknown_word(CLI::App& app, int argc, char** argv) {
  CLI::App& command = chosen_command(app);
  const std::string word = unknown_word(command, argc, argv);
  if (word.empty()) return false;
  const std::string path = &command == &app ? "lockstep" : "lockstep " + full_name(command);
  std::vector<std::string> known;
  const bool is_option = word.size() > 1 && word[0] == '-';
  if (is_option) {
    for (const CLI::Option* option : command.get_options({})) {
      for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    }
  } else {
    for (const CLI::App* sub : command.get_subcommands({})) known.push_back(sub->get_name());
  }
  const bool is_command = !is_option && !known.empty();
  std::fprintf(stderr, "lockstep: %s: unknown %s '%s'%s\n`%s --help` lists what it takes.\n", path.c_str(),
               is_option ? "option" : (is_command ? "command" : "argument"), word.c_str(),
               known.empty() ? "" : lockstep::matrix::suggestion(word, known).c_str(), path.c_str());
  return true;
}

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
  lockstep::cli::add_random_command(app, exit_code);
  lockstep::cli::add_cosim_command(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0 && report_unknown_word(app, argc, argv)) return kBadUsage;
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
