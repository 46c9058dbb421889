// SPDX-License-Identifier: Apache-2.0
// Changes and their commands while accesses to the very page are under way, and accesses to it once CMD_SYNC is over:
// what walks bring that an invalidation met must not stay, and what used it must be done by then.
#include <algorithm>

#include "smmu_rtl_bridge/bits.h"
#include "smmu_rtl_bridge/stimulus/traffic.h"

namespace lockstep::smmu_rtl_bridge {

// Where clients reach the leaf: pages of the smallest granule, each with the stream that has it.
std::vector<Traffic::Spot> Traffic::spots_of(const LeafPlan& leaf) {
  StreamPlan& stream = plan_.streams[leaf.stream];
  std::vector<Spot> spots;
  const auto add = [&](Place place, uint64_t address) {
    place.stage2 = false;
    place.stream = stream.id;
    if (!stream.sharers.empty() && draw_.chance(30)) place.stream = plan_.streams[draw_.pick(stream.sharers)].id;
    spots.push_back({place, address & ~uint64_t{0xfff}});
  };
  const auto within = [&](const LeafPlan& one) { return one.address + (draw_.below(one.size) & ~uint64_t{0xfff}); };
  if (!leaf.place.stage2) {
    add(leaf.place, within(leaf));
    return spots;
  }
  if (!stream.has_stage1()) {
    Place place;
    add(place, within(leaf));
    return spots;
  }
  for (const LeafPlan& other : plan_.leaves) {
    if (other.place.stage2 || other.stream != leaf.stream) continue;
    const bool reaches = other.output + other.size > leaf.address && other.output < leaf.address + leaf.size;
    if (leaf.holds_tables || reaches)
      add(other.place, other.address + (reaches && leaf.address > other.output ? leaf.address - other.output : 0));
  }
  return spots;
}

// No two of them look alike downstream, so that all can be under way at once.
void Traffic::visit(const std::vector<Spot>& spots, uint64_t count) {
  for (; count != 0; --count) {
    const Spot& spot = spots[draw_.below(spots.size())];
    Line& line = plan_.emit(Verb::kAccess);
    const uint64_t kind = draw_.below(100);
    line.word = kind < 55 ? "read" : kind < 85 ? "write" : kind < 90 ? "atomic" : "exec";
    line.place = spot.place;
    next_offset_ = (next_offset_ + 8) % 4096;
    line.number = spot.page + next_offset_;
    if (draw_.chance(50)) line.set("priv");
  }
}

void Traffic::pause() {
  if (draw_.chance(30)) return;
  constexpr uint64_t kLongest[] = {4, 30, 200};
  plan_.emit(Verb::kTick).number = draw_.between(1, kLongest[draw_.below(3)]);
}

void Traffic::race() {
  if (plan_.leaves.empty()) return;
  size_t index = draw_.below(plan_.leaves.size());
  // Most leaves of stage 2 are there for tables.
  if (plan_.leaves[index].holds_tables && draw_.chance(70)) index = draw_.below(plan_.leaves.size());
  LeafPlan& leaf = plan_.leaves[index];
  const std::vector<Spot> spots = spots_of(leaf);
  if (spots.empty() || leaf.group_log2 != 0) return;
  if (draw_.chance(40)) plan_.emit(Verb::kQuiet);
  // Nothing is kept of it, so that the accesses walk.
  if (draw_.chance(75)) {
    if (draw_.chance(40)) {
      everything_invalid();
    } else {
      cover(leaf, draw_.chance(50));
      sync();
    }
  }
  const uint64_t kind = draw_.below(10);
  if (kind < 5) {
    race_leaf(leaf, spots);
  } else if (kind < 8 && !leaf.place.stage2) {
    race_table(leaf, spots);
  } else {
    race_configuration(leaf, spots);
  }
  sync();
  if (slow_) plan_.emit(Verb::kSlow) = *slow_;
  slow_.reset();
  visit(spots, draw_.between(2, 5));
}

// Accesses that are still under way when what comes next is done: what they read of the given line's place takes long,
// or what they reach does.
void Traffic::depart(const std::vector<Spot>& spots, Line slow, uint64_t output) {
  slow.verb = Verb::kSlow;
  if (draw_.chance(25)) {
    slow = {};
    slow.verb = Verb::kSlow;
    slow.word = "page";
    slow.number = output;
  }
  if (draw_.chance(80)) {
    slow.set("cycles", draw_.between(100, 800));
    plan_.emit(Verb::kSlow) = slow;
    slow.fields.back().value = 0;
    slow_ = slow;
  }
  visit(spots, draw_.between(1, 6));
  pause();
}

Line Traffic::descriptor_of(const LeafPlan& leaf, unsigned level) {
  Line line;
  line.word = "desc";
  line.place = leaf.place;
  line.number = leaf.address;
  line.set("level", level);
  return line;
}

void Traffic::race_leaf(LeafPlan& leaf, const std::vector<Spot>& spots) {
  depart(spots, descriptor_of(leaf, leaf.level), leaf.output);
  const bool goes = draw_.chance(25) && !leaf.holds_tables;
  const Line before = leaf.line;
  const Line fresh = changed(leaf, leaf.holds_tables ? draw_.below(2) : draw_.pick<uint64_t>({0, 2, 3, 3}));
  Line& line = plan_.emit(Verb::kMap);
  line = fresh;
  leaf.line = fresh;
  if (goes) {
    line.verb = Verb::kUnmap;
    line.fields.clear();
    if (leaf.level != 3) line.set("level", leaf.level);
  }
  cover(leaf, true);
  if (!goes && !leaf.holds_tables) return;
  // What the tables of a whole stream lie in is soon as it was.
  if (leaf.holds_tables) leaf.line = before;
  sync();
  visit(spots, 2);
  pause();
  plan_.emit(Verb::kMap) = leaf.line;
  if (leaf.holds_tables) cover(leaf, true);
}

// The limits that a table's descriptor puts on all below it.
void Traffic::race_table(const LeafPlan& leaf, const std::vector<Spot>& spots) {
  const ContextPlan& context = plan_.streams[leaf.stream].contexts[leaf.context];
  unsigned start = leaf.level;
  for (const TreePlan& tree : context.halves)
    if (std::any_of(tree.leaves.begin(), tree.leaves.end(), [&](size_t i) { return &plan_.leaves[i] == &leaf; }))
      start = tree.start;
  const unsigned level = start < leaf.level ? static_cast<unsigned>(draw_.between(start, leaf.level - 1)) : leaf.level;
  // A pointer is kept when it comes, or when the table below it has been read.
  const unsigned slow = draw_.chance(65) ? level : std::min(level + 1, leaf.level);
  depart(spots, descriptor_of(leaf, slow), leaf.output);
  if (level < leaf.level) {
    Line& line = plan_.emit(Verb::kPointer);
    line.place = leaf.place;
    line.number = leaf.address;
    line.set("level", level);
    line.set("ap", draw_.below(4)).set("xn", draw_.below(2)).set("pxn", draw_.below(2));
  }
  cover(leaf, false);
}

// A stream or context is something else for a while.
void Traffic::race_configuration(const LeafPlan& leaf, const std::vector<Spot>& spots) {
  const StreamPlan& stream = plan_.streams[leaf.stream];
  Line line;
  line.place.stream = stream.id;
  const bool entry = leaf.place.stage2 || draw_.chance(50);
  line.verb = entry ? Verb::kStream : Verb::kCd;
  if (!entry) line.place = leaf.place;
  Line slow = line;
  slow.word = entry ? "ste" : "cd";
  depart(spots, slow, leaf.output);
  const bool valid = draw_.chance(50) || !entry;
  line.set(valid ? "V" : "Config", valid ? 0 : draw_.pick({0u, 4u}));
  plan_.emit(line.verb) = line;
  cover_configuration(stream, line.place, entry);
  sync();
  visit(spots, draw_.between(1, 5));
  pause();
  line.fields[0].value = valid ? 1 : stream.config;
  plan_.emit(line.verb) = line;
  cover_configuration(stream, line.place, entry);
}

}  // namespace lockstep::smmu_rtl_bridge
