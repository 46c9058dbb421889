// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "smmu_rtl_bridge/bits.h"
#include "smmu_rtl_bridge/script/vocabulary.h"
#include "smmu_rtl_bridge/stimulus/plan.h"

namespace lockstep::smmu_rtl_bridge {

namespace {

// Tables and structures lie below, so that they are in reach of the smallest output size.
constexpr uint64_t kAllocationsEnd = uint64_t{0x9000'0000};
// Intermediate addresses of each stream's tables: apart from physical ones, so that a script that lost a mapping of
// stage 2 does not write tables over others.
constexpr uint64_t kGuestTables = 0x9000'0000, kGuestTablesEach = 0x1000'0000, kGuests = 6;

}  // namespace

uint64_t Plan::allocate(uint64_t size) {
  next_ = (next_ + size - 1) / size * size;
  if (next_ + size > kAllocationsEnd) next_ = (uint64_t{0x10'0000} + size - 1) / size * size;
  const uint64_t result = next_;
  next_ += size;
  return result;
}

void Plan::make_world() {
  make_setup();
  const size_t count = 1 + draw_.below(mix_.streams);
  streams.resize(count);
  for (size_t i = 0; i < count; ++i) make_stream(i);
  for (size_t i = 0; i < count; ++i)
    if (!streams[i].is_sharer && draw_.chance(mix_.damage)) damage(i);
}

void Plan::make_setup() {
  Line& line = emit(Verb::kSetup);
  const unsigned stream_bits = features_.stream_bits();
  const unsigned log2size = std::min<unsigned>(stream_bits, draw_.chance(5) ? 0 : 3 + draw_.below(10));
  two_level = features_.two_level_stream_table() && draw_.chance(mix_.two_level_streams);
  const unsigned split = draw_.pick({6u, 8u, 10u});
  const unsigned level1 = log2size > split ? log2size - split : 0;
  line.set("STRTAB_BASE",
           allocate(two_level ? std::max<uint64_t>(64, uint64_t{8} << level1) : uint64_t{64} << log2size));
  line.set("STRTAB_BASE_CFG", log2size | (two_level ? split << 6 | 1u << 16 : 0));
  const auto queue = [&](const char* name, unsigned log2_max, unsigned entry_log2) {
    unsigned log2 = std::min(log2_max, 5 + static_cast<unsigned>(draw_.below(4)));
    if (draw_.chance(mix_.small_queues)) log2 = std::min<unsigned>(log2_max, static_cast<unsigned>(draw_.below(3)));
    // Pages of their own, so that what breaks structures does not break queues.
    line.set(name, allocate(std::max<uint64_t>(4096, uint64_t{1} << (log2 + entry_log2))) | log2);
  };
  queue("CMDQ_BASE", features_.cmdq_log2(), 4);
  queue("EVENTQ_BASE", features_.evtq_log2(), 5);
  if (features_.pri()) queue("PRIQ_BASE", features_.priq_log2(), 4);
  if (draw_.chance(mix_.attributes)) line.set("CR1", draw_.below(0x1000));
  uint64_t control2 = draw_.chance(80) ? 2 : 0;
  if (features_.hypervisor() && draw_.chance(50)) control2 |= 1;
  if (features_.ats_records() && draw_.chance(60)) control2 |= 8;
  e2h = control2 & 1;
  line.set("CR2", control2);
  if (draw_.chance(30)) line.set("GBPA", draw_.any() & (draw_.chance(30) ? 0x101fff1f : 0x0f3f1f));
  control = 0xd | (features_.pri() ? 2 : 0);
  if (features_.ats() && draw_.chance(30)) control |= 0x10;
  if (features_.vmid_wildcards() && draw_.chance(10)) {
    vmid_wildcard = static_cast<unsigned>(draw_.below(5));
    control |= vmid_wildcard << 6;
  }
  line.set("CR0", control);
  if (features_.msi() && draw_.chance(mix_.messages)) {
    const uint64_t page = messages = allocate(4096);
    for (const char* name : {"GERROR", "EVENTQ", "PRIQ"}) {
      if (name[0] == 'P' && !features_.pri()) continue;
      if (draw_.chance(30)) continue;
      line.set(std::string(name) + "_IRQ_CFG0", page + (name[0] & 15) * 16);
      line.set(std::string(name) + "_IRQ_CFG1", draw_.any() & 0xffffffff);
      const uint64_t last_only = name[0] == 'P' && draw_.chance(50) ? uint64_t{1} << 31 : 0;
      line.set(std::string(name) + "_IRQ_CFG2", (draw_.chance(50) ? draw_.below(64) : 0x3f) | last_only);
    }
  }
  if (draw_.chance(20)) line.set("IRQ_CTRL", draw_.below(8));
}

// A number that is not used yet and differs in one bit, not below `low`, from one that is; any where all are used.
uint64_t Plan::neighbour(std::vector<uint64_t>& used, unsigned low, unsigned bits) {
  const auto is_new = [&](uint64_t value) { return std::find(used.begin(), used.end(), value) == used.end(); };
  uint64_t value = draw_.any() & ones(bits) & ~ones(low);
  if (used.size() >> (bits - low) != 0) return value;
  constexpr unsigned kTries = 8;
  for (unsigned tries = 0; tries < kTries && !used.empty(); ++tries) {
    value = draw_.pick(used) ^ uint64_t { 1 } << draw_.between(low, bits - 1);
    if (is_new(value)) break;
  }
  while (!is_new(value)) value = (value + (uint64_t{1} << low)) & ones(bits);
  used.push_back(value);
  return value;
}

void Plan::make_stream(size_t index) {
  StreamPlan& stream = streams[index];
  const uint64_t config = lines_[0].get("STRTAB_BASE_CFG", 0);
  const unsigned usable = std::min<unsigned>(config & 63, features_.stream_bits());
  for (unsigned tries = 0; tries < 20; ++tries) {
    stream.id = static_cast<uint32_t>(draw_.below(uint64_t{1} << usable));
    if (index > 0 && usable > 0 && draw_.chance(30))
      stream.id = streams[draw_.below(index)].id ^ uint32_t { 1 } << draw_.below(usable);
    const bool taken = std::any_of(streams.begin(), streams.begin() + static_cast<std::ptrdiff_t>(index),
                                   [&](const StreamPlan& other) { return other.id == stream.id; });
    if (!taken) break;
    // A table with few places: the stream becomes one that is there already.
    if (tries == 19) {
      const uint32_t id = stream.id;
      for (size_t i = 0; i < index; ++i)
        if (streams[i].id == id) stream = streams[i];
      stream.is_sharer = true;
      return;
    }
  }
  if (index > 0 && draw_.chance(mix_.shared)) {
    const size_t other = draw_.below(index);
    if (!streams[other].is_sharer && !streams[other].el2 && streams[other].config > 4) return share(index, other);
  }
  const unsigned weights[] = {features_.stage1() ? mix_.stage1 : 0, features_.stage2() ? mix_.stage2 : 0,
                              features_.stage1() && features_.stage2() ? mix_.nested : 0, mix_.bypass, mix_.abort};
  unsigned total = 0;
  for (const unsigned weight : weights) total += weight;
  constexpr unsigned kConfigs[] = {5, 6, 7, 4, 0};
  constexpr const char* kKinds[] = {"s1", "s2", "nested", "bypass", "abort"};
  const size_t kind = total ? draw_.weighted(weights) : features_.stage1() ? 0 : 1;
  stream.config = kConfigs[kind];
  // The lowest bits may be wildcards of invalidations.
  constexpr unsigned kWildcardBits = 4;
  stream.vmid = neighbour(vmids_, kWildcardBits, features_.vmid_bits());
  stream.guest_next = kGuestTables + index % kGuests * kGuestTablesEach;

  Line line;
  line.verb = Verb::kStream;
  line.word = kKinds[kind];
  line.place.stream = stream.id;
  if (two_level) {
    const uint64_t split = config >> 6 & 31;
    bool known = false;
    for (size_t i = 0; i < index; ++i) known |= streams[i].id >> split == stream.id >> split;
    if (!known) line.set("leaf", allocate(uint64_t{64} << split));
  }
  if (stream.config > 4) line.set("S2VMID", stream.vmid);
  if (draw_.chance(mix_.attributes)) {
    line.set("MTCFG", draw_.below(2)).set("MemAttr", draw_.below(16));
    if (draw_.chance(50)) line.set("ALLOCCFG", draw_.below(16));
    if (draw_.chance(50)) line.set("SHCFG", draw_.below(4));
  }
  if (odd(25)) line.set("PRIVCFG", draw_.below(4));
  if (odd(25)) line.set("INSTCFG", draw_.below(4));
  if (draw_.chance(30)) line.set("MEV", 1);
  if (features_.pri() && draw_.chance(40)) line.set("PPAR", 1);
  const bool one_el2 = std::none_of(streams.begin(), streams.end(), [](const StreamPlan& s) { return s.el2; });
  if (stream.config == 5 && features_.hypervisor() && one_el2 && draw_.chance(mix_.el2)) {
    stream.el2 = true;
    line.set("STRW", 2);
  }
  if (features_.ats() && stream.config > 4 && draw_.chance(mix_.ats)) {
    stream.ats = stream.config == 7 && !features_.no_split_stage_ats() && draw_.chance(35) ? 2 : 1;
    if (features_.stall_model() == 2 && stream.has_stage2()) stream.ats = 0;
    line.set("EATS", stream.ats);
  }
  if (stream.has_stage2()) make_stage2(index, line);
  if (stream.has_stage1()) {
    const unsigned bits = features_.substream_bits();
    // Nothing tells two EL2 spaces apart in caches.
    if (bits != 0 && !stream.el2 && draw_.chance(mix_.substreams)) {
      stream.substreams_log2 = static_cast<unsigned>(draw_.between(1, std::min(bits, 12u)));
      stream.format = features_.two_level_cd() && draw_.chance(mix_.two_level_contexts)
                          ? static_cast<unsigned>(draw_.between(1, 2))
                          : 0;
      stream.default_substream = 2;
      if (odd(60)) stream.default_substream = draw_.chance(75) ? 1 : draw_.pick({0u, 3u});
      line.set("S1CDMax", stream.substreams_log2).set("S1DSS", stream.default_substream);
      if (stream.format) line.set("S1Fmt", stream.format);
    }
    if (features_.stall_model() == 0 && draw_.chance(15)) line.set("S1STALLD", 1);
    if (draw_.chance(mix_.attributes))
      line.set("S1CIR", draw_.below(4)).set("S1COR", draw_.below(4)).set("S1CSH", draw_.below(4));
  }
  stream.line = line;
  const size_t at = lines_.size();
  lines_.push_back(line);
  if (stream.has_stage1()) make_contexts(index);
  lines_[at] = stream.line;
  if (!stream.has_stage1()) {
    const unsigned few = stream.config == 6 ? odd(100) : 3;
    for (unsigned i = 0; i < few; ++i) stream.addresses.push_back(draw_.any() & ones(features_.output_bits()));
    if (draw_.chance(mix_.holes)) stream.addresses.push_back(ones(features_.output_bits()) + 1);
  }
  if (stream.config == 6) {
    for (unsigned i = 0; i < mix_.mappings; ++i) {
      const uint64_t address = draw_.any() & ones(std::min(stream.stage2.input_bits, features_.output_bits()));
      if (map(index, 0, stream.stage2, address, false) || draw_.chance(mix_.holes)) stream.addresses.push_back(address);
    }
    if (stream.addresses.empty()) stream.addresses.push_back(draw_.any() & ones(features_.output_bits()));
  }
}

// Another stream with the same tables: what one of them brings into a cache serves the other.
void Plan::share(size_t index, size_t other) {
  const uint32_t id = streams[index].id;
  streams[index] = streams[other];
  StreamPlan& stream = streams[index];
  stream.id = id;
  stream.is_sharer = true;
  stream.sharers.clear();
  streams[other].sharers.push_back(index);
  stream.line.place.stream = id;
  std::erase_if(stream.line.fields, [](const Field& field) { return field.name == "leaf"; });
  if (two_level) {
    const uint64_t split = lines_[0].get("STRTAB_BASE_CFG", 0) >> 6 & 31;
    bool known = false;
    for (size_t i = 0; i < index; ++i) known |= streams[i].id >> split == id >> split;
    if (!known) stream.line.set("leaf", allocate(uint64_t{64} << split));
  }
  if (stream.has_stage2()) {
    std::erase_if(stream.line.fields, [](const Field& field) { return field.name == "identity"; });
    // A simple stage 2 is the default one of the other stream.
    stream.line.set("identity", 0);
  }
  lines_.push_back(stream.line);
}

// One thing that makes a structure illegal or odd, in a line of its own.
void Plan::damage(size_t index) {
  StreamPlan& stream = streams[index];
  if (!stream.sharers.empty()) return;
  stream.damaged = true;
  Damage damage;
  damage.stream = index;
  const bool of_context = stream.has_stage1() && draw_.chance(50);
  Line line;
  line.verb = of_context ? Verb::kCd : Verb::kStream;
  line.place.stream = stream.id;
  if (of_context) {
    const ContextPlan& context = draw_.pick(stream.contexts);
    line.place.substream = context.substream;
    line.place.has_substream = context.substream != 0;
  }
  damage.cure = line;
  if (draw_.chance(35)) {
    // Any bit but those that caches tell address spaces apart by.
    uint64_t bit = draw_.below(256);
    const bool tag = of_context ? bit >= 47 && bit < 64 : (bit >= 128 && bit < 144) || bit == 94 || bit == 95;
    if (tag) bit = of_context ? 31 : 0;
    line.set("flip", bit);
    damage.cure.set("flip", bit);
  } else {
    struct Bad {
      const char* name;
      uint64_t value;
    };
    static constexpr Bad kBadEntries[] = {{"V", 0},
                                          {"S1CDMax", 31},
                                          {"S1Fmt", 2},
                                          {"STRW", 1},
                                          {"S1STALLD", 1},
                                          {"EATS", 2},
                                          {"S2TG", 3},
                                          {"S2AA64", 0},
                                          {"S2T0SZ", 63},
                                          {"S2T0SZ", 0},
                                          {"S2SL0", 3},
                                          {"S2S", 1},
                                          {"S2ENDI", 1},
                                          {"S2ENDI", 0},
                                          {"S2HA", 1},
                                          {"S2HD", 1},
                                          {"Config", 1},
                                          {"Config", 3},
                                          {"S1DSS", 3},
                                          {"S2PS", 0},
                                          {"S2TTB", uint64_t{1} << 51},
                                          {"S1ContextPtr", uint64_t{1} << 51}};
    static constexpr Bad kBadContexts[] = {{"V", 0},
                                           {"T0SZ", 63},
                                           {"T0SZ", 0},
                                           {"T1SZ", 0},
                                           {"TG0", 3},
                                           {"TG1", 0},
                                           {"AA64", 0},
                                           {"A", 0},
                                           {"S", 1},
                                           {"S", 0},
                                           {"ENDI", 1},
                                           {"ENDI", 0},
                                           {"HA", 1},
                                           {"HD", 1},
                                           {"IPS", 0},
                                           {"EPD1", 0},
                                           {"EPD0", 1},
                                           {"TTB0", uint64_t{1} << 51},
                                           {"TTB1", uint64_t{1} << 51}};
    const Bad& bad = of_context ? kBadContexts[draw_.below(std::size(kBadContexts))]
                                : kBadEntries[draw_.below(std::size(kBadEntries))];
    line.set(bad.name, bad.value);
    // What it was is in the line that made it, or the player's default; there a flip back does not work.
    uint64_t before = ~uint64_t{0};
    for (const Line& made : lines_)
      if (made.verb == line.verb && made.place == line.place) before = made.get(bad.name, before);
    damage.cure.set(bad.name, before == ~uint64_t{0} ? bad.value : before);
  }
  lines_.push_back(line);
  damages.push_back(damage);
}

}  // namespace lockstep::smmu_rtl_bridge
