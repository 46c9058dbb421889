// SPDX-License-Identifier: Apache-2.0
#include "cli/cosim_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cli/cosim_coverage.h"
#include "cli/cosim_device.h"
#include "cli/cosim_mutate.h"
#include "cli/cosim_replay.h"
#include "smmu_rtl_bridge/campaign/campaign.h"
#include "smmu_rtl_bridge/coverage/database.h"
#include "smmu_rtl_bridge/coverage/plan.h"
#include "smmu_rtl_bridge/coverage/watch.h"
#include "smmu_rtl_bridge/stimulus/directed/crosses.h"
#include "smmu_rtl_bridge/stimulus/directed/directed.h"
#include "smmu_rtl_bridge/stimulus/mix.h"
#include "smmu_rtl_bridge/tlm_device.h"

namespace lockstep::cli {
namespace {

namespace bridge = smmu_rtl_bridge;

constexpr int kFailed = 1, kBadUsage = 2;

struct Arguments {
  CosimDevice device;
  std::string waveform;
  std::string seeds;
  std::optional<uint64_t> seed;
  uint64_t count = 1;  // of seeds from `seed` on
  std::string mix = "default";
  std::string script;
  unsigned jobs = 0;
  std::string save = ".";
  bool json = false;
  std::string timeline;
  std::vector<std::string> settings;
  bool plain = false;
  bool no_shrink = false;
  bool directed = false;
  std::string coverage;
  bool coverage_points = false;
  unsigned failures = 1;
  std::string output;
  uint64_t shrink_s = 110;
};

int bad_usage(const std::string& command, const std::string& message) {
  fmt::print(stderr, "lockstep cosim {}: {}\n", command, message);
  return kBadUsage;
}

std::optional<uint64_t> number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

core::Status read_seeds(const Arguments& arguments, bridge::CampaignOptions& options) {
  if (arguments.seed) {
    if (arguments.count == 0 || *arguments.seed > ~uint64_t{0} - (arguments.count - 1))
      return core::Error{fmt::format("--count {}: use 1 or more, up to the largest seed", arguments.count)};
    options.first_seed = *arguments.seed;
    options.last_seed = *arguments.seed + arguments.count - 1;
    return {};
  }
  const std::string text = arguments.seeds.empty() ? "1..100" : arguments.seeds;
  const size_t dots = text.find("..");
  const auto first = number(std::string_view(text).substr(0, dots));
  const auto last = dots == std::string::npos ? first : number(std::string_view(text).substr(dots + 2));
  if (!first || !last || *last < *first)
    return core::Error{fmt::format("--seeds {}: use FIRST..LAST, as in 1..2000", text)};
  options.first_seed = *first;
  options.last_seed = *last;
  return {};
}

core::Result<std::vector<bridge::Setting>> settings_of(const std::vector<std::string>& given) {
  std::vector<bridge::Setting> settings;
  for (const std::string& one : given) {
    const size_t equals = one.find('=');
    if (equals == std::string::npos) return core::Error{fmt::format("--set {}: use NAME=NUMBER", one)};
    settings.push_back({one.substr(0, equals), one.substr(equals + 1)});
  }
  return settings;
}

core::Result<std::string> read_file(const std::string& path, const char* option) {
  std::ifstream file(path);
  if (!file) return core::Error{fmt::format("{}{}: the file cannot be read", option, path)};
  return std::string{std::istreambuf_iterator<char>(file), {}};
}

core::Status write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  if (!file.flush()) return core::Error{fmt::format("{}: the file cannot be written", path)};
  return {};
}

nlohmann::json to_json(const bridge::RunCounts& counts) {
  return {{"translations", counts.accesses}, {"faults", counts.faults},   {"events", counts.events},
          {"commands", counts.commands},     {"answers", counts.answers}, {"several_outcomes", counts.several_outcomes},
          {"undecided", counts.undecided},   {"hits", counts.hits},       {"misses", counts.misses},
          {"nested", counts.nested}};
}

// Functional coverage of a run: one database where scripts are played, and one here for all of them.
class Coverage {
 public:
  Coverage(const std::string& file, bool points) : file_(file), points_(points) {}

  void watch(bridge::RunOptions& options) {
    if (file_.empty() && !points_) return;
    options.watchers.push_back(bridge::coverage::watch(played_));
    options.collect = [this] { return played_.text(); };
  }
  void take(const std::string& text) {
    if (text.empty()) return;
    if (const auto part = bridge::coverage::Database::parse(text, "coverage"); part) all_.merge(*part);
  }
  // For --json, what this run met of the plan.
  void tell(nlohmann::json& told) const {
    if (!points_) return;
    nlohmann::json hits = nlohmann::json::object();
    const auto points = bridge::coverage::Plan::instance().points();
    for (size_t i = 0; i < points.size(); ++i)
      if (all_.count(i) != 0) hits[points[i].name] = all_.count(i);
    told["coverage"] = {
        {"plan", bridge::coverage::Database::plan_name()}, {"points", points.size()}, {"hits", std::move(hits)}};
  }
  // Adds to what the file has from earlier runs.
  core::Status save() const {
    if (file_.empty()) return {};
    bridge::coverage::Database sum = all_;
    if (std::filesystem::exists(file_)) {
      const auto before = bridge::coverage::Database::load(file_);
      if (!before) return before.error();
      sum.merge(*before);
    }
    const auto saved = sum.save(file_);
    if (saved) fmt::print(stderr, "{}: {:.1f} % of the plan after {} runs\n", file_, sum.percent(), sum.runs);
    return saved;
  }

 private:
  std::string file_;
  bool points_;
  bridge::coverage::Database played_, all_;
};

void show_progress(const bridge::CampaignProgress& progress) {
  if (!isatty(STDERR_FILENO) || progress.seconds < 1) return;
  const double rate = static_cast<double>(progress.counts.accesses) / progress.seconds;
  const double left = progress.seeds_done == 0 ? 0
                                               : progress.seconds / static_cast<double>(progress.seeds_done) *
                                                     static_cast<double>(progress.seeds - progress.seeds_done);
  const double kilohertz = static_cast<double>(progress.counts.cycles) / progress.seconds / 1000;
  fmt::print(stderr, "\r{} of {} seeds, {} translations, {:.0f}/s, {}{:.0f} s left  ", progress.seeds_done,
             progress.seeds, progress.counts.accesses, rate,
             progress.counts.cycles == 0 ? std::string() : fmt::format("{:.0f} kHz, ", kilohertz), left);
}

std::string summary(const bridge::RunCounts& counts) {
  const auto percent = [&](uint64_t count) {
    return counts.answers == 0 ? 0 : 100.0 * static_cast<double>(count) / static_cast<double>(counts.answers);
  };
  return fmt::format(
      "{} translations ({:.1f} % hits, {:.1f} % misses, {:.1f} % nested, {:.1f} % faults), {} commands, {} events; "
      "{:.2f} % of answers had several outcomes{}",
      counts.accesses, percent(counts.hits), percent(counts.misses), percent(counts.nested), percent(counts.faults),
      counts.commands, counts.events, percent(counts.several_outcomes),
      counts.undecided ? fmt::format(", {} were not decided", counts.undecided) : "");
}

void report(const bridge::RunResult& result, const bridge::Script& script) {
  fmt::print(stderr, "broken: {}\n{}\n", result.rule, result.text);
  if (result.line < script.lines.size())
    fmt::print(stderr, "at line {} of the script: {}\n", result.line + 1, print(script.lines[result.line]));
}

// One script, with its timeline where one is wanted.
int run_one(const Arguments& arguments, const bridge::Script& script) {
  bridge::RunOptions options = cosim_run_options(arguments.device);
  std::ofstream timeline;
  if (!arguments.timeline.empty()) {
    timeline.open(arguments.timeline);
    if (!timeline) return bad_usage("smmu", arguments.timeline + ": the file cannot be written");
    // Line by line, so that the timeline of a device that hangs is whole up to there.
    timeline << std::unitbuf;
    options.timeline = &timeline;
  }
  Coverage coverage(arguments.coverage, arguments.coverage_points);
  coverage.watch(options);
  const auto factory = cosim_factory(arguments.device, options.timeline);
  if (!factory) return bad_usage("smmu", factory.message());
  const auto result = bridge::run_script_isolated(*factory, script, options, bridge::CampaignOptions().silence_ms);
  if (!result) return bad_usage("smmu", result.message());
  if (!arguments.waveform.empty()) {
    const uint64_t at = result->ok() ? result->counts.cycles : result->cycle;
    if (const auto status = write_cosim_waveform(arguments.device, script, at, arguments.waveform); !status)
      return bad_usage("smmu", status.message());
  }
  coverage.take(result->collected);
  if (const auto saved = coverage.save(); !saved) return bad_usage("smmu", saved.message());
  if (arguments.json) {
    nlohmann::json told = to_json(result->counts);
    told["agree"] = result->ok();
    told["rule"] = result->rule;
    told["text"] = result->text;
    told["line"] = result->line + 1;
    told["cycle"] = result->cycle;
    coverage.tell(told);
    fmt::print("{}\n", told.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    if (!result->ok()) report(*result, script);
    fmt::print("{}: {}\n", summary(result->counts), result->ok() ? "nothing is wrong" : "the device is wrong");
  }
  return result->ok() ? 0 : kFailed;
}

// For a script that fails: the timeline and, of a design, the waveform beside it, or how to have them.
void show_what_happens(const Arguments& arguments, const bridge::Script& script, const std::string& stem,
                       const std::string& file) {
  if (!arguments.device.is_rtl()) {
    fmt::print(stderr, "`lockstep cosim smmu --dut {} --script {} --timeline FILE` shows it happen\n",
               arguments.device.dut, file);
    return;
  }
  const core::Status status = write_cosim_evidence(arguments.device, script, stem);
  if (status) {
    fmt::print(stderr, "{0}.timeline.txt and {0}.fst (a waveform, for gtkwave) show it happen\n", stem);
  } else {
    fmt::print(stderr, "{}.timeline.txt shows it happen; no waveform: {}\n", stem, status.message());
  }
}

// Saves a script that fails as STEM.smmu and STEM.small.smmu, and what shows it happen beside them.
core::Status keep_failure(const Arguments& arguments, const std::string& name, const bridge::Script& script,
                          const bridge::Script& shrunk, const bridge::ShrinkReport& shrinking, std::string& file) {
  const std::string stem = (std::filesystem::path(arguments.save) / name).string();
  file = stem + ".small.smmu";
  std::error_code ignored;
  std::filesystem::create_directories(arguments.save, ignored);
  if (const auto status = write_file(stem + ".smmu", print(script)); !status) return status;
  if (const auto status = write_file(file, print(shrunk)); !status) return status;
  if (!arguments.no_shrink)
    fmt::print(stderr, "{} lines of {} are left after {} runs{}:\n{}", shrunk.lines.size(), script.lines.size(),
               shrinking.runs, shrinking.ran_out ? ", when time was up" : "", print(shrunk));
  show_what_happens(arguments, shrunk, stem, file);
  return {};
}

// The script of each rule that has a name. Those whose settings the user's rule out are as good for another device. The
// first that fail are shrunk and shown as seeds are.
int run_directed(const Arguments& arguments, const bridge::DeviceFactory& factory,
                 const std::vector<bridge::Setting>& settings) {
  bridge::RunCounts counts;
  size_t failures = 0;
  std::string message;
  nlohmann::json told = nlohmann::json::array();
  Coverage coverage(arguments.coverage, arguments.coverage_points);
  bridge::RunOptions options = cosim_run_options(arguments.device);
  coverage.watch(options);
  std::vector<bridge::DirectedScript> scripts = bridge::directed_scripts();
  for (const bridge::DirectedScript& cross : bridge::cross_scripts()) scripts.push_back(cross);
  for (const bridge::DirectedScript& directed : scripts) {
    bridge::Script script = cosim_script_for(arguments.device, script_of(directed));
    for (const bridge::Setting& setting : settings) script.settings.push_back(setting);
    const auto result = bridge::run_script_isolated(factory, script, options, bridge::CampaignOptions().silence_ms);
    if (!result) return bad_usage("smmu", directed.name + ": " + result.message());
    counts.add(result->counts);
    coverage.take(result->collected);
    if (result->ok()) continue;
    ++failures;
    fmt::print(stderr, "{} ({}): ", directed.name, directed.section);
    report(*result, script);
    if (failures == 1) message = fmt::format("{}: {}: {}", directed.name, result->rule, result->text);
    told.push_back({{"name", directed.name}, {"rule", result->rule}, {"text", result->text}});
    if (failures > arguments.failures) {
      fmt::print(stderr, "{}", print(script));
      continue;
    }
    bridge::Script shrunk = script;
    bridge::ShrinkReport shrinking;
    bridge::ShrinkLimits limits;
    limits.time_ms = arguments.shrink_s * 1000;
    if (!arguments.no_shrink)
      shrunk = bridge::shrink_failure(factory, script, *result, options, bridge::CampaignOptions().silence_ms, limits,
                                      shrinking);
    std::string name = "directed-" + directed.name;
    std::replace(name.begin(), name.end(), '/', '-');
    std::string file;
    if (const auto status = keep_failure(arguments, name, script, shrunk, shrinking, file); !status)
      return bad_usage("smmu", status.message());
    told.back()["script"] = file;
    told.back()["lines"] = shrunk.lines.size();
  }
  if (const auto saved = coverage.save(); !saved) return bad_usage("smmu", saved.message());
  if (arguments.json) {
    nlohmann::json all = to_json(counts);
    all["scripts"] = scripts.size();
    all["agree"] = failures == 0;
    all["failures"] = told;
    if (failures != 0) all["message"] = message;
    coverage.tell(all);
    fmt::print("{}\n", all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    fmt::print("{} directed scripts: {}: {}\n", scripts.size(), summary(counts),
               failures == 0 ? "nothing is wrong" : fmt::format("{} show something wrong", failures));
  }
  return failures == 0 ? 0 : kFailed;
}

// The script of the user's file, for the device.
core::Result<bridge::Script> load_script(const Arguments& arguments, const char* option) {
  const auto text = read_file(arguments.script, option);
  if (!text) return text.error();
  auto script = bridge::parse_script(*text, arguments.script);
  if (!script) return script.error();
  return cosim_script_for(arguments.device, std::move(*script));
}

int run_smmu(const Arguments& arguments) {
  const auto factory = cosim_factory(arguments.device);
  if (!factory) return bad_usage("smmu", factory.message());
  bridge::CampaignOptions options;
  const auto settings = settings_of(arguments.settings);
  if (!settings) return bad_usage("smmu", settings.message());
  options.run = cosim_run_options(arguments.device);
  options.seed = cosim_seed_options(arguments.device);
  options.seed.settings = *settings;
  options.seed.draws_settings = !arguments.plain;
  if (!arguments.waveform.empty() && !arguments.device.is_rtl())
    return bad_usage("smmu", "--waveform wants a design: --dut rtl or --dut both");
  // A design itself knows its settings.
  if (!arguments.device.is_rtl() && arguments.plain)
    if (const auto status = bridge::check_settings(*settings); !status) return bad_usage("smmu", status.message());
  if (!arguments.script.empty()) {
    auto script = load_script(arguments, "--script ");
    if (!script) return bad_usage("smmu", script.message());
    for (const bridge::Setting& setting : *settings) script->settings.push_back(setting);
    return run_one(arguments, *script);
  }
  if (arguments.directed) {
    const int code = run_directed(arguments, *factory, *settings);
    // With seeds too, these come where the scripts have nothing to say.
    if (code != 0 || (arguments.seeds.empty() && !arguments.seed)) return code;
  }
  const auto mix = bridge::load_mix(arguments.mix);
  if (!mix) return bad_usage("smmu", mix.message());
  options.seed.mix = *mix;
  if (const auto status = read_seeds(arguments, options); !status) return bad_usage("smmu", status.message());
  if (!arguments.timeline.empty() || !arguments.waveform.empty()) {
    if (options.first_seed != options.last_seed)
      return bad_usage("smmu", "--timeline and --waveform want one --seed or a --script");
    const auto script = bridge::script_of_seed_isolated(*factory, options.first_seed, options.seed, options.silence_ms);
    if (!script) return bad_usage("smmu", script.message());
    return run_one(arguments, *script);
  }
  // SystemC can be started once a process.
  if (arguments.device.dut == "tlm") options.seeds_per_process = 1;
  options.jobs = arguments.jobs != 0 ? arguments.jobs : std::max(1u, std::thread::hardware_concurrency());
  options.findings_max = arguments.failures;
  options.shrinks = !arguments.no_shrink;
  options.shrink_limits.time_ms = arguments.shrink_s * 1000;
  Coverage coverage(arguments.coverage, arguments.coverage_points);
  coverage.watch(options.run);
  options.collected = [&](const std::string& text) { coverage.take(text); };
  const auto campaign = bridge::run_campaign(*factory, options, show_progress);
  if (isatty(STDERR_FILENO)) fmt::print(stderr, "\n");
  if (!campaign) return bad_usage("smmu", campaign.message());
  if (const auto saved = coverage.save(); !saved) return bad_usage("smmu", saved.message());
  const bridge::CampaignProgress& progress = campaign->progress;

  std::vector<std::string> files;
  for (const bridge::Finding& finding : campaign->findings) {
    fmt::print(stderr, "seed {}: ", finding.seed);
    report(finding.result, finding.script);
    std::string file;
    const std::string name = fmt::format("smmu-{}", finding.seed);
    if (const auto status = keep_failure(arguments, name, finding.script, finding.shrunk, finding.shrinking, file);
        !status)
      return bad_usage("smmu", status.message());
    files.push_back(file);
  }
  const double rate = progress.seconds > 0 ? static_cast<double>(progress.counts.accesses) / progress.seconds : 0;
  if (arguments.json) {
    nlohmann::json told = to_json(progress.counts);
    told["dut"] = arguments.device.dut;
    if (arguments.device.is_rtl()) told["cycles"] = progress.counts.cycles;
    told["mix"] = mix->name;
    told["first_seed"] = options.first_seed;
    told["seeds"] = progress.seeds_done;
    told["seconds"] = progress.seconds;
    told["translations_per_second"] = rate;
    told["agree"] = campaign->findings.empty();
    told["failures"] = nlohmann::json::array();
    for (size_t i = 0; i < campaign->findings.size(); ++i) {
      const bridge::Finding& finding = campaign->findings[i];
      told["failures"].push_back({{"seed", finding.seed},
                                  {"rule", finding.result.rule},
                                  {"text", finding.result.text},
                                  {"script", files[i]},
                                  {"lines", finding.shrunk.lines.size()},
                                  {"runs", finding.shrinking.runs}});
    }
    // What a reader of one line needs to know.
    if (!campaign->findings.empty()) {
      const bridge::Finding& first = campaign->findings.front();
      told["message"] = fmt::format("seed {}: {}: {}", first.seed, first.result.rule, first.result.text);
    }
    coverage.tell(told);
    fmt::print("{}\n", told.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    fmt::print("{} seeds of mix {} in {:.1f} s ({:.0f} translations/s): {}: {}\n", progress.seeds_done, mix->name,
               progress.seconds, rate, summary(progress.counts),
               campaign->findings.empty() ? "nothing is wrong"
                                          : fmt::format("{} seeds show something wrong", campaign->findings.size()));
    const std::string speed = cosim_speed(progress.counts, progress.seconds);
    if (!speed.empty()) fmt::print("{}\n", speed);
  }
  return campaign->findings.empty() ? 0 : kFailed;
}

int run_shrink(const Arguments& arguments) {
  const auto factory = cosim_factory(arguments.device);
  if (!factory) return bad_usage("shrink", factory.message());
  const auto script = load_script(arguments, "");
  if (!script) return bad_usage("shrink", script.message());
  const uint64_t silence_ms = bridge::CampaignOptions().silence_ms;
  const bridge::RunOptions run = cosim_run_options(arguments.device);
  const auto result = bridge::run_script_isolated(*factory, *script, run, silence_ms);
  if (!result) return bad_usage("shrink", result.message());
  if (result->ok()) return bad_usage("shrink", arguments.script + ": nothing is wrong with it, so nothing can be kept");
  bridge::ShrinkReport shrinking;
  bridge::ShrinkLimits limits;
  limits.time_ms = arguments.shrink_s * 1000;
  const bridge::Script small = bridge::shrink_failure(*factory, *script, *result, run, silence_ms, limits, shrinking);
  report(*result, *script);
  fmt::print(stderr, "{} lines of {} are left after {} runs{}\n", small.lines.size(), script->lines.size(),
             shrinking.runs, shrinking.ran_out ? ", when time was up" : "");
  if (arguments.output.empty()) {
    fmt::print("{}", print(small));
    return kFailed;
  }
  if (const auto status = write_file(arguments.output, print(small)); !status)
    return bad_usage("shrink", status.message());
  return kFailed;
}

int run_generate(const Arguments& arguments) {
  const auto factory = cosim_factory(arguments.device);
  if (!factory) return bad_usage("generate", factory.message());
  const auto mix = bridge::load_mix(arguments.mix);
  if (!mix) return bad_usage("generate", mix.message());
  bridge::SeedOptions options = cosim_seed_options(arguments.device);
  options.mix = *mix;
  const auto settings = settings_of(arguments.settings);
  if (!settings) return bad_usage("generate", settings.message());
  options.settings = *settings;
  options.draws_settings = !arguments.plain;
  const auto script = bridge::script_of_seed_isolated(*factory, arguments.seed.value_or(1), options,
                                                      bridge::CampaignOptions().silence_ms);
  if (!script) return bad_usage("generate", script.message());
  fmt::print("{}", print(*script));
  return 0;
}

int run_mixes() {
  for (const bridge::NamedText& mix : bridge::known_mixes()) {
    // The second line of a mix says what it is for.
    const size_t begin = mix.text.find("\n# ");
    const size_t end = mix.text.find('\n', begin + 1);
    fmt::print("{:<14}{}\n", mix.name,
               begin == std::string_view::npos ? std::string_view() : mix.text.substr(begin + 3, end - begin - 3));
  }
  return 0;
}

void add_seed_options(CLI::App& command, Arguments& arguments) {
  command.add_option("--mix", arguments.mix, "What stimulus is made of: a name (`lockstep cosim mixes`) or a file");
  command.add_option("--set", arguments.settings, "A setting of the model, as in oas_bits=48; may be repeated");
  command.add_flag("--plain", arguments.plain,
                   "The model has its default settings and those of --set; else a seed "
                   "draws the rest");
}

}  // namespace

void add_cosim_command(CLI::App& root, int& exit_code) {
  CLI::App* cosim = root.add_subcommand("cosim", "Run stimulus on an SMMU under test and judge it at its pins");
  cosim->require_subcommand(1);

  auto arguments = std::make_shared<Arguments>();
  CLI::App* smmu = cosim->add_subcommand("smmu", "Play the scripts of seeds, or one script, and judge what happens");
  smmu->footer(
      "A seed becomes a script before it runs: tables, commands, accesses, errors. docs/cosim.md teaches the format.\n"
      "The judge knows what the architecture allows. A script that fails is saved, and shrunk to its core.\n\n"
      "  lockstep cosim smmu --directed\n"
      "  lockstep cosim smmu --seeds 1..2000\n"
      "  lockstep cosim smmu --mix faults --seeds 1..200 --jobs 4 --save findings\n"
      "  lockstep cosim smmu --script findings/smmu-17.small.smmu --timeline /tmp/timeline.txt\n\n"
      "Exit: 0 nothing is wrong, 1 the device is wrong, 2 the command is.");
  add_cosim_device_options(*smmu, arguments->device);
  smmu->add_option("--seeds", arguments->seeds, "FIRST..LAST (1..100)");
  CLI::Option* seed = smmu->add_option("--seed", arguments->seed, "One seed");
  smmu->add_option("--count", arguments->count, "So many seeds, from --seed on (1)")->needs(seed);
  add_seed_options(*smmu, *arguments);
  smmu->add_option("--script", arguments->script, "Play this file and nothing else");
  smmu->add_flag("--directed", arguments->directed,
                 "Play the short scripts of all rules that have a name, and those of the coverage plan's corners; with "
                 "--seeds, the seeds after them where nothing is wrong");
  smmu->add_option("--jobs", arguments->jobs, "Processes beside one another (one a processor)");
  smmu->add_option("--save", arguments->save, "Folder for scripts that fail (.)");
  smmu->add_option("--failures", arguments->failures, "End after so many seeds that fail (1)");
  smmu->add_flag("--no-shrink", arguments->no_shrink, "Leave failing scripts as they are");
  smmu->add_option("--shrink-time", arguments->shrink_s, "Seconds for shrinking one script (110)");
  smmu->add_option("--timeline", arguments->timeline, "File for what happens at the pins, with --seed or --script");
  smmu->add_option(
      "--waveform", arguments->waveform,
      "File (.fst) for the waveform of a design around what failed, or of its last cycles, with --seed or --script");
  smmu->add_option("--coverage", arguments->coverage,
                   "File of functional coverage to add to (`lockstep cosim coverage` shows it)");
  CLI::Option* json = smmu->add_flag("--json", arguments->json, "One JSON object on standard output");
  smmu->add_flag("--coverage-points", arguments->coverage_points,
                 "Functional coverage of this run in the JSON object, point by point, as a farm adds it up")
      ->needs(json);
  smmu->callback([arguments, &exit_code] { exit_code = run_smmu(*arguments); });

  auto shrinking = std::make_shared<Arguments>();
  CLI::App* shrink = cosim->add_subcommand("shrink", "Make a failing script as small as it can be");
  shrink->footer(
      "The smaller script breaks the same rule. It goes to standard output, or to a file.\n\n"
      "  lockstep cosim shrink smmu-17.smmu --output small.smmu\n\n"
      "Exit: 1 the script fails and is shrunk, 2 it does not fail, or the command is wrong.");
  add_cosim_device_options(*shrink, shrinking->device);
  shrink->add_option("script", shrinking->script, "The script")->required();
  shrink->add_option("--output", shrinking->output, "File for the smaller script");
  shrink->add_option("--shrink-time", shrinking->shrink_s, "Seconds that it may take (110)");
  shrink->callback([shrinking, &exit_code] { exit_code = run_shrink(*shrinking); });

  auto generating = std::make_shared<Arguments>();
  CLI::App* generate = cosim->add_subcommand("generate", "Print the script of a seed");
  add_cosim_device_options(*generate, generating->device);
  generate->add_option("--seed", generating->seed, "The seed (1)");
  add_seed_options(*generate, *generating);
  generate->callback([generating, &exit_code] { exit_code = run_generate(*generating); });

  add_cosim_coverage_command(*cosim, exit_code);
  add_cosim_mutate_command(*cosim, exit_code);
  add_cosim_replay_command(*cosim, exit_code);

  CLI::App* mixes = cosim->add_subcommand("mixes", "List the mixes that come with the program");
  mixes->callback([&exit_code] { exit_code = run_mixes(); });
}

}  // namespace lockstep::cli
