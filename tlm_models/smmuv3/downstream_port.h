// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <tlm>

#include "tlm_models/kernel/memory_access.h"
#include "tlm_models/smmuv3/tlm_extensions.h"

namespace lockstep::tlm_models::smmuv3 {

// The SMMU's own accesses through the downstream socket. They carry a DmaExtension too, so that a table or a message
// that points at registers is a bus error and never a call of the SMMU into itself.
class DownstreamPort : public MemoryPort, public tlm::tlm_bw_transport_if<> {
 public:
  // `taken_back` is called when the target takes DMI grants back.
  DownstreamPort(tlm::tlm_initiator_socket<>& socket, std::function<void()> taken_back);
  ~DownstreamPort() override;
  DownstreamPort(const DownstreamPort&) = delete;
  DownstreamPort& operator=(const DownstreamPort&) = delete;

  bool read(uint64_t address, void* data, size_t size_bytes, const MemoryAttributes& attributes,
            AccessKind kind) override;
  bool write(uint64_t address, const void* data, size_t size_bytes, const MemoryAttributes& attributes,
             AccessKind kind) override;
  ExchangeResult exchange(uint64_t address, uint64_t expected, uint64_t desired, const MemoryAttributes& attributes,
                          AccessKind kind) override;
  // A read for a debugger, without effects on the target.
  bool peek(uint64_t address, void* data, size_t size_bytes);

  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload&, tlm::tlm_phase&, sc_core::sc_time&) override {
    return tlm::TLM_COMPLETED;
  }
  void invalidate_direct_mem_ptr(sc_dt::uint64, sc_dt::uint64) override { taken_back_(); }

 private:
  void prepare(tlm::tlm_command command, uint64_t address, void* data, size_t size_bytes,
               const MemoryAttributes& attributes, AccessKind kind);
  bool transfer(tlm::tlm_command command, uint64_t address, void* data, size_t size_bytes,
                const MemoryAttributes& attributes, AccessKind kind);
  // Where harts beside this thread may write the eight bytes too, one step of the host does it all.
  bool exchange_in_ram(uint64_t address, uint64_t expected, uint64_t desired, ExchangeResult& result);

  tlm::tlm_initiator_socket<>& socket_;
  std::function<void()> taken_back_;
  tlm::tlm_generic_payload payload_;
  DownstreamExtension extension_;
  DmaExtension memory_only_;
  WindowExtension window_;
};

}  // namespace lockstep::tlm_models::smmuv3
