// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm>

#include "tlm_models/smmuv3/smmu_module.h"

namespace lockstep::tlm_models::smmuv3 {

// The target side of one requester. Bound to its socket directly, which spares the one more call of the utility sockets
// where every nanosecond counts.
class UpstreamPort : public tlm::tlm_fw_transport_if<>, public AtsPort {
 public:
  tlm::tlm_target_socket<> socket;

  UpstreamPort(const char* name, SmmuModule& module, unsigned number, const RequesterPort& streams);

  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) override {
    module_.access(*this, payload, delay);
  }
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay) override;
  bool get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) override {
    return module_.grant(*this, payload, dmi);
  }
  unsigned transport_dbg(tlm::tlm_generic_payload& payload) override { return module_.debug(*this, payload); }

  AtsCompletion translate(const AtsRequest& request) override;
  void page_request(const PageRequest& request) override;
  void invalidated(bool timed_out) override;

  bool has_stream(uint32_t stream) const { return stream >= streams_.first_stream && stream <= streams_.last_stream; }
  // The core's name for an access: the port and the requester's own.
  static constexpr unsigned kPortShift = 56;
  uint64_t token(uint64_t own) const { return number_ << kPortShift | (own & ((uint64_t{1} << kPortShift) - 1)); }

  RequesterListener* listener = nullptr;
  RequesterExtension default_requester;  // for accesses that carry none
  bool has_dmi = false;                  // granted since the last time that all were taken back
  bool holds_access = false;             // an access was kHeld since the listener was last told of free stalls

 private:
  SmmuModule& module_;
  uint64_t number_;
  RequesterPort streams_;
};

}  // namespace lockstep::tlm_models::smmuv3
