// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/campaign/shrink.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <vector>

namespace lockstep::smmu_rtl_bridge {
namespace {

using Clock = std::chrono::steady_clock;

class Shrinker {
 public:
  Shrinker(const Script& script, const std::function<bool(const Script&)>& fails, const ShrinkLimits& limits)
      : best_(script), fails_(fails), limits_(limits), begin_(Clock::now()) {}

  Script run(ShrinkReport& report) {
    bool smaller = true;
    while (smaller && !out()) {
      smaller = false;
      smaller |= remove_pieces(&Script::lines);
      smaller |= remove_pieces(&Script::settings);
      smaller |= remove_fields();
      smaller |= merge_streams();
      smaller |= simplify();
    }
    report.runs = runs_;
    report.ran_out = out();
    return best_;
  }

 private:
  bool out() const {
    return runs_ >= limits_.runs ||
           std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin_).count() >=
               static_cast<int64_t>(limits_.time_ms);
  }

  bool try_one(const Script& candidate) {
    if (out()) return false;
    ++runs_;
    if (!fails_(candidate)) return false;
    best_ = candidate;
    return true;
  }

  // Leaves out ever smaller runs of neighbours, from the end: what comes late depends on what was before.
  template <typename Item>
  bool remove_pieces(std::vector<Item> Script::*member) {
    bool smaller = false;
    size_t size = (best_.*member).size();
    for (size_t piece = std::max<size_t>(1, size / 2);; piece /= 2) {
      for (size_t end = (best_.*member).size(); end > 0 && !out();) {
        const size_t first = end > piece ? end - piece : 0;
        Script candidate = best_;
        auto& items = candidate.*member;
        items.erase(items.begin() + static_cast<std::ptrdiff_t>(first),
                    items.begin() + static_cast<std::ptrdiff_t>(end));
        smaller |= try_one(candidate);
        end = first;
      }
      if (piece <= 1) break;
    }
    return smaller;
  }

  // Fields of each line, all at once first.
  bool remove_fields() {
    bool smaller = false;
    for (size_t line = 0; line < best_.lines.size() && !out(); ++line) {
      if (best_.lines[line].delay != 0) {
        Script candidate = best_;
        candidate.lines[line].delay = 0;
        smaller |= try_one(candidate);
      }
      const size_t count = best_.lines[line].fields.size();
      for (size_t piece = count; piece != 0; piece /= 2) {
        for (size_t end = best_.lines[line].fields.size(); end > 0 && !out();) {
          const size_t first = end > piece ? end - piece : 0;
          Script candidate = best_;
          auto& fields = candidate.lines[line].fields;
          fields.erase(fields.begin() + static_cast<std::ptrdiff_t>(first),
                       fields.begin() + static_cast<std::ptrdiff_t>(end));
          smaller |= try_one(candidate);
          end = first;
        }
      }
    }
    return smaller;
  }

  // Two streams, or two substreams, may be one: with the same number their lines become one's.
  bool merge_streams() {
    bool smaller = false;
    std::vector<uint32_t> ids;
    for (const Line& line : best_.lines)
      if (line.verb == Verb::kStream && std::find(ids.begin(), ids.end(), line.place.stream) == ids.end())
        ids.push_back(line.place.stream);
    for (size_t i = 1; i < ids.size() && !out(); ++i) {
      Script candidate = best_;
      for (Line& line : candidate.lines) {
        if (line.place.stream == ids[i]) line.place.stream = ids[0];
        for (Field& field : line.fields)
          if (field.name == "sid" && field.value == ids[i]) field.value = ids[0];
      }
      smaller |= try_one(candidate);
    }
    Script candidate = best_;
    bool changed = false;
    for (Line& line : candidate.lines) {
      changed |= line.place.has_substream;
      line.place.has_substream = false;
      line.place.substream = 0;
    }
    if (changed) smaller |= try_one(candidate);
    return smaller;
  }

  // Each number in all its places at once becomes a simpler one: streams 1, addresses round, values 0 or 1.
  bool simplify() {
    bool simpler = false;
    simpler |= rename_streams();
    std::vector<uint64_t> numbers;
    const auto collect = [&](uint64_t number) {
      if (number > 1 && std::find(numbers.begin(), numbers.end(), number) == numbers.end()) numbers.push_back(number);
    };
    for (const Line& line : best_.lines) {
      collect(line.number);
      for (const Field& field : line.fields) collect(field.value);
    }
    if (numbers.size() > kNumbersMax) return simpler;
    for (const uint64_t number : numbers) {
      if (out()) break;
      for (const uint64_t other : simpler_numbers(number)) {
        Script candidate = best_;
        bool changed = false;
        const auto replace = [&](uint64_t& value) {
          if (value != number) return;
          value = other;
          changed = true;
        };
        for (Line& line : candidate.lines) {
          replace(line.number);
          for (Field& field : line.fields) replace(field.value);
        }
        if (changed && try_one(candidate)) {
          simpler = true;
          break;
        }
      }
    }
    return simpler;
  }

  bool rename_streams() {
    std::map<uint32_t, uint32_t> names;
    for (const Line& line : best_.lines)
      if (line.verb == Verb::kStream) names.emplace(line.place.stream, 0);
    uint32_t next = 1;
    bool changed = false;
    for (auto& [from, to] : names) {
      to = next++;
      changed |= from != to;
    }
    if (!changed) return false;
    Script candidate = best_;
    for (Line& line : candidate.lines) {
      if (const auto name = names.find(line.place.stream); name != names.end()) line.place.stream = name->second;
      for (Field& field : line.fields) {
        const auto name = names.find(static_cast<uint32_t>(field.value));
        if (field.name == "sid" && name != names.end()) field.value = name->second;
      }
    }
    return try_one(candidate);
  }

  // Only such as cannot lead back, so that simplifying ends.
  static std::vector<uint64_t> simpler_numbers(uint64_t number) {
    std::vector<uint64_t> result;
    const auto offer = [&](uint64_t other) {
      if (weight(other) < weight(number)) result.push_back(other);
    };
    offer(0);
    offer(1);
    if (number >= 0x1000) offer(0x1000);
    for (const unsigned low : {30u, 21u, 12u}) offer(number >> low << low);
    offer(number & 0xffffffff);
    offer(uint64_t{1} << (63 - __builtin_clzll(number | 1)));
    return result;
  }
  static unsigned weight(uint64_t number) {
    if (number < 2) return static_cast<unsigned>(number);
    return 2 + 64 * static_cast<unsigned>(__builtin_popcountll(number)) + (63 - __builtin_clzll(number));
  }

  static constexpr size_t kNumbersMax = 200;

  Script best_;
  const std::function<bool(const Script&)>& fails_;
  const ShrinkLimits& limits_;
  const Clock::time_point begin_;
  uint64_t runs_ = 0;
};

}  // namespace

Script shrink(const Script& script, const std::function<bool(const Script&)>& fails, const ShrinkLimits& limits,
              ShrinkReport& report) {
  return Shrinker(script, fails, limits).run(report);
}

}  // namespace lockstep::smmu_rtl_bridge
