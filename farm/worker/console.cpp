// SPDX-License-Identifier: Apache-2.0
#include "farm/worker/console.h"

#include <algorithm>
#include <regex>

namespace lockstep::farm {

namespace {

// std::regex recurses once a character: a longer line is compared as it stands, without the patterns.
constexpr size_t kMaxPatternLineBytes = 4'096;

core::Result<std::vector<std::regex>> compile(const std::vector<std::string>& patterns) {
  std::vector<std::regex> compiled;
  for (const std::string& pattern : patterns) {
    try {
      compiled.emplace_back(pattern, std::regex::ECMAScript | std::regex::optimize);
    } catch (const std::regex_error& e) {
      return core::Error{"the console pattern \"" + pattern + "\" is not a regular expression: " + e.what()};
    }
  }
  return core::Result<std::vector<std::regex>>(std::move(compiled));
}

bool matches_any(const std::vector<std::regex>& patterns, const std::string& line) {
  if (line.size() > kMaxPatternLineBytes) return false;
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::regex& r) { return std::regex_search(line, r); });
}

// Drops a leading "[  seconds.micros] ", as the Linux kernel prints it.
std::string_view without_timestamp(std::string_view line) {
  if (line.empty() || line.front() != '[') return line;
  size_t i = 1;
  while (i < line.size() && line[i] == ' ') ++i;
  const size_t digits = i;
  while (i < line.size() && line[i] >= '0' && line[i] <= '9') ++i;
  if (i == digits || i >= line.size() || line[i] != '.') return line;
  const size_t fraction = ++i;
  while (i < line.size() && line[i] >= '0' && line[i] <= '9') ++i;
  if (i != fraction + 6 || i >= line.size() || line[i] != ']') return line;
  ++i;
  if (i < line.size() && line[i] == ' ') ++i;
  return line.substr(i);
}

}  // namespace

core::Result<std::string> behavioural_console(std::string_view console, const std::vector<std::string>& keep_lines,
                                              const std::vector<std::string>& drop_lines) {
  auto keep = compile(keep_lines);
  if (!keep.ok()) return keep.error();
  auto drop = compile(drop_lines);
  if (!drop.ok()) return drop.error();
  std::string out;
  while (!console.empty()) {
    const size_t end = std::min(console.find('\n'), console.size());
    std::string line(without_timestamp(console.substr(0, end)));
    console.remove_prefix(std::min(end + 1, console.size()));
    std::erase(line, '\r');
    if (!keep->empty() && !matches_any(*keep, line)) continue;
    if (matches_any(*drop, line)) continue;
    out += line;
    out += '\n';
  }
  return core::Result<std::string>(std::move(out));
}

}  // namespace lockstep::farm
