// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/player/world.h"

#include <algorithm>

#include "smmu_rtl_bridge/bits.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

constexpr uint64_t kStructureBytes = 64;
// Of 512 bits, which one a line flips.
constexpr uint64_t kStructureBits = 512;
constexpr uint64_t kAddresses = ones(52);
// Normal memory at indices 0 to 3, devices from 4.
constexpr uint64_t kDefaultMair = 0x0c080400'4f44bbff;

uint64_t mixed(uint64_t value) {
  value = (value ^ value >> 31) * 0x9e3779b97f4a7c15;
  value = (value ^ value >> 29) * 0xbf58476d1ce4e5b9;
  return value ^ value >> 32;
}

uint64_t get(const FieldRow* row, const StructureWords& words) { return row->get(words.data()); }
uint64_t ste_field(const StructureWords& words, std::string_view name) { return get(find_ste_field(name), words); }

unsigned granule_of_tg0(uint64_t code) { return code == 1 ? 16 : code == 2 ? 14 : 12; }
unsigned granule_of_tg1(uint64_t code) { return code == 3 ? 16 : code == 1 ? 14 : 12; }
uint64_t tg0_of_granule(unsigned log2) { return log2 == 16 ? 1 : log2 == 14 ? 2 : 0; }

// Fields of a line in a structure: those with names, whole words, and bits to flip.
void apply(const Line& line, StructureWords& words, const FieldRow* (*find)(std::string_view)) {
  for (const Field& field : line.fields) {
    if (const FieldRow* row = find(field.name)) {
      row->set(words.data(), field.value);
    } else if (field.name.size() == 2 && field.name[0] == 'w') {
      words[static_cast<size_t>(field.name[1] - '0')] = field.value;
    } else if (field.name == "flip") {
      const uint64_t bit = field.value % kStructureBits;
      words[bit / 64] ^= uint64_t{1} << bit % 64;
    }
  }
}

unsigned level_shift(unsigned granule_log2, unsigned level) { return granule_log2 + (3 - level) * (granule_log2 - 3); }

// Neighbours that a contiguous hint stands for, log2.
unsigned contiguous_log2(unsigned granule_log2, unsigned level) {
  if (granule_log2 == 12) return 4;
  if (granule_log2 == 14) return level == 3 ? 7 : 5;
  return level >= 2 ? 5 : 0;
}

}  // namespace

void World::set_stream_table(uint64_t base, uint32_t config) {
  stream_table_ = base & kAddresses & ~ones(6);
  stream_table_config_ = config;
}

void World::carry_out(const Line& line) {
  switch (line.verb) {
    case Verb::kStream:
      return stream(line);
    case Verb::kCd:
      return context(line);
    case Verb::kMap:
      return map(line);
    case Verb::kUnmap:
      return unmap(line);
    case Verb::kDescriptor:
      return descriptor(line);
    case Verb::kPointer:
      return pointer(line);
    case Verb::kPoke:
      return poke(line);
    default:
      return;
  }
}

StructureWords World::words_at(uint64_t address) {
  StructureWords words{};
  memory_.read(address, words.data(), kStructureBytes);
  return words;
}

std::optional<uint64_t> World::ste_place(uint32_t stream) const {
  const unsigned log2size = stream_table_config_ & 63;
  const unsigned usable = std::min(log2size, features_.stream_bits());
  if (usable < 32 && stream >> usable != 0) return std::nullopt;
  const bool two_level = (stream_table_config_ >> 16 & 3) == 1 && features_.two_level_stream_table();
  if (!two_level) {
    const uint64_t base = stream_table_ & ~ones(log2size + 6);
    return base + uint64_t{stream} * kStructureBytes;
  }
  unsigned split = stream_table_config_ >> 6 & 31;
  if (split != 8 && split != 10) split = 6;
  const uint64_t base = stream_table_ & ~ones(std::max(6u, log2size > split ? log2size - split + 3 : 0));
  const auto level1 = level1_.find(base + (uint64_t{stream} >> split) * 8);
  if (level1 == level1_.end()) return std::nullopt;
  return level1->second + (stream & ones(split)) * kStructureBytes;
}

StructureWords World::default_ste(uint32_t stream, unsigned config) const {
  StructureWords words{};
  const auto set = [&](std::string_view name, uint64_t value) { find_ste_field(name)->set(words.data(), value); };
  set("V", 1);
  set("Config", config);
  set("SHCFG", 1);
  const bool forced = features_.stall_model() == 2;
  if (config == 5 || config == 7) {
    set("S1ContextPtr", default_place::kContextTables + (uint64_t{stream} & 0x7ff) * 0x10000);
    set("S1CIR", 1);
    set("S1COR", 1);
    set("S1CSH", 3);
  }
  if (config == 6 || config == 7) {
    const unsigned granule = features_.smallest_granule();
    set("S2VMID", (stream + 1) & ones(features_.vmid_bits()));
    set("S2T0SZ", std::max(25u, 64 - features_.output_bits()));
    set("S2SL0", 1);
    set("S2IR0", 1);
    set("S2OR0", 1);
    set("S2SH0", 3);
    set("S2TG", tg0_of_granule(granule));
    set("S2PS", features_.output_code());
    set("S2AA64", 1);
    set("S2ENDI", features_.endianness() == 3);
    set("S2R", 1);
    set("S2S", forced);
    set("S2TTB", default_place::kStage2Roots + (uint64_t{stream} & 0xff) * 0x100000);
  }
  return words;
}

void World::stream(const Line& line) {
  const uint32_t id = line.place.stream;
  const unsigned log2size = stream_table_config_ & 63;
  const unsigned usable = std::min(log2size, features_.stream_bits());
  if (usable < 32 && id >> usable != 0) return;
  const bool two_level = (stream_table_config_ >> 16 & 3) == 1 && features_.two_level_stream_table();
  if (two_level) {
    unsigned split = stream_table_config_ >> 6 & 31;
    if (split != 8 && split != 10) split = 6;
    const uint64_t base = stream_table_ & ~ones(std::max(6u, log2size > split ? log2size - split + 3 : 0));
    const uint64_t place = base + (uint64_t{id} >> split) * 8;
    const bool known = level1_.count(place);
    if (!known || line.has("l1") || line.has("leaf") || line.has("span")) {
      const uint64_t otherwise =
          known ? level1_[place] : default_place::kStreamLeaves + ((uint64_t{id} >> split) & 0x7ff) * 0x10000;
      const uint64_t leaf = line.get("leaf", otherwise) & kAddresses & ~ones(split + 6);
      level1_[place] = leaf;
      put64(place, line.get("l1", leaf | (line.get("span", split + 1) & 31)));
    }
  }
  const uint64_t place = *ste_place(id);
  constexpr std::string_view kKinds[] = {"abort", "", "", "", "bypass", "s1", "s2", "nested"};
  unsigned config = features_.stage1() ? 5 : 6;
  if (!line.word.empty()) config = static_cast<unsigned>(std::find(kKinds, kKinds + 8, line.word) - kKinds);
  const bool fresh = !structures_.count(place);
  StructureWords words = fresh ? default_ste(id, config) : words_at(place);
  if (!fresh && !line.word.empty()) find_ste_field("Config")->set(words.data(), config);
  apply(line, words, find_ste_field);
  structures_[place] = true;
  if (fresh && line.get("identity", config == 7 && !line.has("S2TTB"))) write_identity(id, words);
  if (fresh && (config & 5) == 5 && !line.has("S1ContextPtr")) write_context({id, 0, false, false}, words, nullptr);
  write_(place, words.data(), kStructureBytes);
}

// The low 4 GiB in blocks of the start level, which is enough for everything that has a default place.
void World::write_identity(uint32_t stream, const StructureWords& words) {
  const Tree tree = stage2_tree(words, stream);
  const unsigned shift = level_shift(tree.granule_log2, tree.start);
  if (tree.start == 0 || tree.start == 3 || shift < 24) return;
  constexpr uint64_t kEverything = 0x4fd;  // read, write, inner shareable write-back, accessed
  constexpr uint64_t kShareable = 0x300;
  for (uint64_t address = 0; address < uint64_t{1} << 32; address += uint64_t{1} << shift) {
    const uint64_t place = place_in(tree, tree.base, tree.start, address);
    store(tree, place, address | kEverything | kShareable);
  }
}

StructureWords World::default_cd(const Place& place) const {
  StructureWords words{};
  const auto set = [&](std::string_view name, uint64_t value) { find_cd_field(name)->set(words.data(), value); };
  const uint64_t number = uint64_t{place.stream} * 16 + place.substream;
  const unsigned granule = features_.smallest_granule();
  set("V", 1);
  set("AA64", 1);
  set("T0SZ", 25);
  set("TG0", tg0_of_granule(granule));
  set("IR0", 1);
  set("OR0", 1);
  set("SH0", 3);
  set("T1SZ", 25);
  set("TG1", granule == 12 ? 2 : granule == 14 ? 1 : 3);
  set("IR1", 1);
  set("OR1", 1);
  set("SH1", 3);
  set("EPD1", 1);
  set("IPS", features_.output_code());
  set("ENDI", features_.endianness() == 3);
  set("R", 1);
  set("A", 1);
  set("S", features_.stall_model() == 2);
  set("ASID", (number + 1) & ones(features_.asid_bits()));
  const uint64_t root = default_place::kStage1Roots + (mixed(number) & 0x7ff) * 0x20000;
  set("TTB0", root);
  set("TTB1", root + 0x10000);
  set("MAIR", kDefaultMair);
  return words;
}

std::optional<uint64_t> World::context_place(const Place& place, const StructureWords& ste, const Line* creating) {
  if ((ste_field(ste, "Config") & 5) != 5) return std::nullopt;
  const StructureWords* through = ste_field(ste, "Config") == 7 ? &ste : nullptr;
  const auto count_log2 = static_cast<unsigned>(features_.substream_bits() ? ste_field(ste, "S1CDMax") : 0);
  const uint64_t index = place.substream;
  if (count_log2 < 20 && index >> count_log2 != 0) return std::nullopt;
  const uint64_t pointer = ste_field(ste, "S1ContextPtr");
  const uint64_t format = count_log2 ? ste_field(ste, "S1Fmt") : 0;
  if (format != 1 && format != 2) {
    const uint64_t base = pointer & ~ones(count_log2 + 6);
    return physical(through, base + index * kStructureBytes);
  }
  const unsigned split = format == 1 ? 6 : 10;
  const uint64_t base = pointer & ~ones(std::max(6u, count_log2 > split ? count_log2 - split + 3 : 0));
  const uint64_t place1 = physical(through, base + (index >> split) * 8);
  const auto known = context1_.find(place1);
  if (!creating && known == context1_.end()) return std::nullopt;
  if (creating && (known == context1_.end() || creating->has("leaf") || creating->has("l1"))) {
    const uint64_t otherwise = known != context1_.end()
                                   ? known->second
                                   : default_place::kContextLeaves +
                                         (mixed(place.stream * uint64_t{0x10000} + (index >> split)) & 0x7ff) * 0x10000;
    const uint64_t leaf = creating->get("leaf", otherwise) & kAddresses & ~ones(split + 6);
    context1_[place1] = leaf;
    put64(place1, creating->get("l1", leaf | 1));
  }
  return physical(through, context1_[place1] + (index & ones(split)) * kStructureBytes);
}

std::optional<uint64_t> World::cd_place(const Place& place) {
  const auto ste = ste_place(place.stream);
  if (!ste) return std::nullopt;
  return context_place(place, words_at(*ste), nullptr);
}

void World::write_context(const Place& place, const StructureWords& ste, const Line* line) {
  const Line nothing;
  const auto at = context_place(place, ste, line ? line : &nothing);
  if (!at) return;
  const bool fresh = !structures_.count(*at);
  if (!line && !fresh) return;
  StructureWords words = fresh ? default_cd(place) : words_at(*at);
  if (line) apply(*line, words, find_cd_field);
  structures_[*at] = true;
  write_(*at, words.data(), kStructureBytes);
}

void World::context(const Line& line) {
  const auto ste = ste_place(line.place.stream);
  if (ste) write_context(line.place, words_at(*ste), &line);
}

World::Tree World::stage2_tree(const StructureWords& ste, uint32_t stream) {
  Tree tree;
  tree.stage2 = true;
  tree.granule_log2 = granule_of_tg0(ste_field(ste, "S2TG"));
  tree.input_bits = std::clamp(64 - static_cast<unsigned>(ste_field(ste, "S2T0SZ")), tree.granule_log2 + 1, 52u);
  const auto code = static_cast<unsigned>(ste_field(ste, "S2SL0"));
  tree.start = tree.granule_log2 == 12 ? (code == 3 ? 3 : 2 - code) : 3 - code;
  tree.big_endian = ste_field(ste, "S2ENDI");
  const unsigned shift = level_shift(tree.granule_log2, tree.start);
  const unsigned entries_log2 = tree.input_bits > shift ? tree.input_bits - shift : 0;
  tree.base = ste_field(ste, "S2TTB") & ~ones(entries_log2 + 3);
  tree.hash = mixed(stream + 0x1234567);
  return tree;
}

std::optional<World::Tree> World::tree_of(const Place& place, uint64_t address) {
  const auto at = ste_place(place.stream);
  if (!at) return std::nullopt;
  const StructureWords ste = words_at(*at);
  if (place.stage2) {
    if ((ste_field(ste, "Config") & 6) != 6) return std::nullopt;
    return stage2_tree(ste, place.stream);
  }
  const auto cd_at = context_place(place, ste, nullptr);
  if (!cd_at) return std::nullopt;
  const StructureWords cd = words_at(*cd_at);
  const auto field = [&](std::string_view name) { return get(find_cd_field(name), cd); };
  const bool upper = address >> 55 & 1;
  Tree tree;
  tree.granule_log2 = upper ? granule_of_tg1(field("TG1")) : granule_of_tg0(field("TG0"));
  const auto size = static_cast<unsigned>(field(upper ? "T1SZ" : "T0SZ"));
  tree.input_bits = std::clamp(64 - size, tree.granule_log2 + 1, 52u);
  const unsigned stride = tree.granule_log2 - 3;
  tree.start = 3 - (tree.input_bits - 1 - tree.granule_log2) / stride;
  tree.big_endian = field("ENDI");
  const unsigned entries_log2 = tree.input_bits - level_shift(tree.granule_log2, tree.start);
  tree.base = field(upper ? "TTB1" : "TTB0") & ~ones(entries_log2 + 3);
  tree.hash = mixed(field("ASID") * 2 + upper);
  if (ste_field(ste, "Config") == 7) {
    tree.ste = ste;
    tree.nested = true;
  }
  return tree;
}

uint64_t World::load(const Tree& tree, uint64_t place) {
  const uint64_t stored = memory_.get64(place);
  return tree.big_endian ? __builtin_bswap64(stored) : stored;
}

void World::store(const Tree& tree, uint64_t place, uint64_t descriptor) {
  put64(place, tree.big_endian ? __builtin_bswap64(descriptor) : descriptor);
}

uint64_t World::output_field(const Tree& tree, uint64_t address) const {
  uint64_t field = address & ones(48);
  if (tree.granule_log2 == 16 && features_.output_bits() == 52) field |= (address >> 48 & 0xf) << 12;
  return field;
}

std::optional<uint64_t> World::walk_stage2(const StructureWords& ste, uint64_t address) {
  const Tree tree = stage2_tree(ste, 0);
  if (address >> tree.input_bits != 0) return std::nullopt;
  uint64_t table = tree.base;
  for (unsigned level = tree.start; level <= 3; ++level) {
    const uint64_t place = place_in(tree, table, level, address);
    const auto next = tables_.find(place);
    if (next != tables_.end()) {
      table = next->second;
      continue;
    }
    const uint64_t descriptor = load(tree, place);
    if (!(descriptor & 1)) return std::nullopt;
    const unsigned shift = level_shift(tree.granule_log2, level);
    uint64_t output = descriptor & ones(48) & ~ones(shift);
    if (tree.granule_log2 == 16 && features_.output_bits() == 52) output |= (descriptor >> 12 & 0xf) << 48;
    return output | (address & ones(shift));
  }
  return std::nullopt;
}

uint64_t World::physical(const StructureWords* ste, uint64_t address) {
  if (!ste) return address;
  const std::pair<uint64_t, uint64_t> page = {ste_field(*ste, "S2TTB"), address >> 12};
  if (const auto found = walk_stage2(*ste, address)) {
    last_physical_[page] = *found & ~ones(12);
    return *found;
  }
  const auto last = last_physical_.find(page);
  return (last == last_physical_.end() ? address & ~ones(12) : last->second) | (address & ones(12));
}

uint64_t World::place_in(const Tree& tree, uint64_t table, unsigned level, uint64_t address) {
  const unsigned shift = level_shift(tree.granule_log2, level);
  const uint64_t inside = level == tree.start ? ones(tree.input_bits) : ones(shift + tree.granule_log2 - 3);
  const uint64_t place = table + ((address & inside) >> shift) * 8;
  return physical(tree.nested ? &tree.ste : nullptr, place & kAddresses);
}

std::optional<World::Slot> World::reach(const Tree& tree, uint64_t address, unsigned level,
                                        std::optional<uint64_t> tables) {
  uint64_t table = tree.base;
  unsigned at = tree.start;
  uint64_t place = place_in(tree, table, at, address);
  for (; at < level; ++at) {
    const auto known = tables_.find(place);
    if (known != tables_.end()) {
      table = known->second;
    } else {
      if (!tables) return std::nullopt;
      table = *tables + (uint64_t{at - tree.start} << tree.granule_log2);
      tables_[place] = table;
      store(tree, place, output_field(tree, table) | 3);
    }
    place = place_in(tree, table, at + 1, address);
  }
  return Slot{place, at};
}

void World::map(const Line& line) {
  const uint64_t address = line.number;
  const auto tree = tree_of(line.place, address);
  if (!tree) return;
  const auto level = static_cast<unsigned>(std::clamp<uint64_t>(line.get("level", 3), tree->start, 3));
  const unsigned shift = level_shift(tree->granule_log2, level);
  // 256 KiB hold the tables of one line at every granule.
  const uint64_t spot = mixed(tree->hash ^ (address & ones(52)) >> shift) & 0xfff;
  const uint64_t tables =
      line.get("tables", default_place::kTables + spot * 0x40000) & kAddresses & ~ones(tree->granule_log2);
  const uint64_t otherwise = tree->stage2 ? address : default_place::kData | (address & (default_place::kData - 1));
  const uint64_t output = line.get("pa", otherwise);

  uint64_t bits = line.get("sh", 3) << 8 | line.get("af", 1) << 10 | line.get("dbm", 0) << 51;
  if (tree->stage2) {
    bits |= (line.get("memattr", 15) & 15) << 2 | (line.get("s2ap", 3) & 3) << 6 | (line.get("xn", 0) & 3) << 53;
  } else {
    bits |= (line.get("attr", 0) & 7) << 2 | line.get("ns", 0) << 5 | (line.get("ap", 1) & 3) << 6 |
            line.get("ng", 1) << 11 | line.get("pxn", 0) << 53 | line.get("xn", 0) << 54;
  }
  bits |= line.get("or", 0) | (level == 3 ? 3 : 1);
  for (const Field& field : line.fields)
    if (field.name == "flip") bits ^= uint64_t{1} << field.value % 64;

  const unsigned group = line.has("cont") ? contiguous_log2(tree->granule_log2, level) : 0;
  if (group) bits |= uint64_t{1} << 52;
  const uint64_t first = address & ~ones(shift + group);
  for (uint64_t i = 0; i < uint64_t{1} << group; ++i) {
    const auto slot = reach(*tree, first + (i << shift), level, tables);
    if (!slot) return;
    tables_.erase(slot->place);
    store(*tree, slot->place, output_field(*tree, (output & ~ones(shift + group)) + (i << shift)) ^ bits);
  }
}

void World::unmap(const Line& line) {
  const auto tree = tree_of(line.place, line.number);
  if (!tree) return;
  const auto level = static_cast<unsigned>(std::clamp<uint64_t>(line.get("level", 3), tree->start, 3));
  const auto slot = reach(*tree, line.number, level, std::nullopt);
  if (!slot) return;
  tables_.erase(slot->place);
  store(*tree, slot->place, line.get("value", 0));
}

void World::descriptor(const Line& line) {
  const auto tree = tree_of(line.place, line.number);
  if (!tree) return;
  const auto level = static_cast<unsigned>(std::clamp<uint64_t>(line.get("level", 3), tree->start, 3));
  const auto slot = reach(*tree, line.number, level, std::nullopt);
  if (!slot) return;
  uint64_t value = line.get("value", load(*tree, slot->place));
  for (const Field& field : line.fields)
    if (field.name == "flip") value ^= uint64_t{1} << field.value % 64;
  store(*tree, slot->place, value);
}

void World::pointer(const Line& line) {
  const auto tree = tree_of(line.place, line.number);
  if (!tree) return;
  const auto level = static_cast<unsigned>(std::clamp<uint64_t>(line.get("level", 2), tree->start, 2));
  const auto slot = reach(*tree, line.number, level, std::nullopt);
  if (!slot || !tables_.count(slot->place)) return;
  uint64_t value = load(*tree, slot->place) & ~(uint64_t{31} << 59);
  value |= (line.get("pxn", 0) & 1) << 59 | (line.get("xn", 0) & 1) << 60 | (line.get("ap", 0) & 3) << 61 |
           (line.get("ns", 0) & 1) << 63 | line.get("or", 0);
  store(*tree, slot->place, value);
}

void World::poke(const Line& line) {
  const uint64_t value = line.get("value", 0);
  const uint64_t size = line.get("size", 8) == 4 ? 4 : 8;
  write_(line.number & kAddresses & ~(size - 1), &value, size);
}

std::optional<uint64_t> World::fetched_by(const Line& line) {
  if (line.word == "page") return line.number;
  const auto ste = ste_place(line.place.stream);
  if (line.word == "ste") return ste;
  if (line.word == "l1ste") {
    unsigned split = stream_table_config_ >> 6 & 31;
    if (split != 8 && split != 10) split = 6;
    return (stream_table_ & ~ones(6)) + (uint64_t{line.place.stream} >> split) * 8;
  }
  if (!ste) return std::nullopt;
  if (line.word == "cd") return cd_place(line.place);
  if (line.word == "l1cd") {
    const StructureWords words = words_at(*ste);
    const unsigned split = ste_field(words, "S1Fmt") == 1 ? 6 : 10;
    const StructureWords* through = ste_field(words, "Config") == 7 ? &words : nullptr;
    return physical(through, ste_field(words, "S1ContextPtr") + (uint64_t{line.place.substream} >> split) * 8);
  }
  const auto tree = tree_of(line.place, line.number);
  if (!tree) return std::nullopt;
  const auto level = static_cast<unsigned>(std::clamp<uint64_t>(line.get("level", 3), tree->start, 3));
  const auto slot = reach(*tree, line.number, level, std::nullopt);
  if (!slot) return std::nullopt;
  return slot->place;
}

}  // namespace lockstep::smmu_rtl_bridge
