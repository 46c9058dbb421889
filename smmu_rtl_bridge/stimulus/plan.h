// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "smmu_rtl_bridge/script/features.h"
#include "smmu_rtl_bridge/script/script.h"
#include "smmu_rtl_bridge/stimulus/drawing.h"
#include "smmu_rtl_bridge/stimulus/mix.h"

namespace lockstep::smmu_rtl_bridge {

// What a generator remembers of the world that its script has built, so that what follows can be to the point.

// One translation table tree.
struct TreePlan {
  Place place;
  bool upper = false;
  unsigned granule_log2 = 12;
  unsigned input_bits = 39;
  unsigned start = 1;
  unsigned output_bits = 48;
  bool top_byte_ignored = false;
  uint64_t root = 0;
  std::map<std::pair<unsigned, uint64_t>, uint64_t> tables;  // (level, index of the table) -> its address
  std::vector<size_t> leaves;                                // in Plan::leaves
};

struct LeafPlan {
  size_t stream = 0;   // in Plan::streams
  size_t context = 0;  // of the stream; nothing for stage 2
  Place place;
  uint64_t address = 0;  // aligned
  uint64_t size = 0;
  unsigned level = 3;
  unsigned granule_log2 = 12;
  unsigned group_log2 = 0;  // contiguous
  uint64_t output = 0;
  bool holds_tables = false;  // of stage 2: something that the SMMU reads lies there
  Line line;                  // that maps it
};

struct ContextPlan {
  uint32_t substream = 0;
  uint64_t asid = 0;
  bool el2 = false;
  bool stalls = false;
  std::vector<TreePlan> halves;
  std::vector<uint64_t> addresses;  // that something maps, or nearly
  uint64_t last = 0;
};

struct StreamPlan {
  uint32_t id = 0;
  unsigned config = 5;
  uint64_t vmid = 0;
  bool el2 = false;
  bool two_stages() const { return config == 7; }
  bool has_stage1() const { return config == 5 || config == 7; }
  bool has_stage2() const { return config == 6 || config == 7; }
  unsigned substreams_log2 = 0;
  unsigned format = 0;
  unsigned default_substream = 0;
  unsigned ats = 0;
  bool stalls2 = false;
  bool marks_dirty2 = false;
  bool simple_stage2 = false;
  uint64_t context_pointer = 0;
  std::vector<ContextPlan> contexts;
  TreePlan stage2;
  std::map<uint64_t, uint64_t> guest_pages;  // intermediate address -> size of what maps it
  uint64_t guest_next = 0;
  uint64_t arena_next = 0, arena_end = 0;
  std::vector<uint64_t> addresses;  // for streams without stage 1
  uint64_t last = 0;
  std::vector<size_t> sharers;  // other streams with the same address spaces
  bool is_sharer = false;
  bool damaged = false;
  Line line;
  bool can_stall() const {
    if (stalls2) return true;
    for (const ContextPlan& context : contexts)
      if (context.stalls) return true;
    return false;
  }
};

// A structure that was made illegal, and what makes it well again.
struct Damage {
  Line cure;
  size_t stream = 0;
};

// Draws a world and emits the lines that make it.
class Plan {
 public:
  Plan(Drawing& draw, const Mix& mix, const Features& features, std::vector<Line>& lines)
      : draw_(draw), mix_(mix), features_(features), lines_(lines) {}

  void make_world();

  Line& emit(Verb verb) {
    Line line;
    line.verb = verb;
    lines_.push_back(std::move(line));
    return lines_.back();
  }
  uint64_t allocate(uint64_t size);

  std::vector<StreamPlan> streams;
  std::vector<LeafPlan> leaves;
  std::vector<Damage> damages;
  bool e2h = false;
  unsigned vmid_wildcard = 0;
  uint32_t control = 0;  // CR0
  bool two_level = false;
  uint64_t messages = 0;  // the page that interrupts' messages go to, or 0

  // Maps one address of a tree, which must not be mapped; false if there was no room for it. Leaves of stage 2 for
  // tables are permissive.
  bool map(size_t stream, size_t context, TreePlan& tree, uint64_t address, bool permissive);
  void ensure_guest(size_t stream, uint64_t address, bool for_tables);
  // Fields of a leaf, drawn anew.
  void draw_leaf_bits(Line& line, bool stage2, bool permissive, bool single_space);

 private:
  void make_setup();
  void make_stream(size_t index);
  void make_stage2(size_t index, Line& line);
  void make_contexts(size_t index);
  void make_context(size_t index, ContextPlan& context);
  void share(size_t index, size_t other);
  void damage(size_t index);
  uint64_t allocate_guest(size_t stream, uint64_t size, unsigned granule_log2);
  uint64_t neighbour(std::vector<uint64_t>& used, unsigned low, unsigned bits);
  unsigned granule();
  bool block_allowed(unsigned granule_log2, unsigned level) const;
  bool odd(unsigned percent) { return draw_.chance(percent, mix_.odd); }
  static unsigned shift_of(unsigned granule_log2, unsigned level) {
    return granule_log2 + (3 - level) * (granule_log2 - 3);
  }

  Drawing& draw_;
  const Mix& mix_;
  const Features& features_;
  std::vector<Line>& lines_;
  uint64_t next_ = 0x10'0000;
  std::vector<uint64_t> vmids_, asids_;
};

}  // namespace lockstep::smmu_rtl_bridge
