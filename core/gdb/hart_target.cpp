// SPDX-License-Identifier: Apache-2.0
#include "core/gdb/hart_target.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <iterator>
#include <utility>

namespace lockstep::core::gdb {
namespace {

uint8_t* field_address(Hart& hart, const StateField& field) {
  return reinterpret_cast<uint8_t*>(&hart.state()) + field.offset;
}

}  // namespace

HartTarget::HartTarget(std::vector<DebuggedHart> harts, Architecture architecture, RegisterAccess access)
    : harts_(std::move(harts)), architecture_(std::move(architecture)), access_(std::move(access)) {}

std::optional<Stop> HartTarget::stop_after(unsigned hart, const RunResult& result) const {
  switch (result.reason) {
    case StopReason::kBreakpoint:
      return Stop{.kind = StopKind::kBreakpoint, .hart = hart};
    case StopReason::kWatchpoint:
      return Stop{
          .kind = StopKind::kWatchpoint, .hart = hart, .watch_address = harts_[hart].engine->watchpoint_address()};
    case StopReason::kBudget:
    case StopReason::kWaitForInterrupt:
    case StopReason::kYield:
    case StopReason::kStop:
      return std::nullopt;
  }
  return std::nullopt;
}

bool HartTarget::read_register(unsigned index, const Register& reg, std::span<uint8_t> value) {
  Hart& hart = *harts_[index].hart;
  std::fill(value.begin(), value.end(), uint8_t{0});
  const std::string name = access_.field(reg);
  if (name.empty()) {
    const std::optional<uint64_t> word = access_.read(hart, reg);
    if (!word) return false;
    std::memcpy(value.data(), &*word, std::min(value.size(), sizeof *word));
    return true;
  }
  const StateField* field = hart.layout().find(name);
  if (field == nullptr) return false;
  std::memcpy(value.data(), field_address(hart, *field), std::min<size_t>(value.size(), field->size_bytes));
  return true;
}

bool HartTarget::write_register(unsigned index, const Register& reg, std::span<const uint8_t> value) {
  Hart& hart = *harts_[index].hart;
  const std::string name = access_.field(reg);
  if (name.empty()) {
    uint64_t word = 0;
    std::memcpy(&word, value.data(), std::min(value.size(), sizeof word));
    if (!access_.write(hart, reg, word)) return false;
  } else {
    const StateField* field = hart.layout().find(name);
    if (field == nullptr) return false;
    std::memcpy(field_address(hart, *field), value.data(), std::min<size_t>(value.size(), field->size_bytes));
  }
  hart.state_restored();
  return true;
}

HartTarget::Stretch HartTarget::find_memory(unsigned index, uint64_t vaddr, size_t length) {
  Hart& hart = *harts_[index].hart;
  uint64_t paddr = vaddr;
  if (!is_physical_) {
    const Translation translation = hart.translate(vaddr, Access::kLoad, true);
    if (translation.fault != Fault::kNone) return {};
    paddr = translation.paddr;
  }
  length = std::min<uint64_t>(length, kPageSize - (paddr & ~kPageMask));
  const RamWindow* window = hart.bus().window(paddr);
  if (window == nullptr || !window->contains(paddr, length)) return {};
  return {window->host + (paddr - window->base), paddr, length, window->writable};
}

size_t HartTarget::read_memory(unsigned hart, uint64_t vaddr, std::span<uint8_t> bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    const Stretch stretch = find_memory(hart, vaddr + done, bytes.size() - done);
    if (stretch.length == 0) break;
    std::memcpy(bytes.data() + done, stretch.host, stretch.length);
    done += stretch.length;
  }
  return done;
}

size_t HartTarget::write_memory(unsigned hart, uint64_t vaddr, std::span<const uint8_t> bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    const Stretch stretch = find_memory(hart, vaddr + done, bytes.size() - done);
    if (stretch.length == 0 || !stretch.is_writable) break;
    std::memcpy(stretch.host, bytes.data() + done, stretch.length);
    harts_[hart].hart->bus().ram_written(stretch.paddr, stretch.length);
    done += stretch.length;
  }
  return done;
}

bool HartTarget::set_breakpoint(uint64_t vaddr, bool on) {
  for (const DebuggedHart& hart : harts_) hart.engine->set_breakpoint(vaddr, on);
  return true;
}

bool HartTarget::set_watchpoint(const Watch& watch, bool on) {
  const Watchpoint watchpoint{.vaddr = watch.vaddr,
                              .size_bytes = watch.size_bytes,
                              .on_read = watch.kind != WatchKind::kWrite,
                              .on_write = watch.kind != WatchKind::kRead};
  for (const DebuggedHart& hart : harts_) hart.engine->set_watchpoint(watchpoint, on);
  return true;
}

std::string HartTarget::monitor_help() const {
  return "monitor harts             pc and instruction count of every hart\n"
         "monitor translate ADDR    the physical address of a virtual one (hexadecimal), for the current thread\n"
         "monitor physical on|off   whether memory commands take physical addresses\n";
}

Result<std::string> HartTarget::monitor(unsigned index, std::string_view command) {
  const size_t space = command.find(' ');
  const std::string_view verb = command.substr(0, space);
  const std::string_view argument = space == std::string_view::npos ? "" : command.substr(space + 1);
  if (command == "harts") {
    std::string text;
    for (const DebuggedHart& hart : harts_) {
      fmt::format_to(std::back_inserter(text), "hart {}: pc {:#x}, {} instructions begun\n", hart.hart->id(),
                     hart.hart->state().pc, hart.hart->instruction_count());
    }
    return text;
  }
  if (verb == "translate") {
    const std::string_view digits = argument.starts_with("0x") ? argument.substr(2) : argument;
    uint64_t vaddr = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), vaddr, 16);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) {
      return Error{fmt::format("'{}' is no hexadecimal address. Use 'monitor translate ADDR'.", argument)};
    }
    const Translation translation = harts_[index].hart->translate(vaddr, Access::kLoad, true);
    if (translation.fault != Fault::kNone) return fmt::format("{:#x} is not mapped\n", vaddr);
    return fmt::format("{:#x} -> {:#x}\n", vaddr, translation.paddr);
  }
  if (verb == "physical" && (argument == "on" || argument == "off")) {
    is_physical_ = argument == "on";
    return fmt::format("memory addresses are {}\n", is_physical_ ? "physical" : "virtual");
  }
  return Target::monitor(index, command);
}

}  // namespace lockstep::core::gdb
