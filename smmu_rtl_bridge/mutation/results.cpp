// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/mutation/results.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace lockstep::smmu_rtl_bridge {
namespace {

template <typename Number>
Number of_sorted(const std::vector<Number>& sorted, double part) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1, static_cast<size_t>(part * static_cast<double>(sorted.size())))];
}

constexpr const char* kKilled = "killed";
constexpr const char* kSurvived = "SURVIVED";
constexpr const char* kArgued = "equivalent";

}  // namespace

std::string MutantResult::text() const {
  const char* verdict = killed ? kKilled : argued ? kArgued : kSurvived;
  return fmt::format("{:<10} {:6.1f} s {:8} transactions {:3} lines  {:<24} {:<26} {:<11} {}", verdict, seconds,
                     accesses, lines, killed ? stimulus : "-", killed ? rule : "-", kind, name);
}

std::optional<MutantResult> MutantResult::parse(const std::string& line) {
  std::istringstream words(line);
  MutantResult result;
  std::string verdict, s, transactions, line_word;
  if (!(words >> verdict >> result.seconds >> s >> result.accesses >> transactions >> result.lines >> line_word >>
        result.stimulus >> result.rule >> result.kind))
    return std::nullopt;
  if (verdict != kKilled && verdict != kSurvived && verdict != kArgued) return std::nullopt;
  std::getline(words >> std::ws, result.name);
  result.killed = verdict == kKilled;
  result.argued = verdict == kArgued;
  if (result.name.empty()) return std::nullopt;
  return result;
}

MutantResult result_of(const Mutant& mutant, const Hunted& hunted) {
  MutantResult result;
  result.kind = mutant.kind;
  result.name = mutant.name;
  result.killed = hunted.killed;
  result.argued = !hunted.killed && !mutant.argument.empty();
  result.seconds = hunted.seconds;
  result.accesses = hunted.accesses;
  result.lines = hunted.lines;
  result.stimulus = hunted.seed == 0 ? hunted.mix : fmt::format("{}:{}", hunted.mix, hunted.seed);
  result.rule = hunted.rule;
  return result;
}

bool is_of(const MutantResult& result, const Mutant& mutant) {
  return result.kind == mutant.kind && result.name == mutant.name;
}

std::vector<MutantResult> in_order(const std::vector<Mutant>& mutants, const std::vector<MutantResult>& results) {
  std::vector<MutantResult> ordered;
  for (const Mutant& mutant : mutants)
    for (const MutantResult& result : results)
      if (is_of(result, mutant)) {
        ordered.push_back(result);
        if (!result.killed) ordered.back().argued = !mutant.argument.empty();
      }
  for (const MutantResult& result : results)
    if (std::none_of(mutants.begin(), mutants.end(), [&](const Mutant& one) { return one.kind == result.kind; }))
      ordered.push_back(result);
  return ordered;
}

double MutationSummary::killed_percent() const {
  return mutants == 0 ? 0 : 100.0 * static_cast<double>(killed) / static_cast<double>(mutants);
}

std::string MutationSummary::text() const {
  return fmt::format(
      "{} of {} killed ({:.1f} %), {} equivalent by argument, {} survived; transactions to a kill: median {}, 90th "
      "percentile {}; shrunk scripts: median {} lines, 90th percentile {}",
      killed, mutants, killed_percent(), argued, unexplained, accesses_median, accesses_p90, lines_median, lines_p90);
}

MutationSummary summarize(const std::vector<MutantResult>& results) {
  MutationSummary summary;
  std::vector<uint64_t> accesses;
  std::vector<size_t> lines;
  for (const MutantResult& result : results) {
    ++summary.mutants;
    summary.argued += result.argued;
    summary.unexplained += !result.killed && !result.argued;
    if (!result.killed) continue;
    ++summary.killed;
    accesses.push_back(result.accesses);
    lines.push_back(result.lines);
  }
  std::sort(accesses.begin(), accesses.end());
  std::sort(lines.begin(), lines.end());
  constexpr double kHalf = 0.5, kMost = 0.9;
  summary.accesses_median = of_sorted(accesses, kHalf);
  summary.accesses_p90 = of_sorted(accesses, kMost);
  summary.lines_median = of_sorted(lines, kHalf);
  summary.lines_p90 = of_sorted(lines, kMost);
  return summary;
}

core::Result<std::vector<MutantResult>> load_results(const std::string& path) {
  std::vector<MutantResult> results;
  std::ifstream file(path);
  if (!file) return results;
  std::string line;
  for (size_t at = 1; std::getline(file, line); ++at) {
    if (line.empty() || line.starts_with('#')) continue;
    auto result = MutantResult::parse(line);
    if (!result) return core::Error{fmt::format("{}:{}: this is no line of a table of mutants", path, at)};
    results.push_back(std::move(*result));
  }
  return results;
}

core::Status save_results(const std::string& path, const std::vector<MutantResult>& results, uint64_t seed) {
  std::string text =
      "# SPDX-License-Identifier: Apache-2.0\n"
      "# How co-simulation found each mutant: time with shrinking on one busy core, transactions until then, lines of\n"
      "# the shrunk script, mix and seed, the rule that it broke, kind and name. Written by `lockstep cosim mutate\n";
  text += fmt::format("# --resume`; stimulus from seed {}.\n", seed);
  for (const std::string_view kind : kMutantKinds) {
    std::vector<MutantResult> some;
    std::copy_if(results.begin(), results.end(), std::back_inserter(some),
                 [&](const MutantResult& result) { return result.kind == kind; });
    if (!some.empty()) text += fmt::format("# {}: {}.\n", kind, summarize(some).text());
  }
  text += fmt::format("# All: {}.\n", summarize(results).text());
  for (const MutantResult& result : results) text += result.text() + "\n";
  // Whoever stops the hunt leaves a whole table.
  const std::string part = path + ".part";
  std::ofstream file(part);
  file << text;
  file.close();
  if (!file || std::rename(part.c_str(), path.c_str()) != 0)
    return core::Error{path + ": the table of results cannot be written"};
  return {};
}

}  // namespace lockstep::smmu_rtl_bridge
