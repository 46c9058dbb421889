// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/kernel/dma_port.h"

#include <limits>

namespace lockstep::tlm_models {

DmaPort::DmaPort(sc_core::sc_module_name name) : sc_core::sc_module(name), socket("socket") {
  payload_.set_extension(&extension_);
}

DmaPort::~DmaPort() { payload_.clear_extension(&extension_); }

bool DmaPort::read(uint64_t address, std::span<uint8_t> data) {
  return transfer(tlm::TLM_READ_COMMAND, address, data.data(), data.size());
}

bool DmaPort::write(uint64_t address, std::span<const uint8_t> data) {
  return transfer(tlm::TLM_WRITE_COMMAND, address, const_cast<uint8_t*>(data.data()), data.size());
}

bool DmaPort::transfer(tlm::tlm_command command, uint64_t address, uint8_t* data, size_t size_bytes) {
  if (size_bytes == 0) return true;
  if (size_bytes > std::numeric_limits<unsigned>::max()) return false;
  const auto length = static_cast<unsigned>(size_bytes);
  payload_.set_command(command);
  payload_.set_address(address);
  payload_.set_data_ptr(data);
  payload_.set_data_length(length);
  payload_.set_streaming_width(length);
  payload_.set_byte_enable_ptr(nullptr);
  payload_.set_dmi_allowed(false);
  payload_.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  socket->b_transport(payload_, delay);
  return payload_.is_response_ok();
}

}  // namespace lockstep::tlm_models
