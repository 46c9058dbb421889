// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/coverage/database.h"

#include <charconv>
#include <fstream>
#include <sstream>

namespace lockstep::smmu_rtl_bridge::coverage {
namespace {

constexpr std::string_view kHeader = "lockstep-smmu-coverage 1";

bool number(std::string_view text, uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty();
}

}  // namespace

std::string_view Database::plan_name() { return kHeader; }

void Database::hit(std::string_view name) {
  const size_t place = Plan::instance().find(name);
  if (place == Plan::kNone) {
    ++unplanned_[std::string(name)];
  } else {
    ++counts_[place];
  }
}

void Database::merge(const Database& other) {
  for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  for (const auto& [name, count] : other.unplanned_) unplanned_[name] += count;
  runs += other.runs;
}

size_t Database::reached() const {
  size_t result = 0;
  for (const uint64_t count : counts_) result += count != 0;
  return result;
}

double Database::percent() const {
  return counts_.empty() ? 0 : 100.0 * static_cast<double>(reached()) / static_cast<double>(counts_.size());
}

std::string Database::text() const {
  std::ostringstream out;
  out << kHeader << "\nruns " << runs << "\n";
  const auto points = Plan::instance().points();
  for (size_t i = 0; i < counts_.size(); ++i)
    if (counts_[i] != 0) out << points[i].name << " " << counts_[i] << "\n";
  return out.str();
}

core::Result<Database> Database::parse(std::string_view text, const std::string& name) {
  Database database;
  size_t line_number = 0;
  const auto wrong = [&](const std::string& what) {
    return core::Error{name + ":" + std::to_string(line_number) + ": " + what};
  };
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++line_number;
    if (line_number == 1) {
      if (line != kHeader)
        return wrong("not a file of functional coverage, which begins with \"" + std::string(kHeader) + "\"");
      continue;
    }
    if (line.empty()) continue;
    const size_t space = line.rfind(' ');
    uint64_t count = 0;
    if (space == std::string_view::npos || !number(line.substr(space + 1), count))
      return wrong("a line is the name of a point and how often it was met");
    const std::string_view point = line.substr(0, space);
    if (point == "runs") {
      database.runs = count;
      continue;
    }
    const size_t place = Plan::instance().find(point);
    if (place == Plan::kNone)
      return wrong("the plan has no point \"" + std::string(point) + "\"; collect again with this version");
    database.counts_[place] = count;
  }
  if (line_number == 0) return core::Error{name + ": the file is empty"};
  return database;
}

core::Status Database::save(const std::string& path) const {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text();
  out.close();
  if (!out) return core::Error{path + ": cannot be written; name a file in a folder that exists"};
  return {};
}

core::Result<Database> Database::load(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return core::Error{path + ": cannot be read; `lockstep cosim smmu --coverage FILE` writes such a file"};
  std::ostringstream text;
  text << in.rdbuf();
  return parse(text.str(), path);
}

core::Result<Database> load_all(std::span<const std::string> paths) {
  Database all;
  for (const std::string& path : paths) {
    auto one = Database::load(path);
    if (!one.ok()) return one.error();
    all.merge(one.value());
  }
  return all;
}

}  // namespace lockstep::smmu_rtl_bridge::coverage
