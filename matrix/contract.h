// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

// The feature contract of a program: which features it has, which of them go together, how each reaches the program,
// and which workloads try them. It is read from a YAML file whose format docs/matrix.md describes.
namespace lockstep::matrix {

// Bounds on a contract. They are far above what a person writes and keep every check below a second.
inline constexpr std::size_t kMaxContractSizeBytes = 256 * 1024;
inline constexpr std::size_t kMaxFeatures = 512;
inline constexpr std::size_t kMaxValues = 64;  // the values of one feature are the bits of one word
inline constexpr std::size_t kMaxRules = 4096;
inline constexpr std::size_t kMaxWorkloads = 256;  // counted after instances are expanded
inline constexpr std::size_t kMaxNameLength = 64;

// How a feature comes into being: chosen when the program is built, when it is run, by the guest that runs, by the
// engine that executes it, or not by itself at all because it only names a set of others (umbrella).
enum class FeatureKind { kBuildOption, kRuntimeOption, kGuest, kEngine, kUmbrella };
// kPlanned: not built yet. A cell that needs it is SKIP, never PASS.
enum class FeatureStatus { kStable, kExperimental, kPlanned };
// What two cells that differ only in this feature have to share.
//   kExact        everything a guest can see: instruction count, state, memory, console
//   kBehavioural  exit, results of the guest's checks, console without declared variable lines
//   kNone         nothing: the feature changes what the guest is expected to do
//   kUnrepeatable as kBehavioural; and where it is on, no two runs are the same, so that the cell is in no exact group
enum class Agreement { kExact, kBehavioural, kNone, kUnrepeatable };

const char* to_string(FeatureKind kind);
const char* to_string(FeatureStatus status);
const char* to_string(Agreement agreement);

// "NAME" (the feature is on) or "NAME=VALUE" in the file. The value is empty where a feature is meant whatever its
// value.
struct FeatureRef {
  std::string name;
  std::string value;
  bool operator==(const FeatureRef&) const = default;
  std::string text() const { return value.empty() || value == "on" ? name : name + "=" + value; }
};

struct Feature {
  std::string name;
  std::string part;  // folder of the tree that holds it
  FeatureKind kind = FeatureKind::kRuntimeOption;
  FeatureStatus status = FeatureStatus::kStable;
  std::optional<FeatureStatus> becomes;  // of a planned feature: its status once it is built
  std::vector<std::string> values;       // least to most; {"off", "on"} unless the file says otherwise
  std::size_t default_value = 0;         // index into values
  std::string description;
  // Of an umbrella: what it turns on. Of any other: its own options, which mean nothing while it is off.
  std::vector<FeatureRef> contains;
  // Per value of this feature (indices as in values). A list in the file belongs to "on".
  std::map<std::size_t, std::vector<FeatureRef>> required;
  std::map<std::size_t, std::vector<FeatureRef>> excluded;
  std::vector<std::string> aliases;
  std::string in_favour_of;  // not empty: this is a deprecated name of that feature and has no values of its own
  std::string migration;     // what a user of the deprecated name does
  std::string build_option;  // CMake option; empty when the build does not choose
  std::map<std::size_t, std::vector<std::string>> arguments;  // program arguments per value
  Agreement agreement = Agreement::kBehavioural;
  int line = 0;  // of the file, 1-based

  bool deprecated() const { return !in_favour_of.empty(); }
  bool umbrella() const { return kind == FeatureKind::kUmbrella; }
  // Has a value of its own in every cell.
  bool variable() const { return !umbrella() && !deprecated(); }
  bool boolean() const { return values.size() == 2 && values[0] == "off" && values[1] == "on"; }
  std::optional<std::size_t> find_value(std::string_view value) const;
};

// `when` all hold, `then` all hold; or a group of references of which so many hold.
struct Rule {
  enum class Kind { kImplication, kAtMostOne, kAtLeastOne, kExactlyOne, kNever };
  Kind kind = Kind::kImplication;
  std::string why;                // empty, or the reason that the file gives
  std::vector<FeatureRef> when;   // kImplication only
  std::vector<FeatureRef> group;  // what must hold (kImplication), the group, or the combination that is never built
  int line = 0;
};

struct Limits {
  std::uint32_t wall_s = 600;
  std::uint32_t cpu_s = 0;         // 0: no limit of its own
  std::uint64_t memory_bytes = 0;  // 0: no limit of its own
};

// What a cell runs. A workload with instances in the file becomes one Workload an instance, named "name/instance".
struct Workload {
  std::string name;
  std::string family;    // the name in the file
  std::string instance;  // empty when the workload has none
  std::string description;
  std::vector<FeatureRef> needs;    // fixed in every cell of it
  std::vector<std::string> varies;  // features whose values are tried; the others stay at their default if they can
  Limits limits;
  // The program and its arguments. "{features}" has been replaced in Cell::argv; the runner replaces {lockstep} (the
  // program), {payload:NAME} (the path that the payload recipe gave for NAME), {scratch} (an empty folder of the
  // attempt) and {cell} (Cell::id).
  std::vector<std::string> argv;
  // Command, relative to the root of the tree, that makes the payloads and prints a line "NAME<tab>PATH" for each on
  // standard output. Empty: none is needed. Workloads with the same recipe share one run of it.
  std::vector<std::string> payload_recipe;
  // The best grade that cells of this workload can be compared at.
  Agreement grade = Agreement::kExact;
  // ECMAScript expressions over console lines, for the behavioural comparison: when `keep` is not empty only matching
  // lines count; lines that match `drop` never do.
  std::vector<std::string> keep_lines;
  std::vector<std::string> drop_lines;
  // Exit codes of the program that mean success.
  std::vector<int> pass_codes = {0};
  int line = 0;
};

struct Contract {
  std::string path;
  std::string project;
  std::vector<Feature> features;  // in the order of the file
  std::vector<Rule> rules;
  std::vector<Workload> workloads;

  // By name, not by alias.
  const Feature* find(std::string_view name) const;
  const Workload* find_workload(std::string_view name) const;
  // By name, alias or deprecated name; a deprecated name gives what it stands for, and *note says so.
  const Feature* resolve(std::string_view name, std::string* note = nullptr) const;
  // The variable features that a reference turns on, through umbrellas.
  std::vector<FeatureRef> closure(const FeatureRef& ref) const;
};

// Reads and checks a contract. The message of an error is "file:line: what; the way out".
core::Result<Contract> load_contract(const std::string& path);
// The same for text at hand; `name` stands for the file in messages.
core::Result<Contract> parse_contract(std::string_view text, const std::string& name);
// Finds matrix/features.yaml in `start` or the nearest folder above it.
core::Result<std::string> find_contract(const std::string& start);

// "NAME", "NAME=VALUE", by name, alias or deprecated name. *note is filled when a deprecated name was used.
core::Result<FeatureRef> parse_ref(const Contract& contract, std::string_view text, std::string* note = nullptr);

}  // namespace lockstep::matrix
