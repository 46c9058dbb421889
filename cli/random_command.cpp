// SPDX-License-Identifier: Apache-2.0
#include "cli/random_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "cli/engine_choice.h"
#include "isa_frontends/riscv64/random/compare.h"

namespace lockstep::cli {
namespace {

namespace rv = isa::riscv64::random;

constexpr int kDiffer = 1, kBadUsage = 2;

struct Arguments {
  std::string isa = "riscv64";
  std::vector<std::string> engines = {"interpreter", "interpreter:fusion=off:block-links=off"};
  uint64_t seed = 1;
  uint64_t programs = 1000;
  uint64_t instructions = 0;
  bool json = false;
  std::string reproducer;
};

bool write_reproducer(const Arguments& arguments, const rv::RandomProgram& program, const std::string& difference) {
  std::ofstream file(arguments.reproducer);
  file << "isa " << arguments.isa << "\nseed " << program.seed << "\nbound " << program.bound << "\nengines "
       << arguments.engines[0] << ' ' << arguments.engines[1] << "\ndifference " << difference << "\n"
       << rv::listing(program);
  return static_cast<bool>(file.flush());
}

int run(const Arguments& arguments) {
  if (arguments.isa != "riscv64") {
    std::fprintf(stderr, "lockstep random: --isa %s: only riscv64 is there\n", arguments.isa.c_str());
    return kBadUsage;
  }
  std::vector<rv::EngineFactory> factories;
  for (const std::string& name : arguments.engines) {
    const auto engine = parse_engine(name, "--engines");
    if (!engine) {
      fmt::print(stderr, "lockstep random: {}\n", engine.error().message);
      return kBadUsage;
    }
    factories.push_back(engine->make);
  }
  rv::Comparison comparison(factories[0], factories[1]);
  std::optional<std::string> difference;
  uint64_t seed = arguments.seed, programs = 0;
  rv::RandomProgram reduced;
  for (; !difference; ++seed) {
    if (arguments.instructions != 0 ? comparison.executed() >= arguments.instructions
                                    : programs >= arguments.programs) {
      break;
    }
    const rv::RandomProgram program = rv::generate(seed);
    ++programs;
    difference = comparison.run(program);
    if (programs % 1000 == 0 && isatty(STDERR_FILENO)) {
      fmt::print(stderr, "\r{} programs, {} instructions", programs, comparison.executed());
    }
    if (!difference) continue;
    fmt::print(stderr, "seed {}: {}\n", seed, *difference);
    // Machines that have gone apart are not used again.
    reduced = rv::reduce(program, [&](const rv::RandomProgram& candidate) {
      return rv::Comparison(factories[0], factories[1]).run(candidate).has_value();
    });
    fmt::print(stderr, "{}", rv::listing(reduced));
    if (!arguments.reproducer.empty() && !write_reproducer(arguments, reduced, *difference)) {
      fmt::print(stderr, "lockstep random: --reproducer {}: cannot be written\n", arguments.reproducer);
      return kBadUsage;
    }
    break;
  }
  if (isatty(STDERR_FILENO)) fmt::print(stderr, "\n");
  if (arguments.json) {
    const nlohmann::json result = {{"engines", arguments.engines},
                                   {"first_seed", arguments.seed},
                                   {"programs", programs},
                                   {"instructions", comparison.executed()},
                                   {"agree", !difference},
                                   {"differing_seed", difference ? nlohmann::json(seed) : nlohmann::json()},
                                   {"difference", difference.value_or("")}};
    fmt::print("{}\n", result.dump());
  } else {
    fmt::print("{} programs, {} instructions: {}\n", programs, comparison.executed(),
               difference ? "the engines differ" : "the engines agree");
  }
  return difference ? kDiffer : 0;
}

}  // namespace

void add_random_command(CLI::App& root, int& exit_code) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = root.add_subcommand("random", "Run random programs on two engines and compare them");
  command->add_option("--isa", arguments->isa, "Instruction set: riscv64");
  command->add_option("--engines", arguments->engines, "Two engines, with a comma between them")
      ->delimiter(',')
      ->expected(2);
  command->add_option("--seed", arguments->seed, "Seed of the first program; the others follow it");
  command->add_option("--programs", arguments->programs, "Number of programs (1000)");
  command->add_option("--instructions", arguments->instructions, "Go on until so many instructions were executed");
  command->add_option("--reproducer", arguments->reproducer, "File for the reduced program of a difference");
  command->add_flag("--json", arguments->json, "One JSON object on standard output");
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace lockstep::cli
