// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <ostream>
#include <set>
#include <vector>

#include "smmu_rtl_bridge/device.h"
#include "smmu_rtl_bridge/oracle/judge.h"
#include "smmu_rtl_bridge/player/player.h"
#include "smmu_rtl_bridge/ticks.h"

namespace lockstep::smmu_rtl_bridge {

// What became of each access in one run, and of which of them the judge left no choice.
struct Answers {
  struct Answer {
    bool known = false;
    AccessEnd end = AccessEnd::kDone;
    bool forwarded = false;
    ForwardedAccess seen;
    bool no_choice = false;  // of all that the architecture allows, this alone
  };
  using Record = std::array<uint64_t, 4>;

  // Null: nothing is known of the access.
  const Answer* find(uint64_t id) const;
  Answer& of(uint64_t id);

  uint64_t first_id = 0;
  std::vector<Answer> by_id;  // from first_id on, without gaps: accesses are numbered as they come
  std::multiset<Record> events;
  bool any_choice = false;  // of an answer or of the events
};

// Stands between a player and the judge: passes everything on, and sees when the judge first finds something, what it
// costs, and, where it is wanted, what became of each access.
class Stand : public Observer {
 public:
  // Without a device there are no cycles to tell, without a player no lines.
  Stand(Judge& judge, const Device* device, const Player* player, bool keeps_answers)
      : judge_(judge), device_(device), player_(player), keeps_answers_(keeps_answers) {}

  // Compares each answer with the model's, where both had no choice. None: not at all.
  void compare_with(const Answers* model) { model_ = model; }

  bool found() const { return found_; }
  size_t line() const { return line_; }  // of the script, from 0
  uint64_t cycle() const { return cycle_; }
  // A difference from the model, which the judge has nothing against; empty: none.
  const std::string& difference_rule() const { return difference_rule_; }
  const std::string& difference() const { return difference_; }
  uint64_t ticks() const { return ticks_.total(); }
  const Answers& answers();
  // After the last line.
  void compare_events();
  // For runs that go on: the difference was told; and, answers, records and choices so far are over as well.
  void forget_difference();
  void forget();

  void software_wrote(uint64_t address, const void* data, size_t size_bytes) override {
    timed([&] { judge_.software_wrote(address, data, size_bytes); });
  }
  void memory_was(uint64_t address, const void* data, size_t size_bytes) override {
    timed([&] { judge_.memory_was(address, data, size_bytes); });
  }
  void page_broken(uint64_t page, bool broken) override {
    timed([&] { judge_.page_broken(page, broken); });
  }
  void register_written(uint32_t offset, unsigned size_bytes, uint64_t value) override {
    timed([&] { judge_.register_written(offset, size_bytes, value); });
  }
  void register_write_done(uint32_t offset) override {
    timed([&] { judge_.register_write_done(offset); });
  }
  void register_read(uint32_t offset, unsigned size_bytes, uint64_t value) override {
    timed([&] { judge_.register_read(offset, size_bytes, value); });
  }
  void device_read(uint64_t address, const void* data, size_t size_bytes, const Attributes& attributes,
                   bool failed) override {
    timed([&] { judge_.device_read(address, data, size_bytes, attributes, failed); });
  }
  void device_wrote(uint64_t address, const void* data, size_t size_bytes, const Attributes& attributes,
                    bool failed) override;
  void device_exchanged(uint64_t address, uint64_t expected, uint64_t desired, const Attributes& attributes, bool done,
                        bool failed) override {
    timed([&] { judge_.device_exchanged(address, expected, desired, attributes, done, failed); });
  }
  void accepted(const ClientAccess& access) override {
    timed([&] { judge_.accepted(access); });
  }
  void forwarded(const ForwardedAccess& access) override;
  void finished_downstream(uint64_t id) override {
    timed([&] { judge_.finished_downstream(id); });
  }
  void answered(uint64_t id, AccessEnd end) override;
  void ats_asked(const AtsQuestion& question) override {
    timed([&] { judge_.ats_asked(question); });
  }
  void ats_answered(const AtsAnswer& answer) override {
    timed([&] { judge_.ats_answered(answer); });
  }
  void atc_invalidated(const AtcInvalidation& invalidation) override {
    timed([&] { judge_.atc_invalidated(invalidation); });
  }
  void atc_invalidation_done(bool timed_out) override {
    timed([&] { judge_.atc_invalidation_done(timed_out); });
  }
  void page_asked(const PageQuestion& question) override {
    timed([&] { judge_.page_asked(question); });
  }
  void page_answered(const PageAnswer& answer) override {
    timed([&] { judge_.page_answered(answer); });
  }
  void pulsed(Wire wire) override {
    timed([&] { judge_.pulsed(wire); });
  }
  void quiet() override {
    timed([&] { judge_.quiet(); });
  }
  void finished() override {
    timed([&] { judge_.finished(); });
  }

 private:
  template <typename Call>
  void timed(Call call) {
    ticks_.around(call);
    if (!found_ && !judge_.failures().empty()) note();
  }
  void note();
  void differ(const char* rule, std::string text);
  void here();
  uint64_t freedoms() const;

  Judge& judge_;
  const Device* device_;
  const Player* player_;
  const bool keeps_answers_;
  const Answers* model_ = nullptr;
  Answers answers_;
  uint64_t freedoms_forgotten_ = 0;
  bool found_ = false;
  size_t line_ = 0;
  uint64_t cycle_ = 0;
  SampledTicks ticks_{7};
  std::string difference_rule_, difference_;
};

// Writes beside a timeline of the pins what the model did with each access and what the judge has to say.
class Notes : public Observer {
 public:
  Notes(std::ostream& out, const Judge* judge, const Answers* model) : out_(out), judge_(judge), model_(model) {}

  void device_read(uint64_t, const void*, size_t, const Attributes&, bool) override { tell(); }
  void device_wrote(uint64_t, const void*, size_t, const Attributes&, bool) override { tell(); }
  void forwarded(const ForwardedAccess&) override { tell(); }
  void answered(uint64_t id, AccessEnd end) override;
  void register_read(uint32_t, unsigned, uint64_t) override { tell(); }
  void pulsed(Wire) override { tell(); }
  void quiet() override { tell(); }

 private:
  void tell();

  std::ostream& out_;
  const Judge* judge_;
  const Answers* model_;
  size_t told_ = 0;  // of the judge's findings
};

}  // namespace lockstep::smmu_rtl_bridge
