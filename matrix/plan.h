// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "matrix/contract.h"

// Expands a contract into cells: one workload under one combination of features.
namespace lockstep::matrix {

// kDefault   every feature at its default
// kAll       as many features on as the rules allow
// kNone      as few as the rules allow
// kEach      the default, and one cell a value that differs from it in as little as the rules allow
// kPairwise  every pair of values that the rules allow is in some cell
// kAll, kEach and kPairwise also give, for what is planned, cells that are skipped and say why.
enum class Strategy { kDefault, kAll, kNone, kEach, kPairwise };
const char* to_string(Strategy strategy);
std::optional<Strategy> parse_strategy(std::string_view text);

struct ExpandOptions {
  Strategy strategy = Strategy::kDefault;
  std::uint64_t seed = 1;              // the same seed gives the same cells on every machine
  std::vector<std::string> workloads;  // names or families; empty: all
  std::vector<std::string> with;       // "NAME" or "NAME=VALUE", held in every cell; umbrellas allowed
  // kPairwise: a cell that would be alone in its exact group gets a reference to be compared with, which is the same
  // cell with the features that a guest cannot see at their defaults.
  bool references = true;
};

struct Cell {
  std::string id;        // 16 hexadecimal digits: digest of workload and assignment, the same in every expansion
  std::string workload;  // Contract::find_workload finds it
  std::map<std::string, std::string> assignment;  // every feature that has values, with its value
  std::string label;              // what differs from the workload's default cell, for people; "default" if nothing
  std::string skip_reason;        // not empty: the cell must not run and its status is SKIP
  std::vector<std::string> argv;  // {lockstep}, {payload:NAME}, {scratch}, {cell} are left to the runner
  std::map<std::string, bool> build_options;  // CMake options that the program has to be built with
  // Cells with the same exact_group have to agree exactly, those with the same behavioural_group behaviourally. Empty
  // when the workload does not ask for that grade. An exact group lies within one behavioural group.
  Agreement grade = Agreement::kNone;
  std::string exact_group;
  std::string behavioural_group;

  bool skipped() const { return !skip_reason.empty(); }
};

struct Plan {
  std::string contract_path;
  Strategy strategy = Strategy::kDefault;
  std::uint64_t seed = 0;
  std::vector<Cell> cells;         // by workload in the order of the file, runnable ones first
  std::vector<std::string> notes;  // deprecated names that were used, planned features that no workload can show
};

core::Result<Plan> expand(const Contract& contract, const ExpandOptions& options);

// Compact JSON of a plan, for scripts.
std::string plan_to_json(const Plan& plan);

}  // namespace lockstep::matrix
