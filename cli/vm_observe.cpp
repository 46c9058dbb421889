// SPDX-License-Identifier: Apache-2.0
#include "cli/vm_observe.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/coverage_report.h"

namespace lockstep::cli {

using core::Error;
using core::ExecutedInstruction;
using core::Result;
using core::Status;

namespace {

// Modes as an option names them; their numbers are the hart's.
constexpr std::array<std::pair<std::string_view, int>, 4> kModes = {
    {{"all", -1}, {"user", 0}, {"supervisor", 1}, {"machine", 3}}};
constexpr size_t kOpcodesShown = 25;
constexpr size_t kTextBytes = size_t{1} << 20;

bool parse_number(std::string_view text, uint64_t& number) {
  const bool hex = text.starts_with("0x");
  if (hex) text.remove_prefix(2);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, hex ? 16 : 10);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

struct Opcode {
  std::string name;
  core::InstructionClass kind = core::InstructionClass::kInteger;
  uint64_t count = 0;
};

// By how often they began, most often first.
std::vector<Opcode> count_opcodes(const std::vector<ExecutedInstruction>& executed, const core::Hart& hart) {
  std::map<std::pair<std::string, core::InstructionClass>, uint64_t> counts;
  std::map<decltype(core::CodeInstruction::bytes), std::string> names;
  for (const ExecutedInstruction& e : executed) {
    std::string& name = names[e.instruction.bytes];
    if (name.empty()) {
      unsigned length = 0;
      name = hart.disassemble({e.instruction.bytes.data(), e.instruction.length_bytes}, 0, length);
      name.resize(std::min(name.find_first_of(" \t"), name.size()));
    }
    counts[{name, e.instruction.kind}] += e.count;
  }
  std::vector<Opcode> opcodes;
  for (const auto& [key, count] : counts) opcodes.push_back({key.first, key.second, count});
  std::stable_sort(opcodes.begin(), opcodes.end(), [](const Opcode& a, const Opcode& b) { return a.count > b.count; });
  return opcodes;
}

std::array<uint64_t, core::kInstructionClasses> count_classes(const std::vector<Opcode>& opcodes) {
  std::array<uint64_t, core::kInstructionClasses> classes = {};
  for (const Opcode& o : opcodes) classes[static_cast<size_t>(o.kind)] += o.count;
  return classes;
}

double percent(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

std::string counts_text(const std::vector<Opcode>& opcodes, uint64_t unfetched) {
  uint64_t all = unfetched;
  for (const Opcode& o : opcodes) all += o.count;
  std::string text = fmt::format("counts: {} instructions began\n", all);
  const auto classes = count_classes(opcodes);
  for (size_t k = 0; k < classes.size(); ++k) {
    if (classes[k] == 0) continue;
    text += fmt::format("  {:5.1f}%  {:>16}  class {}\n", percent(classes[k], all), classes[k],
                        core::class_name(static_cast<core::InstructionClass>(k)));
  }
  for (size_t k = 0; k < std::min(opcodes.size(), kOpcodesShown); ++k) {
    text += fmt::format("  {:5.1f}%  {:>16}  {}\n", percent(opcodes[k].count, all), opcodes[k].count, opcodes[k].name);
  }
  if (opcodes.size() > kOpcodesShown) {
    text += fmt::format("          and {} more; --json has all\n", opcodes.size() - kOpcodesShown);
  }
  if (unfetched > 0) text += fmt::format("  {} of them could not be fetched\n", unfetched);
  return text;
}

nlohmann::json counts_json(const std::vector<Opcode>& opcodes, uint64_t unfetched) {
  nlohmann::json json = {
      {"unfetched", unfetched}, {"classes", nlohmann::json::object()}, {"opcodes", nlohmann::json::array()}};
  const auto classes = count_classes(opcodes);
  for (size_t k = 0; k < classes.size(); ++k) {
    json["classes"][std::string(core::class_name(static_cast<core::InstructionClass>(k)))] = classes[k];
  }
  for (const Opcode& o : opcodes) {
    json["opcodes"].push_back({{"name", o.name}, {"class", core::class_name(o.kind)}, {"count", o.count}});
  }
  return json;
}

Status write_file(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  if (!out) return Error{fmt::format("--coverage: cannot write '{}': {}", path, std::strerror(errno))};
  return {};
}

}  // namespace

bool is_memory_trace(const std::string& what) { return what == "mem" || what.starts_with("mem:"); }

Result<std::unique_ptr<Observation>> Observation::create(const VmOptions& o) {
  std::unique_ptr<Observation> made(new Observation(o));
  core::InstrumentationOptions wanted;
  if (!o.coverage.empty()) {
    wanted.coverage = o.coverage_counts ? core::Coverage::kCounted : core::Coverage::kCovered;
    // What cannot be written is said before the run and not after it.
    if (Status writable = write_file(o.coverage, ""); !writable) return Error{writable.message()};
  }
  if (o.count) wanted.coverage = core::Coverage::kCounted;
  if (std::any_of(o.traces.begin(), o.traces.end(), is_memory_trace)) {
    if (Status opened = made->open_memory_trace(); !opened) return Error{opened.message()};
    wanted.memory = [self = made.get()](unsigned hart, unsigned privilege,
                                        std::span<const core::MemoryRecord> records) {
      self->write_accesses(hart, privilege, records);
    };
  } else if (const VmOptions none;
             !o.trace_ranges.empty() || o.trace_mode != none.trace_mode || o.trace_limit != none.trace_limit) {
    return Error{"--trace-range, --trace-mode and --trace-limit choose among memory accesses: add --trace mem"};
  }
  if (wanted.coverage != core::Coverage::kNone || wanted.memory) {
    made->instrumentation_ = std::make_unique<core::Instrumentation>(std::move(wanted));
  }
  return made;
}

Observation::~Observation() = default;

Status Observation::open_memory_trace() {
  const auto is_one = [](const std::string& what) { return is_memory_trace(what); };
  if (std::count_if(options_.traces.begin(), options_.traces.end(), is_one) > 1) {
    return Error{"--trace: mem is asked for more than once; one file takes all accesses"};
  }
  const std::string& what = *std::find_if(options_.traces.begin(), options_.traces.end(), is_one);
  for (const std::string& text : options_.trace_ranges) {
    Range range;
    const size_t middle = text.find("..");
    if (middle == std::string::npos || !parse_number(std::string_view(text).substr(0, middle), range.first) ||
        !parse_number(std::string_view(text).substr(middle + 2), range.last) || range.last < range.first) {
      return Error{
          fmt::format("--trace-range: '{}' is not FIRST..LAST, two addresses such as 0x80000000..0x8000ffff", text)};
    }
    ranges_.push_back(range);
  }
  const auto mode =
      std::find_if(kModes.begin(), kModes.end(), [&](const auto& known) { return known.first == options_.trace_mode; });
  privilege_ = mode == kModes.end() ? -1 : mode->second;
  auto limit = parse_size(options_.trace_limit, "--trace-limit");
  if (!limit) return limit.error();
  limit_bytes_ = *limit;
  trace_ = stderr;
  if (const size_t colon = what.find(':'); colon != std::string::npos) {
    const std::string path = what.substr(colon + 1);
    trace_file_.reset(std::fopen(path.c_str(), "w"));
    trace_ = trace_file_.get();
    if (trace_ == nullptr) return Error{fmt::format("--trace: cannot write '{}': {}", path, std::strerror(errno))};
  }
  text_.reserve(kTextBytes + 256);
  return {};
}

void Observation::write_accesses(unsigned hart, unsigned privilege, std::span<const core::MemoryRecord> records) {
  if (privilege_ >= 0 && privilege != static_cast<unsigned>(privilege_)) return;
  static constexpr char kLetters[] = "USHM";
  text_.clear();
  for (const core::MemoryRecord& r : records) {
    const uint64_t last = r.vaddr + r.size_bytes - 1;
    const auto meets = [&](const Range& range) { return r.vaddr <= range.last && range.first <= last; };
    if (!ranges_.empty() && std::none_of(ranges_.begin(), ranges_.end(), meets)) continue;
    if (written_bytes_ >= limit_bytes_) {
      ++skipped_;
      continue;
    }
    ++accesses_;
    const uint64_t value = r.size_bytes >= 8 ? r.value : r.value & ((uint64_t{1} << 8 * r.size_bytes) - 1);
    const size_t before = text_.size();
    fmt::format_to(std::back_inserter(text_), "{} {} {:#x} {} {} {:#x} {:#x}\n", hart, kLetters[privilege & 3], r.pc,
                   r.is_store ? 'W' : 'R', r.size_bytes, r.vaddr, value);
    written_bytes_ += text_.size() - before;
  }
  std::fwrite(text_.data(), 1, text_.size(), trace_);
}

Result<std::string> Observation::finish(const core::Hart& hart, const core::SymbolTable& symbols,
                                        nlohmann::json* json) {
  std::string text;
  if (instrumentation_ == nullptr) return text;
  const core::Coverage coverage = instrumentation_->options().coverage;
  const std::vector<ExecutedInstruction> executed =
      coverage != core::Coverage::kNone ? instrumentation_->executed() : std::vector<ExecutedInstruction>();
  if (!options_.coverage.empty()) {
    const bool counted = coverage == core::Coverage::kCounted;
    const CoverageReport report = make_report(executed, symbols, counted);
    std::vector<std::string> files = options_.symbols;
    for (const std::string& file : {options_.kernel, options_.bios}) files.push_back(file);
    const Status written =
        write_file(options_.coverage, options_.coverage_format == "drcov" ? coverage_drcov(report, code_modules(files))
                                                                          : coverage_text(report, symbols, counted));
    if (!written) return Error{written.message()};
    text += fmt::format("coverage: {} instructions in {} blocks", report.instructions, report.blocks.size());
    if (!symbols.empty())
      text += fmt::format(", {} of {} functions", report.functions_covered, report.functions.size());
    text += fmt::format(", in {}\n", options_.coverage);
    if (json != nullptr) {
      (*json)["coverage"] = {{"file", options_.coverage},
                             {"instructions", report.instructions},
                             {"blocks", report.blocks.size()},
                             {"functions", report.functions.size()},
                             {"functions_covered", report.functions_covered},
                             {"translations_lost", instrumentation_->lost()}};
    }
  }
  if (instrumentation_->lost() > 0) {
    text +=
        fmt::format("coverage: {} translations of blocks ran without being told of: there were more than {} blocks\n",
                    instrumentation_->lost(), core::HartInstrumentation::kMaxRecords);
  }
  if (options_.count) {
    const std::vector<Opcode> opcodes = count_opcodes(executed, hart);
    text += counts_text(opcodes, instrumentation_->unfetched());
    if (json != nullptr) (*json)["counts"] = counts_json(opcodes, instrumentation_->unfetched());
  }
  if (trace_ != nullptr) {
    if (std::fflush(trace_) != 0) return Error{fmt::format("--trace: cannot write mem: {}", std::strerror(errno))};
    if (skipped_ > 0) {
      text += fmt::format("trace: {} accesses are not in the trace, which is at --trace-limit {}\n", skipped_,
                          options_.trace_limit);
    }
    if (json != nullptr) (*json)["memory_trace"] = {{"accesses", accesses_}, {"left_out", skipped_}};
  }
  return text;
}

}  // namespace lockstep::cli
