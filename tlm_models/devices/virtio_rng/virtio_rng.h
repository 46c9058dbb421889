// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tlm_models/devices/virtio_mmio/virtio_mmio.h"

namespace lockstep::tlm_models {

// Entropy device (Virtual I/O Device 1.2, section 5.4) whose bytes follow from a seed, so that a run repeats exactly.
// Not a source of secrets.
class VirtioRng : public VirtioMmio {
 public:
  VirtioRng(sc_core::sc_module_name name, uint64_t seed);

 protected:
  void queue_notified(unsigned queue, uint64_t now_ns) override;
  void save_device(SnapshotSection& section) override;
  void restore_device(StateReader& reader) override;

 private:
  uint64_t next();

  uint64_t state_;
};

}  // namespace lockstep::tlm_models
