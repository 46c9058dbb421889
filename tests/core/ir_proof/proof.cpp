// SPDX-License-Identifier: Apache-2.0
#include "tests/core/ir_proof/proof.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "core/ir/text.h"

namespace lockstep::test {

using core::Error;
using core::Result;

namespace {

std::optional<unsigned __int128> parse_number(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  unsigned base = 10;
  if (text.starts_with("0x")) {
    base = 16;
    text.remove_prefix(2);
  }
  if (text.empty()) return std::nullopt;
  unsigned __int128 value = 0;
  for (const char digit : text) {
    if (digit == '_') continue;
    const char* digits = "0123456789abcdef";
    const char* at = std::strchr(digits, digit);
    if (at == nullptr || static_cast<unsigned>(at - digits) >= base) return std::nullopt;
    value = value * base + static_cast<unsigned>(at - digits);
  }
  return negative ? 0 - value : value;
}

std::optional<Assignment> parse_assignment(const std::string& word, const StateLayout& layout) {
  const size_t equals = word.find('=');
  if (equals == std::string::npos) return std::nullopt;
  const std::optional<unsigned __int128> value = parse_number(word.substr(equals + 1));
  if (!value) return std::nullopt;
  Assignment result;
  result.value = *value;
  if (!word.starts_with('[')) {
    result.field = word.substr(0, equals);
    const StateField* field = layout.find(result.field);
    if (field == nullptr) return std::nullopt;
    result.size_bytes = field->size_bytes;
    return result;
  }
  const size_t close = word.find("].");
  if (close == std::string::npos) return std::nullopt;
  const auto address = parse_number(word.substr(1, close - 1));
  const auto size = parse_number(word.substr(close + 2, equals - close - 2));
  if (!address || !size || *size > 16 || *address < kMemoryBase || *address + *size > kMemoryBase + kMemoryBytes) {
    return std::nullopt;
  }
  result.address = static_cast<uint64_t>(*address);
  result.size_bytes = static_cast<unsigned>(*size);
  return result;
}

// The assignments of one case line; nothing when a word makes no sense, which `word` then holds.
bool parse_case(const std::string& line, const StateLayout& layout, ProofCase& out, std::string& word) {
  std::istringstream words(line);
  bool after = false;
  while (words >> word) {
    if (word == "->") {
      after = true;
    } else if (word == "fault=page") {
      out.fault = core::Fault::kPage;
    } else if (word == "fault=misaligned") {
      out.fault = core::Fault::kMisaligned;
    } else if (word == "exception") {
      out.exception = true;
    } else if (const auto assignment = parse_assignment(word, layout)) {
      (after ? out.after : out.before).push_back(*assignment);
    } else {
      return false;
    }
  }
  word = "->";
  return after;
}

void apply(const Assignment& assignment, const StateLayout& layout, uint8_t* state, uint8_t* memory) {
  uint8_t* to = assignment.field.empty() ? memory + (assignment.address - kMemoryBase)
                                         : state + layout.find(assignment.field)->offset;
  std::memcpy(to, &assignment.value, assignment.size_bytes);
}

std::string hex(const uint8_t* bytes, unsigned size_bytes) {
  std::string text = "0x";
  for (unsigned i = size_bytes; i-- > 0;) text += fmt::format("{:02x}", bytes[i]);
  return text;
}

std::filesystem::path folder_of(const std::string& isa) { return std::filesystem::path(LOCKSTEP_IR_PROOFS) / isa; }

}  // namespace

Result<Proof> read_proof(const std::string& isa, const std::string& instruction) {
  Proof proof;
  proof.name = isa + "/" + instruction;
  proof.layout = &test_layout(isa);
  std::ifstream file(folder_of(isa) / (instruction + ".ir"));
  std::stringstream content;
  content << file.rdbuf();
  proof.text = content.str();
  Result<core::ir::Block> block = core::ir::parse(proof.text, {proof.layout, test_helpers()});
  if (!block) return Error{fmt::format("{}: {}", proof.name, block.message())};
  proof.block = std::move(block).value();
  std::string line;
  while (std::getline(content, line)) {
    constexpr std::string_view kCase = "# case:";
    if (!line.starts_with(kCase)) continue;
    ProofCase proof_case;
    proof_case.text = line;
    std::string word;
    if (!parse_case(line.substr(kCase.size()), *proof.layout, proof_case, word)) {
      return Error{fmt::format("{}: `{}` in `{}` makes no sense", proof.name, word, line)};
    }
    proof.cases.push_back(std::move(proof_case));
  }
  if (proof.cases.empty()) return Error{fmt::format("{}: has no cases", proof.name)};
  return proof;
}

Result<std::vector<Proof>> read_proofs(const std::string& isa) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder_of(isa))) {
    if (entry.path().extension() == ".ir") names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  std::vector<Proof> proofs;
  for (const std::string& name : names) {
    Result<Proof> proof = read_proof(isa, name);
    if (!proof) return proof.error();
    proofs.push_back(std::move(proof).value());
  }
  return proofs;
}

std::string check_case(const Proof& proof, const ProofCase& proof_case, const RunBlock& run) {
  TestHart hart(*proof.layout);
  const StateLayout& layout = *proof.layout;
  auto* state = reinterpret_cast<uint8_t*>(&hart.state());
  hart.state().pc = proof.block.pc;
  for (const Assignment& assignment : proof_case.before) apply(assignment, layout, state, hart.memory().data());

  std::vector<uint8_t> expected_state(state, state + layout.size_bytes);
  std::vector<uint8_t> expected_memory = hart.memory();
  const bool goes_on = proof_case.fault == core::Fault::kNone && !proof_case.exception;
  const uint64_t next = goes_on ? proof.block.pc + proof.block.code_bytes : kFaultHandler;
  std::memcpy(expected_state.data() + layout.find("pc")->offset, &next, sizeof(next));
  for (const Assignment& assignment : proof_case.after) {
    apply(assignment, layout, expected_state.data(), expected_memory.data());
  }

  if (core::Status status = run(hart, proof.block); !status) return status.message();
  if (hart.last_fault() != proof_case.fault) {
    return fmt::format("fault {} instead of {}", static_cast<int>(hart.last_fault()),
                       static_cast<int>(proof_case.fault));
  }
  if (hart.exception() != proof_case.exception) return hart.exception() ? "an exception" : "no exception";
  std::string differences;
  for (const StateField& field : layout.fields) {
    const bool named = std::any_of(proof_case.after.begin(), proof_case.after.end(),
                                   [&](const Assignment& a) { return a.field == field.name; });
    if (!field.architectural && !named) continue;
    if (std::memcmp(state + field.offset, expected_state.data() + field.offset, field.size_bytes) == 0) continue;
    differences += fmt::format("{} is {} instead of {}; ", field.name, hex(state + field.offset, field.size_bytes),
                               hex(expected_state.data() + field.offset, field.size_bytes));
  }
  for (uint64_t at = 0; at < kMemoryBytes; at += 8) {
    if (std::memcmp(hart.memory().data() + at, expected_memory.data() + at, 8) == 0) continue;
    differences += fmt::format("[{:#x}].8 is {} instead of {}; ", kMemoryBase + at, hex(hart.memory().data() + at, 8),
                               hex(expected_memory.data() + at, 8));
  }
  return differences;
}

std::string check_text(const Proof& proof) {
  const core::ir::Names names{proof.layout, test_helpers()};
  const std::string printed = core::ir::print(proof.block, names);
  Result<core::ir::Block> parsed = core::ir::parse(printed, names);
  if (!parsed) return fmt::format("the printed block does not parse: {}\n{}", parsed.message(), printed);
  const std::string again = core::ir::print(*parsed, names);
  return again == printed ? "" : fmt::format("printed as\n{}\nand then as\n{}", printed, again);
}

}  // namespace lockstep::test
