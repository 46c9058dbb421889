// SPDX-License-Identifier: Apache-2.0
#include "cli/engine_choice.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "core/interpreter/interpreter.h"
#include "jit/jit_engine.h"
#include "matrix/load_error.h"

namespace lockstep::cli {

namespace {

std::unique_ptr<core::Engine> make_interpreter(core::Hart& hart, const EngineSettings& settings,
                                               const EngineExtras& extras) {
  return core::make_interpreter(hart, {.fusion = settings.at("fusion") == "on",
                                       .block_links = settings.at("block-links") == "on",
                                       .instrumentation = extras.instrumentation_of(hart)});
}

std::unique_ptr<core::Engine> make_jit(core::Hart& hart, const EngineSettings& settings, const EngineExtras& extras) {
  const size_t cache_bytes = size_t{std::stoul(settings.at("cache"))} << 20;  // every value is a number and an M
  auto engine = jit::make_jit_engine(hart, {.code_cache_bytes = cache_bytes,
                                            .baseline_host = settings.at("host") == "baseline",
                                            .block_links = settings.at("links") == "on",
                                            .tiers = settings.at("tier") == "2" ? 2u : 1u,
                                            .threads = static_cast<unsigned>(std::stoul(settings.at("threads"))),
                                            .threshold = std::stoi(settings.at("threshold")),
                                            .profile = extras.profile,
                                            .perf_map = extras.perf_map,
                                            .gdb_jit = extras.gdb_jit,
                                            .instrumentation = extras.instrumentation_of(hart),
                                            .symbols = extras.symbols,
                                            .archives = extras.archives,
                                            .install_log = extras.install_log,
                                            .replay = extras.replay});
  if (engine) return std::move(*engine);
  // The machine is half made and nothing of it can run: this is the end of the program, with the reason.
  fmt::print(stderr, "lockstep: {}\n", engine.error().message);
  std::exit(2);
}

// Every engine of the program; a new one is one entry.
std::vector<EngineKind>& kinds() {
  static std::vector<EngineKind> all = {
      {"interpreter", {{"fusion", {"on", "off"}}, {"block-links", {"on", "off"}}}, &make_interpreter},
      {"jit",
       {{"links", {"on", "off"}},
        {"host", {"native", "baseline"}},
        {"cache", {"64M", "1M", "16M", "256M"}},
        {"tier", {"2", "1"}},
        {"threads", {"1"}, 0, 64},
        {"threshold", {"16000"}, 1, 1'000'000'000}},
       &make_jit},
  };
  return all;
}

template <typename Items, typename Name>
auto find_by(const Items& items, const std::string& word, Name name) {
  return std::find_if(items.begin(), items.end(), [&](const auto& item) { return item.*name == word; });
}

template <typename Items, typename Name>
std::string suggest(const Items& items, const std::string& word, Name name) {
  std::vector<std::string> known;
  for (const auto& item : items) known.push_back(item.*name);
  return matrix::suggestion(word, known);
}

}  // namespace

bool EngineSetting::takes(const std::string& value) const {
  if (most == 0) return std::find(values.begin(), values.end(), value) != values.end();
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  return error == std::errc() && end == value.data() + value.size() && number >= least && number <= most;
}

std::string EngineSetting::choices() const {
  return most == 0 ? fmt::format("{}", fmt::join(values, " or ")) : fmt::format("a number from {} to {}", least, most);
}

void add_engine_kind(EngineKind kind) { kinds().push_back(std::move(kind)); }

core::Result<EngineChoice> parse_engine(const std::string& text, const std::string& option,
                                        const EngineSettings& defaults, const EngineExtras& extras) {
  size_t end = std::min(text.find(':'), text.size());
  EngineChoice choice;
  choice.name = text.substr(0, end);
  const auto kind = find_by(kinds(), choice.name, &EngineKind::name);
  if (kind == kinds().end()) {
    return core::Error{
        fmt::format("{}: no engine '{}'{}", option, choice.name, suggest(kinds(), choice.name, &EngineKind::name))};
  }
  for (const EngineSetting& setting : kind->settings) {
    const auto given = defaults.find(setting.key);
    choice.settings[setting.key] = given != defaults.end() ? given->second : setting.values.front();
  }
  while (end < text.size()) {
    const size_t begin = end + 1;
    end = std::min(text.find(':', begin), text.size());
    const std::string item = text.substr(begin, end - begin);
    const size_t equals = std::min(item.find('='), item.size());
    const std::string key = item.substr(0, equals);
    const std::string value = equals < item.size() ? item.substr(equals + 1) : "";
    const auto setting = find_by(kind->settings, key, &EngineSetting::key);
    if (setting == kind->settings.end()) {
      return core::Error{fmt::format("{}: engine {} has no setting '{}'{}", option, kind->name, key,
                                     suggest(kind->settings, key, &EngineSetting::key))};
    }
    if (!setting->takes(value)) {
      return core::Error{
          fmt::format("{}: {}:{} cannot be '{}'; it takes {}", option, kind->name, key, value, setting->choices())};
    }
    choice.settings[key] = value;
  }
  choice.make = [make = kind->make, settings = choice.settings, extras](core::Hart& hart) {
    return make(hart, settings, extras);
  };
  return choice;
}

}  // namespace lockstep::cli
