// SPDX-License-Identifier: Apache-2.0
// The translation tables of a world: their sizes, what they map, and where stage 2 puts what stage 1 needs.
#include <algorithm>

#include "smmu_rtl_bridge/bits.h"
#include "smmu_rtl_bridge/script/vocabulary.h"
#include "smmu_rtl_bridge/stimulus/plan.h"

namespace lockstep::smmu_rtl_bridge {

namespace {

constexpr unsigned kOutputBits[] = {32, 36, 40, 42, 44, 48, 52, 52};

unsigned code_of(unsigned granule_log2, bool upper) {
  constexpr unsigned kLower[] = {0, 2, 1}, kUpper[] = {2, 1, 3};
  return (upper ? kUpper : kLower)[(granule_log2 - 12) / 2];
}

uint64_t contiguous_log2(unsigned granule_log2, unsigned level) {
  if (granule_log2 == 12) return 4;
  if (granule_log2 == 14) return level == 3 ? 7 : 5;
  return level >= 2 ? 5 : 0;
}

}  // namespace

unsigned Plan::granule() {
  for (;;) {
    const unsigned granule_log2 = draw_.pick({12u, 14u, 16u});
    if (features_.granule(granule_log2)) return granule_log2;
  }
}

bool Plan::block_allowed(unsigned granule_log2, unsigned level) const {
  if (level == 2) return true;
  return level == 1 && (granule_log2 == 12 || (granule_log2 == 16 && features_.output_bits() == 52));
}

void Plan::make_stage2(size_t index, Line& line) {
  StreamPlan& stream = streams[index];
  TreePlan& tree = stream.stage2;
  tree.place = {stream.id, 0, false, true};
  const unsigned endianness = features_.endianness();
  if (endianness == 0 && draw_.chance(mix_.big_endian)) line.set("S2ENDI", 1);
  if (draw_.chance(mix_.attributes))
    line.set("S2IR0", draw_.below(4)).set("S2OR0", draw_.below(4)).set("S2SH0", draw_.below(4));
  if (features_.force_write_back() && draw_.chance(30)) line.set("S2FWB", 1);
  if (draw_.chance(25)) line.set("S2AFFD", 1);
  if (draw_.chance(20)) line.set("S2PTW", 1);
  if (draw_.chance(mix_.hardware_update)) {
    if (features_.hardware_update() > 0) line.set("S2HA", 1);
    stream.marks_dirty2 = features_.hardware_update() > 1 && draw_.chance(70);
    if (stream.marks_dirty2) line.set("S2HD", 1);
  }
  if (draw_.chance(15)) line.set("S2R", 0);
  if (features_.stall_model() == 2) {
    stream.stalls2 = true;
  } else if (features_.stall_model() == 0 && stream.ats == 0 && draw_.chance(mix_.stalls)) {
    stream.stalls2 = true;
    line.set("S2S", 1);
  }
  tree.granule_log2 = granule();
  const unsigned most = features_.output_bits();
  unsigned size = 0, code = 0;
  for (unsigned tries = 0;; ++tries) {
    const unsigned smallest = std::max(tree.granule_log2 == 16 ? 12u : 16u, 64 - most);
    // At least 32 bits, so that tables have room.
    size = static_cast<unsigned>(draw_.between(smallest, 32));
    code = static_cast<unsigned>(draw_.below(3));
    tree.start = tree.granule_log2 == 12 ? 2 - code : 3 - code;
    const unsigned least = (3 - tree.start) * (tree.granule_log2 - 3) + tree.granule_log2 + 1;
    if (code == 2 && most < (tree.granule_log2 == 14 ? 42u : 44u)) continue;
    if (64 - size >= least && 64 - size <= least + tree.granule_log2 - 3 - 1 + 4) break;
    if (tries > 1000) tree.granule_log2 = granule();
  }
  tree.input_bits = 64 - size;
  const unsigned ps = odd(30) ? static_cast<unsigned>(draw_.below(8)) : features_.output_code();
  tree.output_bits = std::min(kOutputBits[ps], features_.output_bits());
  stream.simple_stage2 = stream.config == 7 && draw_.chance(mix_.identity);
  if (stream.simple_stage2) {
    // The default geometry, mapped as a whole.
    tree.granule_log2 = features_.smallest_granule();
    tree.input_bits = 64 - std::max(25u, 64 - features_.output_bits());
    tree.start = tree.granule_log2 == 12 ? 1 : 2;
    tree.output_bits = features_.output_bits();
    tree.root = allocate(0x10'0000);
    line.set("S2TTB", tree.root).set("identity", 1);
    stream.guest_pages[0] = uint64_t{1} << 32;
    return;
  }
  const unsigned top = tree.input_bits - std::min(tree.input_bits, shift_of(tree.granule_log2, tree.start));
  tree.root = allocate(std::max<uint64_t>(64, uint64_t{8} << top));
  line.set("S2T0SZ", size).set("S2SL0", code).set("S2TG", code_of(tree.granule_log2, false)).set("S2PS", ps);
  line.set("S2TTB", tree.root).set("identity", 0);
}

uint64_t Plan::allocate_guest(size_t index, uint64_t size, unsigned granule_log2) {
  StreamPlan& stream = streams[index];
  if (!stream.two_stages() || stream.simple_stage2) return allocate(size);
  const unsigned own = stream.stage2.granule_log2;
  // Tables that one page of stage 2 does not hold, and others now and then, lie in a block.
  const bool by_page = own == 16 || (granule_log2 <= own && draw_.chance(50));
  if (!by_page && size <= ones(21)) {
    uint64_t place = (stream.arena_next + size - 1) / size * size;
    if (place + size > stream.arena_end) {
      const uint64_t block = uint64_t{1} << shift_of(own, 2);
      stream.guest_next = (stream.guest_next + block - 1) / block * block;
      place = stream.arena_next = stream.guest_next;
      stream.arena_end = stream.guest_next += block;
      Line line;
      line.verb = Verb::kMap;
      line.place = stream.stage2.place;
      line.number = place;
      line.set("pa", allocate(block)).set("level", 2);
      LeafPlan leaf;
      leaf.stream = index;
      leaf.place = line.place;
      leaf.address = place;
      leaf.size = block;
      leaf.level = 2;
      leaf.granule_log2 = own;
      leaf.output = line.get("pa", 0);
      leaf.holds_tables = true;
      if (stream.stage2.start < 2) {
        line.set("tables", allocate(uint64_t{4} << own));
        for (unsigned level = stream.stage2.start; level < 2; ++level)
          stream.stage2.tables.emplace(std::pair(level + 1, place >> shift_of(own, level)), 0);
      }
      leaf.line = line;
      lines_.push_back(line);
      stream.stage2.leaves.push_back(leaves.size());
      leaves.push_back(leaf);
      stream.guest_pages[place] = block;
    }
    stream.arena_next = place + size;
    return place;
  }
  stream.guest_next = (stream.guest_next + size - 1) / size * size;
  const uint64_t place = stream.guest_next;
  stream.guest_next += size;
  return place;
}

void Plan::ensure_guest(size_t index, uint64_t address, bool for_tables) {
  StreamPlan& stream = streams[index];
  if (!stream.two_stages()) return;
  auto page = stream.guest_pages.upper_bound(address);
  if (page != stream.guest_pages.begin()) {
    --page;
    if (address - page->first < page->second) return;
  }
  if (address >> stream.stage2.input_bits != 0) return;
  map(index, 0, stream.stage2, address, for_tables);
}

void Plan::draw_leaf_bits(Line& line, bool stage2, bool permissive, bool single_space) {
  if (!permissive && draw_.chance(mix_.access_flag_clear)) line.set("af", 0);
  if (draw_.chance(mix_.attributes)) line.set("sh", draw_.below(4));
  if (draw_.chance(mix_.hardware_update)) line.set("dbm", 1);
  // Software's own, which the device looks past.
  constexpr uint64_t kOfSoftware = uint64_t{0xf} << 55;
  if (draw_.chance(15)) line.set("or", draw_.any() & kOfSoftware);
  if (stage2) {
    if (!permissive && draw_.chance(mix_.attributes)) line.set("memattr", draw_.below(16));
    if (!permissive && draw_.chance(mix_.permissions)) {
      line.set("s2ap", draw_.below(4));
      if (draw_.chance(40)) line.set("xn", draw_.below(4));
    }
    return;
  }
  if (draw_.chance(mix_.attributes)) line.set("attr", draw_.below(8));
  if (draw_.chance(mix_.permissions)) {
    line.set("ap", draw_.below(4));
    if (draw_.chance(30)) line.set("pxn", 1);
    if (draw_.chance(30)) line.set("xn", 1);
  }
  // Pages of every ASID only where there is one.
  if (single_space && draw_.chance(25)) line.set("ng", 0);
}

bool Plan::map(size_t index, size_t context, TreePlan& tree, uint64_t address, bool permissive) {
  StreamPlan& stream = streams[index];
  const bool stage2 = tree.place.stage2;
  const bool nested = !stage2 && stream.two_stages();
  address &= tree.upper ? ~uint64_t{0} : ones(tree.input_bits);
  const auto table_at = [&](unsigned level) {
    return tree.tables.count({level, (address & ones(tree.input_bits)) >> shift_of(tree.granule_log2, level - 1)}) != 0;
  };
  unsigned level = tree.start;
  while (level < 3 && table_at(level + 1)) ++level;
  const unsigned deepest_table = level;
  while (level < 3 && !(block_allowed(tree.granule_log2, level) && draw_.chance(permissive ? 10 : mix_.blocks)))
    ++level;
  const unsigned shift = shift_of(tree.granule_log2, level);
  unsigned group = static_cast<unsigned>(contiguous_log2(tree.granule_log2, level));
  // Groups only where a whole one fits under one table.
  const unsigned stride =
      level == tree.start ? tree.input_bits - std::min(shift, tree.input_bits) : tree.granule_log2 - 3;
  if (permissive || group == 0 || group > stride || level < 2 || !draw_.chance(mix_.contiguous)) group = 0;
  const uint64_t size = uint64_t{1} << (shift + group);
  const uint64_t base = address & ~(size - 1);
  for (const size_t other : tree.leaves) {
    const LeafPlan& leaf = leaves[other];
    if (base <= leaf.address + (leaf.size - 1) && leaf.address <= base + (size - 1)) return false;
  }
  if (group) {
    // Neighbours must not have tables of their own.
    for (uint64_t i = 0; level < 3 && i < uint64_t{1} << group; ++i)
      if (tree.tables.count({level + 1, ((base + (i << shift)) & ones(tree.input_bits)) >> shift})) group = 0;
    if (group == 0) return false;
  }

  const unsigned bits = tree.output_bits;
  uint64_t output;
  const unsigned reach = nested ? std::min({bits, stream.stage2.input_bits, features_.output_bits()}) : bits;
  if (permissive && size <= uint64_t{1} << 26) {
    output = allocate(size);
  } else {
    output = draw_.any() & ones(reach);
    if (draw_.chance(50)) output &= ones(32);
    if (!permissive && odd(3)) output = draw_.any() & ones(features_.output_bits());
    output &= ~(size - 1);
  }

  Line line;
  line.verb = Verb::kMap;
  line.place = tree.place;
  line.number = base;
  line.set("pa", output);
  if (level != 3) line.set("level", level);
  if (level > deepest_table || level > tree.start) {
    // Tables that are new, one of each level.
    const unsigned count = level - tree.start;
    if (level > deepest_table) {
      const uint64_t tables =
          stage2 ? allocate(uint64_t{4} << tree.granule_log2)
                 : allocate_guest(index, uint64_t{count > 2 ? 4u : count} << tree.granule_log2, tree.granule_log2);
      line.set("tables", tables);
      for (unsigned at = deepest_table; at < level; ++at)
        tree.tables[{at + 1, (address & ones(tree.input_bits)) >> shift_of(tree.granule_log2, at)}] =
            tables + (uint64_t{at - tree.start} << tree.granule_log2);
    }
  }
  if (nested) {
    // What the walk reads must be mapped below.
    uint64_t table = tree.root;
    for (unsigned at = tree.start; at <= level; ++at) {
      const unsigned here = shift_of(tree.granule_log2, at);
      if (at != tree.start) {
        const auto found =
            tree.tables.find({at, (address & ones(tree.input_bits)) >> shift_of(tree.granule_log2, at - 1)});
        table = found == tree.tables.end() ? table : found->second;
      }
      const uint64_t inside = at == tree.start ? ones(tree.input_bits) : ones(here + tree.granule_log2 - 3);
      ensure_guest(index, table + ((base & inside) >> here) * 8, true);
    }
  }
  if (group) line.set("cont");
  // VMIDs tell streams apart only where stage 2 exists.
  draw_leaf_bits(line, stage2, permissive, !stage2 && stream.contexts.size() == 1 && !stream.el2 && features_.stage2());

  // Updates of stage 1 descriptors mark the pages of their tables dirty.
  if (stage2 && permissive && stream.marks_dirty2 && line.has("dbm") && draw_.chance(40)) line.set("s2ap", 1);

  LeafPlan leaf;
  leaf.stream = index;
  leaf.context = context;
  leaf.place = tree.place;
  leaf.address = base;
  leaf.size = size;
  leaf.level = level;
  leaf.granule_log2 = tree.granule_log2;
  leaf.group_log2 = group;
  leaf.output = output;
  leaf.holds_tables = stage2 && permissive;
  leaf.line = line;
  lines_.push_back(line);
  tree.leaves.push_back(leaves.size());
  leaves.push_back(leaf);
  if (stage2) stream.guest_pages[base] = size;
  if (!stage2 && level > tree.start && draw_.chance(mix_.hierarchy)) {
    Line& pointer = emit(Verb::kPointer);
    pointer.place = tree.place;
    pointer.number = base;
    pointer.set("level", draw_.between(tree.start, level - 1));
    if (draw_.chance(50)) pointer.set("ap", draw_.below(4));
    if (draw_.chance(50)) pointer.set("xn", draw_.below(2));
    if (draw_.chance(50)) pointer.set("pxn", draw_.below(2));
  }
  return true;
}

void Plan::make_contexts(size_t index) {
  StreamPlan& stream = streams[index];
  const unsigned log2 = stream.substreams_log2;
  const unsigned leaf_log2 = stream.format == 1 ? 6 : 10;
  const uint64_t bytes = stream.format == 0
                             ? uint64_t{64} << log2
                             : std::max<uint64_t>(64, uint64_t{8} << (log2 > leaf_log2 ? log2 - leaf_log2 : 0));
  stream.context_pointer = allocate_guest(index, bytes, 12);
  stream.line.set("S1ContextPtr", stream.context_pointer);
  // The entry again, with its pointer: contexts are found through it.
  for (size_t i = lines_.size(); i-- > 0;) {
    if (lines_[i].verb == Verb::kStream && lines_[i].place.stream == stream.id) {
      lines_[i] = stream.line;
      break;
    }
  }
  std::vector<uint32_t> indices = {0};
  if (log2) indices.push_back(static_cast<uint32_t>(draw_.between(1, ones(log2))));
  if (log2 > 1 && draw_.chance(30)) {
    auto another = static_cast<uint32_t>(draw_.between(1, ones(log2)));
    if (draw_.chance(50)) another = std::max(1u, indices[1] ^ 1u << draw_.below(log2));
    if (another != indices[1]) indices.push_back(another);
  }
  stream.contexts.resize(indices.size());
  for (size_t i = 0; i < indices.size(); ++i) {
    ContextPlan& context = stream.contexts[i];
    context.substream = indices[i];
    context.asid = neighbour(asids_, 0, features_.asid_bits());
    context.el2 = stream.el2;
    make_context(index, context);
  }
}

void Plan::make_context(size_t index, ContextPlan& context) {
  StreamPlan& stream = streams[index];
  const Place place = {stream.id, context.substream, context.substream != 0, false};
  Line line;
  line.verb = Verb::kCd;
  line.place = place;
  uint64_t cd_at = stream.context_pointer + uint64_t{context.substream} * 64;
  if (stream.format != 0 && stream.substreams_log2 != 0) {
    const unsigned leaf_log2 = stream.format == 1 ? 6 : 10;
    ensure_guest(index, stream.context_pointer + (context.substream >> leaf_log2) * 8, true);
    // Contexts of one leaf share it: the first that comes brings it.
    uint64_t leaf = 0;
    for (const ContextPlan& other : stream.contexts)
      if (&other < &context && other.substream >> leaf_log2 == context.substream >> leaf_log2) leaf = 1;
    if (leaf == 0) {
      leaf = allocate_guest(index, uint64_t{64} << leaf_log2, 16);
      line.set("leaf", leaf);
      cd_at = leaf + (context.substream & ones(leaf_log2)) * 64;
      ensure_guest(index, cd_at, true);
    } else {
      for (size_t i = lines_.size(); i-- > 0;) {
        if (lines_[i].verb == Verb::kCd && lines_[i].place.stream == stream.id && lines_[i].has("leaf") &&
            lines_[i].place.substream >> leaf_log2 == context.substream >> leaf_log2) {
          ensure_guest(index, lines_[i].get("leaf", 0) + (context.substream & ones(leaf_log2)) * 64, true);
          break;
        }
      }
    }
  } else {
    ensure_guest(index, cd_at, true);
  }
  const unsigned ips = odd(40) ? static_cast<unsigned>(draw_.below(8)) : features_.output_code();
  const unsigned output_bits = std::min(kOutputBits[ips], features_.output_bits());
  line.set("IPS", ips).set("ASID", context.asid);
  if (features_.endianness() == 0 && draw_.chance(mix_.big_endian)) line.set("ENDI", 1);
  for (unsigned half = 0; half < 2; ++half) {
    if (half == 1 && (!draw_.chance(mix_.upper_half) || (context.el2 && !e2h))) continue;
    TreePlan tree;
    tree.place = place;
    tree.upper = half == 1;
    tree.granule_log2 = granule();
    const unsigned largest = features_.small_tables() ? (tree.granule_log2 == 16 ? 47 : 48) : 39;
    const unsigned smallest = features_.va52() && tree.granule_log2 == 16 ? 12 : 16;
    const auto size = static_cast<unsigned>(draw_.between(smallest, largest));
    tree.input_bits = 64 - size;
    tree.output_bits = output_bits;
    tree.start = 3 - (tree.input_bits - 1 - tree.granule_log2) / (tree.granule_log2 - 3);
    const unsigned top = tree.input_bits - shift_of(tree.granule_log2, tree.start);
    tree.root = allocate_guest(index, std::max<uint64_t>(64, uint64_t{8} << top), 12);
    const std::string n = half ? "1" : "0";
    // Bits below the first table's size do not count.
    const uint64_t ignored = draw_.chance(20) ? draw_.any() & ones(top + 3) & ~ones(4) : 0;
    line.set("T" + n + "SZ", size).set("TG" + n, code_of(tree.granule_log2, tree.upper));
    line.set("TTB" + n, tree.root | ignored);
    if (half == 1) line.set("EPD1", 0);
    if (odd(5)) line.set("EPD0", half == 0);
    if (draw_.chance(25)) {
      tree.top_byte_ignored = true;
      line.set("TBI" + n, 1);
    }
    if (draw_.chance(20)) line.set("HAD" + n, 1);
    if (draw_.chance(mix_.attributes))
      line.set("IR" + n, draw_.below(4)).set("OR" + n, draw_.below(4)).set("SH" + n, draw_.below(4));
    context.halves.push_back(tree);
  }
  // A field that both halves may have set stands once.
  for (size_t i = 0; i < line.fields.size(); ++i)
    for (size_t j = line.fields.size(); --j > i;)
      if (line.fields[j].name == line.fields[i].name)
        line.fields.erase(line.fields.begin() + static_cast<std::ptrdiff_t>(j));
  if (draw_.chance(25)) line.set("AFFD", 1);
  if (odd(15)) line.set("WXN", 1);
  if (odd(15)) line.set("UWXN", 1);
  if (odd(15)) line.set("PAN", 1);
  if (draw_.chance(15)) line.set("ASET", 1);
  if (draw_.chance(mix_.hardware_update)) {
    if (features_.hardware_update() > 0) line.set("HA", 1);
    if (features_.hardware_update() > 1 && draw_.chance(70)) line.set("HD", 1);
  }
  if (draw_.chance(15)) line.set("R", 0);
  if (!features_.terminate_abort_only() && draw_.chance(25)) line.set("A", 0);
  if (features_.stall_model() == 2) {
    context.stalls = true;
  } else if (features_.stall_model() == 0 && !stream.line.has("S1STALLD") && draw_.chance(mix_.stalls)) {
    context.stalls = true;
    line.set("S", 1);
  }
  if (draw_.chance(mix_.attributes)) line.set("MAIR", draw_.any());
  lines_.push_back(line);

  const auto at = static_cast<size_t>(&context - stream.contexts.data());
  for (TreePlan& tree : context.halves) {
    uint64_t previous = draw_.any();
    for (unsigned i = 0; i < mix_.mappings; ++i) {
      uint64_t address = draw_.any();
      if (i > 0 && draw_.chance(60)) address = previous ^ draw_.below(uint64_t{1} << std::min(tree.input_bits, 22u));
      address &= ones(tree.input_bits);
      previous = address;
      if (tree.upper) address |= ~ones(tree.input_bits);
      const bool mapped = map(index, at, tree, address, false);
      if (mapped && stream.two_stages() && !odd(5)) {
        const LeafPlan& leaf = leaves[tree.leaves.back()];
        ensure_guest(index, leaf.output + (address & (leaf.size - 1)), !draw_.chance(mix_.permissions));
      }
      if (!mapped && !draw_.chance(mix_.holes)) continue;
      if (tree.top_byte_ignored && draw_.chance(50)) address = (address & ones(56)) | draw_.any() << 56;
      context.addresses.push_back(address);
    }
  }
  if (context.addresses.empty()) context.addresses.push_back(draw_.any());
}

}  // namespace lockstep::smmu_rtl_bridge
