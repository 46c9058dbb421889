// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace lockstep::smmu_rtl_bridge {

// Obligations, which a device can break, and freedoms, which it may use. Each has a row with its reason in rules.cpp.
enum class Rule : uint8_t {
  kAnswerOnce,
  kAnswerMissing,
  kAnswerEnd,
  kForwardOnce,
  kForwardAddress,
  kForwardAttributes,
  kForwardPrivilege,
  kStaleStreamEntry,
  kStaleContext,
  kStaleTranslation,
  kFaultCached,
  kSyncWaits,
  kSyncEvents,
  kUpdateMissing,
  kUpdateUnexpected,
  kEventMissing,
  kEventUnexpected,
  kEventField,
  kEventSlot,
  kStallTag,
  kStallEnd,
  kCommandIllegal,
  kCommandStuck,
  kCommandOrder,
  kSyncSignal,
  kSyncAtc,
  kAtcInvalidation,
  kAtsAnswer,
  kPageAnswer,
  kPageRecord,
  kInterruptMissing,
  kInterruptUnexpected,
  kMessage,
  kFetchEnabled,
  kFetchAttributes,
  kQueueAttributes,
  kWriteUnexpected,
  kRegisterValue,
  kGlobalError,
  kMayKeepStreamEntry,
  kMayKeepContext,
  kMayKeepTranslation,
  kMaySeeChange,
  kMayAnswerForGroup,
  kMayKeepRegime,
  kMaySeeControlChange,
  kMayMergeEvents,
  kMayLoseEvents,
  kMayHoldStalls,
  kMaySetAccessFlag,
  kCount,
};
inline constexpr size_t kRules = static_cast<size_t>(Rule::kCount);

enum class RuleKind : uint8_t { kObligation, kFreedom };

struct RuleRow {
  Rule rule;
  const char* name;  // stable: reports, signatures of failures and docs/oracle.md use it
  RuleKind kind;
  const char* section;  // of the SMMUv3 specification
  const char* reason;
};

std::span<const RuleRow> rules();
const RuleRow& row(Rule rule);

}  // namespace lockstep::smmu_rtl_bridge
