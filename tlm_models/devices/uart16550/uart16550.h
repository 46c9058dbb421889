// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>

#include "tlm_models/kernel/device.h"
#include "tlm_models/kernel/irq_line.h"

namespace lockstep::tlm_models {

// A 16550A with byte registers next to each other. Transmission takes no time: a byte written to THR has left when the
// write ends, and THR is empty again. For the same reason the receiver's character timeout is immediate: bytes below
// the trigger level interrupt as a timeout would.
class Uart16550 : public Device {
 public:
  static constexpr uint64_t kSizeBytes = 0x100;
  static constexpr size_t kFifoBytes = 16;

  using ByteSink = std::function<void(uint8_t byte)>;

  IrqLine irq;

  Uart16550(sc_core::sc_module_name name, ByteSink transmit);

  // How many bytes receive() takes now.
  size_t receive_space() const;
  // No received byte waits for the guest, and one would be taken.
  bool receive_empty() const { return fifo_.empty() && !loopback(); }
  // A byte arrives on the line. In loopback the line is cut off and the byte is lost; with no space it overruns.
  void receive(uint8_t byte);
  // True when the guest is waiting for input: it asked for receive interrupts, or it polls LSR and does nothing else.
  bool wants_input() const;

  void reset() override;
  void save(SnapshotSection& section) override;

 protected:
  void restore_extra(StateReader& reader) override;

 private:
  bool divisor_latch() const;
  bool loopback() const;
  bool fifo_enabled() const;
  size_t trigger_level() const;
  uint64_t read_data();
  void write_data(uint64_t value);
  void write_enable(uint64_t value);
  void write_fifo_control(uint64_t value);
  void write_modem_control();
  uint64_t read_status();
  uint64_t read_interrupt_id();
  uint64_t interrupt_id() const;
  void push(uint8_t byte);
  void update();

  ByteSink transmit_;
  std::deque<uint8_t> fifo_;
  RegisterId ier_, lcr_, mcr_, lsr_, msr_;
  RegisterId dll_, dlm_, fcr_, thre_pending_, idle_polls_;
};

}  // namespace lockstep::tlm_models
