// SPDX-License-Identifier: Apache-2.0
#include "isa_frontends/riscv64/random/reproducer.h"

#include <fmt/format.h>

#include <charconv>
#include <iterator>

#include "isa_frontends/riscv64/random/assembler.h"
#include "isa_frontends/riscv64/random/initial_state.h"
#include "isa_frontends/riscv64/random/layout.h"

namespace lockstep::isa::riscv64::random {
namespace {

constexpr size_t kMaxWords = 4096;
constexpr uint64_t kMaxBound = 1'000'000'000;

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

bool number(std::string_view text, uint64_t& value, int base) {
  if (base == 16 && text.substr(0, 2) == "0x") text.remove_prefix(2);
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return code == std::errc() && end == text.data() + text.size();
}

bool yes_or_no(std::string_view text, bool& value) {
  value = text == "yes";
  return value || text == "no";
}

// False when the key is not known or the value is not one of its kind.
bool take(Reproducer& reproducer, std::string_view key, std::string_view value) {
  RandomProgram& program = reproducer.program;
  uint64_t word = 0;
  if (key == "isa") return value == "riscv64";
  if (key == "seed") return number(value, program.seed, 10);
  if (key == "start") return number(value, program.start, 16) && program.start < kPageBytes && program.start % 2 == 0;
  if (key == "bound") return number(value, program.bound, 10) && program.bound <= kMaxBound;
  if (key == "paging") return yes_or_no(value, program.paging);
  if (key == "aligned") return yes_or_no(value, program.aligned);
  if (key == "portable") return yes_or_no(value, program.portable);
  if (key == "what") return reproducer.what = value, true;
  if (key == "difference") return reproducer.difference = value, true;
  if (key == "engines") {
    const size_t space = value.find(' ');
    if (space == value.npos) return false;
    reproducer.engines = {std::string(value.substr(0, space)), std::string(trimmed(value.substr(space)))};
    return true;
  }
  if (key != "word" || !number(value, word, 16) || word >> 32 != 0) return false;
  const auto bits = static_cast<uint32_t>(word);
  if (word_bytes(bits) == 2 && bits >> 16 != 0) return false;
  program.words.push_back(bits);
  return program.words.size() <= kMaxWords;
}

}  // namespace

std::string write_reproducer(const Reproducer& reproducer) {
  const RandomProgram& program = reproducer.program;
  const auto word = [](bool value) { return value ? "yes" : "no"; };
  std::string text = fmt::format(
      "# lockstep random --replay FILE\nisa riscv64\nseed {}\nstart 0x{:x}\nbound {}\npaging {}\naligned {}\nportable "
      "{}\n",
      program.seed, program.start, program.bound, word(program.paging), word(program.aligned), word(program.portable));
  if (reproducer.engines.size() == 2) {
    fmt::format_to(std::back_inserter(text), "engines {} {}\n", reproducer.engines[0], reproducer.engines[1]);
  }
  fmt::format_to(std::back_inserter(text), "what {}\ndifference {}\n", reproducer.what, reproducer.difference);
  uint64_t pc = entry_address(program);
  for (const uint32_t bits : program.words) {
    const Row* row = InstructionTable::get().find(bits);
    std::string meaning = row != nullptr ? format_instruction(*row, bits, pc) : "unknown";
    for (char& c : meaning) c = c == '\t' ? ' ' : c;
    fmt::format_to(std::back_inserter(text), "word {:0{}x}  # {:x}: {}\n", bits, 2 * word_bytes(bits), pc, meaning);
    pc += word_bytes(bits);
  }
  return text;
}

core::Result<Reproducer> read_reproducer(std::string_view text, const std::string& name) {
  Reproducer reproducer;
  for (unsigned line_number = 1; !text.empty(); ++line_number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const size_t key_end = std::min(line.find_first_of(" \t#"), line.size());
    const std::string_view key = line.substr(0, key_end);
    // In sentences a `#` is a character like others.
    if (key != "difference") line = line.substr(0, line.find('#'));
    if (trimmed(line).empty()) continue;
    if (!take(reproducer, key, trimmed(line.substr(std::min(key_end, line.size()))))) {
      return core::Error{fmt::format("{}:{}: '{}' is not a line of a reproducer", name, line_number, trimmed(line))};
    }
  }
  if (reproducer.program.words.empty()) {
    return core::Error{fmt::format("{}: no line begins with 'word': there is no program in it", name)};
  }
  if (reproducer.program.bound == 0) {
    return core::Error{fmt::format("{}: a line 'bound N' must say after how many instructions it ends", name)};
  }
  return reproducer;
}

}  // namespace lockstep::isa::riscv64::random
