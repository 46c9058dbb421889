// SPDX-License-Identifier: Apache-2.0
#include "cli/random_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "cli/engine_choice.h"
#include "cli/random_peer.h"
#include "isa_frontends/riscv64/random/compare.h"
#include "isa_frontends/riscv64/random/image.h"
#include "isa_frontends/riscv64/random/reproducer.h"

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
  std::string replay;
  std::string against;
  std::string peer_program;
};

// Programs in one image: the peer's start does not matter then, and one that hangs does not take long.
constexpr size_t kBatch = 128;

// What was found. A program is reduced where there is a difference.
struct Findings {
  rv::RunCounts counts;
  std::optional<rv::Difference> difference;
  rv::RandomProgram program;
};

using Factories = std::vector<rv::EngineFactory>;

int bad_usage(const std::string& message) {
  fmt::print(stderr, "lockstep random: {}\n", message);
  return kBadUsage;
}

// The two that are compared.
std::vector<std::string> names_of(const Arguments& arguments) {
  if (arguments.against.empty()) return arguments.engines;
  return {arguments.engines[0], arguments.against};
}

core::Result<Factories> engines_named(const std::vector<std::string>& names) {
  Factories factories;
  for (const std::string& name : names) {
    const auto engine = parse_engine(name, "--engines");
    if (!engine) return engine.error();
    factories.push_back(engine->make);
  }
  return factories;
}

// Machines that have gone apart are not used again.
std::optional<rv::Difference> difference_of(const Factories& factories, const rv::RandomProgram& program) {
  return rv::Comparison(factories[0], factories[1]).run(program);
}

Findings search(const Arguments& arguments, const Factories& factories) {
  Findings findings;
  rv::Comparison comparison(factories[0], factories[1]);
  const bool shows_progress = isatty(STDERR_FILENO);
  for (uint64_t seed = arguments.seed; !findings.difference; ++seed) {
    const rv::RunCounts& counts = comparison.counts();
    if (arguments.instructions != 0 ? counts.instructions >= arguments.instructions
                                    : counts.programs >= arguments.programs) {
      break;
    }
    findings.program = rv::generate(seed);
    findings.difference = comparison.run(findings.program);
    if (shows_progress && counts.programs % 1000 == 0) {
      fmt::print(stderr, "\r{} programs, {} instructions", counts.programs, counts.instructions);
    }
  }
  if (shows_progress) fmt::print(stderr, "\n");
  findings.counts = comparison.counts();
  if (!findings.difference) return findings;
  fmt::print(stderr, "seed {}: {}\n", findings.program.seed, findings.difference->text);
  if (!difference_of(factories, findings.program)) {
    fmt::print(stderr, "it takes the programs before this one: begin with --seed {}\n", arguments.seed);
    return findings;
  }
  findings.program = rv::reduce(
      findings.program, [&](const rv::RandomProgram& candidate) { return difference_of(factories, candidate); });
  findings.difference = difference_of(factories, findings.program);
  return findings;
}

// The end of one program here and at the peer. A program that does not end here has none.
core::Result<std::optional<rv::Difference>> difference_at_peer(rv::EndStates& ours, RandomPeer& peer,
                                                               const rv::RandomProgram& program, rv::Print print) {
  const std::optional<rv::EndState> end = ours.run(program);
  if (!end) return std::optional<rv::Difference>();
  const auto printed = peer.run(std::span(&program, 1), print);
  if (!printed) return printed.error();
  return rv::compare_end(*end, *printed);
}

// The same streams at another emulator. Programs that do not come to their end here are left out.
core::Result<Findings> search_at_peer(const Arguments& arguments, const rv::EngineFactory& factory, RandomPeer& peer) {
  Findings findings;
  rv::RunCounts& counts = findings.counts;
  rv::EndStates ours(factory);
  const bool shows_progress = isatty(STDERR_FILENO);
  uint64_t seed = arguments.seed;
  const auto enough = [&] {
    return arguments.instructions != 0 ? counts.instructions >= arguments.instructions
                                       : counts.programs >= arguments.programs;
  };
  std::optional<rv::RandomProgram> suspect;
  while (!suspect && !enough()) {
    std::vector<rv::RandomProgram> batch;
    std::vector<uint64_t> digests;
    for (; batch.size() < kBatch && !enough(); ++seed) {
      rv::RandomProgram program = rv::generate(seed, {.portable = true, .aligned = arguments.against == "spike"});
      ++counts.programs;
      const auto end = ours.run(program);
      if (!end) continue;
      ++counts.ended;
      counts.traps += end->traps();
      counts.instructions += end->instructions;
      digests.push_back(end->digest());
      batch.push_back(std::move(program));
    }
    const auto printed = peer.run(batch, rv::Print::kDigest);
    if (!printed) return printed.error();
    for (size_t i = 0; i < batch.size() && !suspect; ++i) {
      if (i >= printed->size() || (*printed)[i] != digests[i]) suspect = std::move(batch[i]);
    }
    if (shows_progress) fmt::print(stderr, "\r{} programs, {} instructions", counts.programs, counts.instructions);
  }
  if (shows_progress) fmt::print(stderr, "\n");
  if (!suspect) return findings;

  core::Status status;
  rv::Print print = rv::Print::kEverything;
  const auto run_it = [&](const rv::RandomProgram& program) -> std::optional<rv::Difference> {
    const auto difference = difference_at_peer(ours, peer, program, print);
    if (difference) return *difference;
    status = difference.error();
    return std::nullopt;
  };
  findings.program = *suspect;
  findings.difference = run_it(*suspect);
  if (!status) return status.error();
  if (!findings.difference) {
    return core::Error{fmt::format("seed {}: it differs behind other programs and not alone", suspect->seed)};
  }
  fmt::print(stderr, "seed {}: {}\n", suspect->seed, findings.difference->text);
  print = rv::Print::kRegisters;  // quickly
  findings.program = rv::reduce(*suspect, run_it);
  if (!status) return status.error();
  print = rv::Print::kEverything;
  findings.difference = run_it(findings.program);
  return findings;
}

// The program of a difference, written where it can be replayed from.
core::Status save(const Arguments& arguments, const Findings& findings) {
  const std::string path = !arguments.reproducer.empty()
                               ? arguments.reproducer
                               : fmt::format("random-{}-{}.txt", arguments.isa, findings.program.seed);
  std::ofstream file(path);
  file << rv::write_reproducer(
      {findings.program, names_of(arguments), findings.difference->what, findings.difference->text});
  if (!file.flush()) return core::Error{fmt::format("--reproducer {}: the file cannot be written", path)};
  fmt::print(stderr, "{}the program is in {}; `lockstep random --replay {}` runs it again\n",
             rv::listing(findings.program), path, path);
  return {};
}

core::Result<rv::Reproducer> load(const std::string& path) {
  std::ifstream file(path);
  if (!file) return core::Error{fmt::format("--replay {}: the file cannot be read", path)};
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return rv::read_reproducer(text, path);
}

void print(const Arguments& arguments, const Findings& findings) {
  const rv::RunCounts& counts = findings.counts;
  const auto& difference = findings.difference;
  if (arguments.json) {
    const nlohmann::json result = {
        {"engines", names_of(arguments)},
        {"first_seed", arguments.seed},
        {"programs", counts.programs},
        {"instructions", counts.instructions},
        {"ended", counts.ended},
        {"traps", counts.traps},
        {"agree", !difference},
        {"differing_seed", difference ? nlohmann::json(findings.program.seed) : nlohmann::json()},
        {"what", difference ? difference->what : ""},
        {"difference", difference ? difference->text : ""}};
    fmt::print("{}\n", result.dump());
  } else {
    fmt::print("{} programs ({} came to their end), {} instructions, {} traps: {}\n", counts.programs, counts.ended,
               counts.instructions, counts.traps, difference ? "the engines differ" : "the engines agree");
  }
}

int run(Arguments& arguments, bool engines_given) {
  if (arguments.isa != "riscv64") return bad_usage(fmt::format("--isa {}: only riscv64 is there", arguments.isa));
  std::optional<rv::RandomProgram> replayed;
  if (!arguments.replay.empty()) {
    const auto reproducer = load(arguments.replay);
    if (!reproducer) return bad_usage(reproducer.message());
    if (!engines_given && !reproducer->engines.empty()) arguments.engines = reproducer->engines;
    if (arguments.engines.size() == 2 && RandomPeer::is_known(arguments.engines[1])) {
      arguments.against = arguments.engines[1];
    }
    replayed = reproducer->program;
    arguments.seed = replayed->seed;
  }
  if (!arguments.against.empty()) {
    arguments.engines.resize(1);
  } else if (arguments.engines.size() != 2) {
    return bad_usage("--engines takes two, with a comma between them");
  }
  const auto factories = engines_named(arguments.engines);
  if (!factories) return bad_usage(factories.message());
  std::unique_ptr<RandomPeer> peer;
  if (!arguments.against.empty()) {
    auto made = RandomPeer::make(arguments.against, arguments.peer_program);
    if (!made) return bad_usage(made.message());
    peer = std::move(*made);
    if (!arguments.json) fmt::print("against {}\n", peer->version());
  }
  Findings findings;
  if (replayed) {
    findings.program = *replayed;
    if (peer) {
      rv::EndStates ours((*factories)[0]);
      const auto difference = difference_at_peer(ours, *peer, *replayed, rv::Print::kEverything);
      if (!difference) return bad_usage(difference.message());
      findings.difference = *difference;
      findings.counts.programs = 1;
    } else {
      rv::Comparison comparison((*factories)[0], (*factories)[1]);
      findings.difference = comparison.run(*replayed);
      findings.counts = comparison.counts();
    }
    if (findings.difference) fmt::print(stderr, "{}{}\n", rv::listing(*replayed), findings.difference->text);
  } else {
    if (peer) {
      auto found = search_at_peer(arguments, (*factories)[0], *peer);
      if (!found) return bad_usage(found.message());
      findings = std::move(*found);
    } else {
      findings = search(arguments, *factories);
    }
    if (findings.difference) {
      if (const auto saved = save(arguments, findings); !saved) return bad_usage(saved.message());
    }
  }
  print(arguments, findings);
  return findings.difference ? kDiffer : 0;
}

}  // namespace

void add_random_command(CLI::App& root, int& exit_code) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = root.add_subcommand("random", "Run random programs on two engines and compare them");
  command->footer(
      "Programs of 20 to 500 instructions with loops, calls, jump tables, self-modification, page tables that change,\n"
      "faults, interrupts and changes of mode. State is compared after slices of odd lengths, memory and TLB at the\n"
      "end. A program that differs is reduced and saved.\n\n"
      "  lockstep random --engines interpreter,jit --instructions 1000000000\n"
      "  lockstep random --against qemu --instructions 10000000\n"
      "  lockstep random --against spike --peer-program ~/spike/bin/spike --instructions 1000000\n"
      "  lockstep random --replay random-riscv64-17.txt");
  command->add_option("--isa", arguments->isa, "Instruction set: riscv64");
  CLI::Option* engines =
      command->add_option("--engines", arguments->engines, "Two engines with their settings, a comma between them")
          ->delimiter(',')
          ->expected(1, 2);
  command->add_option("--seed", arguments->seed, "Seed of the first program; the others follow it");
  command->add_option("--programs", arguments->programs, "Number of programs (1000)");
  command->add_option("--instructions", arguments->instructions, "Go on until so many instructions were compared");
  command->add_option("--reproducer", arguments->reproducer,
                      "File for the reduced program of a difference (random-ISA-SEED.txt)");
  command->add_option("--replay", arguments->replay, "Run the program of such a file once more, and nothing else");
  command->add_option(
      "--against", arguments->against,
      "Compare the first engine's end states with another emulator's: qemu, spike, or vm for this one's whole "
      "machine (docs/random.md)");
  command->add_option("--peer-program", arguments->peer_program,
                      "The file to run for --against; Spike is also found by LOCKSTEP_SPIKE");
  command->add_flag("--json", arguments->json, "One JSON object on standard output");
  command->callback([arguments, engines, &exit_code] { exit_code = run(*arguments, engines->count() > 0); });
}

}  // namespace lockstep::cli
