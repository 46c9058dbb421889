// SPDX-License-Identifier: Apache-2.0
#include "tests/smmuv3_reference/reference.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "tests/smmuv3_reference/reference_attributes.h"

namespace lockstep::smmuv3_reference {
namespace {

uint64_t get(uint64_t word, int high, int low) {
  uint64_t result = 0;
  for (int i = high; i >= low; --i) result = result * 2 + ((word >> i) & 1);
  return result;
}

// Field [high:low] of a structure that is numbered from bit 0 of its first word, within one word.
struct Structure {
  std::array<uint64_t, 8> words{};
  uint64_t operator()(int high, int low) const { return get(words[low / 64], high % 64, low % 64); }
  bool operator()(int position) const { return (*this)(position, position) != 0; }
};

uint64_t two_to(int n) { return uint64_t{1} << n; }

// What ends a translation: an event, or silence (type 0).
struct Stop {
  int type = 0;
  int fault_class = 2;
  bool stage2 = false;
  uint64_t ipa = 0, fetch = 0;
  bool ttrnw = false;
  bool read_missing = false;
};

enum World { kNsEl1, kEl2, kEl2E2h };

// Permissions at one privilege level.
struct Permission {
  bool r = false, w = false, x = false;
};

class Translation {
 public:
  Translation(const Registers& registers, const Memory& memory, const Request& request)
      : reg(registers), mem(memory), req(request) {
    static const int kSizes[] = {32, 36, 40, 42, 44, 48, 52, 52};
    oas = kSizes[reg.idr5 & 7];
    pnu = req.privileged;
    reads = !req.write && !req.atomic;
    ind = reads && req.instruction;
  }

  Answer run();

 private:
  const Registers& reg;
  const Memory& mem;
  const Request& req;
  int oas;
  bool reads, pnu, ind;
  Structure ste, cd;
  World world = kNsEl1;
  bool have_ste = false, have_cd = false;

  // Features as the ID registers tell them.
  bool s1p() const { return get(reg.idr0, 1, 1); }
  bool s2p() const { return get(reg.idr0, 0, 0); }
  bool hyp() const { return get(reg.idr0, 9, 9); }
  bool ats() const { return get(reg.idr0, 10, 10); }
  int httu() const { return int(get(reg.idr0, 7, 6)); }
  int ttendian() const { return int(get(reg.idr0, 22, 21)); }
  int stall_model() const { return int(get(reg.idr0, 25, 24)); }
  int ssidsize() const { return int(get(reg.idr1, 10, 6)); }
  bool stt() const { return get(reg.idr3, 9, 9); }
  bool granule_supported(int log2) const {
    return (log2 == 12 && get(reg.idr5, 4, 4)) || (log2 == 14 && get(reg.idr5, 5, 5)) ||
           (log2 == 16 && get(reg.idr5, 6, 6));
  }
  int size_of(int code) const {
    static const int kSizes[] = {32, 36, 40, 42, 44, 48, 52, 52};
    return std::min(kSizes[code], oas);
  }

  // Configuration.
  void fetch(uint64_t address, unsigned bytes, void* data, int event);
  void find_ste();
  bool ste_illegal() const;
  void find_cd(uint32_t index);
  bool cd_illegal() const;
  void fetch_context(uint64_t address, unsigned bytes, void* data);
  int config() const { return int(ste(3, 1)); }
  bool stage1_on() const { return (config() & 5) == 5; }
  bool stage2_on() const { return (config() & 6) == 6; }
  int substreams_log2() const { return stage1_on() && ssidsize() ? int(ste(63, 59)) : 0; }

  // Tables.
  struct Leaf {
    uint64_t descriptor = 0, place = 0, place_ipa = 0, output = 0;
  };
  uint64_t read_descriptor(uint64_t place, bool big, Stop stop);
  void update_descriptor(uint64_t place, bool big, uint64_t value, Stop stop);
  static int block_ok(int granule, int level, bool large);
  Leaf walk(uint64_t input, int input_bits, int granule, int start_level, uint64_t base, int out_bits, bool big,
            bool through_stage2, const Stop& translation_stop, std::vector<uint64_t>* tables);
  uint64_t stage1(uint64_t va, Attributes& attributes);
  uint64_t stage2(uint64_t ipa, int fault_class, bool r, bool w, bool x, bool privileged, Attributes* attributes);
  void check(const Permission& p, bool r, bool w, bool x, Stop stop);

  std::array<uint64_t, 4> record(const Stop& stop, bool stall) const;
};

void Translation::fetch(uint64_t address, unsigned bytes, void* data, int event) {
  Stop stop;
  stop.type = event;
  stop.fetch = address;
  // Addresses above OAS are no addresses.
  if (address >= two_to(oas)) {
    stop.fetch = address % two_to(oas);
    throw stop;
  }
  if (!mem.read(address, bytes, static_cast<uint8_t*>(data))) throw stop;
}

void Translation::find_ste() {
  const int log2size = int(get(reg.strtab_base_cfg, 5, 0));
  const int effective = std::min(log2size, int(get(reg.idr1, 5, 0)));
  const uint64_t base = get(reg.strtab_base, 51, 6) * 64;
  Stop bad_stream;
  bad_stream.type = 0x02;
  if (uint64_t{req.stream} >= two_to(effective)) throw bad_stream;
  uint64_t address;
  if (get(reg.strtab_base_cfg, 17, 16) != 1) {
    const int align = log2size + 6;
    address = (align >= 64 ? 0 : base / two_to(align) * two_to(align)) + uint64_t{req.stream} * 64;
  } else {
    int split = int(get(reg.strtab_base_cfg, 10, 6));
    if (split != 8 && split != 10) split = 6;
    const int align = std::max(6, log2size - split + 3);
    uint64_t l1std = 0;
    fetch(base / two_to(align) * two_to(align) + (req.stream >> split) * uint64_t{8}, 8, &l1std, 0x03);
    const int span = int(get(l1std, 4, 0));
    const uint64_t below = req.stream % two_to(split);
    if (span == 0 || span >= 12 || span > split + 1 || below >= two_to(span - 1)) throw bad_stream;
    const uint64_t table = get(l1std, 51, 6) * 64;
    address = table / two_to(5 + span) * two_to(5 + span) + below * 64;
  }
  fetch(address, 64, ste.words.data(), 0x03);
  have_ste = true;
}

bool Translation::ste_illegal() const {
  const int c = config();
  if (!ste(0)) return true;
  if (c < 4) return false;
  if ((c & 1) && !s1p()) return true;
  if ((c & 2) && !s2p()) return true;
  const bool s2s = ste(128 + 57);
  if (ats() && c != 4) {
    const int eats = int(ste(64 + 29, 64 + 28));
    if (eats == 2 && (c != 7 || s2s || get(reg.idr0, 11, 11))) return true;
    if (eats == 1 && s2s && (c & 2)) return true;
  }
  const int strw = int(ste(64 + 31, 64 + 30));
  const bool strw_unused = !s1p() || (!hyp() && !reg.secure) || (c & 2) || c == 4;
  if (!strw_unused && !reg.secure && (strw & 1)) return true;
  if (!strw_unused && reg.secure && strw >= 2) return true;  // 0b10 is secure EL2
  if (c & 1) {
    if (ste(64 + 27) && stall_model() != 0) return true;
    if (ssidsize() && int(ste(63, 59)) > ssidsize()) return true;
    const int fmt = int(ste(5, 4));
    if (ssidsize() && ste(63, 59) && !get(reg.idr0, 19, 19) && (fmt == 1 || fmt == 2)) return true;
    if (ste(51, 6) * 64 >= two_to(oas)) return true;
  }
  if (c & 2) {
    if (s2s && stall_model() == 1) return true;
    if (!s2s && stall_model() == 2) return true;
    if (!ste(128 + 51)) return true;  // VMSAv8-32
    const bool ha = ste(128 + 56), hd = ste(128 + 55);
    if ((ha || hd) && httu() == 0) return true;
    if (hd && httu() == 1) return true;
    static const int kGranules[] = {12, 16, 14, 0};
    const int granule = kGranules[ste(128 + 47, 128 + 46)];
    if (!granule_supported(granule)) return true;
    const uint64_t ttb = ste(192 + 51, 192 + 4) * 16;
    if (ttb >= two_to(size_of(int(ste(128 + 50, 128 + 48))))) return true;
    if (granule != 16 && ttb >= two_to(48)) return true;
    const int t0sz = int(ste(128 + 37, 128 + 32));
    const int t0sz_max = !stt() ? 39 : granule == 16 ? 47 : 48;
    const int t0sz_min = std::max(granule == 16 ? 12 : 16, 64 - oas);
    if (t0sz < t0sz_min || t0sz > t0sz_max) return true;
    // The A-profile's rules for SL0.
    const int sl0 = int(ste(128 + 39, 128 + 38));
    int start;
    if (granule == 12) {
      static const int kStart[] = {2, 1, 0, 3};
      start = kStart[sl0];
      if (sl0 == 2 && oas < 44) return true;
      if (sl0 == 3 && !stt()) return true;
    } else {
      static const int kStart[] = {3, 2, 1, -1};
      start = kStart[sl0];
      if (start < 0) return true;
      if (sl0 == 2 && oas < (granule == 14 ? 42 : 44)) return true;
    }
    const int stride = granule - 3;
    const int min_bits = (3 - start) * stride + granule + 1;
    const int max_bits = min_bits + (stride - 1) + 4;
    if (64 - t0sz < min_bits || 64 - t0sz > max_bits) return true;
    if (ttendian() == 2 && ste(128 + 52)) return true;
    if (ttendian() == 3 && !ste(128 + 52)) return true;
  }
  const bool vmid_ignored = !s2p() || c == 4 || (strw != 0 && !strw_unused);
  if (!vmid_ignored && !get(reg.idr0, 18, 18) && ste(128 + 15, 128 + 8)) return true;
  return false;
}

void Translation::fetch_context(uint64_t address, unsigned bytes, void* data) {
  if (stage2_on()) address = stage2(address, 0, true, false, false, true, nullptr);
  Stop stop;
  stop.type = 0x09;
  stop.fetch = address;
  if (!mem.read(address, bytes, static_cast<uint8_t*>(data))) throw stop;
}

void Translation::find_cd(uint32_t index) {
  const int n = substreams_log2();
  const uint64_t pointer = ste(51, 6) * 64;
  const int format = int(ste(5, 4));
  uint64_t address;
  if (n == 0 || format == 0 || format == 3) {
    address = pointer / two_to(n + 6) * two_to(n + 6) + uint64_t{index} * 64;
  } else {
    const int leaf_log2 = format == 1 ? 6 : 10;
    const int align = std::max(6, n - leaf_log2 + 3);
    uint64_t l1cd = 0;
    fetch_context(pointer / two_to(align) * two_to(align) + (index >> leaf_log2) * uint64_t{8}, 8, &l1cd);
    uint64_t table = get(l1cd, 51, 12) * 4096;
    if (format == 2) table = table / 65536 * 65536;
    Stop stop;
    stop.type = 0x08;
    if (!(l1cd & 1) || table >= two_to(oas)) throw stop;
    address = table + index % two_to(leaf_log2) * 64;
  }
  fetch_context(address, 64, cd.words.data());
  have_cd = true;
}

bool Translation::cd_illegal() const {
  if (!cd(31)) return true;
  const bool s = cd(44);
  if (ste(64 + 27) && s) return true;
  if (get(reg.idr0, 26, 26) && !cd(46)) return true;
  if (stall_model() == 1 && s) return true;
  if (stall_model() == 2 && !s) return true;
  const bool walks0 = world == kEl2 || !cd(14);
  const bool walks1 = world != kEl2 && !cd(30);
  if (walks0 || walks1) {
    if (ttendian() == 2 && cd(15)) return true;
    if (ttendian() == 3 && !cd(15)) return true;
  }
  if (!cd(41)) return true;
  if ((cd(43) || cd(42)) && httu() == 0) return true;
  if (cd(42) && httu() == 1) return true;
  if (world != kEl2 && !get(reg.idr0, 12, 12) && cd(63, 56)) return true;
  static const int kGranule0[] = {12, 16, 14, 0};
  static const int kGranule1[] = {0, 14, 12, 16};
  const int ips = size_of(int(cd(34, 32)));
  for (int half = 0; half < 2; ++half) {
    if (half == 0 ? !walks0 : !walks1) continue;
    const int granule = half ? kGranule1[cd(23, 22)] : kGranule0[cd(7, 6)];
    if (!granule_supported(granule)) return true;
    const int size = int(half ? cd(21, 16) : cd(5, 0));
    const int largest = !stt() ? 39 : granule == 16 ? 47 : 48;
    const int smallest = get(reg.idr5, 11, 10) == 1 && granule == 16 ? 12 : 16;
    if (size < smallest || size > largest) return true;
    const uint64_t ttb = (half ? cd(128 + 51, 128 + 4) : cd(64 + 51, 64 + 4)) * 16;
    if (ttb >= two_to(ips) || (granule != 16 && ttb >= two_to(48))) return true;
  }
  return false;
}

uint64_t swapped(uint64_t value) {
  uint64_t result = 0;
  for (int i = 0; i < 8; ++i) result |= ((value >> (8 * i)) & 0xff) << (8 * (7 - i));
  return result;
}

uint64_t Translation::read_descriptor(uint64_t place, bool big, Stop stop) {
  uint64_t value = 0;
  stop.type = 0x0b;
  stop.fetch = place;
  if (!mem.read(place, 8, reinterpret_cast<uint8_t*>(&value))) throw stop;
  return big ? swapped(value) : value;
}

void Translation::update_descriptor(uint64_t place, bool big, uint64_t value, Stop stop) {
  stop.type = 0x0b;
  stop.fetch = place;
  if (!mem.write(place, big ? swapped(value) : value)) throw stop;
}

int Translation::block_ok(int granule, int level, bool large) {
  if (granule == 12) return level == 1 || level == 2;
  if (granule == 14) return level == 2;
  return level == 2 || (level == 1 && large);
}

// One walk down a tree of tables. Table descriptors met on the way are appended to `tables`.
Translation::Leaf Translation::walk(uint64_t input, int input_bits, int granule, int start_level, uint64_t base,
                                    int out_bits, bool big, bool through_stage2, const Stop& at,
                                    std::vector<uint64_t>* tables) {
  const int stride = granule - 3;
  const bool large = oas == 52;
  Stop not_there = at;
  not_there.type = 0x10;
  Stop too_big = at;
  too_big.type = 0x11;
  Stop abort = at;
  if (!at.stage2) abort.fault_class = 1;
  int top = input_bits;  // bits [top-1:0] of the input are left to resolve
  for (int level = start_level;; ++level) {
    const int bottom = granule + stride * (3 - level);
    Leaf leaf;
    leaf.place_ipa = base + get(input, top - 1, bottom) * 8;
    leaf.place = through_stage2 ? stage2(leaf.place_ipa, 1, true, false, false, true, nullptr) : leaf.place_ipa;
    leaf.descriptor = read_descriptor(leaf.place, big, abort);
    const uint64_t d = leaf.descriptor;
    const int type = int(d & 3);
    if (type == 0 || type == 2) throw not_there;
    const bool is_leaf = level == 3 || type == 1;
    if (level == 3 && type == 1) throw not_there;
    if (level < 3 && type == 1 && !block_ok(granule, level, large)) throw not_there;
    const int low = is_leaf ? bottom : granule;
    uint64_t address = get(d, 47, low) * two_to(low);
    if (granule == 16 && large) address += get(d, 15, 12) * two_to(48);
    if (address >= two_to(out_bits)) throw too_big;
    if (is_leaf) {
      leaf.output = address + input % two_to(bottom);
      return leaf;
    }
    if (tables) tables->push_back(d);
    base = address;
    top = bottom;
  }
}

void Translation::check(const Permission& p, bool r, bool w, bool x, Stop stop) {
  stop.type = 0x13;
  if (w && !p.w) throw stop;
  stop.read_missing = r && w;
  if (r && !p.r) throw stop;
  stop.read_missing = false;
  if (x && !p.x) throw stop;
}

uint64_t Translation::stage2(uint64_t ipa, int fault_class, bool r, bool w, bool x, bool privileged,
                             Attributes* attributes) {
  Stop at;
  at.stage2 = true;
  at.fault_class = fault_class;
  at.ipa = ipa;
  at.ttrnw = r;
  const int input_bits = 64 - int(ste(128 + 37, 128 + 32));
  Stop not_there = at;
  not_there.type = 0x10;
  if (ipa >= two_to(input_bits)) throw not_there;
  static const int kGranules[] = {12, 16, 14, 0};
  static const int kStart4[] = {2, 1, 0, 3};
  const int granule = kGranules[ste(128 + 47, 128 + 46)];
  const int sl0 = int(ste(128 + 39, 128 + 38));
  const int start = granule == 12 ? kStart4[sl0] : 3 - sl0;
  const int out_bits = size_of(int(ste(128 + 50, 128 + 48)));
  const bool big = ste(128 + 52);
  // The starting tables lie together, aligned to their common size, and to 64 bytes with 52-bit outputs.
  const int table_log2 = input_bits - (granule + (granule - 3) * (3 - start)) + 3;
  const uint64_t align = std::max(two_to(table_log2), out_bits == 52 ? uint64_t{64} : uint64_t{16});
  const uint64_t base = ste(192 + 51, 192 + 4) * 16 / align * align;
  const Leaf leaf = walk(ipa, input_bits, granule, start, base, out_bits, big, false, at, nullptr);

  uint64_t updated = leaf.descriptor;
  const bool ha = ste(128 + 56), hd = ha && ste(128 + 55);
  if (!get(leaf.descriptor, 10, 10)) {
    Stop access = at;
    access.type = 0x12;
    if (ha)
      updated |= two_to(10);
    else if (!ste(128 + 53))
      throw access;
  }
  Permission p;
  p.r = get(leaf.descriptor, 6, 6);
  p.w = get(leaf.descriptor, 7, 7) || (hd && get(leaf.descriptor, 51, 51));
  const int xn = int(get(leaf.descriptor, 54, 53));
  p.x = xn == 0 || xn == (privileged ? 3 : 1);
  check(p, r, w, x, at);
  const int memattr = int(get(leaf.descriptor, 5, 2));
  const bool fwb = get(reg.idr3, 8, 8) && ste(64 + 25);
  const bool is_device = fwb ? memattr % 8 < 4 : memattr / 4 == 0 || memattr % 4 == 0;
  if (fault_class != 2 && ste(128 + 54) && is_device) {
    Stop denied = at;
    denied.type = 0x13;
    throw denied;
  }
  if (w && !get(leaf.descriptor, 7, 7)) updated |= two_to(7);
  if (updated != leaf.descriptor) update_descriptor(leaf.place, big, updated, at);
  if (attributes) {
    const int sh = int(get(leaf.descriptor, 9, 8));
    *attributes = fwb ? with_fwb(*attributes, memattr, sh) : combined(*attributes, of_four_bits(memattr, sh));
  }
  return leaf.output;
}

uint64_t Translation::stage1(uint64_t va, Attributes& attributes) {
  Stop at;  // stage 1 faults are of class IN
  const bool two_halves = world != kEl2;
  const int half = two_halves && get(va, 55, 55) ? 1 : 0;
  Stop not_there = at;
  not_there.type = 0x10;
  const int size = int(half ? cd(21, 16) : cd(5, 0));
  const int input_bits = 64 - size;
  const int top = cd(38 + half) ? 55 : 63;
  for (int i = input_bits; i <= top; ++i)
    if (int(get(va, i, i)) != half) throw not_there;
  if (two_halves && cd(half ? 30 : 14)) throw not_there;

  static const int kGranule0[] = {12, 16, 14, 0};
  static const int kGranule1[] = {0, 14, 12, 16};
  const int granule = half ? kGranule1[cd(23, 22)] : kGranule0[cd(7, 6)];
  const int stride = granule - 3;
  int start = 3;
  while (granule + stride * (4 - start) < input_bits) --start;
  const int ips = size_of(int(cd(34, 32)));
  const bool big = cd(15);
  const int table_log2 = input_bits - (granule + stride * (3 - start)) + 3;
  const uint64_t align = std::max(two_to(table_log2), ips == 52 ? uint64_t{64} : uint64_t{16});
  const int word = half ? 128 : 64;
  const uint64_t base = cd(word + 51, word + 4) * 16 / align * align;
  std::vector<uint64_t> tables;
  const Leaf leaf = walk(va % two_to(input_bits), input_bits, granule, start, base, ips, big, stage2_on(), at, &tables);
  const uint64_t d = leaf.descriptor;

  const bool ha = cd(43), hd = ha && cd(42);
  uint64_t updated = d;
  if (!get(d, 10, 10)) {
    Stop access = at;
    access.type = 0x12;
    if (ha)
      updated |= two_to(10);
    else if (!cd(35))
      throw access;
  }
  bool table_no_user = false, table_read_only = false, table_uxn = false, table_pxn = false;
  if (!cd(word + 1))
    for (uint64_t table : tables) {
      table_pxn |= get(table, 59, 59);
      table_uxn |= get(table, 60, 60);
      table_no_user |= get(table, 61, 61);
      table_read_only |= get(table, 62, 62);
    }
  // The address space: of the tables by NSCFG and NSTable, of the page by its NS bit.
  bool from_secure = reg.secure && !cd(word);
  for (uint64_t table : tables) from_secure = from_secure && !get(table, 63, 63);
  const bool to_secure = from_secure && !get(d, 5, 5);
  const bool read_only = get(d, 7, 7);
  const bool w = (!read_only || (hd && get(d, 51, 51))) && !table_read_only;
  const bool uxn = get(d, 54, 54) || table_uxn, pxn = get(d, 53, 53) || table_pxn, wxn = cd(36);
  Permission p;
  if (!two_halves) {
    p.r = true;
    p.w = w;
    p.x = !uxn && !(wxn && p.w);
  } else {
    const bool user = get(d, 6, 6) && !table_no_user;
    if (pnu) {
      const bool pan = cd(40) && user;
      p.r = !pan;
      p.w = w && !pan;
      p.x = !pxn && !(user && w) && !(wxn && w);
    } else {
      p.r = user;
      p.w = user && w;
      p.x = !uxn && !(wxn && p.w);
    }
  }
  if (reg.secure && get(reg.cr0, 5, 5) && !to_secure) p.x = false;
  const bool need_w = req.write || req.atomic, need_r = !ind && (!req.write || req.atomic);
  check(p, need_r, need_w, ind, at);
  if (need_w && read_only) updated &= ~two_to(7);
  if (updated != d) {
    Stop abort = at;
    abort.fault_class = 1;
    uint64_t place = leaf.place;
    if (stage2_on()) place = stage2(leaf.place_ipa, 1, false, true, false, true, nullptr);
    update_descriptor(place, big, updated, abort);
  }
  const int index = int(get(d, 4, 2));
  Attributes mine = of_mair(int(get(cd.words[3], 8 * index + 7, 8 * index)), int(get(d, 9, 8)));
  if (!mine.device && !attributes.device)
    for (auto level : {&Attributes::inner, &Attributes::outer})
      if ((attributes.*level).policy != 1) {
        const int policy = (mine.*level).policy;
        mine.*level = weaker(mine.*level, attributes.*level);
        (mine.*level).policy = policy;
      }
  attributes = mine;
  attributes.secure = to_secure;
  return leaf.output;
}

std::array<uint64_t, 4> Translation::record(const Stop& stop, bool stall) const {
  std::array<uint64_t, 4> e{};
  bool rnw = reads;
  if (req.atomic && stop.type == 0x13 && stop.fault_class == 2) rnw = stop.read_missing;
  const uint64_t ssv = req.has_substream;
  e[0] = uint64_t(stop.type) + (ssv << 11) + (uint64_t{ssv ? req.substream : 0} << 12) + (uint64_t{req.stream} << 32);
  const uint64_t access = (uint64_t{pnu} << 33) + (uint64_t{ind} << 34) + (uint64_t{rnw} << 35);
  const uint64_t where = (uint64_t{stop.stage2} << 39) + (uint64_t(stop.fault_class) << 40);
  switch (stop.type) {
    case 0x08:
      e[0] &= ~(uint64_t{1} << 11);
      break;
    case 0x06:
      e[0] = 0x06 + (uint64_t{req.stream} << 32);
      break;
    case 0x03:
    case 0x09:
      e[3] = stop.fetch & ~uint64_t{7};
      break;
    case 0x0b:
      e[1] = access + where;
      e[2] = req.address;
      e[3] = stop.fetch & ~uint64_t{7};
      break;
    case 0x10:
    case 0x11:
    case 0x12:
    case 0x13:
      e[1] = access + where + (uint64_t{stall} << 31);
      if (stop.type == 0x13 && stop.fault_class == 1) e[1] += uint64_t{stop.ttrnw} << 44;
      e[2] = req.address;
      if (stop.stage2) e[3] = get(stop.ipa, oas - 1, 12) * 4096;
      break;
    default:
      break;
  }
  return e;
}

Answer Translation::run() {
  Answer answer;
  const auto pass = [&](uint64_t address, const Attributes& attributes) {
    answer.verdict = Verdict::kPass;
    answer.address = address;
    answer.attributes = tidy(attributes);
    answer.attributes.secure = attributes.secure;
    answer.privileged = pnu;
    answer.instruction = ind;
    return answer;
  };
  const auto override_bit = [](bool in, uint64_t code) { return code == 2 ? false : code == 3 ? true : in; };
  const bool types = get(reg.idr1, 27, 27), perms = get(reg.idr1, 26, 26);
  if (!(reg.cr0 & 1)) {
    if (get(reg.gbpa, 20, 20) || req.address >= two_to(oas)) return answer;
    bool to_secure = reg.secure && req.attributes.secure;
    if (reg.secure && get(reg.idr1, 26, 26)) to_secure = !override_bit(!to_secure, get(reg.gbpa, 15, 14));
    Overrides o;
    if (types)
      o = {get(reg.gbpa, 4, 4) != 0, int(get(reg.gbpa, 3, 0)), int(get(reg.gbpa, 11, 8)), int(get(reg.gbpa, 13, 12))};
    if (perms) pnu = override_bit(pnu, get(reg.gbpa, 17, 16));
    if (perms && reads) ind = override_bit(ind, get(reg.gbpa, 19, 18));
    if (reg.secure && get(reg.cr0, 5, 5) && ind && !to_secure) return answer;
    Attributes out = replaced(req.attributes, o);
    out.secure = to_secure;
    return pass(req.address, out);
  }
  bool stage1_translates = false;
  try {
    find_ste();
    Stop stop;
    if (ste_illegal()) {
      stop.type = 0x04;
      throw stop;
    }
    if (config() < 4) throw stop;
    if (perms) pnu = override_bit(pnu, ste(64 + 49, 64 + 48));
    if (perms && reads) ind = override_bit(ind, ste(64 + 51, 64 + 50));
    const int n = substreams_log2();
    const int s1dss = int(ste(65, 64));
    if (req.has_substream && (n == 0 || req.substream >= two_to(n))) {
      stop.type = 0x08;
      throw stop;
    }
    stop.type = 0x06;
    if (req.has_substream && s1dss == 2 && req.substream == 0) throw stop;
    if (!req.has_substream && n > 0 && (s1dss == 0 || s1dss == 3)) throw stop;
    stage1_translates = stage1_on() && !(n > 0 && !req.has_substream && s1dss == 1);
    if (stage1_translates) {
      if (hyp() && !stage2_on() && ste(64 + 31, 64 + 30) == 2) world = (reg.cr2 & 1) ? kEl2E2h : kEl2;
      if (reg.secure && ste(64 + 31, 64 + 30) == 1) world = kEl2;  // EL3 walks like EL2
      find_cd(req.has_substream ? req.substream : 0);
      if (cd_illegal()) {
        have_cd = false;
        stop.type = 0x0a;
        throw stop;
      }
    }
    Overrides o;
    if (types) o = {ste(64 + 36), int(ste(64 + 35, 64 + 32)), int(ste(64 + 40, 64 + 37)), int(ste(64 + 45, 64 + 44))};
    Attributes attributes = replaced(req.attributes, o);
    attributes.secure = reg.secure && req.attributes.secure;
    if (reg.secure && perms) attributes.secure = !override_bit(!attributes.secure, ste(64 + 47, 64 + 46));
    uint64_t address = req.address;
    if (stage1_translates) {
      address = stage1(address, attributes);
    } else if (address >= two_to(oas)) {
      stop = Stop{};
      stop.type = 0x11;
      throw stop;
    } else if (!stage2_on() && reg.secure && get(reg.cr0, 5, 5) && ind && !attributes.secure) {
      stop = Stop{};
      stop.type = 0x13;
      throw stop;
    }
    if (stage2_on()) {
      const bool need_w = req.write || req.atomic, need_r = !ind && (!req.write || req.atomic);
      address = stage2(address, 2, need_r, need_w, ind, pnu, &attributes);
    }
    return pass(address, attributes);
  } catch (const Stop& stop) {
    if (stop.type == 0) return answer;
    bool record_it = stop.type != 0x02 || (reg.cr2 & 2);
    bool stalls = false;
    if (stop.type >= 0x10) {
      if (stop.stage2) {
        stalls = ste(128 + 57);
        record_it = ste(128 + 58) || stalls;
      } else if (have_cd) {
        stalls = cd(44);
        record_it = cd(45) || stalls;
        if (!stalls && !cd(46)) answer.verdict = Verdict::kZero;
      }
    }
    if (stalls) answer.verdict = Verdict::kStall;
    answer.recorded = record_it;
    answer.event = record(stop, stalls);
    return answer;
  }
}

}  // namespace

Answer translate(const Registers& registers, const Memory& memory, const Request& request) {
  return Translation(registers, memory, request).run();
}

}  // namespace lockstep::smmuv3_reference
