// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>
#include <cstdint>
#include <functional>
#include <string>
#include <systemc>
#include <tlm>

#include "core/result.h"
#include "tlm_models/kernel/register_table.h"
#include "tlm_models/kernel/state_reader.h"

namespace lockstep::tlm_models {

// Widths that a device's registers may be accessed with; others answer with an error, which the hart sees as an access
// fault.
struct AccessWidths {
  unsigned min_bytes = 1;
  unsigned max_bytes = 8;
};

// One MMIO access as a trace sees it.
struct MmioEvent {
  uint64_t now_ns;
  const char* device;
  std::string register_name;  // empty where no register is
  uint64_t offset;
  unsigned size_bytes;
  bool is_write;
  uint64_t value;
};
using MmioTrace = std::function<void(const MmioEvent&)>;

// A device behind one target socket: decodes accesses by its register table. Offsets without a register read as zero
// and ignore writes. No access of any shape may crash it.
class Device : public sc_core::sc_module {
 public:
  tlm_utils::simple_target_socket<Device> socket;

  Device(sc_core::sc_module_name name, AccessWidths widths);

  // Back to the state after power-on.
  virtual void reset();
  // Everything that a later run depends on. The base saves the register table.
  virtual void save(SnapshotSection& section);
  // The device is then as it was, its timers armed. Fails where the section does not fit this device.
  virtual core::Status restore(const SnapshotSection& section);

  RegisterTable& registers() { return registers_; }
  const RegisterTable& registers() const { return registers_; }
  void set_trace(MmioTrace trace) { trace_ = std::move(trace); }

 protected:
  // One access from a socket; for devices that have another beside `socket`.
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  // Restores what the derived device saved beside its table.
  virtual void restore_extra(StateReader& reader);
  // Accesses where no register is declared; `now_ns` is the caller's local time.
  virtual bool read_other(uint64_t offset, unsigned size_bytes, uint64_t now_ns, uint64_t& value);
  virtual bool write_other(uint64_t offset, unsigned size_bytes, uint64_t now_ns, uint64_t value);

  RegisterTable registers_;

 private:
  unsigned transport_dbg(tlm::tlm_generic_payload& payload);

  AccessWidths widths_;
  MmioTrace trace_;
};

}  // namespace lockstep::tlm_models
