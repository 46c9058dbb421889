// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/kernel/device.h"

#include <cstring>

#include "tlm_models/kernel/sim_time.h"

namespace lockstep::tlm_models {

Device::Device(sc_core::sc_module_name name, AccessWidths widths)
    : sc_core::sc_module(name), socket("socket"), widths_(widths) {
  socket.register_b_transport(this, &Device::b_transport);
  socket.register_transport_dbg(this, &Device::transport_dbg);
}

void Device::reset() { registers_.reset(); }

void Device::save(SnapshotSection& section) { registers_.save(section); }

core::Status Device::restore(const SnapshotSection& section) {
  StateReader reader(section);
  registers_.restore(reader);
  if (reader.ok()) restore_extra(reader);
  if (!reader.ok()) return core::Error{std::string(name()) + ": " + reader.status().message()};
  return {};
}

void Device::restore_extra(StateReader&) {}

bool Device::read_other(uint64_t, unsigned, uint64_t, uint64_t& value) {
  value = 0;
  return true;
}

bool Device::write_other(uint64_t, unsigned, uint64_t, uint64_t) { return true; }

void Device::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  const unsigned size = payload.get_data_length();
  const uint64_t offset = payload.get_address();
  if (payload.get_byte_enable_ptr() != nullptr) {
    payload.set_response_status(tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
    return;
  }
  const bool power_of_two = size != 0 && (size & (size - 1)) == 0;
  if (!power_of_two || size < widths_.min_bytes || size > widths_.max_bytes || size > 8 || offset % size != 0 ||
      payload.get_streaming_width() < size) {
    payload.set_response_status(tlm::TLM_BURST_ERROR_RESPONSE);
    return;
  }
  const uint64_t now_ns = to_ns(sc_core::sc_time_stamp() + delay);
  uint64_t value = 0;
  bool answered = true;
  const bool is_write = payload.is_write();
  if (is_write) {
    std::memcpy(&value, payload.get_data_ptr(), size);
    if (!registers_.write(offset, size, now_ns, value)) answered = write_other(offset, size, now_ns, value);
  } else if (payload.is_read()) {
    if (!registers_.read(offset, size, now_ns, value)) answered = read_other(offset, size, now_ns, value);
    std::memcpy(payload.get_data_ptr(), &value, size);
  }
  if (trace_) {
    trace_(MmioEvent{now_ns, name(), registers_.name_at(offset), offset, size, is_write, value});
  }
  payload.set_response_status(answered ? tlm::TLM_OK_RESPONSE : tlm::TLM_ADDRESS_ERROR_RESPONSE);
}

unsigned Device::transport_dbg(tlm::tlm_generic_payload& payload) {
  if (!payload.is_read()) return 0;
  const unsigned size = payload.get_data_length();
  for (unsigned i = 0; i < size; ++i) {
    uint64_t byte = 0;
    registers_.peek(payload.get_address() + i, 1, byte);
    payload.get_data_ptr()[i] = static_cast<unsigned char>(byte);
  }
  return size;
}

}  // namespace lockstep::tlm_models
