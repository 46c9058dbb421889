// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "smmu_rtl_bridge/observer.h"
#include "tlm_models/smmuv3/attributes.h"
#include "tlm_models/smmuv3/smmu.h"

// What pins carry as the model has it, and back. The namespace has the model's name, so that it goes with a copy of the
// model that is compiled under another one.
namespace lockstep::smmu_rtl_bridge::model_side::smmuv3 {

namespace model = tlm_models::smmuv3;

// One level of a Normal type as MAIR encodes it. MAIR cannot say that a transient type allocates for nothing, so that a
// type without both hints comes out as not transient.
inline unsigned mair_of(const model::CacheLevel& level) {
  if (level.policy == model::Cacheability::kNonCacheable) return 4;
  const unsigned back = level.policy == model::Cacheability::kWriteBack ? 4 : 0;
  const unsigned hints = (level.read_allocate ? 2 : 0) | (level.write_allocate ? 1 : 0);
  return (level.transient && hints != 0 ? 0 : 8) | back | hints;
}

inline Attributes to_pins(const model::MemoryAttributes& attributes) {
  Attributes result;
  result.type = static_cast<uint8_t>(attributes.device ? static_cast<unsigned>(attributes.device_type) << 2
                                                       : mair_of(attributes.outer) << 4 | mair_of(attributes.inner));
  result.shareability = static_cast<uint8_t>(attributes.shareability);
  result.secure = attributes.secure;
  return result;
}

inline model::MemoryAttributes from_pins(const Attributes& attributes) {
  return model::in_space(model::from_mair(attributes.type, attributes.shareability), attributes.secure);
}

inline model::Transaction from_pins(const ClientAccess& access) {
  model::Transaction transaction;
  transaction.address = access.address;
  transaction.stream_id = access.stream_id;
  transaction.substream_id = access.substream_id;
  transaction.substream_valid = access.substream_valid;
  transaction.write = access.write;
  transaction.atomic = access.atomic;
  transaction.instruction = access.instruction;
  transaction.privileged = access.privileged;
  transaction.translated = access.translated;
  transaction.attributes = from_pins(access.attributes);
  transaction.token = access.id;
  return transaction;
}

inline model::AtsRequest from_pins(const AtsQuestion& question) {
  model::AtsRequest request;
  request.address = question.address;
  request.stream_id = question.stream_id;
  request.substream_id = question.substream_id;
  request.substream_valid = question.substream_valid;
  request.no_write = question.no_write;
  request.execute = question.execute;
  request.privileged = question.privileged;
  return request;
}

inline AtsAnswer to_pins(const model::AtsCompletion& completion, uint64_t id) {
  AtsAnswer answer;
  answer.id = id;
  answer.status = static_cast<uint8_t>(completion.status);
  answer.read = completion.read;
  answer.write = completion.write;
  answer.execute = completion.execute;
  answer.privileged = completion.privileged;
  answer.size_log2 = completion.size_log2;
  answer.address = completion.address;
  return answer;
}

inline model::PageRequest from_pins(const PageQuestion& question) {
  model::PageRequest request;
  request.address = question.address & ~uint64_t{0xfff};
  request.stream_id = question.stream_id;
  request.substream_id = question.substream_id;
  request.substream_valid = question.substream_valid;
  request.group = question.group;
  request.last = question.last;
  request.read = question.read;
  request.write = question.write;
  request.execute = question.execute;
  request.privileged = question.privileged;
  return request;
}

inline AtcInvalidation to_pins(const model::AtcInvalidation& invalidation) {
  return {invalidation.stream_id, invalidation.substream_id, invalidation.substream_valid,
          invalidation.global,    invalidation.address,      invalidation.size_log2};
}

inline PageAnswer to_pins(const model::PageResponse& response) {
  return {response.stream_id, response.substream_id, response.substream_valid, response.group,
          static_cast<uint8_t>(response.code)};
}

}  // namespace lockstep::smmu_rtl_bridge::model_side::smmuv3

namespace lockstep::smmu_rtl_bridge {

using model_side::smmuv3::from_pins;
using model_side::smmuv3::to_pins;

}  // namespace lockstep::smmu_rtl_bridge
