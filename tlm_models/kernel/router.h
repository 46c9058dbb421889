// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/multi_passthrough_initiator_socket.h>
#include <tlm_utils/multi_passthrough_target_socket.h>
#include <cstdint>
#include <memory>
#include <string>
#include <systemc>
#include <tlm>
#include <vector>

#include "core/result.h"

namespace lockstep::tlm_models {

// Decodes physical addresses to targets, which see offsets from the start of their range. Any number of initiators may
// bind to `in`. An address that nobody claims, or an access that leaves its range, answers TLM_ADDRESS_ERROR_RESPONSE.
class Router : public sc_core::sc_module {
 public:
  tlm_utils::multi_passthrough_target_socket<Router> in;

  explicit Router(sc_core::sc_module_name name);

  enum class Kind { kDevice, kMemory };  // only memory is reached by DMA and granted by DMI

  // Binds a target to [base, base + size). Fails when the range overlaps another or wraps around.
  core::Status map(const std::string& name, uint64_t base, uint64_t size_bytes, Kind kind,
                   tlm::tlm_target_socket<>& target);

  struct Range {
    std::string name;
    uint64_t base;
    uint64_t size_bytes;
    Kind kind;
    int port;
  };
  // In the order of addresses.
  const std::vector<Range>& ranges() const { return ranges_; }

 private:
  const Range* find(uint64_t address, uint64_t length) const;
  void b_transport(int id, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  bool get_direct_mem_ptr(int id, tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi);
  unsigned transport_dbg(int id, tlm::tlm_generic_payload& payload);

  tlm_utils::multi_passthrough_initiator_socket<Router> out_;
  std::vector<Range> ranges_;
  int ports_ = 0;
};

}  // namespace lockstep::tlm_models
