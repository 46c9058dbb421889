// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "smmu_rtl_bridge/stimulus/plan.h"

namespace lockstep::smmu_rtl_bridge {

// What happens in a world: accesses, and between them changes, invalidations, errors and requests.
class Traffic {
 public:
  Traffic(Drawing& draw, const Mix& mix, const Features& features, Plan& plan)
      : draw_(draw), mix_(mix), features_(features), plan_(plan) {}

  void run();

 private:
  void round();
  void accesses(unsigned count);
  void access(size_t stream);
  void something();

  void update(bool live);
  void reconfigure();
  void invalidate();
  void bus_error();
  void bad_command();
  void resume();
  void translation_requests();
  void page_requests();
  void registers();
  void disable();
  void pause_queue();
  void queue_error();

  // A page that a stream's clients can reach.
  struct Spot {
    Place place;
    uint64_t page = 0;
  };
  void race();
  void race_leaf(LeafPlan& leaf, const std::vector<Spot>& spots);
  void race_table(const LeafPlan& leaf, const std::vector<Spot>& spots);
  void depart(const std::vector<Spot>& spots, Line slow, uint64_t output);
  static Line descriptor_of(const LeafPlan& leaf, unsigned level);
  void race_configuration(const LeafPlan& leaf, const std::vector<Spot>& spots);
  std::vector<Spot> spots_of(const LeafPlan& leaf);
  void visit(const std::vector<Spot>& spots, uint64_t count);
  void pause();
  // The line that maps the leaf otherwise: 0 permissions, 1 access flag, 2 attributes, from 3 on another output.
  Line changed(LeafPlan& leaf, uint64_t kind);

  // The narrowest commands that cover a change of a leaf, or wider ones.
  void cover(const LeafPlan& leaf, bool leaf_only);
  void cover_configuration(const StreamPlan& stream, const Place& place, bool entry);
  Line& by_address(const char* name, const LeafPlan& leaf, bool leaf_only);
  Line& command(const char* name);
  // Whether the device has the command.
  bool has_command(std::string_view name) const;
  void tags(Line& line, const LeafPlan& leaf, bool with_asid);
  bool odd(unsigned percent) { return draw_.chance(percent, mix_.odd); }
  void sync();
  void maybe_quiet();
  void everything_invalid();
  Place place_of(StreamPlan& stream, ContextPlan*& context);

  Drawing& draw_;
  const Mix& mix_;
  const Features& features_;
  Plan& plan_;
  unsigned next_group_ = 0;
  std::optional<Line> slow_;  // makes quick again what a race has made slow
  uint64_t next_offset_ = 0;  // in a page, of accesses that race
};

}  // namespace lockstep::smmu_rtl_bridge
