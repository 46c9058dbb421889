// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "tlm_models/smmuv3/config.h"

namespace lockstep::tlm_models::smmuv3 {

enum class RegisterId : uint8_t {
  kIdr0,
  kIdr1,
  kIdr2,
  kIdr3,
  kIdr4,
  kIdr5,
  kIidr,
  kAidr,
  kCr0,
  kCr0Ack,
  kCr1,
  kCr2,
  kStatusr,
  kGbpa,
  kAgbpa,
  kIrqCtrl,
  kIrqCtrlAck,
  kGerror,
  kGerrorN,
  kGerrorIrqCfg0,
  kGerrorIrqCfg1,
  kGerrorIrqCfg2,
  kStrtabBase,
  kStrtabBaseCfg,
  kCmdqBase,
  kCmdqProd,
  kCmdqCons,
  kEventqBase,
  kEventqProd,
  kEventqCons,
  kEventqIrqCfg0,
  kEventqIrqCfg1,
  kEventqIrqCfg2,
  kPriqBase,
  kPriqProd,
  kPriqCons,
  kPriqIrqCfg0,
  kPriqIrqCfg1,
  kPriqIrqCfg2,
  kInit,
  kCount,
};
inline constexpr size_t kRegisters = static_cast<size_t>(RegisterId::kCount);

// Bits that must be clear in CR0 and CR0ACK (or IRQ_CTRL and its acknowledgement) for a write to have an effect. From
// SMMUv3.2 on a guarded write is ignored.
enum class Guard : uint8_t {
  kNone,
  kReadOnly,
  kSmmuEnable,
  kCommandQueue,
  kEventQueue,
  kPriQueue,
  kGerrorInterrupt,
  kEventInterrupt,
  kPriInterrupt,
};

// Names of what a write does besides storing its bits; Smmu::write_effect() carries them out.
enum class WriteEffect : uint8_t {
  kNone,
  kControl,
  kInterruptControl,
  kBypassUpdate,
  kErrorAcknowledge,
  kCommandsAdded,
  kEventsConsumed,
  kInvalidateAll,
};

// Which feature a register exists with; without it the offset reads as zero and ignores writes.
enum class Feature : uint8_t { kAlways, kMsi, kPri, kPriAndMsi, kNonSecure, kSecure };

// One row of the register table; sections of chapter "Memory map and registers", by register name.
struct RegisterRow {
  RegisterId id;
  uint32_t offset;  // from the start of page 0; page 1 begins at 0x10000
  uint8_t size_bytes;
  const char* name;
  uint64_t writable;  // bits that a write may change
  Guard guard;
  WriteEffect effect;
  Feature feature;
  const char* doc;
};

inline constexpr uint32_t kRegisterSpaceBytes = 0x20000;

// CR0 and CR0ACK.
inline constexpr uint32_t kCr0SmmuEnable = 1u << 0;
inline constexpr uint32_t kCr0PriQueueEnable = 1u << 1;
inline constexpr uint32_t kCr0EventQueueEnable = 1u << 2;
inline constexpr uint32_t kCr0CommandQueueEnable = 1u << 3;
inline constexpr uint32_t kCr0AtsCheck = 1u << 4;
inline constexpr uint32_t kCr0SecureFetchOnly = 1u << 5;        // SIF, of S_CR0
inline constexpr uint32_t kCr0NonSecureStallDisable = 1u << 9;  // NSSTALLD, of S_CR0
// CR2.
inline constexpr uint32_t kCr2E2h = 1u << 0;
inline constexpr uint32_t kCr2RecordInvalidStream = 1u << 1;
inline constexpr uint32_t kCr2PrivateTlb = 1u << 2;
inline constexpr uint32_t kCr2RecordAtsErrors = 1u << 3;
// GBPA.
inline constexpr uint32_t kGbpaAbort = 1u << 20;
inline constexpr uint32_t kGbpaUpdate = 1u << 31;
// IRQ_CTRL.
inline constexpr uint32_t kIrqGerror = 1u << 0;
inline constexpr uint32_t kIrqPri = 1u << 1;
inline constexpr uint32_t kIrqEvent = 1u << 2;
// GERROR.
inline constexpr uint32_t kGerrorCommand = 1u << 0;
inline constexpr uint32_t kGerrorEventAbort = 1u << 2;
inline constexpr uint32_t kGerrorPriAbort = 1u << 3;
inline constexpr uint32_t kGerrorMsiCommand = 1u << 4;
inline constexpr uint32_t kGerrorMsiEvent = 1u << 5;
inline constexpr uint32_t kGerrorMsiPri = 1u << 6;
inline constexpr uint32_t kGerrorMsiGerror = 1u << 7;
// Indices of queues.
inline constexpr uint32_t kQueueOverflow = 1u << 31;

// The rows of the non-secure interface, or those of the secure one, which lie 0x8000 further on and are called SMMU_S_.
std::span<const RegisterRow> register_rows(bool secure = false);
bool present(const RegisterRow& row, const Config& config);
// Bits of a row that software may change with these features.
uint64_t writable_bits(const RegisterRow& row, const Config& config);
uint64_t reset_value(RegisterId id, const Config& config);

// The values of all registers, decoded by offset. Side effects are its owner's business.
class RegisterFile {
 public:
  explicit RegisterFile(const Config& config);
  void reset();

  uint64_t get(RegisterId id) const { return values_[static_cast<size_t>(id)]; }
  uint32_t get32(RegisterId id) const { return static_cast<uint32_t>(get(id)); }
  void set(RegisterId id, uint64_t value) { values_[static_cast<size_t>(id)] = value; }

  // The row whose register covers an aligned access of 4 bytes, or null.
  const RegisterRow* find(uint32_t offset) const;
  // One word of a register.
  uint32_t read_word(uint32_t offset) const;
  // Whether the guard lets a write through now.
  bool unlocked(Guard guard) const;
  const Config& config() const { return config_; }

 private:
  const Config& config_;
  std::array<uint64_t, kRegisters> values_{};
};

}  // namespace lockstep::tlm_models::smmuv3
