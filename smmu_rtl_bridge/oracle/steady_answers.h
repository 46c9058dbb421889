// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "smmu_rtl_bridge/observer.h"
#include "smmu_rtl_bridge/oracle/outcome.h"

namespace lockstep::smmu_rtl_bridge {

// Accesses that could only pass, whatever was seen of memory, and where: most of a campaign's accesses repeat a page,
// and nothing that their translation depends on has changed. Any two in one page differ in the low bits of their
// addresses alone.
class SteadyAnswers {
 public:
  static constexpr unsigned kPageLog2 = 12;
  static constexpr uint64_t kOffset = (uint64_t{1} << kPageLog2) - 1;

  struct Answer {
    ClientAccess access;              // of the page
    uint64_t control = ~uint64_t{0};  // Control::number
    uint64_t changes = 0;             // VersionedMemory::changes() at which it was true
    Outcome outcome;                  // `address` of the page
    bool has_structures = false;
    Structures structures;
    std::vector<Fetch> fetches;
  };

  // Null: the access has to be evaluated.
  const Answer* find(const ClientAccess& access, uint64_t control, uint64_t changes) const;
  void keep(Answer answer);

 private:
  static constexpr size_t kPlaces = 512;  // by a hash
  static ClientAccess of_page(const ClientAccess& access);
  static size_t place(const ClientAccess& of_page);

  std::array<uint16_t, kPlaces> places_{};  // where its answer is in answers_, from 1 on
  std::vector<Answer> answers_;
};

}  // namespace lockstep::smmu_rtl_bridge
