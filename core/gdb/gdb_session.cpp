// SPDX-License-Identifier: Apache-2.0
#include "core/gdb/gdb_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/gdb/target_description.h"

namespace lockstep::core::gdb {
namespace {

constexpr std::string_view kOk = "OK";
constexpr std::string_view kUnsupported = "";
// gdb prints the number and interprets it nowhere; these are errno's EINVAL, EFAULT and ENOSPC.
constexpr std::string_view kMalformed = "E16";
constexpr std::string_view kNoMemory = "E0e";
constexpr std::string_view kNoSpace = "E1c";

constexpr size_t kRegisterBytesMax = 64;
constexpr size_t kTransferBytesMax = kPacketBytesMax / 2;  // leaves room for hexadecimal digits or escapes
constexpr uint64_t kWatchBytesMax = 4096;

constexpr int kSignalInterrupt = 2;
constexpr int kSignalTrap = 5;

// A thread of the protocol: a hart, any of them, or all.
struct ThreadId {
  bool is_all = false;
  bool is_any = false;
  unsigned hart = 0;
};

std::optional<ThreadId> parse_thread(PayloadReader& reader, unsigned hart_count) {
  if (reader.consume("-1")) return ThreadId{.is_all = true};
  const std::optional<uint64_t> number = reader.number();
  if (!number || *number > hart_count) return std::nullopt;
  if (*number == 0) return ThreadId{.is_any = true};
  return ThreadId{.hart = static_cast<unsigned>(*number - 1)};
}

std::span<const uint8_t> as_bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

size_t register_bytes(const Register& reg) { return std::min<size_t>(reg.size_bits / 8, kRegisterBytesMax); }

const char* watch_name(WatchKind kind) {
  switch (kind) {
    case WatchKind::kWrite:
      return "watch";
    case WatchKind::kRead:
      return "rwatch";
    case WatchKind::kAccess:
      return "awatch";
  }
  return "watch";
}

}  // namespace

Session::Session(Target& target) : target_(target), description_(target_description(target.architecture())) {}

Session::~Session() { remove_breakpoints(); }

void Session::begin(bool machine_is_running) {
  remove_breakpoints();
  parser_ = PacketParser();
  pending_.clear();
  output_.clear();
  last_frame_.clear();
  request_.reset();
  general_hart_ = 0;
  continue_hart_ = 0;
  continue_all_ = true;
  has_client_ = true;
  is_running_ = machine_is_running;
  is_reply_due_ = false;
  is_stop_requested_ = machine_is_running;
  is_stop_due_ = false;
  has_heard_packet_ = false;
  is_ack_off_ = false;
  reports_swbreak_ = false;
  reports_hwbreak_ = false;
}

void Session::end() {
  remove_breakpoints();
  pending_.clear();
  output_.clear();
  is_stop_requested_ = false;
  is_reply_due_ = false;
  has_client_ = false;
  if (!is_running_) run_freely();
}

void Session::run_freely() {
  request_ = Request{.kind = Request::Kind::kDetach, .actions = {}};
  is_running_ = true;
}

void Session::receive(std::span<const uint8_t> bytes) {
  for (const uint8_t byte : bytes) {
    switch (parser_.feed(byte)) {
      case PacketEvent::kNone:
      case PacketEvent::kAck:
        break;
      case PacketEvent::kNak:
        output_ += last_frame_;
        break;
      case PacketEvent::kInterrupt:
        if (is_running_) {
          is_stop_requested_ = true;
        } else {
          is_stop_due_ = has_heard_packet_;
        }
        break;
      case PacketEvent::kBad:
        if (!is_ack_off_) output_ += '-';
        break;
      case PacketEvent::kPacket:
        if (!is_ack_off_) output_ += '+';
        if (!is_running_) {
          has_heard_packet_ = true;
          handle_packet(parser_.payload());
        } else if (pending_.size() < kPendingPacketsMax) {
          pending_.push_back(parser_.payload());
        }
        break;
    }
  }
}

std::string Session::take_output() { return std::exchange(output_, {}); }

void Session::report_stop(const Stop& stop) {
  stop_ = stop;
  if (stop_.hart >= target_.hart_count()) stop_.hart = 0;
  is_running_ = false;
  is_stop_requested_ = false;
  is_stop_due_ = false;
  has_heard_packet_ = false;
  general_hart_ = stop_.hart;
  if (!has_client_) {
    run_freely();
    return;
  }
  if (std::exchange(is_reply_due_, false)) send(describe_stop());
  while (!pending_.empty() && !is_running_) {
    const std::string packet = std::move(pending_.front());
    pending_.pop_front();
    handle_packet(packet);
  }
}

std::optional<Request> Session::take_request() { return std::exchange(request_, std::nullopt); }

void Session::send(std::string_view payload) {
  last_frame_ = frame_packet(payload);
  output_ += last_frame_;
}

void Session::handle_packet(const std::string& packet) {
  if (const std::optional<std::string> reply = answer(packet)) send(*reply);
}

std::optional<std::string> Session::answer(std::string_view packet) {
  if (packet.empty()) return std::string(kUnsupported);
  const std::string_view rest = packet.substr(1);
  switch (packet.front()) {
    case '?':
      return describe_stop();
    case 'g':
      return read_registers();
    case 'G':
      return write_registers(rest);
    case 'p':
      return read_register(rest);
    case 'P':
      return write_register(rest);
    case 'm':
      return read_memory(rest);
    case 'M':
      return write_memory(rest, false);
    case 'X':
      return write_memory(rest, true);
    case 'Z':
      return change_breakpoint(rest, true);
    case 'z':
      return change_breakpoint(rest, false);
    case 'H':
      return set_thread(rest);
    case 'T': {
      PayloadReader reader(rest);
      const std::optional<ThreadId> thread = parse_thread(reader, target_.hart_count());
      return std::string(thread && !thread->is_all && reader.at_end() ? kOk : kMalformed);
    }
    case 'c':
      return resume_one(rest, HartAction::kContinue, false);
    case 'C':
      return resume_one(rest, HartAction::kContinue, true);
    case 's':
      return resume_one(rest, HartAction::kStep, false);
    case 'S':
      return resume_one(rest, HartAction::kStep, true);
    case 'k':
      request_ = Request{.kind = Request::Kind::kKill, .actions = {}};
      is_running_ = true;
      return std::nullopt;
    case 'D':
      remove_breakpoints();
      has_client_ = false;
      run_freely();
      return std::string(kOk);
    case 'q':
    case 'Q':
      return answer_query(packet);
    case 'v':
      return answer_v(packet);
    default:
      return std::string(kUnsupported);
  }
}

std::optional<std::string> Session::answer_query(std::string_view packet) {
  PayloadReader reader(packet);
  if (reader.consume("qSupported")) {
    reader.consume(':');
    while (!reader.at_end()) {
      const std::string_view feature = reader.until(';');
      if (feature == "swbreak+") reports_swbreak_ = true;
      if (feature == "hwbreak+") reports_hwbreak_ = true;
    }
    return fmt::format("PacketSize={:x};QStartNoAckMode+;qXfer:features:read+;swbreak+;hwbreak+;vContSupported+",
                       kPacketBytesMax);
  }
  if (packet == "QStartNoAckMode") {
    is_ack_off_ = true;
    return std::string(kOk);
  }
  if (reader.consume("qXfer:features:read:")) return transfer_features(reader.rest());
  if (reader.consume("qRcmd,")) return run_monitor(reader.rest());
  if (packet == "qAttached") return "1";  // detach rather than kill when gdb quits
  if (packet == "qC") return fmt::format("QC{:x}", general_hart_ + 1);
  if (packet == "qfThreadInfo") {
    std::string reply = "m";
    for (unsigned hart = 0; hart < target_.hart_count(); ++hart) {
      fmt::format_to(std::back_inserter(reply), "{}{:x}", hart == 0 ? "" : ",", hart + 1);
    }
    return reply;
  }
  if (packet == "qsThreadInfo") return "l";
  if (reader.consume("qThreadExtraInfo,")) {
    const std::optional<ThreadId> thread = parse_thread(reader, target_.hart_count());
    if (!thread || thread->is_all || thread->is_any) return std::string(kMalformed);
    return to_hex(target_.describe_hart(thread->hart));
  }
  if (packet.starts_with("qSymbol:")) return std::string(kOk);  // no symbols wanted
  return std::string(kUnsupported);
}

std::optional<std::string> Session::answer_v(std::string_view packet) {
  PayloadReader reader(packet);
  if (packet == "vCont?") return "vCont;c;C;s;S";
  if (reader.consume("vCont;")) return resume_all(reader.rest());
  if (reader.consume("vKill;")) {
    request_ = Request{.kind = Request::Kind::kKill, .actions = {}};
    is_running_ = true;
    return std::string(kOk);
  }
  return std::string(kUnsupported);
}

std::string Session::set_thread(std::string_view text) {
  PayloadReader reader(text);
  const bool is_for_continue = reader.consume('c');
  if (!is_for_continue && !reader.consume('g')) return std::string(kMalformed);
  const std::optional<ThreadId> thread = parse_thread(reader, target_.hart_count());
  if (!thread || !reader.at_end()) return std::string(kMalformed);
  if (is_for_continue) {
    continue_all_ = thread->is_all || thread->is_any;
    continue_hart_ = thread->hart;
  } else if (!thread->is_any) {
    general_hart_ = thread->hart;
  }
  return std::string(kOk);
}

const Register* Session::find_register(unsigned number) const {
  for (const Register& reg : target_.architecture().registers) {
    if (reg.number == number) return &reg;
  }
  return nullptr;
}

std::string Session::read_registers() {
  std::string reply;
  for (const Register& reg : target_.architecture().registers) {
    if (!reg.is_general) break;
    std::array<uint8_t, kRegisterBytesMax> value{};
    const std::span<uint8_t> bytes(value.data(), register_bytes(reg));
    if (target_.read_register(general_hart_, reg, bytes)) {
      append_hex(reply, bytes);
    } else {
      reply.append(bytes.size() * 2, 'x');
    }
  }
  return reply;
}

std::string Session::write_registers(std::string_view hex) {
  const std::optional<std::string> values = from_hex(hex);
  if (!values) return std::string(kMalformed);
  std::string_view rest = *values;
  for (const Register& reg : target_.architecture().registers) {
    if (!reg.is_general) break;
    const size_t size_bytes = register_bytes(reg);
    if (rest.size() < size_bytes) return std::string(kMalformed);
    target_.write_register(general_hart_, reg, as_bytes(rest.substr(0, size_bytes)));
    rest.remove_prefix(size_bytes);
  }
  return std::string(rest.empty() ? kOk : kMalformed);
}

std::string Session::read_register(std::string_view text) {
  PayloadReader reader(text);
  const std::optional<uint64_t> number = reader.number();
  const Register* reg = number && *number <= UINT32_MAX ? find_register(static_cast<unsigned>(*number)) : nullptr;
  if (reg == nullptr || !reader.at_end()) return std::string(kMalformed);
  std::array<uint8_t, kRegisterBytesMax> value{};
  const std::span<uint8_t> bytes(value.data(), register_bytes(*reg));
  if (!target_.read_register(general_hart_, *reg, bytes)) return std::string(bytes.size() * 2, 'x');
  std::string reply;
  append_hex(reply, bytes);
  return reply;
}

std::string Session::write_register(std::string_view text) {
  PayloadReader reader(text);
  const std::optional<uint64_t> number = reader.number();
  const Register* reg = number && *number <= UINT32_MAX ? find_register(static_cast<unsigned>(*number)) : nullptr;
  if (reg == nullptr || !reader.consume('=')) return std::string(kMalformed);
  const std::optional<std::string> value = from_hex(reader.rest());
  if (!value || value->size() != register_bytes(*reg)) return std::string(kMalformed);
  return std::string(target_.write_register(general_hart_, *reg, as_bytes(*value)) ? kOk : kMalformed);
}

std::string Session::read_memory(std::string_view text) {
  PayloadReader reader(text);
  const std::optional<uint64_t> vaddr = reader.number();
  if (!vaddr || !reader.consume(',')) return std::string(kMalformed);
  const std::optional<uint64_t> length = reader.number();
  if (!length || !reader.at_end()) return std::string(kMalformed);
  // A shorter answer than asked for is legal; gdb asks again for the rest.
  std::vector<uint8_t> bytes(std::min<uint64_t>(*length, kTransferBytesMax));
  const size_t done = std::min(target_.read_memory(general_hart_, *vaddr, bytes), bytes.size());
  if (done == 0 && !bytes.empty()) return std::string(kNoMemory);
  std::string reply;
  append_hex(reply, std::span(bytes).first(done));
  return reply;
}

std::string Session::write_memory(std::string_view text, bool is_binary) {
  PayloadReader reader(text);
  const std::optional<uint64_t> vaddr = reader.number();
  if (!vaddr || !reader.consume(',')) return std::string(kMalformed);
  const std::optional<uint64_t> length = reader.number();
  if (!length || !reader.consume(':')) return std::string(kMalformed);
  const std::optional<std::string> bytes = is_binary ? std::string(reader.rest()) : from_hex(reader.rest());
  if (!bytes || bytes->size() != *length) return std::string(kMalformed);
  if (bytes->empty()) return std::string(kOk);  // gdb probes for X this way
  const size_t done = target_.write_memory(general_hart_, *vaddr, as_bytes(*bytes));
  return std::string(done == bytes->size() ? kOk : kNoMemory);
}

std::string Session::change_breakpoint(std::string_view text, bool on) {
  PayloadReader reader(text);
  const std::optional<uint64_t> type = reader.number();
  if (!type || *type > 4) return std::string(kUnsupported);
  if (!reader.consume(',')) return std::string(kMalformed);
  const std::optional<uint64_t> vaddr = reader.number();
  if (!vaddr || !reader.consume(',')) return std::string(kMalformed);
  const std::optional<uint64_t> kind = reader.number();  // for a watchpoint its size, else an instruction's
  if (!kind) return std::string(kMalformed);
  if (*type <= 1) {
    return change_code_breakpoint({*vaddr, *type == 0 ? BreakpointKind::kSoftware : BreakpointKind::kHardware}, on);
  }
  if (*kind == 0 || *kind > kWatchBytesMax) return std::string(kMalformed);
  const WatchKind watch_kind = *type == 2 ? WatchKind::kWrite : *type == 3 ? WatchKind::kRead : WatchKind::kAccess;
  return change_watchpoint({*vaddr, *kind, watch_kind}, on);
}

bool Session::has_breakpoint_at(uint64_t vaddr) const {
  return breakpoints_.contains({vaddr, BreakpointKind::kSoftware}) ||
         breakpoints_.contains({vaddr, BreakpointKind::kHardware});
}

// Setting twice and removing what is not there both succeed: gdb repeats itself when it is unsure. The target hears of
// an address once, even where both kinds are set.
std::string Session::change_code_breakpoint(const Breakpoint& breakpoint, bool on) {
  if (breakpoints_.contains(breakpoint) == on) return std::string(kOk);
  if (on) {
    if (breakpoints_.size() >= kBreakpointsMax) return std::string(kNoSpace);
    if (!has_breakpoint_at(breakpoint.vaddr) && !target_.set_breakpoint(breakpoint.vaddr, true)) {
      return std::string(kNoMemory);
    }
    breakpoints_.insert(breakpoint);
  } else {
    breakpoints_.erase(breakpoint);
    if (!has_breakpoint_at(breakpoint.vaddr)) target_.set_breakpoint(breakpoint.vaddr, false);
  }
  return std::string(kOk);
}

std::string Session::change_watchpoint(const Watch& watch, bool on) {
  const auto known = std::find(watches_.begin(), watches_.end(), watch);
  if ((known != watches_.end()) == on) return std::string(kOk);
  if (on) {
    if (watches_.size() >= kBreakpointsMax) return std::string(kNoSpace);
    if (!target_.set_watchpoint(watch, true)) return std::string(kNoSpace);
    watches_.push_back(watch);
  } else {
    target_.set_watchpoint(watch, false);
    watches_.erase(known);
  }
  return std::string(kOk);
}

void Session::remove_breakpoints() {
  while (!breakpoints_.empty()) change_code_breakpoint(Breakpoint(*breakpoints_.begin()), false);
  while (!watches_.empty()) change_watchpoint(Watch(watches_.back()), false);
}

std::string Session::transfer_features(std::string_view text) const {
  PayloadReader reader(text);
  if (reader.until(':') != "target.xml") return "E00";
  const std::optional<uint64_t> offset = reader.number();
  if (!offset || !reader.consume(',')) return std::string(kMalformed);
  const std::optional<uint64_t> length = reader.number();
  if (!length || !reader.at_end()) return std::string(kMalformed);
  if (*offset >= description_.size()) return "l";
  const uint64_t count = std::min<uint64_t>(*length, kTransferBytesMax);
  const bool is_last = description_.size() - *offset <= count;
  return (is_last ? "l" : "m") + description_.substr(*offset, count);
}

std::string Session::run_monitor(std::string_view hex) {
  const std::optional<std::string> command = from_hex(hex);
  if (!command) return std::string(kMalformed);
  std::string text;
  if (*command == "help" || command->empty()) {
    text = "monitor help    this list\n" + target_.monitor_help();
  } else {
    const Result<std::string> result = target_.monitor(*command);
    text = result ? *result : result.message() + "\n";
  }
  // Console output goes ahead in pieces that fit a packet; the answer is then plain.
  for (size_t i = 0; i < text.size(); i += kTransferBytesMax / 2) {
    send("O" + to_hex(std::string_view(text).substr(i, kTransferBytesMax / 2)));
  }
  return std::string(kOk);
}

std::optional<std::string> Session::resume_one(std::string_view text, HartAction action, bool has_signal) {
  PayloadReader reader(text);
  if (has_signal && !reader.number()) return std::string(kMalformed);
  if (has_signal) reader.consume(';');
  const unsigned hart = continue_all_ ? general_hart_ : continue_hart_;
  if (!reader.at_end()) {
    const std::optional<uint64_t> vaddr = reader.number();
    const Register* pc = find_register(target_.architecture().pc_number);
    if (!vaddr || !reader.at_end() || pc == nullptr) return std::string(kMalformed);
    std::array<uint8_t, 8> value;
    for (size_t i = 0; i < value.size(); ++i) value[i] = static_cast<uint8_t>(*vaddr >> (8 * i));
    const size_t size_bytes = std::min(register_bytes(*pc), value.size());
    if (!target_.write_register(hart, *pc, std::span(value).first(size_bytes))) return std::string(kMalformed);
  }
  // A step moves one hart; the others run on unless the client chose one hart for all of it.
  std::vector<HartAction> actions(target_.hart_count(), continue_all_ ? HartAction::kContinue : HartAction::kStay);
  if (hart < actions.size()) actions[hart] = action;
  resume(std::move(actions));
  return std::nullopt;
}

std::optional<std::string> Session::resume_all(std::string_view text) {
  const unsigned hart_count = target_.hart_count();
  std::vector<HartAction> actions(hart_count, HartAction::kStay);
  PayloadReader list(text);
  while (!list.at_end()) {
    PayloadReader reader(list.until(';'));
    HartAction action = HartAction::kContinue;
    if (reader.consume('s')) {
      action = HartAction::kStep;
    } else if (reader.consume('S')) {
      action = HartAction::kStep;
      if (!reader.number()) return std::string(kMalformed);
    } else if (reader.consume('C')) {
      if (!reader.number()) return std::string(kMalformed);
    } else if (!reader.consume('c')) {
      return std::string(kMalformed);
    }
    ThreadId thread{.is_all = true};
    if (reader.consume(':')) {
      const std::optional<ThreadId> named = parse_thread(reader, hart_count);
      if (!named) return std::string(kMalformed);
      thread = *named;
      if (thread.is_any) thread = ThreadId{.hart = general_hart_};
    }
    if (!reader.at_end()) return std::string(kMalformed);
    // The first action that names a hart counts; kStay means that none has yet.
    for (unsigned hart = 0; hart < hart_count; ++hart) {
      if ((thread.is_all || thread.hart == hart) && actions[hart] == HartAction::kStay) actions[hart] = action;
    }
  }
  const bool is_moving = std::any_of(actions.begin(), actions.end(), [](auto a) { return a != HartAction::kStay; });
  if (!is_moving) return std::string(kMalformed);
  resume(std::move(actions));
  return std::nullopt;
}

void Session::resume(std::vector<HartAction> actions) {
  if (stop_.kind == StopKind::kExited) {
    send(describe_stop());  // nothing is left to run
    return;
  }
  request_ = Request{.kind = Request::Kind::kResume, .actions = std::move(actions)};
  is_running_ = true;
  is_stop_requested_ = std::exchange(is_stop_due_, false);
  is_reply_due_ = true;
}

std::string Session::describe_stop() {
  if (stop_.kind == StopKind::kExited) return fmt::format("W{:02x}", stop_.exit_code);
  std::string reply = fmt::format("T{:02x}thread:{:x};",
                                  stop_.kind == StopKind::kInterrupt ? kSignalInterrupt : kSignalTrap, stop_.hart + 1);
  const auto out = std::back_inserter(reply);
  uint64_t pc_value = 0;
  const Register* pc = find_register(target_.architecture().pc_number);
  if (pc != nullptr && register_bytes(*pc) <= sizeof pc_value) {
    std::array<uint8_t, sizeof pc_value> value{};
    const std::span<uint8_t> bytes(value.data(), register_bytes(*pc));
    if (target_.read_register(stop_.hart, *pc, bytes)) {
      for (size_t i = 0; i < bytes.size(); ++i) pc_value |= static_cast<uint64_t>(bytes[i]) << (8 * i);
      fmt::format_to(out, "{:x}:", pc->number);
      append_hex(reply, bytes);
      reply += ';';
    }
  }
  if (stop_.kind == StopKind::kBreakpoint) {
    if (reports_swbreak_ && breakpoints_.contains({pc_value, BreakpointKind::kSoftware})) {
      reply += "swbreak:;";
    } else if (reports_hwbreak_ && breakpoints_.contains({pc_value, BreakpointKind::kHardware})) {
      reply += "hwbreak:;";
    }
  } else if (stop_.kind == StopKind::kWatchpoint) {
    const auto hit = std::find_if(watches_.begin(), watches_.end(), [this](const Watch& watch) {
      return stop_.watch_address - watch.vaddr < watch.size_bytes;
    });
    // gdb matches the address against its own watchpoints; an access may have begun below the watched range.
    const WatchKind kind = hit != watches_.end() ? hit->kind : WatchKind::kWrite;
    fmt::format_to(out, "{}:{:x};", watch_name(kind), stop_.watch_address);
  }
  return reply;
}

}  // namespace lockstep::core::gdb
