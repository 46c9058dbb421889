// SPDX-License-Identifier: Apache-2.0
#include "jit/install_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>

// A log begins with kTitle. An install is the line
//   install HART COUNT ASKED KEY JOINT
// and behind it the pages and blocks of its plan, in their order:
//   page VIRTUAL PHYSICAL MAPPING
//   block PC BYTES INSTRUCTIONS SPANS WEIGHT [TARGET...]
// Numbers are decimal, or hexadecimal behind 0x.

namespace lockstep::jit {

namespace {

constexpr std::string_view kTitle = "lockstep jit installs 1";
constexpr unsigned kMaxHarts = 1024;
constexpr size_t kMaxPages = 2 * kMaxRegionBlocks;

// The words of a line.
class Words {
 public:
  explicit Words(std::string_view line) : left_(line) {}

  std::optional<std::string_view> word() {
    left_.remove_prefix(std::min(left_.find_first_not_of(' '), left_.size()));
    if (left_.empty()) return std::nullopt;
    const std::string_view word = left_.substr(0, left_.find(' '));
    left_.remove_prefix(word.size());
    return word;
  }
  // A number of at most `most`; anything else makes the line a bad one.
  uint64_t number(uint64_t most = ~uint64_t{0}) {
    const auto text = word();
    if (!text) {
      good_ = false;
      return 0;
    }
    const bool hexadecimal = text->starts_with("0x");
    const std::string_view digits = text->substr(hexadecimal ? 2 : 0);
    uint64_t value = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, hexadecimal ? 16 : 10);
    good_ &= error == std::errc() && end == digits.data() + digits.size() && value <= most;
    return value;
  }
  bool more() const { return left_.find_first_not_of(' ') != std::string_view::npos; }
  bool good() const { return good_; }

 private:
  std::string_view left_;
  bool good_ = true;
};

bool parse_page(Words& words, RegionPlan& plan) {
  PlannedPage page;
  page.vpage = words.number();
  page.ppage = words.number();
  page.mapping = static_cast<uint32_t>(words.number(~uint32_t{0}));
  const bool at_page = ((page.vpage | page.ppage) & ~core::kPageMask) == 0;
  if (!at_page || plan.pages.size() == kMaxPages || plan.page(page.vpage) != nullptr) return false;
  plan.pages.push_back(page);
  return true;
}

bool parse_block(Words& words, RegionPlan& plan) {
  PlannedBlock block;
  block.pc = words.number();
  block.size_bytes = static_cast<uint32_t>(words.number(core::kPageSize));
  block.guest_instructions = static_cast<uint32_t>(words.number(kMaxBlockInstructions));
  block.spans_pages = words.number(1) != 0;
  block.weight = words.number();
  while (words.more() && words.good() && block.targets.size() < BlockProfile::kTargets)
    block.targets.push_back(words.number());
  const uint64_t in_page = core::kPageSize - (block.pc & ~core::kPageMask);
  if (block.guest_instructions == 0 || block.size_bytes == 0 || plan.blocks.size() == kMaxRegionBlocks) return false;
  if (block.spans_pages != (block.size_bytes > in_page) || plan.page(block.pc) == nullptr) return false;
  if (block.spans_pages && plan.page((block.pc & core::kPageMask) + core::kPageSize) == nullptr) return false;
  plan.blocks.push_back(std::move(block));
  return true;
}

}  // namespace

std::string print_install(unsigned hart, const Install& install) {
  std::string text = fmt::format("install {} {} {} {:#x} {}\n", hart, install.count, install.asked_count,
                                 install.code_key, install.joint_checks ? 1 : 0);
  for (const PlannedPage& page : install.plan.pages) {
    text += fmt::format("page {:#x} {:#x} {}\n", page.vpage, page.ppage, page.mapping);
  }
  for (const PlannedBlock& block : install.plan.blocks) {
    text += fmt::format("block {:#x} {} {} {} {}", block.pc, block.size_bytes, block.guest_instructions,
                        block.spans_pages ? 1 : 0, block.weight);
    for (uint64_t target : block.targets) text += fmt::format(" {:#x}", target);
    text += '\n';
  }
  return text;
}

core::Result<std::shared_ptr<InstallLog>> InstallLog::create(const std::string& file) {
  std::FILE* opened = std::fopen(file.c_str(), "we");
  if (opened == nullptr) {
    return core::Error{fmt::format("--jit-log: cannot write {}: {}", file, std::strerror(errno))};
  }
  std::fprintf(opened, "%s\n", std::string(kTitle).c_str());
  return std::shared_ptr<InstallLog>(new InstallLog(file, opened));
}

void InstallLog::add(unsigned hart, const Install& install) {
  const std::string text = print_install(hart, install);
  const std::lock_guard lock(mutex_);
  failed_ |= std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size();
}

core::Status InstallLog::flush() {
  const std::lock_guard lock(mutex_);
  if (std::fflush(file_.get()) == 0 && !failed_) return {};
  return core::Error{fmt::format("--jit-log: cannot write {}: {}", name_, std::strerror(errno))};
}

core::Result<InstallList> parse_installs(std::string_view text, const std::string& name) {
  InstallList list;
  Install* install = nullptr;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto bad = [&](std::string_view why) {
      return core::Error{fmt::format("{}:{}: {}: '{}'", name, number, why, line.substr(0, 80))};
    };
    if (number == 1) {
      if (line != kTitle) return bad("not a log of installs, which --jit-log writes");
      continue;
    }
    Words words(line);
    const auto kind = words.word();
    bool fits = true;
    if (kind == "install") {
      const auto hart = static_cast<unsigned>(words.number(kMaxHarts - 1));
      Install one;
      one.count = words.number();
      one.asked_count = words.number(one.count);
      one.code_key = words.number();
      one.joint_checks = words.number(1) != 0;
      std::vector<Install>& of_hart = list[hart];
      if (!of_hart.empty() && one.count < of_hart.back().count)
        return bad("a count that is less than the one before it");
      of_hart.push_back(std::move(one));
      install = &of_hart.back();
    } else if (install != nullptr && kind == "page") {
      fits = parse_page(words, install->plan);
    } else if (install != nullptr && kind == "block") {
      fits = parse_block(words, install->plan);
    } else {
      return bad("neither 'install' nor, behind one, 'page' or 'block'");
    }
    if (!fits || !words.good() || words.more()) return bad("not what stands in such a line");
  }
  for (const auto& [hart, installs] : list) {
    for (const Install& one : installs) {
      if (one.plan.blocks.empty()) {
        return core::Error{fmt::format("{}: the install of hart {} at {} has no block", name, hart, one.count)};
      }
    }
  }
  return list;
}

core::Result<std::shared_ptr<const InstallList>> read_installs(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in || text.empty()) {
    return core::Error{fmt::format("--jit-replay: cannot read {}: write one with --jit-log", file)};
  }
  auto list = parse_installs(text, file);
  if (!list) return core::Error{"--jit-replay: " + list.error().message};
  return std::make_shared<const InstallList>(std::move(*list));
}

}  // namespace lockstep::jit
