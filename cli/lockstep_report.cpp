// SPDX-License-Identifier: Apache-2.0
#include "cli/lockstep_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace lockstep::cli {
namespace {

std::string hex(uint64_t value) { return fmt::format("{:#x}", value); }

std::string where(const Narrowed& n) {
  const uint64_t count = n.instruction - n.last_equal;
  if (count == 1) {
    return fmt::format("instruction {} on hart {}: {:#x}{}{}", fmt::group_digits(n.instruction), n.hart, n.pc,
                       n.code.empty() ? "" : "  ", n.code.empty() ? "" : n.code.front().text);
  }
  return fmt::format("instructions {} to {} on hart {}: {:#x}{}{}, in one piece with the {} behind it",
                     fmt::group_digits(n.last_equal + 1), fmt::group_digits(n.instruction), n.hart, n.pc,
                     n.code.empty() ? "" : "  ", n.code.empty() ? "" : n.code.front().text, count - 1);
}

std::string indented(const std::string& text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    out += "    " + text.substr(at, end - at) + "\n";
    at = end + 1;
  }
  return out;
}

}  // namespace

std::string difference_text(const Narrowed& n, const Reproducer& r, const std::array<std::string, 2>& engines) {
  const Divergence& d = n.divergence;
  std::string out = fmt::format("lockstep: {} and {} differ\n", engines[0], engines[1]);
  const auto add = [&out]<typename... T>(fmt::format_string<T...> format, T&&... values) {
    fmt::format_to(std::back_inserter(out), format, std::forward<T>(values)...);
  };
  add("  noticed: {}; equal up to instruction {}, different by {}\n", d.text, fmt::group_digits(d.agreed),
      fmt::group_digits(d.seen));
  for (const BisectStep& s : n.steps) {
    add("  again from {} {}, memory compared every {}: {}\n",
        s.snapshot ? "the snapshot at instruction" : "instruction", fmt::group_digits(s.from),
        fmt::group_digits(s.check_every), s.differs ? "they differ" : "they agree");
  }
  if (!n.found) {
    add("  not found again from the copy at instruction {}: what differs depends on more than the machine's state\n",
        fmt::group_digits(d.checkpoint));
    return out;
  }
  add("  found: {}\n", where(n));
  if (!n.died.empty()) add("  there {}\n", n.died);
  if (!n.registers.empty()) {
    add("  state{:>31}  {:>18}  {:>18}\n", "before", engines[0].substr(0, 18), engines[1].substr(0, 18));
    for (const RegisterDifference& x : n.registers) {
      add("    hart {} {:<17}{:>#18x}  {:>#18x}  {:>#18x}\n", x.hart, x.name, x.before, x.after[0], x.after[1]);
    }
  }
  if (n.memory_pages > 0) {
    add("  memory, {} page{}\n", n.memory_pages, n.memory_pages == 1 ? "" : "s");
    for (const MemoryDifference& m : n.memory) {
      add("    {:#x}: {:#018x}  {:#018x}\n", m.address, m.after[0], m.after[1]);
    }
  }
  if (n.tlb_differs) add("  the TLBs in use differ\n");
  if (!n.code.empty()) add("  guest code, as executed\n");
  for (const CodeLine& line : n.code) add("    {:#x}  {:<8}  {}\n", line.pc, line.bytes, line.text);
  if (!n.ir.empty()) add("  IR of the block at {:#x}\n{}", n.pc, indented(n.ir));
  for (unsigned i = 0; i < 2; ++i) {
    if (!n.host_code[i].empty()) add("  host code of {}\n{}", engines[i], indented(n.host_code[i]));
  }
  if (!r.problem.empty()) add("  no snapshot: {}\n", r.problem);
  if (!r.file.empty()) {
    add("  snapshot at instruction {}: {}\n  {}: {}\n", fmt::group_digits(r.at), r.file,
        r.shown ? "this shows the difference again"
                : "this does not show it again, because the engines begin anew there",
        r.command);
  }
  return out;
}

nlohmann::json difference_json(const Narrowed& n, const Reproducer& r) {
  const Divergence& d = n.divergence;
  nlohmann::json json = {{"noticed", d.text}, {"equal_up_to", d.agreed}, {"different_by", d.seen}, {"found", n.found}};
  json["again"] = nlohmann::json::array();
  for (const BisectStep& s : n.steps) {
    json["again"].push_back(
        {{"from", s.from}, {"snapshot", s.snapshot}, {"check_every", s.check_every}, {"differs", s.differs}});
  }
  if (!n.found) return json;
  json["died"] = n.died;
  json["window"] = {n.window_begin, n.window_end};
  json["last_equal"] = n.last_equal;
  json["instruction"] = n.instruction;
  json["hart"] = n.hart;
  json["pc"] = hex(n.pc);
  json["tlb_differs"] = n.tlb_differs;
  json["memory_pages"] = n.memory_pages;
  json["ir"] = n.ir;
  json["host_code"] = n.host_code;
  json["registers"] = json["memory"] = json["code"] = nlohmann::json::array();
  for (const RegisterDifference& x : n.registers) {
    json["registers"].push_back(
        {{"hart", x.hart}, {"name", x.name}, {"before", hex(x.before)}, {"after", {hex(x.after[0]), hex(x.after[1])}}});
  }
  for (const MemoryDifference& m : n.memory) {
    json["memory"].push_back({{"address", hex(m.address)}, {"after", {hex(m.after[0]), hex(m.after[1])}}});
  }
  for (const CodeLine& line : n.code) {
    json["code"].push_back({{"pc", hex(line.pc)}, {"bytes", line.bytes}, {"text", line.text}});
  }
  json["snapshot"] = {
      {"file", r.file}, {"at", r.at}, {"problem", r.problem}, {"command", r.command}, {"shown", r.shown}};
  return json;
}

}  // namespace lockstep::cli
