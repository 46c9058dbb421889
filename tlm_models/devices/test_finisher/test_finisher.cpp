// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/devices/test_finisher/test_finisher.h"

namespace lockstep::tlm_models {
namespace {

constexpr uint64_t kPassValue = 0x5555;
constexpr uint64_t kFailValue = 0x3333;
constexpr uint64_t kResetValue = 0x7777;

}  // namespace

TestFinisher::TestFinisher(sc_core::sc_module_name name, FinishHandler handler)
    : Device(name, {2, 4}), handler_(std::move(handler)) {
  registers_.add({.offset = 0,
                  .name = "FINISH",
                  .read_mask = 0,
                  .write_mask = 0,
                  .doc = "0x5555 ends the run as passed, 0x3333 as failed with the code in bits 31:16, 0x7777 resets",
                  .on_write = [this](unsigned, uint64_t value, uint64_t) {
                    const auto code = static_cast<uint32_t>((value >> 16) & 0xffff);
                    switch (value & 0xffff) {
                      case kPassValue:
                        handler_(FinishKind::kPass, 0);
                        break;
                      case kFailValue:
                        handler_(FinishKind::kFail, code);
                        break;
                      case kResetValue:
                        handler_(FinishKind::kReset, 0);
                        break;
                      default:
                        break;
                    }
                  }});
}

}  // namespace lockstep::tlm_models
