// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/smmuv3/downstream_port.h"

#include "core/memory/host_access.h"

namespace lockstep::tlm_models::smmuv3 {

DownstreamPort::DownstreamPort(tlm::tlm_initiator_socket<>& socket, std::function<void()> taken_back)
    : socket_(socket), taken_back_(std::move(taken_back)) {
  extension_.origin = DownstreamExtension::Origin::kSmmu;
  extension_.privileged = true;
  payload_.set_extension(&extension_);
  payload_.set_extension(&memory_only_);
}

DownstreamPort::~DownstreamPort() {
  payload_.clear_extension(&extension_);
  payload_.clear_extension(&memory_only_);
}

void DownstreamPort::prepare(tlm::tlm_command command, uint64_t address, void* data, size_t size_bytes,
                             const MemoryAttributes& attributes, AccessKind kind) {
  extension_.attributes = attributes;
  extension_.kind = kind;
  payload_.set_command(command);
  payload_.set_address(address);
  payload_.set_data_ptr(static_cast<unsigned char*>(data));
  payload_.set_data_length(static_cast<unsigned>(size_bytes));
  payload_.set_streaming_width(static_cast<unsigned>(size_bytes));
  payload_.set_byte_enable_ptr(nullptr);
  payload_.set_dmi_allowed(false);
  payload_.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
}

bool DownstreamPort::transfer(tlm::tlm_command command, uint64_t address, void* data, size_t size_bytes,
                              const MemoryAttributes& attributes, AccessKind kind) {
  prepare(command, address, data, size_bytes, attributes, kind);
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  socket_->b_transport(payload_, delay);
  return payload_.is_response_ok();
}

bool DownstreamPort::read(uint64_t address, void* data, size_t size_bytes, const MemoryAttributes& attributes,
                          AccessKind kind) {
  return transfer(tlm::TLM_READ_COMMAND, address, data, size_bytes, attributes, kind);
}

bool DownstreamPort::write(uint64_t address, const void* data, size_t size_bytes, const MemoryAttributes& attributes,
                           AccessKind kind) {
  return transfer(tlm::TLM_WRITE_COMMAND, address, const_cast<void*>(data), size_bytes, attributes, kind);
}

ExchangeResult DownstreamPort::exchange(uint64_t address, uint64_t expected, uint64_t desired,
                                        const MemoryAttributes& attributes, AccessKind kind) {
  ExchangeResult result = ExchangeResult::kDone;
  if (exchange_in_ram(address, expected, desired, result)) return result;
  uint64_t now = 0;
  if (!read(address, &now, sizeof now, attributes, kind)) return ExchangeResult::kBusError;
  if (now != expected) return ExchangeResult::kChanged;
  return write(address, &desired, sizeof desired, attributes, kind) ? ExchangeResult::kDone : ExchangeResult::kBusError;
}

bool DownstreamPort::exchange_in_ram(uint64_t address, uint64_t expected, uint64_t desired, ExchangeResult& result) {
  tlm::tlm_dmi dmi;
  window_.window = {};
  prepare(tlm::TLM_WRITE_COMMAND, address, nullptr, 0, extension_.attributes, extension_.kind);
  payload_.set_extension(&window_);
  const bool granted = socket_->get_direct_mem_ptr(payload_, dmi);
  payload_.clear_extension(&window_);
  const core::RamWindow& window = window_.window;
  if (!granted || !window.host || !window.writable || !window.contains(address, sizeof desired) || address % 8 != 0)
    return false;
  const uint64_t offset = address - window.base;
  // Pages whose writes somebody follows take the slow way.
  if (core::host_access::flags(&window.page_flags[offset / core::kPageSize]) != 0) return false;
  uint64_t found = expected;
  result = core::host_access::compare_exchange(window.host + offset, sizeof desired, found, desired)
               ? ExchangeResult::kDone
               : ExchangeResult::kChanged;
  return true;
}

bool DownstreamPort::peek(uint64_t address, void* data, size_t size_bytes) {
  prepare(tlm::TLM_READ_COMMAND, address, data, size_bytes, {}, AccessKind::kCount);
  return socket_->transport_dbg(payload_) == size_bytes;
}

}  // namespace lockstep::tlm_models::smmuv3
