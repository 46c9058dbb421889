// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <deque>
#include <functional>
#include <memory>
#include <systemc>
#include <tlm>
#include <unordered_set>

#include "core/engine/engine.h"
#include "core/hart/hart.h"
#include "core/memory/bus.h"
#include "tlm_models/kernel/memory_access.h"

namespace lockstep::tlm_models {

class ParallelHarts;

// The SystemC side of one hart: its physical bus over a TLM initiator socket. Memory is reached by DMI windows, devices
// by b_transport with the hart's lead over simulated time as the delay. No access waits.
class Vcpu : public sc_core::sc_module, public core::PhysicalBus {
 public:
  tlm_utils::simple_initiator_socket<Vcpu> socket;

  // What concerns all harts of the machine (PhysicalBus says when).
  struct Shared {
    std::function<void(uint64_t paddr, uint64_t size_bytes)> ram_written;
    std::function<void(uint64_t paddr)> page_has_code;
  };

  Vcpu(sc_core::sc_module_name name, Shared shared);
  ~Vcpu() override;

  // Both are made with this object as their bus, and then handed over.
  void attach(std::unique_ptr<core::Hart> hart, std::unique_ptr<core::Engine> engine);
  core::Hart& hart() { return *hart_; }
  const core::Hart& hart() const { return *hart_; }
  core::Engine& engine() { return *engine_; }

  // From now on the hart may run on a thread of its own, and asks for what is not its own. `parallel` must outlive it.
  void set_parallel(ParallelHarts* parallel);

  const core::RamWindow* window(uint64_t paddr) override;
  bool read(uint64_t paddr, unsigned size_bytes, uint64_t& value) override;
  bool write(uint64_t paddr, unsigned size_bytes, uint64_t value) override;
  void ram_written(uint64_t paddr, uint64_t size_bytes) override;
  void page_has_code(uint64_t paddr) override;

 private:
  const core::RamWindow* known_window(uint64_t paddr) const;
  const core::RamWindow* ask_for_window(uint64_t paddr);
  bool transfer(tlm::tlm_command command, uint64_t paddr, unsigned size_bytes, uint64_t& value);

  Shared shared_;
  tlm::tlm_generic_payload payload_;
  WindowExtension window_extension_;
  std::deque<core::RamWindow> windows_;  // addresses of elements are handed out
  ParallelHarts* parallel_ = nullptr;
  std::unordered_set<uint64_t> devices_;  // pages that have no window; known to a hart on a thread of its own
  std::unique_ptr<core::Hart> hart_;
  std::unique_ptr<core::Engine> engine_;
};

}  // namespace lockstep::tlm_models
