// SPDX-License-Identifier: Apache-2.0
#include "cli/cosim_coverage.h"

#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "smmu_rtl_bridge/coverage/database.h"

namespace lockstep::cli {
namespace {

namespace coverage = smmu_rtl_bridge::coverage;

constexpr int kBadUsage = 2;

struct Arguments {
  std::vector<std::string> files;
  coverage::TreeOptions tree;
  bool json = false;
  std::string output;
};

int run(const Arguments& arguments) {
  const auto all = coverage::load_all(arguments.files);
  if (!all) {
    fmt::print(stderr, "lockstep cosim coverage: {}\n", all.message());
    return kBadUsage;
  }
  if (!arguments.output.empty()) {
    if (const auto status = all->save(arguments.output); !status) {
      fmt::print(stderr, "lockstep cosim coverage: {}\n", status.message());
      return kBadUsage;
    }
  }
  if (arguments.json) {
    fmt::print("{}\n", coverage::json(*all));
  } else {
    fmt::print("{}{} runs\n", coverage::tree(*all, arguments.tree), all->runs);
  }
  return 0;
}

}  // namespace

void add_cosim_coverage_command(CLI::App& cosim, int& exit_code) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = cosim.add_subcommand("coverage", "Show what runs reached of the plan of functional coverage");
  command->footer(
      "`lockstep cosim smmu --coverage FILE` writes such files; several are merged. docs/smmu-coverage.md is the "
      "plan.\n\n"
      "  lockstep cosim coverage a.coverage b.coverage\n"
      "  lockstep cosim coverage all.coverage --below events --depth 3 --holes\n\n"
      "Exit: 0 shown, 2 a file cannot be read.");
  command->add_option("files", arguments->files, "Files of coverage")->required();
  command->add_option("--depth", arguments->tree.depth, "Levels of the tree (2)");
  command->add_option("--below", arguments->tree.below, "Only this part of the tree, as in walks/faults");
  command->add_flag("--holes", arguments->tree.holes, "Name each point that was not met");
  command->add_option("--output", arguments->output, "File for what the files are together");
  command->add_flag("--json", arguments->json, "One JSON object on standard output");
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace lockstep::cli
