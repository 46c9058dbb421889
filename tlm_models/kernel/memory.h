// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>
#include <cstdint>
#include <memory>
#include <systemc>
#include <tlm>
#include <vector>

#include "core/memory/guest_ram.h"

namespace lockstep::tlm_models {

// Guest RAM or a read-only memory behind a socket. Reads and writes of any length inside are answered; writes go
// through GuestRam so that dirty pages and translated code are kept right. The whole memory is granted by DMI, with its
// window where the caller brings a WindowExtension.
class Memory : public sc_core::sc_module {
 public:
  tlm_utils::simple_target_socket<Memory> socket;

  enum class Access { kReadWrite, kReadOnly };

  Memory(sc_core::sc_module_name name, core::GuestRam ram, Access access);

  core::GuestRam& ram() { return ram_; }
  const core::GuestRam& ram() const { return ram_; }
  bool writable() const { return access_ == Access::kReadWrite; }

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  bool get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload);

  core::GuestRam ram_;
  Access access_;
};

}  // namespace lockstep::tlm_models
