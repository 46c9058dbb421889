// SPDX-License-Identifier: Apache-2.0
#include "cli/lockstep_narrow.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

namespace lockstep::cli {
namespace {

// Entries tried before the instruction that shows the difference: more than the longest block.
constexpr uint64_t kMaxEntries = 256;
// Each probe of a side that hangs costs this; there are fewer of them, then.
constexpr uint64_t kHungLimitSeconds = 10;
constexpr uint64_t kMaxHungEntries = 16;
// Of each side, in a report.
constexpr size_t kMaxMemoryDifferences = 16;
constexpr size_t kMaxComparedPages = 16;

std::string text_in(const nlohmann::json& json, const char* key) {
  return json.is_object() ? json.value(key, "") : std::string();
}

std::string how_it_died(int status) {
  if (!WIFSIGNALED(status)) return fmt::format("ends its process with status {}", WEXITSTATUS(status));
  const int signal = WTERMSIG(status);
  // What ends a probe that does not arrive.
  if (signal == SIGALRM) return "does not come back from its engine";
  return fmt::format("dies of signal {} ({})", signal, strsignal(signal));
}

}  // namespace

bool Narrower::Found::same() const {
  return arrived[0] && arrived[1] && answer[0].total == answer[1].total && answer[0].state == answer[1].state &&
         answer[0].tlb == answer[1].tlb && answer[0].memory == answer[1].memory && answer[0].ended == answer[1].ended;
}

Narrower::Found Narrower::probe(ProbeRequest request) {
  if (hung_) request.limit_s = kHungLimitSeconds;
  Found found;
  for (unsigned i = 0; i < 2; ++i) lost_ |= !send_message(pair_.copy(i), Message::kProbe, as_bytes_of(request));
  for (unsigned i = 0; i < 2; ++i) {
    Frame frame;
    if (!receive_message(pair_.copy(i), frame)) {
      lost_ = true;
      continue;
    }
    found.arrived[i] = frame.message == Message::kProbe;
    if (found.arrived[i]) {
      found.answer[i] = frame.as<ProbeAnswer>();
    } else {
      found.status[i] = frame.as<int>();
    }
  }
  return found;
}

void Narrower::drop(const Found& found) {
  for (unsigned i = 0; i < 2; ++i) {
    if (found.arrived[i]) send_message(pair_.copy(i), Message::kQuit);
  }
}

void Narrower::back_to_checkpoint() {
  for (; depth_ > 0; --depth_) {
    for (unsigned i = 0; i < 2; ++i) send_message(pair_.copy(i), Message::kQuit);
  }
}

bool Narrower::differs(const ProbeRequest& request) {
  const Found found = probe(request);
  drop(found);
  return !found.same();
}

void Narrower::find_window(Narrowed& result) {
  base_ = result.divergence.checkpoint;
  uint64_t differing = result.divergence.seen;
  Found last = probe({.target = differing});
  drop(last);
  if (last.same()) {
    // A device may have made the difference behind the window, between two turns.
    ++differing;
    last = probe({.target = differing});
    drop(last);
  }
  result.found = !last.same() && !lost_;
  while (result.found && differing - base_ > 1 && !lost_) {
    const uint64_t middle = base_ + (differing - base_) / 2;
    const Found found = probe({.target = middle});
    if (found.same()) {
      keep();
      base_ = found.answer[0].total;
    } else {
      drop(found);
      last = found;
      differing = middle;
    }
  }
  result.window_begin = base_;
  result.window_end = std::max(last.answer[0].total, last.answer[1].total);
  for (unsigned i = 0; i < 2; ++i) {
    if (!last.arrived[i]) result.died = fmt::format("side {} {}", i + 1, how_it_died(last.status[i]));
  }
}

void Narrower::find_count(Narrowed& result) {
  uint64_t same = base_;
  uint64_t differing = std::max(result.window_end, base_ + 1);
  // A side that dies in the window has no end of it: the other's counts.
  while (differing - same > 1 && !lost_) {
    const uint64_t middle = same + (differing - same) / 2;
    (differs({.target = middle, .exact = 1}) ? differing : same) = middle;
  }
  result.instruction = differing;
}

void Narrower::find_entry(Narrowed& result) {
  const uint64_t last = result.instruction - 1;
  const uint64_t first = std::max(base_, last - std::min(last, hung_ ? kMaxHungEntries : kMaxEntries));
  result.last_equal = base_;
  for (uint64_t entry = last; entry > first && !lost_; --entry) {
    if (!differs({.target = result.instruction, .exact = 1, .cut = entry})) continue;
    result.last_equal = entry;
    return;
  }
}

nlohmann::json Narrower::ask_json(unsigned side, Message message, std::string_view body) {
  Frame frame;
  lost_ |= !send_message(pair_.copy(side), message, body) || !receive_message(pair_.copy(side), frame);
  return nlohmann::json::parse(frame.body, nullptr, false);
}

std::string Narrower::page(unsigned side, uint64_t index) {
  Frame frame;
  lost_ |=
      !send_message(pair_.copy(side), Message::kPage, as_bytes_of(index)) || !receive_message(pair_.copy(side), frame);
  frame.body.resize(core::kPageSize);
  return std::move(frame.body);
}

void Narrower::compare_memory(Narrowed& result, uint64_t ram_base) {
  std::array<std::vector<core::PageHash>, 2> pages;
  for (unsigned i = 0; i < 2; ++i) {
    Frame frame;
    lost_ |= !send_message(pair_.copy(i), Message::kPages) || !receive_message(pair_.copy(i), frame);
    pages[i] = frame.items<core::PageHash>();
  }
  const auto before = [](const core::PageHash& a, const core::PageHash& b) {
    return a.page != b.page ? a.page < b.page : a.hash < b.hash;
  };
  std::vector<core::PageHash> only;
  std::set_symmetric_difference(pages[0].begin(), pages[0].end(), pages[1].begin(), pages[1].end(),
                                std::back_inserter(only), before);
  only.erase(std::unique(only.begin(), only.end(), [](const auto& a, const auto& b) { return a.page == b.page; }),
             only.end());
  result.memory_pages = only.size();
  for (size_t k = 0; k < std::min(only.size(), kMaxComparedPages); ++k) {
    const std::array<std::string, 2> bytes = {page(0, only[k].page), page(1, only[k].page)};
    for (size_t at = 0; at < core::kPageSize && result.memory.size() < kMaxMemoryDifferences; at += 8) {
      MemoryDifference difference{ram_base + only[k].page * core::kPageSize + at, {}};
      for (unsigned i = 0; i < 2; ++i) std::memcpy(&difference.after[i], bytes[i].data() + at, 8);
      if (difference.after[0] != difference.after[1]) result.memory.push_back(difference);
    }
  }
}

void Narrower::trace(Narrowed& result, const ProbeRequest& request) {
  ProbeRequest traced = request;
  traced.trace = 1;
  Frame frame;
  lost_ |= !send_message(pair_.copy(0), Message::kProbe, as_bytes_of(traced)) || !receive_message(pair_.copy(0), frame);
  if (frame.message != Message::kProbe) return;  // it died
  for (const auto& line : ask_json(0, Message::kTrace)) {
    result.code.push_back({line.at("pc"), line.at("bytes"), line.at("text")});
  }
  lost_ |= !send_message(pair_.copy(0), Message::kQuit);
}

void Narrower::describe(Narrowed& result) {
  // Two processes stand before the difference; copies of them go behind it.
  Found before;
  if (result.last_equal > base_) before = probe({.target = result.last_equal, .exact = 1, .cut = result.last_equal});
  const ProbeRequest behind{.target = result.instruction, .exact = 1, .cut = result.last_equal};
  Found after = probe(behind);
  const unsigned survivor = after.arrived[0] ? 0 : 1;
  result.hart = after.answer[survivor].hart;
  result.boundary = after.answer[survivor].boundary;
  drop(after);
  const nlohmann::json was = ask_json(0, Message::kReport, as_bytes_of(uint64_t{result.hart}));
  if (lost_ || !was.is_object()) return;
  result.pc = was.at("pc");
  trace(result, behind);
  after = probe(behind);
  const CodeRequest code{result.hart, result.pc};
  if (after.arrived[0] && after.arrived[1]) {
    result.tlb_differs = after.answer[0].tlb != after.answer[1].tlb;
    std::array<nlohmann::json, 2> is;
    for (unsigned i = 0; i < 2; ++i) is[i] = ask_json(i, Message::kReport, as_bytes_of(uint64_t{result.hart}));
    for (unsigned hart = 0; hart < was.at("harts").size() && !lost_; ++hart) {
      for (const auto& [name, value] : was["harts"][hart].items()) {
        const uint64_t first = is[0].at("harts")[hart].at(name), second = is[1].at("harts")[hart].at(name);
        if (first != second) result.registers.push_back({hart, name, value, {first, second}});
      }
    }
    compare_memory(result, was.at("ram_base"));
  }
  for (unsigned i = 0; i < 2; ++i) {
    if (after.arrived[i]) result.host_code[i] = text_in(ask_json(i, Message::kCode, as_bytes_of(code)), "host");
  }
  drop(after);
  result.ir = text_in(ask_json(0, Message::kCode, as_bytes_of(code)), "ir");
  drop(before);
}

Narrowed Narrower::narrow(const Divergence& divergence) {
  Narrowed result;
  result.divergence = divergence;
  hung_ = divergence.hung;
  find_window(result);
  if (result.found && !lost_) {
    find_count(result);
    find_entry(result);
    describe(result);
  }
  result.found = result.found && !lost_;
  back_to_checkpoint();
  return result;
}

core::Result<uint64_t> Narrower::save_snapshot(uint64_t boundary, const std::string& path) {
  const SnapshotRequest request{boundary};
  Frame frame;
  if (!send_message(pair_.copy(0), Message::kSnapshot, std::string(as_bytes_of(request)) + path) ||
      !receive_message(pair_.copy(0), frame) || frame.message != Message::kSnapshot) {
    return core::Error{"the process that should have written it is gone"};
  }
  if (frame.body.size() > sizeof(uint64_t)) return core::Error{frame.body.substr(sizeof(uint64_t))};
  return frame.as<uint64_t>();
}

}  // namespace lockstep::cli
