// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/stimulus/mix.h"

#include <charconv>
#include <fstream>
#include <iterator>

namespace lockstep::smmu_rtl_bridge {
namespace {

constexpr unsigned kPercent = 100, kWeight = 10000;

// clang-format off
constexpr MixNumber kNumbers[] = {
    {"accesses", &Mix::accesses, 100000}, {"rounds", &Mix::rounds, 10000}, {"streams", &Mix::streams, 64},
    {"mappings", &Mix::mappings, 200},
    {"stage1", &Mix::stage1, kWeight}, {"stage2", &Mix::stage2, kWeight}, {"nested", &Mix::nested, kWeight},
    {"bypass", &Mix::bypass, kWeight}, {"abort", &Mix::abort, kWeight},
    {"shared", &Mix::shared, kPercent}, {"substreams", &Mix::substreams, kPercent},
    {"two_level_streams", &Mix::two_level_streams, kPercent},
    {"two_level_contexts", &Mix::two_level_contexts, kPercent}, {"el2", &Mix::el2, kPercent},
    {"upper_half", &Mix::upper_half, kPercent}, {"big_endian", &Mix::big_endian, kPercent},
    {"identity", &Mix::identity, kPercent}, {"blocks", &Mix::blocks, kPercent},
    {"contiguous", &Mix::contiguous, kPercent}, {"hardware_update", &Mix::hardware_update, kPercent},
    {"access_flag_clear", &Mix::access_flag_clear, kPercent}, {"attributes", &Mix::attributes, kPercent},
    {"permissions", &Mix::permissions, kPercent}, {"hierarchy", &Mix::hierarchy, kPercent}, {"odd", &Mix::odd, kPercent},
    {"holes", &Mix::holes, kPercent}, {"damage", &Mix::damage, kPercent}, {"stalls", &Mix::stalls, kPercent},
    {"ats", &Mix::ats, kPercent}, {"small_queues", &Mix::small_queues, kPercent},
    {"messages", &Mix::messages, kPercent}, {"unknown_streams", &Mix::unknown_streams, kPercent},
    {"locality", &Mix::locality, kPercent}, {"forgotten", &Mix::forgotten, kPercent}, {"hasty", &Mix::hasty, kPercent},
    {"nothing", &Mix::nothing, kWeight}, {"update", &Mix::update, kWeight},
    {"update_live", &Mix::update_live, kWeight}, {"reconfigure", &Mix::reconfigure, kWeight},
    {"invalidate", &Mix::invalidate, kWeight}, {"bus_error", &Mix::bus_error, kWeight},
    {"bad_command", &Mix::bad_command, kWeight}, {"resume", &Mix::resume, kWeight},
    {"translation_request", &Mix::translation_request, kWeight}, {"page_request", &Mix::page_request, kWeight},
    {"registers", &Mix::registers, kWeight}, {"disable", &Mix::disable, kWeight},
    {"queue_error", &Mix::queue_error, kWeight}, {"race", &Mix::race, kWeight},
    {"plain_device", &Mix::plain_device, kPercent}, {"small_caches", &Mix::small_caches, kPercent},
};
// clang-format on

std::string_view trimmed(std::string_view text) {
  const auto space = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

std::span<const MixNumber> mix_numbers() { return kNumbers; }

core::Result<Mix> parse_mix(std::string_view text, const std::string& file, const std::string& name) {
  Mix mix;
  mix.name = name;
  size_t number = 0;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    line = trimmed(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    const auto wrong = [&](const std::string& what) {
      return core::Error{file + ":" + std::to_string(number) + ": " + what + "."};
    };
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos) return wrong("a mix has lines 'name = number'");
    const std::string key(trimmed(line.substr(0, equals)));
    const std::string_view value = trimmed(line.substr(equals + 1));
    const MixNumber* row = nullptr;
    for (const MixNumber& candidate : kNumbers)
      if (candidate.name == key) row = &candidate;
    if (!row) return wrong("a mix has no '" + key + "'; docs/cosim.md lists what it has");
    unsigned parsed = 0;
    const auto [rest, error] = std::from_chars(value.data(), value.data() + value.size(), parsed);
    if (error != std::errc() || rest != value.data() + value.size() || parsed > row->largest)
      return wrong(key + " is a number from 0 to " + std::to_string(row->largest));
    mix.*(row->member) = parsed;
  }
  if (mix.stage1 + mix.stage2 + mix.nested + mix.bypass + mix.abort == 0)
    return core::Error{file + ": stage1, stage2, nested, bypass and abort are all 0; streams must be something."};
  if (mix.streams == 0) return core::Error{file + ": streams is 0; use 1 or more."};
  if (mix.rounds == 0) return core::Error{file + ": rounds is 0; use 1 or more."};
  return mix;
}

core::Result<Mix> load_mix(const std::string& name_or_file) {
  std::string names;
  for (const NamedText& known : known_mixes()) {
    if (known.name == name_or_file) return parse_mix(known.text, name_or_file, name_or_file);
    names += (names.empty() ? "" : ", ") + std::string(known.name);
  }
  std::ifstream file(name_or_file);
  if (!file)
    return core::Error{"mix '" + name_or_file + "' is neither a file that can be read nor one of " + names + "."};
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return parse_mix(text, name_or_file, name_or_file);
}

}  // namespace lockstep::smmu_rtl_bridge
