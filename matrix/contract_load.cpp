// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <regex>
#include <set>

#include "matrix/contract.h"
#include "matrix/contract_check.h"
#include "matrix/load_error.h"
#include "matrix/yaml_tree.h"

namespace lockstep::matrix {
namespace {

constexpr std::size_t kMaxListLength = 512;     // of one list in the file
constexpr std::size_t kMaxPatternLength = 256;  // std::regex recurses on its pattern
constexpr std::uint64_t kMaxSeconds = 7 * 24 * 3600;

// A mapping of the file whose keys are known.
class Fields {
 public:
  Fields(const YamlNode& node, const char* what, std::initializer_list<const char*> known) : node_(node) {
    if (!node.is_map())
      throw LoadError{node.line, fmt::format("{} has to be a mapping, not {}", what, node.kind_text())};
    const std::vector<std::string> names(known.begin(), known.end());
    std::set<std::string> seen;
    for (const auto& [key, value] : node.entries) {
      if (!key->is_scalar()) throw LoadError{key->line, fmt::format("a key of {} has to be a name", what)};
      if (std::find(names.begin(), names.end(), key->scalar) == names.end()) {
        throw LoadError{key->line,
                        fmt::format("unknown key {}{}", in_quotes(key->scalar), suggestion(key->scalar, names))};
      }
      if (!seen.insert(key->scalar).second) {
        throw LoadError{key->line, fmt::format("key {} is given twice", in_quotes(key->scalar))};
      }
    }
  }

  int line() const { return node_.line; }
  const YamlNode* find(const char* key) const {
    for (const auto& [name, value] : node_.entries) {
      if (name->scalar == key) return value.get();
    }
    return nullptr;
  }
  const YamlNode& get(const char* key, const char* what) const {
    const YamlNode* value = find(key);
    if (value == nullptr) throw LoadError{node_.line, fmt::format("{} needs a key \"{}\"", what, key)};
    return *value;
  }

 private:
  const YamlNode& node_;
};

std::string text_of(const YamlNode& node, const char* key) {
  if (!node.is_scalar())
    throw LoadError{node.line, fmt::format("\"{}\" has to be a text, not {}", key, node.kind_text())};
  return node.scalar;
}

std::string optional_text(const Fields& fields, const char* key) {
  const YamlNode* node = fields.find(key);
  return node == nullptr ? "" : text_of(*node, key);
}

std::vector<const YamlNode*> list_of(const YamlNode& node, const char* key) {
  if (node.is_null()) return {};
  if (!node.is_sequence())
    throw LoadError{node.line, fmt::format("\"{}\" has to be a list, not {}", key, node.kind_text())};
  if (node.items.size() > kMaxListLength) {
    throw LoadError{node.line,
                    fmt::format("\"{}\" has {} entries; at most {} are taken", key, node.items.size(), kMaxListLength)};
  }
  std::vector<const YamlNode*> items;
  for (const auto& item : node.items) items.push_back(item.get());
  return items;
}

std::vector<std::string> texts_of(const Fields& fields, const char* key) {
  std::vector<std::string> result;
  if (const YamlNode* node = fields.find(key)) {
    for (const YamlNode* item : list_of(*node, key)) result.push_back(text_of(*item, key));
  }
  return result;
}

// A command line: a list, or one text that is split at blanks.
std::vector<std::string> words_of(const YamlNode& node, const char* key) {
  std::vector<std::string> result;
  if (node.is_sequence()) {
    for (const YamlNode* item : list_of(node, key)) result.push_back(text_of(*item, key));
    return result;
  }
  if (node.is_null()) return result;
  const std::string text = text_of(node, key);
  constexpr const char* kBlanks = " \t\r\n";
  for (std::size_t at = text.find_first_not_of(kBlanks); at != std::string::npos;) {
    const std::size_t end = std::min(text.find_first_of(kBlanks, at), text.size());
    result.push_back(text.substr(at, end - at));
    at = text.find_first_not_of(kBlanks, end);
  }
  return result;
}

template <typename T>
T choice_of(const YamlNode& node, const char* key, std::initializer_list<T> choices) {
  const std::string text = text_of(node, key);
  std::vector<std::string> names;
  for (const T choice : choices) {
    if (text == to_string(choice)) return choice;
    names.emplace_back(to_string(choice));
  }
  throw LoadError{node.line, fmt::format("\"{}\" cannot be {}{}", key, in_quotes(text), suggestion(text, names))};
}

std::uint64_t number_of(const YamlNode& node, const char* key, std::uint64_t least, std::uint64_t most) {
  const std::string text = text_of(node, key);
  std::uint64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size() || value < least || value > most) {
    throw LoadError{node.line, fmt::format("\"{}\" has to be a whole number from {} to {}, not {}", key, least, most,
                                           in_quotes(text))};
  }
  return value;
}

std::uint64_t size_of(const YamlNode& node, const char* key) {
  const std::string text = text_of(node, key);
  std::uint64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const int shift = unit == "K" ? 10 : unit == "M" ? 20 : unit == "G" ? 30 : -1;
  if (failed != std::errc{} || shift < 0 || value == 0 || value > (std::uint64_t{1} << 50) >> shift) {
    throw LoadError{node.line, fmt::format("\"{}\" has to be a size such as 512M or 4G, not {}", key, in_quotes(text))};
  }
  return value << shift;
}

void check_name(const std::string& name, int line, const char* what, bool value) {
  const auto plain = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           (value && ((c >= 'A' && c <= 'Z') || c == '.'));
  };
  if (!name.empty() && name.size() <= kMaxNameLength && std::all_of(name.begin(), name.end(), plain) && name[0] != '-')
    return;
  throw LoadError{line, fmt::format("{} cannot be called {}: use up to {} of a-z, 0-9, '-' and '_'", what,
                                    in_quotes(name), kMaxNameLength)};
}

// References as they stand in the file, until all names are known.
struct PendingRef {
  std::string text;
  int line;
};
using PendingRefs = std::vector<PendingRef>;

PendingRefs refs_of(const YamlNode& node, const char* key) {
  PendingRefs result;
  for (const YamlNode* item : list_of(node, key)) result.push_back({text_of(*item, key), item->line});
  return result;
}

class Loader {
 public:
  explicit Loader(std::string name) { contract_.path = std::move(name); }

  Contract load(const YamlNode& root) {
    const Fields fields(root, "a contract", {"version", "project", "features", "rules", "workloads"});
    number_of(fields.get("version", "a contract"), "version", 1, 1);
    contract_.project = text_of(fields.get("project", "a contract"), "project");
    const YamlNode& features = fields.get("features", "a contract");
    for (const YamlNode* node : list_of(features, "features")) read_feature(*node);
    if (contract_.features.empty()) throw LoadError{features.line, "\"features\" is empty"};
    check_names();
    resolve_features();
    if (const YamlNode* rules = fields.find("rules")) {
      if (rules->items.size() > kMaxRules) throw LoadError{rules->line, "too many rules"};
      for (const YamlNode* node : list_of(*rules, "rules")) read_rule(*node);
    }
    check_cycles(contract_);
    if (const YamlNode* workloads = fields.find("workloads")) {
      for (const YamlNode* node : list_of(*workloads, "workloads")) read_workload(*node);
    }
    check_contradictions(contract_);
    return std::move(contract_);
  }

 private:
  struct Pending {
    std::vector<std::pair<std::size_t, PendingRefs>> required;
    std::vector<std::pair<std::size_t, PendingRefs>> excluded;
    PendingRefs contains;
  };

  void read_feature(const YamlNode& node) {
    const Fields fields(
        node, "a feature",
        {"name", "part", "kind", "status", "becomes", "values", "default", "description", "requires", "excludes",
         "contains", "aliases", "deprecated-in-favour-of", "migration", "build-option", "arguments", "agreement"});
    Feature feature;
    Pending pending;
    feature.line = node.line;
    feature.name = text_of(fields.get("name", "a feature"), "name");
    check_name(feature.name, node.line, "a feature", false);
    const std::string what = fmt::format("feature `{}`", feature.name);
    feature.part = optional_text(fields, "part");
    feature.description = text_of(fields.get("description", what.c_str()), "description");
    feature.aliases = texts_of(fields, "aliases");
    for (const std::string& alias : feature.aliases) check_name(alias, node.line, "an alias", false);
    feature.migration = optional_text(fields, "migration");
    if (fields.find("deprecated-in-favour-of") != nullptr) {
      read_deprecated(fields, feature, what);
      contract_.features.push_back(std::move(feature));
      pending_.push_back(std::move(pending));
      return;
    }
    if (fields.find("migration") != nullptr) {
      throw LoadError{fields.find("migration")->line,
                      "\"migration\" belongs to a name with \"deprecated-in-favour-of\""};
    }
    feature.kind = choice_of(fields.get("kind", what.c_str()), "kind",
                             {FeatureKind::kBuildOption, FeatureKind::kRuntimeOption, FeatureKind::kGuest,
                              FeatureKind::kEngine, FeatureKind::kUmbrella});
    if (feature.umbrella()) {
      for (const char* key : {"status", "becomes", "values", "default", "requires", "excludes", "build-option",
                              "arguments", "agreement"}) {
        if (const YamlNode* value = fields.find(key)) {
          throw LoadError{value->line,
                          fmt::format("umbrella `{}` only names other features and takes no \"{}\"; give it to "
                                      "the features that it contains",
                                      feature.name, key)};
        }
      }
      pending.contains = refs_of(fields.get("contains", what.c_str()), "contains");
    } else {
      read_variable(fields, feature, pending, what);
    }
    contract_.features.push_back(std::move(feature));
    pending_.push_back(std::move(pending));
  }

  static void read_deprecated(const Fields& fields, Feature& feature, const std::string& what) {
    for (const char* key : {"kind", "status", "becomes", "values", "default", "requires", "excludes", "contains",
                            "build-option", "arguments", "agreement"}) {
      if (const YamlNode* value = fields.find(key)) {
        throw LoadError{value->line,
                        fmt::format("{} is deprecated and stands for another; it takes no \"{}\"", what, key)};
      }
    }
    feature.in_favour_of = text_of(*fields.find("deprecated-in-favour-of"), "deprecated-in-favour-of");
    if (feature.in_favour_of.empty()) throw LoadError{feature.line, "\"deprecated-in-favour-of\" is empty"};
    text_of(fields.get("migration", what.c_str()), "migration");
  }

  static void read_variable(const Fields& fields, Feature& feature, Pending& pending, const std::string& what) {
    const auto statuses = {FeatureStatus::kStable, FeatureStatus::kExperimental, FeatureStatus::kPlanned};
    feature.status = choice_of(fields.get("status", what.c_str()), "status", statuses);
    if (const YamlNode* node = fields.find("becomes")) {
      feature.becomes = choice_of(*node, "becomes", {FeatureStatus::kStable, FeatureStatus::kExperimental});
      if (feature.status != FeatureStatus::kPlanned) throw LoadError{node->line, "\"becomes\" is for planned features"};
    }
    feature.values = {"off", "on"};
    if (const YamlNode* node = fields.find("values")) {
      feature.values = texts_of(fields, "values");
      if (feature.values.empty() || feature.values.size() > kMaxValues) {
        throw LoadError{node->line, fmt::format("{} needs 1 to {} values", what, kMaxValues)};
      }
      for (const std::string& value : feature.values) check_name(value, node->line, "a value", true);
      if (std::set<std::string>(feature.values.begin(), feature.values.end()).size() != feature.values.size()) {
        throw LoadError{node->line, fmt::format("{} has a value twice", what)};
      }
    }
    if (const YamlNode* node = fields.find("default")) {
      feature.default_value = value_of(feature, text_of(*node, "default"), node->line);
    }
    if (feature.status == FeatureStatus::kPlanned && feature.values[feature.default_value] != "off") {
      throw LoadError{feature.line,
                      fmt::format("{} is planned, so it needs a value \"off\", and that as its default", what)};
    }
    if (const YamlNode* node = fields.find("requires")) pending.required = refs_by_value(feature, *node, "requires");
    if (const YamlNode* node = fields.find("excludes")) pending.excluded = refs_by_value(feature, *node, "excludes");
    if (const YamlNode* node = fields.find("contains")) pending.contains = refs_of(*node, "contains");
    feature.build_option = optional_text(fields, "build-option");
    if (const YamlNode* node = fields.find("build-option")) {
      const auto plain = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; };
      if (feature.build_option.empty() || feature.build_option.size() > kMaxNameLength ||
          !std::all_of(feature.build_option.begin(), feature.build_option.end(), plain) ||
          feature.build_option[0] <= '9') {
        throw LoadError{node->line, "\"build-option\" has to be a CMake option of A-Z, 0-9 and '_'"};
      }
    } else if (feature.kind == FeatureKind::kBuildOption) {
      throw LoadError{feature.line, fmt::format("{} is a build option and needs a key \"build-option\"", what)};
    }
    if (!feature.build_option.empty() && !feature.boolean() && feature.values != std::vector<std::string>{"on"}) {
      throw LoadError{feature.line, fmt::format("{} has a build option, so its values can only be off and on", what)};
    }
    if (const YamlNode* node = fields.find("arguments")) {
      if (!node->is_map()) throw LoadError{node->line, "\"arguments\" has to be a mapping from value to arguments"};
      for (const auto& [key, value] : node->entries) {
        const std::size_t index = value_of(feature, text_of(*key, "arguments"), key->line);
        if (!feature.arguments.emplace(index, words_of(*value, "arguments")).second) {
          throw LoadError{key->line, fmt::format("value {} is given twice", in_quotes(key->scalar))};
        }
        check_placeholders(feature.arguments[index], value->line, false);
      }
    }
    if (const YamlNode* node = fields.find("agreement")) {
      feature.agreement = choice_of(
          *node, "agreement", {Agreement::kExact, Agreement::kBehavioural, Agreement::kNone, Agreement::kUnrepeatable});
    }
  }

  static std::size_t value_of(const Feature& feature, const std::string& text, int line) {
    if (const auto value = feature.find_value(text)) return *value;
    throw LoadError{line, fmt::format("feature `{}` has no value {}{}", feature.name, in_quotes(text),
                                      suggestion(text, feature.values))};
  }

  // A list belongs to the value "on"; a mapping has a list for each value that it names.
  static std::vector<std::pair<std::size_t, PendingRefs>> refs_by_value(const Feature& feature, const YamlNode& node,
                                                                        const char* key) {
    std::vector<std::pair<std::size_t, PendingRefs>> result;
    if (!node.is_map()) {
      const auto on = feature.find_value("on");
      if (!on && !node.is_null()) {
        throw LoadError{node.line,
                        fmt::format("\"{}\" of `{}` has to be a mapping from value to list, since it is never "
                                    "just on",
                                    key, feature.name)};
      }
      if (on) result.emplace_back(*on, refs_of(node, key));
      return result;
    }
    for (const auto& [value, refs] : node.entries) {
      result.emplace_back(value_of(feature, text_of(*value, key), value->line), refs_of(*refs, key));
    }
    return result;
  }

  void check_names() {
    if (contract_.features.size() > kMaxFeatures) {
      throw LoadError{1, fmt::format("{} features; at most {} are taken", contract_.features.size(), kMaxFeatures)};
    }
    std::map<std::string, int> lines;
    std::map<std::string, int> options;
    for (const Feature& feature : contract_.features) {
      std::vector<std::string> names = feature.aliases;
      names.insert(names.begin(), feature.name);
      for (const std::string& name : names) {
        const auto [found, fresh] = lines.emplace(name, feature.line);
        if (!fresh) {
          throw LoadError{feature.line,
                          fmt::format("the name {} is already taken in line {}", in_quotes(name), found->second)};
        }
        feature_names_.push_back(name);
      }
      if (feature.build_option.empty()) continue;
      const auto [found, fresh] = options.emplace(feature.build_option, feature.line);
      if (!fresh) {
        throw LoadError{feature.line, fmt::format("the build option {} is already taken in line {}",
                                                  in_quotes(feature.build_option), found->second)};
      }
    }
    for (const Feature& feature : contract_.features) {
      if (!feature.deprecated()) continue;
      const Feature* target = contract_.find(feature.in_favour_of);
      if (target == nullptr) throw unknown_feature(feature.in_favour_of, feature.line);
      if (target->deprecated()) {
        throw LoadError{feature.line,
                        fmt::format("`{}` is deprecated in favour of `{}`, which is deprecated too; name `{}`",
                                    feature.name, target->name, target->in_favour_of)};
      }
    }
  }

  LoadError unknown_feature(const std::string& name, int line) const {
    return {line, fmt::format("unknown feature {}{}", in_quotes(name), suggestion(name, feature_names_))};
  }

  FeatureRef resolve(const PendingRef& pending) const {
    std::string note;
    core::Result<FeatureRef> ref = parse_ref(contract_, pending.text, &note);
    if (!ref) throw LoadError{pending.line, ref.message()};
    if (!note.empty())
      throw LoadError{pending.line, fmt::format("{} is deprecated; write \"{}\"", in_quotes(pending.text), ref->name)};
    return *ref;
  }

  std::vector<FeatureRef> resolve(const PendingRefs& pending) const {
    std::vector<FeatureRef> result;
    for (const PendingRef& ref : pending) {
      result.push_back(resolve(ref));
      if (std::find(result.begin(), result.end() - 1, result.back()) != result.end() - 1) {
        throw LoadError{ref.line, fmt::format("{} is given twice", in_quotes(ref.text))};
      }
    }
    return result;
  }

  void resolve_features() {
    for (std::size_t i = 0; i < contract_.features.size(); ++i) {
      Feature& feature = contract_.features[i];
      for (const auto& [value, refs] : pending_[i].required) append(feature.required[value], resolve(refs));
      for (const auto& [value, refs] : pending_[i].excluded) append(feature.excluded[value], resolve(refs));
      for (const PendingRef& ref : pending_[i].contains) {
        if (feature.umbrella() && ref.text == "*") {
          add_everything(feature);
        } else if (feature.umbrella()) {
          feature.contains.push_back(resolve(ref));
        } else {
          const Feature* child = contract_.resolve(ref.text);
          if (child == nullptr) throw unknown_feature(ref.text, ref.line);
          if (!child->variable()) {
            throw LoadError{ref.line, fmt::format("`{}` cannot contain umbrella `{}`; name its features", feature.name,
                                                  child->name)};
          }
          feature.contains.push_back({child->name, ""});
        }
      }
    }
  }

  static void append(std::vector<FeatureRef>& to, std::vector<FeatureRef> more) {
    to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }

  void add_everything(Feature& umbrella) const {
    for (const Feature& feature : contract_.features) {
      if (feature.variable() && feature.find_value("on")) umbrella.contains.push_back({feature.name, "on"});
    }
  }

  void read_rule(const YamlNode& node) {
    const Fields fields(node, "a rule",
                        {"when", "then", "exactly-one-of", "at-most-one-of", "at-least-one-of", "never", "why"});
    Rule rule;
    rule.line = node.line;
    rule.why = optional_text(fields, "why");
    int forms = 0;
    const auto form = [&](const char* key, Rule::Kind kind) {
      const YamlNode* value = fields.find(key);
      if (value == nullptr) return;
      ++forms;
      rule.kind = kind;
      rule.group = resolve(refs_of(*value, key));
      if (rule.group.empty()) throw LoadError{value->line, fmt::format("\"{}\" is empty", key)};
    };
    form("then", Rule::Kind::kImplication);
    form("exactly-one-of", Rule::Kind::kExactlyOne);
    form("at-most-one-of", Rule::Kind::kAtMostOne);
    form("at-least-one-of", Rule::Kind::kAtLeastOne);
    form("never", Rule::Kind::kNever);
    if (forms != 1) {
      throw LoadError{node.line,
                      "a rule has either \"when\" and \"then\", or one of \"exactly-one-of\", "
                      "\"at-most-one-of\", \"at-least-one-of\", \"never\""};
    }
    const YamlNode* when = fields.find("when");
    if ((rule.kind == Rule::Kind::kImplication) != (when != nullptr)) {
      throw LoadError{node.line, "\"when\" and \"then\" go together"};
    }
    if (when != nullptr) rule.when = resolve(refs_of(*when, "when"));
    const bool counted = rule.kind != Rule::Kind::kImplication && rule.kind != Rule::Kind::kNever;
    for (const FeatureRef& ref : rule.group) {
      if (counted && contract_.find(ref.name)->umbrella()) {
        throw LoadError{node.line,
                        fmt::format("umbrella `{}` cannot be counted in a group; name its features", ref.name)};
      }
    }
    contract_.rules.push_back(std::move(rule));
  }

  static std::vector<std::string> patterns_of(const Fields& fields, const char* key) {
    std::vector<std::string> patterns = texts_of(fields, key);
    for (const std::string& pattern : patterns) {
      bool sound = pattern.size() <= kMaxPatternLength;
      try {
        if (sound) std::regex compiled(pattern, std::regex::ECMAScript);
      } catch (const std::regex_error&) {
        sound = false;
      }
      if (!sound) {
        throw LoadError{fields.find(key)->line,
                        fmt::format("\"{}\": {} is not a regular expression (ECMAScript, at most {} "
                                    "characters)",
                                    key, in_quotes(pattern), kMaxPatternLength)};
      }
    }
    return patterns;
  }

  static void check_placeholders(const std::vector<std::string>& words, int line, bool with_features) {
    std::vector<std::string> known{"{lockstep}", "{payload:NAME}", "{scratch}", "{artifacts}", "{cell}"};
    if (with_features) known.emplace_back("{features}");
    constexpr std::string_view kPayload = "{payload:";
    for (const std::string& word : words) {
      if (with_features && word == "{features}") continue;
      for (std::size_t at = word.find('{'); at != std::string::npos; at = word.find('{', at + 1)) {
        const std::size_t end = word.find('}', at);
        const std::string name = word.substr(at, end == std::string::npos ? end : end - at + 1);
        const bool payload =
            end != std::string::npos && name.starts_with(kPayload) && name.size() > kPayload.size() + 1;
        if (payload || name == "{lockstep}" || name == "{scratch}" || name == "{artifacts}" || name == "{cell}")
          continue;
        if (name == "{features}")
          throw LoadError{line, "\"{features}\" has to be a word of its own in a workload's \"argv\""};
        throw LoadError{line, fmt::format("unknown placeholder {} in {}{}", in_quotes(name), in_quotes(word),
                                          suggestion(name, known))};
      }
    }
  }

  void read_workload(const YamlNode& node) {
    const Fields fields(node, "a workload",
                        {"name", "description", "instances", "needs", "varies", "limits", "argv", "payload", "grade",
                         "keep-lines", "drop-lines", "pass-codes"});
    Workload workload;
    workload.line = node.line;
    workload.family = text_of(fields.get("name", "a workload"), "name");
    check_name(workload.family, node.line, "a workload", false);
    const std::string what = fmt::format("workload `{}`", workload.family);
    workload.description = optional_text(fields, "description");
    if (const YamlNode* needs = fields.find("needs")) workload.needs = resolve(refs_of(*needs, "needs"));
    read_varies(fields, workload);
    if (const YamlNode* limits = fields.find("limits")) {
      const Fields bounds(*limits, "\"limits\"", {"wall-s", "cpu-s", "memory"});
      if (const YamlNode* n = bounds.find("wall-s"))
        workload.limits.wall_s = static_cast<std::uint32_t>(number_of(*n, "wall-s", 1, kMaxSeconds));
      if (const YamlNode* n = bounds.find("cpu-s"))
        workload.limits.cpu_s = static_cast<std::uint32_t>(number_of(*n, "cpu-s", 1, kMaxSeconds));
      if (const YamlNode* n = bounds.find("memory")) workload.limits.memory_bytes = size_of(*n, "memory");
    }
    const YamlNode& argv = fields.get("argv", what.c_str());
    workload.argv = words_of(argv, "argv");
    if (workload.argv.empty()) throw LoadError{argv.line, "\"argv\" is empty"};
    if (const YamlNode* payload = fields.find("payload")) workload.payload_recipe = words_of(*payload, "payload");
    if (const YamlNode* grade = fields.find("grade")) {
      workload.grade = choice_of(*grade, "grade", {Agreement::kExact, Agreement::kBehavioural, Agreement::kNone});
    }
    workload.keep_lines = patterns_of(fields, "keep-lines");
    workload.drop_lines = patterns_of(fields, "drop-lines");
    if (const YamlNode* codes = fields.find("pass-codes")) {
      workload.pass_codes.clear();
      for (const YamlNode* code : list_of(*codes, "pass-codes")) {
        workload.pass_codes.push_back(static_cast<int>(number_of(*code, "pass-codes", 0, 255)));
      }
      if (workload.pass_codes.empty()) throw LoadError{codes->line, "\"pass-codes\" is empty"};
    }
    add_instances(fields, workload);
  }

  void read_varies(const Fields& fields, Workload& workload) const {
    const YamlNode* varies = fields.find("varies");
    std::set<std::string> names;
    if (varies != nullptr) {
      for (const PendingRef& ref : refs_of(*varies, "varies")) {
        const Feature* feature = contract_.resolve(ref.text);
        if (feature == nullptr) throw unknown_feature(ref.text, ref.line);
        if (!feature->umbrella()) names.insert(feature->name);
        for (const FeatureRef& member : contract_.closure({feature->name, "on"})) names.insert(member.name);
      }
    }
    for (const Feature& feature : contract_.features) {
      if (feature.variable() && (varies == nullptr || names.contains(feature.name)))
        workload.varies.push_back(feature.name);
    }
  }

  void add_instances(const Fields& fields, const Workload& family) {
    const YamlNode* node = fields.find("instances");
    std::vector<std::string> instances = texts_of(fields, "instances");
    if (node != nullptr && instances.empty()) throw LoadError{node->line, "\"instances\" is empty"};
    if (node == nullptr) instances.emplace_back();
    for (const std::string& instance : instances) {
      Workload workload = family;
      workload.name = family.family;
      if (node != nullptr) {
        check_name(instance, node->line, "an instance", false);
        workload.instance = instance;
        workload.name += "/" + instance;
      }
      for (std::string& word : workload.argv) {
        constexpr const char* kHolder = "{instance}";
        for (std::size_t at = word.find(kHolder); at != std::string::npos;
             at = word.find(kHolder, at + instance.size())) {
          word.replace(at, std::strlen(kHolder), instance);
        }
      }
      check_placeholders(workload.argv, fields.get("argv", "a workload").line, true);
      if (contract_.find_workload(workload.name) != nullptr) {
        throw LoadError{workload.line, fmt::format("workload {} is given twice", in_quotes(workload.name))};
      }
      if (contract_.workloads.size() >= kMaxWorkloads) {
        throw LoadError{workload.line, fmt::format("more than {} workloads", kMaxWorkloads)};
      }
      contract_.workloads.push_back(std::move(workload));
    }
  }

  Contract contract_;
  std::vector<Pending> pending_;  // parallel to contract_.features
  std::vector<std::string> feature_names_;
};

}  // namespace

core::Result<Contract> parse_contract(std::string_view text, const std::string& name) {
  if (text.size() > kMaxContractSizeBytes) {
    return core::Error{
        fmt::format("{}: {} bytes; a contract has at most {}", name, text.size(), kMaxContractSizeBytes)};
  }
  const core::Result<std::shared_ptr<const YamlNode>> root = read_yaml(text, name);
  if (!root) return root.error();
  try {
    return Loader(name).load(**root);
  } catch (const LoadError& error) {
    return core::Error{fmt::format("{}:{}: {}", name, error.line, error.what)};
  }
}

core::Result<Contract> load_contract(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxContractSizeBytes + 1, '\0');
  if (!file || (!file.read(text.data(), static_cast<std::streamsize>(text.size())) && !file.eof())) {
    return core::Error{fmt::format("{}: cannot be read: {}", path, std::strerror(errno))};
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  return parse_contract(text, path);
}

}  // namespace lockstep::matrix
