// SPDX-License-Identifier: Apache-2.0
#include "matrix/contract_model.h"

#include <fmt/format.h>

#include <map>

namespace lockstep::matrix {

std::size_t inactive_value(const Feature& feature) { return feature.find_value("off").value_or(feature.default_value); }

std::vector<Literal> literals_of(const Contract& contract, const ContractModel& model, const FeatureRef& ref) {
  std::vector<Literal> literals;
  for (const FeatureRef& member : contract.closure(ref)) {
    const std::uint32_t variable = model.variables.at(member.name);
    const std::size_t value = *model.features[variable]->find_value(member.value);
    literals.push_back({variable, std::uint64_t{1} << value});
  }
  return literals;
}

ContractModel build_model(const Contract& contract) {
  ContractModel result;
  for (const Feature& feature : contract.features) {
    if (!feature.variable()) continue;
    result.variables.emplace(feature.name, static_cast<std::uint32_t>(result.features.size()));
    result.features.push_back(&feature);
    result.model.value_counts.push_back(static_cast<std::uint32_t>(feature.values.size()));
  }
  const auto add = [&](std::vector<Literal> literals, std::string origin) {
    if (result.model.clauses.size() == kMaxClauses) {
      result.too_large = true;
      return;
    }
    result.model.clauses.push_back({std::move(literals)});
    result.origins.push_back(std::move(origin));
  };
  const auto negated = [&](const Literal& literal) {
    return Literal{literal.variable, result.model.full_mask(literal.variable) & ~literal.mask};
  };
  // Umbrellas are asked for again and again.
  std::map<std::string, std::vector<Literal>> known;
  const auto literals = [&](const FeatureRef& ref) -> const std::vector<Literal>& {
    const auto [found, fresh] = known.try_emplace(ref.text());
    if (fresh) found->second = literals_of(contract, result, ref);
    return found->second;
  };

  for (std::uint32_t variable = 0; variable < result.features.size(); ++variable) {
    const Feature& feature = *result.features[variable];
    const auto self = [&](std::size_t value) { return FeatureRef{feature.name, feature.values[value]}.text(); };
    for (const auto& [value, refs] : feature.required) {
      for (const FeatureRef& ref : refs) {
        for (const Literal& wanted : literals(ref)) {
          add({negated({variable, std::uint64_t{1} << value}), wanted},
              fmt::format("`{}` requires `{}` (line {})", self(value), ref.text(), feature.line));
        }
      }
    }
    for (const auto& [value, refs] : feature.excluded) {
      for (const FeatureRef& ref : refs) {
        for (const Literal& unwanted : literals(ref)) {
          add({negated({variable, std::uint64_t{1} << value}), negated(unwanted)},
              fmt::format("`{}` excludes `{}` (line {})", self(value), ref.text(), feature.line));
        }
      }
    }
    const auto off = feature.find_value("off");
    for (const FeatureRef& child : feature.contains) {
      if (!off) break;
      const std::uint32_t inner = result.variables.at(child.name);
      const std::uint64_t inactive = std::uint64_t{1} << inactive_value(*result.features[inner]);
      add({negated({variable, std::uint64_t{1} << *off}), {inner, inactive}},
          fmt::format("`{}` is an option of `{}` (line {})", child.name, feature.name, feature.line));
    }
  }

  for (const Rule& rule : contract.rules) {
    if (result.too_large) break;
    const std::string origin = rule.why.empty() ? fmt::format("the rule in line {}", rule.line)
                                                : fmt::format("the rule in line {} ({})", rule.line, rule.why);
    switch (rule.kind) {
      case Rule::Kind::kImplication: {
        std::vector<Literal> clause;
        for (const FeatureRef& ref : rule.when) {
          for (const Literal& literal : literals(ref)) clause.push_back(negated(literal));
        }
        for (const FeatureRef& ref : rule.group) {
          for (const Literal& literal : literals(ref)) {
            std::vector<Literal> whole = clause;
            whole.push_back(literal);
            add(std::move(whole), origin);
          }
        }
        break;
      }
      case Rule::Kind::kNever: {
        std::vector<Literal> clause;
        for (const FeatureRef& ref : rule.group) {
          for (const Literal& literal : literals(ref)) clause.push_back(negated(literal));
        }
        add(std::move(clause), origin);
        break;
      }
      case Rule::Kind::kAtMostOne:
      case Rule::Kind::kAtLeastOne:
      case Rule::Kind::kExactlyOne: {
        std::vector<Literal> clause;
        for (const FeatureRef& ref : rule.group) clause.push_back(literals(ref).at(0));
        for (std::size_t i = 0; rule.kind != Rule::Kind::kAtLeastOne && i < clause.size(); ++i) {
          for (std::size_t j = i + 1; j < clause.size(); ++j) add({negated(clause[i]), negated(clause[j])}, origin);
        }
        if (rule.kind != Rule::Kind::kAtMostOne) add(std::move(clause), origin);
        break;
      }
    }
  }
  return result;
}

}  // namespace lockstep::matrix
