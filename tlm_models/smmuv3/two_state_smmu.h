// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tlm_models/smmuv3/smmu.h"

namespace lockstep::tlm_models::smmuv3 {

// An SMMU with the secure programming interface: two sides that work as though they were two SMMUs, apart from what
// secure commands and registers say of the non-secure one; section "Security states support". Secure EL2 is not
// implemented (S_IDR1.SEL2 is 0).
class TwoStateSmmu {
 public:
  // `config` is the non-secure side's and must have passed check(). Each side has interrupts of its own.
  TwoStateSmmu(const Config& config, MemoryPort& memory, Environment& non_secure, Environment& secure);

  void reset();
  // Secure registers read as zero and ignore writes for accesses that are not secure.
  uint64_t read_register(uint32_t offset, unsigned size_bytes, bool secure_access) const;
  void write_register(uint32_t offset, unsigned size_bytes, uint64_t value, bool secure_access);

  // The side that a transaction, ATS request or page request belongs to, by the security state of its stream (SEC_SID).
  Smmu& side(bool secure) { return secure ? secure_ : non_secure_; }

 private:
  Smmu non_secure_;
  Smmu secure_;
};

}  // namespace lockstep::tlm_models::smmuv3
