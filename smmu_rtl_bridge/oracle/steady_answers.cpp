// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/oracle/steady_answers.h"

#include <utility>

namespace lockstep::smmu_rtl_bridge {

ClientAccess SteadyAnswers::of_page(const ClientAccess& access) {
  ClientAccess page = access;
  page.id = 0;
  page.size_bytes = 0;
  page.address &= ~kOffset;
  return page;
}

size_t SteadyAnswers::place(const ClientAccess& of_page) {
  const uint64_t kind = static_cast<uint64_t>(of_page.write) | static_cast<uint64_t>(of_page.privileged) << 1 |
                        static_cast<uint64_t>(of_page.instruction) << 2 | uint64_t{of_page.attributes.type} << 3 |
                        uint64_t{of_page.attributes.shareability} << 11;
  uint64_t hash = of_page.address >> kPageLog2 ^ uint64_t { of_page.stream_id } << 12 ^
                  uint64_t { of_page.substream_id } << 32 ^ kind << 48;
  hash = (hash ^ hash >> 31) * 0x9e37'79b9'7f4a'7c15;
  return (hash ^ hash >> 29) >> 20 & (kPlaces - 1);
}

const SteadyAnswers::Answer* SteadyAnswers::find(const ClientAccess& access, uint64_t control, uint64_t changes) const {
  const ClientAccess page = of_page(access);
  const uint16_t at = places_[place(page)];
  if (at == 0) return nullptr;
  const Answer& answer = answers_[at - 1u];
  return answer.control == control && answer.changes == changes && answer.access == page ? &answer : nullptr;
}

void SteadyAnswers::keep(Answer answer) {
  answer.access = of_page(answer.access);
  answer.outcome.address &= ~kOffset;
  uint16_t& at = places_[place(answer.access)];
  if (at == 0) {
    answers_.push_back(std::move(answer));
    at = static_cast<uint16_t>(answers_.size());
  } else {
    answers_[at - 1u] = std::move(answer);
  }
}

}  // namespace lockstep::smmu_rtl_bridge
