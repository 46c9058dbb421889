// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/devices/uart16550/uart16550.h"

#include <algorithm>
#include <array>

namespace lockstep::tlm_models {
namespace {

constexpr uint64_t kIerReceive = 1;
constexpr uint64_t kIerTransmit = 2;
constexpr uint64_t kIerLine = 4;
constexpr uint64_t kIerModem = 8;

constexpr uint64_t kIirNone = 0x01;
constexpr uint64_t kIirModem = 0x00;
constexpr uint64_t kIirTransmit = 0x02;
constexpr uint64_t kIirReceive = 0x04;
constexpr uint64_t kIirLine = 0x06;
constexpr uint64_t kIirTimeout = 0x0c;
constexpr uint64_t kIirFifo = 0xc0;

constexpr uint64_t kLsrData = 0x01;
constexpr uint64_t kLsrOverrun = 0x02;
constexpr uint64_t kLsrErrors = 0x1e;
constexpr uint64_t kLsrEmpty = 0x60;  // THRE and TEMT

constexpr uint64_t kMcrLoopback = 0x10;
constexpr uint64_t kMsrConnected = 0xb0;  // CTS, DSR and DCD

constexpr uint64_t kFcrEnable = 0x01;
constexpr uint64_t kFcrClearReceive = 0x02;

constexpr uint64_t kLcrDivisorLatch = 0x80;

// A guest that sends reads LSR once before each byte; this many reads with nothing between them are a wait for input.
constexpr uint64_t kIdlePolls = 64;

}  // namespace

Uart16550::Uart16550(sc_core::sc_module_name name, ByteSink transmit)
    : Device(name, {1, 8}), transmit_(std::move(transmit)) {
  dll_ = registers_.add({.offset = kNoAddress, .size_bytes = 1, .name = "DLL", .reset = 0x0c, .doc = "divisor, low"});
  dlm_ = registers_.add({.offset = kNoAddress, .size_bytes = 1, .name = "DLM", .doc = "divisor, high"});
  fcr_ = registers_.add({.offset = kNoAddress, .size_bytes = 1, .name = "FCR", .doc = "FIFO control as written"});
  thre_pending_ = registers_.add(
      {.offset = kNoAddress, .size_bytes = 1, .name = "THRE_PENDING", .doc = "transmitter interrupt is pending"});
  idle_polls_ = registers_.add(
      {.offset = kNoAddress, .size_bytes = 8, .name = "IDLE_POLLS", .doc = "LSR reads since any other access"});
  registers_.add({.offset = 0,
                  .size_bytes = 1,
                  .name = "RBR_THR_DLL",
                  .write_mask = 0,
                  .doc = "received byte, byte to send, or DLL while LCR.DLAB is set",
                  .on_read = [this](unsigned, uint64_t, uint64_t) { return read_data(); },
                  .on_write = [this](unsigned, uint64_t value, uint64_t) { write_data(value); }});
  ier_ = registers_.add({.offset = 1,
                         .size_bytes = 1,
                         .name = "IER_DLM",
                         .write_mask = 0,
                         .doc = "interrupt enables (bits 3:0), or DLM while LCR.DLAB is set",
                         .on_read = [this](unsigned, uint64_t stored,
                                           uint64_t) { return divisor_latch() ? registers_.get(dlm_) : stored; },
                         .on_write = [this](unsigned, uint64_t value, uint64_t) { write_enable(value); }});
  registers_.add({.offset = 2,
                  .size_bytes = 1,
                  .name = "IIR_FCR",
                  .reset = kIirNone,
                  .write_mask = 0,
                  .doc = "interrupt identification; written: FIFO control",
                  .on_read = [this](unsigned, uint64_t, uint64_t) { return read_interrupt_id(); },
                  .on_write = [this](unsigned, uint64_t value, uint64_t) { write_fifo_control(value); }});
  lcr_ = registers_.add({.offset = 3, .size_bytes = 1, .name = "LCR", .doc = "line control; bit 7 is DLAB"});
  mcr_ = registers_.add({.offset = 4,
                         .size_bytes = 1,
                         .name = "MCR",
                         .write_mask = 0x1f,
                         .doc = "modem control; bit 4 is loopback",
                         .on_write = [this](unsigned, uint64_t, uint64_t) { write_modem_control(); }});
  lsr_ = registers_.add({.offset = 5,
                         .size_bytes = 1,
                         .name = "LSR",
                         .reset = kLsrEmpty,
                         .write_mask = 0,
                         .doc = "line status; reading clears the error bits",
                         .on_read = [this](unsigned, uint64_t, uint64_t) { return read_status(); }});
  msr_ = registers_.add({.offset = 6,
                         .size_bytes = 1,
                         .name = "MSR",
                         .reset = kMsrConnected,
                         .write_mask = 0,
                         .doc = "modem status; reading clears the change bits",
                         .on_read = [this](unsigned, uint64_t stored, uint64_t) {
                           registers_.set(msr_, stored & 0xf0);
                           update();
                           return stored;
                         }});
  registers_.add({.offset = 7, .size_bytes = 1, .name = "SCR", .doc = "scratch"});
}

bool Uart16550::divisor_latch() const { return registers_.test(lcr_, kLcrDivisorLatch); }
bool Uart16550::loopback() const { return registers_.test(mcr_, kMcrLoopback); }
bool Uart16550::fifo_enabled() const { return registers_.test(fcr_, kFcrEnable); }

size_t Uart16550::trigger_level() const {
  static constexpr std::array<size_t, 4> kLevels = {1, 4, 8, 14};
  return fifo_enabled() ? kLevels[(registers_.get(fcr_) >> 6) & 3] : 1;
}

size_t Uart16550::receive_space() const {
  if (loopback()) return 0;
  const size_t capacity = fifo_enabled() ? kFifoBytes : 1;
  return capacity > fifo_.size() ? capacity - fifo_.size() : 0;
}

bool Uart16550::wants_input() const {
  return registers_.test(ier_, kIerReceive) || registers_.get(idle_polls_) >= kIdlePolls;
}

void Uart16550::receive(uint8_t byte) {
  if (loopback()) return;
  push(byte);
  update();
}

void Uart16550::push(uint8_t byte) {
  const size_t capacity = fifo_enabled() ? kFifoBytes : 1;
  if (fifo_.size() >= capacity) {
    registers_.set(lsr_, registers_.get(lsr_) | kLsrOverrun);
    // Without the FIFO the new byte replaces the unread one; the FIFO keeps what it has.
    if (!fifo_enabled()) fifo_.back() = byte;
  } else {
    fifo_.push_back(byte);
  }
  registers_.set(lsr_, registers_.get(lsr_) | kLsrData);
}

uint64_t Uart16550::read_data() {
  registers_.set(idle_polls_, 0);
  if (divisor_latch()) return registers_.get(dll_);
  if (fifo_.empty()) return 0;
  const uint8_t byte = fifo_.front();
  fifo_.pop_front();
  if (fifo_.empty()) registers_.set(lsr_, registers_.get(lsr_) & ~kLsrData);
  update();
  return byte;
}

void Uart16550::write_data(uint64_t value) {
  registers_.set(idle_polls_, 0);
  if (divisor_latch()) {
    registers_.set(dll_, value & 0xff);
    return;
  }
  const auto byte = static_cast<uint8_t>(value);
  if (loopback()) {
    push(byte);
  } else {
    transmit_(byte);
  }
  registers_.set(thre_pending_, 1);
  update();
}

void Uart16550::write_enable(uint64_t value) {
  registers_.set(idle_polls_, 0);
  if (divisor_latch()) {
    registers_.set(dlm_, value & 0xff);
    return;
  }
  const uint64_t before = registers_.get(ier_);
  registers_.set(ier_, value & 0x0f);
  // Enabling the transmitter interrupt while THR is empty raises it; drivers start sending that way.
  if ((value & kIerTransmit) != 0 && (before & kIerTransmit) == 0) registers_.set(thre_pending_, 1);
  update();
}

void Uart16550::write_fifo_control(uint64_t value) {
  const uint64_t before = registers_.get(fcr_);
  const bool toggled = ((before ^ value) & kFcrEnable) != 0;
  if (toggled || (value & kFcrClearReceive) != 0) {
    fifo_.clear();
    registers_.set(lsr_, registers_.get(lsr_) & ~kLsrData);
  }
  registers_.set(fcr_, (value & kFcrEnable) != 0 ? value & 0xc9 : 0);
  update();
}

void Uart16550::write_modem_control() {
  uint64_t lines = kMsrConnected;
  if (loopback()) {
    // In loopback the modem outputs feed the inputs: RTS to CTS, DTR to DSR, OUT1 to RI, OUT2 to DCD.
    const uint64_t mcr = registers_.get(mcr_);
    lines = ((mcr & 2) << 3) | ((mcr & 1) << 5) | ((mcr & 4) << 4) | ((mcr & 8) << 4);
  }
  const uint64_t before = registers_.get(msr_);
  const uint64_t changed = (before ^ lines) & 0xf0;
  uint64_t deltas = before & 0x0f;
  deltas |= (changed >> 4) & 0x0b;                                  // CTS, DSR and DCD: any change
  if ((before & 0x40) != 0 && (lines & 0x40) == 0) deltas |= 0x04;  // RI: its trailing edge
  registers_.set(msr_, lines | deltas);
  update();
}

uint64_t Uart16550::read_status() {
  const uint64_t status = registers_.get(lsr_);
  registers_.set(lsr_, status & ~kLsrErrors);
  registers_.set(idle_polls_, std::min(registers_.get(idle_polls_) + 1, kIdlePolls));
  update();
  return status;
}

uint64_t Uart16550::interrupt_id() const {
  const uint64_t ier = registers_.get(ier_);
  if ((ier & kIerLine) != 0 && registers_.test(lsr_, kLsrErrors)) return kIirLine;
  if ((ier & kIerReceive) != 0 && !fifo_.empty()) {
    return fifo_.size() >= trigger_level() ? kIirReceive : kIirTimeout;
  }
  if ((ier & kIerTransmit) != 0 && registers_.test(thre_pending_, 1)) return kIirTransmit;
  if ((ier & kIerModem) != 0 && registers_.test(msr_, 0x0f)) return kIirModem;
  return kIirNone;
}

uint64_t Uart16550::read_interrupt_id() {
  registers_.set(idle_polls_, 0);
  const uint64_t id = interrupt_id();
  if (id == kIirTransmit) registers_.set(thre_pending_, 0);
  update();
  return id | (fifo_enabled() ? kIirFifo : 0);
}

void Uart16550::update() { irq.set(interrupt_id() != kIirNone); }

void Uart16550::reset() {
  Device::reset();
  fifo_.clear();
  update();
}

void Uart16550::save(SnapshotSection& section) {
  Device::save(section);
  section.put_bytes("receive_fifo", std::vector<uint8_t>(fifo_.begin(), fifo_.end()));
}

void Uart16550::restore_extra(StateReader& reader) {
  const auto bytes = reader.bytes("receive_fifo", kFifoBytes);
  fifo_.assign(bytes.begin(), bytes.end());
  irq.restore(interrupt_id() != kIirNone);
}

}  // namespace lockstep::tlm_models
