// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/smmuv3/event.h"

#include "tlm_models/smmuv3/bits.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

// Places inside the second word.
constexpr unsigned kStall = 31;
constexpr unsigned kPnU = 33;
constexpr unsigned kInD = 34;
constexpr unsigned kRnW = 35;
constexpr unsigned kS2 = 39;
constexpr unsigned kClass = 40;
constexpr unsigned kTableRnW = 44;

uint64_t at(bool value, unsigned position) { return static_cast<uint64_t>(value) << position; }

uint64_t access_of(const Event& event) {
  return at(event.privileged, kPnU) | at(event.instruction, kInD) | at(event.read, kRnW);
}

uint64_t fault_of(const Event& event) {
  return at(event.stage2, kS2) | static_cast<uint64_t>(event.fault_class) << kClass;
}

}  // namespace

EventRecord encode(const Event& event) {
  EventRecord record{};
  record[0] = static_cast<uint64_t>(event.type) | static_cast<uint64_t>(event.stream_id) << 32;
  const uint64_t substream = static_cast<uint64_t>(event.substream_id & 0xfffff) << 12;
  // The field is UNKNOWN without a substream; zero keeps records comparable.
  if (event.substream_valid) record[0] |= substream | at(true, 11);
  switch (event.type) {
    case EventType::kUut:
      record[1] = event.reason | access_of(event);
      record[2] = event.input_address;
      break;
    case EventType::kSteFetch:
    case EventType::kCdFetch:
    case EventType::kVmsFetch:
      record[1] = event.reason;
      record[3] = field_in_place(event.fetch_address, 55, 3);
      break;
    case EventType::kBadAtsRequest:
      record[1] = static_cast<uint64_t>(event.span & 0xfff) << 52 | at(event.asks_privileged, kPnU) |
                  at(event.asks_execute, kInD) | at(event.asks_read, kRnW) | at(event.asks_write, 36);
      record[2] = field_in_place(event.input_address, 63, 12);
      break;
    case EventType::kStreamDisabled:
      // This record and the next name no substream.
      record[0] &= ~(substream | at(true, 11));
      break;
    case EventType::kTranslationForbidden:
      record[0] &= ~(substream | at(true, 11));
      record[1] = at(event.read, kRnW);
      record[2] = event.input_address;
      break;
    case EventType::kBadSubstreamId:
      // The record has no SSV: the substream is always valid.
      record[0] = (record[0] & ~at(true, 11)) | substream;
      break;
    case EventType::kWalkExternalAbort:
      record[1] = event.reason | access_of(event) | fault_of(event);
      record[2] = event.input_address;
      record[3] = field_in_place(event.fetch_address, 55, 3);
      break;
    case EventType::kTranslation:
    case EventType::kAddressSize:
    case EventType::kAccessFlag:
    case EventType::kPermission:
      record[1] = access_of(event) | fault_of(event);
      if (event.stall) record[1] |= at(true, kStall) | event.stall_tag;
      if (event.type == EventType::kPermission && event.fault_class == FaultClass::kTableWalk)
        record[1] |= at(event.table_read, kTableRnW);
      record[2] = event.input_address;
      if (event.stage2) record[3] = field_in_place(event.ipa, 55, 12);
      break;
    case EventType::kTlbConflict:
      record[1] = event.reason | access_of(event) | at(event.stage2, kS2);
      record[2] = event.input_address;
      if (event.stage2) record[3] = field_in_place(event.ipa, 55, 12);
      break;
    case EventType::kConfigConflict:
      record[1] = event.reason;
      break;
    case EventType::kPageRequestHint:
      record[1] = static_cast<uint64_t>(event.page_request_flags & 0xfc) << 32 |
                  static_cast<uint64_t>(event.span & 0xfff) << 52;
      record[2] = field_in_place(event.input_address, 63, 12);
      break;
    default:
      break;
  }
  return record;
}

bool mergeable(const EventRecord& first, const EventRecord& second) {
  const auto type = static_cast<EventType>(first[0] & 0xff);
  if (bit(first[1], kStall) || bit(second[1], kStall)) return false;
  const bool by_page = type == EventType::kTranslationForbidden || type == EventType::kWalkExternalAbort ||
                       type == EventType::kTlbConflict || is_translation_related(type);
  const uint64_t address_mask = by_page ? ~uint64_t{0xfff} : ~uint64_t{0};
  return first[0] == second[0] && first[1] == second[1] && (first[2] & address_mask) == (second[2] & address_mask) &&
         first[3] == second[3];
}

const char* name(EventType type) {
  switch (type) {
    case EventType::kNone:
      return "none";
    case EventType::kUut:
      return "F_UUT";
    case EventType::kBadStreamId:
      return "C_BAD_STREAMID";
    case EventType::kSteFetch:
      return "F_STE_FETCH";
    case EventType::kBadSte:
      return "C_BAD_STE";
    case EventType::kBadAtsRequest:
      return "F_BAD_ATS_TREQ";
    case EventType::kStreamDisabled:
      return "F_STREAM_DISABLED";
    case EventType::kTranslationForbidden:
      return "F_TRANSL_FORBIDDEN";
    case EventType::kBadSubstreamId:
      return "C_BAD_SUBSTREAMID";
    case EventType::kCdFetch:
      return "F_CD_FETCH";
    case EventType::kBadCd:
      return "C_BAD_CD";
    case EventType::kWalkExternalAbort:
      return "F_WALK_EABT";
    case EventType::kTranslation:
      return "F_TRANSLATION";
    case EventType::kAddressSize:
      return "F_ADDR_SIZE";
    case EventType::kAccessFlag:
      return "F_ACCESS";
    case EventType::kPermission:
      return "F_PERMISSION";
    case EventType::kTlbConflict:
      return "F_TLB_CONFLICT";
    case EventType::kConfigConflict:
      return "F_CFG_CONFLICT";
    case EventType::kPageRequestHint:
      return "E_PAGE_REQUEST";
    case EventType::kVmsFetch:
      return "F_VMS_FETCH";
  }
  return "reserved";
}

}  // namespace lockstep::tlm_models::smmuv3
