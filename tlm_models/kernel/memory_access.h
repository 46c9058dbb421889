// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm>

#include "core/memory/bus.h"

namespace lockstep::tlm_models {

// Carried by get_direct_mem_ptr(): a RAM or ROM fills in the whole window, page flags included, which a plain tlm_dmi
// has no place for.
struct WindowExtension : tlm::tlm_extension<WindowExtension> {
  core::RamWindow window;
  tlm::tlm_extension_base* clone() const override { return new WindowExtension(*this); }
  void copy_from(const tlm::tlm_extension_base& other) override {
    window = static_cast<const WindowExtension&>(other).window;
  }
};

// Carried by a device's own accesses. They reach memory only: a ring that points at device registers would let a guest
// make a device call itself without end.
struct DmaExtension : tlm::tlm_extension<DmaExtension> {
  tlm::tlm_extension_base* clone() const override { return new DmaExtension(*this); }
  void copy_from(const tlm::tlm_extension_base&) override {}
};

}  // namespace lockstep::tlm_models
