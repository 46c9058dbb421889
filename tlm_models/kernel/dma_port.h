// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <cstdint>
#include <span>
#include <systemc>
#include <tlm>

#include "tlm_models/kernel/memory_access.h"

namespace lockstep::tlm_models {

// A device's way to guest memory. Addresses come from the guest and may be anything: what is not memory, or not all
// inside one memory, makes the call return false with nothing transferred.
class DmaPort : public sc_core::sc_module {
 public:
  tlm_utils::simple_initiator_socket<DmaPort> socket;

  explicit DmaPort(sc_core::sc_module_name name);
  ~DmaPort() override;

  bool read(uint64_t address, std::span<uint8_t> data);
  bool write(uint64_t address, std::span<const uint8_t> data);

  // Little-endian values.
  template <typename T>
  bool load(uint64_t address, T& value) {
    return read(address, {reinterpret_cast<uint8_t*>(&value), sizeof(T)});
  }
  template <typename T>
  bool store(uint64_t address, const T& value) {
    return write(address, {reinterpret_cast<const uint8_t*>(&value), sizeof(T)});
  }

 private:
  bool transfer(tlm::tlm_command command, uint64_t address, uint8_t* data, size_t size_bytes);

  tlm::tlm_generic_payload payload_;
  DmaExtension extension_;
};

}  // namespace lockstep::tlm_models
