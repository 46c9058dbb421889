// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/mutation/mutants.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

namespace lockstep::smmu_rtl_bridge {
namespace {

// More than the input that chooses one can say.
constexpr unsigned kNumberMax = 0xffff;

}  // namespace

core::Result<std::vector<Mutant>> parse_mutants(const std::string& text, const std::string& path) {
  std::vector<Mutant> mutants;
  std::set<unsigned> numbers;
  std::istringstream lines(text);
  std::string line;
  for (size_t at = 1; std::getline(lines, line); ++at) {
    if (line.empty() || line.starts_with('#')) continue;
    const auto wrong = [&](const char* what) { return core::Error{fmt::format("{}:{}: {}", path, at, what)}; };
    const size_t kind = line.find('|');
    const size_t name = kind == std::string::npos ? kind : line.find('|', kind + 1);
    const size_t argument = name == std::string::npos ? name : line.find('|', name + 1);
    if (argument == std::string::npos) return wrong("a mutant is `number|kind|name|argument`");
    Mutant mutant;
    const auto [end, error] = std::from_chars(line.data(), line.data() + kind, mutant.number);
    if (error != std::errc() || end != line.data() + kind || mutant.number == 0 || mutant.number > kNumberMax)
      return wrong("the number of a mutant is 1 to 65535");
    if (!numbers.insert(mutant.number).second) return wrong("two mutants have this number");
    mutant.kind = line.substr(kind + 1, name - kind - 1);
    mutant.name = line.substr(name + 1, argument - name - 1);
    mutant.argument = line.substr(argument + 1);
    if (std::find(std::begin(kMutantKinds), std::end(kMutantKinds), mutant.kind) == std::end(kMutantKinds))
      return wrong("a mutant's kind is drawn, hand or performance");
    mutants.push_back(std::move(mutant));
  }
  return mutants;
}

core::Result<std::vector<Mutant>> load_mutants(const std::string& path) {
  std::ifstream file(path);
  if (!file) return core::Error{path + ": the list of a design's mutants cannot be read; it is built with the design"};
  return parse_mutants({std::istreambuf_iterator<char>(file), {}}, path);
}

}  // namespace lockstep::smmu_rtl_bridge
