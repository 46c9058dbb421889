// SPDX-License-Identifier: Apache-2.0
#include "jit/warm_start.h"

#include <elf.h>
#include <fmt/format.h>
#include <link.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "jit/host_features.h"

namespace lockstep::jit {

namespace {

RegionPlan blocks_of(const ArchivedUnit& archived) {
  RegionPlan plan;
  for (const ArchivedBlock& block : archived.blocks) {
    PlannedBlock& planned = plan.blocks.emplace_back();
    planned.pc = block.pc;
    planned.size_bytes = block.size_bytes;
    planned.spans_pages = block.spans_pages != 0;
  }
  return plan;
}

WarmStart::Found make_unit(const ArchivedUnit& archived, RegionPlan plan) {
  auto unit = std::make_unique<Unit>();
  const PlannedBlock& first = plan.blocks.front();
  unit->pc = archived.pc;
  unit->paddr = plan.paddr(archived.pc);
  unit->code_key = archived.code_key;
  unit->spans_pages = first.spans_pages;
  unit->size_bytes = first.size_bytes;
  if (first.spans_pages) unit->second_ppage = plan.paddr((archived.pc & core::kPageMask) + core::kPageSize);
  unit->is_region = archived.is_region != 0;
  unit->guest_instructions = archived.guest_instructions;
  unit->all_instructions = archived.all_instructions;
  unit->entry_at = archived.entry_at;
  unit->mapping_at = archived.mapping_at;
  for (const PlannedBlock& block : std::span(plan.blocks).subspan(1)) {
    plan.each_range(block, [&](const core::CodeRange& r) { unit->inlined.push_back(r); });
  }
  if (archived.has_targets != 0) {
    unit->profile.targets = std::make_shared<BlockProfile::Targets>();
    unit->profile.targets->fill(BlockProfile::kUnknown);
  }
  unit->links.reserve(archived.links.size());
  for (const ArchivedLink& link : archived.links) {
    unit->links.push_back({unit.get(), nullptr, link.pc, link.jump_at, link.stub_at, link.mapping_at});
  }
  unit->hand_overs.assign(archived.hand_overs.begin(), archived.hand_overs.end());
  unit->homes.assign(archived.homes.begin(), archived.homes.end());
  unit->relocations.assign(archived.relocations.begin(), archived.relocations.end());
  return {std::move(unit), archived.code, std::move(plan.pages)};
}

// The linker's hash of this program.
std::string build_id() {
  std::string text;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* out) {
        for (int k = 0; k < info->dlpi_phnum; ++k) {
          const ElfW(Phdr)& header = info->dlpi_phdr[k];
          if (header.p_type != PT_NOTE) continue;
          const auto* at = reinterpret_cast<const uint8_t*>(info->dlpi_addr + header.p_vaddr);
          const uint8_t* end = at + header.p_memsz;
          while (at + sizeof(ElfW(Nhdr)) <= end) {
            ElfW(Nhdr) note;
            std::memcpy(&note, at, sizeof note);
            const uint8_t* name = at + sizeof note;
            const uint8_t* hash = name + ((note.n_namesz + 3) & ~3u);
            if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(name, "GNU", 4) == 0) {
              for (uint32_t b = 0; b < note.n_descsz; ++b)
                *static_cast<std::string*>(out) += fmt::format("{:02x}", hash[b]);
              return 1;
            }
            at = hash + ((note.n_descsz + 3) & ~3u);
          }
        }
        return 1;  // the first object is the program
      },
      &text);
  return text;
}

}  // namespace

const uint8_t* WarmStart::ram(const core::CodeRange& range) const {
  const core::RamWindow* window = hart_.bus().window(range.paddr);
  return window != nullptr && window->contains(range.paddr, range.size_bytes)
             ? window->host + (range.paddr - window->base)
             : nullptr;
}

bool WarmStart::same_bytes(const RegionPlan& plan, const ArchivedUnit& archived) const {
  const uint8_t* expected = archived.guest.data();
  bool same = true;
  for (const PlannedBlock& block : plan.blocks) {
    plan.each_range(block, [&](const core::CodeRange& range) {
      const uint8_t* bytes = same ? ram(range) : nullptr;
      same = bytes != nullptr && std::memcmp(bytes, expected, range.size_bytes) == 0;
      expected += range.size_bytes;
    });
  }
  return same;
}

std::optional<WarmStart::Found> WarmStart::block(uint64_t pc, uint64_t code_key,
                                                 const core::MemoryAccess::Fetch& fetch) {
  RegionPlan plan;
  const auto archived = archive_->find(pc, code_key, false, [&](const ArchivedUnit& unit) {
    plan = blocks_of(unit);
    plan.pages.push_back({pc & core::kPageMask, fetch.paddr & core::kPageMask, 0});
    const PlannedBlock& block = plan.blocks.front();
    const uint64_t in_page = std::min<uint64_t>(block.size_bytes, core::kPageSize - (pc & ~core::kPageMask));
    if (std::memcmp(fetch.host, unit.guest.data(), in_page) != 0) return false;
    if (!block.spans_pages) return true;
    const uint64_t next = (pc & core::kPageMask) + core::kPageSize;
    const core::MemoryAccess::Fetch second = memory_.fetch(next);
    if (second.fault != core::Fault::kNone || !second.cacheable) return false;
    plan.pages.push_back({next, second.paddr & core::kPageMask, 0});
    return std::memcmp(second.host, unit.guest.data() + in_page, block.size_bytes - in_page) == 0;
  });
  if (!archived) return std::nullopt;
  return make_unit(*archived, std::move(plan));
}

std::optional<WarmStart::Found> WarmStart::region(const Unit& head, bool joint_checks) {
  const core::TlbContext& fetch = hart_.tlb().fetch();
  RegionPlan plan;
  const auto add_page = [&](uint64_t vaddr) {
    if (plan.page(vaddr) != nullptr) return true;
    const unsigned index = core::tlb_index(vaddr);
    const core::TlbPage& page = fetch.pages[static_cast<size_t>(core::Access::kFetch)][index];
    const uint64_t vpage = vaddr & core::kPageMask;
    if (page.vpage != vpage || fetch.mappings[index] == core::kNoMapping) return false;
    plan.pages.push_back({vpage, page.ppage, fetch.mappings[index]});
    // From now on writes to it are told.
    hart_.bus().page_has_code(page.ppage);
    return true;
  };
  const auto archived = archive_->find(head.pc, head.code_key, true, [&](const ArchivedUnit& unit) {
    if (unit.joint_checks != 0 && !joint_checks) return false;
    plan = blocks_of(unit);
    const PlannedBlock& first = plan.blocks.front();
    // In the order in which relocations count them.
    for (uint64_t page : unit.pages) {
      if (!add_page(page)) return false;
    }
    if (first.size_bytes != head.size_bytes || unit.guest_instructions != head.guest_instructions) return false;
    for (const PlannedBlock& block : plan.blocks) {
      if (plan.page(block.pc) == nullptr) return false;
      if (block.spans_pages && plan.page(block.pc + core::kPageSize) == nullptr) return false;
    }
    return plan.paddr(head.pc) == head.paddr && same_bytes(plan, unit);
  });
  if (!archived) return std::nullopt;
  return make_unit(*archived, std::move(plan));
}

void WarmStart::keep(const Unit& unit, std::span<const uint8_t> code, const RegionPlan& plan, bool joint_checks) {
  std::vector<ArchivedBlock> blocks;
  std::vector<uint8_t> guest;
  for (const PlannedBlock& block : plan.blocks) {
    blocks.push_back({block.pc, block.size_bytes, block.spans_pages ? 1u : 0u});
    bool known = true;
    plan.each_range(block, [&](const core::CodeRange& range) {
      const uint8_t* bytes = ram(range);
      known &= bytes != nullptr;
      if (bytes != nullptr) guest.insert(guest.end(), bytes, bytes + range.size_bytes);
    });
    if (!known) return;
  }
  std::vector<uint64_t> pages;
  for (const PlannedPage& page : plan.pages) pages.push_back(page.vpage);
  std::vector<ArchivedLink> links;
  for (const Link& link : unit.links) links.push_back({link.pc, link.jump_at, link.stub_at, link.mapping_at});
  archive_->add({.pc = unit.pc,
                 .code_key = unit.code_key,
                 .is_region = unit.is_region ? 1u : 0u,
                 .joint_checks = joint_checks ? 1u : 0u,
                 .has_targets = !unit.is_region && unit.profile.targets != nullptr ? 1u : 0u,
                 .entry_at = unit.entry_at,
                 .mapping_at = unit.mapping_at,
                 .guest_instructions = unit.guest_instructions,
                 .all_instructions = unit.all_instructions,
                 .blocks = blocks,
                 .guest = guest,
                 .code = code,
                 .pages = pages,
                 .links = links,
                 .hand_overs = unit.hand_overs,
                 .homes = unit.homes,
                 .relocations = unit.relocations});
}

core::Result<std::string> code_identity(const core::Hart& hart, const HostFeatures& host, bool profiled) {
  std::string text = build_id();
  if (text.empty()) {
    return core::Error{
        "--code-cache: this program has no build id, so that code of another build could not be told: "
        "link it with -Wl,--build-id"};
  }
  const core::StateLayout& layout = hart.layout();
  text = fmt::format("build {}\nhost {}{}{}{}{}{}{}{}\nisa {}, {} bytes\nprofiled {}\nhelpers", text, host.popcnt,
                     host.sse4_1, host.sse4_2, host.avx, host.fma, host.bmi1, host.bmi2, host.lzcnt, layout.isa,
                     layout.size_bytes, profiled);
  for (const core::HelperDescriptor& helper : hart.helpers()) text += fmt::format(" {}", helper.name);
  return text + "\n";
}

}  // namespace lockstep::jit
