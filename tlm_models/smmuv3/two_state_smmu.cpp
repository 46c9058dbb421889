// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/smmuv3/two_state_smmu.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

constexpr uint32_t kSecurePage = 0x8000;
constexpr uint32_t kSecurePageEnd = 0x10000;

bool is_secure_register(uint32_t offset) { return offset >= kSecurePage && offset < kSecurePageEnd; }

}  // namespace

TwoStateSmmu::TwoStateSmmu(const Config& config, MemoryPort& memory, Environment& non_secure, Environment& secure)
    : non_secure_(config, memory, non_secure), secure_(secure_side(config), memory, secure) {
  secure_.set_non_secure_side(&non_secure_);
}

void TwoStateSmmu::reset() {
  secure_.reset();
  non_secure_.reset();
}

uint64_t TwoStateSmmu::read_register(uint32_t offset, unsigned size_bytes, bool secure_access) const {
  if (!is_secure_register(offset)) return non_secure_.read_register(offset, size_bytes);
  return secure_access ? secure_.read_register(offset, size_bytes) : 0;
}

void TwoStateSmmu::write_register(uint32_t offset, unsigned size_bytes, uint64_t value, bool secure_access) {
  if (!is_secure_register(offset)) {
    non_secure_.write_register(offset, size_bytes, value);
  } else if (secure_access) {
    secure_.write_register(offset, size_bytes, value);
  }
}

}  // namespace lockstep::tlm_models::smmuv3
