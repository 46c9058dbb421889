// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "tlm_models/smmuv3/smmu.h"

namespace lockstep::tlm_models::smmuv3 {

// How a stall ended.
struct StallEnd {
  uint64_t token = 0;    // RequesterExtension::token of the access that was stalled
  uint64_t address = 0;  // where it stood: behind RequesterExtension::bytes_done
  // kPass: the access may go on from there. Repeated inside the callback with the same token, from this address and in
  // the same direction, it takes the translation that ended the stall; repeated later it is a new access. kAbort and
  // kZeroIgnored end it.
  Outcome outcome = Outcome::kAbort;
};

// What the SMMU tells the requester behind an upstream port. Calls come from inside register accesses; an
// implementation may use its upstream socket and its AtsPort, and not the SMMU's registers.
class RequesterListener {
 public:
  virtual ~RequesterListener() = default;
  virtual void stall_ended(const StallEnd&) {}
  // An access that was kHeld may be tried again.
  virtual void stalls_are_free() {}
  // Of one of the port's streams. kPending: AtsPort::invalidated() follows, after this call.
  virtual AtcAnswer invalidate_atc(const AtcInvalidation&) { return AtcAnswer::kDone; }
  virtual void page_response(const PageResponse&) {}
};

// A requester's side of ATS and PRI; non-secure streams alone have them.
class AtsPort {
 public:
  virtual ~AtsPort() = default;
  virtual AtsCompletion translate(const AtsRequest& request) = 0;
  virtual void page_request(const PageRequest& request) = 0;
  // The end of an invalidation that was kPending.
  virtual void invalidated(bool timed_out) = 0;
};

}  // namespace lockstep::tlm_models::smmuv3
