// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

namespace lockstep::tlm_models::smmuv3 {

// Numbers of event records; section "Event records".
enum class EventType : uint8_t {
  kNone = 0x00,
  kUut = 0x01,
  kBadStreamId = 0x02,
  kSteFetch = 0x03,
  kBadSte = 0x04,
  kBadAtsRequest = 0x05,
  kStreamDisabled = 0x06,
  kTranslationForbidden = 0x07,
  kBadSubstreamId = 0x08,
  kCdFetch = 0x09,
  kBadCd = 0x0a,
  kWalkExternalAbort = 0x0b,
  kTranslation = 0x10,
  kAddressSize = 0x11,
  kAccessFlag = 0x12,
  kPermission = 0x13,
  kTlbConflict = 0x20,
  kConfigConflict = 0x21,
  kPageRequestHint = 0x24,
  kVmsFetch = 0x25,
};

// Field CLASS: what the SMMU did when the fault arose.
enum class FaultClass : uint8_t { kContextFetch = 0, kTableWalk = 1, kInput = 2 };

// One event with every field that any record has. encode() writes those that the record of its type has.
struct Event {
  EventType type = EventType::kNone;
  uint32_t stream_id = 0;
  uint32_t substream_id = 0;
  bool substream_valid = false;
  bool stall = false;
  uint16_t stall_tag = 0;
  bool read = false;
  bool instruction = false;
  bool privileged = false;
  bool stage2 = false;
  FaultClass fault_class = FaultClass::kContextFetch;
  bool table_read = false;  // TTRnW of F_PERMISSION with CLASS TT
  uint64_t input_address = 0;
  uint64_t ipa = 0;  // of stage 2 faults
  uint64_t fetch_address = 0;
  uint16_t reason = 0;  // of events whose cause is the implementation's
  // Of F_BAD_ATS_TREQ: what was asked for.
  bool asks_read = false;
  bool asks_write = false;
  bool asks_execute = false;
  bool asks_privileged = false;
  uint16_t span = 0;
  // Of E_PAGE_REQUEST: privileged read, write, execute in bits 7:5, unprivileged in 4:2 of the record's byte.
  uint8_t page_request_flags = 0;

  bool operator==(const Event&) const = default;
};

// Why configuration could not be had: what those events carry beyond the transaction itself.
struct ConfigError {
  EventType type = EventType::kNone;
  uint64_t fetch_address = 0;
};

using EventRecord = std::array<uint64_t, 4>;

// The 32 bytes of the record, as four little-endian words.
EventRecord encode(const Event& event);

// F_TRANSLATION, F_ADDR_SIZE, F_ACCESS and F_PERMISSION: those that CD.{A,R,S} and STE.{S2R,S2S} steer and that can
// stall; section "Fault models, recording and reporting".
constexpr bool is_translation_related(EventType type) {
  return type >= EventType::kTranslation && type <= EventType::kPermission;
}

// Whether one record may stand for both; section "Event record merging". Input addresses of one 4 KiB page are alike
// where the record's description says so.
bool mergeable(const EventRecord& first, const EventRecord& second);

const char* name(EventType type);

}  // namespace lockstep::tlm_models::smmuv3
