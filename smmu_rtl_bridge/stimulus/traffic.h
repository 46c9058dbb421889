// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
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
  void queue_error();

  // The narrowest commands that cover a change of a leaf, or wider ones.
  void cover(const LeafPlan& leaf, bool leaf_only);
  void cover_configuration(const StreamPlan& stream, const Place& place, bool entry);
  Line& by_address(const char* name, const LeafPlan& leaf, bool leaf_only);
  Line& command(const char* name);
  // Whether the device has the command.
  bool has_command(std::string_view name) const;
  void tags(Line& line, const LeafPlan& leaf, bool with_asid);
  void sync();
  void maybe_quiet();
  void everything_invalid();
  Place place_of(StreamPlan& stream, ContextPlan*& context);

  Drawing& draw_;
  const Mix& mix_;
  const Features& features_;
  Plan& plan_;
  unsigned next_group_ = 0;
};

}  // namespace lockstep::smmu_rtl_bridge
