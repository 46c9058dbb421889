// SPDX-License-Identifier: Apache-2.0
#include "matrix/contract.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "matrix/load_error.h"

namespace lockstep::matrix {

const char* to_string(FeatureKind kind) {
  switch (kind) {
    case FeatureKind::kBuildOption:
      return "build-option";
    case FeatureKind::kRuntimeOption:
      return "runtime-option";
    case FeatureKind::kGuest:
      return "guest";
    case FeatureKind::kEngine:
      return "engine";
    case FeatureKind::kUmbrella:
      return "umbrella";
  }
  return "?";
}

const char* to_string(FeatureStatus status) {
  switch (status) {
    case FeatureStatus::kStable:
      return "stable";
    case FeatureStatus::kExperimental:
      return "experimental";
    case FeatureStatus::kPlanned:
      return "planned";
  }
  return "?";
}

const char* to_string(Agreement agreement) {
  switch (agreement) {
    case Agreement::kExact:
      return "exact";
    case Agreement::kBehavioural:
      return "behavioural";
    case Agreement::kNone:
      return "none";
    case Agreement::kUnrepeatable:
      return "unrepeatable";
  }
  return "?";
}

std::optional<std::size_t> Feature::find_value(std::string_view value) const {
  const auto found = std::find(values.begin(), values.end(), value);
  if (found == values.end()) return std::nullopt;
  return static_cast<std::size_t>(found - values.begin());
}

const Feature* Contract::find(std::string_view name) const {
  const auto found = std::find_if(features.begin(), features.end(), [&](const Feature& f) { return f.name == name; });
  return found == features.end() ? nullptr : &*found;
}

const Workload* Contract::find_workload(std::string_view name) const {
  const auto found =
      std::find_if(workloads.begin(), workloads.end(), [&](const Workload& w) { return w.name == name; });
  return found == workloads.end() ? nullptr : &*found;
}

const Feature* Contract::resolve(std::string_view name, std::string* note) const {
  const Feature* feature = find(name);
  if (feature == nullptr) {
    const auto found = std::find_if(features.begin(), features.end(), [&](const Feature& f) {
      return std::find(f.aliases.begin(), f.aliases.end(), name) != f.aliases.end();
    });
    if (found == features.end()) return nullptr;
    feature = &*found;
  }
  if (!feature->deprecated()) return feature;
  if (note != nullptr) {
    *note = fmt::format("`{}` is deprecated in favour of `{}`. {}", feature->name, feature->in_favour_of,
                        feature->migration);
  }
  return find(feature->in_favour_of);
}

std::vector<FeatureRef> Contract::closure(const FeatureRef& ref) const {
  std::vector<FeatureRef> result;
  std::set<std::string> seen;
  std::vector<FeatureRef> pending{ref};
  while (!pending.empty()) {
    const FeatureRef next = std::move(pending.back());
    pending.pop_back();
    const Feature* feature = find(next.name);
    if (feature == nullptr || !seen.insert(next.name).second) continue;
    if (feature->umbrella()) {
      pending.insert(pending.end(), feature->contains.rbegin(), feature->contains.rend());
    } else if (feature->variable()) {
      result.push_back(next);
    }
  }
  return result;
}

core::Result<FeatureRef> parse_ref(const Contract& contract, std::string_view text, std::string* note) {
  const std::size_t equals = text.find('=');
  const std::string_view name = text.substr(0, equals);
  const Feature* feature = contract.resolve(name, note);
  if (feature == nullptr) {
    std::vector<std::string> known;
    for (const Feature& candidate : contract.features) {
      known.push_back(candidate.name);
      known.insert(known.end(), candidate.aliases.begin(), candidate.aliases.end());
    }
    return core::Error{fmt::format("unknown feature {}{}", in_quotes(name), suggestion(name, known))};
  }
  if (feature->umbrella()) {
    if (equals != std::string_view::npos && text.substr(equals + 1) != "on") {
      return core::Error{
          fmt::format("{} is an umbrella and has no values; name a feature that it contains", in_quotes(name))};
    }
    return FeatureRef{feature->name, "on"};
  }
  if (equals == std::string_view::npos && !feature->find_value("on")) {
    return core::Error{fmt::format("{} has the values {}; write {}={}", in_quotes(name),
                                   fmt::join(feature->values, ", "), name, feature->values.back())};
  }
  const std::string_view value = equals == std::string_view::npos ? "on" : text.substr(equals + 1);
  if (!feature->find_value(value)) {
    return core::Error{
        fmt::format("{} has no value {}{}", in_quotes(name), in_quotes(value), suggestion(value, feature->values))};
  }
  return FeatureRef{feature->name, std::string(value)};
}

core::Result<std::string> find_contract(const std::string& start) {
  namespace fs = std::filesystem;
  std::error_code failed;
  fs::path folder = fs::absolute(start, failed).lexically_normal();
  for (; !failed; folder = folder.parent_path()) {
    const fs::path candidate = folder / "matrix" / "features.yaml";
    if (fs::is_regular_file(candidate, failed)) return candidate.string();
    failed.clear();
    if (folder == folder.root_path()) break;
  }
  return core::Error{fmt::format("no matrix/features.yaml in {} or any folder above it; name the file", start)};
}

}  // namespace lockstep::matrix
