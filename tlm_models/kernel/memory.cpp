// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/kernel/memory.h"

#include <cstring>

#include "core/memory/host_access.h"
#include "tlm_models/kernel/memory_access.h"

namespace lockstep::tlm_models {

Memory::Memory(sc_core::sc_module_name name, core::GuestRam ram, Access access)
    : sc_core::sc_module(name), socket("socket"), ram_(std::move(ram)), access_(access) {
  socket.register_b_transport(this, &Memory::b_transport);
  socket.register_get_direct_mem_ptr(this, &Memory::get_direct_mem_ptr);
  socket.register_transport_dbg(this, &Memory::transport_dbg);
}

void Memory::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time&) {
  const uint64_t length = payload.get_data_length();
  if (payload.get_byte_enable_ptr() != nullptr) {
    payload.set_response_status(tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
    return;
  }
  const auto bytes = ram_.bytes(ram_.base() + payload.get_address(), length);
  if (bytes.empty() || (payload.is_write() && !writable())) {
    payload.set_response_status(bytes.empty() ? tlm::TLM_ADDRESS_ERROR_RESPONSE : tlm::TLM_COMMAND_ERROR_RESPONSE);
    return;
  }
  if (payload.is_read()) core::host_access::load(bytes.data(), length, payload.get_data_ptr());
  if (payload.is_write()) ram_.write(ram_.base() + payload.get_address(), {payload.get_data_ptr(), length});
  payload.set_dmi_allowed(true);
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

bool Memory::get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
  dmi.set_start_address(0);
  dmi.set_end_address(ram_.size_bytes() - 1);
  dmi.set_dmi_ptr(ram_.host());
  dmi.set_granted_access(writable() ? tlm::tlm_dmi::DMI_ACCESS_READ_WRITE : tlm::tlm_dmi::DMI_ACCESS_READ);
  if (auto* extension = payload.get_extension<WindowExtension>()) {
    extension->window = ram_.window();
    extension->window.writable = writable();
  }
  return true;
}

unsigned Memory::transport_dbg(tlm::tlm_generic_payload& payload) {
  const auto bytes = ram_.bytes(ram_.base() + payload.get_address(), payload.get_data_length());
  if (bytes.empty()) return 0;
  if (payload.is_read()) std::memcpy(payload.get_data_ptr(), bytes.data(), bytes.size());
  if (payload.is_write()) ram_.write(ram_.base() + payload.get_address(), {payload.get_data_ptr(), bytes.size()});
  return static_cast<unsigned>(bytes.size());
}

}  // namespace lockstep::tlm_models
