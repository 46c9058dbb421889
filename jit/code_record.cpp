// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <type_traits>

#include "core/memory/bus.h"
#include "jit/code_archive.h"
#include "jit/frame.h"

// A unit's record in an archive: Header, then the arrays in the order of `counts`, each filled up to eight bytes.

namespace lockstep::jit {

namespace {

struct Header {
  uint64_t pc, code_key;
  uint32_t is_region, joint_checks, has_targets, entry_at;
  std::array<uint32_t, 2> mapping_at;
  uint32_t guest_instructions, all_instructions;
  uint32_t counts[8];
};
static_assert(sizeof(Header) % 8 == 0);

constexpr size_t fill(size_t bytes) { return (bytes + 7) & ~size_t{7}; }

template <typename T>
void put(std::vector<uint8_t>& out, std::span<const T> items) {
  static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= 8);
  const auto* bytes = reinterpret_cast<const uint8_t*>(items.data());
  out.insert(out.end(), bytes, bytes + items.size_bytes());
  out.resize(fill(out.size()));
}

// Takes arrays off the front of a record; nothing more once one did not fit.
class Arrays {
 public:
  explicit Arrays(std::span<const uint8_t> bytes) : left_(bytes) {}

  template <typename T>
  std::span<const T> take(uint32_t count) {
    const size_t bytes = size_t{count} * sizeof(T);
    if (fill(bytes) > left_.size()) {
      ok_ = false;
      return {};
    }
    const std::span<const T> items(reinterpret_cast<const T*>(left_.data()), count);
    left_ = left_.subspan(fill(bytes));
    return items;
  }
  bool complete() const { return ok_ && left_.empty(); }

 private:
  std::span<const uint8_t> left_;
  bool ok_ = true;
};

bool relocation_fits(const Relocation& r, const ArchivedUnit& unit, const ArchiveLimits& limits) {
  if (r.leave > kLeaveMask) return false;
  switch (r.kind) {
    case Relocation::Kind::kMapping:
      return unit.is_region != 0 && r.index < unit.pages.size();  // a block alone compares none
    case Relocation::Kind::kLink:
      return r.index < unit.links.size();
    case Relocation::Kind::kTargets:
      return unit.has_targets != 0;
    case Relocation::Kind::kHelper:
      return r.index < limits.helpers;
    case Relocation::Kind::kThunk:
    case Relocation::Kind::kUnit:
    case Relocation::Kind::kHeat:
    case Relocation::Kind::kHart:
      return true;
  }
  return false;
}

bool home_fits(const StateHome& home, const ArchiveLimits& limits) {
  const bool general =
      home.location < 16 || (home.location >= StateHome::kNarrow && home.location < StateHome::kNarrow + 16);
  return home.slot < limits.state_words && (general || home.location <= StateHome::kConstant);
}

bool block_fits(const ArchivedBlock& block) {
  const uint64_t in_page = core::kPageSize - (block.pc & ~core::kPageMask);
  return block.size_bytes > 0 && block.size_bytes <= core::kPageSize &&
         (block.spans_pages != 0) == (block.size_bytes > in_page);
}

bool fits(const ArchivedUnit& unit, const ArchiveLimits& limits) {
  const auto inside = [&](uint64_t at, size_t bytes) { return at + bytes <= unit.code.size(); };
  if (unit.blocks.empty() || unit.blocks.front().pc != unit.pc || !inside(unit.entry_at, 1)) return false;
  if (unit.is_region == 0 && unit.blocks.size() > 1) return false;
  for (size_t k = 0; k < unit.pages.size(); ++k) {
    const auto seen = unit.pages.first(k);
    if ((unit.pages[k] & ~core::kPageMask) != 0 || std::ranges::find(seen, unit.pages[k]) != seen.end()) return false;
  }
  size_t guest_bytes = 0;
  for (const ArchivedBlock& block : unit.blocks) {
    if (!block_fits(block)) return false;
    guest_bytes += block.size_bytes;
  }
  if (guest_bytes != unit.guest.size() || unit.guest_instructions == 0) return false;
  if (!inside(unit.mapping_at[0], 4) || !inside(unit.mapping_at[1], 4)) return false;
  for (const ArchivedLink& link : unit.links) {
    if (!inside(link.jump_at, 4) || !inside(link.stub_at, 1) || !inside(link.mapping_at, 4)) return false;
  }
  for (const HandOver& h : unit.hand_overs) {
    if (h.return_at > unit.code.size() || uint64_t{h.first_home} + h.homes > unit.homes.size()) return false;
  }
  for (const Relocation& r : unit.relocations) {
    if (r.kind > Relocation::Kind::kHelper || !inside(r.at, r.size_bytes()) || !relocation_fits(r, unit, limits))
      return false;
  }
  return std::all_of(unit.homes.begin(), unit.homes.end(),
                     [&](const StateHome& home) { return home_fits(home, limits); });
}

}  // namespace

std::vector<uint8_t> write_record(const ArchivedUnit& u) {
  const auto count = [](auto items) { return static_cast<uint32_t>(items.size()); };
  const Header header{u.pc,
                      u.code_key,
                      u.is_region,
                      u.joint_checks,
                      u.has_targets,
                      u.entry_at,
                      u.mapping_at,
                      u.guest_instructions,
                      u.all_instructions,
                      {count(u.blocks), count(u.guest), count(u.code), count(u.links), count(u.hand_overs),
                       count(u.homes), count(u.relocations), count(u.pages)}};
  std::vector<uint8_t> out;
  put(out, std::span(&header, 1));
  put(out, u.blocks);
  put(out, u.guest);
  put(out, u.code);
  put(out, u.links);
  put(out, u.hand_overs);
  put(out, u.homes);
  put(out, u.relocations);
  put(out, u.pages);
  return out;
}

std::optional<ArchivedUnit> view_record(std::span<const uint8_t> record) {
  Header h;
  if (record.size() < sizeof h) return std::nullopt;
  std::memcpy(&h, record.data(), sizeof h);
  ArchivedUnit u;
  u.pc = h.pc;
  u.code_key = h.code_key;
  u.is_region = h.is_region;
  u.joint_checks = h.joint_checks;
  u.has_targets = h.has_targets;
  u.entry_at = h.entry_at;
  u.mapping_at = h.mapping_at;
  u.guest_instructions = h.guest_instructions;
  u.all_instructions = h.all_instructions;
  Arrays arrays(record.subspan(sizeof h));
  u.blocks = arrays.take<ArchivedBlock>(h.counts[0]);
  u.guest = arrays.take<uint8_t>(h.counts[1]);
  u.code = arrays.take<uint8_t>(h.counts[2]);
  u.links = arrays.take<ArchivedLink>(h.counts[3]);
  u.hand_overs = arrays.take<HandOver>(h.counts[4]);
  u.homes = arrays.take<StateHome>(h.counts[5]);
  u.relocations = arrays.take<Relocation>(h.counts[6]);
  u.pages = arrays.take<uint64_t>(h.counts[7]);
  if (!arrays.complete()) return std::nullopt;
  return u;
}

std::optional<ArchivedUnit> read_record(std::span<const uint8_t> record, const ArchiveLimits& limits) {
  auto unit = view_record(record);
  if (unit && !fits(*unit, limits)) return std::nullopt;
  return unit;
}

}  // namespace lockstep::jit
