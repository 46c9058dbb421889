// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/console/input_source.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "core/loader/loader.h"

namespace lockstep::tlm_models {
namespace {

constexpr uint64_t kMaxInputFileBytes = uint64_t{64} << 20;

bool parse_number(std::string_view text, uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

bool parse_hex(std::string_view text, std::vector<uint8_t>& bytes) {
  if (text.empty() || text.size() % 2 != 0) return false;
  for (size_t i = 0; i < text.size(); i += 2) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data() + i, text.data() + i + 2, value, 16);
    if (error != std::errc() || end != text.data() + i + 2) return false;
    bytes.push_back(static_cast<uint8_t>(value));
  }
  return true;
}

}  // namespace

core::Result<std::unique_ptr<ScriptedInput>> ScriptedInput::open(const std::string& path) {
  auto bytes = core::read_file(path, kMaxInputFileBytes);
  if (!bytes.ok()) return bytes.error();
  return std::make_unique<ScriptedInput>(std::move(*bytes));
}

void ScriptedInput::poll(uint64_t, size_t space, bool guest_waits, std::vector<uint8_t>& bytes) {
  if (!guest_waits) return;
  const size_t count = std::min(space, bytes_.size() - next_);
  bytes.insert(bytes.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(next_),
               bytes_.begin() + static_cast<std::ptrdiff_t>(next_ + count));
  next_ += count;
}

void ScriptedInput::restore_position(uint64_t position) { next_ = std::min<uint64_t>(position, bytes_.size()); }

core::Result<std::unique_ptr<ReplayInput>> ReplayInput::open(const std::string& path) {
  auto bytes = core::read_file(path, kMaxInputFileBytes);
  if (!bytes.ok()) return bytes.error();
  return parse(std::string(bytes->begin(), bytes->end()), path);
}

core::Result<std::unique_ptr<ReplayInput>> ReplayInput::parse(const std::string& text, const std::string& name) {
  auto replay = std::make_unique<ReplayInput>();
  size_t line_number = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line(text.data() + at, end - at);
    at = end + 1;
    ++line_number;
    if (line.empty()) continue;
    const size_t first = line.find(' ');
    const size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
    Event event{};
    uint64_t count = 0;
    const bool good = second != std::string_view::npos && parse_number(line.substr(0, first), event.time_ns) &&
                      parse_number(line.substr(first + 1, second - first - 1), count) &&
                      parse_hex(line.substr(second + 1), event.bytes) &&
                      (replay->events_.empty() || replay->events_.back().time_ns <= event.time_ns);
    if (!good) {
      return core::Error{
          fmt::format("{}:{}: not a line of an input log (time in ns, instruction count, bytes in hexadecimal)", name,
                      line_number)};
    }
    replay->events_.push_back(std::move(event));
  }
  return replay;
}

void ReplayInput::poll(uint64_t now_ns, size_t, bool, std::vector<uint8_t>& bytes) {
  while (next_ < events_.size() && events_[next_].time_ns <= now_ns) {
    bytes.insert(bytes.end(), events_[next_].bytes.begin(), events_[next_].bytes.end());
    ++next_;
  }
}

uint64_t ReplayInput::next_time_ns() const { return next_ < events_.size() ? events_[next_].time_ns : kNoInputTime; }

void ReplayInput::restore_position(uint64_t position) { next_ = std::min<uint64_t>(position, events_.size()); }

core::Result<std::unique_ptr<InputLog>> InputLog::create(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "we");
  if (file == nullptr) return core::Error{fmt::format("cannot write input log '{}': {}", path, std::strerror(errno))};
  return std::unique_ptr<InputLog>(new InputLog(file));
}

InputLog::~InputLog() { std::fclose(file_); }

void InputLog::record(uint64_t now_ns, uint64_t instructions, const std::vector<uint8_t>& bytes) {
  fmt::print(file_, "{} {} ", now_ns, instructions);
  for (const uint8_t byte : bytes) fmt::print(file_, "{:02x}", byte);
  fmt::print(file_, "\n");
  std::fflush(file_);
}

}  // namespace lockstep::tlm_models
