// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/oracle/rules.h"

#include <array>

namespace lockstep::smmu_rtl_bridge {
namespace {

constexpr RuleKind kMust = RuleKind::kObligation;
constexpr RuleKind kMay = RuleKind::kFreedom;

// clang-format off
constexpr std::array<RuleRow, kRules> kRows = {{
    {Rule::kAnswerOnce, "answer-once", kMust, "Client devices", "an access that was accepted is answered once, and nothing else is"},
    {Rule::kAnswerMissing, "answer-missing", kMust, "Client devices", "when all is quiet, only accesses that software holds by a stall have no answer"},
    {Rule::kAnswerEnd, "answer-end", kMust, "Fault models, recording and reporting", "an access goes on, is aborted, reads as zero or stalls as registers, configuration and tables say"},
    {Rule::kForwardOnce, "forward-once", kMust, "Client devices", "an access goes downstream once if it is let through, and not at all otherwise"},
    {Rule::kForwardAddress, "forward-address", kMust, "Address sizes", "the address downstream is what the tables say"},
    {Rule::kForwardAttributes, "forward-attributes", kMust, "Attribute Transformation", "memory type, shareability and address space downstream follow from the input, the overrides and both stages"},
    {Rule::kForwardPrivilege, "forward-privilege", kMust, "Attribute Transformation", "privilege and instruction marking downstream follow from the input and PRIVCFG and INSTCFG"},
    {Rule::kStaleStreamEntry, "stale-stream-entry", kMust, "Configuration structure invalidation", "what CMD_CFGI_STE, CMD_CFGI_STE_RANGE or CMD_CFGI_ALL and a CMD_SYNC removed is not used for later accesses"},
    {Rule::kStaleContext, "stale-context", kMust, "Configuration structure invalidation", "what CMD_CFGI_CD, CMD_CFGI_CD_ALL or an invalidation of its stream's entry and a CMD_SYNC removed is not used for later accesses"},
    {Rule::kStaleTranslation, "stale-translation", kMust, "TLB invalidation", "what CMD_TLBI_* and a CMD_SYNC removed is not used for later accesses"},
    {Rule::kFaultCached, "fault-cached", kMust, "Caching", "a descriptor that gives a translation, address size or access flag fault is not kept: the next access reads it again"},
    {Rule::kSyncWaits, "sync-waits", kMust, "CMD_SYNC", "a CMD_SYNC completes only when accesses that used what was invalidated before it have finished downstream"},
    {Rule::kSyncEvents, "sync-events", kMust, "CMD_SYNC", "a CMD_SYNC completes only when the records of accesses that ended before it was read from the queue are written or lost"},
    {Rule::kUpdateMissing, "update-missing", kMust, "Hardware flag update", "an access that goes on has set the access flag and, if it writes, the dirty state, where hardware updates are on"},
    {Rule::kUpdateUnexpected, "update-unexpected", kMust, "Hardware flag update", "a descriptor is changed only for an access that needs it, and only so"},
    {Rule::kEventMissing, "event-missing", kMust, "Event queue", "an access that faults and is to be recorded has its record in the event queue when all is quiet"},
    {Rule::kEventUnexpected, "event-unexpected", kMust, "Event queue", "each record belongs to one access; speculation records nothing"},
    {Rule::kEventField, "event-field", kMust, "Event records", "all fields of a record are those of its access and fault"},
    {Rule::kEventSlot, "event-slot", kMust, "SMMU circular queues", "records are written one after another where the producer index says, and never into a full or disabled queue"},
    {Rule::kStallTag, "stall-tag", kMust, "Stall model", "no two stalled accesses share a tag"},
    {Rule::kStallEnd, "stall-end", kMust, "Stall model", "a stalled access ends as CMD_RESUME, CMD_STALL_TERM or a disabled SMMU ends it, and not before"},
    {Rule::kCommandIllegal, "command-illegal", kMust, "Command queue errors", "an illegal command stops the queue and is not consumed"},
    {Rule::kCommandStuck, "command-stuck", kMust, "Command queue", "when all is quiet, an enabled queue without an error has consumed every command"},
    {Rule::kCommandOrder, "command-order", kMust, "Command queue", "the consumer index passes commands in their order and none that was not fetched"},
    {Rule::kSyncSignal, "sync-signal", kMust, "CMD_SYNC", "the completion signal is the one that the command asks for, with its address, data and attributes"},
    {Rule::kSyncAtc, "sync-atc", kMust, "CMD_SYNC", "a CMD_SYNC completes after the ATC invalidations before it"},
    {Rule::kAtcInvalidation, "atc-invalidation", kMust, "CMD_ATC_INV", "each CMD_ATC_INV of an enabled SMMU sends one invalidation with its fields, in order"},
    {Rule::kAtsAnswer, "ats-answer", kMust, "Responses to ATS Translation Requests", "a translation request is answered once with what tables and configuration grant"},
    {Rule::kPageAnswer, "page-answer", kMust, "Page request queue", "a page request group is answered by CMD_PRI_RESP or, where the queue cannot take it, by the SMMU"},
    {Rule::kPageRecord, "page-record", kMust, "Page request queue", "a page request is written once, with its fields, where the producer index says"},
    {Rule::kInterruptMissing, "interrupt-missing", kMust, "Interrupts and notifications", "what makes an enabled interrupt has raised its wire, or written its message where one is configured, when all is quiet; with SMMU_IDR0.SEV, a full command queue that has room again has sent an event"},
    {Rule::kInterruptUnexpected, "interrupt-unexpected", kMust, "Interrupts and notifications", "an interrupt is raised only while it is enabled and for something that happened"},
    {Rule::kMessage, "message", kMust, "Message Signaled Interrupts", "a message goes where its source's registers or its CMD_SYNC say, with their data and attributes"},
    {Rule::kFetchEnabled, "fetch-enabled", kMust, "SMMU_CR0", "while SMMUEN is acknowledged as 0, neither structures nor descriptors are accessed: walks that began before are over"},
    {Rule::kFetchAttributes, "fetch-attributes", kMust, "Memory accesses of the SMMU", "structures and descriptors are fetched, and descriptors updated, with the attributes that CR1, STEs and CDs give, combined with stage 2"},
    {Rule::kQueueAttributes, "queue-attributes", kMust, "Memory accesses of the SMMU", "queues are read and written with the attributes that CR1 gives"},
    {Rule::kWriteUnexpected, "write-unexpected", kMust, "Memory accesses of the SMMU", "the SMMU writes event and page request records, messages and descriptors, and nothing else"},
    {Rule::kRegisterValue, "register-value", kMust, "Memory map and registers", "a register reads as what software wrote and the SMMU has done since"},
    {Rule::kGlobalError, "global-error", kMust, "Global error recording", "a bit of GERROR becomes active for its cause and for nothing else, and CMDQ_CONS.ERR tells which"},
    {Rule::kMayKeepStreamEntry, "may-keep-stream-entry", kMay, "Configuration structure invalidation", "stream table entries may be cached until they are invalidated, also invalid ones"},
    {Rule::kMayKeepContext, "may-keep-context", kMay, "Configuration structure invalidation", "context descriptors may be cached until they are invalidated, also invalid ones"},
    {Rule::kMayKeepTranslation, "may-keep-translation", kMay, "TLB invalidation", "translations and pointers to tables may be cached until they are invalidated"},
    {Rule::kMaySeeChange, "may-see-change", kMay, "Ordering", "what changes between acceptance and answer of an access may be seen before or after the change, also without break-before-make"},
    {Rule::kMayAnswerForGroup, "may-answer-for-group", kMay, "Contiguous bit", "a leaf with the contiguous hint may be used for its whole group"},
    {Rule::kMayKeepRegime, "may-keep-regime", kMay, "TLB tagging", "a translation, and a table's limits in it, stay usable under their ASID and VMID when the configuration that made them is gone: an access goes on, or lacks the permission"},
    {Rule::kMaySeeControlChange, "may-see-control-change", kMay, "SMMU_CR0", "until CR0ACK or GBPA.Update shows a change, accesses may see the registers before or after it"},
    {Rule::kMayMergeEvents, "may-merge-events", kMay, "Event record merging", "where STE.MEV permits it or no entry was found, one record may stand for several alike"},
    {Rule::kMayLoseEvents, "may-lose-events", kMay, "Event queue overflow", "records that are not of stalls are lost while the queue is full, disabled or aborted"},
    {Rule::kMayHoldStalls, "may-hold-stalls", kMay, "Stall model", "an access that would stall waits while all stalls are in use or its record finds no place"},
    {Rule::kMaySetAccessFlag, "may-set-access-flag", kMay, "Hardware flag update", "the access flag may be set ahead of a fault or by speculation, where a prefetch command asks for it or the judge's profile permits it"},
}};
// clang-format on

}  // namespace

std::span<const RuleRow> rules() { return kRows; }

const RuleRow& row(Rule rule) { return kRows[static_cast<size_t>(rule)]; }

}  // namespace lockstep::smmu_rtl_bridge
