// SPDX-License-Identifier: Apache-2.0
#include "cli/coverage_report.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <fstream>

namespace lockstep::cli {

namespace {

using core::ExecutedInstruction;

// drcov counts bytes of a block with 16 bits.
constexpr uint64_t kMaxDrcovBlock = 0xffff;
constexpr uint64_t kWindowBytes = uint64_t{1} << 32;
constexpr size_t kMaxDrcovModules = 0xffff;

std::vector<CoveredBlock> make_blocks(const std::vector<ExecutedInstruction>& executed, bool counted) {
  std::vector<CoveredBlock> blocks;
  const ExecutedInstruction* before = nullptr;
  for (const ExecutedInstruction& e : executed) {
    const auto& i = e.instruction;
    const bool goes_on = before != nullptr && !before->instruction.ends_block &&
                         before->instruction.pc + before->instruction.length_bytes == i.pc &&
                         (!counted || before->count == e.count);
    if (!goes_on) blocks.push_back({i.pc, 0, 0, e.count});
    blocks.back().size_bytes += i.length_bytes;
    ++blocks.back().instructions;
    before = &e;
  }
  return blocks;
}

// Bytes of [first, first + size) that instructions covered; each once, also where several were at one address.
class ByteCount {
 public:
  void add(uint64_t first, uint64_t size_bytes) {
    const uint64_t end = first + size_bytes;
    const uint64_t from = std::max(first, seen_to_);
    if (end > from) bytes_ += end - from;
    seen_to_ = std::max(seen_to_, end);
  }
  uint64_t bytes() const { return bytes_; }

 private:
  uint64_t seen_to_ = 0, bytes_ = 0;
};

template <typename T>
bool read_at(std::ifstream& file, uint64_t offset, T& out) {
  return static_cast<bool>(
      file.seekg(static_cast<std::streamoff>(offset)).read(reinterpret_cast<char*>(&out), sizeof out));
}

}  // namespace

CoverageReport make_report(const std::vector<ExecutedInstruction>& executed, const core::SymbolTable& symbols,
                           bool counted) {
  CoverageReport report;
  report.blocks = make_blocks(executed, counted);
  report.instructions = executed.size();
  const auto& by_address = symbols.by_address();
  size_t at = 0;
  size_t block = 0;
  for (auto it = by_address.begin(); it != by_address.end(); ++it) {
    const core::SymbolTable::Symbol& symbol = it->second;
    const auto next = std::next(it);
    // A symbol holds what lies before the next one, and no more than its size.
    uint64_t end = next == by_address.end() ? ~uint64_t{0} : next->first;
    if (symbol.size_bytes != 0) end = std::min(end, it->first + symbol.size_bytes);
    CoveredFunction function{it->first, symbol.name, symbol.size_bytes, 0, 0, 0};
    ByteCount bytes;
    while (at < executed.size() && executed[at].instruction.pc < it->first) ++at;
    while (block < report.blocks.size() && report.blocks[block].pc < it->first) ++block;
    for (; at < executed.size() && executed[at].instruction.pc < end; ++at) {
      const auto& i = executed[at].instruction;
      bytes.add(i.pc, i.length_bytes);
      if (i.pc == it->first) function.entered += executed[at].count;
    }
    for (; block < report.blocks.size() && report.blocks[block].pc < end; ++block) ++function.blocks;
    function.covered_bytes = bytes.bytes();
    if (function.covered_bytes > 0) ++report.functions_covered;
    if (symbol.is_function || function.covered_bytes > 0) report.functions.push_back(std::move(function));
  }
  return report;
}

std::string coverage_text(const CoverageReport& report, const core::SymbolTable& symbols, bool counted) {
  std::string text = "# lockstep coverage 1\n# block ADDRESS BYTES INSTRUCTIONS COUNT SYMBOL\n";
  const auto number_or_none = [](uint64_t number, bool known) { return known ? fmt::format("{}", number) : "-"; };
  for (const CoveredBlock& b : report.blocks) {
    const std::string name = symbols.name_of(b.pc);
    text += fmt::format("block {:#x} {} {} {} {}\n", b.pc, b.size_bytes, b.instructions,
                        number_or_none(b.count, counted), name.empty() ? "-" : name);
  }
  text += "# function ADDRESS BYTES COVERED PERCENT BLOCKS ENTERED SYMBOL\n";
  for (const CoveredFunction& f : report.functions) {
    const bool sized = f.size_bytes != 0;
    const double percent = sized ? 100.0 * static_cast<double>(f.covered_bytes) / static_cast<double>(f.size_bytes) : 0;
    text +=
        fmt::format("function {:#x} {} {} {} {} {} {}\n", f.pc, number_or_none(f.size_bytes, sized), f.covered_bytes,
                    sized ? fmt::format("{:.1f}", percent) : "-", f.blocks, number_or_none(f.entered, counted), f.name);
  }
  return text;
}

std::vector<CodeModule> code_modules(const std::vector<std::string>& files) {
  std::vector<CodeModule> modules;
  for (const std::string& path : files) {
    std::ifstream file(path, std::ios::binary);
    Elf64_Ehdr header;
    if (!read_at(file, 0, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        header.e_phentsize != sizeof(Elf64_Phdr)) {
      continue;
    }
    CodeModule module{path, ~uint64_t{0}, 0};
    for (unsigned k = 0; k < header.e_phnum; ++k) {
      Elf64_Phdr segment;
      if (!read_at(file, header.e_phoff + k * sizeof segment, segment)) break;
      if (segment.p_type != PT_LOAD || segment.p_memsz == 0) continue;
      module.first = std::min(module.first, segment.p_vaddr);
      module.end = std::max(module.end, segment.p_vaddr + segment.p_memsz);
    }
    if (module.first < module.end && module.end - module.first <= kWindowBytes) modules.push_back(module);
  }
  return modules;
}

std::string coverage_drcov(const CoverageReport& report, std::vector<CodeModule> modules) {
  struct Entry {
    uint32_t start;
    uint16_t size_bytes;
    uint16_t module;
  };
  std::vector<Entry> entries;
  size_t last = 0;
  for (CoveredBlock b : report.blocks) {
    const auto holds = [&](const CodeModule& m) { return m.first <= b.pc && b.pc < m.end; };
    if (last >= modules.size() || !holds(modules[last])) {
      last = static_cast<size_t>(std::find_if(modules.begin(), modules.end(), holds) - modules.begin());
      if (last == modules.size()) {
        if (modules.size() == kMaxDrcovModules) break;
        const uint64_t window = b.pc & ~(kWindowBytes - 1);
        modules.push_back({fmt::format("guest-{:#x}", window), window, window + kWindowBytes - 1});
      }
    }
    while (b.size_bytes > 0) {
      const uint64_t piece = std::min(b.size_bytes, kMaxDrcovBlock);
      entries.push_back({static_cast<uint32_t>(b.pc - modules[last].first), static_cast<uint16_t>(piece),
                         static_cast<uint16_t>(last)});
      b.pc += piece;
      b.size_bytes -= piece;
    }
  }
  std::string text =
      fmt::format("DRCOV VERSION: 2\nDRCOV FLAVOR: drcov-64\nModule Table: version 2, count {}\n", modules.size());
  text += "Columns: id, base, end, entry, path\n";
  for (size_t k = 0; k < modules.size(); ++k) {
    text +=
        fmt::format("{}, {:#018x}, {:#018x}, {:#018x}, {}\n", k, modules[k].first, modules[k].end, 0, modules[k].path);
  }
  text += fmt::format("BB Table: {} bbs\n", entries.size());
  for (const Entry& e : entries) {
    char bytes[8];
    std::memcpy(bytes, &e.start, 4);
    std::memcpy(bytes + 4, &e.size_bytes, 2);
    std::memcpy(bytes + 6, &e.module, 2);
    text.append(bytes, sizeof bytes);
  }
  return text;
}

}  // namespace lockstep::cli
