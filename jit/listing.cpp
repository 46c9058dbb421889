// SPDX-License-Identifier: Apache-2.0
#include "jit/listing.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <map>

#include "core/memory/tlb.h"

namespace lockstep::jit {

namespace {

using core::StateHeader;
using core::TlbContext;

struct FieldName {
  std::string_view name;
  size_t offset;
};

constexpr FieldName kHeaderFields[] = {
    {"pc", offsetof(StateHeader, pc)},
    {"budget", offsetof(StateHeader, budget)},
    {"unbegun", offsetof(StateHeader, unbegun)},
    {"exit_request", offsetof(StateHeader, exit_request)},
    {"trapped", offsetof(StateHeader, trapped)},
    {"fp_flags", offsetof(StateHeader, fp_flags)},
    {"fp_rounding", offsetof(StateHeader, fp_rounding)},
    {"reservation_valid", offsetof(StateHeader, reservation_valid)},
    {"reservation_address", offsetof(StateHeader, reservation_address)},
};

// Ascending; arrays are as long as up to the next one.
constexpr FieldName kFrameFields[] = {
    {"frame.runtime", offsetof(Frame, runtime)},
    {"frame.fetch", offsetof(Frame, fetch)},
    {"frame.jumps", offsetof(Frame, jumps)},
    {"frame.data", offsetof(Frame, data)},
    {"frame.guest_mxcsr", offsetof(Frame, guest_mxcsr)},
    {"frame.host_mxcsr", offsetof(Frame, host_mxcsr)},
    {"frame.saved_mxcsr", offsetof(Frame, saved_mxcsr)},
    {"frame.descriptor", offsetof(Frame, descriptor)},
    {"frame.address", offsetof(Frame, address)},
    {"frame.lost", offsetof(Frame, lost)},
    {"operand", offsetof(Frame, operand)},
    {"gpr", offsetof(Frame, gpr)},
    {"xmm", offsetof(Frame, xmm)},
    {"spill", offsetof(Frame, spill)},
};

constexpr size_t kArrayBytes = sizeof(uint64_t) * core::kTlbEntries;
constexpr FieldName kTlbArrays[] = {
    {"load_tags", offsetof(TlbContext, tags)},
    {"store_tags", offsetof(TlbContext, tags) + kArrayBytes},
    {"load_addends", offsetof(TlbContext, addends)},
    {"store_addends", offsetof(TlbContext, addends) + kArrayBytes},
    {"load_frames", offsetof(TlbContext, pages) + offsetof(core::TlbPage, ppage)},
    {"store_frames", offsetof(TlbContext, pages) + sizeof(TlbContext::pages[0]) + offsetof(core::TlbPage, ppage)},
};

// The part of a memory operand between its brackets: a base, the middle as it is, a displacement.
struct Operand {
  std::string_view base, middle;
  int64_t displacement = 0;
};

std::optional<Operand> parse_operand(std::string_view text) {
  Operand operand;
  operand.base = text.substr(0, text.find_first_of("+-"));
  std::string_view rest = text.substr(operand.base.size());
  const size_t sign = rest.find_last_of("+-");
  if (sign == rest.npos) return operand;
  const std::string_view number = rest.substr(sign + 1);
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), operand.displacement);
  if (error != std::errc() || end != number.data() + number.size()) {
    operand.displacement = 0;
    operand.middle = rest;
    return operand;
  }
  if (rest[sign] == '-') operand.displacement = -operand.displacement;
  operand.middle = rest.substr(0, sign);
  return operand;
}

std::string frame_name(size_t offset) {
  const auto* field = std::find_if(std::rbegin(kFrameFields), std::rend(kFrameFields),
                                   [&](const FieldName& f) { return f.offset <= offset; })
                          .base() -
                      1;
  if (field->offset < offsetof(Frame, operand)) return std::string(field->name);
  return fmt::format("{}{}", field->name, (offset - field->offset) / 8);
}

class Namer {
 public:
  explicit Namer(const core::StateLayout& layout) : layout_(layout) {}

  void add(const void* object, std::string name) { add(reinterpret_cast<uint64_t>(object), std::move(name)); }
  void add(uint64_t address, std::string name) { addresses_[address] = std::move(name); }

  std::string name(std::string_view line) const {
    std::string out;
    while (!line.empty()) {
      const size_t at = line.find_first_of("[0");
      out += line.substr(0, at);
      if (at == line.npos) break;
      line.remove_prefix(at);
      const size_t taken = line.front() == '[' ? name_operand(line, out) : name_number(line, out);
      line.remove_prefix(taken);
    }
    return out;
  }

 private:
  // Both append the named text and answer how many characters it stands for.
  size_t name_operand(std::string_view line, std::string& out) const {
    const size_t end = line.find(']');
    const auto operand = end == line.npos ? std::nullopt : parse_operand(line.substr(1, end - 1));
    const std::string named = operand ? operand_name(*operand) : std::string();
    if (named.empty()) {
      out += '[';
      return 1;
    }
    out += '[' + named + ']';
    return end + 1;
  }

  std::string operand_name(const Operand& operand) const {
    if (operand.base == "rbp" && operand.middle.empty()) {
      const auto offset = static_cast<uint32_t>(operand.displacement + kStateBias);
      if (const core::StateField* field = layout_.at(offset)) return std::string(field->name);
      for (const FieldName& field : kHeaderFields) {
        if (field.offset == offset) return std::string(field.name);
      }
      // The upper half of a word that is written in two.
      if (const core::StateField* field = offset >= 4 ? layout_.at(offset - 4) : nullptr) {
        return fmt::format("{}+4", field->name);
      }
    }
    if (operand.base == "rsp" && operand.middle.empty()) return frame_name(static_cast<size_t>(operand.displacement));
    if (operand.base == "r14") {
      const uint64_t offset = static_cast<uint64_t>(operand.displacement) + core::kTlbContextBias;
      for (const FieldName& array : kTlbArrays) {
        if (array.offset == offset) return fmt::format("{}{}", array.name, operand.middle);
      }
    }
    return {};
  }

  size_t name_number(std::string_view line, std::string& out) const {
    uint64_t number = 0;
    if (line.starts_with("0x")) {
      const auto [end, error] = std::from_chars(line.data() + 2, line.data() + line.size(), number, 16);
      if (const auto it = addresses_.find(number); error == std::errc() && it != addresses_.end()) {
        out += it->second;
      } else {
        out += line.substr(0, static_cast<size_t>(end - line.data()));
      }
      return static_cast<size_t>(end - line.data());
    }
    out += '0';
    return 1;
  }

  const core::StateLayout& layout_;
  std::map<uint64_t, std::string> addresses_;
};

void add_thunks(Namer& namer, const Thunks& thunks) {
  namer.add(thunks.leave, "leave");
  for (unsigned k = 0; k < 4; ++k) {
    namer.add(thunks.slow_load[k], fmt::format("slow_load_{}", 8u << k));
    namer.add(thunks.slow_store[k], fmt::format("slow_store_{}", 8u << k));
  }
  namer.add(thunks.hand_over, "hand_over");
  namer.add(thunks.atomic, "atomic");
  namer.add(thunks.fp, "fp");
  namer.add(thunks.fold, "fold");
  namer.add(thunks.merge_flags, "merge_flags");
  namer.add(thunks.call, "call_helper");
}

void add_unit(Namer& namer, const Unit& unit) {
  const auto with = [](const void* object, Leave how) {
    return reinterpret_cast<uint64_t>(object) | static_cast<uint64_t>(how);
  };
  namer.add(&unit.profile.heat, "heat");
  if (unit.profile.targets != nullptr) namer.add(unit.profile.targets->data(), "targets");
  namer.add(with(&unit, Leave::kHot), "hot|unit");
  namer.add(with(&unit, Leave::kStale), "stale|unit");
  for (size_t k = 0; k < unit.links.size(); ++k) {
    namer.add(with(&unit.links[k], Leave::kLink), fmt::format("link|{:#x}", unit.links[k].pc));
  }
}

// What is left with for the engine is a small number in the last instruction but one.
void name_leaves(std::vector<std::string>& lines) {
  static constexpr std::pair<Leave, std::string_view> kLeaves[] = {
      {Leave::kExit, "exit"}, {Leave::kMoved, "moved"}, {Leave::kHandOver, "hand_over"}, {Leave::kBudget, "budget"}};
  for (size_t k = 1; k < lines.size(); ++k) {
    for (const auto& [how, name] : kLeaves) {
      if (lines[k] == "jmp leave" && lines[k - 1] == fmt::format("mov eax, {}", static_cast<unsigned>(how))) {
        lines[k - 1] = fmt::format("mov eax, {}", name);
      }
    }
  }
}

}  // namespace

std::optional<Listing> list_code(const Translator::Input& input) {
  asmjit::CodeHolder code;
  code.init(asmjit::Environment::host(), input.thunks.nominal_base);
  asmjit::StringLogger logger;
  logger.addFlags(asmjit::FormatFlags::kHexImms);
  code.setLogger(&logger);
  Unit unit;
  Translator translator(input, code, unit);
  if (!translator.run()) return std::nullopt;

  Namer namer(input.hart.layout());
  add_thunks(namer, input.thunks);
  add_unit(namer, unit);
  namer.add(&input.hart, "hart");
  for (const core::HelperDescriptor& helper : input.helpers) {
    namer.add(reinterpret_cast<uint64_t>(helper.function), std::string(helper.name));
  }

  Listing listing;
  listing.code_bytes = code.textSection()->buffer().size();
  std::vector<std::string>* part = &listing.arrival;
  std::string_view text(logger.data(), logger.dataSize());
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with("; entry")) {
      part = &listing.entry;
    } else if (line.starts_with("; cold")) {
      part = &listing.cold;
    } else {
      if (line.starts_with("; block")) part = &listing.hot;
      part->push_back(line.starts_with(";") ? std::string(line) : namer.name(line));
    }
  }
  name_leaves(listing.hot);
  name_leaves(listing.cold);
  return listing;
}

size_t count_instructions(std::span<const std::string> lines) {
  return static_cast<size_t>(std::count_if(lines.begin(), lines.end(), [](const std::string& line) {
    return !line.empty() && line.front() != ';' && line.back() != ':' && !line.starts_with("align ");
  }));
}

std::string Listing::text() const {
  const std::pair<std::string_view, const std::vector<std::string>*> parts[] = {
      {"; arrival", &arrival}, {"; entry", &entry}, {"", &hot}, {"; cold", &cold}};
  std::string out;
  for (const auto& [title, lines] : parts) {
    if (!title.empty()) out += fmt::format("{}\n", title);
    for (const std::string& line : *lines) {
      const bool indented = line.front() != ';' && line.back() != ':';
      out += fmt::format("{}{}\n", indented ? "  " : "", line);
    }
  }
  return out;
}

Thunks listing_thunks() {
  uint64_t next = 0x7f00'0000'0000;
  const auto address = [&] {
    next += 16;
    return reinterpret_cast<const uint8_t*>(next);
  };
  Thunks thunks;
  thunks.leave = address();
  for (unsigned k = 0; k < 4; ++k) {
    thunks.slow_load[k] = address();
    thunks.slow_store[k] = address();
  }
  thunks.hand_over = address();
  thunks.atomic = address();
  thunks.fp = address();
  thunks.fold = address();
  thunks.merge_flags = address();
  thunks.call = address();
  thunks.nominal_base = next + (1u << 20);
  return thunks;
}

std::string print_pins(std::span<const Pin> pins, const core::StateLayout& layout) {
  std::string out;
  for (const Pin& pin : pins) {
    const core::StateField* field = layout.at(8 * pin.word);
    const bool vector = pin.home >= 16;
    static constexpr std::string_view kGeneral[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                                    "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
    out +=
        fmt::format("pin {} {}{}\n", field != nullptr ? field->name : "?",
                    vector ? fmt::format("xmm{}", pin.home - 16) : std::string(kGeneral[static_cast<size_t>(pin.home)]),
                    pin.written ? "" : " read");
  }
  return out;
}

std::string print_blocks(std::span<const RegionBlock> blocks, const core::ir::Names& names) {
  std::string out;
  for (const RegionBlock& block : blocks) out += core::ir::print(block.ir, names);
  return out;
}

std::string describe_translation(const Translator::Input& input, std::optional<size_t> installed_bytes) {
  std::string out = print_pins(input.pins, input.hart.layout());
  const std::optional<Listing> listing = list_code(input);
  if (!listing) return out + "; no host code\n";
  if (installed_bytes.value_or(listing->code_bytes) != listing->code_bytes) {
    out += fmt::format("; {} bytes: what is installed was made from other blocks or with other weights\n",
                       listing->code_bytes);
  }
  return out + listing->text();
}

}  // namespace lockstep::jit
