// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/kernel/router.h"

#include <fmt/format.h>

#include <algorithm>

#include "tlm_models/kernel/memory_access.h"

namespace lockstep::tlm_models {

Router::Router(sc_core::sc_module_name name) : sc_core::sc_module(name), in("in"), out_("out") {
  in.register_b_transport(this, &Router::b_transport);
  in.register_get_direct_mem_ptr(this, &Router::get_direct_mem_ptr);
  in.register_transport_dbg(this, &Router::transport_dbg);
}

core::Status Router::map(const std::string& range_name, uint64_t base, uint64_t size_bytes, Kind kind,
                         tlm::tlm_target_socket<>& target) {
  if (size_bytes == 0 || base + (size_bytes - 1) < base) {
    return core::Error{fmt::format("{} at {:#x} of {:#x} bytes is not a range", range_name, base, size_bytes)};
  }
  for (const Range& other : ranges_) {
    if (base <= other.base + (other.size_bytes - 1) && other.base <= base + (size_bytes - 1)) {
      return core::Error{fmt::format("{} at {:#x} overlaps {} at {:#x}", range_name, base, other.name, other.base)};
    }
  }
  const Range range{range_name, base, size_bytes, kind, ports_++};
  ranges_.insert(std::upper_bound(ranges_.begin(), ranges_.end(), base,
                                  [](uint64_t value, const Range& other) { return value < other.base; }),
                 range);
  out_.bind(target);
  return {};
}

const Router::Range* Router::find(uint64_t address, uint64_t length) const {
  auto at = std::upper_bound(ranges_.begin(), ranges_.end(), address,
                             [](uint64_t value, const Range& range) { return value < range.base; });
  if (at == ranges_.begin()) return nullptr;
  --at;
  const uint64_t offset = address - at->base;
  if (offset >= at->size_bytes || length > at->size_bytes - offset) return nullptr;
  return &*at;
}

void Router::b_transport(int, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  const uint64_t address = payload.get_address();
  const Range* range = find(address, payload.get_data_length());
  if (range == nullptr || (range->kind == Kind::kDevice && payload.get_extension<DmaExtension>() != nullptr)) {
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return;
  }
  payload.set_address(address - range->base);
  out_[range->port]->b_transport(payload, delay);
  payload.set_address(address);
}

bool Router::get_direct_mem_ptr(int, tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
  const uint64_t address = payload.get_address();
  const Range* range = find(address, 1);
  if (range == nullptr || range->kind == Kind::kDevice) {
    dmi.set_start_address(address);
    dmi.set_end_address(address);
    return false;
  }
  payload.set_address(address - range->base);
  const bool granted = out_[range->port]->get_direct_mem_ptr(payload, dmi);
  payload.set_address(address);
  dmi.set_start_address(range->base + dmi.get_start_address());
  dmi.set_end_address(range->base + dmi.get_end_address());
  auto* extension = payload.get_extension<WindowExtension>();
  if (granted && extension != nullptr) extension->window.base = range->base;
  return granted;
}

unsigned Router::transport_dbg(int, tlm::tlm_generic_payload& payload) {
  const uint64_t address = payload.get_address();
  const Range* range = find(address, payload.get_data_length());
  if (range == nullptr) return 0;
  payload.set_address(address - range->base);
  const unsigned count = out_[range->port]->transport_dbg(payload);
  payload.set_address(address);
  return count;
}

}  // namespace lockstep::tlm_models
