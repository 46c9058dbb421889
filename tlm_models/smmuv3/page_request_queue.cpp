// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/smmuv3/queue.h"
#include "tlm_models/smmuv3/smmu.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

using Id = RegisterId;

constexpr unsigned kPageRequestLog2 = 4;
constexpr uint32_t kLastOnly = 1u << 31;

std::array<uint64_t, 2> encode(const PageRequest& request) {
  const auto at = [](bool value, unsigned place) { return static_cast<uint64_t>(value) << place; };
  return {request.stream_id |
              static_cast<uint64_t>(request.substream_valid ? request.substream_id & 0xfffff : 0) << 32 |
              at(request.privileged, 58) | at(request.execute, 59) | at(request.read, 60) | at(request.write, 61) |
              at(request.last, 62) | at(request.substream_valid, 63),
          (request.group & uint64_t{0x1ff}) | field_in_place(request.address, 63, 12)};
}

}  // namespace

// Chapter "Page request queue".
void Smmu::page_request(const PageRequest& request) {
  const bool usable = config_.pri && enabled(kCr0SmmuEnable | kCr0PriQueueEnable) && !error_active(kGerrorPriAbort);
  if (!usable) {
    auto_response(request, PageResponseCode::kFailure, false);
    return;
  }
  const auto last_only = [&] { return (registers_.get32(Id::kPriqIrqCfg2) & kLastOnly) != 0; };
  const uint32_t produced = registers_.get32(Id::kPriqProd);
  const bool overflowed = ((produced ^ registers_.get32(Id::kPriqCons)) & kQueueOverflow) != 0;
  const QueueView queue(registers_.get(Id::kPriqBase), produced, registers_.get(Id::kPriqCons), config_.pri_queue_log2,
                        kPageRequestLog2);
  if (overflowed || queue.full()) {
    if (!overflowed) registers_.set(Id::kPriqProd, produced ^ kQueueOverflow);
    if (request.last && !request.stop_marker()) {
      overflow_response(request);
      if (last_only()) interrupt(Interrupt::kPriQueue, kIrqPri, Id::kPriqIrqCfg0, kGerrorMsiPri);
    }
    return;
  }
  const auto entry = encode(request);
  if (!memory_.write(queue.produce_address(), entry.data(), sizeof entry, queue_attributes(registers_),
                     AccessKind::kPageRequest)) {
    raise_global_error(kGerrorPriAbort);
    auto_response(request, PageResponseCode::kFailure, false);
    return;
  }
  registers_.set(Id::kPriqProd, (produced & kQueueOverflow) | queue.after_produce());
  if (last_only() ? request.last : queue.empty())
    interrupt(Interrupt::kPriQueue, kIrqPri, Id::kPriqIrqCfg0, kGerrorMsiPri);
}

void Smmu::auto_response(const PageRequest& request, PageResponseCode code, bool with_pasid) {
  if (request.stop_marker()) return;
  PageResponse response;
  response.stream_id = request.stream_id;
  response.group = request.group;
  response.code = code;
  response.substream_valid = with_pasid && request.substream_valid;
  response.substream_id = response.substream_valid ? request.substream_id : 0;
  environment_.page_response(response);
}

// A lost last request of a group is answered as a success, so that the device asks again; section "PRI queue overflow".
void Smmu::overflow_response(const PageRequest& request) {
  if (!request.substream_valid || config_.substream_id_bits == 0 || config_.pasid_in_auto_response) {
    auto_response(request, PageResponseCode::kSuccess, config_.substream_id_bits != 0);
    return;
  }
  ConfigError error;
  const CachedSte* entry = lookup_.find_ste(stream_table_, request.stream_id, error);
  if (entry && !entry->broken) {
    auto_response(request, PageResponseCode::kSuccess, entry->ste.page_request_pasid);
    return;
  }
  Event event;
  event.type = entry ? EventType::kBadSte : error.type;
  event.fetch_address = error.fetch_address;
  const uint32_t control = registers_.get32(Id::kCr2);
  const bool wanted = event.type != EventType::kBadStreamId || (control & kCr2RecordInvalidStream);
  if ((control & kCr2RecordAtsErrors) && wanted) {
    event.stream_id = request.stream_id;
    event.substream_valid = true;
    event.substream_id = request.substream_id;
    record(event, true);
  }
  auto_response(request, PageResponseCode::kFailure, false);
}

}  // namespace lockstep::tlm_models::smmuv3
