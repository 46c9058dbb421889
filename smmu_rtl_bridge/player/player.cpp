// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/player/player.h"

#include <algorithm>
#include <charconv>

#include "smmu_rtl_bridge/names.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

namespace at = register_offset;

constexpr unsigned kCommandLog2 = 4, kEventLog2 = 5, kPageRequestLog2 = 4;
constexpr uint64_t kAddresses = (uint64_t{1} << 52) - 1;
constexpr uint32_t kOverflow = uint32_t{1} << 31;
// Queues that software does not size: enough for a script of ordinary length, small enough to wrap.
constexpr unsigned kDefaultQueueLog2 = 7;
// Tables and queues: inner shareable, write-back.
constexpr uint32_t kDefaultCr1 = 0xd75;
constexpr uint32_t kRecordInvalidStream = 2;
constexpr uint32_t kDefaultGbpa = 0x1000;  // incoming attributes
constexpr uint32_t kSmmuEnable = 1, kPriQueueEnable = 2, kEventQueueEnable = 4, kCommandQueueEnable = 8;
constexpr uint32_t kGbpaUpdate = uint32_t{1} << 31;
// A sound device is quick where it has nothing to wait for: between two of these, time passes in small steps.
constexpr unsigned kStepTicks = 1;
// Of memory that a script makes slow: what it does not say, and the most, which is far below what counts as hanging.
constexpr uint64_t kSlowCycles = 500, kSlowCyclesMax = 5000;
constexpr size_t kOpenAccessesMax = 4096;
constexpr uint64_t kAccessBytesMax = 2048;

uint32_t offset_of(const std::string& word) {
  if (const RegisterName* row = find_register(word)) return row->offset;
  const bool is_hex = word.starts_with("0x");
  uint32_t offset = 0;
  std::from_chars(word.data() + (is_hex ? 2 : 0), word.data() + word.size(), offset, is_hex ? 16 : 10);
  return offset;
}

unsigned size_of(const Line& line) {
  const RegisterName* row = find_register(line.word);
  const uint64_t size = line.get("size", row ? row->size_bytes : 4);
  return size == 8 || size == 2 || size == 1 ? static_cast<unsigned>(size) : 4;
}

CommandWords command_of(const Line& line) {
  CommandWords words{};
  const CommandName* name = find_command(line.word.empty() ? "SYNC" : std::string_view(line.word));
  words[0] = name ? name->opcode : 0;
  for (const Field& field : line.fields)
    if (const FieldRow* row = find_command_field(field.name)) row->set(words.data(), field.value);
  return words;
}

// Lines that only prepare memory come before software begins with the device.
bool is_preparation(Verb verb) {
  switch (verb) {
    case Verb::kSetup:
    case Verb::kStream:
    case Verb::kCd:
    case Verb::kMap:
    case Verb::kUnmap:
    case Verb::kDescriptor:
    case Verb::kPointer:
    case Verb::kPoke:
    case Verb::kBreak:
    case Verb::kMend:
    case Verb::kSlow:
    case Verb::kAtc:
      return true;
    default:
      return false;
  }
}

}  // namespace

uint64_t Player::Queue::entry(uint64_t index, unsigned entry_log2) const {
  const unsigned alignment = std::max(log2 + entry_log2, 5u);
  return (base & kAddresses & ~((uint64_t{1} << alignment) - 1)) +
         ((index & ((uint64_t{1} << log2) - 1)) << entry_log2);
}

Player::Player(std::vector<Observer*> observers, PlayLimits limits)
    : observers_(std::move(observers)),
      limits_(limits),
      world_(memory_, [this](uint64_t address, const void* data, size_t size_bytes) {
        memory_.write(address, data, size_bytes);
        tell([&](Observer& o) { o.software_wrote(address, data, size_bytes); });
      }) {}

void Player::fail(std::string rule, std::string text) {
  if (failed()) return;
  result_.rule = std::move(rule);
  result_.text = std::move(text);
  result_.line = line_number_;
  result_.cycle = device_ ? device_->cycles() : 0;
}

Features Player::read_features(Device& device) {
  const auto get = [&](uint32_t offset) {
    uint64_t value = 0;
    device.read_register(offset, 4, value);
    return static_cast<uint32_t>(value);
  };
  return {get(at::kIdr0), get(at::kIdr1), get(at::kIdr3), get(at::kIdr5)};
}

PlayResult Player::play(Device& device, const Script& script) {
  device_ = &device;
  device.reset();
  Features features;
  features.idr0 = read_register(at::kIdr0);
  features.idr1 = read_register(at::kIdr1);
  features.idr3 = read_register(at::kIdr3);
  features.idr5 = read_register(at::kIdr5);
  world_.set_features(features);
  const unsigned log2size = std::min(16u, features.stream_bits());
  note_register(at::kStrtabBase, default_place::kStreamTable);
  note_register(at::kStrtabBaseCfg, log2size);
  for (line_number_ = 0; line_number_ < script.lines.size() && !failed(); ++line_number_) {
    if (before_line_ && !before_line_(line_number_, script.lines[line_number_])) return result_;
    play_line(script.lines[line_number_]);
  }
  if (!failed()) quiet();
  if (!failed()) tell([](Observer& o) { o.finished(); });
  return result_;
}

void Player::play_line(const Line& line) {
  accesses_in_line_ = 0;
  if (line.delay != 0 && begun_) pass_time(line.delay);
  if (!is_preparation(line.verb) && !begun_) begin();
  switch (line.verb) {
    case Verb::kSetup:
      for (const Field& field : line.fields) {
        const RegisterName* row = find_register(field.name);
        setup_[row->offset] = field.value;
        // What CR0 guards is written before it.
        if (!begun_ && row->offset != at::kCr0) note_register(row->offset, field.value);
      }
      break;
    case Verb::kBreak:
    case Verb::kMend:
      set_broken(line, line.verb == Verb::kBreak);
      break;
    case Verb::kSlow:
      set_slow(line);
      break;
    case Verb::kWrite:
      write_register(offset_of(line.word), size_of(line), line.number);
      if (!line.has("nowait")) await_acknowledge(offset_of(line.word));
      break;
    case Verb::kRead: {
      uint64_t value = 0;
      const uint32_t offset = offset_of(line.word);
      if (device_->read_register(offset, size_of(line), value))
        tell([&](Observer& o) { o.register_read(offset, size_of(line), value); });
      break;
    }
    case Verb::kCommand:
      send_command(command_of(line), line.has("hold"));
      break;
    case Verb::kSync:
      sync(command_of(line));
      break;
    case Verb::kAccess:
      access(line);
      break;
    case Verb::kAts:
      ats(line);
      break;
    case Verb::kPage:
      page(line);
      break;
    case Verb::kAtc:
      atc_mode_ = line.word == "timeout" ? AtcMode::kTimeout : line.word == "later" ? AtcMode::kLater : AtcMode::kDone;
      break;
    case Verb::kResume:
      resume(line);
      break;
    case Verb::kEvents:
      take_events();
      take_page_requests();
      break;
    case Verb::kRecover:
      recover();
      break;
    case Verb::kQuiet:
      quiet();
      break;
    case Verb::kTick:
      pass_time(line.number);
      break;
    default:
      world_.carry_out(line);
      break;
  }
}

// What software does with any SMMU before it is of use, with the script's values where it has some.
void Player::begin() {
  begun_ = true;
  const Features& features = world_.features();
  has_page_queue_ = features.pri();
  // Its reset value is the device's own: software that cares says what it wants.
  write_register(at::kGbpa, 4, setup_value(at::kGbpa, kDefaultGbpa) | kGbpaUpdate);
  await_acknowledge(at::kGbpa);
  setup_register(at::kCr1, kDefaultCr1);
  setup_register(at::kCr2, kRecordInvalidStream);
  setup_register(at::kStrtabBase, default_place::kStreamTable);
  setup_register(at::kStrtabBaseCfg, std::min(16u, features.stream_bits()));
  setup_register(at::kCmdqBase, default_place::kCommandQueue | std::min(kDefaultQueueLog2, features.cmdq_log2()));
  setup_register(at::kCmdqProd, 0);
  setup_register(at::kCmdqCons, 0);
  setup_register(at::kEventqBase, default_place::kEventQueue | std::min(kDefaultQueueLog2, features.evtq_log2()));
  setup_register(at::kEventqProd, 0);
  setup_register(at::kEventqCons, 0);
  if (has_page_queue_) {
    setup_register(at::kPriqBase, default_place::kPageQueue | std::min(kDefaultQueueLog2, features.priq_log2()));
    setup_register(at::kPriqProd, 0);
    setup_register(at::kPriqCons, 0);
  }
  if (features.msi())
    for (const auto& [offset, value] : setup_) {
      const RegisterName* row = find_register_at(offset);
      if (row->name.find("_IRQ_CFG") != std::string_view::npos) write_register(offset, row->size_bytes, value);
    }
  setup_register(at::kIrqCtrl, has_page_queue_ ? 7 : 5);
  await_acknowledge(at::kIrqCtrl);
  const uint32_t queues = kCommandQueueEnable | kEventQueueEnable | (has_page_queue_ ? kPriQueueEnable : 0);
  const auto control = static_cast<uint32_t>(setup_value(at::kCr0, queues | kSmmuEnable));
  if (control & kCommandQueueEnable) {
    write_register(at::kCr0, 4, kCommandQueueEnable);
    await_acknowledge(at::kCr0);
    constexpr uint64_t kEverything = 31;
    send_command({find_command("CFGI_STE_RANGE")->opcode, kEverything}, true);
    if (features.hypervisor()) send_command({find_command("TLBI_EL2_ALL")->opcode, 0}, true);
    send_command({find_command("TLBI_NSNH_ALL")->opcode, 0}, true);
    sync({find_command("SYNC")->opcode, 0});
  }
  if (control & ~kSmmuEnable & ~kCommandQueueEnable) {
    write_register(at::kCr0, 4, control & ~kSmmuEnable);
    await_acknowledge(at::kCr0);
  }
  if (control & kSmmuEnable) {
    write_register(at::kCr0, 4, control);
    await_acknowledge(at::kCr0);
  }
}

uint64_t Player::setup_value(uint32_t offset, uint64_t otherwise) const {
  const auto found = setup_.find(offset);
  return found == setup_.end() ? otherwise : found->second;
}

void Player::setup_register(uint32_t offset, uint64_t otherwise) {
  write_register(offset, find_register_at(offset)->size_bytes, setup_value(offset, otherwise));
}

// Software remembers what it told the device of queues and tables, where it was not told in vain.
void Player::note_register(uint32_t offset, uint64_t value) {
  const Features& features = world_.features();
  const bool of_table = offset == at::kStrtabBase || offset == at::kStrtabBaseCfg;
  if (of_table && (control_ & kSmmuEnable)) return;
  if (offset == at::kCmdqBase && (control_ & kCommandQueueEnable)) return;
  if (offset == at::kEventqBase && (control_ & kEventQueueEnable)) return;
  if (offset == at::kPriqBase && (control_ & kPriQueueEnable)) return;
  if (offset == at::kCr0) control_ = static_cast<uint32_t>(value);
  const auto base = [&](Queue& queue, unsigned log2_max) {
    queue.base = value;
    queue.log2 = std::min(static_cast<unsigned>(value & 31), log2_max);
  };
  switch (offset) {
    case at::kStrtabBase:
      setup_[at::kStrtabBase] = value;
      break;
    case at::kStrtabBaseCfg:
      setup_[at::kStrtabBaseCfg] = value;
      break;
    case at::kCmdqBase:
      base(commands_, features.cmdq_log2());
      return;
    case at::kEventqBase:
      base(events_, features.evtq_log2());
      return;
    case at::kPriqBase:
      base(pages_, features.priq_log2());
      return;
    case at::kCmdqProd:
      commands_.software = static_cast<uint32_t>(value);
      return;
    case at::kEventqCons:
      events_.software = static_cast<uint32_t>(value);
      return;
    case at::kPriqCons:
      pages_.software = static_cast<uint32_t>(value);
      return;
    default:
      return;
  }
  world_.set_stream_table(setup_[at::kStrtabBase], static_cast<uint32_t>(setup_[at::kStrtabBaseCfg]));
}

uint32_t Player::read_register(uint32_t offset) {
  uint64_t value = 0;
  if (!device_->read_register(offset, 4, value)) {
    fail("player.register_access", "reading register " + hex(offset) + " is answered by a bus error");
    return 0;
  }
  tell([&](Observer& o) { o.register_read(offset, 4, value); });
  return static_cast<uint32_t>(value);
}

void Player::write_register(uint32_t offset, unsigned size_bytes, uint64_t value) {
  note_register(offset, value);
  tell([&](Observer& o) { o.register_written(offset, size_bytes, value); });
  if (!device_->write_register(offset, size_bytes, value) && find_register_at(offset) != nullptr && size_bytes >= 4)
    fail("player.register_access", "writing register " + hex(offset) + " is answered by a bus error");
  tell([&](Observer& o) { o.register_write_done(offset); });
}

// Registers whose writes take effect later say when.
void Player::await_acknowledge(uint32_t offset) {
  bool done = true;
  if (offset == at::kCr0 || offset == at::kIrqCtrl) {
    done = wait_until([&] { return read_register(offset) == read_register(offset + 4); });
  } else if (offset == at::kGbpa) {
    done = wait_until([&] { return !(read_register(at::kGbpa) & kGbpaUpdate); });
  }
  if (!done) fail("player.handshake", "a write to register " + hex(offset) + " is never acknowledged");
}

bool Player::runs_wild() {
  if (++accesses_in_line_ <= limits_.device_accesses_per_line) return false;
  fail("player.runs_wild",
       "the device made " + std::to_string(limits_.device_accesses_per_line) + " accesses during one line");
  return true;
}

void Player::pass_time(uint64_t ticks) {
  result_.ticks += ticks;
  device_->tick(static_cast<unsigned>(ticks));
  if (pending_atc_ == 0) return;
  finish_pending_atc();
}

void Player::finish_pending_atc() {
  while (pending_atc_ != 0) {
    --pending_atc_;
    tell([](Observer& o) { o.atc_invalidation_done(false); });
    device_->atc_invalidation_done(false);
  }
}

template <typename Condition>
bool Player::wait_until(Condition condition) {
  for (uint64_t ticks = 0; ticks <= limits_.ticks_per_wait && !failed(); ticks += kStepTicks) {
    if (condition()) return true;
    pass_time(kStepTicks);
  }
  return failed();
}

bool Player::command_error_active() { return (read_register(at::kGerror) ^ read_register(at::kGerrorN)) & 1; }

void Player::send_command(const CommandWords& words, bool hold) {
  const uint64_t indices = commands_.indices();
  const uint32_t produced = commands_.software & static_cast<uint32_t>(indices);
  const uint64_t capacity = uint64_t{1} << commands_.log2;
  // A full queue: publish what is there and wait for room.
  uint32_t consumed = read_register(at::kCmdqCons);
  if (((produced - consumed) & indices) >= capacity) {
    if (held_commands_) write_register(at::kCmdqProd, 4, produced);
    held_commands_ = false;
    const bool room = wait_until([&] {
      consumed = read_register(at::kCmdqCons);
      return ((produced - consumed) & indices) < capacity || command_error_active() ||
             !(read_register(at::kCr0Ack) & kCommandQueueEnable);
    });
    if (!room) fail("player.commands_stuck", "the command queue stays full");
    // Software with a queue that does not run has nothing to say to it.
    if (failed() || ((produced - consumed) & indices) >= capacity) return;
  }
  const uint64_t address = commands_.entry(produced, kCommandLog2);
  memory_.write(address, words.data(), sizeof words);
  tell([&](Observer& o) { o.software_wrote(address, words.data(), sizeof words); });
  ++result_.commands;
  commands_.software = (produced + 1) & static_cast<uint32_t>(indices);
  held_commands_ = true;
  if (hold) return;
  held_commands_ = false;
  write_register(at::kCmdqProd, 4, commands_.software);
}

void Player::sync(const CommandWords& words) {
  const uint64_t indices = commands_.indices();
  send_command(words, false);
  const uint32_t produced = commands_.software & static_cast<uint32_t>(indices);
  const bool done = wait_until([&] {
    const uint32_t consumed = read_register(at::kCmdqCons) & static_cast<uint32_t>(indices);
    // Indices that lie, an error or a queue that is off: nothing will come.
    return consumed == produced || ((produced - consumed) & indices) > uint64_t{1} << commands_.log2 ||
           command_error_active() || !(read_register(at::kCr0Ack) & kCommandQueueEnable);
  });
  if (!done) fail("player.sync_never_completes", "CMD_SYNC is not consumed");
  take_events();
  take_page_requests();
}

void Player::access(const Line& line) {
  ClientAccess access;
  access.id = ++next_id_;
  access.address = line.number;
  access.stream_id = line.place.stream;
  access.substream_id = line.place.substream;
  access.substream_valid = line.place.has_substream;
  access.write = line.word == "write";
  access.atomic = line.word == "atomic";
  access.instruction = line.word == "exec";
  uint64_t size = 8;
  for (const Field& field : line.fields) {
    const std::string_view name = field.name;
    if (name == "size") size = field.value;
    if (name == "type") access.attributes.type = static_cast<uint8_t>(field.value);
    if (name == "sh") access.attributes.shareability = field.value & 3;
    if (name == "inst") access.instruction = true;
    if (name == "priv") access.privileged = true;
    if (name == "translated") access.translated = true;
  }
  // Of as many beats as AXI4 has on a bus of eight bytes; and it stays inside one page of the smallest granule.
  size = std::clamp<uint64_t>(size, 1, kAccessBytesMax - (line.number & 7));
  access.size_bytes = static_cast<uint32_t>(std::min<uint64_t>(size, 4096 - (line.number & 4095)));
  if (access.atomic) access.write = true;
  if (open_.size() >= kOpenAccessesMax) quiet();
  ++result_.accesses;
  open_.push_back(access.id);
  tell([&](Observer& o) { o.accepted(access); });
  if (!wait_until([&] { return device_->offer(access); }))
    fail("player.never_taken", "the device does not take access " + std::to_string(access.id));
}

// False: there is none under way with this number.
bool Player::close(uint64_t id) {
  const auto found = std::lower_bound(open_.begin(), open_.end(), id);
  if (found == open_.end() || *found != id) return false;
  open_.erase(found);
  return true;
}

void Player::ats(const Line& line) {
  AtsQuestion question;
  question.id = ++next_id_;
  question.address = line.number;
  question.stream_id = line.place.stream;
  question.substream_id = line.place.substream;
  question.substream_valid = line.place.has_substream;
  question.no_write = line.has("nowrite");
  question.execute = line.has("exec");
  question.privileged = line.has("priv");
  open_.push_back(question.id);
  tell([&](Observer& o) { o.ats_asked(question); });
  if (!wait_until([&] { return device_->ask_ats(question); }))
    fail("player.never_taken", "the device does not take translation request " + std::to_string(question.id));
}

void Player::page(const Line& line) {
  PageQuestion question;
  question.address = line.number;
  question.stream_id = line.place.stream;
  question.substream_id = line.place.substream;
  question.substream_valid = line.place.has_substream;
  question.group = static_cast<uint16_t>(line.get("group", 0) & 511);
  question.last = line.has("last");
  question.read = line.has("read");
  question.write = line.has("write");
  question.execute = line.has("exec");
  question.privileged = line.has("priv");
  tell([&](Observer& o) { o.page_asked(question); });
  if (!wait_until([&] { return device_->ask_page(question); }))
    fail("player.never_taken", "the device does not take a page request");
}

// Names the oldest stall of the stream that software has read of, unless the line has a tag of its own.
void Player::resume(const Line& line) {
  take_events();
  uint64_t tag = line.get("tag", 0);
  if (!line.has("tag")) {
    const auto stall =
        std::find_if(stalls_.begin(), stalls_.end(), [&](const Stall& one) { return one.stream == line.place.stream; });
    if (stall == stalls_.end()) return;
    tag = stall->tag;
    stalls_.erase(stall);
  }
  const uint64_t response = line.word == "retry" ? 1 : line.word == "abort" ? 2 : 0;
  CommandWords words{};
  words[0] = find_command("RESUME")->opcode;
  find_command_field("sid")->set(words.data(), line.place.stream);
  find_command_field("resp")->set(words.data(), response);
  find_command_field("stag")->set(words.data(), tag);
  send_command(words, false);
}

std::optional<uint64_t> Player::page_of(const Line& line) {
  std::optional<uint64_t> address;
  if (line.word == "cmdq") {
    address = commands_.base ? commands_.base : setup_value(at::kCmdqBase, default_place::kCommandQueue);
  } else if (line.word == "evtq") {
    address = events_.base ? events_.base : setup_value(at::kEventqBase, default_place::kEventQueue);
  } else if (line.word == "priq") {
    address = pages_.base ? pages_.base : setup_value(at::kPriqBase, default_place::kPageQueue);
  } else {
    address = world_.fetched_by(line);
  }
  if (!address) return std::nullopt;
  return *address & kAddresses & ~SparseMemory::kOffsets;
}

void Player::set_broken(const Line& line, bool broken) {
  const std::optional<uint64_t> page = page_of(line);
  if (!page) return;
  memory_.set_broken(*page, broken);
  tell([&](Observer& o) { o.page_broken(*page, broken); });
}

void Player::set_slow(const Line& line) {
  const std::optional<uint64_t> page = page_of(line);
  if (!page) return;
  const uint64_t cycles = std::min(line.get("cycles", kSlowCycles), kSlowCyclesMax);
  if (cycles == 0) {
    slow_.erase(*page);
  } else {
    slow_[*page] = cycles;
  }
}

uint64_t Player::extra_cycles(uint64_t address) {
  if (slow_.empty()) return 0;
  const auto found = slow_.find(address & kAddresses & ~SparseMemory::kOffsets);
  return found == slow_.end() ? 0 : found->second;
}

void Player::take_events() {
  const uint32_t produced = read_register(at::kEventqProd);
  const auto indices = static_cast<uint32_t>(events_.indices());
  uint32_t consumed = events_.software & indices;
  const uint64_t capacity = uint64_t{1} << events_.log2;
  if ((((produced & indices) - consumed) & indices) > capacity) return;
  if (consumed == (produced & indices) && (produced & kOverflow) == (events_.software & kOverflow)) return;
  for (; consumed != (produced & indices); consumed = (consumed + 1) & indices) {
    uint64_t record[4];
    memory_.read(events_.entry(consumed, kEventLog2), record, sizeof record);
    ++result_.events;
    if (record[1] >> 31 & 1)
      stalls_.push_back({static_cast<uint32_t>(record[0] >> 32), static_cast<uint16_t>(record[1])});
  }
  write_register(at::kEventqCons, 4, consumed | (produced & kOverflow));
}

void Player::take_page_requests() {
  if (!has_page_queue_) return;
  const uint32_t produced = read_register(at::kPriqProd);
  const auto indices = static_cast<uint32_t>(pages_.indices());
  if ((produced & (indices | kOverflow)) == (pages_.software & (indices | kOverflow))) return;
  write_register(at::kPriqCons, 4, produced & (indices | kOverflow));
}

// What a driver does after global errors: the command at fault becomes a CMD_SYNC, then all errors are acknowledged.
void Player::recover() {
  const uint32_t errors = read_register(at::kGerror);
  if ((errors ^ read_register(at::kGerrorN)) & 1) {
    const uint32_t consumed = read_register(at::kCmdqCons);
    constexpr unsigned kIllegal = 1;
    if ((consumed >> 24 & 0x7f) == kIllegal) {
      const CommandWords words = {find_command("SYNC")->opcode, 0};
      const uint64_t address = commands_.entry(consumed, kCommandLog2);
      memory_.write(address, words.data(), sizeof words);
      tell([&](Observer& o) { o.software_wrote(address, words.data(), sizeof words); });
    }
  }
  if (errors != read_register(at::kGerrorN)) write_register(at::kGerrorN, 4, errors);
}

void Player::quiet() {
  if (!begun_) begin();
  if (!wait_until([&] {
        // Time passes at least once: what is to come in the next moment belongs before the silence.
        pass_time(kStepTicks);
        return device_->idle() && pending_atc_ == 0;
      })) {
    fail("player.never_idle", "the device does not come to rest");
    return;
  }
  take_events();
  take_page_requests();
  // Where transactions cannot stall, nothing may be open now; elsewhere the judge knows what software holds.
  constexpr unsigned kTerminateOnly = 1;
  if (world_.features().stall_model() == kTerminateOnly && !open_.empty())
    fail("player.never_answered", std::to_string(open_.size()) + " accesses have no answer though the device is idle");
  if (!failed()) tell([](Observer& o) { o.quiet(); });
}

MemoryAnswer Player::read(uint64_t address, void* data, size_t size_bytes, const Attributes& attributes) {
  const bool broken = runs_wild() || memory_.broken(address);
  if (!broken) memory_.read(address, data, size_bytes);
  tell([&](Observer& o) { o.device_read(address, data, size_bytes, attributes, broken); });
  return broken ? MemoryAnswer::kBusError : MemoryAnswer::kDone;
}

MemoryAnswer Player::write(uint64_t address, const void* data, size_t size_bytes, const Attributes& attributes) {
  const bool broken = runs_wild() || memory_.broken(address);
  if (!broken) memory_.write(address, data, size_bytes);
  tell([&](Observer& o) { o.device_wrote(address, data, size_bytes, attributes, broken); });
  return broken ? MemoryAnswer::kBusError : MemoryAnswer::kDone;
}

MemoryAnswer Player::exchange(uint64_t address, uint64_t expected, uint64_t desired, const Attributes& attributes) {
  const bool broken = runs_wild() || memory_.broken(address);
  const bool done = !broken && memory_.get64(address) == expected;
  if (done) memory_.write(address, &desired, sizeof desired);
  tell([&](Observer& o) { o.device_exchanged(address, expected, desired, attributes, done, broken); });
  if (broken) return MemoryAnswer::kBusError;
  return done ? MemoryAnswer::kDone : MemoryAnswer::kChanged;
}

MemoryAnswer Player::forward(const ForwardedAccess& access) {
  if (!std::binary_search(open_.begin(), open_.end(), access.id)) {
    fail("player.unasked", "access " + std::to_string(access.id) + " comes out uninvited");
    return MemoryAnswer::kBusError;
  }
  const bool broken = runs_wild() || memory_.broken(access.address);
  tell([&](Observer& o) { o.forwarded(access); });
  return broken ? MemoryAnswer::kBusError : MemoryAnswer::kDone;
}

void Player::finished_downstream(uint64_t id) {
  tell([&](Observer& o) { o.finished_downstream(id); });
}

void Player::answered(uint64_t id, AccessEnd end) {
  if (!close(id)) return fail("player.unasked", "access " + std::to_string(id) + " is answered twice or uninvited");
  if (end == AccessEnd::kAborted || end == AccessEnd::kZero) ++result_.faults;
  tell([&](Observer& o) { o.answered(id, end); });
}

void Player::ats_answered(const AtsAnswer& answer) {
  if (!close(answer.id))
    return fail("player.unasked",
                "translation request " + std::to_string(answer.id) + " is answered twice or uninvited");
  tell([&](Observer& o) { o.ats_answered(answer); });
}

void Player::page_answered(const PageAnswer& answer) {
  tell([&](Observer& o) { o.page_answered(answer); });
}

void Player::invalidate_atc(const AtcInvalidation& invalidation) {
  tell([&](Observer& o) { o.atc_invalidated(invalidation); });
  if (atc_mode_ == AtcMode::kLater) {
    ++pending_atc_;
    return;
  }
  const bool timed_out = atc_mode_ == AtcMode::kTimeout;
  tell([&](Observer& o) { o.atc_invalidation_done(timed_out); });
  device_->atc_invalidation_done(timed_out);
}

void Player::pulse(Wire wire) {
  tell([&](Observer& o) { o.pulsed(wire); });
}

void Player::broke_promise(const std::string& rule, const std::string& text) {
  fail(rule, text);
  promise_broken_ = true;
}

}  // namespace lockstep::smmu_rtl_bridge
