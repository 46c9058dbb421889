// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <tlm>

#include "tlm_models/smmuv3/smmu.h"

namespace lockstep::tlm_models::smmuv3 {

// How an access through an upstream socket ended. TLM's response status says less: kStalled and kHeld are
// TLM_GENERIC_ERROR_RESPONSE, kAborted is TLM_ADDRESS_ERROR_RESPONSE, and what the downstream target answered stands.
enum class Verdict : uint8_t {
  kPassed,   // went on downstream, whose answer the response status is
  kAborted,  // a bus error for the requester
  kIgnored,  // read as zero or not written, without an error
  kStalled,  // waits for software; RequesterListener::stall_ended() tells of its end
  kHeld,     // would stall, and no stall is free: to be tried again after RequesterListener::stalls_are_free()
};

// Carried by accesses through an upstream socket: who asks, and for what. An access without it is one of its port's
// default stream, unprivileged, of data.
struct RequesterExtension : tlm::tlm_extension<RequesterExtension> {
  // Set by the requester, apart from address, write and token, which the SMMU takes from the payload and from below.
  Transaction transaction;
  bool secure_stream = false;  // SEC_SID; only where the SMMU has the secure interface
  uint64_t token = 0;          // names the access when a stall ends; 56 bits

  // Set by the SMMU. An access that crosses pages goes on page by page: `bytes_done` were transferred before the page
  // that the rest is about.
  Verdict verdict = Verdict::kPassed;
  EventType event = EventType::kNone;
  uint16_t stall_tag = 0;
  uint32_t bytes_done = 0;

  tlm::tlm_extension_base* clone() const override { return new RequesterExtension(*this); }
  void copy_from(const tlm::tlm_extension_base& other) override {
    *this = static_cast<const RequesterExtension&>(other);
  }
};

// Carried by everything that leaves through the downstream socket.
struct DownstreamExtension : tlm::tlm_extension<DownstreamExtension> {
  enum class Origin : uint8_t { kRequester, kSmmu };
  Origin origin = Origin::kRequester;
  AccessKind kind = AccessKind::kCount;  // of the SMMU's own accesses: what for
  bool privileged = false;               // of a requester's
  bool instruction = false;
  uint32_t stream_id = 0;
  MemoryAttributes attributes;  // type, shareability and address space

  tlm::tlm_extension_base* clone() const override { return new DownstreamExtension(*this); }
  void copy_from(const tlm::tlm_extension_base& other) override {
    *this = static_cast<const DownstreamExtension&>(other);
  }
};

}  // namespace lockstep::tlm_models::smmuv3
