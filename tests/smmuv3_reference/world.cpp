// SPDX-License-Identifier: Apache-2.0
#include "tests/smmuv3_reference/world.h"

#include <algorithm>

namespace lockstep::smmuv3_reference {
namespace {

using Random = std::mt19937_64;

uint64_t mask(int bits) { return bits >= 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1; }

class Builder {
 public:
  explicit Builder(const WorldOptions& options) : options_(options), random_(options.seed) {
    static const int kSizes[] = {32, 36, 40, 42, 44, 48, 52, 52};
    oas_ = kSizes[options.idr5 & 7];
    if (options.idr5 & 0x10) granules_.push_back(12);
    if (options.idr5 & 0x20) granules_.push_back(14);
    if (options.idr5 & 0x40) granules_.push_back(16);
    // Allocations lie low, so that all output sizes reach them, or somewhere high.
    next_physical_ = uint64_t{0x100000};
  }

  World build();

 private:
  struct Tree {
    int granule = 12, input_bits = 0, start = 0, output_bits = 0;
    uint64_t base = 0;  // in the space that the tables lie in
    bool big = false, upper = false, stage2 = false;
    int regime = 0;
    uint16_t vmid = 0, asid = 0;
  };
  // The intermediate address space of one stream.
  struct Guest {
    bool on = false;
    Tree tree;
    std::map<uint64_t, std::pair<uint64_t, uint64_t>> pages;  // ipa -> (size, physical)
    uint64_t next = 0x40000;
  };

  bool chance(int percent) { return int(random_() % 100) < percent; }
  uint64_t below(uint64_t n) { return random_() % n; }
  template <typename T>
  T pick(const std::vector<T>& from) {
    return from[below(from.size())];
  }
  static uint64_t align_up(uint64_t value, uint64_t size) { return (value + size - 1) / size * size; }

  uint64_t allocate(uint64_t size) {
    next_physical_ = align_up(next_physical_, size);
    const uint64_t result = next_physical_;
    next_physical_ += size;
    return result;
  }
  // A place for `size` bytes of the guest's tables, in its own space.
  uint64_t allocate_in(Guest& guest, uint64_t size) {
    if (!guest.on) return allocate(size);
    guest.next = align_up(guest.next, size);
    const uint64_t result = guest.next;
    guest.next += size;
    for (uint64_t at = 0; at < size; at += 4096) ensure(guest, result + at);
    return result;
  }
  uint64_t physical(Guest& guest, uint64_t address) {
    if (!guest.on) return address;
    ensure(guest, address);
    auto page = guest.pages.upper_bound(address);
    if (page == guest.pages.begin()) return address;
    --page;
    if (address - page->first >= page->second.first) return address;
    return page->second.second + (address - page->first);
  }
  void put(Guest& guest, uint64_t address, uint64_t value) {
    const uint64_t at = physical(guest, address);
    world_.memory.put64(at, value);
    world_.structures.push_back(at);
  }
  void put_descriptor(const Tree& tree, Guest& space, uint64_t address, uint64_t value) {
    put(space, address, tree.big ? __builtin_bswap64(value) : value);
  }

  static int level_shift(const Tree& tree, int level) { return tree.granule + (tree.granule - 3) * (3 - level); }
  bool block_ok(const Tree& tree, int level) const {
    if (level == 2) return true;
    return level == 1 && (tree.granule == 12 || (tree.granule == 16 && oas_ == 52));
  }
  uint64_t address_bits(const Tree& tree, uint64_t address) const {
    uint64_t field = address & mask(48);
    if (tree.granule == 16 && oas_ == 52) field |= (address >> 48 & 0xf) << 12;
    return field;
  }
  uint64_t table_size(const Tree& tree) const {
    return uint64_t{8} << (tree.input_bits - level_shift(tree, tree.start));
  }

  void note(const Tree& tree, Guest& space, uint64_t place, uint64_t input, int level, bool leaf) {
    World::Descriptor descriptor;
    descriptor.place = physical(space, place);
    descriptor.input = tree.upper ? input | ~mask(tree.input_bits) : input;
    descriptor.size = uint64_t{1} << level_shift(tree, level);
    descriptor.granule = tree.granule;
    descriptor.level = level;
    descriptor.leaf = leaf;
    descriptor.stage2 = tree.stage2;
    descriptor.big = tree.big;
    descriptor.regime = tree.regime;
    descriptor.vmid = tree.vmid;
    descriptor.asid = tree.asid;
    world_.descriptors.push_back(descriptor);
  }
  void ensure(Guest& guest, uint64_t ipa, int hostile_percent = 4);
  uint64_t leaf_bits(const Tree& tree, bool permissive);
  // Maps one input address; `space` is where the tables lie. Returns the output and the size of the leaf.
  std::pair<uint64_t, uint64_t> map(const Tree& tree, Guest& space, uint64_t input, bool permissive);

  uint64_t make_ste(Guest& guest, World::Stream& stream, uint64_t words[8], int number);
  void make_cd(Guest& guest, World::Stream& stream, int stream_number, int number, bool el2, uint64_t address,
               bool stall_disabled);
  uint16_t vmid_of(int number) const { return uint16_t((number + 1) & (options_.idr0 >> 18 & 1 ? 0xffff : 0xff)); }
  uint16_t asid_of(int number) const { return uint16_t(number & (options_.idr0 >> 12 & 1 ? 0xffff : 0xff)); }
  Tree make_tree(Guest& space, int granule, int size_offset, int output_bits, bool big);
  void damage(uint64_t* words, int count);
  int granule_or_odd() { return pick(granules_); }
  int stall_choice() { return int(options_.idr0 >> 24 & 3); }

  const WorldOptions& options_;
  Random random_;
  World world_;
  int oas_;
  std::vector<int> granules_;
  uint64_t next_physical_;
  std::map<uint64_t, uint64_t> tables_;  // descriptor place (physical) -> next table, so that trees share their tables
};

uint64_t Builder::leaf_bits(const Tree& tree, bool permissive) {
  uint64_t bits = 0;
  if (permissive || chance(85)) bits |= uint64_t{1} << 10;
  if (tree.stage2) {
    bits |= below(16) << 2;
    bits |= below(4) << 8;
    const uint64_t access = permissive || chance(70) ? 3 : below(4);
    bits |= access << 6;
    if (!permissive && chance(40)) bits |= below(4) << 53;
    if (permissive) bits = (bits & ~uint64_t{0x3c}) | 0xf << 2;
  } else {
    bits |= below(8) << 2;
    if (options_.secure && chance(40)) bits |= 1 << 5;
    bits |= below(4) << 8;
    bits |= (chance(60) ? 1 : below(4)) << 6;
    if (options_.cacheable || chance(60)) bits |= uint64_t{1} << 11;
    if (chance(40)) bits |= below(4) << 53;
  }
  if (chance(40)) bits |= uint64_t{1} << 51;
  if (!options_.cacheable && chance(20)) bits |= uint64_t{1} << 52;
  if (chance(20)) bits |= below(16) << 55;
  return bits;
}

std::pair<uint64_t, uint64_t> Builder::map(const Tree& tree, Guest& space, uint64_t input, bool permissive) {
  uint64_t table = tree.base;
  int top = tree.input_bits;
  for (int level = tree.start;; ++level) {
    const int shift = level_shift(tree, level);
    const uint64_t place = table + ((input & mask(top)) >> shift) * 8;
    const uint64_t at = physical(space, place);
    uint64_t descriptor = world_.memory.get64(at);
    if (tree.big) descriptor = __builtin_bswap64(descriptor);
    const auto known = tables_.find(at);
    if (known != tables_.end()) {
      table = known->second;
      top = shift;
      continue;
    }
    if (descriptor != 0) return {0, 0};  // a leaf of an earlier mapping, or damage
    const bool leaf = level == 3 || (block_ok(tree, level) && chance(permissive ? 15 : 25));
    if (leaf) {
      const uint64_t size = uint64_t{1} << shift;
      uint64_t output;
      if (permissive || chance(40)) {
        output = allocate(size);
        if (output + size > mask(tree.output_bits)) return {0, 0};
      } else {
        output = random_() & mask(options_.damage && chance(10) ? 52 : int(tree.output_bits)) & ~mask(shift);
        if (space.on && !chance(5)) output &= mask(std::min(space.tree.input_bits, oas_));
      }
      put_descriptor(tree, space, place,
                     address_bits(tree, output) | leaf_bits(tree, permissive) | (level == 3 ? 3 : 1));
      note(tree, space, place, input, level, true);
      return {output, size};
    }
    const uint64_t next = allocate_in(space, uint64_t{1} << tree.granule);
    uint64_t pointer = address_bits(tree, next) | 3;
    if (options_.secure && chance(10)) pointer |= uint64_t{1} << 63;
    // Limits of table descriptors in a few places; software bits anywhere.
    if (!tree.stage2 && chance(25)) pointer |= below(16) << 59;
    if (chance(20)) pointer |= below(8) << 2 | below(16) << 55 >> 3;
    put_descriptor(tree, space, place, pointer);
    note(tree, space, place, input, level, false);
    tables_[physical(space, place)] = next;
    table = next;
    top = shift;
  }
}

// Stage 2 of a page of the guest's, mostly with all permissions.
void Builder::ensure(Guest& guest, uint64_t ipa, int hostile_percent) {
  auto page = guest.pages.upper_bound(ipa);
  if (page != guest.pages.begin()) {
    --page;
    if (ipa - page->first < page->second.first) return;
  }
  Guest flat;
  const bool hostile = (options_.damage || hostile_percent > 4) && chance(hostile_percent);
  const auto [output, size] = map(guest.tree, flat, ipa, !hostile);
  if (size != 0) {
    guest.pages[ipa & ~(size - 1)] = {size, output};
  } else {
    guest.pages[ipa & ~mask(12)] = {4096, allocate(4096)};
  }
}

Builder::Tree Builder::make_tree(Guest& space, int granule, int size_offset, int output_bits, bool big) {
  Tree tree;
  tree.granule = granule;
  tree.input_bits = 64 - size_offset;
  tree.output_bits = output_bits;
  tree.big = big;
  tree.start = 3;
  while (granule + (granule - 3) * (4 - tree.start) < tree.input_bits) --tree.start;
  tree.base = allocate_in(space, std::max<uint64_t>(table_size(tree), 64));
  return tree;
}

void Builder::damage(uint64_t* words, int count) {
  if (!options_.damage) return;
  if (chance(15)) {
    for (int flips = 1 + int(below(2)); flips > 0; --flips) words[below(count)] ^= uint64_t{1} << below(64);
  } else if (chance(2)) {
    for (int i = 0; i < count; ++i) words[i] = random_();
  }
}

void Builder::make_cd(Guest& guest, World::Stream& stream, int stream_number, int number, bool el2, uint64_t address,
                      bool stall_disabled) {
  uint64_t words[8] = {};
  static const std::vector<int> kSizes = {32, 36, 40, 42, 44, 48, 52};
  const bool stt = options_.idr3 >> 9 & 1;
  const bool va52 = (options_.idr5 >> 10 & 3) == 1;
  const int ips = chance(60) ? 6 : int(below(8));
  const int output_bits = std::min(kSizes[std::min(ips, 6)], oas_);
  const int endianness = int(options_.idr0 >> 21 & 3);
  const bool big = endianness == 3 || (endianness == 0 && chance(25));
  words[0] |= uint64_t(ips) << 32 | uint64_t{big} << 15;
  Tree trees[2];
  for (int half = 0; half < 2; ++half) {
    const int granule = pick(granules_);
    const int largest = stt ? (granule == 16 ? 47 : 48) : 39;
    const int smallest = va52 && granule == 16 ? 12 : 16;
    const int size = smallest + int(below(uint64_t(largest - smallest + 1)));
    static const uint64_t kCode0[] = {0, 2, 1};
    static const uint64_t kCode1[] = {2, 1, 3};
    const uint64_t code = half ? kCode1[(granule - 12) / 2] : kCode0[(granule - 12) / 2];
    if (half == 1 && el2 && chance(50)) continue;
    Tree& tree = trees[half];
    tree = make_tree(guest, granule, size, output_bits, big);
    tree.upper = half == 1;
    tree.regime = el2;
    tree.vmid = vmid_of(stream_number);
    tree.asid = asid_of(number);
    words[0] |= (uint64_t(size) | code << 6 | below(64) << 8 | uint64_t{chance(6)} << 14) << (16 * half);
    // Address bits below the table's size are ignored.
    const uint64_t ignored = below(std::max<uint64_t>(table_size(tree), output_bits == 52 ? 64 : 16)) & ~mask(4);
    words[1 + half] =
        (tree.base & mask(52)) | ignored | uint64_t{options_.secure && chance(20)} | uint64_t{chance(30)} << 1;
    if (chance(20)) words[0] |= uint64_t{1} << (38 + half);
    const int mappings = 3;
    for (int i = 0; i < mappings; ++i) {
      uint64_t input = random_() & mask(tree.input_bits);
      if (i > 0 && !stream.addresses.empty() && chance(60))
        input = (stream.addresses.back() ^ below(uint64_t{1} << std::min(tree.input_bits, 22))) & mask(tree.input_bits);
      const auto [output, size_of_leaf] = map(tree, guest, input, false);
      if (guest.on && size_of_leaf && chance(85) && output <= mask(guest.tree.input_bits))
        ensure(guest, output + (input & (size_of_leaf - 1)), 50);
      uint64_t full = input;
      if (half) full |= ~mask(tree.input_bits);
      if ((words[0] >> (38 + half) & 1) && chance(50)) full = (full & mask(56)) | random_() << 56;
      stream.addresses.push_back(full);
      if (chance(10)) stream.addresses.push_back(full ^ uint64_t{1} << below(64));
    }
  }
  const int httu = int(options_.idr0 >> 6 & 3);
  words[0] |= uint64_t{1} << 31 | uint64_t{1} << 41;
  words[0] |= uint64_t{chance(25)} << 35 | uint64_t{chance(20)} << 36 | uint64_t{chance(20)} << 37;
  words[0] |= uint64_t{chance(20)} << 40;
  if (httu > 0 && chance(50)) words[0] |= uint64_t{1} << 43;
  if (httu > 1 && chance(50)) words[0] |= uint64_t{1} << 42;
  const int stall = stall_choice();
  if (stall == 2 || (stall == 0 && !stall_disabled && chance(15))) words[0] |= uint64_t{1} << 44;
  words[0] |= uint64_t{chance(80)} << 45;
  if ((options_.idr0 >> 26 & 1) || chance(75)) words[0] |= uint64_t{1} << 46;
  words[0] |= uint64_t{chance(30)} << 47;
  words[3] = random_();
  // Half of the attributes are ordinary memory.
  if (chance(50)) words[3] = 0xff44bb4f0c080400;
  damage(words, 8);
  if (options_.cacheable || !chance(3)) words[0] = (words[0] & mask(48)) | uint64_t{asid_of(number)} << 48;
  for (int i = 0; i < 8; ++i) put(guest, address + 8 * uint64_t(i), words[i]);
}

uint64_t Builder::make_ste(Guest& guest, World::Stream& stream, uint64_t words[8], int number) {
  const bool s1 = options_.idr0 >> 1 & 1, s2 = options_.idr0 & 1;
  static const std::vector<int> kBoth = {5, 5, 6, 7, 7, 7, 4, 0};
  int config = pick(kBoth);
  if (!s1) config &= ~1;
  if (!s2) config &= ~2;
  if (config == 4 && chance(70)) config = s1 ? 5 : 6;
  words[0] |= 1 | uint64_t(config) << 1;
  words[1] |= below(64) << 2 | (below(4) << 18 & uint64_t{3} << 18);
  words[1] |= uint64_t{chance(30)} << 36 | below(16) << 32;
  if (chance(30)) words[1] |= below(16) << 37;
  words[1] |= (chance(60) ? 1 : below(4)) << 44;
  if (chance(30)) words[1] |= below(4) << 48;
  if (chance(30)) words[1] |= below(4) << 50;
  if (chance(30)) words[1] |= uint64_t{1} << 25;
  if (options_.idr0 >> 10 & 1) {
    if (chance(60)) words[1] |= uint64_t{1} << 28;
    if (config == 7 && !(options_.idr0 >> 11 & 1) && chance(30))
      words[1] = (words[1] & ~(uint64_t{3} << 28)) | uint64_t{2} << 28;
  }
  const int stall = stall_choice();
  bool stall_disabled = stall == 0 && chance(20);
  words[1] |= uint64_t{stall_disabled} << 27;
  // One EL2 address space a world at most, because nothing tells two of them apart in caches.
  const bool hyp = (options_.idr0 >> 9 & 1) || options_.secure;
  const bool el2 = config == 5 && hyp && number == 0 && chance(60);
  if (el2) words[1] |= uint64_t{options_.secure ? 1u : 2u} << 30;
  if (options_.secure) words[1] |= below(4) << 46;

  if (config & 2) {
    static const std::vector<int> kSizes = {32, 36, 40, 42, 44, 48, 52};
    guest.on = true;
    const bool stt = options_.idr3 >> 9 & 1;
    const int granule = pick(granules_);
    const int ps = chance(70) ? 6 : int(below(8));
    const int output_bits = std::min(kSizes[std::min(ps, 6)], oas_);
    const int endianness = int(options_.idr0 >> 21 & 3);
    const bool big = endianness == 3 || (endianness == 0 && chance(25));
    int size = 0, sl0 = 0;
    for (int tries = 0; tries < 1000; ++tries) {
      const int smallest = std::max(granule == 16 ? 12 : 16, 64 - oas_);
      const int largest = std::min(stt ? 48 : 39, 38);
      size = smallest + int(below(uint64_t(std::max(1, largest - smallest + 1))));
      sl0 = int(below(granule == 12 ? 4 : 3));
      static const int kStart4[] = {2, 1, 0, 3};
      const int start = granule == 12 ? kStart4[sl0] : 3 - sl0;
      const int least = (3 - start) * (granule - 3) + granule + 1;
      if (64 - size < least || 64 - size > least + granule - 3 - 1 + 4) continue;
      if (sl0 == 3 && !stt) continue;
      if (sl0 == 2 && oas_ < (granule == 14 ? 42 : 44)) continue;
      guest.tree.start = start;
      break;
    }
    Tree& tree = guest.tree;
    tree.granule = granule;
    tree.input_bits = 64 - size;
    tree.output_bits = output_bits;
    tree.big = big;
    tree.stage2 = true;
    tree.vmid = vmid_of(number);
    tree.base = allocate(std::max<uint64_t>(table_size(tree), 64));
    static const uint64_t kCode[] = {0, 2, 1};
    words[2] |= uint64_t(size) << 32 | uint64_t(sl0) << 38 | below(64) << 40 | kCode[(granule - 12) / 2] << 46;
    words[2] |= uint64_t(ps) << 48 | uint64_t{1} << 51 | uint64_t{big} << 52 | uint64_t{chance(25)} << 53;
    words[2] |= uint64_t{chance(20)} << 54;
    const int httu = int(options_.idr0 >> 6 & 3);
    if (httu > 0 && chance(50)) words[2] |= uint64_t{1} << 56;
    if (httu > 1 && chance(50)) words[2] |= uint64_t{1} << 55;
    const bool ats = words[1] >> 28 & 3;
    if (stall == 2 || (stall == 0 && !ats && chance(15))) words[2] |= uint64_t{1} << 57;
    words[2] |= uint64_t{chance(80)} << 58;
    words[3] = tree.base | (below(std::max<uint64_t>(table_size(tree), output_bits == 52 ? 64 : 16)) & ~mask(4));
    for (int i = 0; i < 4; ++i) {
      const uint64_t ipa = random_() & mask(std::min(tree.input_bits, oas_));
      Guest flat;
      map(tree, flat, ipa, false);
      stream.addresses.push_back(ipa);
    }
  }
  if (config & 1) {
    const int ssidsize = int(options_.idr1 >> 6 & 31);
    const bool one_space = options_.cacheable && el2;
    const int cd_log2 = ssidsize && !one_space && chance(50) ? 1 + int(below(std::min(ssidsize, 12))) : 0;
    const bool two_level = options_.idr0 >> 19 & 1;
    const int format = two_level ? int(below(3)) : 0;
    words[0] |= uint64_t(format) << 4 | uint64_t(cd_log2) << 59;
    words[1] |= chance(80) ? 1 + below(2) : below(4);
    std::vector<uint32_t> indices = {0};
    if (cd_log2) indices.push_back(uint32_t(1 + below((uint64_t{1} << cd_log2) - 1)));
    if (cd_log2) stream.substreams = indices;
    if (cd_log2 && chance(20)) stream.substreams.push_back(uint32_t(below(uint64_t{2} << cd_log2)));
    uint64_t pointer;
    const int leaf_log2 = format == 1 ? 6 : 10;
    if (format == 0 || cd_log2 == 0) {
      pointer = allocate_in(guest, uint64_t{64} << cd_log2);
    } else {
      const int level1 = std::max(0, cd_log2 - leaf_log2);
      pointer = allocate_in(guest, std::max<uint64_t>(64, uint64_t{8} << level1));
    }
    words[0] |= pointer;
    std::map<uint64_t, uint64_t> leaves;
    for (size_t i = 0; i < indices.size(); ++i) {
      const uint32_t index = indices[i];
      uint64_t address = pointer + uint64_t{index} * 64;
      if (format != 0 && cd_log2 != 0) {
        uint64_t& leaf = leaves[index >> leaf_log2];
        if (leaf == 0) {
          leaf = allocate_in(guest, uint64_t{64} << leaf_log2);
          uint64_t descriptor = leaf | uint64_t{!chance(4)};
          damage(&descriptor, 1);
          put(guest, pointer + uint64_t{index >> leaf_log2} * 8, descriptor);
        }
        address = leaf + (index & mask(leaf_log2)) * 64;
      }
      make_cd(guest, stream, number, number * 4 + int(i) + 1, el2, address, stall_disabled);
      stream.contexts.emplace_back(index, physical(guest, address));
    }
  }
  damage(words, 8);
  if (options_.cacheable && !el2) words[1] &= ~(uint64_t{3} << 30);
  if (options_.cacheable || !chance(3)) words[2] = (words[2] & ~mask(16)) | vmid_of(number);
  return 0;
}

World Builder::build() {
  const int sidsize = int(options_.idr1 & 63);
  const int streams = 1 + int(below(4));
  int log2size = std::min(sidsize, 1 + int(below(12)));
  if (chance(5)) log2size = int(below(uint64_t(sidsize) + 3));
  log2size = std::min(log2size, 13);
  const bool two_level = (options_.idr0 >> 27 & 3) && chance(60);
  static const std::vector<int> kSplits = {6, 8, 10};
  const int split = pick(kSplits);
  world_.strtab_base_cfg = uint32_t(log2size | (split << 6) | (two_level ? 1 << 16 : 0));
  const int level1 = std::max(0, log2size - split);
  world_.strtab_base = allocate(two_level ? std::max<uint64_t>(64, uint64_t{8} << level1) : uint64_t{64} << log2size);
  std::map<uint64_t, uint64_t> leaves;
  const int usable = std::min(log2size, sidsize);
  for (int i = 0; i < streams; ++i) {
    World::Stream stream;
    stream.id = uint32_t(below(uint64_t{1} << usable));
    Guest guest;
    uint64_t words[8] = {};
    make_ste(guest, stream, words, i);
    uint64_t address = world_.strtab_base + uint64_t{stream.id} * 64;
    if (two_level) {
      uint64_t& leaf = leaves[stream.id >> split];
      if (leaf == 0) {
        const int span = chance(95) ? split + 1 : int(below(32));
        leaf = allocate(uint64_t{64} << split);
        uint64_t descriptor = leaf | uint64_t(span);
        damage(&descriptor, 1);
        world_.memory.put64(world_.strtab_base + uint64_t{stream.id >> split} * 8, descriptor);
      }
      address = leaf + (stream.id & mask(split)) * 64;
    }
    for (int w = 0; w < 8; ++w) world_.memory.put64(address + 8 * uint64_t(w), words[w]);
    world_.structures.push_back(address);
    stream.entry = address;
    stream.addresses.push_back(random_());
    stream.addresses.push_back(random_() & mask(oas_));
    stream.addresses.push_back(mask(oas_) + 1);
    world_.streams.push_back(stream);
  }
  if (options_.damage) {
    for (int i = int(below(3)); i > 0; --i) {
      const uint64_t at = pick(world_.structures);
      if (chance(60)) {
        world_.memory.put64(at & ~uint64_t{7}, world_.memory.get64(at & ~uint64_t{7}) ^ uint64_t{1} << below(64));
      } else if (chance(40)) {
        world_.memory.break_page(at);
      }
    }
  }
  return world_;
}

}  // namespace

World make_world(const WorldOptions& options) { return Builder(options).build(); }

uint64_t changed(std::mt19937_64& random, uint64_t descriptor, const World::Descriptor& d) {
  if (!d.leaf) return random() % 2 ? 0 : descriptor ^ uint64_t { 1 } << (59 + random() % 4);
  switch (random() % 6) {
    case 0:
      return 0;
    case 1:
      return descriptor ^ 1 << 10;
    case 2:
      return descriptor ^ 1 << (6 + random() % 2);
    case 3:
      return descriptor ^ uint64_t { 1 } << (53 + random() % 2);
    case 4:
      return descriptor ^ 1 << (2 + random() % 4);
    default:
      return descriptor ^ uint64_t { 1 } << (d.granule == 16 ? 31 : 30);
  }
}

}  // namespace lockstep::smmuv3_reference
